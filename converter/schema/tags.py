"""DynamoDB's ten type tags, as numbers that the kernels use and as texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TAGS: Final = ("S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS")
"""In the order of their numbers below."""

S: Final = 0
N: Final = 1
B: Final = 2
BOOL: Final = 3
NULL: Final = 4
M: Final = 5
L: Final = 6
SS: Final = 7
NS: Final = 8
BS: Final = 9

DOCUMENT_TAGS: Final = frozenset((M, L, SS, NS, BS))
"""One family: all of them become JSON text."""


def tag_counts(counts: Mapping[str, int]) -> str:
    """Return how many items have each type tag: `S in 2 items, N in 1 item`."""
    return ", ".join(f"{tag} in {count:,} {'item' if count == 1 else 'items'}" for tag, count in counts.items())
