"""What analytics systems make of all days of a destination, each by one query with the settings that it needs.

    columns = [ReadColumn(c["name"], c["type"]) for c in record["columns"]]     # the newest record has all of them
    rows = read_days("DuckDB", dest, "csv", columns)        # the values of each row, its `dt` last; in no order

A column that some days lack is null there; in CSV, where cells have no names, only the last ones may be lacking. Spark
runs in a process of its own (`python -m tests.readers`), as it leaves a JVM behind.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]

Rows = list[tuple[object, ...]]


class ReadColumn(NamedTuple):
    """A column as a record gives it: string | int64 | decimal128(38, S) | double | binary | bool."""

    name: str
    type: str

    @property
    def scale(self) -> int | None:
        """Of a decimal, None for every other type."""
        return int(self.type.rstrip(")").rpartition(",")[2]) if self.type.startswith("decimal128") else None


class Query(NamedTuple):
    """What is read: all parts of `format` below `dest`, whatever their compression."""

    dest: str
    format: str
    columns: Sequence[ReadColumn]

    @property
    def paths(self) -> str:
        """The parts as readers are told of them."""
        return f"{self.dest}/dt=*/*/*.{self.format}*"


def read_days(reader: str, dest: Path, format: str, columns: Sequence[ReadColumn]) -> Rows:
    """The rows of all days, as values of Python: text, int, Decimal, float, bytes, bool or None."""
    query = Query(str(dest), format, columns)
    if reader == "Spark":
        return _in_own_process(query)
    return READERS[reader](query)


def _read_duckdb(query: Query) -> Rows:
    import duckdb

    types = {c.name: _sql_type(c, {"string": "VARCHAR", "int64": "BIGINT", "binary": "BLOB"}) for c in query.columns}
    if query.format == "parquet":
        source = "read_parquet($paths, union_by_name = true, hive_types = {'dt': VARCHAR})"
        selected = [_quoted(name) for name in types]
    else:
        texts = {name: "VARCHAR" if type_ == "BLOB" else type_ for name, type_ in types.items()}
        source = (
            "read_csv($paths, auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"',"
            f" new_line = '\\n', columns = {texts}, null_padding = true, parallel = false, nullstr = '',"
            " allow_quoted_nulls = false, max_line_size = 67108864, hive_types = {'dt': VARCHAR})"
        )
        selected = [
            f"from_base64({_quoted(name)})" if type_ == "BLOB" else _quoted(name) for name, type_ in types.items()
        ]
    sql = f"SELECT {', '.join(selected)}, dt FROM {source}"
    with duckdb.connect() as connection:
        return connection.execute(sql, {"paths": query.paths}).fetchall()


def _read_polars(query: Query) -> Rows:
    import polars as pl

    types: dict[str, Any] = {
        c.name: pl.Decimal(38, c.scale)
        if c.scale is not None
        else {"string": pl.String, "int64": pl.Int64, "double": pl.Float64, "binary": pl.Binary, "bool": pl.Boolean}[
            c.type
        ]
        for c in query.columns
    }
    if query.format == "parquet":
        frame = pl.scan_parquet(
            query.paths,
            schema={**types},
            missing_columns="insert",
            hive_schema={"dt": pl.String},
            hive_partitioning=True,
        )
        return frame.select(*types, "dt").collect().rows()
    texts = pl.scan_csv(
        query.paths,
        has_header=False,
        skip_rows=1,
        schema=dict.fromkeys(types, pl.String),
        missing_columns="insert",
        include_file_paths="file",
    )
    values = [
        pl.col(name).str.decode("base64")
        if type_ == pl.Binary
        else pl.col(name) == "true"
        if type_ == pl.Boolean
        else pl.col(name).cast(type_)
        for name, type_ in types.items()
    ]
    return texts.select(*values, pl.col("file").str.extract("/dt=([^/]*)/").alias("dt")).collect().rows()


def _read_pyarrow(query: Query) -> Rows:
    import pyarrow as pa
    import pyarrow.dataset as ds
    from pyarrow import csv

    types = {
        c.name: pa.decimal128(38, c.scale)
        if c.scale is not None
        else {"double": pa.float64(), "bool": pa.bool_()}.get(c.type) or getattr(pa, c.type)()
        for c in query.columns
    }
    format: object = "parquet"
    if query.format == "csv":
        types = {name: pa.string() if type_ == pa.binary() else type_ for name, type_ in types.items()}
        format = ds.CsvFileFormat(
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types=types,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["true"],
                false_values=["false"],
            ),
        )
    day = pa.schema([("dt", pa.string())])
    dataset = ds.dataset(
        sorted(map(str, Path(query.dest).glob(query.paths.removeprefix(f"{query.dest}/")))),
        format=format,
        schema=pa.schema([*types.items(), *day]),
        partitioning=ds.partitioning(day, flavor="hive"),
        partition_base_dir=query.dest,
    )
    rows = list(zip(*(column.to_pylist() for column in dataset.to_table().columns), strict=True))
    return _decoded(rows, query) if query.format == "csv" else rows


def _read_spark(query: Query) -> Rows:
    from benchmarks.peers.spark_flat import start_spark, stop_spark

    names = {"int64": "bigint", "bool": "boolean"}
    binary = "string" if query.format == "csv" else "binary"
    columns = [f"`{c.name.replace('`', '``')}` {_sql_type(c, names | {'binary': binary})}" for c in query.columns]
    with TemporaryDirectory() as scratch:
        spark = start_spark(2, Path(scratch))
        reader = spark.read.schema(", ".join([*columns, "dt string"])).option("basePath", query.dest)
        if query.format == "parquet":
            frame = reader.parquet(query.paths)
        else:
            frame = reader.csv(
                query.paths,
                header=True,
                multiLine=True,
                quote='"',
                escape='"',
                lineSep="\n",
                # What no cell holds: the empty text would be null like the empty cell.
                nullValue="\ufdd0",
                emptyValue="",
            )
        rows = [tuple(bytes(v) if isinstance(v, bytearray) else v for v in row) for row in frame.collect()]
        stop_spark(spark)
    return _decoded(rows, query) if query.format == "csv" else rows


READERS: Mapping[str, Callable[[Query], Rows]] = {
    "DuckDB": _read_duckdb,
    "Polars": _read_polars,
    "pyarrow": _read_pyarrow,
    "Spark": _read_spark,
}


def _sql_type(column: ReadColumn, names: Mapping[str, str]) -> str:
    return f"DECIMAL(38, {column.scale})" if column.scale is not None else names.get(column.type, column.type)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _decoded(rows: Rows, query: Query) -> Rows:
    """The rows with their base64 texts as bytes."""
    binary = [column.type == "binary" for column in query.columns]
    return [
        tuple(
            b64decode(str(v)) if is_binary and v is not None else v
            for v, is_binary in zip(row, [*binary, False], strict=True)
        )
        for row in rows
    ]


def _in_own_process(query: Query) -> Rows:
    env = {**os.environ, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    with TemporaryDirectory() as folder:
        given, found = Path(folder, "query"), Path(folder, "rows")
        given.write_bytes(pickle.dumps(tuple(query)))
        command = [sys.executable, "-m", "tests.readers", str(given), str(found)]
        child = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        assert child.returncode == 0, child.stderr[-4000:]
        rows: Rows = pickle.loads(found.read_bytes())
        return rows


if __name__ == "__main__":
    _, _given, _found = sys.argv
    # Pickled as tuples: this module has another name here.
    _dest, _format, _columns = pickle.loads(Path(_given).read_bytes())
    Path(_found).write_bytes(pickle.dumps(_read_spark(Query(_dest, _format, [ReadColumn(*c) for c in _columns]))))
