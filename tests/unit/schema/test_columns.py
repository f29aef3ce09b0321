"""Columns and schemas as values: forms, the overflow column, and what of them decides a part's bytes."""

from __future__ import annotations

import pickle

import pytest

from converter.schema.column_types import DATE, INT64, STRING, TIMESTAMP, Origin, parse_type
from converter.schema.columns import Column, Schema


def number(type_: str, origin: Origin = Origin.NUMBER, name: str = "n") -> Schema:
    return Schema((Column(name, name, parse_type(type_), origin),))


def test_unix_seconds_are_read_as_timestamps() -> None:
    times = [Column("time", "t", type_, Origin.TIME) for type_ in (INT64, TIMESTAMP, DATE)]
    assert [column.read_as for column in times] == [TIMESTAMP, TIMESTAMP, DATE]
    assert [column.holds_unix_time for column in times] == [True, False, False]
    assert not Column("n", "n", INT64, Origin.NUMBER).holds_unix_time


def test_the_form_of_a_column_is_its_type_and_origin() -> None:
    column = Column("a", "b", STRING, Origin.TEXT)
    assert column.has_form_of(Column("c", "d", STRING, Origin.TEXT))
    assert not column.has_form_of(Column("a", "b", STRING, Origin.JSON))
    assert not column.has_form_of(Column("a", "b", DATE, Origin.TEXT))


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
