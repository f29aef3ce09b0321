"""Kernels for JSON that is checked and left out: any value, as strictly as `strict_lines.py` reads lines."""

from __future__ import annotations

import numpy as np

from converter.kernels.hashes import has_duplicates, hash_bytes
from converter.kernels.layout import IRREGULAR, Scratch
from converter.kernels.parse.strings import hex4, is_utf8
from converter.kernels.simd.words import Bytes, byte, high_mask, lowest_bit, special_mask, word
from converter.kernels.toolchain.decorators import inner
from converter.kernels.value_limits import DEPTH

_QUOTE = 0x22
_COMMA = 0x2C
_COLON = 0x3A
_BACKSLASH = 0x5C
_OPEN_MAP = 0x7B
_CLOSE_MAP = 0x7D
_OPEN_LIST = 0x5B
_CLOSE_LIST = 0x5D
_MINUS = 0x2D
_PLUS = 0x2B
_POINT = 0x2E
_ZERO = 0x30
_NOTHING = np.uint64(0)

_TRUE = np.uint64(int.from_bytes(b"true", "little"))
_NULL = np.uint64(int.from_bytes(b"null", "little"))
_FALSE = np.uint64(int.from_bytes(b"false", "little"))
_FOUR_BYTES = np.uint64(0xFFFFFFFF)
_FIVE_BYTES = np.uint64(0xFFFFFFFFFF)

_SHORT_ESCAPES = np.zeros(256, np.uint8)
for _letter in b'"\\/bfnrt':
    _SHORT_ESCAPES[_letter] = 1


@inner
def _escape_end(data: Bytes, at: int) -> int:
    """Position after the escape that begins with the backslash at `at`, or IRREGULAR; surrogates only in pairs."""
    letter = byte(data, at + 1)
    if letter != 0x75:
        return at + 2 if _SHORT_ESCAPES[np.uint64(letter)] == 1 else IRREGULAR
    point = hex4(data, at + 2)
    if point < 0 or 0xDC00 <= point < 0xE000:
        return IRREGULAR
    if point < 0xD800 or point >= 0xE000:
        return at + 6
    if byte(data, at + 6) != _BACKSLASH or byte(data, at + 7) != 0x75:
        return IRREGULAR
    low = hex4(data, at + 8)
    return at + 12 if 0xDC00 <= low < 0xE000 else IRREGULAR


@inner
def string_end(data: Bytes, at: int, escapes: bool) -> int:
    """Position of the quote that closes the string with the body at `at`, or IRREGULAR. escapes: may it have any?"""
    start = at
    high = False
    while True:
        special = special_mask(data, at)
        beyond_ascii = high_mask(data, at)
        if special == _NOTHING:
            high = high or beyond_ascii != _NOTHING
            at += 64
            continue
        high = high or beyond_ascii & ((special - np.uint64(1)) & ~special) != _NOTHING
        at += lowest_bit(special)
        c = byte(data, at)
        if c == _QUOTE:
            return IRREGULAR if high and not is_utf8(data, start, at) else at
        if c != _BACKSLASH or not escapes:
            return IRREGULAR
        at = _escape_end(data, at)
        if at < 0:
            return IRREGULAR


@inner
def _digits_end(data: Bytes, at: int) -> int:
    while _ZERO <= byte(data, at) <= _ZERO + 9:
        at += 1
    return at


@inner
def _number_end(data: Bytes, at: int) -> int:
    """Position after the JSON number at `at`, or IRREGULAR."""
    if byte(data, at) == _MINUS:
        at += 1
    end = _digits_end(data, at)
    if end == at or (byte(data, at) == _ZERO and end > at + 1):
        return IRREGULAR
    if byte(data, end) == _POINT:
        at = end + 1
        end = _digits_end(data, at)
        if end == at:
            return IRREGULAR
    if byte(data, end) | 0x20 == 0x65:
        at = end + 1
        if byte(data, at) == _PLUS or byte(data, at) == _MINUS:
            at += 1
        end = _digits_end(data, at)
        if end == at:
            return IRREGULAR
    return end


@inner
def _scalar_end(data: Bytes, at: int) -> int:
    """Position after the string, number, true, false or null at `at`, or IRREGULAR."""
    if byte(data, at) == _QUOTE:
        end = string_end(data, at + 1, True)
        return end + 1 if end >= 0 else IRREGULAR
    bits = word(data, at)
    if bits & _FOUR_BYTES == _TRUE or bits & _FOUR_BYTES == _NULL:
        return at + 4
    if bits & _FIVE_BYTES == _FALSE:
        return at + 5
    return _number_end(data, at)


@inner
def json_end(data: Bytes, at: int, scratch: Scratch) -> int:
    """Position after the JSON value at `at`; IRREGULAR unless it is valid for sure.

    What is left to Python: white space between tokens, names with escapes, more than DEPTH levels, and objects with
    more names than the scratch has room for.
    """
    depth = 0
    used = 0  # names in all open objects
    while True:
        c = byte(data, at)
        if c == _OPEN_MAP or c == _OPEN_LIST:
            if depth >= DEPTH:
                return IRREGULAR
            scratch.closers[np.uint64(depth)] = c + 2
            scratch.marks[np.uint64(depth)] = used
            depth += 1
            at += 1
            closing = byte(data, at) == c + 2
        else:
            at = _scalar_end(data, at)
            if at < 0:
                return IRREGULAR
            closing = depth > 0 and byte(data, at) != _COMMA
            at += 0 if closing or depth == 0 else 1
        while closing:
            if byte(data, at) != np.int64(scratch.closers[np.uint64(depth - 1)]):
                return IRREGULAR
            at += 1
            depth -= 1
            mark = scratch.marks[np.uint64(depth)]
            if used - mark > 1 and has_duplicates(scratch.names, mark, used):
                return IRREGULAR
            used = mark
            closing = depth > 0 and byte(data, at) != _COMMA
            at += 0 if closing or depth == 0 else 1
        if depth == 0:
            return at
        if scratch.closers[np.uint64(depth - 1)] == _CLOSE_MAP:
            if byte(data, at) != _QUOTE or used >= scratch.names.size:
                return IRREGULAR
            end = string_end(data, at + 1, False)
            if end < 0 or byte(data, end + 1) != _COLON:
                return IRREGULAR
            scratch.names[np.uint64(used)] = hash_bytes(data, at, end - at, scratch.secret)
            used += 1
            at = end + 2
