"""DuckDB merges an increment into a base of `flat`: `python -m benchmarks.peers.duckdb_merge SRC OUT FORMAT`.

It does what one would write by hand for exactly this table: an anti-join on the key, and the new images with their
types. It reads the same Parquet parts and the same lines as we do.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.merges import BASE, INCREMENT
from benchmarks.peers.duckdb_flat import TYPES, copy
from benchmarks.peers.flat import COLUMNS, make_parser


def merging(source: Path) -> str:
    """The query."""
    names = [name for name, _, _ in COLUMNS]
    paths = ", ".join(["'$.Keys.pk.S'", *(f"'$.NewImage.{name}.{tag}'" for name, tag, _ in COLUMNS)])
    images = ", ".join(f"CAST(v[{n}] AS {TYPES[kind]}) AS {name}" for n, (name, _, kind) in enumerate(COLUMNS, 2))
    lines = f"read_ndjson_objects('{source / INCREMENT}/AWSDynamoDB/data/*.json.gz', compression = 'gzip')"
    return (
        f"WITH changes AS MATERIALIZED (SELECT json_extract_string(json, [{paths}]) AS v FROM {lines})"
        f" SELECT {', '.join(names)} FROM read_parquet('{source / BASE}/dt=*/**/*.parquet') AS base"
        " WHERE NOT EXISTS (SELECT 1 FROM changes WHERE v[1] = base.pk)"
        f" UNION ALL SELECT {images} FROM changes WHERE v[{names.index('pk') + 2}] IS NOT NULL"
    )


def main() -> None:
    """Merge what is in SRC into files in OUT."""
    options = make_parser(main.__doc__).parse_args()
    copy(merging(options.source), options)


if __name__ == "__main__":
    main()
