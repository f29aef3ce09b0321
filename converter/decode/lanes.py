"""Bytes one at a time, and 64 at a time in the form that was chosen for this machine.

Positions are int64 so that arithmetic stays natural, and become unsigned at the access: Numba would let a negative
index wrap to the end of the buffer, and bounds checks would never see it.
"""

from __future__ import annotations

import numpy as np

from converter.decode.cache import FORM
from converter.decode.compile import inlined, inner
from converter.decode.tables import Bytes

if FORM == "vector":
    from converter.decode.vector import (
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
    from converter.decode.plain import (
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
    "count_bits",
    "csv_mask",
    "equal_mask",
    "high_mask",
    "lowest_bit",
    "put",
    "put_all",
    "put_int64",
    "put_int128",
    "special_mask",
    "word",
]


@inner
def byte(data: Bytes, at: int) -> int:
    """data[at] as a signed number, so that literals compare and add without surprises."""
    return np.int64(data[np.uint64(at)])  # type: ignore[return-value]


@inner
def put(data: Bytes, at: int, value: int) -> None:
    """data[at] = value."""
    data[np.uint64(at)] = np.uint8(value)


@inlined
def put_all(target: Bytes, o: int, data: Bytes, at: int, end: int) -> int:
    """target[o:] = data[at:end], 64 bytes at a time; gives the end. Both must have that much behind their ends."""
    k = 0
    while k < end - at:
        copy64(target, o + k, data, at + k)
        k += 64
    return o + (end - at)
