"""Kernel for CSV (RFC 4180, LF): the rows of a batch whose columns are all text.

A field is quoted only where it holds a quote, a comma, CR or LF. The empty string is `""` and null is nothing, so that
readers can tell them apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from converter.decode.compile import inlined, inner, kernel
from converter.decode.lanes import Bytes, byte, copy64, csv_mask, put
from converter.decode.tables import (
    COLUMN_LENGTHS,
    COLUMN_NEXT,
    COLUMN_NEXT_BYTE,
    COLUMN_START,
    COLUMN_STEP,
    EMPTY_LINE,
    NEEDED,
    NEXT_ROW,
    WRITTEN,
    Columns,
)

_QUOTE = 0x22
_COMMA = 0x2C
_NEWLINE = 0x0A
_ONE = np.uint64(1)


@inner
def _put_quoted(data: Bytes, at: int, size: int, out: Bytes, o: int) -> int:
    put(out, o, _QUOTE)
    o += 1
    for k in range(at, at + size):
        c = byte(data, k)
        if c == _QUOTE:
            put(out, o, _QUOTE)
            o += 1
        put(out, o, c)
        o += 1
    put(out, o, _QUOTE)
    return o + 1


@inner
def put_field(data: Bytes, at: int, size: int, out: Bytes, o: int) -> int:
    """Write the field data[at : at + size] to out[o:], which has room for 2 * size + 64 bytes; gives the end."""
    if size == 0:
        put(out, o, _QUOTE)
        put(out, o + 1, _QUOTE)
        return o + 2
    k = 0
    while k < size:
        special = csv_mask(data, at + k)
        copy64(out, o + k, data, at + k)
        left = size - k
        if left < 64:
            special &= (_ONE << np.uint64(left)) - _ONE
        if special != np.uint64(0):
            return _put_quoted(data, at, size, out, o)
        k += 64
    return o + size


@kernel
def write_rows(columns: Columns, rows: int, out: Bytes, state: NDArray[np.int64]) -> None:
    """Write rows from state[NEXT_ROW] on to `out` until all are written or the next one may not fit."""
    count = len(columns.facts)
    o = state[WRITTEN]
    row = state[NEXT_ROW]
    while row < rows:
        needed = 64 + count
        for c in range(1, count):
            if _has_value(columns, c, row):
                needed += 2 * _size(columns, c) + 66
        if o + needed > out.size:
            state[NEEDED] = needed
            break
        begin = o
        for c in range(1, count):
            if _has_value(columns, c, row):
                size = _size(columns, c)
                at = columns.facts[np.uint64(c), COLUMN_START] + columns.facts[np.uint64(c), COLUMN_NEXT_BYTE]
                o = put_field(columns.arena, at, size, out, o)
                step = columns.facts[np.uint64(c), COLUMN_STEP]
                columns.facts[np.uint64(c), COLUMN_NEXT] += step
                columns.facts[np.uint64(c), COLUMN_NEXT_BYTE] += step * size
            put(out, o, _COMMA)
            o += 1
        if o - begin < 2:
            o = begin
            state[EMPTY_LINE] = 1
            break
        put(out, o - 1, _NEWLINE)
        row += 1
    state[NEXT_ROW] = row
    state[WRITTEN] = o


@inlined
def _has_value(columns: Columns, c: int, row: int) -> bool:
    return columns.validity[np.uint64(c), np.uint64(row >> 3)] >> np.uint8(row & 7) & 1 != 0


@inlined
def _size(columns: Columns, c: int) -> int:
    """Bytes of the value that comes next in column c."""
    place = columns.facts[np.uint64(c), COLUMN_LENGTHS] + columns.facts[np.uint64(c), COLUMN_NEXT]
    return np.int64(columns.lengths[np.uint64(place)])
