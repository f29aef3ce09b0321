"""Kernels for timestamps as text: ISO 8601 to microseconds since 1970 in UTC, and back; and for dates.

    YYYY-MM-DD            alone; or followed by T, t or a space, hh:mm, perhaps :ss, perhaps a fraction, and a zone
    YYYYMMDDThhmm         or with t; perhaps ss, perhaps a fraction, and a zone
    fraction              . or , and digits
    zone                  nothing (UTC), Z, z, ±hh:mm, ±hhmm or ±hh, perhaps with a space in front of it; names in
                          brackets after one of them are ignored: [Europe/Paris] (RFC 9557)

The calendar is the Gregorian one of ISO 8601 from year 1 to 9999, without leap seconds and without 24:00. A fraction
with a digit other than zero after the sixth is TOO_FINE: the microseconds are then those below it.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import COLON, COMMA, DIGIT_0, MINUS, PLUS, POINT, SPACE
from converter.kernels.simd.words import Bytes, byte, put
from converter.kernels.time_reasons import (
    NO_DATE,
    NO_DATE_FORM,
    NO_DAY,
    NO_FORM,
    NO_OFFSET,
    NO_TIME_OF_DAY,
    OUT_OF_YEARS,
    TOO_FINE,
)
from converter.kernels.toolchain.decorators import inner

SECOND = 1_000_000
"""Microseconds."""
_DAY = 86_400
_FIRST_SECOND = -62_135_596_800
_LAST_SECOND = 253_402_300_799
_DAYS_TO_1970 = 719_162
FIRST_MICROS = _FIRST_SECOND * SECOND
"""0001-01-01T00:00:00Z."""
LAST_MICROS = _LAST_SECOND * SECOND + SECOND - 1
"""9999-12-31T23:59:59.999999Z."""
_DECIMALS = 6

_POWERS = np.array([10**i for i in range(_DECIMALS + 1)], np.int64)
_DAYS_OF_MONTH = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)
_DAYS_BEFORE_MONTH = np.concatenate([[0, 0], np.cumsum(_DAYS_OF_MONTH)[1:12]]).astype(np.int64)

# For put_iso.
_DAYS_TO_MARCH = 719_468
_SHIFT = _DAYS_TO_MARCH * _DAY * SECOND
_MICROS = np.uint64(SECOND)
_DAY_SECONDS = np.uint64(_DAY)
_DAYS_OF_400_YEARS = np.uint64(146_097)
_DAYS_OF_4_YEARS = np.uint64(1461)
_DAYS_OF_5_MONTHS = np.uint64(153)
_ONE, _TWO, _THREE, _FOUR, _FIVE = (np.uint64(n) for n in (1, 2, 3, 4, 5))
_TEN, _TWELVE, _SIXTY, _HUNDRED = (np.uint64(n) for n in (10, 12, 60, 100))

_SMALL_T = 0x74
_SMALL_Z = 0x7A
_CASE = 0x20
_OPEN = 0x5B
_CLOSE = 0x5D


@inner
def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


@inner
def _days_before(year: int, month: int) -> int:
    """Return the days from 1970-01-01 to the first of a month, which is negative before 1970."""
    years = year - 1
    days = years * 365 + years // 4 - years // 100 + years // 400 + _DAYS_BEFORE_MONTH[np.uint64(month)]
    if month > 2 and _is_leap(year):
        days += 1
    return days - _DAYS_TO_1970


@inner
def _is_day(year: int, month: int, day: int) -> bool:
    """Return whether the calendar has this day."""
    if year == 0 or month == 0 or month > 12 or day == 0:
        return False
    return day <= _DAYS_OF_MONTH[np.uint64(month)] or (month == 2 and day == 29 and _is_leap(year))


@inner
def _two_digits(data: Bytes, at: int) -> int:
    """Return the number that two digits make; if one is not a digit, one so low that no sum with it is positive."""
    tens = byte(data, at) - DIGIT_0
    ones = byte(data, at + 1) - DIGIT_0
    if tens < 0 or tens > 9 or ones < 0 or ones > 9:
        return -100_000
    return tens * 10 + ones


@inner
def _is_in_brackets(c: int) -> bool:
    """Return whether a name of a zone, an offset or a tag in brackets may have this character."""
    letter = 0x41 <= (c & ~_CASE) <= 0x5A
    return letter or 0x30 <= c <= 0x3A or 0x2D <= c <= 0x2F or c == 0x2B or c == 0x3D or c == 0x5F


@inner
def _zone_end(data: Bytes, at: int, end: int) -> int:
    """Return where the zone in data[at:end] ends and its brackets begin; -1 if they are not of the form of RFC 9557.

    Brackets with a ! are critical: a reader must not ignore them. They are not accepted.
    """
    zone_end = at
    while zone_end < end and byte(data, zone_end) != _OPEN:
        zone_end += 1
    k = zone_end
    while k < end:
        if byte(data, k) != _OPEN:
            return -1
        k += 1
        begin = k
        while k < end and _is_in_brackets(byte(data, k)):
            k += 1
        if k == begin or k >= end or byte(data, k) != _CLOSE:
            return -1
        k += 1
    return zone_end


@inner
def _read_offset(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return (minutes, 0) for the zone data[at:end], or (0, reason)."""
    none = (np.int64(0), np.int64(NO_FORM))
    if at < end and byte(data, end - 1) == _CLOSE:
        brackets = end
        end = _zone_end(data, at, end)
        if end < 0:
            return none
        if end == at and end < brackets:
            return np.int64(0), np.int64(NO_OFFSET)
    if at == end:
        return np.int64(0), np.int64(0)
    if byte(data, at) == SPACE:
        at += 1
    if byte(data, at) | _CASE == _SMALL_Z and at + 1 == end:
        return np.int64(0), np.int64(0)
    size = end - at
    if size != 3 and size != 5 and size != 6:
        return none
    sign = byte(data, at)
    if (sign != PLUS and sign != MINUS) or (size == 6 and byte(data, at + 3) != COLON):
        return none
    hours = _two_digits(data, at + 1)
    minutes = 0 if size == 3 else _two_digits(data, end - 2)
    if hours < 0 or minutes < 0:
        return none
    if hours > 23 or minutes > 59:
        return np.int64(0), np.int64(NO_TIME_OF_DAY)
    offset = hours * 60 + minutes
    return (-offset if sign == MINUS else offset), np.int64(0)


@inner
def _read_fraction(data: Bytes, at: int, end: int) -> tuple[int, int, bool]:
    """Return the digits at `at` as part of a second: (microseconds, position after them, whether that is exact)."""
    value = np.int64(0)
    count = np.int64(0)
    exact = True
    while at < end:
        digit = byte(data, at) - DIGIT_0
        if digit < 0 or digit > 9:
            break
        if count < _DECIMALS:
            value = value * 10 + digit
            count += 1
        elif digit != 0:
            exact = False
        at += 1
    return value * _POWERS[np.uint64(_DECIMALS - count)], at, exact


@inner
def parse_iso(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return (microseconds, 0) of the text data[at:end], (microseconds, TOO_FINE), or (0, reason).

    Up to 27 bytes after its end must be readable.
    """
    none = (np.int64(0), np.int64(NO_FORM))
    # 1 for the form with - and : between the numbers, 0 for the one without.
    step = np.int64(1)
    if end - at < 10 or byte(data, at + 4) != MINUS or byte(data, at + 7) != MINUS:
        if end - at < 13 or byte(data, at + 8) | _CASE != _SMALL_T:
            return none
        step = np.int64(0)
    year = _two_digits(data, at) * 100 + _two_digits(data, at + 2)
    month = _two_digits(data, at + 4 + step)
    day = _two_digits(data, at + 6 + 2 * step)
    if year < 0 or month < 0 or day < 0:
        return none
    hour = np.int64(0)
    minute = np.int64(0)
    second = np.int64(0)
    fraction = np.int64(0)
    offset = np.int64(0)
    reason = np.int64(0)
    exact = True
    at += 8 + 2 * step
    if at < end:
        separator = byte(data, at)
        if separator | _CASE != _SMALL_T and separator != SPACE:
            return none
        if end - at < 5 + step or (step == 1 and byte(data, at + 3) != COLON):
            return none
        hour = _two_digits(data, at + 1)
        minute = _two_digits(data, at + 3 + step)
        at += 5 + step
        first = byte(data, at)
        if at < end and (first == COLON if step == 1 else DIGIT_0 <= first <= DIGIT_0 + 9):
            second = _two_digits(data, at + step) if end - at > 1 + step else np.int64(-1)
            at += 2 + step
            if at < end and (byte(data, at) == POINT or byte(data, at) == COMMA):
                begin = at + 1
                fraction, at, exact = _read_fraction(data, begin, end)
                if at == begin:
                    return none
        if hour < 0 or minute < 0 or second < 0:
            return none
        offset, reason = _read_offset(data, at, end)
        if reason == NO_FORM or reason == NO_OFFSET:
            return np.int64(0), reason
    if not _is_day(year, month, day):
        return np.int64(0), np.int64(NO_DATE)
    if reason != 0 or hour > 23 or minute > 59 or second > 59:
        return np.int64(0), np.int64(NO_TIME_OF_DAY)
    seconds = (_days_before(year, month) + day - 1) * _DAY + hour * 3600 + (minute - offset) * 60 + second
    if seconds < _FIRST_SECOND or seconds > _LAST_SECOND:
        return np.int64(0), np.int64(OUT_OF_YEARS)
    return seconds * SECOND + fraction, np.int64(0 if exact else TOO_FINE)


@inner
def parse_date(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """(days since 1970-01-01, 0) of the text `YYYY-MM-DD` data[at:end], or (0, reason)."""
    if end - at != 10 or byte(data, at + 4) != MINUS or byte(data, at + 7) != MINUS:
        return np.int64(0), np.int64(NO_DATE_FORM)
    year = _two_digits(data, at) * 100 + _two_digits(data, at + 2)
    month = _two_digits(data, at + 5)
    day = _two_digits(data, at + 8)
    if year < 0 or month < 0 or day < 0:
        return np.int64(0), np.int64(NO_DATE_FORM)
    if not _is_day(year, month, day):
        return np.int64(0), np.int64(NO_DAY)
    return _days_before(year, month) + day - 1, np.int64(0)


@inner
def _put_pair(target: Bytes, o: int, value: np.uint64) -> int:
    """Write a number below 100 as two digits; gives the end."""
    tens = value // _TEN
    put(target, o, DIGIT_0 + np.int64(tens))
    put(target, o + 1, DIGIT_0 + np.int64(value - tens * _TEN))
    return o + 2


@inner
def _put_day(target: Bytes, o: int, days: np.uint64) -> int:
    """Write a day, counted from 0000-03-01, as `2023-11-27`; gives the end.

    By H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days
    (https://howardhinnant.github.io/date_algorithms.html). Counted from 1 March, a leap day is the last day of its
    year, and months have a regular pattern. All numbers are unsigned: their divisions take half the time.
    """
    centuries = (days * _FOUR + _THREE) // _DAYS_OF_400_YEARS
    # As if every fourth year of the century had a leap day: one that is missing would be the last day of the century.
    quarter_days = (days - centuries * _DAYS_OF_400_YEARS // _FOUR) * _FOUR + _THREE
    year = centuries * _HUNDRED + quarter_days // _DAYS_OF_4_YEARS
    day = quarter_days % _DAYS_OF_4_YEARS // _FOUR
    # March to July, August to December, and January on have 31, 30, 31, 30, 31 days: 153 days in 5 months.
    month = (day * _FIVE + _TWO) // _DAYS_OF_5_MONTHS
    day -= (month * _DAYS_OF_5_MONTHS + _TWO) // _FIVE
    month += _THREE
    if month > _TWELVE:
        month -= _TWELVE
        year += _ONE
    century = year // _HUNDRED
    o = _put_pair(target, o, century)
    o = _put_pair(target, o, year - century * _HUNDRED)
    put(target, o, MINUS)
    o = _put_pair(target, o + 1, month)
    put(target, o, MINUS)
    return _put_pair(target, o + 1, day + _ONE)


@inner
def put_date(target: Bytes, o: int, days: int) -> int:
    """Write days since 1970-01-01 as `2023-11-27`, always 10 bytes; gives the end."""
    return _put_day(target, o, np.uint64(days + _DAYS_TO_MARCH))


@inner
def put_iso(target: Bytes, o: int, micros: int) -> int:
    """Write microseconds as `2023-11-27T06:11:47.109000Z`, always 27 bytes, which order as the times do.

    Always six decimals and Z: importers that parse by one format string, such as Embulk, then read every row, and
    readers that guess (DuckDB, Polars, Arrow, Spark) guess the same of every file.
    """
    moment = np.uint64(micros + _SHIFT)
    seconds = moment // _MICROS
    fraction = moment - seconds * _MICROS
    days = seconds // _DAY_SECONDS
    second = seconds - days * _DAY_SECONDS
    minutes = second // _SIXTY
    hour = minutes // _SIXTY
    o = _put_day(target, o, days)
    put(target, o, 0x54)
    o = _put_pair(target, o + 1, hour)
    put(target, o, COLON)
    o = _put_pair(target, o + 1, minutes - hour * _SIXTY)
    put(target, o, COLON)
    o = _put_pair(target, o + 1, second - minutes * _SIXTY)
    put(target, o, POINT)
    hundredths = fraction // _HUNDRED
    o = _put_pair(target, o + 1, hundredths // _HUNDRED)
    o = _put_pair(target, o, hundredths % _HUNDRED)
    o = _put_pair(target, o, fraction % _HUNDRED)
    put(target, o, 0x5A)
    return o + 1


@inner
def put_seconds(target: Bytes, o: int, seconds: int) -> int:
    """Write a number of seconds as digits; gives the end."""
    if seconds < 0:
        put(target, o, MINUS)
        o += 1
        seconds = -seconds
    value = np.uint64(seconds)
    count = 1
    power = _TEN
    while value >= power:
        power = power * _TEN
        count += 1
    for k in range(count):
        rest = value // _TEN
        put(target, o + count - 1 - k, DIGIT_0 + np.int64(value - rest * _TEN))
        value = rest
    return o + count
