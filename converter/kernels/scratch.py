"""Makes the working memory of kernels, and the secrets of their hashes."""

from __future__ import annotations

import os

import numpy as np

from converter.kernels.layout import NUMBER_ROOM, Scratch, Words
from converter.kernels.value_limits import DEPTH


def new_scratch(names: int = 1 << 17) -> Scratch:
    """Scratch for maps of up to `names` names in all open levels together; larger ones take the slow path.

    A member takes four bytes of an item's 400 KB at the least, but for the few with names of one byte.
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
    """What the hashes of a table depend on: whoever does not know it cannot make keys or values that collide."""
    return np.frombuffer(os.urandom(16), np.uint64).copy()
