"""Polars merges an increment into a base of `flat`: `python -m benchmarks.peers.polars_merge SRC OUT FORMAT`.

An anti-join on the key with the streaming engine, and the new images with their types. POLARS_MAX_THREADS has to be in
the environment: it is read when polars is imported.
"""

from __future__ import annotations

import polars as pl

from benchmarks.merges import BASE, INCREMENT
from benchmarks.peers.flat import COLUMNS, parse_arguments
from benchmarks.peers.polars_flat import STRUCT, TYPES


def main() -> None:
    """Merge what is in SRC into files in OUT."""
    options = parse_arguments(main.__doc__)
    files = sorted((options.source / INCREMENT / "AWSDynamoDB" / "data").glob("*.json.gz"))
    keys = pl.Struct({"pk": pl.Struct({"S": pl.String})})
    changes = pl.scan_ndjson(files, schema={"Keys": keys, "NewImage": STRUCT})
    touched = changes.select(pl.col("Keys").struct.field("pk").struct.field("S").alias("pk"))
    images = changes.filter(pl.col("NewImage").is_not_null()).select(
        pl.col("NewImage").struct.field(name).struct.field(tag).cast(TYPES[kind]).alias(name)
        for name, tag, kind in COLUMNS
    )
    base = pl.scan_parquet(options.source / BASE / "dt=*" / "**" / "*.parquet", hive_partitioning=False)
    kept = base.join(touched, on="pk", how="anti").select(pl.col(name).cast(TYPES[kind]) for name, _, kind in COLUMNS)
    merged = pl.concat([kept, images])
    if options.format == "parquet":
        merged.sink_parquet(options.out / "all.parquet", compression="zstd", compression_level=1, engine="streaming")
    else:
        merged.sink_csv(options.out / "all.csv", engine="streaming")


if __name__ == "__main__":
    main()
