"""Kernels that check UTF-8."""

from __future__ import annotations

import numpy as np

from converter.kernels.simd.words import Bytes, above_mask, byte, byte_mask, high_mask, lowest_bit
from converter.kernels.toolchain.decorators import inner

_NOTHING = np.uint64(0)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_ONE = np.uint64(1)
_TWO = np.uint64(2)
_THREE = np.uint64(3)
_LAST = np.uint64(63)
_SHORT = 32
"""Bytes from which on a text is checked by 64 at a time."""


@inner
def is_utf8(data: Bytes, at: int, end: int) -> bool:
    """Return whether data[at:end] is well-formed UTF-8: the table in RFC 3629, section 4."""
    if end - at < _SHORT:
        return is_short_utf8(data, at, end)
    return is_long_utf8(data, at, end)


@inner
def is_long_utf8(data: Bytes, at: int, end: int) -> bool:
    """Return the same, by 64 bytes at a time.

    The bytes that must continue a character, by the first bytes of characters of two, three and four bytes, are those
    that do. As signed numbers, the bytes that continue are the lowest, and C0 is -64.
    """
    carried = _NOTHING
    while at < end:
        inside = _ALL if end - at >= 64 else (_ONE << np.uint64(end - at)) - _ONE
        high = high_mask(data, at) & inside
        if high | carried == _NOTHING:
            at += 64
            continue
        two = high & above_mask(data, at, -65)
        three = high & above_mask(data, at, -33)
        four = high & above_mask(data, at, -17)
        continued = two << _ONE | three << _TWO | four << _THREE | carried
        overlong = two & ~above_mask(data, at, -63)
        if continued != high & ~two or overlong != _NOTHING:
            return False
        carried = two >> _LAST | three >> (_LAST - _ONE) | four >> (_LAST - _TWO)
        rare = four | (three & (byte_mask(data, at, 0xE0) | byte_mask(data, at, 0xED)))
        while rare != _NOTHING:
            k = lowest_bit(rare)
            rare &= rare - _ONE
            if not _is_second(byte(data, at + k), byte(data, at + k + 1)):
                return False
        at += 64
    return carried == _NOTHING


@inner
def _is_second(c: int, d: int) -> bool:
    """Return whether byte d may follow c, E0, ED or F0 and above: no overlong forms, no surrogates, up to U+10FFFF."""
    if c == 0xE0:
        return d >= 0xA0
    if c == 0xED:
        return d < 0xA0
    if c == 0xF0:
        return d >= 0x90
    return c < 0xF4 or (c == 0xF4 and d < 0x90)


@inner
def is_short_utf8(data: Bytes, at: int, end: int) -> bool:
    """Return the same, byte by byte.

    It excludes what the bits alone would allow: C0, C1, E0 80-9F and F0 80-8F are overlong, ED A0-BF are surrogates,
    and F4 90 and above is beyond U+10FFFF.
    """
    while at < end:
        c = byte(data, at)
        if c < 0x80:
            at += 1
            continue
        d = byte(data, at + 1)
        if 0xC2 <= c < 0xE0:
            size = 2
            ok = d & 0xC0 == 0x80
        elif 0xE0 <= c < 0xF0:
            size = 3
            ok = d & 0xC0 == 0x80 and byte(data, at + 2) & 0xC0 == 0x80
            if (c == 0xE0 and d < 0xA0) or (c == 0xED and d >= 0xA0):
                ok = False
        elif 0xF0 <= c < 0xF5:
            size = 4
            ok = d & 0xC0 == 0x80 and byte(data, at + 2) & 0xC0 == 0x80 and byte(data, at + 3) & 0xC0 == 0x80
            if (c == 0xF0 and d < 0x90) or (c == 0xF4 and d >= 0x90):
                ok = False
        else:
            return False
        if not ok:
            return False
        at += size
    return at == end
