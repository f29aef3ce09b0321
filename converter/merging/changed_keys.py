"""The keys that the increments of a merge name, with the last change of each: a hash table in plain arrays.

The last change of a key is the one of the last increment and, in one increment, the latest by its time. The items after
all changes are those lines of the base whose keys no change names, and the new images of the last changes. Only keys
are held in memory; the images are read again where they are.

An anti-join by Polars' streaming engine takes 1.4 times as long as this for 200 MB of changes in 2 GB of items, and 2.6
times the memory, which grows with the base; DuckDB's takes 1.1 to 1.2 times as long and 4 times the memory (`python -m
benchmarks.run merge`). Passes over hash partitions would bound what the keys take as well, 250 bytes each at most, for
the price of writing and reading the base once more. Where tens of millions of items change, several merges of fewer
increments do the same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converter.decode.strict_changes import ChangeForm, compact_change
from converter.decode.strict_lines import ITEM, LineProblem, Member, check_members, parse_line
from converter.export.blocks import PADDING
from converter.kernels.bindings import find_key, find_rows
from converter.kernels.layout import Bytes
from converter.kernels.merge import key_table
from converter.kernels.merge.key_table import KeyTable
from converter.schema.change_columns import MARK, WRITTEN

Key = tuple[bytes, ...]
"""The values of the key attributes as the kernels compare them: texts without escapes, numbers in plain form."""

_MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class ChangeRead:
    """The key and the time of a change; deletes: whether it leaves no item."""

    key: Key
    micros: int
    deletes: bool


def read_change(line: bytes, form: ChangeForm, unknown: list[Member] | None = None) -> ChangeRead | None:
    """Return the change of a line; None for an empty one. Raises LineProblem. unknown: as for compact_change."""
    compact = compact_change(line, form, unknown)
    if compact in (b"\n", b"{}\n"):
        return None
    item: dict[str, Any] = json.loads(compact.decode(errors="surrogateescape"))["Item"]
    key = tuple(next(iter(item[name].values())).encode() for name, _ in form.keys)
    return ChangeRead(key, int(Decimal(item[WRITTEN]["N"]) * _MICROS), f"{MARK}delete" in item)


def read_key(line: bytes, keys: Sequence[tuple[str, str]]) -> Key | None:
    """Return the key of an item's line; None for an empty line or a bad one, which the decoder reports.

    Raises LineProblem for an item that lacks one of the attributes.
    """
    try:
        document = parse_line(line, "Item")
    except LineProblem:
        return None
    item = document.get("Item") if document else None
    if not isinstance(item, dict):
        return None
    values = []
    for name, tag in keys:
        value = item.get(name)
        if not isinstance(value, dict) or list(value) != [tag]:
            raise LineProblem(ITEM, f"there is no key {name!r} ({tag}), by which the increments know their items")
        text: str = check_members({name: value}, ITEM, 1)[name][tag]
        values.append(text.encode())
    return tuple(values)


def key_bytes(key: Key) -> tuple[Bytes, int, int]:
    """Return the key as kernels take it, the size of its first value, and the size of all."""
    text = b"".join(key)
    data = np.zeros(len(text) + PADDING, np.uint8)
    data[: len(text)] = np.frombuffer(text, np.uint8)
    return data, len(key[0]), len(text)


@dataclass(frozen=True, slots=True)
class Applied:
    """Items that the changes insert, update and delete in the base. unknown: deletes of items that it does not have."""

    inserted: int
    updated: int
    deleted: int
    unknown: int


@dataclass(frozen=True, slots=True, eq=False)
class ChangedKeys:
    """For many threads, which share the arrays; a copy in another process has its own.

    keys: name and type tag of the key attributes, as ChangeForm has them. Looking a key of the base up marks it as
    found in the base.
    """

    keys: tuple[tuple[str, str], ...]
    table: KeyTable

    @property
    def count(self) -> int:
        """The number of keys."""
        return len(self.table.facts)

    def new_state(self) -> NDArray[np.int64]:
        """Return a state for kernels that look keys up."""
        state = np.zeros(key_table.MERGE_STATE_SIZE, np.int64)
        state[key_table.MERGE_KEYS] = len(self.keys)
        return state

    def has(self, key: Key) -> bool:
        """Return whether a change names this key of an item in the base."""
        data, first, size = key_bytes(key)
        return bool(find_key(data, first, size, self.table))

    def find_unchanged(self, columns: Sequence[tuple[Bytes, NDArray[np.int32]]]) -> NDArray[np.bool_]:
        """Return for each row of the base whether no change names its key.

        columns: of each key attribute the bytes of all values, and their lengths.
        """
        rows = len(columns[0][1])
        data = np.zeros(sum(content.size + PADDING for content, _ in columns), np.uint8)
        places, start = [], 0
        for content, lengths in columns:
            data[start : start + content.size] = content
            at = np.full(rows + 1, start, np.int64)
            at[1:] += np.cumsum(lengths, dtype=np.int64)
            places.append(at)
            start += content.size + PADDING
        found = np.zeros(rows, np.uint8)
        find_rows(data, places[0], places[1] if len(places) > 1 else np.zeros(0, np.int64), self.table, found)
        return found.view(np.bool_)

    def found(self) -> NDArray[np.bool_]:
        """Return for each key whether the base has it, as far as it has been looked up in this process."""
        seen: NDArray[np.bool_] = self.table.facts[:, key_table.KEY_SEEN] == 1
        return seen

    def mark_found(self, found: NDArray[np.bool_]) -> None:
        """Add keys that another process has found in the base."""
        self.table.facts[found, key_table.KEY_SEEN] = 1

    def applied(self) -> Applied:
        """Return the effect of all changes, when all items of the base have been looked up."""
        deleted, found = self.table.facts[:, key_table.KEY_DELETED] == 1, self.found()
        return Applied(
            inserted=int((~deleted & ~found).sum()),
            updated=int((~deleted & found).sum()),
            deleted=int((deleted & found).sum()),
            unknown=int((deleted & ~found).sum()),
        )
