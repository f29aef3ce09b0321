"""How many faults are played: an eighth with the slow tests, all of them with FAULTS=all (`make test-faults`)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import product
from typing import TypeVar

_T = TypeVar("_T")
_U = TypeVar("_U")

ALL = os.environ.get("FAULTS") == "all"
_SHARE = 8
_LEAST = 4


def times(most: int) -> int:
    """How often something is done."""
    return most if ALL else max(most // _SHARE, _LEAST)


def some(things: Sequence[_T]) -> list[_T]:
    """All of them, or every third."""
    return list(things if ALL else things[::3])


def pairs(one: Sequence[_T], other: Sequence[_U]) -> list[tuple[_T, _U]]:
    """All pairs, or every third of the one, each with one of the other, in turn."""
    return list(product(one, other)) if ALL else [(thing, other[n % len(other)]) for n, thing in enumerate(some(one))]
