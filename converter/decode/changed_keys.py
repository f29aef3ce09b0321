"""The keys that the increments of a merge touch, and the lines of its data files without those that are over.

Of each key the last change counts: the one of the last increment, and inside of one the last by its time. So the items
after all changes are those lines of the base whose keys no change names, and the new images of the last changes. Only
keys are held in memory; the images are read again where they stand.

An anti-join by Polars' streaming engine takes 1.4 times as long as this for 200 MB of changes in 2 GB of items, and 2.6
times the memory, which grows with the base; DuckDB's takes 1.1 to 1.2 times as long and 4 times the memory (`python -m
benchmarks.run merge`). Passes over hash partitions would bound what the keys take as well, 250 bytes each at most, for
the price of writing and reading the base once more. Where tens of millions of items change, several merges of fewer
increments do the same.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converter.decode.change_translation import ChangeLines, patterns_of, unknown_of
from converter.decode.strict_changes import ChangeForm, compact_change
from converter.decode.strict_lines import ITEM, LineProblem, Member, check_members, compact_line, parse_line
from converter.decode.unknown_members import ItemLines, UnknownMembers
from converter.export.blocks import PADDING, Block
from converter.kernels import layout, scratch
from converter.kernels.bindings import (
    bind_merge_lines,
    find_key,
    find_rows,
    index_keys,
    line_end,
    record_key,
)
from converter.kernels.layout import Bytes
from converter.kernels.merge import key_table
from converter.kernels.merge.key_table import KeyTable
from converter.schema.changes import MARK, WRITTEN

_FIRST_KEYS = 1 << 12
_FIRST_BYTES = 1 << 17
_KEY_ROOM = 1 << 13
"""A partition key has up to 2 KB and a sort key 1 KB, without escapes."""
_NEWLINE = 0x0A
_NOT_UTF8 = 0xFF
_BASE = -1
"""In the place of the number of an increment."""
_MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class Applied:
    """What the changes have done to the base's items. unknown: deletes of items that it did not have."""

    inserted: int
    updated: int
    deleted: int
    unknown: int


class TouchedKeys:
    """The keys and their last changes, noted first and asked about then, by several threads at once.

    keys: name and type tag of the key attributes, as ChangeForm has them.
    """

    def __init__(self, keys: Sequence[tuple[str, str]]) -> None:
        self.keys = tuple(keys)
        self.table = KeyTable(
            np.zeros(4 * _FIRST_KEYS, np.int64),
            np.zeros(_FIRST_BYTES, np.uint8),
            np.zeros((_FIRST_KEYS, key_table.KEY_FACTS), np.int64),
            scratch.new_secret(),
        )
        self._state = np.zeros(key_table.MERGE_STATE_SIZE, np.int64)
        self._state[key_table.MERGE_KEYS] = len(self.keys)
        self._state[key_table.MERGE_RECORDS] = 1
        self._patterns = patterns_of(ChangeForm(self.keys, old_images=True))
        self._merge_lines = bind_merge_lines()
        # Where nothing is blanked, no values are checked.
        self._copy, self._scratch = np.zeros(_KEY_ROOM, np.uint8), scratch.new_scratch(0)
        self._unknown: dict[ChangeForm, UnknownMembers] = {}
        self._lock = threading.Lock()

    @property
    def count(self) -> int:
        """How many keys are touched."""
        return int(self._state[key_table.MERGE_COUNT])

    def note(self, block: Block, order: int, form: ChangeForm) -> None:
        """Note the changes of a block of increment number `order`. Raises LineProblem, its `byte` set."""
        with self._lock:
            state = self._state
            state[key_table.MERGE_POSITION] = 0
            state[key_table.MERGE_SIZE] = block.size
            state[key_table.MERGE_ORDER] = order
            state[key_table.MERGE_OLD_IMAGES] = form.old_images
            unknown = self._unknown.setdefault(form, unknown_of(form))
            block = unknown.remove(block)
            while True:
                status = self._merge_lines(block.data, self._patterns, self.table, state, self._copy, self._scratch)
                if status == layout.DONE:
                    return
                if status == layout.GROW:
                    self._grow()
                    continue
                at = int(state[key_table.MERGE_POSITION])
                state[key_table.MERGE_POSITION] = line_end(block.data, at) + 1
                found: list[Member] = []
                try:
                    if status == layout.DUPLICATE_CHANGE:
                        raise _twice()
                    self._note_line(unknown.line(at), form, found)
                except LineProblem as problem:
                    problem.byte = block.byte + at
                    raise
                if unknown.add(found, block.byte + at):
                    block = unknown.remove_again(block, int(state[key_table.MERGE_POSITION]))

    def ask_state(self) -> NDArray[np.int64]:
        """A state for kernels that ask."""
        state = np.zeros(key_table.MERGE_STATE_SIZE, np.int64)
        state[key_table.MERGE_KEYS] = len(self.keys)
        return state

    def names(self, key: tuple[bytes, ...]) -> bool:
        """Does a change name this key of an item in the base?"""
        data, first, size = _key_bytes(key)
        return bool(find_key(data, first, size, self.table))

    def untouched(self, columns: Sequence[tuple[Bytes, NDArray[np.int32]]]) -> NDArray[np.bool_]:
        """Which rows of the base have keys that no change names. columns: the bytes and the lengths of each key."""
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

    def applied(self) -> Applied:
        """What the changes do, when all items of the base have been asked about."""
        facts = self.table.facts[: self.count]
        deleted, seen = facts[:, key_table.KEY_DELETED] == 1, facts[:, key_table.KEY_SEEN] == 1
        return Applied(
            inserted=int((~deleted & ~seen).sum()),
            updated=int((~deleted & seen).sum()),
            deleted=int((deleted & seen).sum()),
            unknown=int((deleted & ~seen).sum()),
        )

    def _note_line(self, line: bytes, form: ChangeForm, unknown: list[Member]) -> None:
        change = read_change(line, form, unknown)
        if change is None:
            return
        data, first, size = _key_bytes(change.key)
        self._state[key_table.MERGE_TIME] = change.micros
        self._state[key_table.MERGE_DELETES] = change.deletes
        while (status := record_key(data, first, size, self.table, self._state)) == layout.GROW:
            self._grow(size)
        if status == layout.DUPLICATE_CHANGE:
            raise _twice()

    def _grow(self, size: int = 0) -> None:
        """Room for more keys, and for as many bytes."""
        slots, values, facts, secret = self.table
        count, used = self.count, int(self._state[key_table.MERGE_BYTES])
        if 2 * (count + 1) > slots.size or count >= len(facts):
            more = np.zeros((2 * len(facts), key_table.KEY_FACTS), np.int64)
            more[:count] = facts[:count]
            slots, facts = np.zeros(4 * len(more), np.int64), more
        else:
            longer = np.zeros(2 * (values.size + size), np.uint8)
            longer[:used] = values[:used]
            values = longer
        table = KeyTable(slots, values, facts, secret)
        if slots is not self.table.slots:
            index_keys(table, self._state)
        self.table = table


class MergeLines:
    """For one decoder: blocks as lines of the items that a merge leaves. forms: of the increments, by their numbers.

    compare: hears of each line of the base whose key is touched.
    """

    def __init__(
        self, touched: TouchedKeys, forms: Sequence[ChangeForm], compare: Callable[[bytes], None] | None = None
    ) -> None:
        self._touched = touched
        self._compare = compare
        self._forms = forms
        self._state = touched.ask_state()
        self._state[key_table.MERGE_STOPS] = compare is not None
        self._state[key_table.MERGE_ORDER] = _BASE
        self._patterns = patterns_of(ChangeForm(touched.keys, old_images=True))
        self._merge_lines = bind_merge_lines()
        self._copy, self._scratch = np.zeros(0, np.uint8), scratch.new_scratch()
        self._lines = {form: ChangeLines(form) for form in dict.fromkeys(forms)}
        self._items = ItemLines()
        self._changes: ChangeLines | None = None
        self._keep = False
        self._byte = 0

    @property
    def unknown(self) -> UnknownMembers:
        """What notes the unknown members of the lines of the file at hand."""
        return self._items.unknown if self._changes is None else self._changes.unknown

    @property
    def dropped(self) -> int:
        """Lines that have been passed over so far."""
        return int(self._state[key_table.MERGE_DROPPED])

    def begin(self, order: int | None, *, keep: bool = False) -> None:
        """Blocks of another file come: of the increment of this number, or of the base. keep: don't change them."""
        self._keep = keep
        form = None if order is None else self._forms[order]
        self._changes = None if form is None else self._lines[form]
        self._state[key_table.MERGE_ORDER] = _BASE if order is None else order
        self._state[key_table.MERGE_OLD_IMAGES] = form is not None and form.old_images

    def translate(self, block: Block) -> Iterator[Block]:
        """See ChangeLines.translate; the block itself is changed, unless it is to be kept."""
        if self._keep:
            block = Block(block.data[: block.size + PADDING].copy(), block.size, block.byte)
        self._byte = block.byte
        foreign = _first_foreign_line(block) if self._changes is None else -1
        if foreign >= 0:
            line = block.data[foreign : line_end(block.data, foreign)].tobytes()
            block.data[foreign : foreign + PADDING] = 0
            yield from self.translate(Block(block.data, foreign, block.byte))
            try:
                compact_line(line)
            except LineProblem as problem:
                problem.byte = block.byte + foreign
                raise
        block = self.unknown.remove(block)
        state = self._state
        state[key_table.MERGE_POSITION] = 0
        state[key_table.MERGE_SIZE] = block.size
        if self._copy.size < block.size + 2 * layout.NUMBER_ROOM:
            self._copy = np.zeros(block.size + 2 * layout.NUMBER_ROOM, np.uint8)
        while self._pass_block(block) != layout.DONE:
            at = int(state[key_table.MERGE_POSITION])
            end = line_end(block.data, at)
            found: list[Member] = []
            try:
                if not self._is_in_force(self.unknown.line(at), found):
                    block.data[at:end] = _NEWLINE
                    state[key_table.MERGE_DROPPED] += 1
            except LineProblem as problem:
                problem.byte = block.byte + at
                # The lines before it come first: one of them may be bad.
                block.data[at : at + PADDING] = 0
                yield from self._translate(Block(block.data, at, block.byte))
                raise
            if self.unknown.add(found, block.byte + at):
                block = self.unknown.remove_again(block, end + 1)
            state[key_table.MERGE_POSITION] = end + 1
        yield from self._translate(block)

    def original(self, position: int) -> tuple[int, bytes]:
        """See ChangeLines.original."""
        if self._changes is not None:
            return self._changes.original(position)
        return self._byte + position, self.unknown.line(position)

    def compact(self, line: bytes, byte: int) -> tuple[bytes, bool]:
        """See ChangeLines.compact."""
        return (self._changes or self._items).compact(line, byte)

    def root(self, line: bytes) -> str:
        """See ChangeLines.root."""
        return (self._changes or self._items).root(line)

    def _translate(self, block: Block) -> Iterator[Block]:
        """The lines that are left, as lines of items."""
        if self._changes is not None:
            yield from self._changes.translate_known(block)
        elif block.size:
            yield block

    def _pass_block(self, block: Block) -> int:
        return self._merge_lines(
            block.data, self._patterns, self._touched.table, self._state, self._copy, self._scratch
        )

    def _is_in_force(self, line: bytes, unknown: list[Member]) -> bool:
        """Is this line, which the kernel has left, an item after all changes? What holds nothing may stay.

        Raises LineProblem for a bad line that the decoder won't see; of others it finds out itself.
        """
        if self._changes is None:
            with suppress(LineProblem):
                compact_line(line, unknown)
            key = read_key(line, self._touched.keys)
            if key is None or not self._touched.names(key):
                return True
            # The decoder won't see it.
            compact_line(line)
            if self._compare is not None:
                self._compare(line)
            return False
        change = read_change(line, self._changes.form, unknown)
        if change is None:
            return True
        data, first, size = _key_bytes(change.key)
        self._state[key_table.MERGE_TIME] = change.micros
        self._state[key_table.MERGE_DELETES] = change.deletes
        return record_key(data, first, size, self._touched.table, self._state) == 1


@dataclass(frozen=True, slots=True)
class _ChangeRead:
    """A change's key, as `read_key` gives it, its time, and whether it leaves no item."""

    key: tuple[bytes, ...]
    micros: int
    deletes: bool


def read_change(line: bytes, form: ChangeForm, unknown: list[Member] | None = None) -> _ChangeRead | None:
    """The change of a line in any form; None if there is none. Raises LineProblem. unknown: as for compact_change."""
    compact = compact_change(line, form, unknown)
    if compact in (b"\n", b"{}\n"):
        return None
    item: dict[str, Any] = json.loads(compact.decode(errors="surrogateescape"))["Item"]
    key = tuple(next(iter(item[name].values())).encode() for name, _ in form.keys)
    return _ChangeRead(key, int(Decimal(item[WRITTEN]["N"]) * _MICROS), f"{MARK}delete" in item)


def read_key(line: bytes, keys: Sequence[tuple[str, str]]) -> tuple[bytes, ...] | None:
    """The key of a line in any form that should be an item; None if it holds none, or is none, as the decoder will say.

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
        values.append(_text_of(check_members({name: value}, ITEM, 1), name, tag))
    return tuple(values)


def _text_of(members: Mapping[str, Any], name: str, tag: str) -> bytes:
    text: str = members[name][tag]
    return text.encode()


def _key_bytes(key: tuple[bytes, ...]) -> tuple[Bytes, int, int]:
    """The key as kernels take it, bytes of its first value, and of all."""
    text = b"".join(key)
    data = np.zeros(len(text) + PADDING, np.uint8)
    data[: len(text)] = np.frombuffer(text, np.uint8)
    return data, len(key[0]), len(text)


def _first_foreign_line(block: Block) -> int:
    """Where the first line with the byte 0xFF begins, or -1: the names of what changes say of themselves have it."""
    found = np.flatnonzero(block.data[: block.size] == _NOT_UTF8)
    return block.data[: found[0]].tobytes().rfind(b"\n") + 1 if found.size else -1


def _twice() -> LineProblem:
    return LineProblem("$.Keys", "another change of this increment has the same keys and time")
