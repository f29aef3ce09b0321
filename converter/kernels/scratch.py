"""The working memory of kernels, and the secrets of their hashes."""

from __future__ import annotations

import os

import numpy as np

from converter.kernels.layout import NUMBER_ROOM, Scratch, Words
from converter.kernels.value_limits import DEPTH


def new_scratch(names: int = 1 << 17) -> Scratch:
    """Return scratch for maps with up to `names` names on all open levels together; larger ones take the slow path.

    An item has 400 KB, of which each member takes four bytes or more, except for the few with names of one byte.
    """
    return Scratch(
        np.zeros(NUMBER_ROOM, np.uint8),
        np.zeros(DEPTH + 1, np.uint8),
        np.zeros(names, np.uint64),
        np.zeros(DEPTH + 1, np.int64),
        np.zeros(1, np.uint8),
        new_secret(),
    )


def new_secret() -> Words:
    """Return two random words for the hashes of one table: no one who lacks them can make keys that collide."""
    return np.frombuffer(os.urandom(16), np.uint64).copy()
