"""Columns and schemas as values: scales, the overflow column, and what of them decides a part's bytes."""

from __future__ import annotations

import pickle

import pytest

from converter.schema.column_types import STRING, Origin, parse_type
from converter.schema.types import Column, Schema


def number(type_: str, origin: Origin = Origin.NUMBER, name: str = "n") -> Schema:
    return Schema((Column(name, name, parse_type(type_), origin),))


@pytest.mark.parametrize(
    ("type_", "scale"),
    [
        ("decimal128(38, 0)", 0),
        ("decimal128(38, 9)", 9),
        ("decimal128(38, 38)", 38),
        ("int64", 0),
        ("string", 0),
        ("double", 0),
    ],
)
def test_the_scale_is_read_from_a_decimal_type_and_is_zero_for_others(type_: str, scale: int) -> None:
    assert parse_type(type_).scale == scale


def test_the_overflow_column_is_found_by_its_origin() -> None:
    overflow = Column("_more", None, STRING, Origin.OVERFLOW)
    assert Schema((Column("a", "a", STRING, Origin.TEXT), overflow)).overflow is overflow
    assert number("int64").overflow is None


@pytest.mark.parametrize(
    ("one", "other", "same_parquet", "same_csv"),
    [
        (number("int64"), number("int64"), True, True),
        (number("int64"), number("decimal128(38, 2)"), False, True),
        (number("decimal128(38, 2)"), number("string", Origin.NUMBER_TEXT), False, True),
        (number("int64"), number("double"), False, False),
        (number("string", Origin.NUMBER_TEXT), number("string", Origin.TEXT), False, False),
        (number("string", Origin.NUMBER_TEXT), number("string", Origin.MIXED_TEXT), False, False),
        (number("string", Origin.JSON), number("string", Origin.MIXED_TEXT), False, False),
        (number("int64"), number("int64", name="m"), False, False),
        (number("int64"), Schema(()), False, False),
    ],
)
def test_only_exact_numbers_of_different_types_are_written_alike_and_only_in_csv(
    one: Schema, other: Schema, same_parquet: bool, same_csv: bool
) -> None:
    assert (one.written_as(text=False) == other.written_as(text=False)) is same_parquet
    assert (one.written_as(text=True) == other.written_as(text=True)) is same_csv


def test_the_order_of_columns_decides_the_bytes() -> None:
    a, b = Column("a", "a", STRING, Origin.TEXT), Column("b", "b", STRING, Origin.TEXT)
    assert Schema((a, b)).written_as(text=True) != Schema((b, a)).written_as(text=True)


def test_a_column_renamed_is_another_column() -> None:
    one = Column("dt_1", "dt", STRING, Origin.TEXT)
    other = Column("dt_1", "dt_1", STRING, Origin.TEXT)
    assert Schema((one,)).written_as(text=True) != Schema((other,)).written_as(text=True)


def test_a_schema_survives_the_way_to_another_process() -> None:
    schema = number("decimal128(38, 4)")
    assert pickle.loads(pickle.dumps(schema)) == schema
