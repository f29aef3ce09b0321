"""Kernels for hashes: of bytes, and whether two of many are equal.

Keys and values come from outside. Someone who can make many of them with one hash makes each look-up pass over all of
them, so the hash depends on a secret that every table draws for itself. Each step is a product of two words, both
hidden by the secret (after wyhash, https://github.com/wangyi-fudan/wyhash). With a secret in the first step alone, or
with a known factor, there are inputs that collide for all secrets.

No output depends on the secret: entries are numbered in the order in which they come.
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
    """The 128 bits of a product of two words, one half XORed with the other."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        product = builder.mul(*(builder.zext(argument, _LONG) for argument in arguments))
        high = builder.trunc(builder.lshr(product, ir.Constant(_LONG, 64)), _WORD)
        return builder.xor(builder.trunc(product, _WORD), high)

    return types.uint64(types.uint64, types.uint64), generate


@inlined
def _rest(data: Bytes, at: int, size: int) -> np.uint64:
    """The first 8 of `size` bytes; of fewer, all of them, with zeros for the others."""
    if size >= 8:
        return word(data, at)
    if size <= 0:
        return np.uint64(0)
    return word(data, at) << np.uint64(64 - 8 * size)


@inner
def hash_more(data: Bytes, at: int, size: int, begin: np.uint64, secret: Words) -> np.uint64:
    """Of what `begin` is of, and of data[at : at + size]; `finish_hash` makes a hash of it."""
    value = begin ^ np.uint64(size)
    while size > 16:
        value = _folded_product(word(data, at) ^ secret[0], word(data, at + 8) ^ value)
        at += 16
        size -= 16
    return _folded_product(_rest(data, at, size) ^ secret[0], _rest(data, at + 8, size - 8) ^ value)


@inlined
def finish_hash(value: np.uint64, secret: Words) -> np.uint64:
    """The hash itself. After one product, values that count up lie in rows, which collide in a few of the tables."""
    return _folded_product(value ^ secret[0], secret[1])


@inlined
def hash_bytes(data: Bytes, at: int, size: int, secret: Words) -> np.uint64:
    """A 64-bit hash of data[at : at + size]. secret: see new_secret."""
    return finish_hash(hash_more(data, at, size, secret[1], secret), secret)


@inner
def has_duplicates(hashes: Words, start: int, end: int) -> bool:
    """Does a value occur twice in hashes[start:end]? Sorts them when they are many."""
    if end - start <= 16:
        for i in range(start + 1, end):
            for k in range(start, i):
                if hashes[np.uint64(i)] == hashes[np.uint64(k)]:
                    return True
        return False
    _sort(hashes, start, end)
    for i in range(start + 1, end):
        if hashes[np.uint64(i)] == hashes[np.uint64(i - 1)]:
            return True
    return False


@inner
def _sort(values: Words, start: int, end: int) -> None:
    """Sort values[start:end] in place: heapsort, which needs no memory and has no bad case."""
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
