"""Kernels for texts, names and blobs of Ion, which are copied as JSON spells them.

The JSON is that of Python's `json` with ensure_ascii=False, as converter/ion/tokens.py writes it too. Functions take
positions and give (position after the token, end in the target). In place of a position, IRREGULAR leaves the line to
the slow path, and GROW means that the target, which ends at `limit`, has no room.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import APOSTROPHE, BACKSLASH, CLOSE_MAP, COLON, DIGIT_0, QUOTE, RETURN, SPACE, TAB
from converter.kernels.layout import GROW, IRREGULAR, ROOM
from converter.kernels.parse.strings import base64_size, copy_bytes, hex_value, low_surrogate, put_utf8
from converter.kernels.parse.utf8 import is_utf8
from converter.kernels.simd.words import (
    Bytes,
    byte,
    byte_mask,
    copy64,
    high_mask,
    lowest_bit,
    put,
    special_mask,
    word,
)
from converter.kernels.toolchain.decorators import inlined, inner

LONG_QUOTE = 3
"""In place of a closing quote: three apostrophes."""

_NOTHING = np.uint64(0)
_ONE = np.uint64(1)
_NO_ESCAPE = 0xFF
_DOLLAR = 0x24
_DIGIT, _LETTER = 1, 2

_ESCAPED = np.full(256, _NO_ESCAPE, np.uint8)
for _letter, _character in zip(b"abtnfrv?0'\"/\\", b"\a\b\t\n\f\r\v?\0'\"/\\", strict=True):
    _ESCAPED[_letter] = _character
_HEX_DIGITS = np.zeros(256, np.uint8)
for _letter, _count in zip(b"xuU", (2, 4, 8), strict=True):
    _HEX_DIGITS[_letter] = _count

_SHORT = np.zeros(256, np.uint8)
for _character, _letter in zip(b'\b\f\n\r\t"\\', b'bfnrt"\\', strict=True):
    _SHORT[_character] = _letter

_NAME_BYTES = np.zeros(256, np.uint8)
_NAME_BYTES[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_$")] = _LETTER
_NAME_BYTES[list(b"0123456789")] = _DIGIT

_THREE_BYTES = np.uint64(0xFFFFFF)
_FOUR_BYTES = np.uint64(0xFFFFFFFF)
_FIVE_BYTES = np.uint64(0xFFFFFFFFFF)
_NAN = np.uint64(int.from_bytes(b"nan", "little"))
_NULL = np.uint64(int.from_bytes(b"null", "little"))
_TRUE = np.uint64(int.from_bytes(b"true", "little"))
_FALSE = np.uint64(int.from_bytes(b"false", "little"))


@inner
def _put_json_character(target: Bytes, o: int, point: int) -> int:
    """Write a character of a text as JSON spells it; gives the end."""
    if point > 0xFF:
        return put_utf8(target, o, point)
    letter = np.int64(_SHORT[np.uint64(point)])
    if letter == 0 and point >= SPACE:
        return put_utf8(target, o, point)
    put(target, o, BACKSLASH)
    if letter != 0:
        put(target, o + 1, letter)
        return o + 2
    put(target, o + 1, 0x75)
    put(target, o + 2, DIGIT_0)
    put(target, o + 3, DIGIT_0)
    put(target, o + 4, DIGIT_0 + (point >> 4))
    low = point & 0xF
    put(target, o + 5, DIGIT_0 + low if low < 10 else 0x57 + low)
    return o + 6


@inner
def _read_ion_escape(data: Bytes, at: int) -> tuple[int, int]:
    """Return (code point, bytes of the escape) for the backslash at `at`, or (IRREGULAR, 0)."""
    none = (np.int64(IRREGULAR), np.int64(0))
    letter = byte(data, at + 1)
    character = np.int64(_ESCAPED[np.uint64(letter)])
    if character != _NO_ESCAPE:
        return character, np.int64(2)
    digits = np.int64(_HEX_DIGITS[np.uint64(letter)])
    if digits == 0:
        return none
    point = hex_value(data, at + 2, digits)
    if point < 0 or point > 0x10FFFF:
        return none
    if point < 0xD800 or point >= 0xE000:
        return point, 2 + digits
    low = low_surrogate(data, at + 6) if digits == 4 and point < 0xDC00 else np.int64(IRREGULAR)
    if low < 0:
        return none
    return 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00), np.int64(12)


@inner
def copy_text(data: Bytes, at: int, target: Bytes, o: int, limit: int, quote: int) -> tuple[int, int]:
    """Copy the body of the text that begins at `at`, after its quote; gives the position of its closing quote.

    quote: QUOTE, APOSTROPHE or LONG_QUOTE. A text never contains the end of a line.
    """
    start = at
    high = _NOTHING
    while True:
        if o + ROOM > limit:
            return GROW, o
        stops = special_mask(data, at)
        if quote != QUOTE:
            stops |= byte_mask(data, at, APOSTROPHE)
        beyond_ascii = high_mask(data, at)
        copy64(target, o, data, at)
        if stops == _NOTHING:
            high |= beyond_ascii
            at += 64
            o += 64
            continue
        plain = lowest_bit(stops)
        high |= beyond_ascii & ((stops - _ONE) & ~stops)
        at += plain
        o += plain
        c = byte(data, at)
        if c == quote or (c == APOSTROPHE and begins_long_text(data, at)):
            if high != _NOTHING and not is_utf8(data, start, at):
                return IRREGULAR, o
            return at, o
        if o + ROOM > limit:
            return GROW, o
        if c == BACKSLASH:
            c, size = _read_ion_escape(data, at)
            if c < 0:
                return IRREGULAR, o
            at += size
        elif c == QUOTE or c == APOSTROPHE or c == TAB or c == 0x0B or c == 0x0C:
            at += 1
        else:
            return IRREGULAR, o
        o = _put_json_character(target, o, c)


@inlined
def begins_long_text(data: Bytes, at: int) -> bool:
    """Return whether there are three apostrophes at `at`."""
    return byte(data, at) == APOSTROPHE and byte(data, at + 1) == APOSTROPHE and byte(data, at + 2) == APOSTROPHE


@inner
def copy_long_text(data: Bytes, at: int, target: Bytes, o: int, limit: int) -> tuple[int, int]:
    """Copy the one or more long texts that begin at `at` as one string, without its quotes."""
    while True:
        at, o = copy_text(data, at + 3, target, o, limit, LONG_QUOTE)
        if at < 0:
            return at, o
        at += 3
        after = skip_blanks(data, at)
        if not begins_long_text(data, after):
            return at, o
        at = after


@inlined
def skip_blanks(data: Bytes, at: int) -> int:
    """Return the position after the white space at `at`."""
    c = byte(data, at)
    while c == SPACE or c == TAB or c == RETURN:
        at += 1
        c = byte(data, at)
    return at


@inlined
def _is_keyword(data: Bytes, at: int, size: int) -> bool:
    bits = word(data, at)
    if size == 4:
        return bits & _FOUR_BYTES == _NULL or bits & _FOUR_BYTES == _TRUE
    if size == 5:
        return bits & _FIVE_BYTES == _FALSE
    return size == 3 and bits & _THREE_BYTES == _NAN


@inlined
def copy_name(data: Bytes, at: int, target: Bytes, o: int, limit: int) -> tuple[int, int]:
    """Copy the name of a member and its colon, an identifier or a text in apostrophes; gives the position of the value.

    The target has ROOM.
    """
    put(target, o, QUOTE)
    o += 1
    end = at
    while _NAME_BYTES[np.uint64(byte(data, end))] != 0:
        end += 1
    size = end - at
    if size > 0:
        if _NAME_BYTES[np.uint64(byte(data, at))] == _DIGIT or _is_keyword(data, at, size):
            return IRREGULAR, o
        if byte(data, at) == _DOLLAR and _NAME_BYTES[np.uint64(byte(data, at + 1))] == _DIGIT:
            # It may be the number of a symbol.
            return IRREGULAR, o
        if size <= 64:
            copy64(target, o, data, at)
            o += size
        else:
            o = copy_bytes(data, at, end, target, o, limit)
            if o < 0:
                return GROW, o
    else:
        if byte(data, at) != APOSTROPHE or begins_long_text(data, at):
            return IRREGULAR, o
        end, o = copy_text(data, at + 1, target, o, limit, APOSTROPHE)
        if end < 0:
            return end, o
        end += 1
    if byte(data, end) != COLON:
        return IRREGULAR, o
    put(target, o, QUOTE)
    put(target, o + 1, COLON)
    return end + 1, o + 2


@inner
def copy_blob(data: Bytes, at: int, target: Bytes, o: int, limit: int) -> tuple[int, int]:
    """Copy the base64 text of the blob whose braces open at `at`, which must be canonical."""
    at += 2
    end = at
    while True:
        stops = special_mask(data, end) | byte_mask(data, end, CLOSE_MAP)
        if stops != _NOTHING:
            break
        end += 64
    end += lowest_bit(stops)
    if byte(data, end) != CLOSE_MAP or byte(data, end + 1) != CLOSE_MAP or base64_size(data, at, end) < 0:
        return IRREGULAR, o
    o = copy_bytes(data, at, end, target, o, limit)
    return (end + 2, o) if o >= 0 else (np.int64(GROW), o)
