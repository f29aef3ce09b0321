"""Attributes that the options and the schema file name: which of them no item has, and what to say about it.

An attribute that is absent today is legal: a window of deletes lacks nearly all of them. It may be a typing error too.
So it is a warning, with the attributes that have nearly the same name. It is repeated for every export as long as there
are such, and given once otherwise; an attribute that an earlier export at the destination had needs no warning.
"""

from __future__ import annotations

import difflib
import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from converter.errors import UsageError
from converter.options import ConvertOptions
from converter.publishing.record import Record
from converter.publishing.record_entry import RecordEntry, distinct
from converter.schema.column_types import Origin
from converter.schema.columns import Column
from converter.schema.observe import Observation
from converter.schema.schema_file import SchemaFile

_NEAR, _VERY_NEAR = 0.5, 0.75
# With more names, the comparison would take longer than the conversion.
_COMPARED = 1000
_WARNINGS = 20


@dataclass(frozen=True, slots=True)
class NamedAttributes:
    """Attributes that the options name, and those among them that the destination's records know.

    by_place: the attributes, by the option or the schema file that names them. known: those that an earlier export had.
    warned: those that no earlier export had although it was published with them. first: is there no earlier export?
    """

    by_place: Mapping[str, tuple[str, ...]]
    known: frozenset[str]
    warned: frozenset[str]
    first: bool

    @staticmethod
    def of(
        options: ConvertOptions,
        file: SchemaFile | None = None,
        earlier: Sequence[RecordEntry] = (),
        base: Record | None = None,
    ) -> NamedAttributes:
        """file: the schema file of the options. earlier: the records that say what was there before.

        base: of a merge. Its rows are read again, and what is in their overflow column can't be seen.
        """
        by_place = dict(options.named_attributes())
        if file is not None:
            by_place[file.contract.where] = file.names
        known, warned = set[str](), set[str]()
        # An export without items lacks no attribute.
        with_items = (entry for entry in earlier if entry.items)
        for entry in distinct(with_items, "columns", "options", "unknown_attributes"):
            named = _named_by(entry, options, file)
            known |= named.difference(entry.unknown_attributes)
            warned |= named.intersection(entry.unknown_attributes)
        if base is not None and base.report.items and _overflows(base.columns):
            names = {name for names in by_place.values() for name in names}
            known |= names.difference(base.report.unknown_attributes)
        return NamedAttributes(by_place, frozenset(known), frozenset(warned), not earlier)

    def unknown(self, observation: Observation) -> tuple[str, ...]:
        """The attributes that neither the observed items nor earlier exports have, in the order of their naming."""
        if not observation.items:
            return ()
        return tuple(name for name in self._names() if name not in observation.attributes and name not in self.known)

    def warnings(self, observation: Observation, correction: str = "") -> list[str]:
        """One for each unknown attribute that could be a typing error, or that is named for the first time.

        correction: how to correct a typing error.
        """
        found = list[str]()
        others = _others(observation, self._names())
        for name in self.unknown(observation):
            warned = name in self.warned
            near = _near(name, others, _VERY_NEAR if warned else _NEAR) if len(found) < _WARNINGS else []
            if near or not warned:
                hint = f": did you mean {_listed(near)}?{correction}" if near else ""
                places = ", ".join(place for place, names in self.by_place.items() if name in names)
                found.append(f"no item has an attribute {name!r} ({places}){hint}")
        if len(found) > _WARNINGS:
            found[_WARNINGS:] = [f"and {len(found) - _WARNINGS:,} more attributes that are named are in no item"]
        return found

    def check_key(self, observation: Observation) -> None:
        """Raises UsageError where the items of a first export lack an attribute that is to be their key."""
        unknown = self.unknown(observation)
        name = next((name for name in self.by_place.get("--key", ()) if name in unknown), None)
        if name is not None and self.first:
            near = _near(name, _others(observation, self._names()), _NEAR)
            begin = f"the export's attributes begin with {_listed(list(observation.attributes)[:5]) or 'none at all'}"
            hint = f"did you mean {_listed(near)}?" if near else begin
            raise UsageError(f"no item has an attribute {name!r}", "--key", hint)

    def _names(self) -> dict[str, None]:
        """All names, each once."""
        return dict.fromkeys(name for names in self.by_place.values() for name in names)


def never_overflowed(named: NamedAttributes, earlier: Sequence[RecordEntry]) -> frozenset[str]:
    """The named attributes that can't be in an overflow column of an earlier export, which did not have them."""
    names = frozenset(name for names in named.by_place.values() for name in names)
    for entry in distinct((entry for entry in earlier if entry.items), "columns", "unknown_attributes"):
        if _overflows(entry.columns):
            names &= frozenset(entry.unknown_attributes)
    return names


def _overflows(columns: Sequence[Column]) -> bool:
    return any(column.origin is Origin.OVERFLOW for column in columns)


def _named_by(record: RecordEntry, options: ConvertOptions, file: SchemaFile | None) -> set[str]:
    """The attributes that have a column in the record, or that the options which it was published with name."""
    names = {column.attribute for column in record.columns if column.attribute is not None}
    for option in ("key", "select", "exclude", "rename", "cast", "time"):
        names.update(_first_texts(record.options.get(option)))
    if file is not None and record.options.get("schema") == options.published()["schema"]:
        names.update(file.names)
    return names


def _first_texts(value: object) -> list[str]:
    """A text, or those of a list; of pairs in it the first ones. Records may hold anything."""
    if isinstance(value, list):
        return [text for each in value for text in _first_texts(each[:1] if isinstance(each, list) else each)]
    return [value] if isinstance(value, str) else []


def _others(observation: Observation, named: Collection[str]) -> list[str]:
    """The attributes that nothing names, the most frequent ones."""
    others = {name: seen for name, seen in observation.attributes.items() if name not in named}
    return heapq.nlargest(_COMPARED, others, key=lambda name: others[name].values)


def _near(name: str, others: Sequence[str], cutoff: float) -> list[str]:
    same = [other for other in others if other.casefold() == name.casefold()]
    return same or difflib.get_close_matches(name, others, n=3, cutoff=cutoff)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))
