"""Kernels that decode one number, bool or NULL of an item from its text in the line to the buffers of its column."""

from __future__ import annotations

import numpy as np

from converter.kernels import layout
from converter.kernels.layout import Columns, Fields, Scratch
from converter.kernels.parse.documents import bool_size
from converter.kernels.parse.numbers import (
    fits_int64,
    normalize_number,
    plain_number,
    put_decimal,
    put_small_decimal,
    scaled_digits,
    small_integer,
)
from converter.kernels.parse.strings import (
    copy_bytes,
    token_end,
)
from converter.kernels.simd.words import Bytes, byte, put, put_int64
from converter.kernels.toolchain.decorators import inlined, inner
from converter.kernels.value_actions import (
    DECIMAL,
    INT64,
    SKIP_NULL,
)


@inlined
def raise_fact(fields: Fields, field: int, fact: int, value: int) -> None:
    """Set a fact of a field to this value, unless it is higher."""
    if value > fields.facts[np.uint64(field), np.uint64(fact)]:
        fields.facts[np.uint64(field), np.uint64(fact)] = value


@inlined
def mark_valid(columns: Columns, column: int, row: int) -> None:
    """Mark `row` of a column as present: its value is the one that was written last."""
    columns.validity[np.uint64(column), np.uint64(row >> 3)] |= np.uint8(1 << (row & 7))
    columns.facts[np.uint64(column), layout.COLUMN_PRESENT] += 1


@inlined
def mark_value(columns: Columns, column: int, row: int, end: int) -> None:
    """Mark `row` of a text column as present: its value is what was written last, up to `end` in the arena."""
    used = end - columns.facts[np.uint64(column), layout.COLUMN_START]
    place = columns.facts[np.uint64(column), layout.COLUMN_LENGTHS]
    place += columns.facts[np.uint64(column), layout.COLUMN_PRESENT]
    columns.lengths[np.uint64(place)] = np.int32(used - columns.facts[np.uint64(column), layout.COLUMN_USED])
    columns.facts[np.uint64(column), layout.COLUMN_USED] = used
    mark_valid(columns, column, row)


@inlined
def decode_bool(block: Bytes, at: int, field: int, row: int, fields: Fields, columns: Columns) -> tuple[int, int]:
    """Decode `true` or `false` at `at`, for a NULL only `true`; (position after it, status DONE or IRREGULAR)."""
    size = bool_size(block, at)
    if size < 0 or (fields.facts[np.uint64(field), layout.FIELD_ACTION] == SKIP_NULL and size != 4):
        return at, layout.IRREGULAR
    column = fields.facts[np.uint64(field), layout.FIELD_COLUMN]
    if column != 0:
        value = columns.facts[np.uint64(column), layout.COLUMN_PRESENT]
        bits = columns.facts[np.uint64(column), layout.COLUMN_START] + (value >> 3)
        others = byte(columns.arena, bits) & ~(1 << (value & 7))
        put(columns.arena, bits, others | (5 - size) << (value & 7))
        mark_valid(columns, column, row)
    return at + size, layout.DONE


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
        stop = normalize_number(block, at, end, scratch.number)
        if stop < 0:
            return text, start, end, integers, decimals
        text = scratch.number
        start = 0
        integers, decimals = plain_number(text, start, stop)
    raise_fact(fields, field, layout.FIELD_INTEGER_DIGITS, integers)
    raise_fact(fields, field, layout.FIELD_DECIMALS, decimals)
    if decimals == 0 and integers >= 19:
        beyond = integers > 19
        if not beyond:
            high, low, negative = scaled_digits(text, start, stop, 0)
            beyond = not fits_int64(high, low, negative)
        if beyond:
            fields.facts[np.uint64(field), layout.FIELD_BEYOND_INT64] = 1
    return text, start, stop, integers, decimals


@inlined
def decode_number(
    block: Bytes, at: int, field: int, row: int, fields: Fields, columns: Columns, scratch: Scratch
) -> tuple[int, int]:
    """Decode the number at `at`, after its quote; (position after its closing quote, status).

    A short number in plain form is read and stored at once. Others are normalized and checked against the column first.
    """
    action = fields.facts[np.uint64(field), layout.FIELD_ACTION]
    column = fields.facts[np.uint64(field), layout.FIELD_COLUMN]
    end = token_end(block, at)
    if end < 0:
        return at, layout.IRREGULAR
    o = columns.facts[np.uint64(column), layout.COLUMN_START]
    present = columns.facts[np.uint64(column), layout.COLUMN_PRESENT]
    scale = fields.facts[np.uint64(field), layout.FIELD_SCALE]
    if action == INT64:
        value, fine = small_integer(block, at, end)
        if fine:
            put_int64(columns.arena, o + present * 8, value)
            mark_valid(columns, column, row)
            digits = end - at - (1 if value < 0 else 0)
            if value != 0:
                raise_fact(fields, field, layout.FIELD_INTEGER_DIGITS, digits)
            return end + 1, layout.DONE
    elif action == DECIMAL:
        integers, decimals = put_small_decimal(block, at, end, scale, columns.arena, o + present * 16)
        if integers >= 0:
            mark_valid(columns, column, row)
            raise_fact(fields, field, layout.FIELD_INTEGER_DIGITS, integers)
            raise_fact(fields, field, layout.FIELD_DECIMALS, decimals)
            return end + 1, layout.DONE
    text, start, stop, integers, decimals = read_number(block, at, end, field, fields, scratch)
    if integers < 0:
        return at, layout.IRREGULAR
    if action == INT64:
        if decimals > 0 or integers > 19:
            return at, layout.MISMATCH
        high, low, negative = scaled_digits(text, start, stop, 0)
        if not fits_int64(high, low, negative):
            return at, layout.MISMATCH
        put_int64(columns.arena, o + present * 8, -np.int64(low) if negative != 0 else np.int64(low))
        mark_valid(columns, column, row)
    elif action == DECIMAL:
        if decimals > scale or integers + scale > 38:
            return at, layout.MISMATCH
        put_decimal(text, start, stop, scale, columns.arena, o + present * 16)
        mark_valid(columns, column, row)
    else:
        o = copy_bytes(
            text,
            start,
            stop,
            columns.arena,
            o + columns.facts[np.uint64(column), layout.COLUMN_USED],
            columns.facts[np.uint64(column), layout.COLUMN_LIMIT],
        )
        if o < 0:
            return at, layout.GROW
        if column != 0:
            mark_value(columns, column, row, o)
    return end + 1, layout.DONE
