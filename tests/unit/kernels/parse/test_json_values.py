"""JSON values that are checked and not kept: never more lenient than the strict reader, and exact for compact JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.decode.strict_lines import LineProblem, check_unknown, parse_line
from converter.kernels.layout import IRREGULAR, Scratch
from converter.kernels.parse.json_values import json_end
from converter.kernels.scratch import new_scratch
from converter.kernels.toolchain.decorators import kernel
from converter.kernels.value_limits import DEPTH
from tests.unit.decode.decoding import Bytes, padded

SCRATCH = new_scratch(1000)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
# Without escapes, which are left to the slow path in names.
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\'), max_size=70)
NUMBERS = st.integers(-(10**40), 10**40) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=20),
    max_leaves=20,
)


@kernel
def end_of_json(data: Bytes, at: int, scratch: Scratch) -> int:
    return json_end(data, at, scratch)


def end_of(text: bytes, at: int = 0) -> int:
    return end_of_json(padded(text), at, SCRATCH)


def is_strict(text: bytes) -> bool:
    """Whether the slow path accepts the value of an unknown member that has this text."""
    try:
        document = parse_line(b'{"other":' + text + b"}", "Item")
        assert document is not None
        check_unknown(document, (), "$", ())
    except LineProblem:
        return False
    return True


@given(VALUES, st.booleans(), st.sampled_from([b"", b",1", b"}", b"]"]))
def test_the_end_of_a_compact_value_is_found_whatever_follows(value: Any, ascii_only: bool, rest: bytes) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":")).encode()
    assert end_of(b"xx" + text + rest, 2) in (2 + len(text), IRREGULAR if ascii_only else None)
    if not ascii_only:
        assert end_of(text + rest) == len(text)


@given(VALUES, st.data())
def test_a_damaged_value_is_accepted_only_if_the_strict_reader_accepts_it(value: Any, data: st.DataObject) -> None:
    text = bytearray(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    at = data.draw(st.integers(0, len(text) - 1))
    text[at : at + data.draw(st.integers(0, 2))] = data.draw(
        st.sampled_from([b"", b'"', b"\\", b"0", b",", b"\xff", b"}"])
    )
    if end_of(bytes(text)) == len(text) and text:
        assert is_strict(bytes(text)), bytes(text)


@pytest.mark.parametrize(
    "text",
    [
        *("01", "-", "1.", ".5", "1e", "+1", "0x1", "nul", "True", "NaN", "-Infinity", "'a'", "", "\ufeff1"),
        *('"a', '"\x01"', '"\\x"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud800\\u0041"'),
        *("{", "[", "[1", "[1,]", "[,1]", "{,}", '{"a"}', '{"a":}', '{"a":1,}', "{1:2}", "[}", "{]", '{"a":1]'),
        *('{"a":1,"a":2}', '[{"b":{"a":1,"c":2,"a":3}}]'),
    ],
)
def test_bad_json_is_refused(text: str) -> None:
    assert not is_strict(text.encode())
    assert end_of(text.encode()) in (IRREGULAR, *range(len(text.encode())))


@pytest.mark.parametrize("text", ['{"\\u0061":1}', "[ ]", "[1, 2]", '{"a" :1}'])
def test_uncommon_spellings_are_left_to_the_slow_path(text: str) -> None:
    assert is_strict(text.encode())
    assert end_of(text.encode()) == IRREGULAR


def test_the_deepest_value_is_read_and_a_deeper_one_refused() -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        for depth, fits in ((DEPTH, True), (DEPTH + 1, False)):
            text = (opening * depth + "0" + closing * depth).encode()
            assert end_of(text) == (len(text) if fits else IRREGULAR)
            assert is_strict(text) == fits


def test_more_names_than_the_scratch_has_room_for_are_left_to_the_slow_path() -> None:
    for count, fits in ((1000, True), (1001, False)):
        text = json.dumps(dict.fromkeys(map(str, range(count)), 0), separators=(",", ":")).encode()
        assert end_of(text) == (len(text) if fits else IRREGULAR)
