"""Kernels for the digits of numbers: from binary values to the plain form, the inverse of parse/numbers.py.

A value has one plain form: without exponent, without zeros that can be omitted, and without -0. So the digits of an
int64 or a decimal are those in the export, or their plain form.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import DIGIT_0, MINUS, POINT
from converter.kernels.encode.bit_packing import reversed_bytes
from converter.kernels.simd.words import Bytes, byte, lowest_bit, put, put_int64, word
from converter.kernels.toolchain.decorators import inlined, inner

_POWERS = np.array([10**i for i in range(20)], np.uint64)
_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_TEN = np.uint64(10)
_HUNDRED = np.uint64(100)
_TEN_THOUSAND = np.uint64(10_000)
_EIGHT_DIGITS = np.uint64(100_000_000)
_ZEROS = np.uint64(0x3030303030303030)
_SIGN = np.uint64(1 << 63)
_HALF = np.uint64(32)
_LOW_HALF = np.uint64(0xFFFFFFFF)

_LONGEST = 40
"""38 digits of a decimal128 and zeros in front of them: five times eight."""


@inlined
def _eight_digits(value: np.uint64) -> np.uint64:
    """Return the digits of a number below 10**8 as a word, a byte each, the first digit in the lowest byte.

    The inverse of `read_digits`: the word is divided into numbers of four digits, of two, and of one, all of one size
    at once. x * 10486 >> 20 is x // 100 for x < 10,000, and x * 103 >> 10 is x // 10 for x < 100; masks remove the bits
    that the adjacent number shifts in. (P. Khuong, "How to print integers faster", 2017-12-22, pvk.ca.)
    """
    halves = value // _TEN_THOUSAND | value % _TEN_THOUSAND << np.uint64(32)
    hundreds = halves * np.uint64(10486) >> np.uint64(20) & np.uint64(0x0000007F0000007F)
    pairs = hundreds | (halves - hundreds * _HUNDRED) << np.uint64(16)
    tens = pairs * np.uint64(103) >> np.uint64(10) & np.uint64(0x000F000F000F000F)
    return tens | (pairs - tens * _TEN) << np.uint64(8)


@inlined
def _put_eight(value: np.uint64, out: Bytes, o: int) -> int:
    """Write a number below 10**8 as eight digits, with zeros in front; gives the end."""
    put_int64(out, o, np.int64(_eight_digits(value) | _ZEROS))
    return o + 8


@inlined
def _put_without_leading_zeros(value: np.uint64, out: Bytes, o: int) -> int:
    """Write a number below 10**8; gives the end."""
    digits = _eight_digits(value)
    skipped: int = min(lowest_bit(digits) >> 3, 7)
    put_int64(out, o, np.int64((digits | _ZEROS) >> np.uint64(8 * skipped)))
    return o + 8 - skipped


@inlined
def _put_without_trailing_zeros(value: np.uint64, out: Bytes, o: int) -> int:
    """Write eight decimals that are not all zero, without zeros at the end; gives the end."""
    digits = _eight_digits(value)
    dropped: int = lowest_bit(reversed_bytes(digits)) >> 3
    put_int64(out, o, np.int64(digits | _ZEROS))
    return o + 8 - dropped


@inlined
def _put_unsigned(value: np.uint64, out: Bytes, o: int) -> int:
    """Write a number of up to 20 digits, in groups of eight; gives the end."""
    if value < _EIGHT_DIGITS:
        return _put_without_leading_zeros(value, out, o)
    high = value // _EIGHT_DIGITS
    if high < _EIGHT_DIGITS:
        o = _put_without_leading_zeros(high, out, o)
    else:
        o = _put_without_leading_zeros(high // _EIGHT_DIGITS, out, o)
        o = _put_eight(high % _EIGHT_DIGITS, out, o)
    return _put_eight(value % _EIGHT_DIGITS, out, o)


@inlined
def put_integer(data: Bytes, at: int, out: Bytes, o: int) -> int:
    """Write the int64 in data[at : at + 8] to out[o:], which has room for 32 bytes; gives the end."""
    value = word(data, at)
    if value & _SIGN != _ZERO:
        put(out, o, MINUS)
        return _put_unsigned(_ZERO - value, out, o + 1)
    return _put_unsigned(value, out, o)


@inlined
def _put_short(value: np.uint64, scale: int, out: Bytes, o: int) -> int:
    """Write value / 10**scale, with a scale of at most 19; gives the end."""
    unit = _POWERS[np.uint64(scale)]
    whole = value // unit
    decimals = value - whole * unit
    o = _put_unsigned(whole, out, o)
    if decimals == _ZERO:
        return o
    put(out, o, POINT)
    o += 1
    while scale > 8:
        scale -= 8
        unit = _POWERS[np.uint64(scale)]
        first = decimals // unit
        decimals -= first * unit
        if decimals == _ZERO:
            return _put_without_trailing_zeros(first, out, o)
        o = _put_eight(first, out, o)
    return _put_without_trailing_zeros(decimals * _POWERS[np.uint64(8 - scale)], out, o)


@inner
def _put_long(high: np.uint64, low: np.uint64, scale: int, out: Bytes, o: int) -> int:
    """Write (high * 2**64 + low) / 10**scale, a number of up to 38 digits; gives the end.

    Long division by 10**8 in base 2**32: each remainder is less than 2**32, so it is the high half of the next
    dividend.
    """
    # The digits are first written after the room for the result.
    first = o + _LONGEST + 8
    end = first + _LONGEST
    a, b, c, d = high >> _HALF, high & _LOW_HALF, low >> _HALF, low & _LOW_HALF
    at = end
    while at > first:
        at -= 8
        b |= a % _EIGHT_DIGITS << _HALF
        a //= _EIGHT_DIGITS
        c |= b % _EIGHT_DIGITS << _HALF
        b //= _EIGHT_DIGITS
        d |= c % _EIGHT_DIGITS << _HALF
        c //= _EIGHT_DIGITS
        _put_eight(d % _EIGHT_DIGITS, out, at)
        d //= _EIGHT_DIGITS
    point = end - scale
    while first < point - 1 and byte(out, first) == DIGIT_0:
        first += 1
    while end > point and byte(out, end - 1) == DIGIT_0:
        end -= 1
    for k in range(first, end):
        if k == point:
            put(out, o, POINT)
            o += 1
        put(out, o, byte(out, k))
        o += 1
    return o


@inlined
def put_scaled(data: Bytes, at: int, scale: int, out: Bytes, o: int) -> int:
    """Write the decimal128(38, scale) in data[at : at + 16] to out[o:], which has room for 98 bytes; gives the end."""
    low = word(data, at)
    high = word(data, at + 8)
    if high & _SIGN != _ZERO:
        low = _ZERO - low
        high = ~high + (_ONE if low == _ZERO else _ZERO)
        put(out, o, MINUS)
        o += 1
    if high == _ZERO and scale <= 19:
        return _put_short(low, scale, out, o)
    return _put_long(high, low, scale, out, o)
