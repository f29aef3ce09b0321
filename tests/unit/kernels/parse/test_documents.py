"""Nested values as JSON text: plain and typed, whatever their size, depth and names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.decode.decoder import Decoder
from converter.decode.strict_lines import LineProblem
from converter.kernels.scratch import new_scratch
from converter.kernels.value_limits import DEPTH
from converter.testing import item_line
from tests import oracle, strategies
from tests.unit.decode.decoding import column_of, everything, lines_of, make_block, observe, schema_of

DOCUMENTS = st.one_of(*map(strategies.values_of, strategies.NESTED_TAGS), strategies.deep_values())
MIXED = item_line({"a": {"S": "makes the attribute mixed"}}) + item_line({"a": {"BOOL": True}})


def plain(value: dict[str, Any]) -> object:
    """The document as it stands in a JSON column."""
    return column_of(lines_of({"a": value}), "a")[0]


def typed(value: dict[str, Any]) -> object:
    """The same with its types, in a column of mixed types."""
    return column_of(lines_of({"a": value}) + MIXED, "a", mixed="json")[0]


def reads(line: bytes) -> bool:
    """Whether the decoder takes the line."""
    try:
        observe(line)
    except LineProblem:
        return False
    return True


@given(st.one_of(*map(strategies.values_of, strategies.NESTED_TAGS)))
def test_a_document_is_its_plain_json(value: strategies.Value) -> None:
    assert plain(value) == oracle.plain_json(value)


@given(DOCUMENTS)
def test_a_document_keeps_its_types_in_a_column_of_mixed_json(value: strategies.Value) -> None:
    assert typed(value) == oracle.typed_json(value)


@given(strategies.values())
def test_typed_json_is_read_back_as_the_value(value: strategies.Value) -> None:
    text = typed(value)
    assert isinstance(text, str)
    assert json.loads(text) == value


def test_what_every_type_looks_like_inside_a_document() -> None:
    value = {
        "M": {
            "s": {"S": 'a"b'},
            "n": {"N": "1.50E+1"},
            "b": {"B": "AQI="},
            "t": {"BOOL": True},
            "f": {"BOOL": False},
            "z": {"NULL": True},
            "e": {"M": {}},
            "l": {"L": [{"L": []}, {"N": "-0"}]},
            "ss": {"SS": ["x", ""]},
            "ns": {"NS": ["2", "1E2"]},
            "bs": {"BS": ["AA=="]},
        }
    }
    scalars = '"s":"a\\"b","n":15,"b":"AQI=","t":true,"f":false,"z":null'
    assert plain(value) == "{" + scalars + ',"e":{},"l":[[],0],"ss":["x",""],"ns":[2,100],"bs":["AA=="]}'
    assert typed(value) == json.dumps(value, separators=(",", ":")).replace("1.50E+1", "15").replace("-0", "0").replace(
        "1E2", "100"
    )


@pytest.mark.parametrize("size", [0, 1, 2, 15, 16, 17, 18, 100, 1000])
def test_maps_of_any_size_are_read_and_a_name_that_occurs_twice_is_found(size: int) -> None:
    members = [f'"name{n * 7919 % 1009}":{{"N":"{n}"}}' for n in range(size)]
    line = '{"Item":{"a":{"M":{%s}}}}\n'
    assert reads((line % ",".join(members)).encode())
    for twice in {0, size // 2, size - 1} if size else ():
        assert not reads((line % ",".join([*members, members[twice]])).encode())
        assert not reads((line % ",".join([members[twice], *members])).encode())


@pytest.mark.parametrize("twin", ['"\\u0062"', '"\\u0062" '])
def test_a_name_that_occurs_twice_in_another_spelling_is_found(twin: str) -> None:
    line = '{"Item":{"a":{"M":{"b":{"N":"1"},%s:{"N":"2"}}}}}\n'
    assert not reads((line % twin).encode())
    assert reads((line % twin.replace("62", "63")).encode())


def test_a_name_may_occur_again_in_another_map() -> None:
    value = {"M": {"x": {"M": {"x": {"N": "1"}}}, "y": {"L": [{"M": {"x": {"N": "2"}}}, {"M": {"x": {"N": "3"}}}]}}}
    assert plain(value) == '{"x":{"x":1},"y":[{"x":2},{"x":3}]}'


def test_a_name_that_occurs_twice_around_an_inner_map_is_found() -> None:
    assert not reads(b'{"Item":{"a":{"M":{"x":{"N":"1"},"y":{"M":{"x":{"N":"1"},"z":{"M":{}}}},"x":{"N":"2"}}}}}\n')


@pytest.mark.parametrize(
    "names", [("ab", "ba"), ("a" * 8, "a" * 9), ("\x7f", "\x7f\x7f"), ("", "a"), ("12345678", "1")]
)
def test_names_that_are_alike_are_told_apart(names: tuple[str, str]) -> None:
    assert json.loads(str(plain({"M": {name: {"N": "1"} for name in names}}))) == dict.fromkeys(names, 1)


def test_more_names_than_the_scratch_holds_take_the_slow_path() -> None:
    decoder = Decoder(None, wants=everything)
    decoder._scratch = new_scratch(8)
    decoder_lines = lines_of({"a": {"M": {str(n): {"N": "1"} for n in range(9)}}})
    assert list(decoder.decode(make_block(decoder_lines))) == []
    assert decoder.items == 1


@pytest.mark.parametrize("depth", [1, 2, 31, 32])
@pytest.mark.parametrize("wrap", ["M", "L"])
def test_values_are_read_to_the_depth_that_dynamodb_allows(depth: int, wrap: str) -> None:
    value: dict[str, Any] = {"S": "x"}
    for _ in range(depth):
        value = {"M": {"d": value}} if wrap == "M" else {"L": [value]}
    assert plain(value) == oracle.plain_json(value)
    assert typed(value) == oracle.typed_json(value)


@pytest.mark.parametrize("depth", [DEPTH + 1, DEPTH + 2, 200, 5000])
def test_values_that_are_nested_far_too_deep_are_a_bad_line(depth: int) -> None:
    assert not reads(b'{"Item":{"a":' + b'{"L":[' * depth + b'{"NULL":true}' + b"]}" * depth + b"}}\n")


@pytest.mark.parametrize("depth", range(33, DEPTH + 2))
def test_how_deep_is_too_deep_does_not_depend_on_the_spelling(depth: int) -> None:
    line = b'{"Item":{"a":' + b'{"L":[' * depth + b'{"NULL":true}' + b"]}" * depth + b"}}\n"
    assert reads(line) == reads(b" " + line)


@pytest.mark.parametrize("size", [*range(3600, 4200, 37), 60_000, 1_000_000])
def test_documents_grow_their_column_wherever_it_ends(size: int) -> None:
    for value in (
        {"M": {"x" * (size // 2): {"S": "y" * (size // 2)}, "n": {"NS": ["1", "2"]}}},
        {"L": [{"N": "1"}, {"S": "é" * (size // 2)}, {"B": "QUFB" * 20}]},
        {"SS": ["z" * (size - 10), "é"]},
    ):
        assert plain(value) == oracle.plain_json(value)
        assert typed(value) == oracle.typed_json(value)


def test_documents_of_many_small_values_grow_their_column_inside_any_of_them() -> None:
    value = {
        "L": [{"M": {f"k{n}": {"N": f"{n}.5"}, "b": {"BOOL": n % 2 == 0}, "s": {"NS": ["7"]}}} for n in range(2000)]
    }
    assert plain(value) == oracle.plain_json(value)
    assert typed(value) == oracle.typed_json(value)


@pytest.mark.parametrize(
    "document",
    [
        '{"M":{"a":{"N":"1"}]}',
        '{"M":{"a":{"N":"1"},}}',
        '{"M":{,}}',
        '{"M":{"a"}}',
        '{"M":{"a":1}}',
        '{"M":{a:{"N":"1"}}}',
        '{"M":[}}',
        '{"L":[{"N":"1"},]}',
        '{"L":[,]}',
        '{"L":[{"N":"1"}{"N":"2"}]}',
        '{"L":[{"N":"1"}}',
        '{"L":{}}',
        '{"L":[{"X":"1"}]}',
        '{"L":[{"BOOL":truth}]}',
        '{"L":[{"NULL":false}]}',
        '{"L":[{"N":1}]}',
        '{"L":[{"N":"1","S":"2"}]}',
        '{"L":[{}]}',
        '{"SS":[]}',
        '{"SS":["a",]}',
        '{"SS":["a""b"]}',
        '{"NS":["a"]}',
        '{"NS":[1]}',
        '{"BS":["A"]}',
        '{"SS":{"S":"a"}}',
        '{"M":{"a":{"S":"\\q"}}}',
        '{"M":{"a":{"S":"\x01"}}}',
        '{"M":{"\\ud800":{"S":""}}}',
        '{"M":{"a":{"S":"\\ud800"}}}',
        '{"SS":["\\udc00"]}',
    ],
)
def test_a_damaged_document_is_a_bad_line_and_its_column_does_not_matter(document: str) -> None:
    line = b'{"Item":{"a":' + document.encode() + b"}}\n"
    assert not reads(line)
    with pytest.raises(oracle.BadLineError):
        list(oracle.read_lines(line))


@pytest.mark.parametrize("invalid", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"])
def test_invalid_utf8_is_found_in_the_names_and_texts_of_documents(invalid: bytes) -> None:
    for line in (
        b'{"Item":{"a":{"M":{"%s":{"S":"x"}}}}}\n',
        b'{"Item":{"a":{"M":{"x":{"S":"%s"}}}}}\n',
        b'{"Item":{"a":{"SS":["x","%s"]}}}\n',
        b'{"Item":{"a":{"L":[{"S":"' + b"y" * 70 + b'%s"}]}}}\n',
    ):
        assert not reads(line % invalid)
        assert reads(line % "é".encode())


@pytest.mark.parametrize(
    ("value", "inside"),
    [
        ({"B": "AAE="}, False),
        ({"BS": ["AAE="]}, True),
        ({"L": [{"S": "text"}, {"B": ""}]}, True),
        ({"M": {"a": {"M": {"b": {"BS": ["AAE="]}}}}}, True),
        ({"M": {"B": {"N": "1"}, "BS": {"SS": ["AAE="]}}}, False),
        ({"L": []}, False),
    ],
)
@pytest.mark.parametrize("mixed", ["text", "json"])
def test_binary_inside_a_document_is_seen_whatever_becomes_of_it(
    value: dict[str, object], inside: bool, mixed: str
) -> None:
    data = lines_of({"a": value}, {"a": {"L": [{"S": "x"}]}}, {"a": {"S": "mixed"}})
    assert observe(data).attributes["a"].binary_inside is inside
    decoder = Decoder(schema_of(data, mixed=mixed), wants=everything)
    list(decoder.decode(make_block(data)))
    assert decoder.observation() == observe(data)
