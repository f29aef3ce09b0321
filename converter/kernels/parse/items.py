"""The kernel for items: compact lines `{"Item":{...}}` to values in column buffers, and observations.

A field is an attribute with a type tag, as lines spell them: `"price":{"N":"`. Lines of a table are alike, so the
fields that followed a field in earlier lines are tried first, each with one comparison of 64 bytes; a hash table has
the others. Each field has an action and the column for its values.

The kernel stops with a status for whatever is unusual: see the protocol in kernels/__init__.py.
"""

from __future__ import annotations

import numpy as np

from converter.kernels import layout
from converter.kernels.characters import CLOSE_MAP, COLON, COMMA, NEWLINE, OPEN_MAP, QUOTE
from converter.kernels.hashes import hash_bytes
from converter.kernels.layout import Columns, Fields, Scratch, State
from converter.kernels.parse.empty_lines import empty_line
from converter.kernels.parse.item_values import close_overflow, decode_text
from converter.kernels.parse.number_columns import decode_bool, decode_number
from converter.kernels.parse.timestamps import count_odd_times, decode_time
from converter.kernels.simd.words import (
    Bytes,
    byte,
    equal_range,
    find_newline,
    lowest_bit,
    special_mask,
    starts_with,
    word,
)
from converter.kernels.toolchain.decorators import inlined, inner, kernel
from converter.kernels.value_actions import BOOL, DECIMAL, INT64, NUMBER_TEXT, SKIP_NULL, TIMESTAMP

_ITEM = np.uint64(int.from_bytes(b'{"Item":', "little"))
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_OPENED = 4
_MANY_GUESSES = 32


@kernel
def line_end(data: Bytes, at: int) -> int:
    """Return the position of the next newline, which every line of a block has."""
    return find_newline(data, at)


@inlined
def _matches(block: Bytes, at: int, fields: Fields, field: int) -> bool:
    """Return whether the line has the spelling of `field` at `at`. Field 0 matches nothing."""
    start = fields.facts[np.uint64(field), layout.FIELD_START]
    size = fields.facts[np.uint64(field), layout.FIELD_SIZE]
    mask = np.uint64(fields.facts[np.uint64(field), layout.FIELD_MASK])
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
        start = fields.facts[np.uint64(field), layout.FIELD_START]
        is_size = fields.facts[np.uint64(field), layout.FIELD_SIZE] == size
        if is_size and equal_range(data, at, fields.spellings, start, size):
            return slot
        slot = (slot + 1) & room


@kernel
def index_fields(fields: Fields, count: int) -> None:
    """Fill empty slots with the fields 1 to `count`, not included."""
    for field in range(1, count):
        start = fields.facts[np.uint64(field), layout.FIELD_START]
        size = fields.facts[np.uint64(field), layout.FIELD_SIZE]
        fields.slots[np.uint64(find_slot(fields.spellings, start, size, fields))] = field


@inner
def _look_up(block: Bytes, at: int, fields: Fields, state: State) -> int:
    """Return the field whose spelling begins at `at`; 0 if it is new, with its parts in the state; or IRREGULAR."""
    if byte(block, at) != QUOTE:
        return layout.IRREGULAR
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
            return layout.IRREGULAR
        end += 2
    if byte(block, end + 1) != COLON or byte(block, end + 2) != OPEN_MAP or byte(block, end + 3) != QUOTE:
        return layout.IRREGULAR
    tag_end = end + 4
    while tag_end < end + 8 and 0x41 <= byte(block, tag_end) <= 0x5A:
        tag_end += 1
    if byte(block, tag_end) != QUOTE or byte(block, tag_end + 1) != COLON:
        return layout.IRREGULAR
    stop = tag_end + 2
    if tag_end == end + 5 and byte(block, stop) == QUOTE:
        stop += 1
    field = fields.slots[np.uint64(find_slot(block, at, stop - at, fields))]
    if field == 0:
        state[layout.NAME_START] = at + 1
        state[layout.NAME_END] = end
        state[layout.TAG_END] = tag_end
        state[layout.SPELLING_END] = stop
    return field


@kernel
def rollback_item(fields: Fields, columns: Columns, state: State) -> None:
    """Undo what the item at hand has written, so that its line can be read again.

    A value is removed as the last one of its column. In the overflow column, the object that the item began is dropped.
    """
    row = state[layout.ROW]
    for i in range(state[layout.LINE_FIELDS]):
        field = fields.line[np.uint64(i)]
        column = fields.facts[np.uint64(field), layout.FIELD_COLUMN]
        bit = np.uint8(1 << (row & 7))
        if column == 0 or columns.validity[np.uint64(column), np.uint64(row >> 3)] & bit == 0:
            continue
        columns.validity[np.uint64(column), np.uint64(row >> 3)] &= ~bit
        columns.facts[np.uint64(column), layout.COLUMN_PRESENT] -= 1
        if columns.facts[np.uint64(column), layout.COLUMN_BITS] == 0:
            place = columns.facts[np.uint64(column), layout.COLUMN_LENGTHS]
            place += columns.facts[np.uint64(column), layout.COLUMN_PRESENT]
            columns.facts[np.uint64(column), layout.COLUMN_USED] -= columns.lengths[np.uint64(place)]
    if state[layout.OVERFLOW_BEGIN] >= 0:
        columns.facts[np.uint64(state[layout.OVERFLOW_COLUMN]), layout.COLUMN_USED] = state[layout.OVERFLOW_BEGIN]
    state[layout.LINE_FIELDS] = 0
    state[layout.IN_ITEM] = 0
    state[layout.POSITION] = state[layout.LINE_START]


@inlined
def _open_item(block: Bytes, state: State) -> int:
    """Find the first attribute of the next item that has any: _OPENED, or DONE, FULL or IRREGULAR.

    Counts the lines before it: `{}` is an empty object, `{"Item":{}}` is an item, and blank lines are not counted.
    """
    at = state[layout.POSITION]
    size = state[layout.SIZE]
    while True:
        state[layout.POSITION] = at
        if at >= size:
            return layout.DONE
        if state[layout.ROW] >= state[layout.CAPACITY]:
            return layout.FULL
        if word(block, at) == _ITEM and byte(block, at + 8) == OPEN_MAP:
            if byte(block, at + 9) != CLOSE_MAP:
                break
            if byte(block, at + 10) != CLOSE_MAP or byte(block, at + 11) != NEWLINE:
                return layout.IRREGULAR
            if state[layout.WANTS_TIME] != 0:
                state[layout.UNTIMED] += 1
                if state[layout.FIRST_UNTIMED] < 0:
                    state[layout.FIRST_UNTIMED] = at
            at += 12
            state[layout.ROW] += 1
            state[layout.ITEMS] += 1
        else:
            at, objects = empty_line(block, at)
            if at < 0:
                return layout.IRREGULAR
            state[layout.EMPTY_OBJECTS] += objects
    state[layout.LINE_START] = at
    state[layout.POSITION] = at + 9
    state[layout.SERIAL] += 1
    state[layout.LINE_FIELDS] = 0
    state[layout.OVERFLOW_BEGIN] = -1
    state[layout.CUT] = 0
    state[layout.ODD_TIMES] = 0
    state[layout.PREVIOUS] = 0
    state[layout.IN_ITEM] = 1
    return _OPENED


@inlined
def _find_field(block: Bytes, at: int, fields: Fields, previous: int, state: State) -> int:
    """Return the field that is spelled at `at`, as `_look_up` does. First tries those that followed `previous`.

    In a table of many attributes that follow each other at random, they take time and are never right: after a number
    of them that were wrong, only every 32nd item tries them.
    """
    guesses = state[layout.WRONG_GUESSES] < _MANY_GUESSES or state[layout.SERIAL] & 31 == 0
    if guesses:
        field = fields.facts[np.uint64(previous), layout.FIELD_NEXT]
        if _matches(block, at, fields, field):
            state[layout.WRONG_GUESSES] = 0
            return field
        field = fields.facts[np.uint64(previous), layout.FIELD_NEXT_OLDER]
        if _matches(block, at, fields, field):
            state[layout.WRONG_GUESSES] = 0
            return field
    field = _look_up(block, at, fields, state)
    if field > 0 and guesses:
        state[layout.WRONG_GUESSES] += 1
        last = fields.facts[np.uint64(previous), layout.FIELD_NEXT]
        fields.facts[np.uint64(previous), layout.FIELD_NEXT_OLDER] = last
        fields.facts[np.uint64(previous), layout.FIELD_NEXT] = field
    return field


@inner
def _count_untimed(fields: Fields, state: State) -> None:
    """Count the item at hand, which has no value for the column `time`, and keep the place of the first one."""
    delete = state[layout.DELETE_ATTRIBUTE]
    if delete >= 0 and fields.facts[np.uint64(delete), layout.FIELD_SEEN] == state[layout.SERIAL]:
        state[layout.UNTIMED_DELETES] += 1
        return
    state[layout.UNTIMED] += 1
    if state[layout.FIRST_UNTIMED] < 0:
        state[layout.FIRST_UNTIMED] = state[layout.LINE_START]


@inlined
def _close_item(fields: Fields, columns: Columns, state: State) -> None:
    """Count the item at hand and its values, and begin another row."""
    if state[layout.OVERFLOW_BEGIN] >= 0:
        close_overflow(state[layout.ROW], columns, state)
    for i in range(state[layout.LINE_FIELDS]):
        fields.facts[np.uint64(fields.line[np.uint64(i)]), layout.FIELD_COUNT] += 1
    if state[layout.NUL_SERIAL] == state[layout.SERIAL]:
        for i in range(state[layout.LINE_FIELDS]):
            field = fields.line[np.uint64(i)]
            fields.facts[np.uint64(field), layout.FIELD_NULS] += (
                fields.facts[np.uint64(field), layout.FIELD_NUL_SERIAL] == state[layout.SERIAL]
            )
    state[layout.ROW] += 1
    state[layout.ITEMS] += 1
    state[layout.CUTS] += state[layout.CUT]
    if state[layout.ODD_TIMES] != 0:
        count_odd_times(fields, state)
    if state[layout.WANTS_TIME] != 0 and state[layout.TIMED] != state[layout.SERIAL]:
        _count_untimed(fields, state)
    state[layout.IN_ITEM] = 0


@kernel
def decode_items(block: Bytes, fields: Fields, columns: Columns, state: State, scratch: Scratch) -> int:
    """Read lines from state[POSITION] on until the block ends or a status has to be answered.

    block: whole lines, state[SIZE] bytes, and 64 or more zeros. At IRREGULAR, MISMATCH, NOT_A_TIME and HAS_NUL the item
    is rolled back and state[POSITION] is where its line begins. At NEW_FIELD, GROW and ODD_TIME the next call continues
    inside of the item.
    """
    while True:
        if state[layout.IN_ITEM] == 0:
            status = _open_item(block, state)
            if status != _OPENED:
                return status
        at = state[layout.POSITION]
        row = state[layout.ROW]
        field = _find_field(block, at, fields, state[layout.PREVIOUS], state)
        if field == 0:
            return layout.NEW_FIELD
        if field < 0:
            status = layout.IRREGULAR
            break
        attribute = np.uint64(fields.facts[np.uint64(field), layout.FIELD_ATTRIBUTE])
        if fields.facts[attribute, layout.FIELD_SEEN] == state[layout.SERIAL]:
            status = layout.IRREGULAR
            break
        action = fields.facts[np.uint64(field), layout.FIELD_ACTION]
        at += fields.facts[np.uint64(field), layout.FIELD_SIZE]
        if action == INT64 or action == DECIMAL or action == NUMBER_TEXT:
            at, status = decode_number(block, at, field, row, fields, columns, scratch)
        elif action == BOOL or action == SKIP_NULL:
            at, status = decode_bool(block, at, field, row, fields, columns)
        elif action < TIMESTAMP:
            at, status = decode_text(block, at, field, row, fields, columns, state, scratch)
        else:
            at, status = decode_time(block, at, field, row, fields, columns, state, scratch)
        if status != layout.DONE:
            state[layout.COLUMN] = field
            if status == layout.GROW:
                state[layout.COLUMN] = fields.facts[np.uint64(field), layout.FIELD_COLUMN]
            break
        fields.facts[attribute, layout.FIELD_SEEN] = state[layout.SERIAL]
        fields.line[np.uint64(state[layout.LINE_FIELDS])] = field
        state[layout.LINE_FIELDS] += 1
        state[layout.PREVIOUS] = field
        following = byte(block, at + 1)
        if byte(block, at) == CLOSE_MAP and following == COMMA:
            state[layout.POSITION] = at + 2
            continue
        if byte(block, at) != CLOSE_MAP or following != CLOSE_MAP:
            status = layout.IRREGULAR
            break
        if byte(block, at + 2) != CLOSE_MAP or byte(block, at + 3) != NEWLINE:
            status = layout.IRREGULAR
            break
        _close_item(fields, columns, state)
        state[layout.POSITION] = at + 4
    is_refused = status == layout.NOT_A_TIME or status == layout.HAS_NUL
    if is_refused or status == layout.IRREGULAR or status == layout.MISMATCH:
        rollback_item(fields, columns, state)
    return status
