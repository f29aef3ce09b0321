"""64 bytes at a time in plain loops: the functions of `vector_words.py`, with the same results.

For CPUs on which vectors were not measured, and for bounds-checked runs. Tests compare both forms.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.layout import Bytes
from converter.kernels.toolchain.decorators import inner

_ONE = np.uint64(1)
_LOW_HALF = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


@inner
def special_mask(data: Bytes, at: int) -> np.uint64:
    """Bit k is set where data[at + k] ends plain text: a quote, a backslash or a control character (< 0x20)."""
    mask = np.uint64(0)
    for k in range(64):
        c = data[np.uint64(at + k)]
        if c == 0x22 or c == 0x5C or c < 0x20:
            mask |= _ONE << np.uint64(k)
    return mask


@inner
def high_mask(data: Bytes, at: int) -> np.uint64:
    """Bit k is set where data[at + k] is not ASCII (>= 0x80)."""
    mask = np.uint64(0)
    for k in range(64):
        if data[np.uint64(at + k)] >= 0x80:
            mask |= _ONE << np.uint64(k)
    return mask


@inner
def csv_mask(data: Bytes, at: int) -> np.uint64:
    """Bit k is set where data[at + k] makes CSV quote its field: a quote, a comma, CR, LF or NUL."""
    mask = np.uint64(0)
    for k in range(64):
        c = data[np.uint64(at + k)]
        if c == 0x22 or c == 0x2C or c == 0x0A or c == 0x0D or c == 0:
            mask |= _ONE << np.uint64(k)
    return mask


@inner
def equal_mask(left: Bytes, i: int, right: Bytes, j: int) -> np.uint64:
    """Bit k is set where left[i + k] == right[j + k]."""
    mask = np.uint64(0)
    for k in range(64):
        if left[np.uint64(i + k)] == right[np.uint64(j + k)]:
            mask |= _ONE << np.uint64(k)
    return mask


@inner
def above_mask(data: Bytes, at: int, value: int) -> np.uint64:
    """Bit k is set where data[at + k], as a signed number, is greater than `value`."""
    mask = np.uint64(0)
    for k in range(64):
        c = np.int64(data[np.uint64(at + k)])
        if (c if c < 128 else c - 256) > value:
            mask |= _ONE << np.uint64(k)
    return mask


@inner
def byte_mask(data: Bytes, at: int, value: int) -> np.uint64:
    """Bit k is set where data[at + k] == value."""
    mask = np.uint64(0)
    for k in range(64):
        if data[np.uint64(at + k)] == value:
            mask |= _ONE << np.uint64(k)
    return mask


@inner
def copy64(target: Bytes, i: int, source: Bytes, j: int) -> None:
    """target[i : i + 64] = source[j : j + 64]."""
    for k in range(64):
        target[np.uint64(i + k)] = source[np.uint64(j + k)]


@inner
def word(data: Bytes, at: int) -> np.uint64:
    """data[at : at + 8] as a little-endian uint64."""
    value = np.uint64(0)
    for k in range(8):
        value |= np.uint64(data[np.uint64(at + k)]) << np.uint64(8 * k)
    return value


@inner
def _put_word(target: Bytes, at: int, value: np.uint64) -> None:
    for k in range(8):
        target[np.uint64(at + k)] = np.uint8(value >> np.uint64(8 * k) & np.uint64(0xFF))


@inner
def put_int64(target: Bytes, at: int, value: int) -> None:
    """target[at : at + 8] = value, little-endian."""
    _put_word(target, at, np.uint64(value))


@inner
def put_int128(target: Bytes, at: int, high: np.uint64, unit: np.uint64, low: np.uint64, negative: int) -> None:
    """target[at : at + 16] = ±(high * unit + low), little-endian; the unsigned sum must be below 2**127.

    Schoolbook multiplication in base 2**32: (a, b) * (c, d) with the cross products added to the middle. The sum of the
    low words is less than one of them if it carries. A number is negated as its complement plus 1, which carries to the
    high word only if the low word becomes 0.
    """
    a = high >> _HALF
    b = high & _LOW_HALF
    c = unit >> _HALF
    d = unit & _LOW_HALF
    middle = a * d + (b * d >> _HALF)
    cross = b * c + (middle & _LOW_HALF)
    lower = (cross << _HALF) | (b * d & _LOW_HALF)
    upper = a * c + (middle >> _HALF) + (cross >> _HALF)
    total = lower + low
    if total < lower:
        upper = upper + _ONE
    if negative != 0:
        total = ~total + _ONE
        upper = ~upper
        if total == np.uint64(0):
            upper = upper + _ONE
    _put_word(target, at, total)
    _put_word(target, at + 8, upper)


@inner
def lowest_bit(mask: np.uint64) -> int:
    """Position of the lowest set bit; 64 if no bit is set."""
    for k in range(64):
        if mask >> np.uint64(k) & _ONE:
            return k
    return 64


@inner
def count_bits(mask: np.uint64) -> int:
    """Number of bits that are set."""
    count = 0
    for k in range(64):
        if mask >> np.uint64(k) & _ONE:
            count += 1
    return count
