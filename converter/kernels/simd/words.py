"""Bytes one at a time, and 64 at a time in the form that was chosen for this machine.

Positions are int64 so that arithmetic stays natural, and become unsigned at the access: Numba would let a negative
index wrap to the end of the buffer, and bounds checks would never see it.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.layout import Bytes
from converter.kernels.toolchain.cache import FORM
from converter.kernels.toolchain.decorators import inlined, inner

if FORM == "vector":
    from converter.kernels.simd.vector_words import (
        byte_mask,
        copy64,
        count_bits,
        csv_mask,
        equal_mask,
        high_mask,
        lowest_bit,
        put_int64,
        put_int128,
        special_mask,
        word,
    )
else:
    from converter.kernels.simd.scalar_words import (
        byte_mask,
        copy64,
        count_bits,
        csv_mask,
        equal_mask,
        high_mask,
        lowest_bit,
        put_int64,
        put_int128,
        special_mask,
        word,
    )

__all__ = [
    "Bytes",
    "byte",
    "byte_mask",
    "copy64",
    "copy_range",
    "count_bits",
    "csv_mask",
    "equal_mask",
    "find_newline",
    "high_mask",
    "lowest_bit",
    "put",
    "put_int64",
    "put_int128",
    "special_mask",
    "starts_with",
    "structure",
    "word",
]

_QUOTE = 0x22
_BACKSLASH = 0x5C
_OPEN_MAP = 0x7B
_CLOSE_MAP = 0x7D
_NEWLINE = 0x0A
_NOTHING = np.uint64(0)
_ONE = np.uint64(1)
_TOP = np.uint64(63)


@inner
def byte(data: Bytes, at: int) -> int:
    """data[at] as a signed number, so that literals compare and add without surprises."""
    return np.int64(data[np.uint64(at)])  # type: ignore[return-value]


@inner
def put(data: Bytes, at: int, value: int) -> None:
    """data[at] = value."""
    data[np.uint64(at)] = np.uint8(value)


@inlined
def copy_range(target: Bytes, o: int, data: Bytes, at: int, end: int) -> int:
    """target[o:] = data[at:end], 64 bytes at a time; gives the end. Both must have that much behind their ends."""
    k = 0
    while k < end - at:
        copy64(target, o + k, data, at + k)
        k += 64
    return o + (end - at)


@inner
def find_newline(data: Bytes, at: int) -> int:
    """Position of the next newline: every line of a block has one."""
    newlines = byte_mask(data, at, _NEWLINE)
    while newlines == _NOTHING:
        at += 64
        newlines = byte_mask(data, at, _NEWLINE)
    end: int = at + lowest_bit(newlines)
    return end


@inlined
def starts_with(block: Bytes, at: int, spellings: Bytes, start: int, size: int, mask: np.uint64) -> bool:
    """block[at:] begins with spellings[start : start + size]; mask: a bit for each byte of it, of 64 at most."""
    if equal_mask(block, at, spellings, start) & mask != mask:
        return False
    k = 64
    while k < size:
        if byte(block, at + k) != byte(spellings, start + k):
            return False
        k += 1
    return True


@inlined
def _unescaped(quotes: np.uint64, backslashes: np.uint64, escaped: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The quotes without escaped ones, and 1 if the byte behind the 64 is escaped. escaped: 1 if the first one is."""
    quotes &= ~escaped
    backslashes &= ~escaped
    while backslashes != _NOTHING:
        k = lowest_bit(backslashes)
        if k == 63:
            return quotes, _ONE
        behind = _ONE << np.uint64(k + 1)
        quotes &= ~behind
        backslashes &= ~(behind | behind >> _ONE)
    return quotes, _NOTHING


@inlined
def _between_quotes(quotes: np.uint64) -> np.uint64:
    """From each quote with an odd number on to the one before the next, all bits set."""
    for k in range(6):
        quotes ^= quotes << (_ONE << np.uint64(k))
    return quotes


@inlined
def structure(
    data: Bytes, at: int, inside: np.uint64, escaped: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64, np.uint64, np.uint64]:
    """What is text and what is structure in the 64 bytes of JSON at `at`.

    Gives the quotes that open or close a string, each string from its first quote on to before its last one, and the
    braces outside of strings that open and close. Then `inside`, which is all bits where a string goes on behind the 64
    bytes, and `escaped`, 1 where a backslash stands before them: the next 64 want both.
    """
    quotes = byte_mask(data, at, _QUOTE)
    backslashes = byte_mask(data, at, _BACKSLASH)
    if backslashes | escaped != _NOTHING:
        quotes, escaped = _unescaped(quotes, backslashes, escaped)
    strings = _between_quotes(quotes) ^ inside
    opened = byte_mask(data, at, _OPEN_MAP) & ~strings
    closed = byte_mask(data, at, _CLOSE_MAP) & ~strings
    return quotes, strings, opened, closed, _NOTHING - (strings >> _TOP), escaped
