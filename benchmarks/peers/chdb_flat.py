"""chDB, which is ClickHouse in the process, on the `flat` data set: `python -m benchmarks.peers.chdb_flat …`.

What was tried, in seconds for 40 MB of JSON in 8 files, two threads:

                                                                        Parquet   CSV
    JSONEachRow with a named tuple of named tuples                         0.40  0.31
    JSONEachRow with the JSON type, its paths typed                        1.22  1.14
    JSONAsString, and JSONExtract of that tuple from each line             0.33  0.25

So whole lines are read and taken apart by JSONExtract. ClickHouse's CSV quotes all texts.
"""

from __future__ import annotations

import chdb

from benchmarks.peers.flat import COLUMNS, parse_arguments

TYPES = {
    "bool": "Bool",
    "text": "String",
    "int64": "Int64",
    "decimal2": "Decimal(38, 2)",
    "decimal18": "Decimal(38, 18)",
}
FORMATS = {"parquet": "Parquet", "csv": "CSVWithNames"}


def make_query(files: str, cast: bool) -> str:
    """A query that reads whole lines and takes all attributes out of each with one call."""
    tagged = ", ".join(
        f"{name} Tuple({tag} Nullable({TYPES[kind if cast or kind == 'bool' else 'text']}))"
        for name, tag, kind in COLUMNS
    )
    columns = ", ".join(f"line.Item.{name}.{tag} AS {name}" for name, tag, _ in COLUMNS)
    lines = f"SELECT JSONExtract(json, 'Tuple(Item Tuple({tagged}))') AS line FROM file('{files}', 'JSONAsString')"
    return f"SELECT {columns} FROM ({lines})"


def main() -> None:
    """Convert the export in SRC to files in OUT."""
    options = parse_arguments(main.__doc__)
    target = options.out / f"all.{options.format}"
    settings = {
        "max_threads": options.threads,
        "output_format_parquet_compression_method": "'zstd'",
        "output_format_compression_level": 1,
        # Nothing between two commas, instead of \N.
        "format_csv_null_representation": "''",
    }
    chdb.query(  # type: ignore[no-untyped-call]
        f"INSERT INTO FUNCTION file('{target}', '{FORMATS[options.format]}') "
        f"{make_query(f'{options.source}/data/*.json.gz', options.format == 'parquet')} "
        f"SETTINGS {', '.join(f'{name} = {value}' for name, value in settings.items())}"
    )


if __name__ == "__main__":
    main()
