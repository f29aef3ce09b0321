"""Kernels for Unix times: numbers of seconds, milliseconds, microseconds or nanoseconds to microseconds since 1970.

A magnitude says which units a number may be in. These are the numbers that are times from 1973-03-03 to the end of the
year 9999, or before 1970, in each unit:

    s     10^8  to 253402300799            -10^8  and below, to -62135596800 (the year 1)
    ms    10^11 to 253402300799999         below that, to -62135596800000
    us    10^14 to 253402300799999999      and so on
    ns    10^17 to 253402300799999999999

The positive ranges overlap: 253402300799 is a time in seconds and in milliseconds. A number between -10^8 and 10^8 is
near 1970 in every unit and does not show its unit. A magnitude is a mask of the four units, or SMALL, or ZERO. A field
observes the set of its magnitudes, from which schema/units.py derives the unit.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import DIGIT_0, MINUS, POINT
from converter.kernels.parse.calendar import FIRST_MICROS, LAST_MICROS
from converter.kernels.simd.words import Bytes, byte
from converter.kernels.time_reasons import NO_FORM, OUT_OF_YEARS, SHORT_NUMBER, TOO_FINE
from converter.kernels.toolchain.decorators import inner
from converter.schema.magnitudes import SMALL, ZERO

_LEAST = 10**8
_LATEST = 253_402_300_799
_EARLIEST = 62_135_596_800
_THOUSAND = 1000
_MOST_DIGITS = 18
"""Digits of the greatest timestamp in microseconds; and of the greatest number that is read as an int64 here."""
_LONGEST = 21
"""Integer digits of the greatest timestamp in nanoseconds."""
_NANO_DIGITS = 9
_LEAST_TEXT_DIGITS = 9
_POWERS = np.array([10**i for i in range(7)], np.int64)


@inner
def magnitude_of(whole: int, is_whole: bool, negative: bool) -> int:
    """Return the magnitude of ±whole, or of a number with a fraction after it: a mask of units, SMALL or ZERO."""
    if whole < _LEAST:
        return np.int64(ZERO) if whole == 0 and is_whole else np.int64(SMALL)
    if negative:
        if whole <= _EARLIEST:
            return np.int64(1)
        if whole <= _EARLIEST * _THOUSAND:
            return np.int64(2)
        return np.int64(4) if whole <= _EARLIEST * _THOUSAND**2 else np.int64(8)
    if whole < _LEAST * _THOUSAND:
        return np.int64(1)
    if whole <= _LATEST:
        return np.int64(3)
    if whole < _LEAST * _THOUSAND**2:
        return np.int64(2)
    if whole < (_LATEST + 1) * _THOUSAND:
        return np.int64(6)
    if whole < _LEAST * _THOUSAND**3:
        return np.int64(4)
    return np.int64(12) if whole < (_LATEST + 1) * _THOUSAND**2 else np.int64(8)


@inner
def _within_years(micros: int, exact: bool) -> tuple[int, int]:
    """Return (microseconds, 0), or TOO_FINE if they are not exact; (0, OUT_OF_YEARS) outside of the years 1 to 9999."""
    if micros < FIRST_MICROS or micros > LAST_MICROS:
        return np.int64(0), np.int64(OUT_OF_YEARS)
    return micros, np.int64(0 if exact else TOO_FINE)


@inner
def integer_to_micros(value: int, unit: int) -> tuple[int, int]:
    """Return (microseconds, 0) of an integer of at most 18 digits, (microseconds below, TOO_FINE) or (0, OUT_OF_YEARS).

    unit: 0 for seconds, 1 for milliseconds, 2 for microseconds, 3 for nanoseconds.
    """
    if unit == 0:
        if value > _LATEST or value < -_EARLIEST:
            return np.int64(0), np.int64(OUT_OF_YEARS)
        return value * _THOUSAND * _THOUSAND, np.int64(0)
    if unit == 1:
        if value > 2 * _LATEST * _THOUSAND or value < -2 * _EARLIEST * _THOUSAND:
            return np.int64(0), np.int64(OUT_OF_YEARS)
        return _within_years(value * _THOUSAND, True)
    if unit == 2:
        return _within_years(value, True)
    micros = value // _THOUSAND
    return _within_years(micros, micros * _THOUSAND == value)


@inner
def digits_to_micros(data: Bytes, at: int, point: int, end: int, unit: int) -> tuple[int, int]:
    """Return the same for any number in data[at:end]: `-?digits`, or `-?digits.digits` with its point at `point`."""
    negative = byte(data, at) == MINUS
    if negative:
        at += 1
    # Digits up to that of the microseconds; negative if that one is in front of the first digit.
    taken = point - at + 6 - 3 * unit
    if taken > _MOST_DIGITS:
        return np.int64(0), np.int64(OUT_OF_YEARS)
    value = np.int64(0)
    count = np.int64(0)
    exact = True
    for k in range(at, end):
        if k == point:
            continue
        digit = byte(data, k) - DIGIT_0
        if count < taken:
            value = value * 10 + digit
        elif digit != 0:
            exact = False
        count += 1
    if count < taken:
        value *= _POWERS[np.uint64(taken - count)]
    if negative:
        # Below, as for positive numbers: away from zero.
        value = -value if exact else -value - 1
    return _within_years(value, exact)


@inner
def magnitude_of_digits(data: Bytes, at: int, point: int, end: int) -> int:
    """Return the magnitude of a number as digits_to_micros reads it; 0 if it is not a time in any unit."""
    negative = byte(data, at) == MINUS
    if negative:
        at += 1
    digits = point - at
    if digits > _LONGEST:
        return np.int64(0)
    last = point
    if digits > _MOST_DIGITS:
        # Only nanoseconds can be this long: the seconds decide.
        last = point - _NANO_DIGITS
    whole = np.int64(0)
    for k in range(at, last):
        whole = whole * 10 + (byte(data, k) - DIGIT_0)
    is_whole = True
    for k in range(last, end):
        if k != point and byte(data, k) != DIGIT_0:
            is_whole = False
    if digits > _MOST_DIGITS:
        latest = whole <= _LATEST
        if negative:
            latest = whole < _EARLIEST or (whole == _EARLIEST and is_whole)
        return np.int64(8) if latest else np.int64(0)
    return magnitude_of(whole, is_whole, negative)


@inner
def find_point(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return (position of the point, 0) in a text that is a Unix time, or (0, reason). Without a point, that is `end`.

    Fewer than nine integer digits are refused, except for 0: they could also be a year or a date.
    """
    none = (np.int64(0), np.int64(NO_FORM))
    if at < end and byte(data, at) == MINUS:
        at += 1
    point = end
    for k in range(at, end):
        c = byte(data, k)
        if c == POINT and point == end:
            point = k
        elif c < DIGIT_0 or c > DIGIT_0 + 9:
            return none
    if point == at or point == end - 1:
        return none
    if byte(data, at) == DIGIT_0:
        return (point, np.int64(0)) if end - at == 1 else none
    if point - at < _LEAST_TEXT_DIGITS:
        return np.int64(0), np.int64(SHORT_NUMBER)
    return point, np.int64(0)
