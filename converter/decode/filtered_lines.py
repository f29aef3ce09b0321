"""Lines of items without those that do not satisfy a condition."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

import numpy as np

from converter.conditions.evaluate import satisfies
from converter.conditions.syntax import Condition
from converter.decode.condition_tests import compile_condition
from converter.decode.line_source import LineSource
from converter.decode.strict_lines import LineProblem
from converter.decode.unknown_members import UnknownMembers
from converter.export.blocks import PADDING, Block
from converter.export.data_files import DataFile
from converter.kernels import condition_tests, layout
from converter.kernels.bindings import bind_filter_items, line_end
from converter.kernels.scratch import new_scratch

_SPACE = 0x20


class FilteredLines:
    """The lines of another source that satisfy a condition; see LineSource."""

    def __init__(self, lines: LineSource, condition: Condition) -> None:
        self._lines = lines
        self._condition = condition
        self._tests, entry = compile_condition(condition)
        self._filter = bind_filter_items()
        self._state = np.zeros(condition_tests.FILTER_STATE_SIZE, np.int64)
        self._state[condition_tests.FILTER_ENTRY] = entry
        self._copy, self._scratch = np.zeros(0, np.uint8), new_scratch()
        self._offset = 0

    @property
    def facts(self) -> Collection[str]:
        """See LineSource."""
        return self._lines.facts

    @property
    def reports_facts(self) -> bool:
        """See LineSource."""
        return self._lines.reports_facts

    @property
    def dropped(self) -> int:
        """See LineSource."""
        return self._lines.dropped + self.filtered

    @property
    def filtered(self) -> int:
        """See LineSource."""
        return int(self._state[condition_tests.FILTER_DROPPED])

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
            status = self._filter(block.data, self._tests, state, self._copy, self._scratch)
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
                state[condition_tests.FILTER_DROPPED] += 1
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
        return "Item" not in document or satisfies(document["Item"], self._condition)

    def _make_room(self, size: int) -> None:
        if self._copy.size < size + 2 * layout.NUMBER_ROOM:
            self._copy = np.zeros(size + 2 * layout.NUMBER_ROOM, np.uint8)
