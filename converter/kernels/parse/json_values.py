"""Kernels for JSON values that are checked and not kept: any value, as strictly as `strict_lines.py` checks it."""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import (
    CLOSE_MAP,
    COLON,
    COMMA,
    DIGIT_0,
    MINUS,
    OPEN_LIST,
    OPEN_MAP,
    PLUS,
    POINT,
    QUOTE,
)
from converter.kernels.hashes import has_duplicates, hash_bytes
from converter.kernels.layout import IRREGULAR, Scratch
from converter.kernels.parse.strings import string_end, token_end
from converter.kernels.parse.utf8 import is_utf8
from converter.kernels.simd.words import Bytes, byte, word
from converter.kernels.toolchain.decorators import inner
from converter.kernels.value_limits import DEPTH

_TRUE = np.uint64(int.from_bytes(b"true", "little"))
_NULL = np.uint64(int.from_bytes(b"null", "little"))
_FALSE = np.uint64(int.from_bytes(b"false", "little"))
_FOUR_BYTES = np.uint64(0xFFFFFFFF)
_FIVE_BYTES = np.uint64(0xFFFFFFFFFF)


@inner
def _name_end(data: Bytes, at: int) -> int:
    """Return the position of the quote that closes the name with its body at `at`, or IRREGULAR; escapes are."""
    end = token_end(data, at)
    return end if end >= 0 and is_utf8(data, at, end) else IRREGULAR


@inner
def _digits_end(data: Bytes, at: int) -> int:
    """Return the position after the digits at `at`, which is `at` itself without any."""
    while DIGIT_0 <= byte(data, at) <= DIGIT_0 + 9:
        at += 1
    return at


@inner
def _number_end(data: Bytes, at: int) -> int:
    """Return the position after the JSON number at `at` (RFC 8259, section 6), or IRREGULAR."""
    if byte(data, at) == MINUS:
        at += 1
    end = _digits_end(data, at)
    if end == at or (byte(data, at) == DIGIT_0 and end > at + 1):
        return IRREGULAR
    if byte(data, end) == POINT:
        at = end + 1
        end = _digits_end(data, at)
        if end == at:
            return IRREGULAR
    if byte(data, end) | 0x20 == 0x65:
        at = end + 1
        if byte(data, at) == PLUS or byte(data, at) == MINUS:
            at += 1
        end = _digits_end(data, at)
        if end == at:
            return IRREGULAR
    return end


@inner
def _scalar_end(data: Bytes, at: int) -> int:
    """Return the position after the string, number, true, false or null at `at`, or IRREGULAR."""
    if byte(data, at) == QUOTE:
        end = string_end(data, at + 1)
        return end + 1 if end >= 0 else IRREGULAR
    bits = word(data, at)
    if bits & _FOUR_BYTES == _TRUE or bits & _FOUR_BYTES == _NULL:
        return at + 4
    if bits & _FIVE_BYTES == _FALSE:
        return at + 5
    return _number_end(data, at)


@inner
def json_end(data: Bytes, at: int, scratch: Scratch) -> int:
    """Return the position after the JSON value at `at`, or IRREGULAR.

    Python checks white space between tokens, names with escapes, more than DEPTH levels, and objects with more names
    than the scratch has room for.
    """
    depth = 0
    used = 0  # names in all open objects
    while True:
        c = byte(data, at)
        # A closing byte is its opening byte plus 2, of maps and of lists.
        if c == OPEN_MAP or c == OPEN_LIST:
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
            closing = depth > 0 and byte(data, at) != COMMA
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
            closing = depth > 0 and byte(data, at) != COMMA
            at += 0 if closing or depth == 0 else 1
        if depth == 0:
            return at
        if scratch.closers[np.uint64(depth - 1)] == CLOSE_MAP:
            if byte(data, at) != QUOTE or used >= scratch.names.size:
                return IRREGULAR
            end = _name_end(data, at + 1)
            if end < 0 or byte(data, end + 1) != COLON:
                return IRREGULAR
            scratch.names[np.uint64(used)] = hash_bytes(data, at, end - at, scratch.secret)
            used += 1
            at = end + 2
