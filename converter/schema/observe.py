"""Observations of attributes. They merge in any order and grouping to the same result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from converter.schema import tags


@dataclass(frozen=True, slots=True)
class AttributeObservation:
    """The values of one attribute that were seen.

    counts: items per type tag, in the order of tags.TAGS. integer_digits, decimals: the most of any number in plain
    form (0.5 has no integer digit). beyond_int64: an integer that int64 can't hold occurs. longest: bytes of its
    longest value that is not a number: text unescaped, binary decoded, documents as plain JSON. binary_inside: a map or
    list holds a B or BS, or the attribute is a BS. nuls: texts with the character NUL, as far as they stay texts.
    magnitudes: of Unix times whose unit is not given, a set as in units.py. bad_times: values that became null because
    they are not times. fine_times: times that were cut to the microsecond.
    """

    counts: tuple[int, ...] = (0,) * len(tags.TAGS)
    integer_digits: int = 0
    decimals: int = 0
    beyond_int64: bool = False
    longest: int = 0
    binary_inside: bool = False
    nuls: int = 0
    magnitudes: int = 0
    bad_times: int = 0
    fine_times: int = 0

    @property
    def nulls(self) -> int:
        """Items that hold an explicit NULL."""
        return self.counts[tags.NULL]

    @property
    def values(self) -> int:
        """Items that hold a value other than NULL."""
        return sum(self.counts) - self.nulls

    @property
    def seen(self) -> frozenset[int]:
        """Tags with a value, NULL apart."""
        return frozenset(tag for tag, count in enumerate(self.counts) if count and tag != tags.NULL)

    def merge(self, other: AttributeObservation) -> AttributeObservation:
        """Both observations as one."""
        return AttributeObservation(
            tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)),
            max(self.integer_digits, other.integer_digits),
            max(self.decimals, other.decimals),
            self.beyond_int64 or other.beyond_int64,
            max(self.longest, other.longest),
            self.binary_inside or other.binary_inside,
            self.nuls + other.nuls,
            self.magnitudes | other.magnitudes,
            self.bad_times + other.bad_times,
            self.fine_times + other.fine_times,
        )


@dataclass(frozen=True, slots=True)
class Observation:
    """The values that were seen in `items` items, by attribute.

    facts: the same for the facts of changes, by their names in change_columns.py; none for items. unknown: unknown
    members of lines, by their paths: the number of the data file that has each first, and the place in it.
    """

    items: int = 0
    attributes: dict[str, AttributeObservation] = field(default_factory=dict)
    facts: dict[str, AttributeObservation] = field(default_factory=dict)
    unknown: dict[str, tuple[int, str]] = field(default_factory=dict)

    def merge(self, other: Observation) -> Observation:
        """Both observations as a new one."""
        return merge_observations((self, other))


def merge_observations(observations: Iterable[Observation]) -> Observation:
    """All observations as one, with the attributes in code point order, so that equal contents give equal results."""
    seen = list(observations)
    return Observation(
        sum(observation.items for observation in seen),
        _merge(observation.attributes for observation in seen),
        _merge(observation.facts for observation in seen),
        _first_places(observation.unknown for observation in seen),
    )


def _merge(observed: Iterable[dict[str, AttributeObservation]]) -> dict[str, AttributeObservation]:
    merged: dict[str, AttributeObservation] = {}
    for attributes in observed:
        for name, seen in attributes.items():
            before = merged.get(name)
            merged[name] = seen if before is None else before.merge(seen)
    return {name: merged[name] for name in sorted(merged)}


def _first_places(unknown: Iterable[dict[str, tuple[int, str]]]) -> dict[str, tuple[int, str]]:
    first: dict[str, tuple[int, str]] = {}
    for places in unknown:
        for path, place in places.items():
            first[path] = min(place, first.get(path, place))
    return {path: first[path] for path in sorted(first)}
