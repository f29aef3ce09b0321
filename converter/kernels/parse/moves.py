"""Kernel for the values of columns that move to larger buffers."""

from __future__ import annotations

import numpy as np

from converter.kernels.layout import (
    COLUMN_BITS,
    COLUMN_LENGTHS,
    COLUMN_PRESENT,
    COLUMN_START,
    COLUMN_USED,
    Columns,
)
from converter.kernels.simd.words import copy_range
from converter.kernels.toolchain.decorators import kernel


@kernel
def move_values(old: Columns, new: Columns) -> None:
    """Copy the values of all columns, and the lengths of texts, to their places in `new`, which has room for more.

    A copy may write up to 64 bytes after the values, which are the column's own or those of columns that come later.
    """
    for number in range(len(old.facts)):
        c = np.uint64(number)
        present = old.facts[c, COLUMN_PRESENT]
        bits = old.facts[c, COLUMN_BITS]
        used = (present * bits + 7) >> 3 if bits > 0 else old.facts[c, COLUMN_USED]
        begin = old.facts[c, COLUMN_START]
        copy_range(new.arena, new.facts[c, COLUMN_START], old.arena, begin, begin + used)
        if bits == 0:
            source = old.facts[c, COLUMN_LENGTHS]
            target = new.facts[c, COLUMN_LENGTHS]
            for k in range(present):
                new.lengths[np.uint64(target + k)] = old.lengths[np.uint64(source + k)]
