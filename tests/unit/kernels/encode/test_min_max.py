"""Minimum and maximum of a column: those of Python, for every type and in every order of the values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.kernels.encode.min_max import update_min_max, update_min_max_of_texts
from converter.kernels.encode.states import MAX_AT, MAX_SIZE, MIN_AT, MIN_SIZE, NONE, PAGE_STATE_SIZE
from converter.kernels.layout import COLUMN_BITS, COLUMN_FACTS, COLUMN_START, Columns, State
from converter.kernels.toolchain.decorators import kernel

START = 5
PREFIXES = [b"", b"aaaaaaa", b"aaaaaaaa", b"\xff" * 9, b"\0"]
"""Texts that have these in common differ only after the eight bytes that are compared first."""


@kernel
def texts_updated(columns: Columns, begin: int, end: int, at: int, state: State) -> None:
    update_min_max_of_texts(columns, 1, begin, end, at, state)


@kernel
def numbers_updated(columns: Columns, count: int, size: int, state: State) -> None:
    for k in range(count):
        update_min_max(columns, 1, k * size, size, state)


def new_state() -> State:
    state = np.zeros(PAGE_STATE_SIZE, np.int64)
    state[[MIN_AT, MAX_AT]] = NONE
    return state


def columns_of(content: bytes, lengths: list[int], bits: int) -> Columns:
    arena = np.full(START + len(content) + 64, 0xEE, np.uint8)
    arena[START : START + len(content)] = np.frombuffer(content, np.uint8)
    facts = np.zeros((2, COLUMN_FACTS), np.int64)
    facts[1, [COLUMN_START, COLUMN_BITS]] = START, bits
    return Columns(arena, np.array([*lengths, 0], np.int32), np.zeros((2, 8), np.uint8), facts)


def found(columns: Columns, state: State) -> tuple[bytes, bytes]:
    places = ((state[MIN_AT], state[MIN_SIZE]), (state[MAX_AT], state[MAX_SIZE]))
    least, greatest = (columns.arena[START + at : START + at + size].tobytes() for at, size in places)
    return least, greatest


@pytest.mark.parametrize("prefix", [*PREFIXES, None])
def test_texts_are_ordered_by_their_bytes_over_several_pages(prefix: bytes | None) -> None:
    chance = np.random.default_rng(17)
    for count in [1, 2, 3, 5, 40] * 10:
        ends = [bytes(chance.choice([0, 1, 97, 255], chance.integers(0, 3)).tolist()) for _ in range(count)]
        texts = [(PREFIXES[chance.integers(5)] if prefix is None else prefix) + end for end in ends]
        cut = int(chance.integers(count + 1))
        columns, state = columns_of(b"".join(texts), [len(text) for text in texts], 0), new_state()
        texts_updated(columns, 0, cut, 0, state)
        texts_updated(columns, cut, count, sum(map(len, texts[:cut])), state)
        assert found(columns, state) == (min(texts), max(texts))


@pytest.mark.parametrize("bits", [64, 128])
@given(data=st.data())
def test_numbers_are_ordered_with_their_signs(bits: int, data: st.DataObject) -> None:
    limit = 1 << bits - 1
    near = st.sampled_from([0, 1, -1, 1 << 62, 1 << 63, -(1 << 63), (1 << 64) - 1, limit - 1, -limit])
    fitting = near.filter(lambda value: -limit <= value < limit)
    values = data.draw(st.lists(fitting | st.integers(-limit, limit - 1), min_size=1, max_size=20))
    content = [value.to_bytes(bits // 8, "little", signed=True) for value in values]
    columns, state = columns_of(b"".join(content), [], bits), new_state()
    numbers_updated(columns, len(values), bits // 8, state)
    assert found(columns, state) == (content[values.index(min(values))], content[values.index(max(values))])


def test_no_values_leave_the_state_as_it_is() -> None:
    state = new_state()
    texts_updated(columns_of(b"", [], 0), 0, 0, 0, state)
    assert state.tolist() == new_state().tolist()
