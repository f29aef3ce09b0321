"""The lines of a merge's data files without those that later changes supersede, as lines of items."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType

import numpy as np

from converter.decode.change_translation import ChangeLines, patterns_of
from converter.decode.strict_changes import ChangeForm
from converter.decode.strict_lines import LineProblem, Member, compact_line
from converter.decode.unknown_members import ItemLines, UnknownMembers
from converter.export.blocks import PADDING, Block
from converter.export.data_files import DataFile
from converter.kernels import layout, scratch
from converter.kernels.bindings import bind_merge_lines, line_end, record_key
from converter.kernels.merge import key_table
from converter.merging.changed_keys import ChangedKeys, key_bytes, read_change, read_key
from converter.schema.change_columns import COLUMN_OF

_NEWLINE = 0x0A
_NOT_UTF8 = 0xFF
_BASE = -1
"""In the place of the number of an increment."""


class MergeLines:
    """The items that a merge leaves, for one decoder; see LineSource.

    forms: of the lines of the increments, by their numbers. orders: the numbers of increments by the paths of their
    files; other files are the base's. compare: called with each line of the base whose key a change names.
    """

    facts: Collection[str] = COLUMN_OF
    reports_facts = False

    def __init__(
        self,
        changed: ChangedKeys,
        forms: Sequence[ChangeForm],
        compare: Callable[[bytes], None] | None = None,
        orders: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._changed = changed
        self._compare = compare
        self._forms = forms
        self._orders = orders
        self._state = changed.new_state()
        self._state[key_table.MERGE_STOPS] = compare is not None
        self._state[key_table.MERGE_ORDER] = _BASE
        self._patterns = patterns_of(ChangeForm(changed.keys, old_images=True))
        self._merge_lines = bind_merge_lines()
        self._copy, self._scratch = np.zeros(0, np.uint8), scratch.new_scratch()
        self._lines = {form: ChangeLines(form) for form in dict.fromkeys(forms)}
        self._items = ItemLines()
        self._changes: ChangeLines | None = None
        self._keep = False
        self._byte = 0

    @property
    def unknown(self) -> UnknownMembers:
        return self._items.unknown if self._changes is None else self._changes.unknown

    @property
    def dropped(self) -> int:
        """Lines of superseded items that were skipped so far."""
        return int(self._state[key_table.MERGE_DROPPED])

    def begin(self, file: DataFile) -> None:
        """Begin another file. The blocks of Ion are needed unchanged: lines are located in them."""
        self.begin_increment(self._orders.get(file.path), keep=file.in_ion)

    def begin_increment(self, order: int | None, *, keep: bool = False) -> None:
        """Begin a file of the increment of this number, or of the base. keep: leave the blocks unchanged."""
        self._keep = keep
        form = None if order is None else self._forms[order]
        self._changes = None if form is None else self._lines[form]
        self._state[key_table.MERGE_ORDER] = _BASE if order is None else order
        self._state[key_table.MERGE_OLD_IMAGES] = form is not None and form.old_images

    def translate(self, block: Block) -> Iterator[Block]:
        """See LineSource; the block itself is changed, unless it is to be kept."""
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
        copy, table = self._copy, self._changed.table
        while self._merge_lines(block.data, self._patterns, table, state, copy, self._scratch) != layout.DONE:
            at = int(state[key_table.MERGE_POSITION])
            end = line_end(block.data, at)
            found: list[Member] = []
            try:
                if not self._is_current(self.unknown.line(at), found):
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
        if self._changes is not None:
            return self._changes.original(position)
        return self._byte + position, self.unknown.line(position)

    def compact(self, line: bytes, byte: int) -> tuple[bytes, bool]:
        return (self._changes or self._items).compact(line, byte)

    def root(self, line: bytes) -> str:
        return (self._changes or self._items).root(line)

    def _translate(self, block: Block) -> Iterator[Block]:
        """Return the lines that are left, as lines of items."""
        if self._changes is not None:
            yield from self._changes.translate_known(block)
        elif block.size:
            yield block

    def _is_current(self, line: bytes, unknown: list[Member]) -> bool:
        """Return whether this line, which the kernel has left to Python, is an item after all changes, or empty.

        Raises LineProblem for a bad line that the decoder won't see; it finds the others itself.
        """
        if self._changes is None:
            with suppress(LineProblem):
                compact_line(line, unknown)
            key = read_key(line, self._changed.keys)
            if key is None or not self._changed.has(key):
                return True
            # The decoder won't see it.
            compact_line(line)
            if self._compare is not None:
                self._compare(line)
            return False
        change = read_change(line, self._changes.form, unknown)
        if change is None:
            return True
        data, first, size = key_bytes(change.key)
        self._state[key_table.MERGE_TIME] = change.micros
        self._state[key_table.MERGE_DELETES] = change.deletes
        return record_key(data, first, size, self._changed.table, self._state) == 1


def _first_foreign_line(block: Block) -> int:
    """Return where the first line with the byte 0xFF begins, or -1: names of facts begin with it, so no line may."""
    found = np.flatnonzero(block.data[: block.size] == _NOT_UTF8)
    return block.data[: found[0]].tobytes().rfind(b"\n") + 1 if found.size else -1
