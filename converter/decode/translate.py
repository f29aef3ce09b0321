"""Blocks of changes as blocks of item lines, for the main kernel, and the way back from these lines to the changes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from converter.decode import tables
from converter.decode.change_lines import ChangeForm, compact_change, image_path
from converter.decode.kernels import bind_translate_changes, line_end
from converter.decode.lines import LineProblem
from converter.decode.tables import Phrases
from converter.export.blocks import PADDING, Block
from converter.schema import tags
from converter.schema.changes import MARK, OLD, OPERATIONS, WRITTEN

_PADDING = 64
_NEWLINE = 0x0A
_MOST_KEYS = 2
_ALL_64_BYTES = -1


class ChangeLines:
    """Translates the blocks of one decoder. form: what all lines have in common; phrases: that, for the kernel."""

    def __init__(self, form: ChangeForm) -> None:
        self.form = form
        self.phrases = phrases_of(form)
        self._translate = bind_translate_changes()
        self._out = np.zeros(0, np.uint8)
        self._state = np.zeros(tables.CHANGE_STATE_SIZE, np.int64)
        self._state[tables.CHANGE_KEYS] = len(form.keys)
        self._state[tables.CHANGE_OLD_IMAGES] = form.old_images
        self._block = Block(self._out, 0, 0)
        # The same line in the item lines and in the block: the last that was asked for, or the first.
        self._line, self._change = 0, 0

    def translate(self, block: Block) -> Iterator[Block]:
        """Item lines for the block's changes, a line for each line, valid until the next ones are asked for.

        Raises LineProblem, its `byte` set, for a line that is no change, when those before it have been handed out.
        """
        state = self._state
        state[tables.CHANGE_POSITION] = 0
        state[tables.CHANGE_SIZE] = block.size
        self._make_room(block.size)
        self._block = block
        self._begin(0)
        while True:
            status = self._translate(block.data, self.phrases, self._out, state)
            written = int(state[tables.CHANGE_WRITTEN])
            if written:
                self._out[written : written + PADDING] = 0
                yield Block(self._out, written, block.byte)
            position = int(state[tables.CHANGE_POSITION])
            self._begin(position)
            if status == tables.DONE:
                return
            if status == tables.IRREGULAR:
                self._translate_irregular(position)

    def original(self, position: int) -> tuple[int, bytes]:
        """Where the change begins in the inflated file whose item line begins at `position`, and its line.

        Of the item lines that were handed out last; the next position that is asked for must not be before it.
        """
        lines = int(np.count_nonzero(self._out[self._line : position] == _NEWLINE))
        for _ in range(lines):
            self._change = line_end(self._block.data, self._change) + 1
        self._line = position
        end = line_end(self._block.data, self._change)
        return self._block.byte + self._change, self._block.data[self._change : end].tobytes()

    def compact(self, line: bytes) -> bytes:
        """The item line that stands for a change in any form. Raises LineProblem."""
        return compact_change(line, self.form)

    def root(self, line: bytes) -> str:
        """The path to the attributes in a line of the data file."""
        return image_path(line)

    def _translate_irregular(self, position: int) -> None:
        """Put the line that the kernel has left into the empty output."""
        byte, line = self.original(0)
        try:
            item = compact_change(line, self.form)
        except LineProblem as problem:
            problem.byte = byte
            raise
        self._make_room(len(item))
        self._out[: len(item)] = np.frombuffer(item, np.uint8)
        self._state[tables.CHANGE_WRITTEN] = len(item)
        self._state[tables.CHANGE_POSITION] = position + len(line) + 1

    def _begin(self, change: int) -> None:
        """Empty the output: the next item line in it will be that of the change at this position."""
        self._state[tables.CHANGE_WRITTEN] = 0
        self._line, self._change = 0, change

    def _make_room(self, size: int) -> None:
        """Room for item lines of changes that have so many bytes, one of them at least."""
        if self._out.size < size + 2 * tables.CHANGE_ROOM:
            self._out = np.zeros(size + 2 * tables.CHANGE_ROOM, np.uint8)


def phrases_of(form: ChangeForm) -> Phrases:
    """What lines of this form begin with, and what item lines do, for the kernels."""
    operations = {f"{MARK}{operation}": operation for operation in OPERATIONS}
    texts = {
        tables.HEAD: '{"Metadata":{"WriteTimestampMicros":',
        tables.KEYS: '},"Keys":{',
        tables.OLD_IMAGE: ',"OldImage":{',
        tables.NEW_IMAGE: ',"NewImage":{',
        tables.ITEM_OPEN: '{"Item":{',
        tables.OLD_OPEN: f',"{OLD}":{{"M":',
    }
    places = (tables.INSERT_OPEN, tables.UPDATE_OPEN, tables.DELETE_OPEN, tables.PUT_OPEN)
    for place, (name, operation) in zip(places, operations.items(), strict=True):
        texts[place] = f'{{"Item":{{"{name}":{{"S":"{operation}"}},"{WRITTEN}":{{"N":"'
    facts = np.zeros((tables.KEY + _MOST_KEYS, tables.PHRASE_FACTS), np.int64)
    for number, (name, tag) in enumerate(form.keys, tables.KEY):
        texts[number] = f'{json.dumps(name, ensure_ascii=False)}:{{"{tag}":"'
        facts[number, tables.PHRASE_TAG] = tags.TAGS.index(tag)
    spellings = b""
    for number, text in sorted(texts.items()):
        spelling = text.encode(errors="surrogateescape")
        size = len(spelling)
        mask = (1 << size) - 1 if size < 64 else _ALL_64_BYTES
        facts[number, : tables.PHRASE_TAG] = (len(spellings), size, mask)
        spellings += spelling + bytes(_PADDING)
    return Phrases(np.frombuffer(spellings, np.uint8).copy(), facts)
