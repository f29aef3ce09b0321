"""Kernels for the column chunks of a row group: the pages of many columns in one call, page headers, and metadata.

A table with thousands of columns has as many chunks in each row group, most of them small: a call for each of them, and
an object for each number in their metadata, would take longer than their pages.

Headers and metadata are structs of https://github.com/apache/parquet-format (parquet.thrift), in Thrift's compact
protocol: a field is a byte with the distance from the number of the field before, and the type, and then the value.
Numbers are zigzag varints.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.encode.bit_packing import put_reversed, put_varint, zigzag
from converter.kernels.encode.parquet_pages import encode_dictionary, encode_indices, encode_page
from converter.kernels.encode.states import (
    CHUNK_AS_IT_IS,
    CHUNK_BEGINS,
    CHUNK_DATA,
    CHUNK_DICTIONARY,
    CHUNK_ENCODING,
    CHUNK_MAX_AT,
    CHUNK_MAX_SIZE,
    CHUNK_MIN_AT,
    CHUNK_MIN_SIZE,
    CHUNK_PACKED,
    CHUNK_PRESENT,
    CHUNK_RAW,
    DELTA_BINARY_PACKED,
    DELTA_BYTE_ARRAY,
    DICTIONARY,
    INDICES_FOLLOW,
    LONGEST_STATISTIC,
    MAX_AT,
    MAX_SIZE,
    MIN_AT,
    MIN_SIZE,
    NONE,
    PAGE_AS_IT_IS,
    PAGE_BEGIN,
    PAGE_BYTE,
    PAGE_CHUNK,
    PAGE_COLUMN,
    PAGE_COMPATIBLE,
    PAGE_COMPRESSION,
    PAGE_COUNT,
    PAGE_DICTIONARY,
    PAGE_ENCODING,
    PAGE_END,
    PAGE_ENTRIES,
    PAGE_FIRST,
    PAGE_HEADER_END,
    PAGE_IS_LAST,
    PAGE_LIMIT,
    PAGE_OFFSET,
    PAGE_PACKED,
    PAGE_ROW,
    PAGE_STAGE,
    PAGE_VALUE,
    PAGE_VALUES,
    PAGE_WRITTEN,
    PLAIN,
    RLE,
    RLE_DICTIONARY,
    VALUES_FOLLOW,
)
from converter.kernels.layout import (
    COLUMN_BITS,
    COLUMN_PLAIN,
    COLUMN_PRESENT,
    COLUMN_START,
    DONE,
    FULL,
    GROW,
    Columns,
    PageScratch,
    State,
    Table,
)
from converter.kernels.simd.words import Bytes, copy_range, put
from converter.kernels.toolchain.decorators import inner, kernel

_TINY = 10
"""Pages of up to this many bytes are not compressed: the smallest frame of zstd has as many."""
_BYTE_ARRAY = 6
_FIXED_LEN_BYTE_ARRAY = 7
_DOUBLE = 5
_I32 = 5
_I64 = 6

_ZERO = np.uint64(0)
_ONE = np.uint64(1)


@kernel
def encode_chunks(
    columns: Columns,
    last: int,
    rows: int,
    scratch: PageScratch,
    out: Bytes,
    pages: Table,
    chunks: Table,
    state: State,
) -> int:
    """Write pages of the columns from state[PAGE_COLUMN] on, to column `last`, not included: DONE, FULL or GROW.

    FULL: an eighth of `out` is used, or `pages` is full; the next call continues. GROW: `out` must have
    state[PAGE_NEEDED] bytes for the next page. `pages` gets the facts of the pages in `out`, `chunks` those of each
    column chunk. Encodings do not depend on the room in `out`, which must be more than twice state[PAGE_DICTIONARY].
    """
    state[PAGE_COUNT] = 0
    used = np.int64(0)
    while state[PAGE_COLUMN] < last:
        column = state[PAGE_COLUMN]
        if used > out.size >> 3 or state[PAGE_COUNT] + 2 > len(pages):
            return FULL
        if state[PAGE_STAGE] == CHUNK_BEGINS:
            used = _begin_chunk(columns, column, scratch, out, used, pages, chunks, state)
        chunk = np.uint64(column - state[PAGE_FIRST])
        encoding = chunks[chunk, CHUNK_ENCODING]
        row = state[PAGE_ROW]
        if state[PAGE_STAGE] == INDICES_FOLLOW:
            entries = state[PAGE_ENTRIES]
            encode_indices(columns, column, rows, entries, scratch, out, used, state)
            if state[PAGE_WRITTEN] > 0:
                state[PAGE_ROW] = rows
        else:
            encode_page(columns, column, rows, state[PAGE_LIMIT], scratch.numbers, out, used, state)
        if state[PAGE_WRITTEN] == 0:
            return FULL if state[PAGE_COUNT] > 0 else GROW
        used = _add_page(column, state[PAGE_ROW] - row, encoding, used, pages, state)
        if state[PAGE_ROW] == rows:
            page = np.uint64(state[PAGE_COUNT] - 1)
            pages[page, PAGE_IS_LAST] = 1
            alone = row == 0 and encoding != RLE_DICTIONARY
            pages[page, PAGE_AS_IT_IS] = 1 if alone and state[PAGE_WRITTEN] <= _TINY else 0
            for fact in range(4):
                chunks[chunk, np.uint64(CHUNK_MIN_AT + fact)] = state[np.uint64(MIN_AT + fact)]
            state[PAGE_COLUMN] += 1
            state[PAGE_STAGE] = CHUNK_BEGINS
    return DONE


@inner
def _begin_chunk(
    columns: Columns,
    column: int,
    scratch: PageScratch,
    out: Bytes,
    used: int,
    pages: Table,
    chunks: Table,
    state: State,
) -> int:
    """Write the dictionary of a column chunk if it saves bytes; gives the end in `out`."""
    bits = columns.facts[np.uint64(column), COLUMN_BITS]
    present = columns.facts[np.uint64(column), COLUMN_PRESENT]
    is_double = columns.facts[np.uint64(column), COLUMN_PLAIN] != 0
    _begin_pages(state)
    chunk = np.uint64(column - state[PAGE_FIRST])
    chunks[chunk, :] = 0
    chunks[chunk, CHUNK_PRESENT] = present
    chunks[chunk, CHUNK_DICTIONARY] = NONE
    chunks[chunk, CHUNK_DATA] = NONE
    state[PAGE_STAGE] = VALUES_FOLLOW
    if present > 0 and bits != 1 and not is_double:
        limit = used + state[PAGE_DICTIONARY]
        entries = encode_dictionary(columns, column, scratch, out, used, limit, state)
        if entries > 0:
            state[PAGE_STAGE] = INDICES_FOLLOW
            state[PAGE_ENTRIES] = entries
            chunks[chunk, CHUNK_ENCODING] = RLE_DICTIONARY
            return _add_page(column, entries, DICTIONARY, used, pages, state)
        _begin_pages(state)
    if state[PAGE_COMPATIBLE] != 0 or bits == 1 or bits == 128 or is_double:
        chunks[chunk, CHUNK_ENCODING] = PLAIN
    else:
        chunks[chunk, CHUNK_ENCODING] = DELTA_BYTE_ARRAY if bits == 0 else DELTA_BINARY_PACKED
    return used


@inner
def _begin_pages(state: State) -> None:
    """Go to the first row, without a minimum and a maximum."""
    state[PAGE_ROW] = 0
    state[PAGE_VALUE] = 0
    state[PAGE_BYTE] = 0
    state[MIN_AT] = NONE
    state[MAX_AT] = NONE
    state[MIN_SIZE] = 0
    state[MAX_SIZE] = 0


@inner
def _add_page(column: int, values: int, encoding: int, used: int, pages: Table, state: State) -> int:
    """Note the page that was written to `out`; gives its end."""
    page = np.uint64(state[PAGE_COUNT])
    end = used + state[PAGE_WRITTEN]
    state[PAGE_COUNT] += 1
    pages[page, PAGE_CHUNK] = column - state[PAGE_FIRST]
    pages[page, PAGE_BEGIN] = used
    pages[page, PAGE_END] = end
    pages[page, PAGE_VALUES] = values
    pages[page, PAGE_ENCODING] = encoding
    pages[page, PAGE_IS_LAST] = 0
    pages[page, PAGE_AS_IT_IS] = 0
    pages[page, PAGE_PACKED] = end - used
    return end


@kernel
def put_page_headers(pages: Table, chunks: Table, out: Bytes, state: State) -> int:
    """Write the headers of the pages to `out`, HEADER_ROOM each at most, and count bytes in `chunks`; gives the end.

    The chunks whose pages are all here, and that compression makes no smaller, are left as they are.
    """
    count = state[PAGE_COUNT]
    o = np.int64(0)
    page = np.int64(0)
    while page < count:
        chunk = pages[np.uint64(page), PAGE_CHUNK]
        end = page
        raw = np.int64(0)
        packed = np.int64(0)
        while end < count and pages[np.uint64(end), PAGE_CHUNK] == chunk:
            raw += pages[np.uint64(end), PAGE_END] - pages[np.uint64(end), PAGE_BEGIN]
            packed += pages[np.uint64(end), PAGE_PACKED]
            end += 1
        begins = chunks[np.uint64(chunk), CHUNK_RAW] == 0
        if begins and pages[np.uint64(end - 1), PAGE_IS_LAST] != 0 and packed >= raw:
            chunks[np.uint64(chunk), CHUNK_AS_IT_IS] = 1
        for k in range(page, end):
            o = _put_page_header(pages, k, chunks, out, o, state)
        page = end
    return o


@inner
def _put_page_header(pages: Table, page: int, chunks: Table, out: Bytes, o: int, state: State) -> int:
    """Write the header of a page, and count its bytes; gives the end."""
    begin = o
    p = np.uint64(page)
    chunk = np.uint64(pages[p, PAGE_CHUNK])
    raw = pages[p, PAGE_END] - pages[p, PAGE_BEGIN]
    as_it_is = chunks[chunk, CHUNK_AS_IT_IS]
    packed = raw if as_it_is != 0 else pages[p, PAGE_PACKED]
    is_dictionary = pages[p, PAGE_ENCODING] == DICTIONARY
    o = _put_number(out, o, 1, _I32, 2 if is_dictionary else 0)
    o = _put_number(out, o, 1, _I32, raw)
    o = _put_number(out, o, 1, _I32, packed)
    if is_dictionary:
        # Struct 7: the number of entries, PLAIN.
        put(out, o, 0x4C)
        o = _put_number(out, o + 1, 1, _I32, pages[p, PAGE_VALUES])
        o = _put_number(out, o, 1, _I32, PLAIN)
        chunks[chunk, CHUNK_DICTIONARY] = state[PAGE_OFFSET]
    else:
        # Struct 5: the number of values, their encoding, that of levels of definition and repetition.
        put(out, o, 0x2C)
        o = _put_number(out, o + 1, 1, _I32, pages[p, PAGE_VALUES])
        o = _put_number(out, o, 1, _I32, pages[p, PAGE_ENCODING])
        o = _put_number(out, o, 1, _I32, RLE)
        o = _put_number(out, o, 1, _I32, RLE)
        if chunks[chunk, CHUNK_DATA] == NONE:
            chunks[chunk, CHUNK_DATA] = state[PAGE_OFFSET]
    put(out, o, 0)
    put(out, o + 1, 0)
    o += 2
    pages[p, PAGE_AS_IT_IS] = as_it_is
    pages[p, PAGE_HEADER_END] = o
    chunks[chunk, CHUNK_RAW] += o - begin + raw
    chunks[chunk, CHUNK_PACKED] += o - begin + packed
    state[PAGE_OFFSET] += o - begin + packed
    return o


@inner
def _put_number(out: Bytes, o: int, distance: int, kind: int, value: int) -> int:
    """Write a field with a number; gives the end."""
    put(out, o, distance << 4 | kind)
    return put_varint(out, o + 1, zigzag(np.uint64(value)))


@kernel
def put_chunk_metadata(
    columns: Columns,
    last: int,
    rows: int,
    names: Bytes,
    name_ends: State,
    chunks: Table,
    out: Bytes,
    state: State,
) -> int:
    """Write the struct ColumnChunk of the columns from state[PAGE_COLUMN] on, to column `last`; gives the end.

    names: of the column of each chunk, one after the other, with room after them.
    `out` has room for METADATA_ROOM, the name and both statistics of each.
    """
    o = np.int64(0)
    for column in range(state[PAGE_COLUMN], last):
        chunk = np.uint64(column - state[PAGE_FIRST])
        name = name_ends[chunk - _ONE] if chunk > _ZERO else np.int64(0)
        has_dictionary = chunks[chunk, CHUNK_DICTIONARY] != NONE
        # Field 2 is an offset that is not used, field 3 the struct ColumnMetaData.
        o = _put_number(out, o, 2, _I64, 0)
        put(out, o, 0x1C)
        o = _put_number(out, o + 1, 1, _I32, _physical_type(columns, column))
        o = _put_encodings(out, o, chunks[chunk, CHUNK_ENCODING], has_dictionary)
        # A list of one text.
        put(out, o, 0x19)
        put(out, o + 1, 0x18)
        o = put_varint(out, o + 2, np.uint64(name_ends[chunk] - name))
        o = copy_range(out, o, names, name, name_ends[chunk])
        o = _put_number(out, o, 1, _I32, 0 if chunks[chunk, CHUNK_AS_IT_IS] != 0 else state[PAGE_COMPRESSION])
        o = _put_number(out, o, 1, _I64, rows)
        o = _put_number(out, o, 1, _I64, chunks[chunk, CHUNK_RAW])
        o = _put_number(out, o, 1, _I64, chunks[chunk, CHUNK_PACKED])
        o = _put_number(out, o, 2, _I64, chunks[chunk, CHUNK_DATA])
        if has_dictionary:
            o = _put_number(out, o, 2, _I64, chunks[chunk, CHUNK_DICTIONARY])
        put(out, o, 0x1C if has_dictionary else 0x3C)
        o = _put_statistics(columns, column, rows, chunks, chunk, out, o + 1)
        put(out, o, 0)
        put(out, o + 1, 0)
        o += 2
    return o


@inner
def _physical_type(columns: Columns, column: int) -> int:
    """Return Parquet's number of the type of a column's values."""
    bits = columns.facts[np.uint64(column), COLUMN_BITS]
    if bits == 0:
        return _BYTE_ARRAY
    if bits == 128:
        return _FIXED_LEN_BYTE_ARRAY
    if columns.facts[np.uint64(column), COLUMN_PLAIN] != 0:
        return _DOUBLE
    # BOOLEAN, INT32, INT64.
    return bits >> 5


@inner
def _put_encodings(out: Bytes, o: int, encoding: int, has_dictionary: bool) -> int:
    """Write the list of the encodings of levels, values and the dictionary, by ascending number; gives the end."""
    put(out, o, 0x19)
    put(out, o + 1, (3 if has_dictionary else 2) << 4 | _I32)
    o += 2
    if has_dictionary or encoding == PLAIN:
        o = put_varint(out, o, zigzag(np.uint64(PLAIN)))
    o = put_varint(out, o, zigzag(np.uint64(RLE)))
    if encoding != PLAIN:
        o = put_varint(out, o, zigzag(np.uint64(encoding)))
    return o


@inner
def _put_statistics(
    columns: Columns, column: int, rows: int, chunks: Table, chunk: np.uint64, out: Bytes, o: int
) -> int:
    """Write the fields and the end of the struct Statistics; gives the end."""
    o = _put_number(out, o, 3, _I64, rows - chunks[chunk, CHUNK_PRESENT])
    longest = max(chunks[chunk, CHUNK_MIN_SIZE], chunks[chunk, CHUNK_MAX_SIZE])
    if chunks[chunk, CHUNK_MIN_AT] != NONE and longest <= LONGEST_STATISTIC:
        # Field 5 is the maximum, 6 the minimum; 7 and 8 say that they are exact.
        put(out, o, 0x28)
        o = _put_statistic(columns, column, chunks[chunk, CHUNK_MAX_AT], chunks[chunk, CHUNK_MAX_SIZE], out, o + 1)
        put(out, o, 0x18)
        o = _put_statistic(columns, column, chunks[chunk, CHUNK_MIN_AT], chunks[chunk, CHUNK_MIN_SIZE], out, o + 1)
        put(out, o, 0x11)
        put(out, o + 1, 0x11)
        o += 2
    put(out, o, 0)
    return o + 1


@inner
def _put_statistic(columns: Columns, column: int, at: int, size: int, out: Bytes, o: int) -> int:
    """Write a minimum or maximum in the form of PLAIN, after its size; gives the end."""
    bits = columns.facts[np.uint64(column), COLUMN_BITS]
    begin = columns.facts[np.uint64(column), COLUMN_START] + at
    o = put_varint(out, o, np.uint64(size))
    if bits == 1:
        put(out, o, at)
        return o + 1
    if bits == 128:
        put_reversed(columns.arena, begin, out, o)
        return o + 16
    return copy_range(out, o, columns.arena, begin, begin + size)
