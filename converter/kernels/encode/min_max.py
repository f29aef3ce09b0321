"""Kernels for statistics: the minimum and the maximum of a column chunk.

Order is that of Parquet's column orders for logical types: signed for numbers, by unsigned bytes for texts
(https://parquet.apache.org/docs/file-format/metadata/).
"""

from __future__ import annotations

import numpy as np

from converter.kernels.encode.bit_packing import integer_at, reversed_bytes, value_size
from converter.kernels.encode.states import MAX_AT, MAX_SIZE, MIN_AT, MIN_SIZE, NONE
from converter.kernels.layout import COLUMN_BITS, COLUMN_PLAIN, COLUMN_PRESENT, COLUMN_START, Columns, State
from converter.kernels.simd.words import Bytes, byte, word
from converter.kernels.toolchain.decorators import inlined, inner

_ZERO = np.uint64(0)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@inner
def _is_less(data: Bytes, at: int, size: int, than: int, than_size: int) -> bool:
    """Return whether the text at `at` is less than the one at `than`, by unsigned bytes."""
    k = 0
    common = min(size, than_size)
    while k < common:
        a = byte(data, at + k)
        b = byte(data, than + k)
        if a != b:
            return a < b
        k += 1
    return size < than_size


@inner
def _prefix(data: Bytes, at: int, size: int) -> np.uint64:
    """Return the first eight bytes as a big-endian number, which has their order. Missing bytes are zeros."""
    number = reversed_bytes(word(data, at))
    if size >= 8:
        return number
    if size == 0:
        return _ZERO
    shift = np.uint64(64 - 8 * size)
    return number >> shift << shift


@inner
def update_min_max(columns: Columns, column: int, at: int, size: int, state: State) -> None:
    """Update minimum and maximum by the value at `at`, relative to the column."""
    start = columns.facts[np.uint64(column), COLUMN_START]
    bits = columns.facts[np.uint64(column), COLUMN_BITS]
    if state[MIN_AT] == NONE:
        less = True
        greater = True
    elif bits == 0:
        less = _is_less(columns.arena, start + at, size, start + state[MIN_AT], state[MIN_SIZE])
        greater = _is_less(columns.arena, start + state[MAX_AT], state[MAX_SIZE], start + at, size)
    else:
        doubles = columns.facts[np.uint64(column), COLUMN_PLAIN] != 0
        less = _is_smaller(columns.arena, start + at, start + state[MIN_AT], bits, doubles)
        greater = _is_smaller(columns.arena, start + state[MAX_AT], start + at, bits, doubles)
    if less:
        state[MIN_AT] = at
        state[MIN_SIZE] = size
    if greater:
        state[MAX_AT] = at
        state[MAX_SIZE] = size


@inlined
def _order_of_double(data: Bytes, at: int) -> int:
    """Return an integer with the order of the double at `at`: below zero, larger bits are smaller numbers."""
    bits = np.int64(word(data, at))
    return bits ^ (bits >> 63 & 0x7FFFFFFFFFFFFFFF)


@inlined
def _is_smaller(data: Bytes, at: int, than: int, bits: int, doubles: bool) -> bool:
    """Return whether the integer, double or decimal128 at `at` is less than the one at `than`."""
    if doubles:
        return _order_of_double(data, at) < _order_of_double(data, than)
    if bits <= 64:
        return integer_at(data, at, bits) < integer_at(data, than, bits)
    high = np.int64(word(data, at + 8))
    than_high = np.int64(word(data, than + 8))
    if high != than_high:
        return high < than_high
    return word(data, at) < word(data, than)


@inner
def update_min_max_of_bools(columns: Columns, column: int, state: State) -> None:
    """Set minimum and maximum of a column of bits: the places have the values themselves, 0 or 1."""
    start = columns.facts[np.uint64(column), COLUMN_START]
    present = columns.facts[np.uint64(column), COLUMN_PRESENT]
    if present == 0:
        return
    ones = 0
    zeros = 0
    for k in range((present + 7) >> 3):
        used = 0xFF if k < present >> 3 else (1 << (present & 7)) - 1
        bits = byte(columns.arena, start + k)
        ones |= bits & used
        zeros |= ~bits & used
    state[MIN_AT] = 0 if zeros != 0 else 1
    state[MAX_AT] = 1 if ones != 0 else 0
    state[MIN_SIZE] = 1
    state[MAX_SIZE] = 1


@inner
def update_min_max_of_texts(columns: Columns, column: int, begin: int, end: int, at: int, state: State) -> None:
    """Update minimum and maximum by texts [begin, end), the first of which is at `at`.

    Most texts differ from both in their first eight bytes: only those that are not strictly between are compared.
    """
    start = columns.facts[np.uint64(column), COLUMN_START]
    low = _ALL
    high = _ZERO
    if state[MIN_AT] != NONE:
        low = _prefix(columns.arena, start + state[MIN_AT], state[MIN_SIZE])
        high = _prefix(columns.arena, start + state[MAX_AT], state[MAX_SIZE])
    for k in range(begin, end):
        size = value_size(columns, column, k)
        prefix = _prefix(columns.arena, start + at, size)
        if prefix <= low or prefix >= high:
            update_min_max(columns, column, at, size, state)
            low = _prefix(columns.arena, start + state[MIN_AT], state[MIN_SIZE])
            high = _prefix(columns.arena, start + state[MAX_AT], state[MAX_SIZE])
        at += size
