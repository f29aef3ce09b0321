"""Kernel for a value that must be a timestamp: from its text in the line to its place in the buffers of its column."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from converter.decode.calendar import SECOND, epoch_to_micros, parse_epoch, parse_iso, put_iso, put_seconds
from converter.decode.compile import inner
from converter.decode.lanes import Bytes, put_int64
from converter.decode.numbers import small_integer
from converter.decode.tables import (
    COLUMN_BITS,
    COLUMN_LIMIT,
    COLUMN_PRESENT,
    COLUMN_START,
    COLUMN_USED,
    CUT,
    DONE,
    GROW,
    IRREGULAR,
    KIND_ACTION,
    KIND_COLUMN,
    KIND_INTEGER_DIGITS,
    KIND_LONGEST,
    KIND_TAG,
    NO_FORM,
    NO_TEXT_OR_NUMBER,
    NOT_A_TIME,
    REASON,
    ROOM,
    TRUSTED,
    UNIX_TIME,
    Columns,
    Kinds,
    Scratch,
)
from converter.decode.texts import token_end
from converter.decode.values import mark_valid, mark_value, read_number
from converter.schema import tags


@inner
def _read_epoch(block: Bytes, at: int, end: int, kind: int, kinds: Kinds, scratch: Scratch) -> tuple[int, int]:
    """Observe the number block[at:end]; (microseconds, 0), (0, reason), or (0, IRREGULAR) for what is no number."""
    value, fine = small_integer(block, at, end)
    if fine:
        digits = end - at - (1 if value < 0 else 0)
        if value != 0 and digits > kinds.facts[np.uint64(kind), KIND_INTEGER_DIGITS]:
            kinds.facts[np.uint64(kind), KIND_INTEGER_DIGITS] = digits
        return epoch_to_micros(-value if value < 0 else value, np.int64(0), np.int64(0), value < 0)
    text, start, stop, integers, decimals = read_number(block, at, end, kind, kinds, scratch)
    if integers < 0:
        return np.int64(0), np.int64(IRREGULAR)
    return parse_epoch(text, start, stop, integers, decimals)


@inner
def _put_time(micros: int, action: int, column: int, row: int, columns: Columns, state: NDArray[np.int64]) -> int:
    """Give `row` of a column the time, as microseconds or, of UNIX_TIME, as seconds; DONE or GROW."""
    value = micros
    if action == UNIX_TIME:
        value = micros // SECOND
    start = columns.facts[np.uint64(column), COLUMN_START]
    if columns.facts[np.uint64(column), COLUMN_BITS] == 0:
        o = start + columns.facts[np.uint64(column), COLUMN_USED]
        if o + ROOM > columns.facts[np.uint64(column), COLUMN_LIMIT]:
            return GROW
        o = put_seconds(columns.arena, o, value) if action == UNIX_TIME else put_iso(columns.arena, o, value)
        mark_value(columns, column, row, o)
    else:
        put_int64(columns.arena, start + columns.facts[np.uint64(column), COLUMN_PRESENT] * 8, value)
        mark_valid(columns, column, row)
    if action == UNIX_TIME and value * SECOND != micros:
        state[CUT] = 1
    return DONE


@inner
def decode_time(
    block: Bytes,
    at: int,
    kind: int,
    row: int,
    kinds: Kinds,
    columns: Columns,
    state: NDArray[np.int64],
    scratch: Scratch,
) -> tuple[int, int]:
    """Decode a value that must be a timestamp; (position behind it, status DONE or other).

    At NOT_A_TIME the state says why. A value of the sink is checked and observed like any other.
    """
    tag = kinds.facts[np.uint64(kind), KIND_TAG]
    if tag != tags.S and tag != tags.N:
        state[REASON] = NO_TEXT_OR_NUMBER
        return at, NOT_A_TIME
    end = token_end(block, at)
    if end < 0:
        if state[TRUSTED] == 0:
            return at, IRREGULAR
        # What is still escaped here, no timestamp has in it.
        state[REASON] = NO_FORM
        return at, NOT_A_TIME
    if tag == tags.S:
        micros, reason = parse_iso(block, at, end)
        if end - at > kinds.facts[np.uint64(kind), KIND_LONGEST]:
            kinds.facts[np.uint64(kind), KIND_LONGEST] = end - at
    else:
        micros, reason = _read_epoch(block, at, end, kind, kinds, scratch)
        if reason < 0:
            return at, IRREGULAR
    if reason != 0:
        state[REASON] = reason
        return at, NOT_A_TIME
    column = kinds.facts[np.uint64(kind), KIND_COLUMN]
    if column != 0:
        status = _put_time(micros, kinds.facts[np.uint64(kind), KIND_ACTION], column, row, columns, state)
        if status != DONE:
            return at, status
    return end + 1, DONE
