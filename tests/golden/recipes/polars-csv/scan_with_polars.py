# All days of Orders for Polars, with the columns of export 01704196800000-757dc4d1.
# Create this program again after a column was added.
import polars as pl
import polars.selectors as cs

frame = (
    pl.scan_csv(
        "out/dt=*/*/*.csv",
        has_header=False,
        skip_rows=1,
        schema={
            "id": pl.String(),
            "active": pl.Boolean(),
            "data": pl.String(),
            "day": pl.String(),
            "lines": pl.String(),
            "price": pl.Decimal(38, 2),
            "quantity": pl.Int64(),
            "was_new": pl.String(),
        },
        missing_columns="insert",
        include_file_paths="path",
    )
    .with_columns(
        cs.by_name("data").str.decode("base64"),
        cs.by_name("day").str.to_date("%Y-%m-%d"),
        cs.by_name("path").str.extract("/dt=([^/]*)/[^/]+/[^/]+$").str.to_date("%Y-%m-%d").alias("dt"),
    )
    .drop(cs.by_name("path"))
)

if __name__ == "__main__":
    print(frame.head(10).collect())
