"""Kernels for hashes of bytes, and for the search for duplicates among hashes.

Keys and values come from outside. Someone who can make many of them with the same hash makes each look-up compare all
of them. So the hash depends on a secret, which every table draws for itself. Each step multiplies two words that are
both masked by the secret, as in wyhash (https://github.com/wangyi-fudan/wyhash). If only the first step had a secret,
or if a factor were known, some inputs would collide for all secrets.

No output depends on the secret: entries have their numbers in the order in which they were added.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from converter.kernels.layout import Words
from converter.kernels.simd.words import Bytes, word
from converter.kernels.toolchain.decorators import inlined, inner

_WORD: Final = ir.IntType(64)
_LONG: Final = ir.IntType(128)


@intrinsic
def _folded_product(typing_context: Any, first: Any, second: Any) -> Any:
    """Return the high word of the 128-bit product of two words, XORed with its low word."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        product = builder.mul(*(builder.zext(argument, _LONG) for argument in arguments))
        high = builder.trunc(builder.lshr(product, ir.Constant(_LONG, 64)), _WORD)
        return builder.xor(builder.trunc(product, _WORD), high)

    return types.uint64(types.uint64, types.uint64), generate


@inlined
def _rest(data: Bytes, at: int, size: int) -> np.uint64:
    """Return the first 8 of `size` bytes as a word. If there are fewer, they are at its high end, after zeros."""
    if size >= 8:
        return word(data, at)
    if size <= 0:
        return np.uint64(0)
    return word(data, at) << np.uint64(64 - 8 * size)


@inner
def hash_more(data: Bytes, at: int, size: int, begin: np.uint64, secret: Words) -> np.uint64:
    """Extend `begin`, which is secret[1] or a value of this function, by data[at : at + size]; see `finish_hash`."""
    value = begin ^ np.uint64(size)
    while size > 16:
        value = _folded_product(word(data, at) ^ secret[0], word(data, at + 8) ^ value)
        at += 16
        size -= 16
    return _folded_product(_rest(data, at, size) ^ secret[0], _rest(data, at + 8, size - 8) ^ value)


@inlined
def finish_hash(value: np.uint64, secret: Words) -> np.uint64:
    """Return the hash for a value of `hash_more`.

    Without this second product, consecutive numbers would have hashes at a constant distance, which collide in some
    tables.
    """
    return _folded_product(value ^ secret[0], secret[1])


@inlined
def hash_bytes(data: Bytes, at: int, size: int, secret: Words) -> np.uint64:
    """Return a 64-bit hash of data[at : at + size]. secret: see `new_secret`."""
    return finish_hash(hash_more(data, at, size, secret[1], secret), secret)


@inner
def has_duplicates(hashes: Words, start: int, end: int) -> bool:
    """Return whether a value occurs twice in hashes[start:end], which may be sorted by this.

    Up to 128 values are compared in pairs, several in one step: that takes less time than to sort them.
    """
    if end - start <= 128:
        found = np.uint64(0)
        for i in range(start + 1, end):
            value = hashes[np.uint64(i)]
            for k in range(start, i):
                found |= np.uint64(hashes[np.uint64(k)] == value)
        return found != np.uint64(0)
    _sort(hashes, start, end)
    for i in range(start + 1, end):
        if hashes[np.uint64(i)] == hashes[np.uint64(i - 1)]:
            return True
    return False


@inner
def _sort(values: Words, start: int, end: int) -> None:
    """Sort values[start:end] in place, by heapsort: it needs no memory, and no input makes it slow."""
    size = end - start
    heap = size // 2
    while size > 1:
        if heap > 0:
            heap -= 1
        else:
            size -= 1
            last = values[np.uint64(start + size)]
            values[np.uint64(start + size)] = values[np.uint64(start)]
            values[np.uint64(start)] = last
        root = heap
        child = 2 * root + 1
        while child < size:
            if child + 1 < size and values[np.uint64(start + child)] < values[np.uint64(start + child + 1)]:
                child += 1
            if values[np.uint64(start + root)] >= values[np.uint64(start + child)]:
                break
            moved = values[np.uint64(start + root)]
            values[np.uint64(start + root)] = values[np.uint64(start + child)]
            values[np.uint64(start + child)] = moved
            root = child
            child = 2 * root + 1
