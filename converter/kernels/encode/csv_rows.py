"""Kernel for CSV (RFC 4180 with LF): rows of a batch, whose columns are text, or typed if Parquet is written as well.

A field is quoted only if a reader could misread it without the quotes:

- it has a quote, a comma, CR, LF, or a NUL, after which Treasure Data's parser silently drops the rest of an unquoted
  last field;
- it begins or ends with a byte up to 0x20: ClickHouse trims blanks and tabs of unquoted fields, Java's parsers all of
  these;
- it begins with a backslash (`\\N` is null for ClickHouse and Snowflake, `\\.` ends the data for PostgreSQL), with a
  single quote (DuckDB's sniffer and older ClickHouse read it as the quote), or with # (a comment for some readers);
- it is a word for null, such as NULL, NaN or N/A, in any case: Arrow and MySQL read these as null if unquoted.

The empty string is `""` and null is empty, so that readers can distinguish them.

For CSV alone, numbers are decoded as text, so that no number is too wide for its column. For both formats, they are
decoded as Parquet needs them, and written as digits here. To parse typed values from text instead would need a second
set of buffers and take as long: 8 ns for an int64 in both directions, 15 to 30 ns for a decimal.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import COMMA, NEWLINE, QUOTE
from converter.kernels.encode.bit_packing import integer_at, value_size
from converter.kernels.encode.number_text import put_integer, put_scaled
from converter.kernels.encode.states import (
    CSV_EMPTY_LINE,
    CSV_NEEDED,
    CSV_QUOTED_FIRST,
    CSV_ROW,
    CSV_WRITTEN,
    NULL_WORDS,
)
from converter.kernels.layout import (
    COLUMN_BITS,
    COLUMN_FORM,
    COLUMN_NEXT,
    COLUMN_NEXT_BYTE,
    COLUMN_SCALE,
    COLUMN_START,
    COLUMN_STEP,
    Columns,
    State,
)
from converter.kernels.parse.calendar import put_date, put_iso
from converter.kernels.parse.strings import encode_base64
from converter.kernels.simd.words import Bytes, byte, copy64, csv_mask, lowest_bit, put, put_int64, word
from converter.kernels.toolchain.decorators import inlined, inner, kernel
from converter.kernels.value_actions import AS_BASE64, AS_TIME

_ONE = np.uint64(1)
_LAST_BLANK = 0x20
_NINE = 0x39
_QUOTED, _WORD, _BLANK = 1, 2, 4
# A field may have to be quoted if its first and its last byte have a bit in common. One `&` decides for most fields;
# branches on the first byte would be mispredicted, because numbers begin with any digit.
_FIRST = np.full(256, _BLANK, np.uint8)
_FIRST[: _LAST_BLANK + 1] |= _QUOTED
for _letter in CSV_QUOTED_FIRST.encode():
    _FIRST[_letter] |= _QUOTED
for _letter in b"nN-1":
    _FIRST[_letter] |= _WORD
_LAST = np.full(256, _QUOTED, np.uint8)
_LAST[_NINE + 1 :] |= _WORD
_LAST[: _LAST_BLANK + 1] |= _BLANK
_NULL_WORDS = np.array([int.from_bytes(text.encode(), "little") for text in NULL_WORDS], np.uint64)
_LOWER = np.uint64(0x2020202020202020)
_LONGEST_WORD = 8
_COMMAS = np.full(64, COMMA, np.uint8)
_TRUE = int.from_bytes(b"true", "little")
_FALSE = int.from_bytes(b"false", "little")


@inner
def _put_quoted(data: Bytes, at: int, size: int, out: Bytes, o: int) -> int:
    """Write a field in quotes, with its quotes doubled; gives the end."""
    put(out, o, QUOTE)
    o += 1
    for k in range(at, at + size):
        c = byte(data, k)
        if c == QUOTE:
            put(out, o, QUOTE)
            o += 1
        put(out, o, c)
        o += 1
    put(out, o, QUOTE)
    return o + 1


@inner
def _is_null_word(data: Bytes, at: int, size: int) -> bool:
    """Return whether some readers read data[at : at + size] as null, in any case of letters.

    `| 0x20` makes letters lowercase, and leaves digits and the other bytes of such words as they are.
    """
    if size > _LONGEST_WORD:
        return False
    unused = np.uint64(8 * (_LONGEST_WORD - size))
    text = ((word(data, at) | _LOWER) << unused) >> unused
    for k in range(_NULL_WORDS.size):
        if text == _NULL_WORDS[np.uint64(k)]:
            return True
    return False


@inlined
def _looks_different(data: Bytes, at: int, size: int) -> bool:
    """Return whether a reader would trim or misread the field, although it has nothing that CSV itself quotes."""
    common = _FIRST[np.uint64(byte(data, at))] & _LAST[np.uint64(byte(data, at + size - 1))]
    return common != 0 and (common != _WORD or _is_null_word(data, at, size))


@inner
def put_field(data: Bytes, at: int, size: int, out: Bytes, o: int) -> int:
    """Write the field data[at : at + size] to out[o:], which has room for 2 * size + 64 bytes; gives the end."""
    if size == 0:
        put(out, o, QUOTE)
        put(out, o + 1, QUOTE)
        return o + 2
    if _looks_different(data, at, size):
        return _put_quoted(data, at, size, out, o)
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
def write_rows(columns: Columns, rows: int, enough: int, present: State, out: Bytes, state: State) -> None:
    """Write rows from state[CSV_ROW] on to `out` until all are written, there are `enough` bytes, or no room is left.

    The row that reaches `enough` bytes depends on the rows alone, not on the room in `out`, on batches, or on whether
    the columns are text. present: working memory, 64 numbers for each column, and 128 more.
    """
    count = len(columns.facts)
    o = state[CSV_WRITTEN]
    row = state[CSV_ROW]
    state[CSV_NEEDED] = 0
    listed = np.int64(-1)
    while row < rows:
        if row >> 6 != listed:
            listed = row >> 6
            _list_columns(columns, listed, present)
        first = (row & 63) * count
        end = first + present[np.uint64(64 * count + (row & 63))]
        needed = 64 + count
        for k in range(first, end):
            c = present[np.uint64(k)]
            needed += 2 * value_size(columns, c, columns.facts[np.uint64(c), COLUMN_NEXT]) + 66
        if o + needed > out.size:
            state[CSV_NEEDED] = needed
            break
        begin = o
        ended = np.int64(1)
        for k in range(first, end):
            c = present[np.uint64(k)]
            o = _put_commas(c - ended, out, o)
            o = _put_value(columns, c, out, o)
            columns.facts[np.uint64(c), COLUMN_NEXT] += columns.facts[np.uint64(c), COLUMN_STEP]
            ended = c
        o = _put_commas(count - ended, out, o)
        if o - begin < 2:
            o = begin
            state[CSV_EMPTY_LINE] = 1
            break
        put(out, o - 1, NEWLINE)
        row += 1
        if o >= enough:
            break
    state[CSV_ROW] = row
    state[CSV_WRITTEN] = o


@inner
def _list_columns(columns: Columns, group: int, present: State) -> None:
    """List the columns that have values in each row of this group of 64. Most sparse columns have none.

    With n columns, those of row r begin at present[r * n], and present[64 * n + r] is their number.
    """
    count = len(columns.facts)
    for r in range(64):
        present[np.uint64(64 * count + r)] = 0
    for c in range(1, count):
        rows = np.uint64(0)
        for k in range(8):
            eight = np.uint64(columns.validity[np.uint64(c), np.uint64(group * 8 + k)])
            rows |= eight << np.uint64(8 * k)
        while rows != np.uint64(0):
            r = lowest_bit(rows)
            rows &= rows - _ONE
            size = np.uint64(64 * count + r)
            present[np.uint64(r * count + present[size])] = c
            present[size] += 1


@inlined
def _put_commas(count: int, out: Bytes, o: int) -> int:
    """Write commas, and 64 bytes more at most; gives the end."""
    if count == 1:
        put(out, o, COMMA)
        return o + 1
    for k in range(0, count, 64):
        copy64(out, o + k, _COMMAS, 0)
    return o + count


@inner
def _put_quoted_word(out: Bytes, o: int) -> int:
    """Quote the four bytes at out[o:]; gives the end."""
    for k in range(4, 0, -1):
        put(out, o + k, byte(out, o + k - 1))
    put(out, o, QUOTE)
    put(out, o + 5, QUOTE)
    return o + 6


@inlined
def _put_value(columns: Columns, c: int, out: Bytes, o: int) -> int:
    """Write the next value of column c to out[o:]; gives the end."""
    bits = columns.facts[np.uint64(c), COLUMN_BITS]
    value = columns.facts[np.uint64(c), COLUMN_NEXT]
    start = columns.facts[np.uint64(c), COLUMN_START]
    if bits == 0:
        at = start + columns.facts[np.uint64(c), COLUMN_NEXT_BYTE]
        size = value_size(columns, c, value)
        columns.facts[np.uint64(c), COLUMN_NEXT_BYTE] += size * columns.facts[np.uint64(c), COLUMN_STEP]
        if columns.facts[np.uint64(c), COLUMN_FORM] == AS_BASE64 and size > 0:
            end = encode_base64(columns.arena, at, size, out, o)
            # Three bytes may be `null` in base64.
            return _put_quoted_word(out, o) if size == 3 and _is_null_word(out, o, 4) else end
        return put_field(columns.arena, at, size, out, o)
    if bits == 32:
        return put_date(out, o, integer_at(columns.arena, start + value * 4, bits))
    if bits == 64 and columns.facts[np.uint64(c), COLUMN_FORM] == AS_TIME:
        return put_iso(out, o, np.int64(word(columns.arena, start + value * 8)))
    if bits == 64:
        return put_integer(columns.arena, start + value * 8, out, o)
    if bits == 128:
        return put_scaled(columns.arena, start + value * 16, columns.facts[np.uint64(c), COLUMN_SCALE], out, o)
    if byte(columns.arena, start + (value >> 3)) >> (value & 7) & 1 != 0:
        put_int64(out, o, _TRUE)
        return o + 4
    put_int64(out, o, _FALSE)
    return o + 5
