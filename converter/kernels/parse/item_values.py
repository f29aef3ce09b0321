"""Kernels for one value of an item that becomes text or bytes: from the line to the buffers of its column."""

from __future__ import annotations

import numpy as np

from converter.kernels import layout
from converter.kernels.characters import CLOSE_MAP, COMMA, NOT_UTF8, OPEN_MAP
from converter.kernels.layout import Columns, Fields, Scratch, State
from converter.kernels.parse.documents import bool_size, copy_document, put_tag
from converter.kernels.parse.number_columns import mark_value, raise_fact, read_number
from converter.kernels.parse.strings import (
    base64_size,
    copy_bytes,
    copy_string,
    count_nuls,
    decode_base64,
    drop_nuls,
    replace_nuls,
    token_end,
)
from converter.kernels.simd.words import Bytes, byte, put
from converter.kernels.toolchain.decorators import inlined, inner
from converter.kernels.value_actions import (
    BASE64_TEXT,
    BINARY,
    BOOL_TEXT,
    DOCUMENT,
    OVERFLOW,
    TEXT,
    TYPED,
)
from converter.schema import tags


@inner
def _put_member_name(o: int, field: int, fields: Fields, columns: Columns, state: State) -> int:
    """Write `{"name":` or `,"name":` of an overflowing attribute to arena[o:]; gives the end or GROW."""
    start = fields.facts[np.uint64(field), layout.FIELD_START]
    size = fields.facts[np.uint64(field), layout.FIELD_NAME_SIZE]
    put(columns.arena, o, COMMA if state[layout.OVERFLOW_BEGIN] >= 0 else OPEN_MAP)
    limit = columns.facts[np.uint64(fields.facts[np.uint64(field), layout.FIELD_COLUMN]), layout.COLUMN_LIMIT]
    return copy_bytes(fields.spellings, start, start + size, columns.arena, o + 1, limit)


@inner
def close_overflow(row: int, columns: Columns, state: State) -> None:
    """Close the item's object in the overflow column. Each value in it has left room for the brace."""
    column = state[layout.OVERFLOW_COLUMN]
    end = columns.facts[np.uint64(column), layout.COLUMN_START] + columns.facts[np.uint64(column), layout.COLUMN_USED]
    put(columns.arena, end, CLOSE_MAP)
    columns.facts[np.uint64(column), layout.COLUMN_USED] = state[layout.OVERFLOW_BEGIN]
    mark_value(columns, column, row, end + 1)
    state[layout.OVERFLOW_BEGIN] = -1


@inner
def _observe_value(
    block: Bytes, at: int, field: int, o: int, limit: int, fields: Fields, columns: Columns, scratch: Scratch
) -> int:
    """Observe a value that is going to be written as JSON as if it had a column of its own, in the room after `o`.

    Gives its bytes as FIELD_LONGEST counts them, IRREGULAR or GROW.
    """
    tag = fields.facts[np.uint64(field), layout.FIELD_TAG]
    if tag == tags.S:
        end, after = copy_string(block, at, columns.arena, o, limit, False)
        return end if end < 0 else after - o
    if tag == tags.N or tag == tags.B:
        end = token_end(block, at)
        if end < 0:
            return layout.IRREGULAR
        if tag == tags.B:
            return base64_size(block, at, end)
        _, _, _, integers, _ = read_number(block, at, end, field, fields, scratch)
        return layout.IRREGULAR if integers < 0 else 0
    if tag == tags.BOOL or tag == tags.NULL:
        return 0
    # As if it were trusted: the names in it are checked when it is written.
    end, after = copy_document(block, at, tag, columns.arena, o, limit, (False, True, False), scratch)
    return end if end < 0 else after - o


@inlined
def _put_json(
    block: Bytes, at: int, field: int, fields: Fields, columns: Columns, state: State, scratch: Scratch
) -> tuple[int, int, int]:
    """Write a value as JSON: plain, typed, or as a member of the overflow column's object.

    Gives the position after the value (or IRREGULAR, GROW), the end in the arena, and the bytes that FIELD_LONGEST
    counts.
    """
    action = fields.facts[np.uint64(field), layout.FIELD_ACTION]
    column = fields.facts[np.uint64(field), layout.FIELD_COLUMN]
    tag = fields.facts[np.uint64(field), layout.FIELD_TAG]
    start = columns.facts[np.uint64(column), layout.COLUMN_START]
    limit = columns.facts[np.uint64(column), layout.COLUMN_LIMIT]
    o = start + columns.facts[np.uint64(column), layout.COLUMN_USED]
    size = 0
    if action != DOCUMENT:
        size = _observe_value(block, at, field, o, limit, fields, columns, scratch)
        if size < 0:
            return size, o, size
    if tag == tags.S or tag == tags.N or tag == tags.B:
        at -= 1  # copy_document begins at the quote, which is part of the field's spelling
    typed = action == TYPED
    if o + layout.ROOM > limit:
        return layout.GROW, o, size
    if typed:
        o = put_tag(columns.arena, o, tag)
    elif action == OVERFLOW:
        o = _put_member_name(o, field, fields, columns, state)
        if o < 0:
            return layout.GROW, o, size
    value = o
    # Names that no attribute can have are those of a change, such as its old image.
    image = byte(fields.spellings, fields.facts[np.uint64(field), layout.FIELD_START] + 1) == NOT_UTF8
    form = (typed, state[layout.TRUSTED] != 0, image)
    end, o = copy_document(block, at, tag, columns.arena, o, limit, form, scratch)
    if end < 0:
        return end, o, size
    if o + layout.ROOM > limit:
        return layout.GROW, o, size
    if action == DOCUMENT:
        size = o - value
    elif typed:
        put(columns.arena, o, CLOSE_MAP)
        o += 1
    else:
        if state[layout.OVERFLOW_BEGIN] < 0:
            state[layout.OVERFLOW_BEGIN] = columns.facts[np.uint64(column), layout.COLUMN_USED]
        columns.facts[np.uint64(column), layout.COLUMN_USED] = o - start
    return end, o, size


@inner
def _treat_nuls(begin: int, o: int, limit: int, field: int, fields: Fields, columns: Columns, state: State) -> int:
    """Apply the field's rule for NULs to the text arena[begin:o]; gives its end, GROW or HAS_NUL."""
    nuls = count_nuls(columns.arena, begin, o)
    if nuls == 0:
        return o
    policy = fields.facts[np.uint64(field), layout.FIELD_NUL_POLICY]
    if policy == layout.NUL_REFUSED:
        return layout.HAS_NUL
    fields.facts[np.uint64(field), layout.FIELD_NUL_SERIAL] = state[layout.SERIAL]
    state[layout.NUL_SERIAL] = state[layout.SERIAL]
    if policy == layout.NUL_DROPPED:
        return drop_nuls(columns.arena, begin, o)
    if policy == layout.NUL_KEPT:
        return o
    if o + 2 * nuls + layout.ROOM > limit:
        return layout.GROW
    return replace_nuls(columns.arena, begin, o, nuls)


@inlined
def decode_text(
    block: Bytes,
    at: int,
    field: int,
    row: int,
    fields: Fields,
    columns: Columns,
    state: State,
    scratch: Scratch,
) -> tuple[int, int]:
    """Decode a value at `at` that becomes text or bytes; (position after it, status)."""
    action = fields.facts[np.uint64(field), layout.FIELD_ACTION]
    column = fields.facts[np.uint64(field), layout.FIELD_COLUMN]
    begin = columns.facts[np.uint64(column), layout.COLUMN_START] + columns.facts[np.uint64(column), layout.COLUMN_USED]
    limit = columns.facts[np.uint64(column), layout.COLUMN_LIMIT]
    o = begin
    if action == TEXT:
        end, o = copy_string(block, at, columns.arena, o, limit, False)
        if end < 0:
            return at, end
        if o - begin != end - at:
            # There was an escape. JSON has a NUL only as one (RFC 8259, section 7).
            o = _treat_nuls(begin, o, limit, field, fields, columns, state)
            if o < 0:
                return at, o
        end += 1
        size = o - begin
    elif action == BINARY or action == BASE64_TEXT:
        end = token_end(block, at)
        if end < 0:
            return at, layout.IRREGULAR
        size = base64_size(block, at, end)
        if size < 0:
            return at, layout.IRREGULAR
        if action == BINARY:
            o = decode_base64(block, at, end, columns.arena, o, limit)
        else:
            o = copy_bytes(block, at, end, columns.arena, o, limit)
        if o < 0:
            return at, layout.GROW
        end += 1
    elif action == BOOL_TEXT:
        size = bool_size(block, at)
        if size < 0:
            return at, layout.IRREGULAR
        end = at + size
        o = copy_bytes(block, at, end, columns.arena, o, limit)
        if o < 0:
            return at, layout.GROW
        size = 0
    else:
        scratch.binary[np.uint64(0)] = 0
        end, o, size = _put_json(block, at, field, fields, columns, state, scratch)
        if end < 0:
            return at, end
        # A B that is the attribute itself is not inside of a document.
        if scratch.binary[np.uint64(0)] != 0 and fields.facts[np.uint64(field), layout.FIELD_TAG] != tags.B:
            fields.facts[np.uint64(field), layout.FIELD_BINARY_INSIDE] = 1
    raise_fact(fields, field, layout.FIELD_LONGEST, size)
    if column != 0 and action != OVERFLOW:
        mark_value(columns, column, row, o)
    return end, layout.DONE
