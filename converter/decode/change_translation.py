"""Translates blocks of changes to blocks of item lines for the decoder, and finds the change of an item line."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

import numpy as np

from converter.decode.strict_changes import MEMBERS, ChangeForm, compact_change, image_path
from converter.decode.strict_lines import LineProblem, Member
from converter.decode.unknown_members import UnknownMembers
from converter.export.blocks import PADDING, Block
from converter.export.data_files import DataFile
from converter.kernels import layout, line_patterns
from converter.kernels.bindings import bind_translate_changes, line_end
from converter.kernels.line_patterns import Patterns, new_patterns
from converter.schema import tags
from converter.schema.change_columns import COLUMN_OF, MARK, OLD, OPERATIONS, WRITTEN

_NEWLINE = 0x0A
_MOST_KEYS = 2


class ChangeLines:
    """The lines of an incremental export as lines of items; see LineSource.

    form: what all lines have in common. patterns: the same, for the kernel.
    """

    facts: Collection[str] = COLUMN_OF
    reports_facts = True
    dropped = 0

    def __init__(self, form: ChangeForm) -> None:
        self.form = form
        self.patterns = patterns_of(form)
        self._translate = bind_translate_changes()
        self._out = np.zeros(0, np.uint8)
        self._state = np.zeros(line_patterns.CHANGE_STATE_SIZE, np.int64)
        self._state[line_patterns.CHANGE_KEYS] = len(form.keys)
        self._state[line_patterns.CHANGE_OLD_IMAGES] = form.old_images
        self._block = Block(self._out, 0, 0)
        self.unknown = unknown_of(form)
        # Positions of the same line in the output and in the block: of the last one that `original` found.
        self._line, self._change = 0, 0

    def begin(self, file: DataFile) -> None:
        """No-op: the lines of all files have one form."""

    def translate(self, block: Block) -> Iterator[Block]:
        yield from self.translate_known(self.unknown.remove(block))

    def translate_known(self, block: Block) -> Iterator[Block]:
        """Translate a block from which `self.unknown` has removed members."""
        state = self._state
        state[line_patterns.CHANGE_POSITION] = 0
        state[line_patterns.CHANGE_SIZE] = block.size
        self._make_room(block.size)
        self._block = block
        self._begin(0)
        while True:
            status = self._translate(block.data, self.patterns, self._out, state)
            written = int(state[line_patterns.CHANGE_WRITTEN])
            if written:
                self._out[written : written + PADDING] = 0
                yield Block(self._out, written, block.byte)
            position = int(state[line_patterns.CHANGE_POSITION])
            self._begin(position)
            if status == layout.DONE:
                return
            if status == layout.IRREGULAR and self._translate_irregular(position):
                # The lines after it have the same members, most likely.
                self._block = block = self.unknown.remove_again(block, int(state[line_patterns.CHANGE_POSITION]))

    def original(self, position: int) -> tuple[int, bytes]:
        # Positions must not decrease from call to call.
        lines = int(np.count_nonzero(self._out[self._line : position] == _NEWLINE))
        for _ in range(lines):
            self._change = line_end(self._block.data, self._change) + 1
        self._line = position
        return self._block.byte + self._change, self.unknown.line(self._change)

    def compact(self, line: bytes, byte: int) -> tuple[bytes, bool]:
        found: list[Member] = []
        item = compact_change(line, self.form, found)
        self.unknown.add(found, byte)
        # The block of item lines has no members to remove.
        return item, False

    def root(self, line: bytes) -> str:
        return image_path(line)

    def _translate_irregular(self, position: int) -> bool:
        """Write an irregular line to the empty output. True if it has members that were not seen before."""
        byte, line = self.original(0)
        end = line_end(self._block.data, position)
        found: list[Member] = []
        try:
            item = compact_change(line, self.form, found)
        except LineProblem as problem:
            problem.byte = byte
            raise
        self._make_room(len(item))
        self._out[: len(item)] = np.frombuffer(item, np.uint8)
        self._state[line_patterns.CHANGE_WRITTEN] = len(item)
        self._state[line_patterns.CHANGE_POSITION] = end + 1
        return self.unknown.add(found, byte)

    def _begin(self, change: int) -> None:
        """Empty the output. Its next item line will be that of the change at this position."""
        self._state[line_patterns.CHANGE_WRITTEN] = 0
        self._line, self._change = 0, change

    def _make_room(self, size: int) -> None:
        """Make room for the item lines of changes of this size together, or for one of them at least."""
        if self._out.size < size + 2 * line_patterns.CHANGE_ROOM:
            self._out = np.zeros(size + 2 * line_patterns.CHANGE_ROOM, np.uint8)


def unknown_of(form: ChangeForm) -> UnknownMembers:
    """Return the unknown members of changes of this form: none yet."""
    return UnknownMembers(MEMBERS, form.keys, old_images=form.old_images)


def patterns_of(form: ChangeForm) -> Patterns:
    """Return the patterns of lines of this form, and the texts of their item lines, for the kernels."""
    operations = {f"{MARK}{operation}": operation for operation in OPERATIONS}
    texts = {
        line_patterns.METADATA_PATTERN: '{"Metadata":{"WriteTimestampMicros":',
        line_patterns.KEYS_PATTERN: '},"Keys":{',
        line_patterns.OLD_IMAGE_PATTERN: ',"OldImage":{',
        line_patterns.NEW_IMAGE_PATTERN: ',"NewImage":{',
        line_patterns.ITEM_PATTERN: '{"Item":{',
        line_patterns.OLD_IMAGE_TEXT: f',"{OLD}":{{"M":',
    }
    places = (line_patterns.INSERT_TEXT, line_patterns.UPDATE_TEXT, line_patterns.DELETE_TEXT, line_patterns.PUT_TEXT)
    for place, (name, operation) in zip(places, operations.items(), strict=True):
        texts[place] = f'{{"Item":{{"{name}":{{"S":"{operation}"}},"{WRITTEN}":{{"N":"'
    texts |= {
        n: f'{json.dumps(name, ensure_ascii=False)}:{{"{tag}":"'
        for n, (name, tag) in enumerate(form.keys, line_patterns.KEY_PATTERN)
    }
    patterns = new_patterns(texts, line_patterns.KEY_PATTERN + _MOST_KEYS)
    for number, (_, tag) in enumerate(form.keys, line_patterns.KEY_PATTERN):
        patterns.facts[number, line_patterns.PATTERN_TAG] = tags.TAGS.index(tag)
    return patterns
