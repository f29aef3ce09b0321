"""The fields and buffers that a decoder hands to the next decoder of the same job."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from converter.decode.attribute_registry import AttributeRegistry
from converter.decode.buffers import Buffers


@dataclass(frozen=True, slots=True)
class Learned:
    """Fields that are known, and buffers that have grown. No result of a shard depends on them."""

    registry: AttributeRegistry
    buffers: tuple[Buffers, ...]

    @staticmethod
    def of(registry: AttributeRegistry, buffers: Iterable[Buffers | None]) -> Learned | None:
        """Return them for another decoder; None if there are too many fields. `registry` forgets its items."""
        if not registry.reusable:
            return None
        registry.forget_items()
        return Learned(registry, tuple(each for each in buffers if each is not None and each.reusable))
