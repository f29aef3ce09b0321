"""Polars on the `flat` data set, lazily, with types written by hand: `python -m benchmarks.peers.polars_flat …`.

POLARS_MAX_THREADS has to be in the environment: it is read when polars is imported.
"""

from __future__ import annotations

import polars as pl

from benchmarks.peers.flat import COLUMNS, SCALES, data_files, parse_arguments


def main() -> None:
    """Convert the export in SRC to files in OUT."""
    options = parse_arguments(main.__doc__)
    items = pl.scan_ndjson(data_files(options.source), schema={"Item": STRUCT})
    if options.format == "parquet":
        columns = [_value(name, tag).cast(TYPES[kind]).alias(name) for name, tag, kind in COLUMNS]
        items.select(columns).sink_parquet(options.out / "all.parquet", compression="zstd", compression_level=1)
    else:
        items.select(_value(name, tag).alias(name) for name, tag, _ in COLUMNS).sink_csv(options.out / "all.csv")


STRUCT = pl.Struct({name: pl.Struct({tag: pl.Boolean if tag == "BOOL" else pl.String}) for name, tag, _ in COLUMNS})
TYPES: dict[str, pl.DataType] = {
    "bool": pl.Boolean(),
    "text": pl.String(),
    "int64": pl.Int64(),
    **{kind: pl.Decimal(38, scale) for kind, scale in SCALES.items()},
}


def _value(name: str, tag: str) -> pl.Expr:
    return pl.col("Item").struct.field(name).struct.field(tag)


if __name__ == "__main__":
    main()
