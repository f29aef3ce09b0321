"""Column types, and one table of what each is in the buffers, in Parquet, in CSV, and for every reader.

A type has its name in schema files, records, reports, and `--cast`: `parse_type` and `Cast.parse` read the names, `str`
writes them. Everything else asks the type. A new type is a row of the table here, a kernel, and their tests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Final

from converter.kernels import value_actions
from converter.schema import tags
from converter.time_options import UNITS, Unit

DECIMAL_DIGITS: Final = 38
"""Digits of every decimal column, the most that a DynamoDB number has."""
_DECIMAL_BYTES = 16


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


@dataclass(frozen=True, slots=True)
class ParquetType:
    """A type in Parquet's schema. size: bytes of a FIXED_LEN_BYTE_ARRAY. converted: the older form of `logical`."""

    physical: PhysicalType
    logical: Fields = ()
    converted: int | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a method of Arrow or Polars: its path, arguments, and named arguments."""

    path: str
    arguments: tuple[str | int, ...] = ()
    named: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        shown = [json.dumps(argument) for argument in self.arguments]
        shown += [f"{name}={json.dumps(value)}" for name, value in self.named]
        return f"{self.path}({', '.join(shown)})"

    def on(self, target: object) -> Any:
        """Call the method of a module or an object."""
        method: Any = target
        for name in self.path.split("."):
            method = getattr(method, name)
        return method(*self.arguments, **dict(self.named))


@dataclass(frozen=True, slots=True)
class SqlType:
    """A type of a SQL engine. parse: the expression for a column of CSV text (`{}`); empty if the reader does that."""

    name: str
    parse: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnType:
    """A column type. Two are equal if all of their facets are.

    origins: the origins of its columns, the default first. bits: of a value in the buffers, 0 for text. action: of the
    kernel for a value of its own DynamoDB type, None to store the text. csv_form: how the CSV kernel writes a value
    that is not text or a number. digits, scale: of a decimal. polars_parse: calls on a column of CSV text, none if
    Polars reads it by itself. treasure_data: its type there. cast_from: tags of the values that `--cast` accepts, none
    if there is no such cast. has_units: numbers in a cast count in a unit.
    """

    name: str
    origins: tuple[Origin, ...]
    parquet: ParquetType
    arrow: Call
    polars: Call
    athena: SqlType
    duckdb: SqlType
    spark: SqlType
    bits: int = 0
    action: int | None = None
    csv_form: int = 0
    digits: int = 0
    scale: int = 0
    polars_parse: tuple[Call, ...] = ()
    treasure_data: str = "string"
    cast_from: tuple[int, ...] = ()
    has_units: bool = False

    def __str__(self) -> str:
        return self.name


STRING: Final = ColumnType(
    name="string",
    origins=(Origin.MIXED_TEXT, Origin.TEXT, Origin.JSON, Origin.NUMBER_TEXT, Origin.MIXED_JSON),
    parquet=ParquetType(PhysicalType.BYTE_ARRAY, ((1, ()),), converted=0),
    arrow=Call("string"),
    polars=Call("String"),
    athena=SqlType("string"),
    duckdb=SqlType("VARCHAR"),
    spark=SqlType("STRING"),
)
INT64: Final = ColumnType(
    name="int64",
    origins=(Origin.NUMBER, Origin.TIME),
    bits=64,
    action=value_actions.INT64,
    parquet=ParquetType(PhysicalType.INT64),
    arrow=Call("int64"),
    polars=Call("Int64"),
    athena=SqlType("bigint"),
    duckdb=SqlType("BIGINT"),
    spark=SqlType("BIGINT"),
    treasure_data="long",
)
DOUBLE: Final = ColumnType(
    name="double",
    origins=(Origin.NUMBER,),
    parquet=ParquetType(PhysicalType.DOUBLE),
    arrow=Call("float64"),
    polars=Call("Float64"),
    athena=SqlType("double"),
    duckdb=SqlType("DOUBLE"),
    spark=SqlType("DOUBLE"),
    treasure_data="double",
)
BINARY: Final = ColumnType(
    name="binary",
    origins=(Origin.BINARY,),
    action=value_actions.BINARY,
    csv_form=value_actions.AS_BASE64,
    parquet=ParquetType(PhysicalType.BYTE_ARRAY),
    arrow=Call("binary"),
    polars=Call("Binary"),
    polars_parse=(Call("str.decode", ("base64",)),),
    athena=SqlType("binary", "from_base64({})"),
    duckdb=SqlType("BLOB", "from_base64({})"),
    spark=SqlType("BINARY", "unbase64({})"),
)
BOOL: Final = ColumnType(
    name="bool",
    origins=(Origin.BOOL,),
    bits=1,
    action=value_actions.BOOL,
    parquet=ParquetType(PhysicalType.BOOLEAN),
    arrow=Call("bool_"),
    polars=Call("Boolean"),
    athena=SqlType("boolean"),
    duckdb=SqlType("BOOLEAN"),
    spark=SqlType("BOOLEAN"),
    treasure_data="boolean",
)
TIMESTAMP: Final = ColumnType(
    name="timestamp",
    origins=(Origin.TIME,),
    bits=64,
    action=value_actions.TIMESTAMP,
    csv_form=value_actions.AS_TIME,
    # In UTC, in microseconds.
    parquet=ParquetType(PhysicalType.INT64, ((8, ((1, True), (2, ((2, ()),)))),), converted=10),
    arrow=Call("timestamp", ("us", "UTC")),
    polars=Call("Datetime", ("us", "UTC")),
    polars_parse=(
        Call("str.to_datetime", ("%Y-%m-%dT%H:%M:%S%.6fZ",), (("time_unit", "us"),)),
        Call("dt.replace_time_zone", ("UTC",)),
    ),
    athena=SqlType("timestamp", "from_iso8601_timestamp({})"),
    duckdb=SqlType("TIMESTAMPTZ"),
    spark=SqlType("TIMESTAMP", "CAST({} AS TIMESTAMP)"),
    cast_from=(tags.S, tags.N),
    has_units=True,
)
"""A moment in microseconds, in UTC."""
DATE: Final = ColumnType(
    name="date",
    origins=(Origin.TIME,),
    bits=32,
    action=value_actions.DATE,
    parquet=ParquetType(PhysicalType.INT32, ((6, ()),), converted=6),
    arrow=Call("date32"),
    polars=Call("Date"),
    polars_parse=(Call("str.to_date", ("%Y-%m-%d",)),),
    athena=SqlType("date"),
    duckdb=SqlType("DATE"),
    spark=SqlType("DATE", "CAST({} AS DATE)"),
    cast_from=(tags.S,),
)
"""A day of the Gregorian calendar, in days since 1970-01-01."""


def _decimal(scale: int) -> ColumnType:
    sizes = f"({DECIMAL_DIGITS}, {scale})"
    return ColumnType(
        name=f"decimal128{sizes}",
        origins=(Origin.NUMBER,),
        bits=8 * _DECIMAL_BYTES,
        action=value_actions.DECIMAL,
        digits=DECIMAL_DIGITS,
        scale=scale,
        parquet=ParquetType(
            PhysicalType.FIXED_LEN_BYTE_ARRAY,
            ((5, ((1, scale), (2, DECIMAL_DIGITS))),),
            converted=5,
            size=_DECIMAL_BYTES,
        ),
        arrow=Call("decimal128", (DECIMAL_DIGITS, scale)),
        polars=Call("Decimal", (DECIMAL_DIGITS, scale)),
        athena=SqlType(f"decimal{sizes}"),
        duckdb=SqlType(f"DECIMAL{sizes}"),
        spark=SqlType(f"DECIMAL{sizes}"),
    )


DECIMALS: Final = tuple(_decimal(scale) for scale in range(DECIMAL_DIGITS + 1))
"""The decimal types, by their scales."""
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

    @staticmethod
    def parse(text: str) -> Cast:
        """`timestamp`, `timestamp(ms)`, or `date`. Raises ValueError."""
        if text not in CASTS:
            raise ValueError(f"{text!r} is not a cast")
        return CASTS[text]


CASTS: Final[Mapping[str, Cast]] = {
    str(cast): cast
    for each in CAST_TYPES
    for cast in (Cast(each), *(Cast(each, unit) for unit in UNITS if each.has_units))
}
"""The casts of `--cast`, by their texts."""
FILE_TYPES: Final[Mapping[str, Cast]] = {
    **{each.name: Cast(each) for each in (INT64, DOUBLE, BINARY, BOOL)},
    **CASTS,
    STRING.name: Cast(STRING),
}
"""The types of schema files by their names, decimals apart."""
