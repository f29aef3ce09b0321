"""Says what a reader makes of Parquet files: `python -m benchmarks.readers DuckDB FILE …`.

It prints, as JSON by file, a digest of the names of the columns and of all values in their order. Readers that agree
print the same. Each is run in a process of its own: Spark leaves a JVM running, and their thread pools don't mix.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Context, Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contenders import ROOT, SPARK_FLAT
from benchmarks.measure import BenchmarkError

Table = tuple[Sequence[str], Iterable[Sequence[object]]]
"""The names of the columns, and the rows."""

_EXACT = Context(prec=100)


def digests(reader: str, files: Sequence[Path]) -> dict[str, str]:
    """Return the digest of each file by a reader in a separate process. Raises BenchmarkError with its messages."""
    env = {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": SPARK_FLAT.env["SPARK_LOCAL_IP"]}
    command = [sys.executable, "-m", "benchmarks.readers", reader, *(str(path.resolve()) for path in files)]
    child = subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    if child.returncode:
        raise BenchmarkError(f"{reader} can't read the files:\n{child.stderr[-4000:]}")
    found: dict[str, str] = json.loads(child.stdout)
    return found


def digest(table: Table) -> str:
    """sha256 (hex) of the names and the values; equal numbers are equal, however many zeros they end with."""
    names, rows = table
    seen = hashlib.sha256(repr(list(names)).encode())
    for row in rows:
        seen.update(repr([_canonical(value) for value in row]).encode())
    return seen.hexdigest()


def _canonical(value: object) -> object:
    if isinstance(value, Decimal):
        return Decimal(0) if not value else value.normalize(_EXACT)
    if isinstance(value, datetime):
        # Spark gives them in local time, without saying so.
        return value.astimezone(UTC)
    if isinstance(value, bytearray):
        return bytes(value)
    if value is None or isinstance(value, (bool, int, str, bytes)):
        return value
    raise TypeError(f"{type(value).__name__} is not a type of the output")


def _read_pyarrow(files: Sequence[str]) -> Iterator[Table]:
    import pyarrow.parquet as pq

    for path in files:
        table = pq.read_table(path, partitioning=None)
        yield table.column_names, zip(*(column.to_pylist() for column in table.columns), strict=True)


def _read_duckdb(files: Sequence[str]) -> Iterator[Table]:
    import duckdb

    for path in files:
        found = duckdb.execute("SELECT * FROM read_parquet($1, hive_partitioning = false)", [path])
        yield [column[0] for column in found.description or ()], found.fetchall()


def _read_polars(files: Sequence[str]) -> Iterator[Table]:
    import polars as pl

    for path in files:
        frame = pl.read_parquet(path, hive_partitioning=False)
        yield frame.columns, frame.iter_rows()


def _read_spark(files: Sequence[str]) -> Iterator[Table]:
    from benchmarks.peers.spark_flat import start_spark, stop_spark

    with TemporaryDirectory() as scratch:
        spark = start_spark(2, Path(scratch))
        for path in files:
            frame = spark.read.parquet(path)
            yield frame.columns, frame.collect()
        stop_spark(spark)


READERS: Mapping[str, Callable[[Sequence[str]], Iterator[Table]]] = {
    "pyarrow": _read_pyarrow,
    "DuckDB": _read_duckdb,
    "Polars": _read_polars,
    "Spark": _read_spark,
}


def main(arguments: Sequence[str]) -> None:
    """Print what the reader in the first argument makes of the files in the others."""
    reader, *files = arguments
    print(json.dumps(dict(zip(files, map(digest, READERS[reader](files)), strict=True))))


if __name__ == "__main__":
    main(sys.argv[1:])
