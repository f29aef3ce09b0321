"""Kernels for the numbers of Parquet pages: varints, bit-packed numbers, differences, and big-endian decimals.

DELTA_BINARY_PACKED (https://parquet.apache.org/docs/file-format/data-pages/encodings/) has a header with the first
value, and blocks of 128 differences of adjacent values. In each block, the minimum is subtracted from the differences,
and its four miniblocks of 32 are packed with as many bits as their largest number needs:

    block size | miniblocks per block | values | first value, zigzag
    minimum, zigzag | 4 bit widths, a byte each | 4 miniblocks | ...

All arithmetic is modulo 2**64, as the format requires: differences may overflow.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.layout import COLUMN_BITS, COLUMN_LENGTHS, COLUMN_START, Columns, Words
from converter.kernels.simd.words import Bytes, put, put_int64, word
from converter.kernels.toolchain.decorators import inlined, inner

MINIBLOCK = 32
_BLOCK = 128

_ONE = np.uint64(1)
_ZERO = np.uint64(0)
_BYTE = np.uint64(0xFF)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_SIGN = np.uint64(1 << 63)
_EIGHT = np.uint64(8)


@inlined
def value_size(columns: Columns, column: int, value: int) -> int:
    """Return how many bytes value number `value` of a column takes in the arena. Not for columns of bits."""
    bits = columns.facts[np.uint64(column), COLUMN_BITS]
    if bits > 0:
        return bits >> 3
    return np.int64(columns.lengths[np.uint64(columns.facts[np.uint64(column), COLUMN_LENGTHS] + value)])


@inlined
def integer_at(data: Bytes, at: int, bits: int) -> int:
    """Return the signed integer of 32 or 64 bits at `at`."""
    value = np.int64(word(data, at))
    return value if bits == 64 else value << 32 >> 32


@inner
def put_varint(out: Bytes, o: int, value: np.uint64) -> int:
    """Write a number as ULEB128: seven bits a byte, the lowest first, and the top bit is 1 except in the last byte."""
    while value > np.uint64(0x7F):
        put(out, o, np.int64(value & np.uint64(0x7F)) | 0x80)
        value = value >> np.uint64(7)
        o += 1
    put(out, o, np.int64(value))
    return o + 1


@inner
def zigzag(value: np.uint64) -> np.uint64:
    """Return a signed number as an unsigned one that is small near zero: 0, -1, 1, -2 become 0, 1, 2, 3.

    (x << 1) ^ (x >> 63) with an arithmetic shift, which is all bits for negative numbers.
    """
    return (value << _ONE) ^ (_ALL if value & _SIGN != _ZERO else _ZERO)


@inlined
def _number(columns: Columns, column: int, value: int) -> np.uint64:
    """Return value number `value` of a column of integers, or its length in a text column."""
    bits = columns.facts[np.uint64(column), COLUMN_BITS]
    if bits == 0:
        return np.uint64(value_size(columns, column, value))
    start = columns.facts[np.uint64(column), COLUMN_START]
    return np.uint64(integer_at(columns.arena, start + value * (bits >> 3), bits))


@inner
def put_packed(numbers: Words, begin: int, width: int, out: Bytes, o: int) -> int:
    """Pack 32 numbers of `width` bits (0 to 64), lowest bits first; gives the end.

    `held` collects bits from the low end. Once it has 64, it is written, and begins with the high bits of the number
    that did not fit.
    """
    bits = np.int64(0)
    held = _ZERO
    for k in range(begin, begin + MINIBLOCK):
        number = numbers[np.uint64(k)]
        held |= number << np.uint64(bits)
        bits += width
        if bits >= 64:
            put_int64(out, o, np.int64(held))
            o += 8
            bits -= 64
            held = number >> np.uint64(width - bits) if bits > 0 else _ZERO
    while bits > 0:
        put(out, o, np.int64(held & _BYTE))
        held = held >> _EIGHT
        o += 1
        bits -= 8
    return o


@inner
def bit_width(number: np.uint64) -> int:
    """Return how many bits the number needs; 0 for 0."""
    bits = 0
    while number != _ZERO:
        number = number >> _ONE
        bits += 1
    return bits


@inner
def put_differences(columns: Columns, column: int, begin: int, end: int, numbers: Words, out: Bytes, o: int) -> int:
    """Write values [begin, end) of an int64 column, or their lengths in a text column, as DELTA_BINARY_PACKED."""
    o = put_varint(out, o, np.uint64(_BLOCK))
    o = put_varint(out, o, np.uint64(_BLOCK // MINIBLOCK))
    o = put_varint(out, o, np.uint64(end - begin))
    if begin == end:
        return put_varint(out, o, _ZERO)
    before = _number(columns, column, begin)
    o = put_varint(out, o, zigzag(before))
    at = begin + 1
    while at < end:
        count = min(end - at, _BLOCK)
        least = np.int64(0x7FFFFFFFFFFFFFFF)
        for k in range(count):
            number = _number(columns, column, at + k)
            difference = number - before
            before = number
            numbers[np.uint64(k)] = difference
            least = min(least, np.int64(difference))
        for k in range(count):
            numbers[np.uint64(k)] -= np.uint64(least)
        for k in range(count, _BLOCK):
            numbers[np.uint64(k)] = _ZERO
        o = put_varint(out, o, zigzag(np.uint64(least)))
        widths = o
        o += _BLOCK // MINIBLOCK
        for m in range(_BLOCK // MINIBLOCK):
            width = 0
            if m * MINIBLOCK < count:
                all_bits = _ZERO
                for k in range(m * MINIBLOCK, (m + 1) * MINIBLOCK):
                    all_bits |= numbers[np.uint64(k)]
                width = bit_width(all_bits)
                o = put_packed(numbers, m * MINIBLOCK, width, out, o)
            put(out, widths + m, width)
        at += count
    return o


@inner
def put_zeros(count: int, out: Bytes, o: int) -> int:
    """Write `count` zeros as DELTA_BINARY_PACKED; gives the end. Numbers of width 0 take no bytes."""
    o = put_varint(out, o, np.uint64(_BLOCK))
    o = put_varint(out, o, np.uint64(_BLOCK // MINIBLOCK))
    o = put_varint(out, o, np.uint64(count))
    put(out, o, 0)
    o += 1
    left = count - 1
    while left > 0:
        # The minimum, and the widths of four miniblocks.
        for k in range(5):
            put(out, o + k, 0)
        o += 5
        left -= _BLOCK
    return o


@inner
def put_reversed(data: Bytes, at: int, out: Bytes, o: int) -> None:
    """Write the 16 bytes at `at` in reverse order: Parquet has decimals as big-endian numbers."""
    low = reversed_bytes(word(data, at))
    high = reversed_bytes(word(data, at + 8))
    put_int64(out, o, np.int64(high))
    put_int64(out, o + 8, np.int64(low))


@inner
def reversed_bytes(number: np.uint64) -> np.uint64:
    """Return the eight bytes in reverse order: halves are swapped, then the 16-bit parts of each, then their bytes."""
    number = (number >> np.uint64(32)) | (number << np.uint64(32))
    number = (number >> np.uint64(16) & np.uint64(0x0000FFFF0000FFFF)) | (
        (number & np.uint64(0x0000FFFF0000FFFF)) << np.uint64(16)
    )
    return (number >> _EIGHT & np.uint64(0x00FF00FF00FF00FF)) | ((number & np.uint64(0x00FF00FF00FF00FF)) << _EIGHT)
