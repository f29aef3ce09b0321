# All days of Orders for Polars, with the columns of export 01704196800000-757dc4d1.
# Create this program again after a column was added.
import polars as pl

frame = pl.scan_parquet(
    "out/dt=*/*/*.parquet",
    schema={
        "id": pl.String(),
        "active": pl.Boolean(),
        "data": pl.Binary(),
        "day": pl.Date(),
        "lines": pl.String(),
        "price": pl.Decimal(38, 2),
        "quantity": pl.Int64(),
        "was_new": pl.String(),
    },
    missing_columns="insert",
    hive_schema={"dt": pl.Date()},
)

if __name__ == "__main__":
    print(frame.head(10).collect())
