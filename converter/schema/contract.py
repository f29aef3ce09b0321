"""The promises of a destination's columns, and the columns that a new export needs.

A reader of many days counts on them: a column keeps its position, name, type, and origin; new columns come last; a
column that is no longer seen stays, null. The promises come from the newest record at the destination, or from a schema
file. A value that a column can't hold breaks its promise:

    origin of the column            holds
    text, binary, bool              S, B, BOOL
    json                            M, L and sets
    number, int64                   numbers within int64
    number, decimal128(38, s)       numbers with up to s decimals and 38 - s integer digits
    number, double                  every number, rounded and counted
    number as text                  every number
    mixed as text, mixed as json    everything

Origins are part of the promise because a text column could hold anything: `5` from S and `5` from N do not mean the
same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from converter.errors import SchemaError
from converter.options import Numbers
from converter.schema import tags
from converter.schema.column_types import INT64, TAG_OF, ColumnType, Origin
from converter.schema.columns import Column
from converter.schema.observe import AttributeObservation, Observation
from converter.time_options import Unit

WAYS = (
    "--evolve widens the column from this export on and says which dates can no longer be read together with it;"
    " --schema FILE sets another type, --exclude leaves the attribute out, --schema new forgets all columns"
)
BREAKS_SHOWN = 5
_INT64_DIGITS = 19


@dataclass(frozen=True, slots=True)
class Promise:
    """A promised column.

    name, type, origin: None if the policy or the data decides. numbers: `--numbers` for this column. unit: the unit of
    the numbers of times, None while it is not known; is_unit_given: by an option or a file, not by earlier numbers.
    integer_digits, decimals: the most of any number that is published in it.
    """

    attribute: str | None
    name: str | None
    type: ColumnType | None = None
    origin: Origin | None = None
    numbers: Numbers | None = None
    integer_digits: int = 0
    decimals: int = 0
    unit: Unit | None = None
    is_unit_given: bool = False

    @property
    def column(self) -> Column | None:
        """The promised column, None while a part of it is not decided."""
        if self.name is None or self.type is None or self.origin is None:
            return None
        return Column(self.name, self.attribute, self.type, self.origin, self.unit)


@dataclass(frozen=True, slots=True)
class Contract:
    """The promised columns, in their order.

    where: their record or file. never_overflowed: attributes that no earlier export had, so that they can have columns
    although a promised overflow column takes new attributes.
    """

    promises: tuple[Promise, ...] = ()
    where: str = ""
    never_overflowed: frozenset[str] = frozenset()

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes that have a promise."""
        return frozenset(promise.attribute for promise in self.promises if promise.attribute is not None)

    @property
    def named(self) -> dict[str, str]:
        """attribute → column name, if that is promised."""
        return {p.attribute: p.name for p in self.promises if p.attribute is not None and p.name is not None}

    @property
    def unnamed(self) -> tuple[str, ...]:
        """Attributes whose columns have no name yet, in the order of the columns."""
        return tuple(p.attribute for p in self.promises if p.attribute is not None and p.name is None)

    @property
    def has_overflow(self) -> bool:
        """True if a column takes every attribute without its own column."""
        return any(promise.origin is Origin.OVERFLOW for promise in self.promises)


@dataclass(frozen=True, slots=True)
class Break:
    """A column that can't hold the values of an export, and a column that can."""

    column: Column
    needed: Column


NOTHING_PROMISED = Contract()


def holds(column: Column, seen: AttributeObservation, kinds: Iterable[int]) -> bool:
    """Return whether the column can hold all values of its attribute. kinds: its tags, with M for all documents."""
    if column.origin in (Origin.MIXED_TEXT, Origin.MIXED_JSON):
        return True
    if set(kinds) != {TAG_OF.get(column.origin)}:
        return False
    if column.type == INT64:
        return seen.decimals == 0 and not seen.beyond_int64
    scale, digits = column.type.scale, column.type.digits
    return not digits or (seen.decimals <= scale and seen.integer_digits + scale <= digits)


def combined(promise: Promise, seen: AttributeObservation) -> AttributeObservation:
    """The observation, together with the numbers that are published in the column."""
    return replace(
        seen,
        integer_digits=max(seen.integer_digits, promise.integer_digits),
        decimals=max(seen.decimals, promise.decimals),
        beyond_int64=seen.beyond_int64 or promise.integer_digits > _INT64_DIGITS,
    )


def broken_promise_error(
    breaks: Sequence[Break], observation: Observation, contract: Contract, place: str = "", ways: str = WAYS
) -> SchemaError:
    """The error for promises that an export breaks.

    place: of the first such value, if it is known. ways: instructions for the user.
    """
    shown = "; ".join(_describe(found, observation) for found in breaks[:BREAKS_SHOWN])
    more = f"; and {len(breaks) - BREAKS_SHOWN:,} more" if len(breaks) > BREAKS_SHOWN else ""
    return SchemaError(f"{shown}{more} (columns are promised by {contract.where})", place, ways)


def _describe(found: Break, observation: Observation) -> str:
    column, needed = found.column, found.needed
    seen = observation.attributes[column.attribute or ""]
    counts = tags.tag_counts({tags.TAGS[tag]: seen.counts[tag] for tag in sorted(seen.seen)})
    digits = ""
    if tags.N in seen.seen:
        digits = f", with up to {seen.integer_digits} integer digits and {seen.decimals} decimals"
    return (
        f"attribute {column.attribute!r} ({counts}{digits}) does not fit its column {column.name!r}, which is"
        f" {column.described}: it needs {needed.described}"
    )
