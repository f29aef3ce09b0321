"""The kernel for items: compact lines `{"Item":{...}}` to values in column buffers, and observations.

A field is an attribute with a type tag, as lines spell them: `"price":{"N":"`. Lines of a table are alike, so the
fields that followed a field in earlier lines are tried first, each with one comparison of 64 bytes; a hash table has
the others. Each field has an action and the column for its values.

The kernel stops with a status for whatever is unusual: see the protocol in kernels/__init__.py.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import CLOSE_MAP, COLON, COMMA, NEWLINE, OPEN_MAP, QUOTE
from converter.kernels.hashes import hash_bytes
from converter.kernels.layout import (
    CAPACITY,
    COLUMN,
    COLUMN_BITS,
    COLUMN_LENGTHS,
    COLUMN_PRESENT,
    COLUMN_USED,
    CUT,
    CUTS,
    DELETE_ATTRIBUTE,
    DONE,
    EMPTY_OBJECTS,
    FIELD_ACTION,
    FIELD_ATTRIBUTE,
    FIELD_COLUMN,
    FIELD_COUNT,
    FIELD_MASK,
    FIELD_NEXT,
    FIELD_NEXT_OLDER,
    FIELD_NUL_SERIAL,
    FIELD_NULS,
    FIELD_SEEN,
    FIELD_SIZE,
    FIELD_START,
    FIRST_UNTIMED,
    FULL,
    GROW,
    HAS_NUL,
    IN_ITEM,
    IRREGULAR,
    ITEMS,
    LINE_FIELDS,
    LINE_START,
    MISMATCH,
    NAME_END,
    NAME_START,
    NEW_FIELD,
    NOT_A_TIME,
    NUL_SERIAL,
    ODD_TIMES,
    OVERFLOW_BEGIN,
    OVERFLOW_COLUMN,
    POSITION,
    PREVIOUS,
    ROW,
    SERIAL,
    SIZE,
    SPELLING_END,
    TAG_END,
    TIMED,
    UNTIMED,
    UNTIMED_DELETES,
    WANTS_TIME,
    Columns,
    Fields,
    Scratch,
    State,
)
from converter.kernels.parse.empty_lines import empty_line
from converter.kernels.parse.item_values import close_overflow, decode_text
from converter.kernels.parse.number_columns import decode_bool, decode_number
from converter.kernels.parse.timestamps import count_odd_times, decode_time
from converter.kernels.simd.words import Bytes, byte, find_newline, lowest_bit, special_mask, starts_with, word
from converter.kernels.toolchain.decorators import inlined, inner, kernel
from converter.kernels.value_actions import BOOL, DECIMAL, INT64, NUMBER_TEXT, SKIP_NULL, TIMESTAMP

_ITEM = np.uint64(int.from_bytes(b'{"Item":', "little"))
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_OPENED = 4


@kernel
def line_end(data: Bytes, at: int) -> int:
    """Return the position of the next newline, which every line of a block has."""
    return find_newline(data, at)


@inlined
def _matches(block: Bytes, at: int, fields: Fields, field: int) -> bool:
    """Return whether the line has the spelling of `field` at `at`. Field 0 matches nothing."""
    start = fields.facts[np.uint64(field), FIELD_START]
    size = fields.facts[np.uint64(field), FIELD_SIZE]
    mask = np.uint64(fields.facts[np.uint64(field), FIELD_MASK])
    return starts_with(block, at, fields.spellings, start, size, mask) and field != 0


@kernel
def find_slot(data: Bytes, at: int, size: int, fields: Fields) -> int:
    """Return the slot of the field with the spelling data[at : at + size], or the empty slot for it."""
    room = fields.slots.size - 1
    slot = np.int64(hash_bytes(data, at, size, fields.secret) >> np.uint64(20)) & room
    while True:
        field = fields.slots[np.uint64(slot)]
        if field == 0:
            return slot
        if fields.facts[np.uint64(field), FIELD_SIZE] == size:
            start = fields.facts[np.uint64(field), FIELD_START]
            k = 0
            while k < size and byte(data, at + k) == byte(fields.spellings, start + k):
                k += 1
            if k == size:
                return slot
        slot = (slot + 1) & room


@inner
def _look_up(block: Bytes, at: int, fields: Fields, state: State) -> int:
    """Return the field whose spelling begins at `at`; 0 if it is new, with its parts in the state; or IRREGULAR."""
    if byte(block, at) != QUOTE:
        return IRREGULAR
    end = at + 1
    while True:
        special = special_mask(block, end)
        if special == np.uint64(0):
            end += 64
            continue
        end += lowest_bit(special)
        c = byte(block, end)
        if c == QUOTE:
            break
        if c != 0x5C or byte(block, end + 1) < 0x20:
            return IRREGULAR
        end += 2
    if byte(block, end + 1) != COLON or byte(block, end + 2) != OPEN_MAP or byte(block, end + 3) != QUOTE:
        return IRREGULAR
    tag_end = end + 4
    while tag_end < end + 8 and 0x41 <= byte(block, tag_end) <= 0x5A:
        tag_end += 1
    if byte(block, tag_end) != QUOTE or byte(block, tag_end + 1) != COLON:
        return IRREGULAR
    stop = tag_end + 2
    if tag_end == end + 5 and byte(block, stop) == QUOTE:
        stop += 1
    field = fields.slots[np.uint64(find_slot(block, at, stop - at, fields))]
    if field == 0:
        state[NAME_START] = at + 1
        state[NAME_END] = end
        state[TAG_END] = tag_end
        state[SPELLING_END] = stop
    return field


@kernel
def rollback_item(fields: Fields, columns: Columns, state: State) -> None:
    """Undo what the item at hand has written, so that its line can be read again.

    A value is removed as the last one of its column. In the overflow column, the object that the item began is dropped.
    """
    row = state[ROW]
    for i in range(state[LINE_FIELDS]):
        field = fields.line[np.uint64(i)]
        column = fields.facts[np.uint64(field), FIELD_COLUMN]
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
    state[LINE_FIELDS] = 0
    state[IN_ITEM] = 0
    state[POSITION] = state[LINE_START]


@inlined
def _open_item(block: Bytes, state: State) -> int:
    """Find the first attribute of the next item that has any: _OPENED, or DONE, FULL or IRREGULAR.

    Counts the lines before it: `{}` is an empty object, `{"Item":{}}` is an item, and blank lines are not counted.
    """
    at = state[POSITION]
    size = state[SIZE]
    while True:
        state[POSITION] = at
        if at >= size:
            return DONE
        if state[ROW] >= state[CAPACITY]:
            return FULL
        if word(block, at) == _ITEM and byte(block, at + 8) == OPEN_MAP:
            if byte(block, at + 9) != CLOSE_MAP:
                break
            if byte(block, at + 10) != CLOSE_MAP or byte(block, at + 11) != NEWLINE:
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
    state[LINE_FIELDS] = 0
    state[OVERFLOW_BEGIN] = -1
    state[CUT] = 0
    state[ODD_TIMES] = 0
    state[PREVIOUS] = 0
    state[IN_ITEM] = 1
    return _OPENED


@inlined
def _find_field(block: Bytes, at: int, fields: Fields, previous: int, state: State) -> int:
    """Return the field that is spelled at `at`, as `_look_up` does. First tries those that followed `previous`."""
    field = fields.facts[np.uint64(previous), FIELD_NEXT]
    if _matches(block, at, fields, field):
        return field
    field = fields.facts[np.uint64(previous), FIELD_NEXT_OLDER]
    if _matches(block, at, fields, field):
        return field
    field = _look_up(block, at, fields, state)
    if field > 0:
        fields.facts[np.uint64(previous), FIELD_NEXT_OLDER] = fields.facts[np.uint64(previous), FIELD_NEXT]
        fields.facts[np.uint64(previous), FIELD_NEXT] = field
    return field


@inner
def _count_untimed(fields: Fields, state: State) -> None:
    """Count the item at hand, which has no value for the column `time`, and keep the place of the first one."""
    delete = state[DELETE_ATTRIBUTE]
    if delete >= 0 and fields.facts[np.uint64(delete), FIELD_SEEN] == state[SERIAL]:
        state[UNTIMED_DELETES] += 1
        return
    state[UNTIMED] += 1
    if state[FIRST_UNTIMED] < 0:
        state[FIRST_UNTIMED] = state[LINE_START]


@inlined
def _close_item(fields: Fields, columns: Columns, state: State) -> None:
    """Count the item at hand and its values, and begin another row."""
    if state[OVERFLOW_BEGIN] >= 0:
        close_overflow(state[ROW], columns, state)
    for i in range(state[LINE_FIELDS]):
        fields.facts[np.uint64(fields.line[np.uint64(i)]), FIELD_COUNT] += 1
    if state[NUL_SERIAL] == state[SERIAL]:
        for i in range(state[LINE_FIELDS]):
            field = fields.line[np.uint64(i)]
            fields.facts[np.uint64(field), FIELD_NULS] += (
                fields.facts[np.uint64(field), FIELD_NUL_SERIAL] == state[SERIAL]
            )
    state[ROW] += 1
    state[ITEMS] += 1
    state[CUTS] += state[CUT]
    if state[ODD_TIMES] != 0:
        count_odd_times(fields, state)
    if state[WANTS_TIME] != 0 and state[TIMED] != state[SERIAL]:
        _count_untimed(fields, state)
    state[IN_ITEM] = 0


@kernel
def decode_items(block: Bytes, fields: Fields, columns: Columns, state: State, scratch: Scratch) -> int:
    """Read lines from state[POSITION] on until the block ends or a status has to be answered.

    block: whole lines, state[SIZE] bytes, and 64 or more zeros. At IRREGULAR, MISMATCH, NOT_A_TIME and HAS_NUL the item
    is rolled back and state[POSITION] is where its line begins. At NEW_FIELD, GROW and ODD_TIME the next call continues
    inside of the item.
    """
    while True:
        if state[IN_ITEM] == 0:
            status = _open_item(block, state)
            if status != _OPENED:
                return status
        at = state[POSITION]
        row = state[ROW]
        field = _find_field(block, at, fields, state[PREVIOUS], state)
        if field == 0:
            return NEW_FIELD
        if (
            field < 0
            or fields.facts[np.uint64(fields.facts[np.uint64(field), FIELD_ATTRIBUTE]), FIELD_SEEN] == state[SERIAL]
        ):
            status = IRREGULAR
            break
        action = fields.facts[np.uint64(field), FIELD_ACTION]
        at += fields.facts[np.uint64(field), FIELD_SIZE]
        if action == INT64 or action == DECIMAL or action == NUMBER_TEXT:
            at, status = decode_number(block, at, field, row, fields, columns, scratch)
        elif action == BOOL or action == SKIP_NULL:
            at, status = decode_bool(block, at, field, row, fields, columns)
        elif action < TIMESTAMP:
            at, status = decode_text(block, at, field, row, fields, columns, state, scratch)
        else:
            at, status = decode_time(block, at, field, row, fields, columns, state, scratch)
        if status != DONE:
            state[COLUMN] = fields.facts[np.uint64(field), FIELD_COLUMN] if status == GROW else field
            break
        fields.facts[np.uint64(fields.facts[np.uint64(field), FIELD_ATTRIBUTE]), FIELD_SEEN] = state[SERIAL]
        fields.line[np.uint64(state[LINE_FIELDS])] = field
        state[LINE_FIELDS] += 1
        state[PREVIOUS] = field
        following = byte(block, at + 1)
        if byte(block, at) == CLOSE_MAP and following == COMMA:
            state[POSITION] = at + 2
            continue
        if byte(block, at) != CLOSE_MAP or following != CLOSE_MAP:
            status = IRREGULAR
            break
        if byte(block, at + 2) != CLOSE_MAP or byte(block, at + 3) != NEWLINE:
            status = IRREGULAR
            break
        _close_item(fields, columns, state)
        state[POSITION] = at + 4
    if status == IRREGULAR or status == MISMATCH or status == NOT_A_TIME or status == HAS_NUL:
        rollback_item(fields, columns, state)
    return status
