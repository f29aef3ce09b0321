"""Patterns of lines: each is found where the line has it, whatever its size is, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.kernels.line_patterns import Patterns, new_patterns
from converter.kernels.parse.changes import matches
from converter.kernels.toolchain.decorators import kernel
from tests.unit.decode.decoding import Bytes, padded


@kernel
def has_pattern(block: Bytes, at: int, patterns: Patterns, pattern: int) -> bool:
    return matches(block, at, patterns, pattern)


@pytest.mark.parametrize("size", [1, 2, 63, 64, 65, 130])
def test_a_pattern_of_any_size_is_found_in_its_place_and_with_each_byte(size: int) -> None:
    text = ("abc" * size)[:size]
    patterns = new_patterns({1: "other", 2: text}, 3)
    assert has_pattern(padded(b"xx" + text.encode() + b"more"), 2, patterns, 2)
    for k in range(size):
        damaged = text[:k] + "?" + text[k + 1 :]
        assert not has_pattern(padded(b"xx" + damaged.encode() + b"more"), 2, patterns, 2)


@given(st.dictionaries(st.integers(0, 9), st.text("ab\udcff", min_size=1, max_size=70), min_size=1), st.data())
def test_patterns_do_not_mix(texts: dict[int, str], data: st.DataObject) -> None:
    patterns = new_patterns(texts, 10)
    line = data.draw(st.sampled_from([text.encode(errors="surrogateescape") for text in texts.values()]))
    for number, text in texts.items():
        expected = line.startswith(text.encode(errors="surrogateescape"))
        assert has_pattern(padded(line), 0, patterns, number) == expected
