"""Column names: reserved ones get the next free number, case folded; everything else keeps its name."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.schema.naming import OURS, case_twins, name_columns
from tests import oracle

NAMES = st.sampled_from(["dt", "DT", "Dt", "dt_1", "DT_1", "dt_2", "dt_1_1", "_op", "_OP", "_op_1", "_old", "a", "ſt"])


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (["dt"], ["dt_1"]),
        (["DT"], ["DT_1"]),
        (["dt", "DT"], ["dt_1", "DT_2"]),
        (["dt", "dt_1"], ["dt_2", "dt_1"]),
        (["dt", "DT_1", "dt_2"], ["dt_3", "DT_1", "dt_2"]),
        (["_op", "_write_ts", "_OLD"], ["_op_1", "_write_ts_1", "_OLD_1"]),
        (["dt ", "d", "dt."], ["dt ", "d", "dt."]),
        (["City", "city"], ["City", "city"]),
        ([""], [""]),
        ([], []),
    ],
)
def test_a_reserved_name_gets_the_next_free_number(attributes: list[str], expected: list[str]) -> None:
    assert list(name_columns(attributes, ("dt",)).values()) == expected


def test_names_are_compared_case_folded_not_lower_cased() -> None:
    assert name_columns(["STRASSE"], ("straße",)) == {"STRASSE": "STRASSE_1"}


def test_nothing_but_our_own_names_is_reserved_without_a_layout_key() -> None:
    assert name_columns(["dt", "_op"], ()) == {"dt": "dt", "_op": "_op_1"}


@given(st.lists(NAMES, unique=True), st.sets(st.sampled_from(["dt", "DT", "_more", "dt_1"])))
def test_columns_never_take_a_reserved_name_nor_the_name_of_another(
    attributes: Sequence[str], reserved: set[str]
) -> None:
    columns = name_columns(attributes, reserved)
    assert list(columns) == list(attributes)
    free = {name.casefold() for name in (*reserved, *OURS)}
    renamed = [column for attribute, column in columns.items() if column != attribute]
    assert not free & {column.casefold() for column in columns.values()}
    assert len(set(columns.values())) == len(columns)
    others = [name.casefold() for name in attributes]
    for column in renamed:
        assert column.casefold() not in others
        assert [c.casefold() for c in columns.values()].count(column.casefold()) == 1


@given(st.lists(NAMES, unique=True))
def test_columns_are_named_as_the_oracle_names_them(attributes: list[str]) -> None:
    assert name_columns(attributes, ("dt", "_more")) == oracle.column_names(attributes, "_more", "dt={date}")


def test_names_that_differ_in_case_only_are_found_in_groups() -> None:
    assert case_twins(["city", "b", "City", "B", "CITY", "c"]) == [("B", "b"), ("CITY", "City", "city")]


def test_names_that_differ_otherwise_are_no_twins() -> None:
    assert case_twins(["city", "cıty", "town"]) == []
