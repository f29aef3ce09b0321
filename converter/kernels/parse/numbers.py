"""Kernels for DynamoDB numbers: their plain form, which other spellings are brought to, and their binary values.

A DynamoDB number has at most 38 significant digits and a magnitude from 1E-130 to 9.99…E+125
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html). The service
writes the plain form: without exponent, without zeros in front or at the end of the decimals, and without -0. Other
spellings of JSON numbers are irregular in the fast functions and are normalized; `007`, `+1` and 39 digits are not
numbers.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import MINUS, PLUS, POINT
from converter.kernels.layout import IRREGULAR
from converter.kernels.simd.words import Bytes, byte, put, put_int128, word
from converter.kernels.toolchain.decorators import inlined, inner
from converter.kernels.value_limits import HIGHEST_EXPONENT, LOWEST_EXPONENT, SIGNIFICANT_DIGITS

_POWERS = np.array([10**i for i in range(20)], np.uint64)
_ZEROS = np.uint64(0x3030303030303030)
_HIGH_NIBBLES = np.uint64(0xF0F0F0F0F0F0F0F0)
_SIXES = np.uint64(0x0606060606060606)
_EIGHT_DIGITS = np.uint64(100_000_000)
_UNIT19 = np.uint64(10**19)
_INT64_MAX = np.uint64(2**63 - 1)
_INT64_MIN = np.uint64(2**63)


@inner
def _is_digit(c: int) -> bool:
    return 0x30 <= c <= 0x39


@inlined
def read_digits(data: Bytes, at: int, count: int) -> tuple[np.uint64, bool]:
    """Return the value of the `count` bytes at `at`, 0 to 19 decimal digits, and whether all of them are digits.

    Eight digits at a time, in one word (SWAR; D. Lemire, "Quickly parsing eight digits", 2018-10-03, lemire.me). Two
    adjacent digits become a number of two digits by 10 * low + high, in each byte pair at once. Then one multiplication
    weighs the pairs with 1,000,000 and 100, and one with 10,000 and 1: the bits from 32 on of both products are added.
    Fewer than eight digits are shifted to the high end of the word, which leaves zeros in front of them.

    A byte is a digit if its high nibble is 3, and still is after 6 was added: 0x3A + 6 is 0x40.
    """
    value = np.uint64(0)
    bad = np.uint64(0)
    while count > 0:
        take = min(count, 8)
        shift = np.uint64(64 - 8 * take)
        digits = word(data, at) << shift
        zeros = _ZEROS << shift
        bad |= (digits & _HIGH_NIBBLES ^ zeros) | ((digits + (_SIXES << shift)) & _HIGH_NIBBLES ^ zeros)
        digits -= zeros
        digits = digits * np.uint64(10) + (digits >> np.uint64(8))
        pairs = (digits & np.uint64(0x000000FF000000FF)) * np.uint64(0x000F424000000064)
        pairs += (digits >> np.uint64(16) & np.uint64(0x000000FF000000FF)) * np.uint64(0x0000271000000001)
        value = value * _POWERS[np.uint64(take)] + (pairs >> np.uint64(32))
        at += take
        count -= take
    return value, bad == np.uint64(0)


@inner
def plain_number(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return (integer digits, decimals) of the number data[at:end] in plain form; (IRREGULAR, 0) if it is not one.

    0.5 has no integer digits, and 0 has neither.
    """
    irregular = (np.int64(IRREGULAR), np.int64(0))
    if at < end and byte(data, at) == MINUS:
        at += 1
        if end - at == 1 and byte(data, at) == 0x30:
            return irregular
    if at >= end:
        return irregular
    point = end
    first = end
    last = at
    for k in range(at, end):
        c = byte(data, k)
        if c == POINT:
            if point != end:
                return irregular
            point = k
        elif not _is_digit(c):
            return irregular
        elif c != 0x30:
            if first == end:
                first = k
            last = k
    integers = point - at
    decimals = max(end - point - 1, 0)
    if integers == 0 or (integers > 1 and byte(data, at) == 0x30):
        return irregular
    if point != end and (decimals == 0 or last != end - 1):
        return irregular
    if first == end:
        return np.int64(0), np.int64(0)
    significant = last - first + 1
    if first < point < last:
        significant -= 1
    if significant > SIGNIFICANT_DIGITS or integers > HIGHEST_EXPONENT + 1:
        return irregular
    if first > point and first - point > -LOWEST_EXPONENT:
        return irregular
    if byte(data, at) == 0x30:
        integers = 0
    return integers, decimals


@inner
def _read_exponent(data: Bytes, at: int, end: int) -> tuple[int, bool]:
    """Return the signed exponent in data[at:end], capped at 2**40, and whether it is well-formed."""
    sign = 1
    if at < end and (byte(data, at) == MINUS or byte(data, at) == PLUS):
        if byte(data, at) == MINUS:
            sign = -1
        at += 1
    if at >= end:
        return 0, False
    value = 0
    for k in range(at, end):
        c = byte(data, k)
        if not _is_digit(c):
            return 0, False
        value = min(value * 10 + c - 0x30, 1 << 40)
    return sign * value, True


@inner
def normalize_number(data: Bytes, at: int, end: int, scratch: Bytes) -> int:
    """Write the plain form of the JSON number data[at:end] to scratch[0:]; gives its size, or IRREGULAR.

    The significant digits are collected in scratch[256:]. The exponent is checked before zeros are written, so that
    `1E+99999999` takes no time.
    """
    negative = at < end and byte(data, at) == MINUS
    if negative:
        at += 1
    start = at
    digits = 0  # significant ones, leading zeros dropped, trailing zeros still counted
    kept = 0  # of them, those up to the last that is not zero
    exponent = 0  # of ten, that the digits must be multiplied with
    point = -1
    while at < end:
        c = byte(data, at)
        if c == POINT and point < 0 and at > start:
            point = at
        elif _is_digit(c):
            if point < 0 and at == start + 1 and byte(data, start) == 0x30:
                return IRREGULAR  # a leading zero
            if point >= 0:
                exponent -= 1
            if c != 0x30 or digits > 0:
                if digits < SIGNIFICANT_DIGITS:
                    put(scratch, 256 + digits, c)
                elif c != 0x30:
                    return IRREGULAR
                digits += 1
                if c != 0x30:
                    kept = digits
        else:
            break
        at += 1
    if at == start or at == point + 1:
        return IRREGULAR
    if at < end:
        if byte(data, at) | 0x20 != 0x65:
            return IRREGULAR
        written, fine = _read_exponent(data, at + 1, end)
        if not fine:
            return IRREGULAR
        exponent += written
    if kept == 0:
        put(scratch, 0, 0x30)
        return 1
    exponent += digits - kept
    leading = exponent + kept - 1
    if leading > HIGHEST_EXPONENT or leading < LOWEST_EXPONENT:
        return IRREGULAR
    return _write_plain(scratch, negative, kept, exponent)


@inner
def _write_plain(scratch: Bytes, negative: bool, kept: int, exponent: int) -> int:
    """Write ±digits * 10**exponent to scratch[0:], the `kept` digits being in scratch[256:]; gives the size."""
    o = 0
    if negative:
        put(scratch, o, MINUS)
        o += 1
    whole = kept + exponent  # digits in front of the point
    if whole <= 0:
        put(scratch, o, 0x30)
        put(scratch, o + 1, POINT)
        o += 2
        for _ in range(-whole):
            put(scratch, o, 0x30)
            o += 1
    for k in range(kept):
        if k == whole and k > 0:
            put(scratch, o, POINT)
            o += 1
        put(scratch, o, byte(scratch, 256 + k))
        o += 1
    for _ in range(exponent):
        put(scratch, o, 0x30)
        o += 1
    return o


@inner
def scaled_digits(data: Bytes, at: int, end: int, scale: int) -> tuple[np.uint64, np.uint64, int]:
    """Return |number| * 10**scale as (high, low, negative): high * 10**19 + low. 10**19 is the largest power in a word.

    data[at:end] is a plain number with decimals <= scale and integer digits + scale <= 38.
    """
    negative = 0
    if byte(data, at) == MINUS:
        negative = 1
        at += 1
    point = at
    while point < end and byte(data, point) != POINT:
        point += 1
    high = np.uint64(0)
    low = np.uint64(0)
    size = point - at + scale
    for k in range(size):
        position = at + k if k < point - at else at + k + 1
        digit = np.uint64(byte(data, position) - 0x30) if position < end else np.uint64(0)
        if size - k > 19:
            high = high * np.uint64(10) + digit
        else:
            low = low * np.uint64(10) + digit
    return high, low, negative


@inner
def fits_int64(high: np.uint64, low: np.uint64, negative: int) -> bool:
    """Return whether ±(high * 10**19 + low) is within int64."""
    return high == np.uint64(0) and low <= (_INT64_MIN if negative != 0 else _INT64_MAX)


@inlined
def small_integer(data: Bytes, at: int, end: int) -> tuple[int, bool]:
    """Return the value of a plain integer of at most 18 digits, and whether data[at:end] is one."""
    negative = byte(data, at) == MINUS
    if negative:
        at += 1
    size = end - at
    if size < 1 or size > 18 or (byte(data, at) == 0x30 and (size > 1 or negative)):
        return 0, False
    value, fine = read_digits(data, at, size)
    return (-np.int64(value) if negative else np.int64(value)), fine


@inlined
def put_small_decimal(data: Bytes, at: int, end: int, scale: int, target: Bytes, o: int) -> tuple[int, int]:
    """Store a plain number of at most 18 digits as decimal128(38, scale) in target[o : o + 16].

    Gives (integer digits, decimals). (IRREGULAR, 0), with nothing stored, if the number is too long, not plain, or does
    not fit the scale: `read_number` and `put_decimal` then decide.
    """
    irregular = (np.int64(IRREGULAR), np.int64(0))
    negative = 0
    if byte(data, at) == MINUS:
        negative = 1
        at += 1
    size = end - at
    if size < 1 or size > 19:
        return irregular
    integers = size
    for k in range(size):
        if byte(data, at + k) == POINT:
            integers = k
            break
    decimals = max(size - integers - 1, 0)
    padding = scale - decimals
    if integers < 1 or integers + decimals > 18 or padding < 0 or padding > 19 or integers + scale > 38:
        return irregular
    zero_first = byte(data, at) == 0x30
    if zero_first and (integers > 1 or (negative != 0 and decimals == 0)):
        return irregular
    if integers < size and (decimals == 0 or byte(data, end - 1) == 0x30):
        return irregular
    value, fine = read_digits(data, at, integers)
    if decimals > 0:
        fraction, also_fine = read_digits(data, at + integers + 1, decimals)
        fine = fine and also_fine
        value = value * _POWERS[np.uint64(decimals)] + fraction
    if not fine:
        return irregular
    put_int128(target, o, value, _POWERS[np.uint64(padding)], np.uint64(0), negative)
    return (0 if zero_first else integers), decimals


@inner
def put_decimal(data: Bytes, at: int, end: int, scale: int, target: Bytes, o: int) -> None:
    """Store any plain number that decimal128(38, scale) holds in target[o : o + 16]."""
    high, low, negative = scaled_digits(data, at, end, scale)
    put_int128(target, o, high, _UNIT19, low, negative)
