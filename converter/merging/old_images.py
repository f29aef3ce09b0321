"""Compares the old images of changes with the items before them: those of the base, or of an earlier increment.

Only digests are kept, of the first old image of a key and of its last new image. Items are compared by value: members
of maps and of sets in any order, numbers in plain form.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from converter.decode.strict_changes import ChangeForm, compact_change
from converter.decode.strict_lines import LineProblem, compact_line
from converter.export.blocks import Block
from converter.merging.changed_keys import Key, read_change, read_key
from converter.schema.change_columns import MARK, OLD

_DIGEST_BYTES = 16
_SETS = ("SS", "NS", "BS")
_SHOWN = 5
_NONE = b""
"""In the place of a digest: there is no such item."""

Place = tuple[str, int]
"""A data file by its path, and the number of a line, from 1."""


@dataclass(slots=True)
class _State:
    """first: the old image of a key's first change, None where it was not exported; last: the item after its last."""

    first: bytes | None
    last: bytes
    place: Place
    in_base: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    """Counts of old images, and of those that are not the items before. places: of the first of these."""

    images: int
    different: int
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Differences:
    """in_base: keys of changes that the base has. different: places of old images that are not the items before."""

    in_base: tuple[Key, ...]
    different: tuple[Place, ...]


class OldImages:
    """Takes all changes in the order of their increments, and then the items of the base that they name, in any order.

    Memory: about 300 bytes a key. A copy in another process compares the items there; see differences.
    """

    def __init__(self) -> None:
        self._states: dict[Key, _State] = {}
        self._lines: dict[str, int] = {}
        self._images = 0
        self._different: set[Place] = set()

    def add_block(self, block: Block, form: ChangeForm, path: str) -> None:
        """Compare each change with the one before of its key, if there is one. Raises LineProblem."""
        before = self._lines.get(path, 0)
        lines = block.data[: block.size - 1].tobytes().split(b"\n")
        byte = block.byte
        for number, line in enumerate(lines, before + 1):
            try:
                self._add(line, form, (path, number))
            except LineProblem as problem:
                problem.byte = byte
                raise
            byte += len(line) + 1
        self._lines[path] = before + len(lines)

    def _add(self, line: bytes, form: ChangeForm, place: Place) -> None:
        change = read_change(line, form)
        if change is None:
            return
        item = json.loads(compact_change(line, form).decode(errors="surrogateescape"))["Item"]
        old = item.pop(OLD, None)
        new = {name: value for name, value in item.items() if not name.startswith(MARK)}
        before = None
        if form.old_images:
            before = _NONE if old is None else _digest(old["M"])
            self._images += 1
        after = _NONE if change.deletes else _digest(new)
        state = self._states.get(change.key)
        if state is None:
            self._states[change.key] = _State(before, after, place)
            return
        if before is not None and before != state.last:
            self._different.add(place)
        state.last = after

    def compare(self, line: bytes, keys: tuple[tuple[str, str], ...]) -> None:
        """Compare an item of the base, whose key a change has, with the first old image. Raises LineProblem."""
        key = read_key(line, keys)
        if key is None:
            return
        item = json.loads(compact_line(line))["Item"]
        state = self._states[key]
        state.in_base = True
        if state.first not in (None, _digest(item)):
            self._different.add(state.place)

    def differences(self) -> Differences:
        """Return what the items of the base have shown so far, for `add_differences` in another process."""
        return Differences(tuple(key for key, state in self._states.items() if state.in_base), tuple(self._different))

    def add_differences(self, found: Differences) -> None:
        """Add what items of the base have shown in another process."""
        for key in found.in_base:
            self._states[key].in_base = True
        self._different.update(found.different)

    def compared(self) -> Compared:
        """Return the result, when all items of the base have been compared."""
        missing = {s.place for s in self._states.values() if not s.in_base and s.first not in (None, _NONE)}
        different = sorted(self._different | missing)
        return Compared(self._images, len(different), tuple(different[:_SHOWN]))


def _digest(item: dict[str, Any]) -> bytes:
    members = {name: _by_value(value) for name, value in item.items()}
    text = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()


def _by_value(value: dict[str, Any]) -> dict[str, Any]:
    """A checked value in the one form that all equal ones have, but for the order of members."""
    ((tag, content),) = value.items()
    if tag == "M":
        return {tag: {name: _by_value(member) for name, member in content.items()}}
    if tag == "L":
        return {tag: [_by_value(member) for member in content]}
    return {tag: sorted(content)} if tag in _SETS else value
