"""Kernels that compare texts by their bytes, and numbers in plain form by their values."""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import MINUS, POINT
from converter.kernels.simd.words import Bytes, byte, byte_mask, equal_mask, equal_range, lowest_bit
from converter.kernels.toolchain.decorators import inner

_NOTHING = np.uint64(0)
_ONE = np.uint64(1)


@inner
def compare_bytes(left: Bytes, i: int, i_end: int, right: Bytes, j: int, j_end: int) -> int:
    """Return -1, 0 or 1 as left[i:i_end] is less than, equal to, or greater than right[j:j_end], byte by byte."""
    shorter = min(i_end - i, j_end - j)
    k = 0
    while k < shorter:
        differs = ~equal_mask(left, i + k, right, j + k)
        if differs != _NOTHING:
            k += lowest_bit(differs)
            break
        k += 64
    if k < shorter:
        return -1 if byte(left, i + k) < byte(right, j + k) else 1
    if i_end - i == j_end - j:
        return 0
    return -1 if i_end - i < j_end - j else 1


@inner
def _point(data: Bytes, at: int, end: int) -> int:
    """Return the position of the decimal point in data[at:end], or `end`."""
    while at < end and byte(data, at) != POINT:
        at += 1
    return at


@inner
def compare_numbers(left: Bytes, i: int, i_end: int, right: Bytes, j: int, j_end: int) -> int:
    """The same for two numbers in plain form, by their values.

    The positive number with more integer digits is greater. With equally many, the texts compare as the
    numbers do: a decimal point is in the same place or at the end, and decimals never end with zeros.
    """
    sign = 1
    if byte(left, i) == MINUS:
        if byte(right, j) != MINUS:
            return -1
        sign = -1
        i += 1
        j += 1
    elif byte(right, j) == MINUS:
        return 1
    digits = _point(left, i, i_end) - i
    other = _point(right, j, j_end) - j
    if digits != other:
        return -sign if digits < other else sign
    return sign * compare_bytes(left, i, i_end, right, j, j_end)


@inner
def contains_bytes(data: Bytes, at: int, end: int, texts: Bytes, start: int, size: int) -> bool:
    """Return whether data[at:end] contains texts[start : start + size]."""
    if size == 0:
        return True
    first = byte(texts, start)
    while at + size <= end:
        found = byte_mask(data, at, first)
        while found != _NOTHING:
            k = lowest_bit(found)
            found &= found - _ONE
            if at + k + size > end:
                return False
            if equal_range(data, at + k, texts, start, size):
                return True
        at += 64
    return False
