from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.testing import item_line, write_split_export
from tests import strategies
from tests.oracle_input import BadLineError, plain_number, read_items, read_lines

BAD_LINES = {
    "no JSON": b"nonsense",
    "cut short": b'{"Item":{"a":{"S":"x"}}',
    "two objects": b'{"Item":{}}{"Item":{}}',
    "an array": b"[]",
    "a comma too many": b'{"Item":{"a":{"S":"x"},}}',
    "no Item": b'{"item":{}}',
    "a member that may be Item": b'{"Item":{},"Items":1}',
    "a member twice": b'{"Item":{},"More":1,"More":1}',
    "a member with a lone surrogate": b'{"Item":{},"More":"\\ud800"}',
    "Item is an array": b'{"Item":[]}',
    "a duplicate attribute": b'{"Item":{"a":{"S":"x"},"a":{"S":"x"}}}',
    "a duplicate attribute, spelled otherwise": b'{"Item":{"a":{"S":"x"},"\\u0061":{"S":"x"}}}',
    "a duplicate name inside": b'{"Item":{"a":{"M":{"b":{"S":"x"},"b":{"S":"y"}}}}}',
    "two types": b'{"Item":{"a":{"S":"x","N":"1"}}}',
    "no type": b'{"Item":{"a":{}}}',
    "an unknown type": b'{"Item":{"a":{"X":"x"}}}',
    "a value without a type": b'{"Item":{"a":"x"}}',
    "S is a number": b'{"Item":{"a":{"S":1.5}}}',
    "N is a bare number": b'{"Item":{"a":{"N":1.5}}}',
    "BOOL is text": b'{"Item":{"a":{"BOOL":"true"}}}',
    "BOOL is a number": b'{"Item":{"a":{"BOOL":1}}}',
    "NULL is false": b'{"Item":{"a":{"NULL":false}}}',
    "NULL is a number": b'{"Item":{"a":{"NULL":1}}}',
    "NaN": b'{"Item":{"a":{"N":NaN}}}',
    "M is an array": b'{"Item":{"a":{"M":[]}}}',
    "L is an object": b'{"Item":{"a":{"L":{}}}}',
    "L of bare values": b'{"Item":{"a":{"L":["x"]}}}',
    "an empty set": b'{"Item":{"a":{"SS":[]}}}',
    "SS of numbers": b'{"Item":{"a":{"SS":[1]}}}',
    "NS of bare numbers": b'{"Item":{"a":{"NS":[1]}}}',
    "a bad number inside": b'{"Item":{"a":{"L":[{"NS":["007"]}]}}}',
    "base64 without padding": b'{"Item":{"a":{"B":"aGVsbG8"}}}',
    "base64 with spare bits": b'{"Item":{"a":{"B":"aGVsbG9="}}}',
    "base64 with a newline": b'{"Item":{"a":{"B":"aGVs\\nbG8="}}}',
    "base64 of the URL alphabet": b'{"Item":{"a":{"BS":["__8="]}}}',
    "broken UTF-8": b'{"Item":{"a":{"S":"\xff"}}}',
    "a surrogate in UTF-8": b'{"Item":{"a":{"S":"\xed\xa0\x80"}}}',
    "a lone surrogate": b'{"Item":{"a":{"S":"\\ud800"}}}',
    "surrogates in the wrong order": b'{"Item":{"\\udc00\\ud800":{"S":""}}}',
    "a raw control character": b'{"Item":{"a":{"S":"a\tb"}}}',
    "an unknown escape": b'{"Item":{"a":{"S":"\\x"}}}',
    "a byte order mark": b'\xef\xbb\xbf{"Item":{}}',
}


@pytest.mark.parametrize("line", BAD_LINES.values(), ids=list(BAD_LINES))
def test_a_bad_line_is_refused_with_its_place(line: bytes) -> None:
    with pytest.raises(BadLineError) as refused:
        list(read_lines(b'{"Item":{}}\n\n' + line + b"\n", "x.json.gz"))
    assert (refused.value.file, refused.value.line) == ("x.json.gz", 3)


def test_blank_lines_and_empty_objects_hold_no_item() -> None:
    assert list(read_lines(b'\n{}\n  \n{ }\r\n{"Item":{}}\n')) == [{}]


def test_lines_are_cut_at_newline_bytes_alone() -> None:
    (item,) = read_lines('{"Item":{"a":{"S":"\u2028\u0085\u2029"}}}\n'.encode())
    assert item == {"a": {"S": "\u2028\u0085\u2029"}}


def test_the_last_line_may_lack_its_newline() -> None:
    assert list(read_lines(b'{"Item":{}}\n{"Item":{"a":{"N":"1"}}}')) == [{}, {"a": {"N": "1"}}]


def test_data_files_are_read_in_the_order_of_the_manifest(tmp_path: Path) -> None:
    export = write_split_export(tmp_path, [[{"id": index}] for index in range(6)])
    assert [path.name for path in export.data_files] != sorted(path.name for path in export.data_files)
    assert [item["id"]["N"] for item in read_items(export.folder)] == list("012345")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("0E+999", "0"),
        ("1E+2", "100"),
        ("1e2", "100"),
        ("0.50", "0.5"),
        ("-1.0e-3", "-0.001"),
        ("100", "100"),
        ("1.00", "1"),
        ("12.5E1", "125"),
        ("12.5E0", "12.5"),
        ("125E-1", "12.5"),
        ("125E-3", "0.125"),
        ("1" + "0" * 60, "1" + "0" * 60),
        ("0." + "1" * 38 + "0" * 50, "0." + "1" * 38),
        ("9.9999999999999999999999999999999999999E+125", "9" * 38 + "0" * 88),
        ("1E-130", "0." + "0" * 129 + "1"),
        ("1E+000000000000000000000000000002", "100"),
    ],
)
def test_numbers_take_the_plain_form(text: str, plain: str) -> None:
    assert plain_number(text) == plain
    assert plain_number(plain) == plain


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "+1",
        "007",
        "-01",
        "1.",
        ".5",
        "1e",
        "1E+",
        " 1",
        "1 ",
        "1\n",
        "1_0",
        "0x1",
        "NaN",
        "Infinity",
        "１",
        "1,5",
    ],
)
def test_what_is_spelled_unlike_a_json_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        plain_number(text)


@pytest.mark.parametrize(
    "text",
    ["1" * 39, "1." + "0" * 37 + "1", "1E+126", "10E+125", "1E-131", "0.1E-130", "1E+" + "9" * 5000, "1E-" + "9" * 30],
)
def test_a_number_beyond_dynamodbs_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"38 significant digits|DynamoDB's range"):
        plain_number(text)


@given(strategies.numbers())
def test_numbers_of_the_strategy_are_plain(text: str) -> None:
    assert plain_number(text) == text


@given(strategies.unplain_numbers())
def test_a_plain_number_has_the_same_value(text: str) -> None:
    plain = plain_number(text)
    assert Decimal(plain) == Decimal(text)
    assert "E" not in plain.upper()
    assert plain == "0" or not plain.startswith("-0") or plain.startswith("-0.")
    assert "." not in plain or not plain.endswith("0")


@given(st.data(), strategies.items(), st.booleans())
def test_every_spelling_of_a_line_means_its_item(data: st.DataObject, item: strategies.Item, everywhere: bool) -> None:
    line = data.draw(strategies.lines(item, everywhere=everywhere))
    assert b"\n" not in line
    assert list(read_lines(line)) == [item]


@given(strategies.deep_values())
def test_deep_values_are_values(value: strategies.Value) -> None:
    assert list(read_lines(item_line({"a": value}))) == [{"a": value}]
