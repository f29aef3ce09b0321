"""DuckDB answers a question about `flat`: `python -m benchmarks.peers.duckdb_query SRC OUT FORMAT --read HOW`.

SRC is an export, or with `--read parquet` what ddb-convert made of it. The answer is the file `answer.csv` in OUT.
"""

from __future__ import annotations

import duckdb

from benchmarks.contenders import ANSWER
from benchmarks.peers.duckdb_flat import extracting
from benchmarks.peers.flat import make_parser

HOW = {
    "parquet": lambda source: f"SELECT status, price FROM read_parquet('{source}/dt=*/**/*.parquet')",
    "typed": lambda source: f"SELECT status, price FROM ({extracting(f'{source}/data/*.json.gz', True)})",
    "inferred": lambda source: (
        "SELECT Item.status.S AS status, CAST(Item.price.N AS DECIMAL(38, 2)) AS price"
        f" FROM read_json('{source}/data/*.json.gz', format = 'newline_delimited')"
    ),
}
"""Queries for the two columns: of Parquet, of lines whose paths and types one writes by hand, of what DuckDB infers."""


def main() -> None:
    """Write how many items there are of each status, and the sum of their prices."""
    parser = make_parser(main.__doc__)
    parser.add_argument("--read", choices=HOW, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True)
    connection = duckdb.connect()
    connection.execute(f"SET threads = {options.threads}")
    query = f"SELECT status, count(*), sum(price) FROM ({HOW[options.read](options.source)}) GROUP BY ALL ORDER BY ALL"
    connection.execute(f"COPY ({query}) TO '{options.out / ANSWER}' (FORMAT csv)")


if __name__ == "__main__":
    main()
