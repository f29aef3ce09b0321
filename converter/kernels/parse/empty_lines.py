"""Kernel for lines without an item: blank ones, and `{}`, which the service may or may not count.

Blanks are what JSON allows between tokens inside of a line: spaces, tabs and carriage returns. A file may have
gigabytes of them, so they are skipped 64 at a time.
"""

from __future__ import annotations

import numpy as np

from converter.kernels.characters import CLOSE_MAP, NEWLINE, OPEN_MAP, RETURN, SPACE, TAB
from converter.kernels.layout import IRREGULAR
from converter.kernels.simd.words import Bytes, byte, byte_mask, lowest_bit
from converter.kernels.toolchain.decorators import inlined, inner

_NOTHING = np.uint64(0)


@inner
def _skip_blanks(data: Bytes, at: int) -> int:
    """Position of the first byte that is not blank; zeros follow a block, so there is one."""
    if byte(data, at) > SPACE:
        return at
    others = ~(byte_mask(data, at, SPACE) | byte_mask(data, at, TAB) | byte_mask(data, at, RETURN))
    while others == _NOTHING:
        at += 64
        others = ~(byte_mask(data, at, SPACE) | byte_mask(data, at, TAB) | byte_mask(data, at, RETURN))
    return at + lowest_bit(others)


@inner
def _blank_line(data: Bytes, at: int) -> tuple[int, int]:
    """`empty_line` for a line with blanks in it."""
    objects = 0
    at = _skip_blanks(data, at)
    if byte(data, at) == OPEN_MAP:
        at = _skip_blanks(data, at + 1)
        if byte(data, at) != CLOSE_MAP:
            return IRREGULAR, 0
        at = _skip_blanks(data, at + 1)
        objects = 1
    if byte(data, at) != NEWLINE:
        return IRREGULAR, 0
    return at + 1, objects


@inlined
def empty_line(data: Bytes, at: int) -> tuple[int, int]:
    """Return (start of the next line, 1 for `{}` or 0 for a blank line); (IRREGULAR, 0) for any other line at `at`."""
    if byte(data, at) == NEWLINE:
        return at + 1, 0
    if byte(data, at) == OPEN_MAP:
        if byte(data, at + 1) == CLOSE_MAP and byte(data, at + 2) == NEWLINE:
            return at + 3, 1
        if byte(data, at + 1) > SPACE and byte(data, at + 1) != CLOSE_MAP:
            return IRREGULAR, 0
    return _blank_line(data, at)
