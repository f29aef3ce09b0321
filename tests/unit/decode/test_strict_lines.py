"""The slow path: what it makes compact, and the path and reason for what it refuses."""

from __future__ import annotations

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.decode.strict_lines import LineProblem, compact_line
from converter.testing import item_line
from tests import oracle, strategies


def refusal(line: str | bytes) -> tuple[str, str]:
    """Path and reason of the problem with a line."""
    with pytest.raises(LineProblem) as caught:
        compact_line(line if isinstance(line, bytes) else line.encode())
    return caught.value.path, caught.value.reason


def of_value(value: str) -> tuple[str, str]:
    """Path and reason for a value of attribute `a`, the path from the value on."""
    path, reason = refusal('{"Item":{"a":' + value + "}}")
    assert path.startswith("$.Item.a")
    return path.removeprefix("$.Item.a"), reason


@given(strategies.items(), st.data())
def test_any_spelling_becomes_the_line_of_the_service(item: strategies.Item, data: st.DataObject) -> None:
    assert compact_line(data.draw(strategies.lines(item))) == item_line(item)


@given(strategies.items())
def test_a_compact_line_stays_as_it_is(item: strategies.Item) -> None:
    once = compact_line(item_line(item))
    assert once == item_line(item) == compact_line(once)


@pytest.mark.parametrize("line", ["", " ", "\t \r", "\r"])
def test_a_blank_line_stays_blank(line: str) -> None:
    assert compact_line(line.encode()) == b"\n"


@pytest.mark.parametrize("line", ["{}", " { } ", "{}\r"])
def test_an_empty_object_stays_one(line: str) -> None:
    assert compact_line(line.encode()) == b"{}\n"


def test_an_item_without_attributes_is_an_item() -> None:
    assert compact_line(b' {"Item" : { } } ') == b'{"Item":{}}\n'


@pytest.mark.parametrize("number", ["1", "0", "-5", "12.5", "1E+2", "0.50", "-0", "1e-130", "9" * 38 + "E88"])
def test_numbers_become_plain_with_and_without_an_exponent(number: str) -> None:
    plain = oracle.plain_number(number)
    line = f'{{ "Item":{{"a":{{"N":"{number}"}},"s":{{"NS":["{number}"]}},"l":{{"L":[{{"N":"{number}"}}]}}}}}}'
    expected = {"a": {"N": plain}, "s": {"NS": [plain]}, "l": {"L": [{"N": plain}]}}
    assert json.loads(compact_line(line.encode()))["Item"] == expected


@given(strategies.unplain_numbers())
def test_every_spelling_of_a_number_becomes_plain(number: str) -> None:
    line = json.dumps({"Item": {"a": {"N": number}}}).encode()
    assert json.loads(compact_line(line)) == {"Item": {"a": {"N": oracle.plain_number(number)}}}


def test_an_exponent_of_thousands_of_digits_is_read_or_refused_by_its_value() -> None:
    line = '{"Item":{"a":{"N":"1E%s"}}}'
    assert compact_line((line % ("+" + "0" * 5000 + "5")).encode()) == b'{"Item":{"a":{"N":"100000"}}}\n'
    assert "outside" in refusal(line % ("9" * 5000))[1]
    assert "outside" in refusal(line % ("-" + "9" * 5000))[1]


@pytest.mark.parametrize(
    ("line", "path", "reason"),
    [
        ("5", "$", "expected an object with the member Item, got a number"),
        ('"x"', "$", "expected an object with the member Item, got a string"),
        ("[]", "$", "expected an object with the member Item, got an array"),
        ("null", "$", "expected an object with the member Item, got null"),
        ("true", "$", "expected an object with the member Item, got true"),
        ('{"item":{}}', "$", "the member Item is missing; found 'item'"),
        ('{"Keys":{},"NewImage":{}}', "$", "the member Item is missing; found 'Keys', 'NewImage'"),
        ('{"Item":{"a":{"N":' + "1" * 5000 + "}}}", "$.Item.a.N", "expected a string, got a number"),
        ('{"Item":{},"Keys":1}', "$", "there is a member 'Keys', which does not belong here"),
        (
            '{"Item":{},"Itm":1}',
            "$",
            "there is a member 'Itm', which is not known and resembles Item: refusing to guess",
        ),
        ('{"Item":[]}', "$.Item", "expected an object, got an array"),
        ('{"Item":null}', "$.Item", "expected an object, got null"),
        ('{"Item":{},"Item":{}}', "$", "the name 'Item' occurs twice in one object"),
        ('{"Item":{"a":{"S":"x"},"a":{"S":"y"}}}', "$", "the name 'a' occurs twice in one object"),
        ('{"Item":{"a":{"S":"x"},"\\u0061":{"S":"y"}}}', "$", "the name 'a' occurs twice in one object"),
        ('{"Item":{"m":{"M":{"b":{"N":"1"},"b":{"N":"1"}}}}}', "$", "the name 'b' occurs twice in one object"),
    ],
)
def test_what_is_no_item_is_refused_with_path_and_reason(line: str, path: str, reason: str) -> None:
    assert refusal(line) == (path, reason)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"Item":{}', "not JSON: "),
        (b'{"Item":{}} x', "not JSON: Extra data"),
        (b'{"Item":{"a":{"S":"\x01"}}}', "not JSON: Invalid control character"),
        (b'{"Item":{"a":{"S":"\\x"}}}', "not JSON: Invalid \\escape"),
        (b'{"Item":{"a":{"N":NaN}}}', "not JSON: NaN"),
        (b'{"Item":{"a":{"N":-Infinity}}}', "not JSON: -Infinity"),
        (b"\xef\xbb\xbf{}", "not JSON: Unexpected UTF-8 BOM"),
        (b"\xc2\xa0", "not JSON: "),
        (b'{"Item":{"a":{"S":"\xff"}}}', "invalid UTF-8 at byte 19 of the line"),
        (b'{"Item":{"a":{"S":"\xed\xa0\x80"}}}', "invalid UTF-8 at byte 19 of the line"),
        (b'{"Item":' + b'{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_strict_json_is_refused(line: bytes, reason: str) -> None:
    path, found = refusal(line)
    assert path == "$"
    assert found.startswith(reason)


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        ("5", "", "expected an object with one type tag, got a number"),
        ("null", "", "expected an object with one type tag, got null"),
        ("{}", "", "expected an object with one type tag, got an object with 0 members"),
        ('{"S":"x","N":"1"}', "", "expected an object with one type tag, got an object with 2 members"),
        ('{"s":"x"}', "", "unknown type tag 's'; the tags are S, N, B, BOOL, NULL, M, L, SS, NS, BS"),
        ('{"S":5}', ".S", "expected a string, got a number"),
        ('{"S":null}', ".S", "expected a string, got null"),
        ('{"S":"\\ud800"}', ".S", "a lone surrogate \\ud800, which no text can hold"),
        ('{"N":5}', ".N", "expected a string, got a number"),
        ('{"N":"007"}', ".N", "not a number"),
        ('{"N":"+1"}', ".N", "not a number"),
        ('{"N":" 1"}', ".N", "not a number"),
        ('{"N":""}', ".N", "not a number"),
        ('{"N":"' + "9" * 39 + '"}', ".N", "39 significant digits; DynamoDB's numbers have at most 38"),
        ('{"N":"1E126"}', ".N", "outside of DynamoDB's range, 1E-130 to 9.99E+125"),
        ('{"N":"1E-131"}', ".N", "outside of DynamoDB's range, 1E-130 to 9.99E+125"),
        ('{"B":"A"}', ".B", "not base64 (standard alphabet, padded)"),
        ('{"B":"AR=="}', ".B", "not base64 (standard alphabet, padded)"),
        ('{"B":"é"}', ".B", "not base64 (standard alphabet, padded)"),
        ('{"B":["AA=="]}', ".B", "expected a string, got an array"),
        ('{"BOOL":"true"}', ".BOOL", "expected true or false, got a string"),
        ('{"BOOL":1}', ".BOOL", "expected true or false, got a number"),
        ('{"NULL":false}', ".NULL", "expected true, got false"),
        ('{"NULL":null}', ".NULL", "expected true, got null"),
        ('{"M":[]}', ".M", "expected an object, got an array"),
        ('{"M":{"b c":{"N":"x"}}}', '.M["b c"].N', "not a number"),
        ('{"M":{"b":5}}', ".M.b", "expected an object with one type tag, got a number"),
        ('{"M":{"\\udfff":{"N":"1"}}}', ".M", "a lone surrogate \\udfff, which no text can hold"),
        ('{"L":{}}', ".L", "expected an array, got an object"),
        ('{"L":[{"N":"1"},{"M":{"x":{"N":"-"}}}]}', ".L[1].M.x.N", "not a number"),
        ('{"SS":[]}', ".SS", "a set is never empty"),
        ('{"NS":[]}', ".NS", "a set is never empty"),
        ('{"BS":{}}', ".BS", "expected an array, got an object"),
        ('{"SS":["a",5]}', ".SS[1]", "expected a string, got a number"),
        ('{"NS":["1","x"]}', ".NS[1]", "not a number"),
        ('{"BS":["AA=="," "]}', ".BS[1]", "not base64 (standard alphabet, padded)"),
    ],
)
def test_a_wrong_value_is_refused_with_the_path_to_it(value: str, path: str, reason: str) -> None:
    assert of_value(value) == (path, reason)


@pytest.mark.parametrize("value", ['{"N":"secret"}', '{"B":"secret"}', '{"N":"1E999"}', '{"N":"' + "7" * 39 + '"}'])
def test_the_value_at_fault_is_kept_apart_from_the_reason(value: str) -> None:
    with pytest.raises(LineProblem) as caught:
        compact_line(b'{"Item":{"a":' + value.encode() + b"}}")
    assert caught.value.value == json.loads(value).popitem()[1]
    assert caught.value.value not in caught.value.reason + caught.value.path


@pytest.mark.parametrize(
    ("name", "step"), [("a_1", ".a_1"), ("", '[""]'), ("a.b", '["a.b"]'), ("é", '["\\u00e9"]'), ('q"', '["q\\""]')]
)
def test_a_name_that_is_no_identifier_is_quoted_in_the_path(name: str, step: str) -> None:
    assert refusal(json.dumps({"Item": {name: {"N": "x"}}}))[0] == f"$.Item{step}.N"


@pytest.mark.parametrize("letter", ["x", "é", " "])
def test_a_path_shows_only_the_beginning_of_a_long_name(letter: str) -> None:
    path, _ = refusal(json.dumps({"Item": {letter * 60_000: {"N": "x"}}}))
    assert len(path) < 600


def nested(depth: int) -> str:
    """A value inside so many lists."""
    return '{"L":[' * depth + '{"NULL":true}' + "]}" * depth


def test_documents_are_read_to_the_depth_that_dynamodb_allows_and_refused_far_beyond() -> None:
    assert compact_line(('{"Item":{"a":' + nested(32) + "}}").encode())
    path, reason = refusal('{"Item":{"a":' + nested(100) + "}}")
    assert path.startswith("$.Item.a.L[0].L[0]")
    assert reason == "nested deeper than 64 levels; DynamoDB allows 32"


def test_a_problem_survives_the_way_to_another_process() -> None:
    problem = LineProblem("$.Item.a.N", "not a number", "x")
    problem.byte = 17
    copy = pickle.loads(pickle.dumps(problem))
    assert (copy.path, copy.reason, copy.value, copy.byte) == ("$.Item.a.N", "not a number", "x", 17)
