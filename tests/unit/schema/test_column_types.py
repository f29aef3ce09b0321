"""The table of column types: names, and what each type is for every reader."""

from __future__ import annotations

import pickle

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from converter.schema import tags
from converter.schema.column_types import (
    BINARY,
    BOOL,
    CAST_TYPES,
    CASTS,
    DATE,
    DECIMALS,
    DOUBLE,
    FILE_TYPES,
    INT64,
    OF_TAG,
    STRING,
    TAG_OF,
    TIMESTAMP,
    Call,
    Cast,
    ColumnType,
    Origin,
    PhysicalType,
    parse_type,
)

TYPES = (STRING, INT64, DOUBLE, BINARY, BOOL, TIMESTAMP, DATE, *DECIMALS)
EACH = pytest.mark.parametrize("type_", TYPES, ids=str)
NAMES = ["string", "int64", "double", "binary", "bool", "timestamp", "date"]


def test_the_names_of_types_are_those_of_records_and_schema_files() -> None:
    assert [str(type_) for type_ in TYPES] == [*NAMES, *(f"decimal128(38, {scale})" for scale in range(39))]


@EACH
def test_a_type_is_found_by_its_name_and_survives_pickling(type_: ColumnType) -> None:
    assert parse_type(str(type_)) is type_
    assert pickle.loads(pickle.dumps(type_)) == type_
    assert [other for other in TYPES if other == type_] == [type_]


@pytest.mark.parametrize(
    "name", ["", "String", "int64 ", "int32", "decimal128(38, 39)", "decimal128(38,2)", "decimal128(38, 02)", "date\n"]
)
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a type of columns"):
        parse_type(name)


@EACH
def test_the_libraries_have_the_type(type_: ColumnType) -> None:
    frame = pl.DataFrame(pa.table({"a": pa.array([None], type_.arrow.on(pa))}))
    assert frame.schema["a"] == type_.polars.on(pl)
    name = type_.sql.duckdb
    with duckdb.connect() as connection:
        (found,) = connection.execute(f"SELECT typeof(CAST(NULL AS {name}))").fetchall()
    assert found[0].replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ").replace(",", ", ") == name


@EACH
def test_the_buffers_hold_what_parquet_stores(type_: ColumnType) -> None:
    bits = {PhysicalType.BOOLEAN: 1, PhysicalType.INT32: 32, PhysicalType.INT64: 64}
    stored = type_.parquet.physical
    # Doubles are decoded as the text of their numbers.
    assert type_.bits == bits.get(stored, 8 * (type_.parquet.size or 0))
    assert (type_.digits, type_.scale) == ((38, DECIMALS.index(type_)) if type_ in DECIMALS else (0, 0))


def test_each_cast_has_its_text() -> None:
    units = [f"timestamp({unit})" for unit in ("s", "ms", "us", "ns")]
    assert list(CASTS) == ["timestamp", *units, "date"]
    assert {str(cast): cast for cast in CASTS.values()} == CASTS
    assert CASTS["timestamp(ms)"] == Cast(TIMESTAMP, "ms")
    assert [type_.cast_from for type_ in CAST_TYPES] == [(tags.S, tags.N), (tags.S,)]
    assert not any(type_.cast_from for type_ in TYPES if type_ not in CAST_TYPES)
    assert set(FILE_TYPES) == {*CASTS, *NAMES}


def test_the_tag_of_an_origin_leads_to_the_type_and_back() -> None:
    assert all(TAG_OF[origin] == tag and origin in type_.origins for tag, (type_, origin) in OF_TAG.items())
    assert {TAG_OF[Origin.NUMBER], TAG_OF[Origin.NUMBER_TEXT]} == {tags.N}


def test_a_call_is_shown_as_python_and_can_be_made() -> None:
    call = Call("str.to_datetime", ("%Y",), (("time_unit", "us"),))
    assert str(call) == 'str.to_datetime("%Y", time_unit="us")'
    assert Call("str.to_date", ("%Y-%m-%d",)).on(pl.Series(["2024-02-29"])).to_list()[0].isoformat() == "2024-02-29"
