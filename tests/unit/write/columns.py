"""Columns of cells for the tests of Parquet: drawn, written as parts, and read by every reader that we know."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from functools import cache
from io import BytesIO
from random import Random
from tempfile import NamedTemporaryFile
from typing import Any, get_args

import duckdb
import polars as pl
import pyarrow.parquet as pq
from hypothesis import strategies as st

from converter.decode.batch import Batch
from converter.decode.buffers import Buffers
from converter.option_values import Encoding
from converter.options import ConvertOptions
from converter.schema.column_types import Origin, parse_type
from converter.schema.columns import Column, Schema
from converter.write.parquet import ParquetPart
from tests.times import DAY_0, EPOCH, FIRST, LAST, any_micros
from tests.unit.decode.decoding import put_value

Cells = list[Any]

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)

TYPES = (
    "string",
    "binary",
    "int64",
    "timestamp",
    "date",
    "decimal128(38, 0)",
    "decimal128(38, 7)",
    "decimal128(38, 38)",
    "bool",
    "double",
)
ROW_COUNTS = (1, 7, 8, 9, 31, 32, 33, 64, 127, 128, 129, 130, 257, 1000)
_EXACT = Context(prec=50)
_ALPHABET = "ab\x00\x7f é漢😀"
_EDGES = (0, 1, -1, 2**31, -(2**31), 2**63 - 1, -(2**63), 2**62, -(2**62))


def column_of_type(type_: str, name: str = "a") -> Column:
    """A column of this type; its origin makes no difference to writers."""
    return Column(name, name, parse_type(type_), Origin.TEXT)


def batch_of(columns: Sequence[Column], cells: Sequence[Cells], buffers: Buffers | None = None) -> Batch:
    """A batch that holds these cells, a list for each column; decimals are given as Decimal."""
    rows = len(cells[0])
    buffers = buffers or Buffers(columns, text=False)
    for index, (column, values) in enumerate(zip(columns, cells, strict=True), 1):
        for row, value in enumerate(values):
            if value is not None:
                put_value(buffers, index, row, _stored(column, value))
    return Batch(rows, Schema(tuple(columns)), buffers, {})


def parquet_of(
    columns: Sequence[Column], *groups: Sequence[Cells], compression: str = "none", encoding: Encoding = "compact"
) -> bytes:
    """A Parquet file of these columns, with a row group for each group of cells."""
    sink = BytesIO()
    part = ParquetPart(sink, Schema(tuple(columns)), ConvertOptions(compression=compression, encoding=encoding))
    buffers = Buffers(columns, text=False)
    for cells in groups:
        buffers.reset()
        part.write(batch_of(columns, cells, buffers))
    part.close()
    assert part.bytes == len(sink.getvalue())
    return sink.getvalue()


def read_by_all(data: bytes) -> dict[str, list[Cells]]:
    """The columns of a file, by reader."""
    table = pq.ParquetFile(BytesIO(data)).read()
    table.validate(full=True)
    with NamedTemporaryFile(suffix=".parquet") as file:
        file.write(data)
        file.flush()
        rows = _duckdb().execute("select * from read_parquet(?)", [file.name]).fetchall()
    return {
        "pyarrow": [column.to_pylist() for column in table.columns],
        "Polars": [column.to_list() for column in pl.read_parquet(BytesIO(data)).get_columns()],
        "DuckDB": [list(column) for column in zip(*rows, strict=True)],
    }


@cache
def _duckdb() -> duckdb.DuckDBPyConnection:
    """A connection for all reads: it takes longer to open than a small file to read."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    return connection


def plain(column: Column, value: Any) -> bytes:
    """A value as statistics and dictionaries have it, without its length."""
    if column.type.name == "double":
        return struct.pack("<d", value)
    if column.type.name == "int64":
        return struct.pack("<q", value)
    if column.type.name == "timestamp":
        return struct.pack("<q", (value - EPOCH) // timedelta(microseconds=1))
    if column.type.name == "date":
        return struct.pack("<i", value.toordinal() - DAY_0)
    if column.type.name == "bool":
        return bytes([value])
    if isinstance(value, Decimal):
        return _digits(column, value).to_bytes(16, "big", signed=True)
    return value if isinstance(value, bytes) else str(value).encode()


@st.composite
def cells(draw: st.DrawFn, type_: str, rows: int | None = None) -> Cells:
    """Cells of one column: few values or many, with nulls in all manners."""
    if rows is None:
        rows = draw(st.one_of(st.sampled_from(ROW_COUNTS), st.integers(1, 300)))
    chance = Random(draw(st.integers(0, 2**32)))
    few = draw(st.lists(values(type_), min_size=1, max_size=6))
    new = draw(st.sampled_from([0.0, 0.01, 0.5, 1.0]))
    found: Cells = [_by_chance(type_, chance) if chance.random() < new else chance.choice(few) for _ in range(rows)]
    manner = draw(st.sampled_from(["none", "all", "some", "most", "runs"]))
    if manner == "runs":
        at = 0
        while at < rows:
            end = at + chance.choice([1, 7, 8, 31, 32, 33, 64, 200, 500])
            if chance.random() < 0.5:
                found[at:end] = [None] * len(found[at:end])
            at = end
        return found
    share = {"none": 0.0, "all": 1.0, "some": 0.3, "most": 0.97}[manner]
    return [None if chance.random() < share else value for value in found]


def values(type_: str) -> st.SearchStrategy[Any]:
    """Values of a column of this type."""
    if type_.startswith("decimal128"):
        scale = parse_type(type_).scale
        digits = st.one_of(st.integers(-(10**38) + 1, 10**38 - 1), st.sampled_from([0, 10**38 - 1, 1 - 10**38, -1]))
        return digits.map(lambda number: _decimal(number, scale))
    return {
        "string": st.text(max_size=40),
        "binary": st.binary(max_size=40),
        "int64": st.one_of(st.integers(-(2**63), 2**63 - 1), st.sampled_from(_EDGES)),
        "timestamp": any_micros().map(lambda micros: EPOCH + timedelta(microseconds=micros)),
        "date": st.dates(),
        "bool": st.booleans(),
        "double": st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0),
    }[type_]


def _by_chance(type_: str, chance: Random) -> Any:
    if type_ == "string":
        return "".join(chance.choices(_ALPHABET, k=chance.randrange(30)))
    if type_ == "binary":
        return chance.randbytes(chance.randrange(30))
    if type_ == "int64":
        return chance.randrange(-(1 << (bits := chance.randrange(64))), 1 << bits)
    if type_ == "timestamp":
        return EPOCH + timedelta(microseconds=chance.randrange(FIRST, LAST))
    if type_ == "date":
        return date.fromordinal(chance.randrange(1, date.max.toordinal() + 1))
    if type_ == "bool":
        return chance.random() < 0.5
    if type_ == "double":
        return chance.uniform(-1, 1) * 10.0 ** chance.randrange(-30, 30)
    size = chance.randrange(1, 39)
    return _decimal(chance.randrange(1 - 10**size, 10**size), parse_type(type_).scale)


def _decimal(digits: int, scale: int) -> Decimal:
    return Decimal(digits).scaleb(-scale, _EXACT)


def _digits(column: Column, value: Decimal) -> int:
    return int(value.scaleb(column.type.scale, _EXACT))


def _stored(column: Column, value: Any) -> bytes | int:
    """A value as the buffers have it."""
    if isinstance(value, Decimal):
        return _digits(column, value)
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(microseconds=1)
    if isinstance(value, date):
        return value.toordinal() - DAY_0
    if isinstance(value, float):
        return repr(value).encode()
    if isinstance(value, str):
        return value.encode()
    assert isinstance(value, bytes | int)
    return value
