"""Kernels for one value of an item: from its text in the line to the buffers of its column."""

from __future__ import annotations

import numpy as np

from converter.kernels.layout import (
    COLUMN_LENGTHS,
    COLUMN_LIMIT,
    COLUMN_PRESENT,
    COLUMN_START,
    COLUMN_USED,
    DONE,
    FIELD_ACTION,
    FIELD_BEYOND_INT64,
    FIELD_BINARY_INSIDE,
    FIELD_COLUMN,
    FIELD_DECIMALS,
    FIELD_INTEGER_DIGITS,
    FIELD_LONGEST,
    FIELD_NAME_SIZE,
    FIELD_NUL_POLICY,
    FIELD_NUL_SERIAL,
    FIELD_SCALE,
    FIELD_START,
    FIELD_TAG,
    GROW,
    HAS_NUL,
    IRREGULAR,
    MISMATCH,
    NUL_DROPPED,
    NUL_KEPT,
    NUL_REFUSED,
    NUL_SERIAL,
    OVERFLOW_BEGIN,
    OVERFLOW_COLUMN,
    ROOM,
    SERIAL,
    TRUSTED,
    Columns,
    Fields,
    Scratch,
    State,
)
from converter.kernels.parse.documents import bool_size, copy_document, put_tag
from converter.kernels.parse.numbers import (
    fits_int64,
    normalise_number,
    plain_number,
    put_decimal,
    put_small_decimal,
    scaled_digits,
    small_integer,
)
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
from converter.kernels.simd.words import Bytes, byte, put, put_int64
from converter.kernels.toolchain.decorators import inlined, inner
from converter.kernels.value_actions import (
    BASE64_TEXT,
    BINARY,
    BOOL_TEXT,
    DECIMAL,
    DOCUMENT,
    INT64,
    OVERFLOW,
    SKIP_NULL,
    TEXT,
    TYPED,
)
from converter.schema import tags

_COMMA = 0x2C
_OPEN_MAP = 0x7B
_CLOSE_MAP = 0x7D
_NO_TEXT = 0xFF


@inlined
def mark_valid(columns: Columns, column: int, row: int) -> None:
    """Mark `row` of a column as present: its value is the one that was written last."""
    columns.validity[np.uint64(column), np.uint64(row >> 3)] |= np.uint8(1 << (row & 7))
    columns.facts[np.uint64(column), COLUMN_PRESENT] += 1


@inlined
def mark_value(columns: Columns, column: int, row: int, end: int) -> None:
    """Mark `row` of a text column as present: its value is what was written last, up to `end` in the arena."""
    used = end - columns.facts[np.uint64(column), COLUMN_START]
    place = columns.facts[np.uint64(column), COLUMN_LENGTHS] + columns.facts[np.uint64(column), COLUMN_PRESENT]
    columns.lengths[np.uint64(place)] = np.int32(used - columns.facts[np.uint64(column), COLUMN_USED])
    columns.facts[np.uint64(column), COLUMN_USED] = used
    mark_valid(columns, column, row)


@inlined
def decode_bool(block: Bytes, at: int, field: int, row: int, fields: Fields, columns: Columns) -> tuple[int, int]:
    """Decode `true` or `false` at `at`, for a NULL only `true`; (position after it, status DONE or IRREGULAR)."""
    size = bool_size(block, at)
    if size < 0 or (fields.facts[np.uint64(field), FIELD_ACTION] == SKIP_NULL and size != 4):
        return at, IRREGULAR
    column = fields.facts[np.uint64(field), FIELD_COLUMN]
    if column != 0:
        value = columns.facts[np.uint64(column), COLUMN_PRESENT]
        bits = columns.facts[np.uint64(column), COLUMN_START] + (value >> 3)
        others = byte(columns.arena, bits) & ~(1 << (value & 7))
        put(columns.arena, bits, others | (5 - size) << (value & 7))
        mark_valid(columns, column, row)
    return at + size, DONE


@inner
def read_number(
    block: Bytes, at: int, end: int, field: int, fields: Fields, scratch: Scratch
) -> tuple[Bytes, int, int, int, int]:
    """Observe the number block[at:end], in any spelling.

    Gives (array with its plain form, start and end there, integer digits, decimals). The integer digits are IRREGULAR
    if the text is not a number.
    """
    text = block
    start = at
    stop = end
    integers, decimals = plain_number(text, start, stop)
    if integers < 0:
        stop = normalise_number(block, at, end, scratch.number)
        if stop < 0:
            return text, start, end, integers, decimals
        text = scratch.number
        start = 0
        integers, decimals = plain_number(text, start, stop)
    if integers > fields.facts[np.uint64(field), FIELD_INTEGER_DIGITS]:
        fields.facts[np.uint64(field), FIELD_INTEGER_DIGITS] = integers
    if decimals > fields.facts[np.uint64(field), FIELD_DECIMALS]:
        fields.facts[np.uint64(field), FIELD_DECIMALS] = decimals
    if decimals == 0 and integers >= 19:
        beyond = integers > 19
        if not beyond:
            high, low, negative = scaled_digits(text, start, stop, 0)
            beyond = not fits_int64(high, low, negative)
        if beyond:
            fields.facts[np.uint64(field), FIELD_BEYOND_INT64] = 1
    return text, start, stop, integers, decimals


@inlined
def decode_number(
    block: Bytes, at: int, field: int, row: int, fields: Fields, columns: Columns, scratch: Scratch
) -> tuple[int, int]:
    """Decode the number at `at`, after its quote; (position after its closing quote, status).

    A short number in plain form is read and stored at once. Others are normalised and checked against the column first.
    """
    action = fields.facts[np.uint64(field), FIELD_ACTION]
    column = fields.facts[np.uint64(field), FIELD_COLUMN]
    end = token_end(block, at)
    if end < 0:
        return at, IRREGULAR
    o = columns.facts[np.uint64(column), COLUMN_START]
    present = columns.facts[np.uint64(column), COLUMN_PRESENT]
    scale = fields.facts[np.uint64(field), FIELD_SCALE]
    if action == INT64:
        value, fine = small_integer(block, at, end)
        if fine:
            put_int64(columns.arena, o + present * 8, value)
            mark_valid(columns, column, row)
            digits = end - at - (1 if value < 0 else 0)
            if value != 0 and digits > fields.facts[np.uint64(field), FIELD_INTEGER_DIGITS]:
                fields.facts[np.uint64(field), FIELD_INTEGER_DIGITS] = digits
            return end + 1, DONE
    elif action == DECIMAL:
        integers, decimals = put_small_decimal(block, at, end, scale, columns.arena, o + present * 16)
        if integers >= 0:
            mark_valid(columns, column, row)
            if integers > fields.facts[np.uint64(field), FIELD_INTEGER_DIGITS]:
                fields.facts[np.uint64(field), FIELD_INTEGER_DIGITS] = integers
            if decimals > fields.facts[np.uint64(field), FIELD_DECIMALS]:
                fields.facts[np.uint64(field), FIELD_DECIMALS] = decimals
            return end + 1, DONE
    text, start, stop, integers, decimals = read_number(block, at, end, field, fields, scratch)
    if integers < 0:
        return at, IRREGULAR
    if action == INT64:
        if decimals > 0 or integers > 19:
            return at, MISMATCH
        high, low, negative = scaled_digits(text, start, stop, 0)
        if not fits_int64(high, low, negative):
            return at, MISMATCH
        put_int64(columns.arena, o + present * 8, -np.int64(low) if negative != 0 else np.int64(low))
        mark_valid(columns, column, row)
    elif action == DECIMAL:
        if decimals > scale or integers + scale > 38:
            return at, MISMATCH
        put_decimal(text, start, stop, scale, columns.arena, o + present * 16)
        mark_valid(columns, column, row)
    else:
        o = copy_bytes(
            text,
            start,
            stop,
            columns.arena,
            o + columns.facts[np.uint64(column), COLUMN_USED],
            columns.facts[np.uint64(column), COLUMN_LIMIT],
        )
        if o < 0:
            return at, GROW
        if column != 0:
            mark_value(columns, column, row, o)
    return end + 1, DONE


@inner
def _put_member_name(o: int, field: int, fields: Fields, columns: Columns, state: State) -> int:
    """Write `{"name":` or `,"name":` of an overflowing attribute to arena[o:]; gives the end or GROW."""
    start = fields.facts[np.uint64(field), FIELD_START]
    size = fields.facts[np.uint64(field), FIELD_NAME_SIZE]
    put(columns.arena, o, _COMMA if state[OVERFLOW_BEGIN] >= 0 else _OPEN_MAP)
    limit = columns.facts[np.uint64(fields.facts[np.uint64(field), FIELD_COLUMN]), COLUMN_LIMIT]
    return copy_bytes(fields.spellings, start, start + size, columns.arena, o + 1, limit)


@inner
def close_overflow(row: int, columns: Columns, state: State) -> None:
    """Close the item's object in the overflow column. Each value in it has left room for the brace."""
    column = state[OVERFLOW_COLUMN]
    end = columns.facts[np.uint64(column), COLUMN_START] + columns.facts[np.uint64(column), COLUMN_USED]
    put(columns.arena, end, _CLOSE_MAP)
    columns.facts[np.uint64(column), COLUMN_USED] = state[OVERFLOW_BEGIN]
    mark_value(columns, column, row, end + 1)
    state[OVERFLOW_BEGIN] = -1


@inner
def _observe_value(
    block: Bytes, at: int, field: int, o: int, limit: int, fields: Fields, columns: Columns, scratch: Scratch
) -> int:
    """Observe a value that is going to be written as JSON as if it had a column of its own, in the room after `o`.

    Gives its bytes as FIELD_LONGEST counts them, IRREGULAR or GROW.
    """
    tag = fields.facts[np.uint64(field), FIELD_TAG]
    if tag == tags.S:
        end, after = copy_string(block, at, columns.arena, o, limit, False)
        return end if end < 0 else after - o
    if tag == tags.N or tag == tags.B:
        end = token_end(block, at)
        if end < 0:
            return IRREGULAR
        if tag == tags.B:
            return base64_size(block, at, end)
        _, _, _, integers, _ = read_number(block, at, end, field, fields, scratch)
        return IRREGULAR if integers < 0 else 0
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
    action = fields.facts[np.uint64(field), FIELD_ACTION]
    column = fields.facts[np.uint64(field), FIELD_COLUMN]
    tag = fields.facts[np.uint64(field), FIELD_TAG]
    start = columns.facts[np.uint64(column), COLUMN_START]
    limit = columns.facts[np.uint64(column), COLUMN_LIMIT]
    o = start + columns.facts[np.uint64(column), COLUMN_USED]
    size = 0
    if action != DOCUMENT:
        size = _observe_value(block, at, field, o, limit, fields, columns, scratch)
        if size < 0:
            return size, o, size
    if tag == tags.S or tag == tags.N or tag == tags.B:
        at -= 1  # copy_document begins at the quote, which is part of the field's spelling
    typed = action == TYPED
    if o + ROOM > limit:
        return GROW, o, size
    if typed:
        o = put_tag(columns.arena, o, tag)
    elif action == OVERFLOW:
        o = _put_member_name(o, field, fields, columns, state)
        if o < 0:
            return GROW, o, size
    value = o
    # Names that no attribute can have are those of a change, such as its old image.
    image = byte(fields.spellings, fields.facts[np.uint64(field), FIELD_START] + 1) == _NO_TEXT
    form = (typed, state[TRUSTED] != 0, image)
    end, o = copy_document(block, at, tag, columns.arena, o, limit, form, scratch)
    if end < 0:
        return end, o, size
    if o + ROOM > limit:
        return GROW, o, size
    if action == DOCUMENT:
        size = o - value
    elif typed:
        put(columns.arena, o, _CLOSE_MAP)
        o += 1
    else:
        if state[OVERFLOW_BEGIN] < 0:
            state[OVERFLOW_BEGIN] = columns.facts[np.uint64(column), COLUMN_USED]
        columns.facts[np.uint64(column), COLUMN_USED] = o - start
    return end, o, size


@inner
def _treat_nuls(begin: int, o: int, limit: int, field: int, fields: Fields, columns: Columns, state: State) -> int:
    """Apply the field's rule for NULs to the text arena[begin:o]; gives its end, GROW or HAS_NUL."""
    nuls = count_nuls(columns.arena, begin, o)
    if nuls == 0:
        return o
    policy = fields.facts[np.uint64(field), FIELD_NUL_POLICY]
    if policy == NUL_REFUSED:
        return HAS_NUL
    fields.facts[np.uint64(field), FIELD_NUL_SERIAL] = state[SERIAL]
    state[NUL_SERIAL] = state[SERIAL]
    if policy == NUL_DROPPED:
        return drop_nuls(columns.arena, begin, o)
    if policy == NUL_KEPT:
        return o
    if o + 2 * nuls + ROOM > limit:
        return GROW
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
    action = fields.facts[np.uint64(field), FIELD_ACTION]
    column = fields.facts[np.uint64(field), FIELD_COLUMN]
    begin = columns.facts[np.uint64(column), COLUMN_START] + columns.facts[np.uint64(column), COLUMN_USED]
    limit = columns.facts[np.uint64(column), COLUMN_LIMIT]
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
            return at, IRREGULAR
        size = base64_size(block, at, end)
        if size < 0:
            return at, IRREGULAR
        if action == BINARY:
            o = decode_base64(block, at, end, columns.arena, o, limit)
        else:
            o = copy_bytes(block, at, end, columns.arena, o, limit)
        if o < 0:
            return at, GROW
        end += 1
    elif action == BOOL_TEXT:
        size = bool_size(block, at)
        if size < 0:
            return at, IRREGULAR
        end = at + size
        o = copy_bytes(block, at, end, columns.arena, o, limit)
        if o < 0:
            return at, GROW
        size = 0
    else:
        scratch.binary[np.uint64(0)] = 0
        end, o, size = _put_json(block, at, field, fields, columns, state, scratch)
        if end < 0:
            return at, end
        # A B that is the attribute itself is not inside of a document.
        if scratch.binary[np.uint64(0)] != 0 and fields.facts[np.uint64(field), FIELD_TAG] != tags.B:
            fields.facts[np.uint64(field), FIELD_BINARY_INSIDE] = 1
    if size > fields.facts[np.uint64(field), FIELD_LONGEST]:
        fields.facts[np.uint64(field), FIELD_LONGEST] = size
    if column != 0 and action != OVERFLOW:
        mark_value(columns, column, row, o)
    return end, DONE
