"""Conditions: what each form means, and the column at which a wrong one is wrong."""

from __future__ import annotations

import pytest

from converter.conditions.evaluate import satisfies
from converter.conditions.parse import parse_condition
from converter.conditions.syntax import attributes_of
from converter.errors import UsageError

ITEM: dict[str, object] = {
    "status": {"S": "paid"},
    "price": {"N": "12.50"},
    "big": {"N": "99999999999999999999999999999999999999"},
    "gift": {"BOOL": True},
    "note": {"NULL": True},
    "file": {"B": "AQID"},
    "tags": {"SS": ["a", "b"]},
    "sizes": {"NS": ["1", "2.0"]},
    "address": {"M": {"zip": {"S": "12 '3"}, "geo": {"L": [{"N": "1"}, {"N": "-2"}]}}},
    "unit price": {"N": "3"},
    "order": {"S": "é"},
    "low": {"N": "-5"},
}


@pytest.mark.parametrize(
    "text",
    [
        "status = 'paid'",
        "'paid' = status",
        "status <> 'open' AND status != 'x'",
        "price = 12.5 and price = 1.25e1 and price = 0012.500",
        "price >= 12.5 AND price <= 12.5 AND NOT price > 12.5 AND NOT price < 12.5",
        "12 < price",
        "price BETWEEN 12 AND 13",
        "price NOT BETWEEN 13 AND 14",
        "big > 99999999999999999999999999999999999998",
        "low < -4.5 AND low > -50 AND low < 0",
        "status IN ('open', 'paid')",
        "status in ['open', 'paid']",
        "status NOT IN ('open')",
        "price <> '12.5'",
        "NOT price < 'z'",
        "gift = true AND NOT gift = FALSE",
        "note = NULL AND note IS NULL AND email IS NOT NULL",
        "email IS MISSING AND status IS NOT MISSING",
        "attribute_exists(status) AND exists(note) AND attribute_not_exists(email)",
        "attribute_type(address, 'M') AND NOT attribute_type(address, 'L')",
        "begins_with(status, 'pa') AND begins_with(status, '') AND NOT begins_with(price, '1')",
        "contains(status, 'ai') AND contains(tags, 'b') AND contains(sizes, 2) AND NOT contains(sizes, '2')",
        "contains(address.geo, -2) AND NOT contains(address.geo, 3)",
        "address.zip = '12 ''3'",
        "address.geo[1] = -2 AND address.geo[2] IS MISSING",
        '"unit price" = 3',
        "\"order\" > 'z'",
        "size(status) = 4 AND size(file) = 3 AND size(tags) = 2 AND size(address) = 2 AND NOT size(price) > 0",
        "size(address.geo) >= size(tags)",
        "status = 'x' OR status = 'paid' AND price > 12",
        "NOT (status = 'x' OR price < 1)",
        "NOT NOT status = 'paid'",
        "absent <> 'x'",
    ],
)
def test_these_are_true(text: str) -> None:
    assert satisfies(ITEM, parse_condition(text))
    assert not satisfies(ITEM, parse_condition(f"NOT ({text})"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "column 1: expected an attribute or a value, the text ends here"),
        ("status", "column 7: expected a comparison, the text ends here"),
        ("status == 'x'", "column 8: this is not a comparison, got =="),
        ("status = paid x", "column 15: expected AND, OR, or the end, got x"),
        ("status = 'paid", "column 10: ' is not closed"),
        ("price > 12 €", "column 12: '€' is not expected"),
        ("(price > 12", "column 12: expected ), the text ends here"),
        ("price > 1e126", "column 9: this is not a number of DynamoDB, got 1e126"),
        ("price > " + "1" * 39, "column 9: this is not a number of DynamoDB"),
        ("1 = 2", "column 5: two values are compared: one side must be an attribute"),
        ("gift > true", "column 8: TRUE has no order"),
        ("begins_with(status, 5)", "column 21: begins_with needs a text"),
        ("attribute_type(status, 'X')", "column 24: this is not a type"),
        ("contains(status, price)", "column 18: the second argument of contains is a value, not a path"),
        ("lower(status) = 'x'", "column 1: this is not a function, got lower"),
        ("tags[x] = 1", "column 6: expected a position in a list, got x"),
        ("between > 1", "column 1: expected an attribute, got BETWEEN"),
        ("'a' IS NULL", "column 5: IS needs a path in front of it"),
        ("(" * 200 + "a = 1" + ")" * 200, "nested deeper than 100 levels"),
    ],
)
def test_a_wrong_one_is_refused_at_its_column(text: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_condition(text)
    assert message in refused.value.what
    assert refused.value.where == "--where"
    assert refused.value.hint


def test_a_long_list_is_not_deep() -> None:
    values = ", ".join(f"'v{n}'" for n in range(5000))
    assert satisfies({"a": {"S": "v4999"}}, parse_condition(f"a IN ({values})"))
    with pytest.raises(UsageError, match="more than 10,000 comparisons"):
        parse_condition(f"a IN ({', '.join('1' * 20_000)})")


def test_the_attributes_of_a_condition_are_the_beginnings_of_its_paths() -> None:
    condition = parse_condition("a.b = 1 AND (contains(c, 'x') OR size(d[0]) > 2 OR 3 < e) AND NOT exists(a)")
    assert attributes_of(condition) == ("a", "c", "d", "e")
