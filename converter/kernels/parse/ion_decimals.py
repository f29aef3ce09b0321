"""The kernel for decimals of Ion, which are copied in plain form: without an exponent and insignificant zeros."""

from __future__ import annotations

from converter.kernels.characters import DIGIT_0, MINUS, PLUS, POINT
from converter.kernels.layout import GROW, IRREGULAR, NUMBER_ROOM
from converter.kernels.simd.words import Bytes, byte, copy64, put
from converter.kernels.toolchain.decorators import inlined, inner
from converter.kernels.value_limits import HIGHEST_EXPONENT, LOWEST_EXPONENT, SIGNIFICANT_DIGITS

_MOST_DIGITS = 60
"""With sign and point, they are copied in one step of 64 bytes. A longer number takes the slow path."""
_MOST_EXPONENT_DIGITS = 4
_DIGITS_AT = 320
"""Where in the free room of the target the digits are gathered, after a number of up to 171 bytes and 64 more."""


@inlined
def _digits_end(data: Bytes, at: int) -> int:
    while 0 <= byte(data, at) - DIGIT_0 <= 9:
        at += 1
    return at


@inner
def copy_decimal(data: Bytes, at: int, target: Bytes, o: int, limit: int) -> tuple[int, int]:
    """Copy the decimal at `at`; gives (position after it, end in the target).

    IRREGULAR for what is not a decimal, or has more digits or another magnitude than DynamoDB's numbers; or GROW.
    """
    if o + NUMBER_ROOM > limit:
        return GROW, o
    start = at
    if byte(data, at) == MINUS:
        at += 1
    whole = at
    at = _digits_end(data, at)
    size = at - whole
    if size == 0 or (size > 1 and byte(data, whole) == DIGIT_0):
        return IRREGULAR, o
    fraction = at
    if byte(data, at) == POINT:
        fraction = at + 1
        at = _digits_end(data, fraction)
    if size + at - fraction > _MOST_DIGITS:
        return IRREGULAR, o
    if byte(data, at) | 0x20 == 0x64:
        return _copy_shifted(data, start, whole, size, fraction, at, target, o)
    if byte(data, fraction - 1) != POINT:
        return IRREGULAR, o
    end = at
    while byte(data, end - 1) == DIGIT_0 and end > fraction:
        end -= 1
    if end == fraction:
        end -= 1
        if byte(data, whole) == DIGIT_0:
            start = whole
    copy64(target, o, data, start)
    return at, o + end - start


@inner
def _copy_shifted(
    data: Bytes, start: int, whole: int, size: int, fraction: int, at: int, target: Bytes, o: int
) -> tuple[int, int]:
    """Copy a decimal with an exponent, whose letter is at `at`, and `size` digits in front of its point."""
    digits = o + _DIGITS_AT
    copy64(target, digits, data, whole)
    copy64(target, digits + size, data, fraction)
    end = digits + size + at - fraction
    at += 1
    negative = byte(data, at) == MINUS
    if negative or byte(data, at) == PLUS:
        at += 1
    after = _digits_end(data, at)
    if after == at or after - at > _MOST_EXPONENT_DIGITS:
        return IRREGULAR, o
    exponent = 0
    for k in range(at, after):
        exponent = exponent * 10 + byte(data, k) - DIGIT_0
    if negative:
        exponent = -exponent
    # The value of the last digit is 10 to the power of `lowest`.
    last = end
    while last > digits and byte(target, last - 1) == DIGIT_0:
        last -= 1
    lowest = exponent - (last - digits - size)
    while digits < last and byte(target, digits) == DIGIT_0:
        digits += 1
    if digits == last:
        put(target, o, DIGIT_0)
        return after, o + 1
    highest = lowest + last - digits - 1
    if last - digits > SIGNIFICANT_DIGITS or highest > HIGHEST_EXPONENT or highest < LOWEST_EXPONENT:
        return IRREGULAR, o
    if whole > start:
        put(target, o, MINUS)
        o += 1
    return after, _put_plain(target, o, digits, last, lowest)


@inner
def _put_plain(target: Bytes, o: int, digits: int, last: int, lowest: int) -> int:
    """Write the digits target[digits:last] to target[o:], the last one with the value 10**lowest; gives the end."""
    count = last - digits
    if lowest >= 0:
        copy64(target, o, target, digits)
        o += count
        for k in range(lowest):
            put(target, o + k, DIGIT_0)
        return o + lowest
    whole = count + lowest
    if whole > 0:
        copy64(target, o, target, digits)
        put(target, o + whole, POINT)
        copy64(target, o + whole + 1, target, digits + whole)
        return o + count + 1
    put(target, o, DIGIT_0)
    put(target, o + 1, POINT)
    o += 2
    for k in range(-whole):
        put(target, o + k, DIGIT_0)
    copy64(target, o - whole, target, digits)
    return o - whole + count
