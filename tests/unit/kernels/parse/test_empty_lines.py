"""Lines without an item: found in every spelling, and never mistaken for one with an item."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.kernels.layout import IRREGULAR
from converter.kernels.parse.empty_lines import empty_line
from converter.kernels.toolchain.decorators import kernel
from tests.unit.decode.decoding import Bytes, padded

EMPTY = re.compile(rb"[ \t\r]*(\{[ \t\r]*\}[ \t\r]*)?\n")
BLANKS = st.text(" \t\r", max_size=3) | st.integers(60, 70).map(lambda count: " " * count)
PARTS = st.sampled_from(["{", "}", "\n", "\x0b", "\0", "\xa0", "a", '"', ","])


@kernel
def end_of_empty(data: Bytes, at: int) -> tuple[int, int]:
    return empty_line(data, at)


def check(data: bytes, at: int = 0) -> None:
    match = EMPTY.match(data, at)
    expected = (IRREGULAR, 0) if match is None else (match.end(), int(match[1] is not None))
    assert end_of_empty(padded(data), at) == expected


@given(st.lists(BLANKS | PARTS, max_size=8).map("".join), st.integers(0, 3))
def test_a_line_is_empty_exactly_if_it_has_blanks_and_an_empty_object_only(text: str, at: int) -> None:
    check(b"x" * at + text.encode("latin-1") + b"\n", at)


@pytest.mark.parametrize("count", [0, 1, 61, 62, 63, 64, 65, 127, 128, 1000])
def test_blanks_end_anywhere_in_the_64_bytes(count: int) -> None:
    blanks = b" " * count
    for line in (blanks, blanks + b"{" + blanks + b"}" + blanks, blanks + b"{", b"{" + blanks + b"]", blanks + b"}"):
        check(line + b"\n" + b"{}\n")
