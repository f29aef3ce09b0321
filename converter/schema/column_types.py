"""Column types, and one table of what each is in the buffers, in Parquet, in CSV, and for every reader.

A type has its name in schema files, records, reports, and `--cast`: `parse_type` and `CASTS` read the names, `str`
writes them. Everything else asks the type. A new type is a row of the table here, a kernel, and their tests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from operator import attrgetter
from typing import Any, Final, NamedTuple

from converter.kernels import value_actions
from converter.schema import tags
from converter.time_options import UNITS, Unit

DECIMAL_DIGITS: Final = 38
"""Digits of every decimal column, the most that a DynamoDB number has."""


class Origin(StrEnum):
    """The values of a column in DynamoDB. Two string columns of different origins do not mean the same."""

    TEXT = "text"
    NUMBER = "number"
    NUMBER_TEXT = "number as text"
    BINARY = "binary"
    BOOL = "bool"
    JSON = "json"
    MIXED_TEXT = "mixed as text"
    MIXED_JSON = "mixed as json"
    OVERFLOW = "overflow"
    TIME = "time"
    """A moment, from ISO-8601 text or a Unix time: whichever it was, it is the same moment. Or a day, from text."""
    ADDED = "added"
    """A fact of the export, the same in every row."""
    CHANGE = "change"
    """A fact of a change in an incremental export: the operation, the time, the item before."""


class PhysicalType(IntEnum):
    """Representations of a value in Parquet."""

    BOOLEAN = 0
    INT32 = 1
    INT64 = 2
    DOUBLE = 5
    BYTE_ARRAY = 6
    FIXED_LEN_BYTE_ARRAY = 7


Fields = tuple[tuple[int, Any], ...]
"""A struct of parquet.thrift: (number of the field, value) pairs. A value that is a tuple is a struct, too."""


class ParquetType(NamedTuple):
    """A type in Parquet's schema. size: bytes of a FIXED_LEN_BYTE_ARRAY. converted: the older form of `logical`."""

    physical: PhysicalType
    logical: Fields = ()
    converted: int | None = None
    size: int | None = None


class Call(NamedTuple):
    """A call of a method of Arrow or Polars: its path, arguments, and named arguments."""

    path: str
    arguments: tuple[str | int, ...] = ()
    named: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        named = [f"{name}={json.dumps(value)}" for name, value in self.named]
        return f"{self.path}({', '.join([*map(json.dumps, self.arguments), *named])})"

    def on(self, target: object) -> Any:
        """Call the method of a module or an object."""
        return attrgetter(self.path)(target)(*self.arguments, **dict(self.named))


class Sql(NamedTuple):
    """Names of a type, or expressions that make it from CSV text (`{}`), empty if the reader does that by itself."""

    athena: str = ""
    duckdb: str = ""
    spark: str = ""
    treasure_data: str = "string"


_READ_BY_ITSELF: Final = Sql()


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column type. Two are equal if all of their facets are.

    origins: the origins of its columns, the default first. sql: its names. bits: of a value in the buffers, 0 for text.
    action: of the kernel for a value of its own DynamoDB type, None to store the text. csv_form: of a value that is not
    text or a number. sql_parse, polars_parse: from CSV text. digits, scale: of a decimal. cast_from: tags of the values
    that `--cast` accepts, none if there is no such cast. has_units: numbers in a cast count in a unit.
    """

    name: str
    origins: tuple[Origin, ...]
    parquet: ParquetType
    arrow: Call
    polars: Call
    sql: Sql
    bits: int = 0
    action: int | None = None
    csv_form: int = 0
    sql_parse: Sql = _READ_BY_ITSELF
    polars_parse: tuple[Call, ...] = ()
    digits: int = 0
    scale: int = 0
    cast_from: tuple[int, ...] = ()
    has_units: bool = False

    def __str__(self) -> str:
        return self.name


_STORED = PhysicalType
# fmt: off
STRING: Final = ColumnType(
    "string", (Origin.MIXED_TEXT, Origin.TEXT, Origin.JSON, Origin.NUMBER_TEXT, Origin.MIXED_JSON),
    ParquetType(_STORED.BYTE_ARRAY, ((1, ()),), 0), Call("string"), Call("String"), Sql("string", "VARCHAR", "STRING"))
INT64: Final = ColumnType(
    "int64", (Origin.NUMBER, Origin.TIME), ParquetType(_STORED.INT64), Call("int64"), Call("Int64"),
    Sql("bigint", "BIGINT", "BIGINT", "long"), 64, value_actions.INT64)
DOUBLE: Final = ColumnType(
    "double", (Origin.NUMBER,), ParquetType(_STORED.DOUBLE), Call("float64"), Call("Float64"),
    Sql("double", "DOUBLE", "DOUBLE", "double"))
BINARY: Final = ColumnType(
    "binary", (Origin.BINARY,), ParquetType(_STORED.BYTE_ARRAY), Call("binary"), Call("Binary"),
    Sql("binary", "BLOB", "BINARY"), 0, value_actions.BINARY, value_actions.AS_BASE64,
    Sql("from_base64({})", "from_base64({})", "unbase64({})"), (Call("str.decode", ("base64",)),))
BOOL: Final = ColumnType(
    "bool", (Origin.BOOL,), ParquetType(_STORED.BOOLEAN), Call("bool_"), Call("Boolean"),
    Sql("boolean", "BOOLEAN", "BOOLEAN", "boolean"), 1, value_actions.BOOL)
# In UTC, in microseconds.
TIMESTAMP: Final = ColumnType(
    "timestamp", (Origin.TIME,), ParquetType(_STORED.INT64, ((8, ((1, True), (2, ((2, ()),)))),), 10),
    Call("timestamp", ("us", "UTC")), Call("Datetime", ("us", "UTC")), Sql("timestamp", "TIMESTAMPTZ", "TIMESTAMP"),
    64, value_actions.TIMESTAMP, value_actions.AS_TIME,
    Sql("from_iso8601_timestamp({})", spark="CAST({} AS TIMESTAMP)"),
    (Call("str.to_datetime", ("%Y-%m-%dT%H:%M:%S%.6fZ",), (("time_unit", "us"),)),
     Call("dt.replace_time_zone", ("UTC",))),
    cast_from=(tags.S, tags.N), has_units=True)
# A day of the Gregorian calendar, in days since 1970-01-01.
DATE: Final = ColumnType(
    "date", (Origin.TIME,), ParquetType(_STORED.INT32, ((6, ()),), 6), Call("date32"), Call("Date"),
    Sql("date", "DATE", "DATE"), 32, value_actions.DATE, 0, Sql(spark="CAST({} AS DATE)"),
    (Call("str.to_date", ("%Y-%m-%d",)),), cast_from=(tags.S,))
DECIMALS: Final = tuple(
    ColumnType(
        f"decimal128({DECIMAL_DIGITS}, {scale})", (Origin.NUMBER,),
        ParquetType(_STORED.FIXED_LEN_BYTE_ARRAY, ((5, ((1, scale), (2, DECIMAL_DIGITS))),), 5, 16),
        Call("decimal128", (DECIMAL_DIGITS, scale)), Call("Decimal", (DECIMAL_DIGITS, scale)),
        Sql(*(f"{name}({DECIMAL_DIGITS}, {scale})" for name in ("decimal", "DECIMAL", "DECIMAL"))),
        128, value_actions.DECIMAL, digits=DECIMAL_DIGITS, scale=scale)
    for scale in range(DECIMAL_DIGITS + 1)
)
"""The decimal types, by their scales."""
# fmt: on
OF_TAG: Final[Mapping[int, tuple[ColumnType, Origin]]] = {
    tags.S: (STRING, Origin.TEXT),
    tags.B: (BINARY, Origin.BINARY),
    tags.BOOL: (BOOL, Origin.BOOL),
    tags.M: (STRING, Origin.JSON),
}
"""The type and origin for values of one tag other than N, with M for all documents."""
TAG_OF: Final = {Origin.NUMBER: tags.N, Origin.NUMBER_TEXT: tags.N, **{pair[1]: tag for tag, pair in OF_TAG.items()}}
"""The tag of all values of a column, by its origin."""
CAST_TYPES: Final = (TIMESTAMP, DATE)
"""The types of `--cast`."""
_TYPES: Final[Mapping[str, ColumnType]] = {
    each.name: each for each in (INT64, DOUBLE, BINARY, BOOL, *CAST_TYPES, STRING, *DECIMALS)
}


def parse_type(name: str) -> ColumnType:
    """The type with this name. Raises ValueError."""
    if name not in _TYPES:
        raise ValueError(f"{name!r} is not a type of columns")
    return _TYPES[name]


@dataclass(frozen=True, slots=True)
class Cast:
    """A type that values are read as, and the unit of the numbers among them, None if the data shows it."""

    type: ColumnType
    unit: Unit | None = None

    def __str__(self) -> str:
        return self.type.name if self.unit is None else f"{self.type}({self.unit})"


CASTS: Final[Mapping[str, Cast]] = {
    str(cast): cast
    for each in CAST_TYPES
    for cast in (Cast(each), *(Cast(each, unit) for unit in UNITS if each.has_units))
}
"""The casts of `--cast`, by their texts: `timestamp`, `timestamp(ms)`, `date`."""
FILE_TYPES: Final[Mapping[str, Cast]] = {
    **{each.name: Cast(each) for each in (INT64, DOUBLE, BINARY, BOOL)},
    **CASTS,
    STRING.name: Cast(STRING),
}
"""The types of schema files by their names, except decimals."""
