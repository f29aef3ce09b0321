"""DuckDB on the `flat` data set, with types written by hand: `python -m benchmarks.peers.duckdb_flat SRC OUT FORMAT`.

What was tried, in CPU seconds (within 10 %, on a busy machine) for 400 MB of JSON in 8 files, two threads:

                                                                        Parquet   CSV
    read_json, columns = {'Item': 'STRUCT(pk STRUCT(S VARCHAR), …)'}        6.4   6.2
    the same, with the types in the struct instead of casts                 6.4   6.8
    read_ndjson_objects, json_extract_string with a list of all paths       3.6   3.1

Other ways from lines to values take longer than the last: json_transform 1.2 times (reading alone), a call of
json_extract_string for each attribute 2.2 times. zstd level 3, the default, takes 1.15 times as long as level 1
and isn't smaller; Parquet version 2 is 5 % smaller and not slower. A file per thread is a little faster for
Parquet, not for CSV, and takes half as much memory again there. Keeping the insertion order takes 1.1 times as long.

So the list of paths is the default, and `--read columns` is the way of DuckDB's manual, which is what people write.
Numbers go to CSV as the text that they are: casts take 1.15 times as long, and print `954.5` as `954.50`.
"""

from __future__ import annotations

import argparse

import duckdb

from benchmarks.peers.flat import COLUMNS, make_parser

TYPES = {
    "bool": "BOOLEAN",
    "text": "VARCHAR",
    "int64": "BIGINT",
    "decimal2": "DECIMAL(38, 2)",
    "decimal18": "DECIMAL(38, 18)",
}
SETTINGS = {
    "parquet": "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION v2, PER_THREAD_OUTPUT",
    "csv": "FORMAT csv, HEADER",
}


def extracting(files: str, cast: bool) -> str:
    """A query that reads whole lines and takes all attributes out of each with one call."""
    paths = ", ".join(f"'$.Item.{name}.{tag}'" for name, tag, _ in COLUMNS)
    columns = ", ".join(
        f"CAST(v[{i}] AS {TYPES[kind]}) AS {name}" if cast and kind != "text" else f"v[{i}] AS {name}"
        for i, (name, _, kind) in enumerate(COLUMNS, 1)
    )
    lines = f"read_ndjson_objects('{files}', compression = 'gzip')"
    return f"SELECT {columns} FROM (SELECT json_extract_string(json, [{paths}]) AS v FROM {lines})"


def reading_columns(files: str, cast: bool) -> str:
    """A query that has read_json make structs."""
    struct = ", ".join(f"{name} STRUCT({tag} {'BOOLEAN' if tag == 'BOOL' else 'VARCHAR'})" for name, tag, _ in COLUMNS)
    columns = ", ".join(
        f"CAST(Item.{name}.{tag} AS {TYPES[kind]}) AS {name}" if cast and tag == "N" else f"Item.{name}.{tag} AS {name}"
        for name, tag, kind in COLUMNS
    )
    return (
        f"SELECT {columns} FROM read_json('{files}', format = 'newline_delimited', compression = 'gzip', "
        f"columns = {{'Item': 'STRUCT({struct})'}})"
    )


def main() -> None:
    """Convert the export in SRC to files in OUT."""
    parser = make_parser(main.__doc__)
    parser.add_argument("--read", choices=("extract", "columns"), default="extract")
    options = parser.parse_args()
    make_query = extracting if options.read == "extract" else reading_columns
    query = make_query(f"{options.source}/data/*.json.gz", options.format == "parquet")
    copy(query, options)


def copy(query: str, options: argparse.Namespace) -> None:
    """Run the query into files of the format in the folder that the options name."""
    options.out.mkdir(parents=True)
    # With a file per thread the target is the folder.
    target = options.out / "parts" if options.format == "parquet" else options.out / "all.csv"
    connection = duckdb.connect()
    connection.execute(f"SET threads = {options.threads}")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute(f"COPY ({query}) TO '{target}' ({SETTINGS[options.format]})")


if __name__ == "__main__":
    main()
