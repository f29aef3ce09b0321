"""Warnings about names: what a policy's rule does not say already, and not two thousand of them."""

from __future__ import annotations

import pytest

from converter.name_policies import Names
from converter.publishing.column_report import name_warnings
from converter.publishing.report import ColumnReport
from converter.schema.column_types import Origin
from converter.schema.naming import NameRules, name_columns

LONG = "x" * 300


def column(attribute: str | None, name: str) -> ColumnReport:
    return ColumnReport(
        name=name,
        attribute=attribute,
        type="string",
        origin=Origin.TEXT,
        types={"S": 1},
        nulls=0,
        absent=0,
        integer_digits=0,
        decimals=0,
        longest=1,
        changed=0,
    )


def warnings(policy: Names, *attributes: str, before: dict[str, str] | None = None, **renames: str) -> list[str]:
    rules = NameRules(policy, tuple(renames.items()), frozenset({"dt"}))
    columns = name_columns(attributes, rules, before or {})
    return name_warnings([column(attribute, name) for attribute, name in columns.items()], rules)


@pytest.mark.parametrize("policy", ["treasure-data", "snake"])
def test_an_ordinary_name_of_a_policy_is_not_told(policy: Names) -> None:
    assert warnings(policy, "orderId", "user-name", "1st", "é", "Price", "qty") == []


def test_a_name_that_the_user_gave_is_not_told() -> None:
    assert warnings("treasure-data", "time", "b", time="event_time", b="v1") == []
    assert warnings("preserve", "a", before={"a": "b"}, a="b") == []


@pytest.mark.parametrize(
    ("policy", "attributes", "expected"),
    [
        ("preserve", ["dt"], "attribute 'dt' is in column 'dt_1': 'dt' is the name of a folder key"),
        ("snake", ["_OP"], "attribute '_OP' is in column '_op_1': '_op' is the name of a folder key"),
        (
            "treasure-data",
            ["Time"],
            "attribute 'Time' is in column 'time_1': 'time' is reserved by --names treasure-data",
        ),
        ("snake", ["url", "URL"], "attribute 'URL' is in column 'url_1': 'url' is the column of 'url'"),
        ("snake", [LONG], f"attribute '{LONG}' is in column '{LONG[:255]}': cut to 255 characters"),
        ("treasure-data", [LONG], f"attribute '{LONG}' is in column '{LONG[:128]}': cut to 128 characters"),
    ],
)
def test_a_reserved_name_a_collision_and_a_cut_name_are_told(
    policy: Names, attributes: list[str], expected: str
) -> None:
    [told] = warnings(policy, *attributes)
    assert told.startswith(expected)


def test_a_name_that_the_destination_has_is_told_as_such() -> None:
    [told] = warnings("snake", "orderId", before={"orderId": "ORDER"})
    assert told == "attribute 'orderId' is in column 'ORDER': the destination has called it so before"
    [told] = warnings("preserve", "City", "city", before={"City": "City"})
    assert told == "attribute 'city' is in column 'city_1': 'city' is the column of 'City'"


def test_a_name_that_an_added_column_has_is_told() -> None:
    rules = NameRules("snake", (), frozenset({"time"}))
    [told] = name_warnings([column("time", "time_1"), column(None, "time")], rules)
    assert told.startswith("attribute 'time' is in column 'time_1': 'time' is the name of a folder key")


@pytest.mark.parametrize(("count", "lines"), [(20, 20), (21, 21), (2000, 21)])
def test_of_many_such_names_the_first_twenty_are_told(count: int, lines: int) -> None:
    told = warnings("snake", "_", *(chr(0x4E00 + number) for number in range(count)))
    assert len(told) == lines
    assert all(line.startswith("attribute ") for line in told[:20])
    if count > 20:
        assert told[20].startswith(f"and {count - 20:,} more such names")
