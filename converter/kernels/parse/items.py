"""The main kernel: compact lines `{"Item":{...}}` in, column buffers and observations out.

A *kind* is an attribute together with a type tag, as it is spelled in the lines: `"price":{"N":"`. What follows a
kind's spelling up to the value is the same in every line, so a kind is recognised by one comparison of 64 bytes, and
the next one is guessed from the last one. Per kind there is an action that says what becomes of the values, and the
column that takes them. Column 0 is the sink: values written there are checked and observed, and forgotten.

Positions are int64 and count from the start of the block. The kernel stops with a status; what is unusual about a
line is left to Python: a new kind, a full batch, an arena to grow, a line that isn't in compact form.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from converter.kernels.hashes import hash_bytes
from converter.kernels.layout import (
    BOOL,
    CAPACITY,
    COLUMN,
    COLUMN_BITS,
    COLUMN_LENGTHS,
    COLUMN_PRESENT,
    COLUMN_USED,
    CUT,
    CUTS,
    DECIMAL,
    DELETE_ATTRIBUTE,
    DONE,
    EMPTY_OBJECTS,
    FIRST_UNTIMED,
    FULL,
    GROW,
    HAS_NUL,
    IN_ITEM,
    INT64,
    IRREGULAR,
    ITEMS,
    KIND_ACTION,
    KIND_ATTRIBUTE,
    KIND_COLUMN,
    KIND_COUNT,
    KIND_MASK,
    KIND_NEXT,
    KIND_NEXT_BUT_ONE,
    KIND_NUL_SERIAL,
    KIND_NULS,
    KIND_SEEN,
    KIND_SIZE,
    KIND_START,
    LINE_KINDS,
    LINE_START,
    NAME_END,
    NAME_START,
    NEW_KIND,
    NOT_A_TIME,
    NUL_SERIAL,
    NUMBER_TEXT,
    ODD_TIMES,
    OVERFLOW_BEGIN,
    OVERFLOW_COLUMN,
    POSITION,
    PREVIOUS,
    ROW,
    SERIAL,
    SIZE,
    SKIP_NULL,
    SPELLING_END,
    SURPRISE,
    TAG_END,
    TIMED,
    TIMESTAMP,
    UNTIMED,
    UNTIMED_DELETES,
    WANTS_TIME,
    Columns,
    Kinds,
    Scratch,
)
from converter.kernels.parse.empty_lines import empty_line
from converter.kernels.parse.item_values import close_overflow, decode_bool, decode_number, decode_text
from converter.kernels.parse.timestamps import count_odd_times, decode_time
from converter.kernels.simd.words import Bytes, byte, lowest_bit, newline_from, special_mask, stands_at, word
from converter.kernels.toolchain.decorators import inlined, inner, kernel

_ITEM = np.uint64(int.from_bytes(b'{"Item":', "little"))
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_QUOTE = 0x22
_COMMA = 0x2C
_COLON = 0x3A
_OPEN_MAP = 0x7B
_CLOSE_MAP = 0x7D
_NEWLINE = 0x0A
_OPENED = 4


@kernel
def line_end(data: Bytes, at: int) -> int:
    """Position of the next newline: every line of a block has one."""
    return newline_from(data, at)


@inlined
def _matches(block: Bytes, at: int, kinds: Kinds, kind: int) -> bool:
    """Does the spelling of `kind` stand at `at`?"""
    start = kinds.facts[np.uint64(kind), KIND_START]
    size = kinds.facts[np.uint64(kind), KIND_SIZE]
    mask = np.uint64(kinds.facts[np.uint64(kind), KIND_MASK])
    return stands_at(block, at, kinds.spellings, start, size, mask) and kind != 0


@kernel
def find_slot(data: Bytes, at: int, size: int, kinds: Kinds) -> int:
    """Slot of the table that holds the spelling data[at : at + size], or the empty one where it belongs."""
    room = kinds.table.size - 1
    slot = np.int64(hash_bytes(data, at, size, kinds.secret) >> np.uint64(20)) & room
    while True:
        kind = kinds.table[np.uint64(slot)]
        if kind == 0:
            return slot
        if kinds.facts[np.uint64(kind), KIND_SIZE] == size:
            start = kinds.facts[np.uint64(kind), KIND_START]
            k = 0
            while k < size and byte(data, at + k) == byte(kinds.spellings, start + k):
                k += 1
            if k == size:
                return slot
        slot = (slot + 1) & room


@inner
def _look_up(block: Bytes, at: int, kinds: Kinds, state: NDArray[np.int64]) -> int:
    """The kind whose spelling opens at `at`; 0 if it is new (its parts are in the state), or IRREGULAR."""
    if byte(block, at) != _QUOTE:
        return IRREGULAR
    end = at + 1
    while True:
        special = special_mask(block, end)
        if special == np.uint64(0):
            end += 64
            continue
        end += lowest_bit(special)
        c = byte(block, end)
        if c == _QUOTE:
            break
        if c != 0x5C or byte(block, end + 1) < 0x20:
            return IRREGULAR
        end += 2
    if byte(block, end + 1) != _COLON or byte(block, end + 2) != _OPEN_MAP or byte(block, end + 3) != _QUOTE:
        return IRREGULAR
    tag_end = end + 4
    while tag_end < end + 8 and 0x41 <= byte(block, tag_end) <= 0x5A:
        tag_end += 1
    if byte(block, tag_end) != _QUOTE or byte(block, tag_end + 1) != _COLON:
        return IRREGULAR
    stop = tag_end + 2
    if tag_end == end + 5 and byte(block, stop) == _QUOTE:
        stop += 1
    kind = kinds.table[np.uint64(find_slot(block, at, stop - at, kinds))]
    if kind == 0:
        state[NAME_START] = at + 1
        state[NAME_END] = end
        state[TAG_END] = tag_end
        state[SPELLING_END] = stop
    return kind


@kernel
def take_back(kinds: Kinds, columns: Columns, state: NDArray[np.int64]) -> None:
    """Undo what the item at hand has written so far, so that its line can be read once more."""
    row = state[ROW]
    for i in range(state[LINE_KINDS]):
        kind = kinds.line[np.uint64(i)]
        column = kinds.facts[np.uint64(kind), KIND_COLUMN]
        bit = np.uint8(1 << (row & 7))
        if column == 0 or columns.validity[np.uint64(column), np.uint64(row >> 3)] & bit == 0:
            continue
        columns.validity[np.uint64(column), np.uint64(row >> 3)] &= ~bit
        columns.facts[np.uint64(column), COLUMN_PRESENT] -= 1
        if columns.facts[np.uint64(column), COLUMN_BITS] == 0:
            place = columns.facts[np.uint64(column), COLUMN_LENGTHS] + columns.facts[np.uint64(column), COLUMN_PRESENT]
            columns.facts[np.uint64(column), COLUMN_USED] -= columns.lengths[np.uint64(place)]
    if state[OVERFLOW_BEGIN] >= 0:
        columns.facts[np.uint64(state[OVERFLOW_COLUMN]), COLUMN_USED] = state[OVERFLOW_BEGIN]
    state[LINE_KINDS] = 0
    state[IN_ITEM] = 0
    state[POSITION] = state[LINE_START]


@inlined
def _open_item(block: Bytes, state: NDArray[np.int64]) -> int:
    """Go to the first attribute of the next item that has any: _OPENED there, else DONE, FULL or IRREGULAR.

    Counts what it passes: blank lines are nothing, `{}` is an empty object, `{"Item":{}}` is an item.
    """
    at = state[POSITION]
    size = state[SIZE]
    while True:
        state[POSITION] = at
        if at >= size:
            return DONE
        if state[ROW] >= state[CAPACITY]:
            return FULL
        if word(block, at) == _ITEM and byte(block, at + 8) == _OPEN_MAP:
            if byte(block, at + 9) != _CLOSE_MAP:
                break
            if byte(block, at + 10) != _CLOSE_MAP or byte(block, at + 11) != _NEWLINE:
                return IRREGULAR
            if state[WANTS_TIME] != 0:
                state[UNTIMED] += 1
                if state[FIRST_UNTIMED] < 0:
                    state[FIRST_UNTIMED] = at
            at += 12
            state[ROW] += 1
            state[ITEMS] += 1
        else:
            at, objects = empty_line(block, at)
            if at < 0:
                return IRREGULAR
            state[EMPTY_OBJECTS] += objects
    state[LINE_START] = at
    state[POSITION] = at + 9
    state[SERIAL] += 1
    state[LINE_KINDS] = 0
    state[OVERFLOW_BEGIN] = -1
    state[CUT] = 0
    state[ODD_TIMES] = 0
    state[PREVIOUS] = 0
    state[IN_ITEM] = 1
    return _OPENED


@inlined
def _find_kind(block: Bytes, at: int, kinds: Kinds, previous: int, state: NDArray[np.int64]) -> int:
    """The kind that is spelled at `at`, by the kinds that followed the previous one before, or by its hash."""
    kind = kinds.facts[np.uint64(previous), KIND_NEXT]
    if _matches(block, at, kinds, kind):
        return kind
    kind = kinds.facts[np.uint64(previous), KIND_NEXT_BUT_ONE]
    if _matches(block, at, kinds, kind):
        return kind
    kind = _look_up(block, at, kinds, state)
    if kind > 0:
        kinds.facts[np.uint64(previous), KIND_NEXT_BUT_ONE] = kinds.facts[np.uint64(previous), KIND_NEXT]
        kinds.facts[np.uint64(previous), KIND_NEXT] = kind
    return kind


@inner
def _count_untimed(kinds: Kinds, state: NDArray[np.int64]) -> None:
    """Count the item at hand, which has no value for the column `time`; of the first one keep the place."""
    delete = state[DELETE_ATTRIBUTE]
    if delete >= 0 and kinds.facts[np.uint64(delete), KIND_SEEN] == state[SERIAL]:
        state[UNTIMED_DELETES] += 1
        return
    state[UNTIMED] += 1
    if state[FIRST_UNTIMED] < 0:
        state[FIRST_UNTIMED] = state[LINE_START]


@inlined
def _close_item(kinds: Kinds, columns: Columns, state: NDArray[np.int64]) -> None:
    """Count the item at hand and its kinds; the next one is another row."""
    if state[OVERFLOW_BEGIN] >= 0:
        close_overflow(state[ROW], columns, state)
    for i in range(state[LINE_KINDS]):
        kinds.facts[np.uint64(kinds.line[np.uint64(i)]), KIND_COUNT] += 1
    if state[NUL_SERIAL] == state[SERIAL]:
        for i in range(state[LINE_KINDS]):
            kind = kinds.line[np.uint64(i)]
            kinds.facts[np.uint64(kind), KIND_NULS] += kinds.facts[np.uint64(kind), KIND_NUL_SERIAL] == state[SERIAL]
    state[ROW] += 1
    state[ITEMS] += 1
    state[CUTS] += state[CUT]
    if state[ODD_TIMES] != 0:
        count_odd_times(kinds, state)
    if state[WANTS_TIME] != 0 and state[TIMED] != state[SERIAL]:
        _count_untimed(kinds, state)
    state[IN_ITEM] = 0


@kernel
def decode_items(block: Bytes, kinds: Kinds, columns: Columns, state: NDArray[np.int64], scratch: Scratch) -> int:
    """Read lines from state[POSITION] on until the block ends or a status has to be answered.

    block: whole lines, state[SIZE] bytes, 64 or more zeros behind. On IRREGULAR, SURPRISE, NOT_A_TIME and HAS_NUL the
    item has been taken back and state[POSITION] is the start of its line; on NEW_KIND and GROW the kernel goes on
    inside the item when it is called again.
    """
    while True:
        if state[IN_ITEM] == 0:
            status = _open_item(block, state)
            if status != _OPENED:
                return status
        at = state[POSITION]
        row = state[ROW]
        kind = _find_kind(block, at, kinds, state[PREVIOUS], state)
        if kind == 0:
            return NEW_KIND
        if kind < 0 or kinds.facts[np.uint64(kinds.facts[np.uint64(kind), KIND_ATTRIBUTE]), KIND_SEEN] == state[SERIAL]:
            status = IRREGULAR
            break
        action = kinds.facts[np.uint64(kind), KIND_ACTION]
        at += kinds.facts[np.uint64(kind), KIND_SIZE]
        if action == INT64 or action == DECIMAL or action == NUMBER_TEXT:
            at, status = decode_number(block, at, kind, row, kinds, columns, scratch)
        elif action == BOOL or action == SKIP_NULL:
            at, status = decode_bool(block, at, kind, row, kinds, columns)
        elif action < TIMESTAMP:
            at, status = decode_text(block, at, kind, row, kinds, columns, state, scratch)
        else:
            at, status = decode_time(block, at, kind, row, kinds, columns, state, scratch)
        if status != DONE:
            state[COLUMN] = kinds.facts[np.uint64(kind), KIND_COLUMN] if status == GROW else kind
            break
        kinds.facts[np.uint64(kinds.facts[np.uint64(kind), KIND_ATTRIBUTE]), KIND_SEEN] = state[SERIAL]
        kinds.line[np.uint64(state[LINE_KINDS])] = kind
        state[LINE_KINDS] += 1
        state[PREVIOUS] = kind
        behind = byte(block, at + 1)
        if byte(block, at) == _CLOSE_MAP and behind == _COMMA:
            state[POSITION] = at + 2
            continue
        if byte(block, at) != _CLOSE_MAP or behind != _CLOSE_MAP:
            status = IRREGULAR
            break
        if byte(block, at + 2) != _CLOSE_MAP or byte(block, at + 3) != _NEWLINE:
            status = IRREGULAR
            break
        _close_item(kinds, columns, state)
        state[POSITION] = at + 4
    if status == IRREGULAR or status == SURPRISE or status == NOT_A_TIME or status == HAS_NUL:
        take_back(kinds, columns, state)
    return status
