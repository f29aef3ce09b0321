"""Lines of items without those that do not satisfy a condition."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from converter.conditions.evaluate import satisfies
from converter.conditions.syntax import Condition, attributes_of
from converter.decode.change_conditions import bind_facts
from converter.decode.condition_tests import compile_condition
from converter.decode.line_source import LineSource
from converter.decode.strict_lines import LineProblem
from converter.decode.unknown_members import UnknownMembers
from converter.export.blocks import PADDING, Block
from converter.export.data_files import DataFile
from converter.kernels import condition_tests, layout
from converter.kernels.bindings import bind_filter_items, line_end
from converter.kernels.scratch import new_scratch
from converter.schema.change_columns import DELETED

_SPACE = 0x20


@dataclass(frozen=True, slots=True)
class Filtered:
    """Lines that a condition left out. deletes: those of them that are deletes, which have only keys.

    wanted: attributes that the condition looked for in some item. found: those of them that an item had.
    """

    lines: int = 0
    deletes: int = 0
    wanted: frozenset[str] = frozenset()
    found: frozenset[str] = frozenset()

    def merge(self, other: Filtered) -> Filtered:
        """Return both together."""
        return Filtered(
            self.lines + other.lines,
            self.deletes + other.deletes,
            self.wanted | other.wanted,
            self.found | other.found,
        )


def count_filtered(lines: LineSource) -> Filtered:
    """Return what the source has left out so far: nothing, if no condition filters it."""
    return lines.filtered if isinstance(lines, FilteredLines) else Filtered()


def filter_lines(lines: LineSource, condition: Condition) -> LineSource:
    """Return the lines that satisfy a condition. In one on changes, `_op`, `_write_ts` and `_old` are of the change.

    Raises UsageError for a comparison that these don't have.
    """
    return FilteredLines(lines, bind_facts(condition) if lines.facts and lines.reports_facts else condition)


class FilteredLines:
    """The lines of another source that satisfy a condition; see LineSource."""

    def __init__(self, lines: LineSource, condition: Condition) -> None:
        self._lines = lines
        self.facts: Collection[str] = lines.facts
        self.reports_facts = lines.reports_facts
        self._condition = condition
        self._compiled = compile_condition(condition)
        self._attributes = set(attributes_of(condition))
        self._irregular: set[str] = set()
        self._filter = bind_filter_items()
        self._state = np.zeros(condition_tests.FILTER_STATE_SIZE, np.int64)
        self._state[condition_tests.FILTER_ENTRY] = self._compiled.entry
        self._copy, self._scratch = np.zeros(0, np.uint8), new_scratch()
        self._offset = 0

    @property
    def dropped(self) -> int:
        """See LineSource."""
        return self._lines.dropped + int(self._state[condition_tests.FILTER_DROPPED])

    @property
    def filtered(self) -> Filtered:
        """The lines that the condition left out so far."""
        state, places = self._state, self._compiled.tables.places
        roots = list(enumerate(self._compiled.roots))
        return Filtered(
            int(state[condition_tests.FILTER_DROPPED]),
            int(state[condition_tests.FILTER_DELETES]),
            frozenset(root for n, root in roots if places[n, condition_tests.PLACE_SERIAL]),
            frozenset(root for n, root in roots if places[n, condition_tests.PLACE_SEEN]) | self._irregular,
        )

    @property
    def unknown(self) -> UnknownMembers:
        """See LineSource."""
        return self._lines.unknown

    def begin(self, file: DataFile) -> None:
        """See LineSource."""
        self._lines.begin(file)

    def translate(self, block: Block) -> Iterator[Block]:
        """See LineSource."""
        for lines in self._lines.translate(block):
            yield from self._filter_block(lines)

    def original(self, position: int) -> tuple[int, bytes]:
        """See LineSource."""
        return self._lines.original(self._offset + position)

    def compact(self, line: bytes, byte: int) -> tuple[bytes, bool]:
        """See LineSource."""
        return self._lines.compact(line, byte)

    def root(self, line: bytes) -> str:
        """See LineSource."""
        return self._lines.root(line)

    def _filter_block(self, block: Block) -> Iterator[Block]:
        """The lines that are kept. A block is cut in front of each irregular line: sources take positions in order."""
        state = self._state
        self._offset = 0
        state[condition_tests.FILTER_POSITION] = 0
        while True:
            state[condition_tests.FILTER_SIZE] = block.size
            self._make_room(block.size)
            status = self._filter(block.data, self._compiled.tables, state, self._copy, self._scratch)
            if status == layout.DONE:
                yield block
                return
            at = int(state[condition_tests.FILTER_POSITION])
            if at:
                following = block.data[at : at + PADDING].copy()
                block.data[at : at + PADDING] = 0
                yield Block(block.data, at, block.byte)
                block.data[at : at + PADDING] = following
                self._offset += at
                block = Block(block.data[at:], block.size - at, block.byte + at)
            end = int(line_end(block.data, 0))
            if not self._keeps_first():
                block.data[:end] = _SPACE
            state[condition_tests.FILTER_POSITION] = end + 1

    def _keeps_first(self) -> bool:
        """Return whether the first line of the block is kept. Raises LineProblem if it is bad."""
        byte, line = self.original(0)
        try:
            item, _ = self._lines.compact(line, byte)
        except LineProblem as problem:
            problem.byte = byte
            raise
        document = json.loads(item.decode(errors="surrogateescape").strip() or "{}")
        self._irregular.update(self._attributes.intersection(document.get("Item", ())))
        if "Item" not in document or satisfies(document["Item"], self._condition):
            return True
        self._state[condition_tests.FILTER_DROPPED] += 1
        self._state[condition_tests.FILTER_DELETES] += DELETED in document["Item"]
        return False

    def _make_room(self, size: int) -> None:
        if self._copy.size < size + 2 * layout.NUMBER_ROOM:
            self._copy = np.zeros(size + 2 * layout.NUMBER_ROOM, np.uint8)
