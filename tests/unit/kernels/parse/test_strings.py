"""Strings and base64: what the kernels accept, and what they make of it, beside Python's own codecs."""

from __future__ import annotations

import base64
import binascii
import itertools
import json
import random
import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from converter.kernels.layout import GROW, IRREGULAR, ROOM
from converter.kernels.parse.strings import (
    base64_size,
    copy_bytes,
    copy_string,
    decode_base64,
    encode_base64,
    token_end,
)
from converter.kernels.parse.utf8 import is_long_utf8, is_short_utf8, is_utf8
from converter.kernels.toolchain.decorators import kernel
from tests import strategies
from tests.unit.decode.decoding import Bytes, padded


@kernel
def copied(data: Bytes, at: int, target: Bytes, o: int, limit: int, raw: bool) -> tuple[int, int]:
    return copy_string(data, at, target, o, limit, raw)


@kernel
def check_utf8(texts: Bytes, width: int, results: NDArray[np.uint8]) -> None:
    for i in range(results.size):
        begin, end = i * width, (i + 1) * width
        whole, long, short = (
            is_utf8(texts, begin, end),
            is_long_utf8(texts, begin, end),
            is_short_utf8(texts, begin, end),
        )
        results[i] = np.uint8(whole) + 2 * np.uint8(long) + 4 * np.uint8(short)


@kernel
def end_of_token(data: Bytes, at: int) -> int:
    return token_end(data, at)


@kernel
def bytes_copied(data: Bytes, at: int, end: int, target: Bytes, o: int, limit: int) -> int:
    return copy_bytes(data, at, end, target, o, limit)


@kernel
def base64_decoded(data: Bytes, at: int, end: int, target: Bytes, limit: int) -> tuple[int, int]:
    size = base64_size(data, at, end)
    return size, (decode_base64(data, at, end, target, 0, limit) if size >= 0 else size)


@kernel
def base64_encoded(data: Bytes, at: int, size: int, target: Bytes, o: int) -> int:
    return encode_base64(data, at, size, target, o)


def unescape(body: bytes, *, raw: bool = False, at: int = 0) -> bytes | None:
    """The string whose body (without quotes) this is; None if the kernel refuses it."""
    data = padded(b"x" * at + body + b'"')
    target = np.full(len(body) + 2 * ROOM, 0xEE, np.uint8)
    end, o = copied(data, at, target, 0, target.size, raw)
    if end < 0:
        assert end == IRREGULAR
        return None
    assert end == at + len(body)
    return target[:o].tobytes()


def by_json(body: bytes) -> bytes | None:
    """The same by Python's json, which accepts lone surrogates until they are encoded."""
    try:
        return str(json.loads((b'"' + body + b'"').decode())).encode()
    except ValueError:
        return None


@given(strategies.texts(), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.3, 1.0]), st.integers(0, 70))
def test_any_spelling_of_a_text_gives_the_text(text: str, seed: int, escaped: float, at: int) -> None:
    body = strategies.spell_string(text, random.Random(seed), escaped).encode()[1:-1]
    assert unescape(body, at=at) == text.encode()
    assert unescape(body, raw=True, at=at) == body


PIECES = st.sampled_from(
    [
        b"a",
        b"\\",
        b'\\"',
        b"\\\\",
        b"\\/",
        b"\\u",
        b"\\u00e9",
        b"\\uD83D",
        b"\\ude00",
        b"\\ud83d\\ude00",
        b"\\uDBFF\\uDFFF",
        b"\\u0000",
        b"\\uFFFF",
        b"\\u12g4",
        b"\\x41",
        b"\\n",
        b"\\N",
        b"\n",
        b"\x7f",
        b"\x1f",
        "é€😀".encode(),
        b"\xff",
        b"\xed\xa0\x80",
        b"\xc0\x80",
        b"\xe2\x82",
        b"x" * 61,
    ]
)


@given(st.lists(PIECES, max_size=6).map(b"".join))
def test_what_the_kernel_accepts_is_what_strict_json_accepts(body: bytes) -> None:
    assume(not re.search(rb'(?<!\\)(\\\\)*("|\\$)', body))
    assert unescape(body) == by_json(body)


def test_only_the_eight_letters_of_json_make_a_short_escape() -> None:
    for letter in range(256):
        body = b"a\\" + bytes([letter]) + b"b"
        expected = dict(zip(b'"\\/bfnrt', b'"\\/\b\f\n\r\t', strict=True)).get(letter)
        assert unescape(body) == (None if expected is None else b"a" + bytes([expected]) + b"b"), body
        assert unescape(body, raw=True) == (None if expected is None else body), body


@pytest.mark.parametrize("point", [0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF])
@pytest.mark.parametrize("upper", [False, True])
def test_a_unicode_escape_is_its_character_at_every_edge_of_utf8(point: int, upper: bool) -> None:
    digits = f"{point:04X}" if upper else f"{point:04x}"
    assert unescape(f"\\u{digits}".encode()) == chr(point).encode()


@pytest.mark.parametrize("point", [0x10000, 0x1F600, 0x103FF, 0x10400, 0x10FFFF])
def test_a_surrogate_pair_is_one_character(point: int) -> None:
    high, low = 0xD800 + ((point - 0x10000) >> 10), 0xDC00 + ((point - 0x10000) & 0x3FF)
    body = f"<\\u{high:04x}\\u{low:04X}>".encode()
    assert unescape(body) == f"<{chr(point)}>".encode()
    assert unescape(body, raw=True) == body


@pytest.mark.parametrize(
    "body",
    [
        rb"\ud800",
        rb"\udbff",
        rb"\udc00",
        rb"\udfff",
        rb"\ud800x",
        rb"\ud800\n",
        rb"\ud800\u0041",
        rb"\ud800\ud800",
        rb"\udc00\ud800",
        rb"\ud800\udc0",
        rb"\ud800\udbff",
        rb"\ud800\ue000",
        rb"\ud83d" + b"\xed\xb8\x80",
    ],
)
@pytest.mark.parametrize("raw", [False, True])
def test_a_lone_surrogate_is_refused(body: bytes, raw: bool) -> None:
    assert unescape(body, raw=raw) is None
    assert unescape(b"y" * 60 + body, raw=raw) is None


@pytest.mark.parametrize("body", [rb"\u", rb"\u1", rb"\u12", rb"\u123", rb"\u123g", rb"\u 123", rb"\u+123", rb"\u-123"])
def test_an_unfinished_unicode_escape_is_refused(body: bytes) -> None:
    assert unescape(body) is None


@pytest.mark.parametrize("control", range(32))
def test_a_raw_control_character_is_refused(control: int) -> None:
    for at in (0, 1, 63, 64):
        assert unescape(b"a" * at + bytes([control]) + b"b") is None


def test_escapes_and_wide_characters_are_read_wherever_they_stand() -> None:
    for at in range(130):
        for piece, character in ((rb"\n", "\n"), (rb"\u20ac", "€"), (rb"\ud83d\ude00", "😀"), ("€".encode(), "€")):
            expected = ("x" * at + character + "y" * (130 - at)).encode()
            assert unescape(b"x" * at + piece + b"y" * (130 - at)) == expected, at
        assert unescape(b"x" * at + b"\xe2\x82" + b"y" * (130 - at)) is None, at


def test_a_target_that_is_too_small_by_one_byte_is_never_written_behind_its_limit() -> None:
    body = "é\\n€\\u20ac\\ud83d\\ude00".encode() * 8
    data = padded(body + b'"')
    whole = unescape(body)
    assert whole is not None
    grown = 0
    for limit in range(ROOM, len(whole) + 2 * ROOM):
        target = np.full(limit + 64, 0xEE, np.uint8)
        end, o = copied(data, 0, target, 0, limit, False)
        assert (target[limit:] == 0xEE).all()
        if end == GROW:
            grown += 1
        else:
            assert target[:o].tobytes() == whole
    assert grown


def accepted(texts: list[bytes], width: int) -> list[bool]:
    results = np.zeros(len(texts), np.uint8)
    check_utf8(padded(b"".join(texts)), width, results)
    assert set(results.tolist()) <= {0, 7}, "the forms for short and for long texts disagree"
    return [result == 7 for result in results]


def by_codec(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


# Both sides of every border in the table of well-formed byte sequences (Unicode, table 3-7).
BORDERS = bytes.fromhex("00 41 7f 80 81 8f 90 9f a0 bf c0 c1 c2 df e0 e1 ec ed ee ef f0 f1 f3 f4 f5 f7 f8 ff")


def test_one_and_two_bytes_are_utf8_exactly_where_python_says_so() -> None:
    ones = [bytes([a]) for a in range(256)]
    twos = [bytes(pair) for pair in itertools.product(range(256), repeat=2)]
    assert accepted(ones, 1) == [by_codec(text) for text in ones]
    assert accepted(twos, 2) == [by_codec(text) for text in twos]


@pytest.mark.parametrize("before", ["", "a", "é", "漢", "\U0001f600", "\ud7ff\ue000\u0800"])
@pytest.mark.parametrize("at", [0, 30, 60, 61, 62, 63, 64, 127])
def test_a_character_that_is_cut_or_wrong_is_found_wherever_64_bytes_end(before: str, at: int) -> None:
    start = (before.encode() * 200)[: at - at % max(len(before.encode()), 1)]
    start += b"." * (at - len(start))
    odd = [bytes(pair) for pair in itertools.product(BORDERS, repeat=2)]
    odd += [bytes(three) + b"\x80" for three in itertools.product(BORDERS[10:], BORDERS[3:12], b"\x7f\x80\xbf")]
    for end in (b"", b"z" * 70, "漢".encode() * 30):
        for width in (2, 4):
            texts = [start + text + end for text in odd if len(text) == width]
            assert accepted(texts, len(texts[0])) == [by_codec(text) for text in texts]


@pytest.mark.parametrize("width", [3, 4])
def test_three_and_four_bytes_at_all_borders_are_utf8_exactly_where_python_says_so(width: int) -> None:
    first = BORDERS if width == 4 else range(256)
    texts = [bytes(t) for t in itertools.product(first, *[BORDERS] * (width - 1))]
    if width == 4:
        texts = texts[:: 5 if len(texts) > 200_000 else 1]
    assert accepted(texts, width) == [by_codec(text) for text in texts]


@pytest.mark.slow
@pytest.mark.parametrize("lead", [0x41, 0xC2, *range(0xE0, 0xF0)])
def test_every_three_bytes_behind_a_lead_are_utf8_exactly_where_python_says_so(lead: int) -> None:
    texts = [bytes((lead, *rest)) for rest in itertools.product(range(256), repeat=2)]
    assert accepted(texts, 3) == [by_codec(text) for text in texts]


@given(st.binary(max_size=12))
def test_any_bytes_are_utf8_exactly_where_python_says_so(text: bytes) -> None:
    assert accepted([text], len(text)) == [by_codec(text)]


@pytest.mark.parametrize("size", [0, 1, 62, 63, 64, 65, 127, 128, 300])
def test_a_token_ends_at_its_quote_and_nowhere_else(size: int) -> None:
    assert end_of_token(padded(b"7" * size + b'"'), 0) == size
    for wrong in (b"\\n", b"\n", b"\x00"):
        assert end_of_token(padded(b"7" * size + wrong + b'"'), 0) == IRREGULAR


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 200])
def test_bytes_are_copied_only_where_there_is_room_for_a_step_more(size: int) -> None:
    data = padded(bytes(range(1, 201))[:size])
    target = np.zeros(size + ROOM + 64, np.uint8)
    assert bytes_copied(data, 0, size, target, 0, size + ROOM - 1) == GROW
    assert not target.any()
    assert bytes_copied(data, 0, size, target, 0, size + ROOM) == size
    assert target[:size].tobytes() == data[:size].tobytes()


def decoded(text: bytes) -> bytes | None:
    target = np.full(len(text) + ROOM + 8, 0xEE, np.uint8)
    size, end = base64_decoded(padded(b"xx" + text + b'"'), 2, 2 + len(text), target, len(text) + ROOM)
    if size < 0:
        assert size == IRREGULAR
        return None
    assert size == end
    return target[:end].tobytes()


def by_stdlib(text: bytes) -> bytes | None:
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
    return content if base64.b64encode(content) == text else None


@given(st.binary(max_size=70), st.integers(0, 5))
def test_bytes_are_encoded_as_canonical_base64(content: bytes, at: int) -> None:
    expected = base64.b64encode(content)
    target = np.full(at + len(expected) + 5, 0xEE, np.uint8)
    end = base64_encoded(padded(b"x" * at + content), at, len(content), target, at)
    assert target.tobytes() == b"\xee" * at + expected + b"\xee" * 5
    assert end == at + len(expected)


@given(st.binary(max_size=200))
def test_base64_gives_the_bytes_back(content: bytes) -> None:
    assert decoded(base64.b64encode(content)) == content


@given(st.text("AQgwz9+/=-_ \n", max_size=9).map(str.encode))
def test_base64_is_accepted_only_in_its_canonical_form(text: bytes) -> None:
    assert decoded(text) == by_stdlib(text)


def test_every_letter_of_base64_has_its_value_and_others_none() -> None:
    for letter in range(256):
        for text in (bytes([letter]) + b"AAA", b"A" + bytes([letter]) + b"==", b"AA" + bytes([letter]) + b"="):
            assert decoded(text) == by_stdlib(text), text


@pytest.mark.parametrize(
    "text", [b"=", b"==", b"===", b"====", b"A===", b"AB==", b"AA=A", b"=AAA", b"AAA", b"AA==AA=="]
)
def test_padding_stands_only_at_the_end_and_only_as_much_as_needed(text: bytes) -> None:
    assert decoded(text) is None


def test_base64_is_not_decoded_into_a_target_without_room() -> None:
    target = np.zeros(300, np.uint8)
    assert base64_decoded(padded(b"AQID"), 0, 4, target, 4 + ROOM - 1) == (3, GROW)
    assert not target.any()
