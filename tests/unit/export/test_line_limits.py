"""The limits of lines against the items that DynamoDB's rules for sizes allow."""

from __future__ import annotations

import json

import pytest

from converter.export.line_limits import ITEM_BYTES, MAX_ITEM_TEXT, MAX_LINE_BYTES, MAX_LINE_COMMAS

TINY = "-0." + "0" * 129
VALUES = {
    "a set of numbers of one digit": ("NS", f'"{TINY}1",', 2),
    "a set of numbers of two digits": ("NS", f'"{TINY}12",', 2),
    "a set of numbers of four digits": ("NS", f'"{TINY}1234",', 3),
    "a set of numbers of 38 digits": ("NS", '"%s",' % (TINY + "9" * 38), 20),
    "a set of large numbers": ("NS", '"-1%s",' % ("0" * 125), 2),
    "a list of numbers": ("L", f'{{"N":"{TINY}12"}},', 3),
    "a list of empty texts": ("L", '{"S":""},', 1),
    "a list of empty lists": ("L", '{"L":[]},', 4),
    "a list of nulls": ("L", '{"NULL":true},', 2),
    "a map of numbers": ("M", f'"a":{{"N":"{TINY}12"}},', 4),
    "a map with escaped names": ("M", '"\\u0001":{"BOOL":false},', 3),
    "escaped texts": ("SS", '"%s",' % ("\\u0001" * 100), 100),
    "commas": ("SS", '"%s",' % ("," * 100), 100),
}
"""A value's text in the line, and the bytes that it takes of the item."""


@pytest.mark.parametrize("name", VALUES)
def test_the_largest_item_of_any_kind_is_within_the_limits(name: str) -> None:
    tag, text, cost = VALUES[name]
    brackets = "{}" if tag == "M" else "[]"
    json.loads(f"{brackets[0]}{text[:-1]}{brackets[1]}")
    values = text * (ITEM_BYTES // cost)
    line = f'{{"Item":{{"a":{{"{tag}":{brackets[0]}{values[:-1]}{brackets[1]}}}}}}}'
    assert len(line) <= MAX_ITEM_TEXT
    image = f'"NewImage":{line}'
    assert 2 * len(image) + 6 * 4096 <= MAX_LINE_BYTES
    assert 2 * image.count(",") + 4096 <= MAX_LINE_COMMAS
