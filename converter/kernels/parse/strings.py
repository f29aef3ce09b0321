"""Kernels for strings: JSON string bodies with escapes, and base64.

Functions take positions in `data` and give positions. In place of one, IRREGULAR means that the text is not of the
form, and GROW that the target, which ends at `limit`, has no room.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import BACKSLASH, LETTER_U, QUOTE
from converter.kernels.layout import GROW, IRREGULAR, ROOM
from converter.kernels.parse.utf8 import is_utf8
from converter.kernels.simd.words import (
    Bytes,
    byte,
    copy64,
    copy_range,
    high_mask,
    lowest_bit,
    put,
    special_mask,
)
from converter.kernels.toolchain.decorators import inlined, inner

_ESCAPED = np.zeros(256, np.uint8)
for _letter, _character in zip(b'"\\/bfnrt', b'"\\/\b\f\n\r\t', strict=True):
    _ESCAPED[_letter] = _character

_HEX = np.full(256, 255, np.uint8)
for _digit in range(10):
    _HEX[0x30 + _digit] = _digit
for _digit in range(6):
    _HEX[0x41 + _digit] = _HEX[0x61 + _digit] = 10 + _digit

_LETTERS = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8)
_BASE64 = np.full(256, 255, np.uint8)
for _value, _letter in enumerate(_LETTERS):
    _BASE64[_letter] = _value
_PADDING = 0x3D


@inner
def hex_value(data: Bytes, at: int, digits: int) -> int:
    """Return the value of this many hexadecimal digits, or IRREGULAR."""
    value = 0
    for k in range(digits):
        digit = np.int64(_HEX[np.uint64(byte(data, at + k))])
        if digit > 15:
            return IRREGULAR
        value = value * 16 + digit
    return value


@inner
def low_surrogate(data: Bytes, at: int) -> int:
    """Return the low surrogate whose escape is at `at`, or IRREGULAR."""
    if byte(data, at) != BACKSLASH or byte(data, at + 1) != LETTER_U:
        return IRREGULAR
    low = hex_value(data, at + 2, 4)
    return low if 0xDC00 <= low < 0xE000 else IRREGULAR


@inner
def put_utf8(target: Bytes, o: int, point: int) -> int:
    """Write a code point as UTF-8: six bits in each byte after the first; gives the end."""
    if point < 0x80:
        put(target, o, point)
        return o + 1
    if point < 0x800:
        put(target, o, 0xC0 | point >> 6)
        put(target, o + 1, 0x80 | point & 0x3F)
        return o + 2
    if point < 0x10000:
        put(target, o, 0xE0 | point >> 12)
        put(target, o + 1, 0x80 | point >> 6 & 0x3F)
        put(target, o + 2, 0x80 | point & 0x3F)
        return o + 3
    put(target, o, 0xF0 | point >> 18)
    put(target, o + 1, 0x80 | point >> 12 & 0x3F)
    put(target, o + 2, 0x80 | point >> 6 & 0x3F)
    put(target, o + 3, 0x80 | point & 0x3F)
    return o + 4


@inner
def _read_escape(data: Bytes, at: int) -> tuple[int, int]:
    """Return (code point, bytes of the escape) for the backslash at `at`, or (IRREGULAR, 0).

    Surrogates only in pairs, as RFC 8259, section 7, has them: ten bits of the code point above U+FFFF in each.
    """
    none = (np.int64(IRREGULAR), np.int64(0))
    letter = byte(data, at + 1)
    if letter != LETTER_U:
        character = np.int64(_ESCAPED[np.uint64(letter)])
        return (character, np.int64(2)) if character != 0 else none
    point = np.int64(hex_value(data, at + 2, 4))
    if point < 0 or 0xDC00 <= point < 0xE000:
        return none
    if point < 0xD800 or point >= 0xE000:
        return point, np.int64(6)
    low = low_surrogate(data, at + 6)
    if low < 0:
        return none
    return 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00), np.int64(12)


@inner
def _copy_escape(data: Bytes, at: int, target: Bytes, o: int, raw: bool) -> tuple[int, int]:
    """Copy the escape at `at` as its character, or as spelled if `raw`; (position after it, end in the target)."""
    point, size = _read_escape(data, at)
    if point < 0:
        return IRREGULAR, o
    if not raw:
        return at + size, put_utf8(target, o, point)
    for k in range(size):
        put(target, o + k, byte(data, at + k))
    return at + size, o + size


@inlined
def copy_string(data: Bytes, at: int, target: Bytes, o: int, limit: int, raw: bool) -> tuple[int, int]:
    """Copy the body of the JSON string that begins at `at`, after its quote, to target[o:].

    Escapes become their characters, or stay if `raw`. Gives the position of the closing quote, and the end in the
    target. All 64 bytes are copied before it is known how many of them belong to the string: the next step, or the next
    value, overwrites the rest.
    """
    start = at
    high = np.uint64(0)
    while True:
        if o + ROOM > limit:
            return GROW, o
        special = special_mask(data, at)
        beyond_ascii = high_mask(data, at)
        copy64(target, o, data, at)
        if special == np.uint64(0):
            high |= beyond_ascii
            at += 64
            o += 64
            continue
        plain = lowest_bit(special)
        # The bits below the lowest one of `special`: x - 1 inverts it and those below, ~x keeps only the latter.
        high |= beyond_ascii & ((special - np.uint64(1)) & ~special)
        at += plain
        o += plain
        c = byte(data, at)
        if c == QUOTE:
            if high != np.uint64(0) and not is_utf8(data, start, at):
                return IRREGULAR, o
            return at, o
        if c != BACKSLASH:
            return IRREGULAR, o
        if o + ROOM > limit:
            return GROW, o
        at, o = _copy_escape(data, at, target, o, raw)
        if at < 0:
            return IRREGULAR, o


@inner
def count_nuls(data: Bytes, at: int, end: int) -> int:
    """Return the number of zero bytes in data[at:end]."""
    nuls = 0
    for k in range(at, end):
        if byte(data, k) == 0:
            nuls += 1
    return nuls


@inner
def drop_nuls(data: Bytes, at: int, end: int) -> int:
    """Remove the zero bytes from data[at:end]; gives the new end."""
    o = at
    for k in range(at, end):
        c = byte(data, k)
        if c != 0:
            put(data, o, c)
            o += 1
    return o


@inner
def replace_nuls(data: Bytes, at: int, end: int, nuls: int) -> int:
    """Replace the `nuls` zero bytes of data[at:end] by U+FFFD, which takes three bytes; gives the new end."""
    # From the end backward, so that no byte is overwritten before it has been moved.
    o = end + 2 * nuls
    for k in range(end - 1, at - 1, -1):
        c = byte(data, k)
        if c != 0:
            o -= 1
            put(data, o, c)
        else:
            o -= 3
            put(data, o, 0xEF)
            put(data, o + 1, 0xBF)
            put(data, o + 2, 0xBD)
    return end + 2 * nuls


@inner
def string_end(data: Bytes, at: int) -> int:
    """Return the position of the quote that closes the JSON string with its body at `at`, or IRREGULAR."""
    start = at
    high = np.uint64(0)
    while True:
        special = special_mask(data, at)
        beyond_ascii = high_mask(data, at)
        if special == np.uint64(0):
            high |= beyond_ascii
            at += 64
            continue
        high |= beyond_ascii & ((special - np.uint64(1)) & ~special)
        at += lowest_bit(special)
        c = byte(data, at)
        if c == QUOTE:
            if high != np.uint64(0) and not is_utf8(data, start, at):
                return IRREGULAR
            return at
        if c != BACKSLASH:
            return IRREGULAR
        point, size = _read_escape(data, at)
        if point < 0:
            return IRREGULAR
        at += size


@inlined
def token_end(data: Bytes, at: int) -> int:
    """Return the position of the quote that closes a string without escapes, or IRREGULAR. UTF-8 is not checked."""
    special = special_mask(data, at)
    while special == np.uint64(0):
        at += 64
        special = special_mask(data, at)
    end = at + lowest_bit(special)
    return end if byte(data, end) == QUOTE else IRREGULAR


@inlined
def copy_bytes(data: Bytes, at: int, end: int, target: Bytes, o: int, limit: int) -> int:
    """Copy data[at:end] to target[o:]; gives the end in the target, or GROW."""
    if o + (end - at) + ROOM > limit:
        return GROW
    return copy_range(target, o, data, at, end)


@inner
def base64_size(data: Bytes, at: int, end: int) -> int:
    """Return how many bytes the base64 text data[at:end] encodes, or IRREGULAR if it is not canonical.

    Canonical: the standard alphabet of RFC 4648, section 4, with padding, and bits that no byte uses are zero (3.5).
    """
    size = end - at
    if size == 0:
        return 0
    if size % 4 != 0:
        return IRREGULAR
    padding = 0
    while padding < 2 and byte(data, end - 1 - padding) == _PADDING:
        padding += 1
    for k in range(at, end - padding):
        if _BASE64[np.uint64(byte(data, k))] > 63:
            return IRREGULAR
    if padding > 0:
        # Otherwise the text would differ after it was decoded and encoded again.
        unused = 0x0F if padding == 2 else 0x03
        if np.int64(_BASE64[np.uint64(byte(data, end - 1 - padding))]) & unused != 0:
            return IRREGULAR
    return size // 4 * 3 - padding


@inner
def decode_base64(data: Bytes, at: int, end: int, target: Bytes, o: int, limit: int) -> int:
    """Decode data[at:end], which `base64_size` has accepted, to target[o:]; gives the end or GROW."""
    if o + (end - at) + ROOM > limit:
        return GROW
    stop = o + (end - at) // 4 * 3
    while at < end:
        value = 0
        for k in range(4):
            c = byte(data, at + k)
            value = value << 6 | (0 if c == _PADDING else np.int64(_BASE64[np.uint64(c)]))
        put(target, o, value >> 16)
        put(target, o + 1, value >> 8 & 0xFF)
        put(target, o + 2, value & 0xFF)
        at += 4
        o += 3
        if at == end:
            if byte(data, end - 1) == _PADDING:
                stop -= 1
            if byte(data, end - 2) == _PADDING:
                stop -= 1
    return stop


@inner
def encode_base64(data: Bytes, at: int, size: int, target: Bytes, o: int) -> int:
    """Write the bytes data[at : at + size] as canonical base64 to target[o:], which has room for it; gives the end."""
    end = at + size
    while at < end:
        left = end - at
        value = byte(data, at) << 16
        if left > 1:
            value |= byte(data, at + 1) << 8
        if left > 2:
            value |= byte(data, at + 2)
        for k in range(4):
            letter = np.int64(_LETTERS[np.uint64(value >> 18 - 6 * k & 0x3F)])
            put(target, o + k, letter if k <= left else _PADDING)
        at += 3
        o += 4
    return o
