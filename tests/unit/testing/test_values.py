from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.testing import plain_number, to_dynamodb, to_item
from tests import oracle


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", {"S": ""}),
        ("text", {"S": "text"}),
        (5, {"N": "5"}),
        (Decimal("2.50"), {"N": "2.5"}),
        (b"hello", {"B": "aGVsbG8="}),
        (bytearray(), {"B": ""}),
        (True, {"BOOL": True}),
        (False, {"BOOL": False}),
        (None, {"NULL": True}),
        ({}, {"M": {}}),
        ({"S": 1, "a": {"b": None}}, {"M": {"S": {"N": "1"}, "a": {"M": {"b": {"NULL": True}}}}}),
        ([], {"L": []}),
        ((1, ["x"]), {"L": [{"N": "1"}, {"L": [{"S": "x"}]}]}),
        ({"b", "a"}, {"SS": ["a", "b"]}),
        (frozenset({10, Decimal("9.5")}), {"NS": ["9.5", "10"]}),
        ({b"\xff", b"a"}, {"BS": ["YQ==", "/w=="]}),
    ],
)
def test_each_python_type_becomes_its_dynamodb_type(value: object, expected: object) -> None:
    assert to_dynamodb(value) == expected


@pytest.mark.parametrize("value", [1.5, object(), {1, "a"}, {True}, {1: "name"}, [1.5], {"deep": {"er": 0.1}}])
def test_what_has_no_dynamodb_type_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        to_dynamodb(value)


def test_an_empty_set_is_refused() -> None:
    with pytest.raises(ValueError, match="no empty sets"):
        to_dynamodb(set())


def test_attributes_keep_their_order() -> None:
    assert list(to_item({"z": 1, "a": 2, "m": 3})) == ["z", "a", "m"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (Decimal("-0"), "0"),
        (Decimal("0E+500"), "0"),
        (Decimal("-0.00"), "0"),
        (Decimal("1E+2"), "100"),
        (Decimal("0.50"), "0.5"),
        (Decimal("-1.0E-3"), "-0.001"),
        (Decimal("100.00"), "100"),
        (10**125, "1" + "0" * 125),
        (Decimal("9" * 38 + "E-167"), "0." + "0" * 129 + "9" * 38),
        (Decimal("1E-130"), "0." + "0" * 129 + "1"),
        (-int("9" * 38), "-" + "9" * 38),
    ],
)
def test_numbers_are_written_plain(value: int | Decimal, expected: str) -> None:
    assert plain_number(value) == expected


@pytest.mark.parametrize(
    "value",
    [10**126, Decimal("1E-131"), int("1" * 39), Decimal("1." + "0" * 38 + "1"), Decimal("NaN"), Decimal("-Infinity")],
)
def test_numbers_that_dynamodb_cannot_hold_are_refused(value: int | Decimal) -> None:
    with pytest.raises(ValueError):
        plain_number(value)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_plain_numbers_agree_with_the_oracle(value: Decimal) -> None:
    try:
        expected = oracle.plain_number(str(value))
    except ValueError:
        with pytest.raises(ValueError):
            plain_number(value)
    else:
        assert plain_number(value) == expected
        assert Decimal(expected) == value
