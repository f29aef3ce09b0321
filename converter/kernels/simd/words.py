"""Bytes one at a time, and 64 at a time in the form that was chosen for this machine.

Why 64: one comparison gives a bit for each byte, and 64 bits are a word. Bit k of a mask is about the byte at `at + k`,
so the first such byte is at `at + lowest_bit(mask)`, `mask &= mask - 1` removes it, and `(1 << k) - 1` are the bits of
the bytes before byte k.

Positions are int64, so that they can be subtracted. At the access they become uint64: Numba reads a negative index as
counted from the end, which bounds checks would accept.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import BACKSLASH, CLOSE_MAP, NEWLINE, OPEN_MAP, QUOTE
from converter.kernels.form import FORM
from converter.kernels.layout import Bytes as Bytes
from converter.kernels.simd import scalar_words, vector_words
from converter.kernels.toolchain.decorators import inlined, inner

_chosen = vector_words if FORM == "vector" else scalar_words
above_mask = _chosen.above_mask
byte_mask = _chosen.byte_mask
copy64 = _chosen.copy64
count_bits = _chosen.count_bits
csv_mask = _chosen.csv_mask
equal_mask = _chosen.equal_mask
high_mask = _chosen.high_mask
lowest_bit = _chosen.lowest_bit
put_int64 = _chosen.put_int64
put_int128 = _chosen.put_int128
special_mask = _chosen.special_mask
word = _chosen.word

_NOTHING = np.uint64(0)
_ONE = np.uint64(1)
_TOP = np.uint64(63)


@inner
def byte(data: Bytes, at: int) -> int:
    """Return data[at] as int64: Numba would compute with uint8 or uint64 and literals in types of its own choice."""
    return np.int64(data[np.uint64(at)])  # type: ignore[return-value]


@inner
def put(data: Bytes, at: int, value: int) -> None:
    """data[at] = value."""
    data[np.uint64(at)] = np.uint8(value)


@inlined
def copy_range(target: Bytes, o: int, data: Bytes, at: int, end: int) -> int:
    """Copy data[at:end] to target[o:], 64 bytes at a time; gives the end in the target. Both need 64 bytes more."""
    k = 0
    while k < end - at:
        copy64(target, o + k, data, at + k)
        k += 64
    return o + (end - at)


@inlined
def equal_range(left: Bytes, i: int, right: Bytes, j: int, size: int) -> bool:
    """Return whether left[i : i + size] == right[j : j + size]. Both need 64 bytes more."""
    k = 0
    while k < size:
        differs = ~equal_mask(left, i + k, right, j + k)
        if differs != _NOTHING:
            reached: int = k + lowest_bit(differs)
            return reached >= size
        k += 64
    return True


@inner
def find_newline(data: Bytes, at: int) -> int:
    """Return the position of the next newline, which every line of a block has."""
    newlines = byte_mask(data, at, NEWLINE)
    while newlines == _NOTHING:
        at += 64
        newlines = byte_mask(data, at, NEWLINE)
    end: int = at + lowest_bit(newlines)
    return end


@inlined
def starts_with(block: Bytes, at: int, spellings: Bytes, start: int, size: int, mask: np.uint64) -> bool:
    """Return whether block[at:] begins with spellings[start : start + size].

    mask: a bit for each of these bytes, up to 64. One comparison of 64 bytes decides most cases, whatever the size is:
    the mask hides what follows the spelling.
    """
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
    """Return the quotes that are not escaped, and 1 if the byte after the 64 is. escaped: 1 if the first byte is.

    The lowest backslash that is not escaped itself escapes the next byte: a quote there is not one, and a backslash
    there escapes nothing.
    """
    quotes &= ~escaped
    backslashes &= ~escaped
    while backslashes != _NOTHING:
        k = lowest_bit(backslashes)
        if k == 63:
            return quotes, _ONE
        following = _ONE << np.uint64(k + 1)
        quotes &= ~following
        backslashes &= ~(following | following >> _ONE)
    return quotes, _NOTHING


@inlined
def _between_quotes(quotes: np.uint64) -> np.uint64:
    """Return all bits from each opening quote, which is included, up to its closing quote, which is not.

    Bit k is the XOR of all bits up to k: 1 after an odd number of quotes. Six shifts by 1, 2, 4, … 32 compute it for
    all 64 bits (a prefix sum by doubling, as in simdjson: https://arxiv.org/abs/1902.08318).
    """
    for k in range(6):
        quotes ^= quotes << (_ONE << np.uint64(k))
    return quotes


@inlined
def structure(
    data: Bytes, at: int, inside: np.uint64, escaped: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64, np.uint64, np.uint64]:
    """Return the strings and the braces in the 64 bytes of JSON at `at`, as masks.

    quotes: those that open or close a string. strings: from the opening quote of each, which is included, up to its
    closing quote, which is not. opened, closed: braces outside of strings. inside: all bits if a string continues after
    the 64 bytes, otherwise none. escaped: 1 if the byte after them is escaped. The call for the next 64 bytes needs the
    last two; the first call needs zeros.
    """
    quotes = byte_mask(data, at, QUOTE)
    backslashes = byte_mask(data, at, BACKSLASH)
    if backslashes | escaped != _NOTHING:
        quotes, escaped = _unescaped(quotes, backslashes, escaped)
    strings = _between_quotes(quotes) ^ inside
    opened = byte_mask(data, at, OPEN_MAP) & ~strings
    closed = byte_mask(data, at, CLOSE_MAP) & ~strings
    # The top bit is 1 if a string continues, and 0 - 1 has all bits.
    return quotes, strings, opened, closed, _NOTHING - (strings >> _TOP), escaped
