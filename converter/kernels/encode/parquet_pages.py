"""Kernels for Parquet pages: definition levels, values and statistics of one column, straight from the buffers.

A page, before compression, is

    bytes of the levels (4, little-endian) | levels | values

where the levels tell for each row whether it has a value, and only these values follow
(https://parquet.apache.org/docs/file-format/data-pages/encodings/).

Levels have the encoding RLE of bit width 1. A run of n equal levels is the varint n << 1 and a byte. k bytes of eight
levels each are the varint k << 1 | 1 and the bytes, which are those of the validity. The size of levels is proportional
to the number of their changes: a column that is nearly always null takes almost none.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.encode.bit_packing import (
    MINIBLOCK,
    bit_width,
    put_differences,
    put_packed,
    put_reversed,
    put_varint,
    put_zeros,
    value_size,
)
from converter.kernels.encode.min_max import update_min_max, update_min_max_of_bools, update_min_max_of_texts
from converter.kernels.encode.states import (
    PAGE_BYTE,
    PAGE_COMPATIBLE,
    PAGE_NEEDED,
    PAGE_ROW,
    PAGE_SAMPLE,
    PAGE_VALUE,
    PAGE_WRITTEN,
)
from converter.kernels.hashes import hash_bytes
from converter.kernels.layout import (
    COLUMN_BITS,
    COLUMN_PLAIN,
    COLUMN_PRESENT,
    COLUMN_START,
    COLUMN_STEP,
    COLUMN_USED,
    Columns,
    PageScratch,
    State,
    Words,
)
from converter.kernels.simd.words import Bytes, byte, copy_range, put
from converter.kernels.toolchain.decorators import inlined, inner, kernel

_RUN = 4
"""Bytes of equal levels, each of eight rows, that are worth a run of their own."""

_ONE = np.uint64(1)
_ZERO = np.uint64(0)

_COUNTS = np.array([bin(bits).count("1") for bits in range(256)], np.int64)


@inner
def _put_levels(columns: Columns, column: int, row: int, end: int, present: int, out: Bytes, o: int) -> int:
    """Write the levels of rows [row, end), of which `present` have a value, after their size; gives the end."""
    begin = o
    o += 4
    if present == end - row or present == 0:
        o = put_varint(out, o, np.uint64(end - row) << _ONE)
        put(out, o, 1 if present > 0 else 0)
        o += 1
    else:
        at = row >> 3
        full = end >> 3
        last = (end + 7) >> 3
        while at < last:
            equal = _equal_bytes(columns, column, at, full)
            if equal >= _RUN:
                o = put_varint(out, o, np.uint64(equal * 8) << _ONE)
                put(out, o, 1 if columns.validity[np.uint64(column), np.uint64(at)] != 0 else 0)
                o += 1
                at += equal
                continue
            start = at
            while at < last and (at == start or _equal_bytes(columns, column, at, min(at + _RUN, full)) < _RUN):
                at += 1
            o = put_varint(out, o, np.uint64(at - start) << _ONE | _ONE)
            for k in range(start, at):
                put(out, o, np.int64(columns.validity[np.uint64(column), np.uint64(k)]))
                o += 1
    _put_size(out, begin, o - begin - 4)
    return o


@inlined
def _put_size(out: Bytes, o: int, size: int) -> int:
    """Write a size as four bytes, little-endian; gives the end."""
    for k in range(4):
        put(out, o + k, size >> (8 * k) & 0xFF)
    return o + 4


@inner
def _put_texts(columns: Columns, column: int, begin: int, end: int, at: int, out: Bytes, o: int) -> int:
    """Write values [begin, end) of a text column, whose bytes begin at `at`, as PLAIN; gives the end."""
    for k in range(begin, end):
        size = value_size(columns, column, k)
        o = copy_range(out, _put_size(out, o, size), columns.arena, at, at + size)
        at += size
    return o


@inner
def _equal_bytes(columns: Columns, column: int, at: int, end: int) -> int:
    """Return how many bytes of levels in [at, end) are 0, or 0xFF, as the first one is; 0 if that is another byte."""
    if at >= end:
        return 0
    first = columns.validity[np.uint64(column), np.uint64(at)]
    if first != 0 and first != 0xFF:
        return 0
    k = at + 1
    while k < end and columns.validity[np.uint64(column), np.uint64(k)] == first:
        k += 1
    return k - at


@inner
def _page_end(columns: Columns, column: int, rows: int, limit: int, state: State) -> tuple[int, int, int]:
    """Return (row, value, byte) of the end of a page of about `limit` bytes, which begins where the state is."""
    row = state[PAGE_ROW]
    value = state[PAGE_VALUE]
    at = state[PAGE_BYTE]
    full = at + limit
    bits = columns.facts[np.uint64(column), COLUMN_BITS]
    present = columns.facts[np.uint64(column), COLUMN_PRESENT]
    end = present * (bits >> 3) if bits > 0 else columns.facts[np.uint64(column), COLUMN_USED]
    if end < full:
        return rows, present, end
    while row < rows and at < full:
        count = _COUNTS[np.uint64(columns.validity[np.uint64(column), np.uint64(row >> 3)])]
        if bits > 0:
            at += count * (bits >> 3)
        else:
            for k in range(value, value + count):
                at += value_size(columns, column, k)
        value += count
        row += 8
    return min(row, rows), value, at


@kernel
def encode_page(
    columns: Columns,
    column: int,
    rows: int,
    limit: int,
    numbers: Words,
    out: Bytes,
    begin: int,
    state: State,
) -> None:
    """Write the next page of a column, of about `limit` bytes of values, to out[begin:]; the state moves to its end.

    int64 and dates become DELTA_BINARY_PACKED, and decimals, bools and doubles PLAIN. Text becomes DELTA_BYTE_ARRAY
    with prefixes of length 0: zeros, lengths, and the bytes of all values. DELTA_LENGTH_BYTE_ARRAY would omit the
    zeros, and Spark 3.5 misreads it (https://issues.apache.org/jira/browse/SPARK-52240). With state[PAGE_COMPATIBLE]
    all are PLAIN.

    The state has minimum and maximum of all pages so far. numbers: room for 128. If `out` is too small, nothing is
    written, and state[PAGE_NEEDED] is how many bytes it must have after `begin`.
    """
    row = state[PAGE_ROW]
    value = state[PAGE_VALUE]
    at = state[PAGE_BYTE]
    bits = columns.facts[np.uint64(column), COLUMN_BITS]
    start = columns.facts[np.uint64(column), COLUMN_START]
    if bits == 1:
        row_end = rows
        value_end = columns.facts[np.uint64(column), COLUMN_PRESENT]
        end = (value_end + 7) >> 3
    else:
        row_end, value_end, end = _page_end(columns, column, rows, limit, state)
    needed = 512 + (row_end - row) // 2 + (end - at) + 10 * (value_end - value)
    state[PAGE_WRITTEN] = 0
    state[PAGE_NEEDED] = needed
    if begin + needed > out.size:
        return
    o = _put_levels(columns, column, row, row_end, value_end - value, out, begin)
    if bits == 128:
        for k in range(value, value_end):
            put_reversed(columns.arena, start + k * 16, out, o)
            o += 16
            update_min_max(columns, column, k * 16, 16, state)
    elif bits == 1 or columns.facts[np.uint64(column), COLUMN_PLAIN] != 0:
        o = copy_range(out, o, columns.arena, start + at, start + end)
        if bits == 1:
            if value_end & 7 != 0:
                put(out, o - 1, byte(out, o - 1) & (1 << (value_end & 7)) - 1)
            update_min_max_of_bools(columns, column, state)
        else:
            for k in range(value, value_end):
                update_min_max(columns, column, k * 8, 8, state)
    elif bits > 0:
        if state[PAGE_COMPATIBLE] != 0:
            o = copy_range(out, o, columns.arena, start + at, start + end)
        else:
            o = put_differences(columns, column, value, value_end, numbers, out, o)
        for k in range(value, value_end):
            update_min_max(columns, column, k * (bits >> 3), bits >> 3, state)
    else:
        if state[PAGE_COMPATIBLE] != 0:
            o = _put_texts(columns, column, value, value_end, start + at, out, o)
        else:
            o = put_zeros(value_end - value, out, o)
            o = put_differences(columns, column, value, value_end, numbers, out, o)
            o = copy_range(out, o, columns.arena, start + at, start + end)
        update_min_max_of_texts(columns, column, value, value_end, at, state)
    state[PAGE_ROW] = row_end
    state[PAGE_VALUE] = value_end
    state[PAGE_BYTE] = end
    state[PAGE_WRITTEN] = o - begin


@kernel
def encode_dictionary(
    columns: Columns, column: int, scratch: PageScratch, out: Bytes, begin: int, limit: int, state: State
) -> int:
    """Number the distinct values of a column; gives their count, or -1 if a dictionary is not worth it.

    It is not if more than a tenth of the first state[PAGE_SAMPLE] values are distinct, or if the distinct values don't
    fit scratch.entries or out[begin:limit].

    scratch.indices gets the number of each value, `out` the dictionary page, which is PLAIN, and the state its size
    with minimum and maximum. A column whose one value is in all rows has a dictionary of it.
    """
    slots, entries, indices = scratch.slots, scratch.entries, scratch.indices
    present = columns.facts[np.uint64(column), COLUMN_PRESENT]
    if columns.facts[np.uint64(column), COLUMN_STEP] == 0:
        for k in range(present):
            indices[np.uint64(k)] = 0
        present = np.int64(1)
    start = columns.facts[np.uint64(column), COLUMN_START]
    bits = columns.facts[np.uint64(column), COLUMN_BITS]
    most = min(entries.size, slots.size // 2)
    room = np.int64(2)
    while room <= 2 * min(present, most) and room < slots.size:
        room *= 2
    for k in range(room):
        slots[np.uint64(k)] = 0
    mask = room - 1
    sample = min(state[PAGE_SAMPLE], present)
    count = np.int64(0)
    at = np.int64(0)
    o = begin
    for k in range(present):
        size = value_size(columns, column, k)
        slot = np.int64(hash_bytes(columns.arena, start + at, size, scratch.secret) >> np.uint64(20)) & mask
        while True:
            entry = slots[np.uint64(slot)] - 1
            if entry < 0:
                break
            if _is_equal(columns, column, entries[np.uint64(entry)], at, size):
                break
            slot = (slot + 1) & mask
        if entry < 0:
            if count == most or (k < sample and count * 10 >= sample) or o + size + 80 > limit:
                return -1
            entry = count
            slots[np.uint64(slot)] = entry + 1
            entries[np.uint64(entry)] = at << 24 | size
            count += 1
            if bits == 128:
                put_reversed(columns.arena, start + at, out, o)
                o += 16
            else:
                if bits == 0:
                    o = _put_size(out, o, size)
                o = copy_range(out, o, columns.arena, start + at, start + at + size)
            update_min_max(columns, column, at, size, state)
        indices[np.uint64(k)] = entry
        at += size
    state[PAGE_WRITTEN] = o - begin
    return count


@inlined
def _is_equal(columns: Columns, column: int, entry: int, at: int, size: int) -> bool:
    """Return whether the value at `at` is equal to that of an entry, which is position << 24 | size."""
    if entry & 0xFFFFFF != size:
        return False
    start = columns.facts[np.uint64(column), COLUMN_START]
    other = start + (entry >> 24)
    for k in range(size):
        if byte(columns.arena, start + at + k) != byte(columns.arena, other + k):
            return False
    return True


@kernel
def encode_indices(
    columns: Columns,
    column: int,
    rows: int,
    entries: int,
    scratch: PageScratch,
    out: Bytes,
    begin: int,
    state: State,
) -> None:
    """Write the only data page of a column with a dictionary of `entries` entries to out[begin:], as RLE_DICTIONARY.

    That is the bit width in a byte, and one bit-packed run of all indices.
    """
    indices, numbers = scratch.indices, scratch.numbers
    present = columns.facts[np.uint64(column), COLUMN_PRESENT]
    width = bit_width(np.uint64(entries - 1))
    needed = 256 + rows // 2 + (present // 32 + 1) * 4 * width
    state[PAGE_WRITTEN] = 0
    state[PAGE_NEEDED] = needed
    if begin + needed > out.size:
        return
    o = _put_levels(columns, column, 0, rows, present, out, begin)
    put(out, o, width)
    o += 1
    o = put_varint(out, o, np.uint64((present + 31) // 32 * 4) << _ONE | _ONE)
    at = 0
    while at < present:
        for k in range(MINIBLOCK):
            numbers[np.uint64(k)] = np.uint64(indices[np.uint64(at + k)]) if at + k < present else _ZERO
        o = put_packed(numbers, 0, width, out, o)
        at += MINIBLOCK
    state[PAGE_WRITTEN] = o - begin
