"""DuckDB on the other data sets, scalars typed by hand: `python -m benchmarks.peers.duckdb_documents … --dataset X`.

Maps, lists and sets stay the DynamoDB JSON that they are, which is less than what we write. Lines are taken apart in
the way that is the fastest for `flat` (see duckdb_flat), and for these as well: read_json with a struct of all
attributes takes 1.6 times (sparse) to 7 times (lists) as much CPU, and hundreds of times for maps whose keys are data.
"""

from __future__ import annotations

from benchmarks.peers.duckdb_flat import copy
from benchmarks.peers.flat import make_parser

# By data set: attribute and type, in which ? is a mixture of S and N, and JSON is left as it is.
COLUMNS: dict[str, dict[str, str]] = {
    "single": {
        "address": "JSON M",
        "email": "S",
        "limits": "JSON NS",
        "lines": "JSON L",
        "paid": "BOOL",
        "payload": "JSON M",
        "pk": "S",
        "sk": "S",
        "status": "S",
        "tags": "JSON SS",
        "total": "DECIMAL(38, 2)",
        "ts": "BIGINT",
        "ttl": "BIGINT",
        "type": "S",
        "value": "?",
    },
    "lists": {"activities": "JSON L", "name": "S"},
    "dynamic-keys": {"day": "S", "pk": "S", "seen": "JSON M", "total": "BIGINT"},
    "sparse": {
        **{
            f"{name}_{number:04d}": kind
            for first, (name, kind) in enumerate(
                (("flag", "BOOL"), ("text", "S"), ("count", "BIGINT"), ("price", "DECIMAL(38, 2)"))
            )
            for number in range(first or 4, 2000, 4)
        },
        "pk": "S",
    },
    "large-items": {"body": "S", "pages": "JSON L", "pk": "S", "title": "S", "version": "BIGINT"},
    "escapes": {"document": "S", "log": "S", "markup": "S", "path": "S", "pk": "S", "ts": "BIGINT"},
    "cjk": {"author": "S", "body": "S", "pk": "S", "price": "DECIMAL(38, 2)", "title": "S"},
}
LONGEST_LINE = 4 << 20


def make_query(dataset: str, files: str, cast: bool) -> str:
    """A query that takes all attributes out of each line with one call."""
    paths: list[str] = []
    columns = []
    for name, kind in COLUMNS[dataset].items():
        tags = {"S": ["S"], "BOOL": ["BOOL"], "?": ["S", "N"]}.get(kind) or [kind.split()[1] if "JSON" in kind else "N"]
        values = []
        for tag in tags:
            paths.append(f"'$.Item.{name}.{tag}'")
            values.append(f"v[{len(paths)}]")
        value = f"coalesce({', '.join(values)})" if len(values) > 1 else values[0]
        typed = cast and (kind == "BOOL" or tags == ["N"])
        columns.append(f"CAST({value} AS {kind}) AS {name}" if typed else f"{value} AS {name}")
    lines = f"read_ndjson_objects('{files}', compression = 'gzip', maximum_object_size = {LONGEST_LINE})"
    return (
        f"SELECT {', '.join(columns)} FROM (SELECT json_extract_string(json, [{', '.join(paths)}]) AS v FROM {lines})"
    )


def main() -> None:
    """Convert the export in SRC to files in OUT."""
    parser = make_parser(main.__doc__)
    parser.add_argument("--dataset", choices=COLUMNS, required=True)
    options = parser.parse_args()
    copy(make_query(options.dataset, f"{options.source}/data/*.json.gz", options.format == "parquet"), options)


if __name__ == "__main__":
    main()
