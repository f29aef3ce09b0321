"""The fields that a decoder knows (an attribute with a type tag, as lines spell them), and its observations of them."""

from __future__ import annotations

import json
from collections.abc import Collection
from itertools import compress

import numpy as np

from converter.kernels import layout, scratch
from converter.kernels.bindings import bind_find_slot, index_fields
from converter.kernels.layout import Bytes, Fields
from converter.options import NAMES_BYTES_LIMIT, NAMES_LIMIT
from converter.schema import tags
from converter.schema.derive import too_long_names_error, too_many_attributes_error
from converter.schema.observe import AttributeObservation, Observation

_PADDING = 64
_OBSERVED = slice(layout.FIELD_COUNT, layout.FIELD_FINE_TIMES + 1)
_OF_ITEMS = (
    layout.FIELD_SEEN,
    *range(layout.FIELD_COUNT, layout.FIELD_NUL_POLICY),
    *range(layout.FIELD_BAD_REPORTED, layout.FIELD_FACTS),
)
"""Facts that items set. The others follow from its spelling, the schema and the options, or are guesses."""
_MOST_KEPT = 10_000
"""Attributes of a registry that another decoder may use."""
_ALL_64_BYTES = -1
_NO_TEXT = b"\xff"
_MOST_SPELLINGS = 4
"""One name may be spelled with several types, and with escapes."""


class AttributeRegistry:
    """Grows the kernel's tables as new fields are found. `tables` is replaced when they grow: don't keep it."""

    def __init__(self, capacity: int = 256, facts: Collection[str] = ()) -> None:
        """facts: names that lines of changes have beside attributes; they begin with the byte 0xFF."""
        self._facts = facts
        self._spelling_bytes = 0
        self._name_bytes = 0
        self._count = 0
        self._kept = self._kept_bytes = 0
        self._attributes: dict[str, int] = {}
        self._find_slot = bind_find_slot()
        self.tables = _new_tables(capacity, 1 << 14)
        # Field 0 is reserved. No line has the byte of its spelling.
        self._append(np.full(1, 0xFF, np.uint8), 0)
        self.tables.facts[0, layout.FIELD_MASK] = _ALL_64_BYTES

    def __len__(self) -> int:
        return self._count

    @property
    def attributes(self) -> list[str]:
        """Names of all attributes known, in the order of their numbers."""
        return list(self._attributes)

    @property
    def attribute_count(self) -> int:
        """Number of the attributes seen: those kept from an earlier decoder count once an item has them."""
        seen = self.tables.facts[: self._kept, layout.FIELD_SEEN]
        return len(self._attributes) - self._kept + int(np.count_nonzero(seen))

    @property
    def reusable(self) -> bool:
        """Whether another decoder may begin with these fields: they are few, and far below all limits."""
        return len(self._attributes) <= _MOST_KEPT and self._spelling_bytes <= _MOST_KEPT * 2 * _PADDING

    def forget_items(self) -> None:
        """Forget all that was observed; the fields stay known."""
        self.tables.facts[:, _OF_ITEMS] = 0
        self._kept, self._kept_bytes, self._name_bytes = len(self._attributes), self._spelling_bytes, 0

    def add(self, spelling: Bytes, name_end: int, tag_end: int) -> tuple[int, str, int] | None:
        """Register a field by its spelling (`"price":{"N":"`); gives (field, attribute, tag).

        name_end: position of the quote after the name. tag_end: position of the quote after the tag. None if the
        kernel must not accept the spelling: an unknown tag, a value of another form, a name that is not valid text.
        Raises SchemaError beyond NAMES_LIMIT names, or NAMES_BYTES_LIMIT bytes of all names.
        """
        raw = spelling.tobytes()
        tag_text = raw[name_end + 4 : tag_end].decode("ascii")
        if tag_text not in tags.TAGS:
            return None
        tag = tags.TAGS.index(tag_text)
        quoted = raw.endswith(b'"') and len(raw) == tag_end + 3
        if quoted != (tag in (tags.S, tags.N, tags.B)):
            return None
        name = self._read_name(raw[: name_end + 1])
        if name is None:
            return None
        if name not in self._attributes:
            self._name_bytes += name_end
        attribute = self._attributes.setdefault(name, len(self._attributes))
        if attribute >= NAMES_LIMIT and self.attribute_count > NAMES_LIMIT:
            raise too_many_attributes_error(self._seen_names(), NAMES_LIMIT)
        spelled = self._spelling_bytes - self._kept_bytes + spelling.size
        if self._name_bytes > NAMES_BYTES_LIMIT or spelled > _MOST_SPELLINGS * NAMES_BYTES_LIMIT:
            raise too_long_names_error(self._seen_names())
        field = self._append(spelling, name_end + 2)
        self.tables.facts[field, layout.FIELD_ATTRIBUTE] = attribute
        self.tables.facts[field, layout.FIELD_TAG] = tag
        return field, name, tag

    def _seen_names(self) -> set[str]:
        """Names of the attributes seen, without facts."""
        seen = self.tables.facts[: self._kept, layout.FIELD_SEEN].tolist() + [1] * (len(self._attributes) - self._kept)
        return set(compress(self._attributes, seen)) - set(self._facts)

    def _read_name(self, quoted: bytes) -> str | None:
        """The name of an attribute or a fact; None if it is neither."""
        if quoted[1:2] == _NO_TEXT:
            fact = quoted[1:-1].decode(errors="surrogateescape")
            return fact if fact in self._facts else None
        try:
            name: str = json.loads(quoted)
            name.encode()
        except (ValueError, RecursionError):
            return None
        return name

    def direct(
        self, field: int, action: int, column: int, scale: int, *, nul: int = layout.NUL_KEPT, unit: int = 0
    ) -> None:
        """Set the action for the field's values. nul: the rule for a NUL in a text. unit: FIELD_UNIT of times."""
        facts = self.tables.facts[field]
        facts[layout.FIELD_ACTION] = action
        facts[layout.FIELD_COLUMN] = column
        facts[layout.FIELD_SCALE] = scale
        facts[layout.FIELD_NUL_POLICY] = nul
        facts[layout.FIELD_UNIT] = unit

    def count_reported(self, field: int, *, fine: bool) -> None:
        """Count that the place of the field's next bad time, or of its next time that is cut, is reported."""
        facts = self.tables.facts[field]
        if fine:
            facts[layout.FIELD_FINE_REPORTED] = facts[layout.FIELD_FINE_TIMES] + 1
        else:
            facts[layout.FIELD_BAD_REPORTED] = facts[layout.FIELD_BAD_TIMES] + 1

    def attribute_of(self, field: int) -> str:
        """Name of the field's attribute."""
        return self.attributes[int(self.tables.facts[field, layout.FIELD_ATTRIBUTE])]

    def each(self) -> list[tuple[int, str, int]]:
        """Return (field, attribute, tag) of every field."""
        names = self.attributes
        pairs = self.tables.facts[1 : self._count, layout.FIELD_ATTRIBUTE : layout.FIELD_TAG + 1].tolist()
        return [(field, names[attribute], tag) for field, (attribute, tag) in enumerate(pairs, 1)]

    def observation(self, item_count: int) -> Observation:
        """Return the observation of the `item_count` items so far."""
        merged: dict[str, AttributeObservation] = {}
        for field, name, tag in self.each():
            count, integers, decimals, beyond, longest, binary, *more = self.tables.facts[field, _OBSERVED].tolist()
            if count:
                counts = tuple(count if other == tag else 0 for other in range(len(tags.TAGS)))
                seen = AttributeObservation(counts, integers, decimals, bool(beyond), longest, bool(binary), *more)
                merged[name] = merged[name].merge(seen) if name in merged else seen
        names = sorted(merged)
        attributes = {name: merged[name] for name in names if name not in self._facts}
        return Observation(item_count, attributes, {name: merged[name] for name in names if name in self._facts})

    def _append(self, spelling: Bytes, name_size: int) -> int:
        size = spelling.size
        self._make_room(size)
        field = self._count
        start = self._spelling_bytes
        known = self.tables
        known.spellings[start : start + size] = spelling
        facts = known.facts[field]
        facts[layout.FIELD_START] = start
        facts[layout.FIELD_SIZE] = size
        facts[layout.FIELD_NAME_SIZE] = name_size
        facts[layout.FIELD_MASK] = (1 << size) - 1 if size < 64 else _ALL_64_BYTES
        self._spelling_bytes += size + _PADDING
        if field:
            known.slots[self._find_slot(known.spellings, start, size, known)] = field
        self._count += 1
        return field

    def _make_room(self, size: int) -> None:
        old = self.tables
        capacity = len(old.facts)
        spellings = old.spellings
        if self._count == capacity:
            capacity *= 2
        if self._spelling_bytes + size + 2 * _PADDING > spellings.size:
            spellings = np.zeros(2 * (spellings.size + size + 2 * _PADDING), np.uint8)
            spellings[: self._spelling_bytes] = old.spellings[: self._spelling_bytes]
        if capacity == len(old.facts) and spellings is old.spellings:
            return
        new = _new_tables(capacity, 0)._replace(spellings=spellings, secret=old.secret)
        new.line[: self._count] = old.line[: self._count]
        new.facts[: self._count] = old.facts[: self._count]
        index_fields(new, self._count)
        self.tables = new


def _new_tables(capacity: int, spelling_bytes: int) -> Fields:
    """Empty tables for `capacity` fields; the hash table has room for four times as many, a power of two."""
    slots = 1 << (4 * capacity - 1).bit_length()
    return Fields(
        spellings=np.zeros(spelling_bytes, np.uint8),
        slots=np.zeros(slots, np.int64),
        line=np.zeros(capacity, np.int64),
        facts=np.zeros((capacity, layout.FIELD_FACTS), np.int64),
        secret=scratch.new_secret(),
    )
