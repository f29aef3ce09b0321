"""The columns of several records together, and the figures of numbers that they are widened by."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from converter.errors import SchemaError
from converter.publishing.record_entry import RecordEntry, common_columns, entry_of, most_digits, newest
from converter.schema.column_types import Origin, parse_type
from converter.schema.columns import Column
from tests.unit.publishing.published import TIME, make_example_record, make_export


def column(name: str, type: str = "string", origin: Origin = Origin.TEXT) -> Column:
    return Column(name, name, parse_type(type), origin)


def price(scale: int) -> Column:
    return column("price", f"decimal128(38, {scale})", Origin.NUMBER)


def entry(sequence: int, *columns: Column, digits: tuple[int, int] = (3, 2)) -> RecordEntry:
    """A record of a day; digits: of its numbers in `price`."""
    record = make_example_record(export=make_export(f"export-{sequence}", TIME + timedelta(days=sequence)))
    [report] = record.report.columns
    report = replace(report, integer_digits=digits[0], decimals=digits[1])
    report_of_all = replace(record.report, columns=(report,))
    return entry_of(replace(record, sequence=sequence, columns=columns, report=report_of_all))


def test_the_columns_of_the_last_record_come_first() -> None:
    entries = [entry(2, column("b"), column("a")), entry(1, column("a"), column("old"))]
    assert [each.name for each in common_columns(entries)] == ["b", "a", "old"]


def test_numbers_of_several_scales_become_decimals_that_hold_both() -> None:
    assert common_columns([entry(1, price(2)), entry(2, price(4))]) == [price(4)]
    assert common_columns([entry(1, price(4)), entry(2, price(2))]) == [price(4)]


def test_numbers_are_not_widened_where_a_digit_would_be_lost() -> None:
    with pytest.raises(SchemaError, match=r"column 'price' is .* in export export-1"):
        common_columns([entry(1, price(4), digits=(35, 2)), entry(2, price(2))])


def test_a_text_and_a_number_have_no_common_column() -> None:
    with pytest.raises(SchemaError, match="'price'"):
        common_columns([entry(1, column("price")), entry(2, price(2))])


def test_most_digits_are_those_of_all_records() -> None:
    columns = (column("id"), price(2))
    entries = [entry(1, *columns, digits=(5, 0)), entry(2, *columns, digits=(3, 2)), entry(3, *columns, digits=(0, 0))]
    assert most_digits(entries) == {"price": (5, 2)}
    # The order of the columns may differ.
    assert most_digits([*entries, entry(4, *reversed(columns), digits=(1, 7))]) == {"price": (5, 7)}


def test_the_newest_record_is_the_one_that_was_published_last() -> None:
    early, late = entry(2, column("a")), entry(1, column("a"))
    assert newest([late, early]) is early
    assert newest([]) is None
