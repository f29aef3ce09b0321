"""Kernels for hashes: of bytes, and whether two of many are equal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from converter.decode.compile import inner
from converter.decode.lanes import Bytes, word

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(32)


@inner
def hash_bytes(data: Bytes, at: int, size: int) -> np.uint64:
    """A 64-bit hash of data[at : at + size]."""
    value = np.uint64(size) * _MULTIPLIER
    while size > 0:
        bits = word(data, at)
        if size < 8:
            shift = np.uint64(64 - 8 * size)
            bits = bits << shift
        value = (value ^ bits) * _MULTIPLIER
        value ^= value >> _SHIFT
        at += 8
        size -= 8
    return value


@inner
def has_twins(hashes: NDArray[np.uint64], start: int, end: int) -> bool:
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
def _sort(values: NDArray[np.uint64], start: int, end: int) -> None:
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
