"""Unknown members of lines: noted, and removed before other kernels read the lines. strict_lines.py tolerates them.

The slow path notes them; from then on the kernel in parse/unknown_members.py removes them, so that other kernels read
the lines.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from converter.decode.strict_lines import ITEM, METADATA, Keys, Member, compact_line
from converter.export.blocks import PADDING, Block
from converter.kernels import line_phrases
from converter.kernels.bindings import bind_trim_lines, line_end
from converter.kernels.layout import PHRASE_TAG
from converter.kernels.line_phrases import new_phrases
from converter.kernels.scratch import new_scratch

_ROLES = {
    "Metadata": line_phrases.MEMBER_METADATA,
    "OldImage": line_phrases.MEMBER_IMAGE,
    "NewImage": line_phrases.MEMBER_IMAGE,
}
_KEYS = 2
_MOST_NOTED = 100
"""Members that are remembered: the lines of what is not an export may have any number."""


class UnknownMembers:
    """Of the lines that one reader reads: notes which there are, and takes out those that have been noted.

    names: the members that lines have. keys: of changes, none for items. old_images: whether the view has them.
    """

    def __init__(self, names: Collection[str], keys: Keys = (), *, old_images: bool = False) -> None:
        self._names = names
        self._keys = keys
        self._noted: dict[Member, None] = {}
        self._fresh: dict[Member, int] = {}
        self._trimmer: _Trimmer | None = None
        self._old_images = old_images
        self._block: Block | None = None

    def note(self, members: Collection[Member], byte: int) -> bool:
        """Note the unknown members of the line at this byte of the file; whether one of them is new."""
        new = [member for member in members if member not in self._noted][: _MOST_NOTED - len(self._noted)]
        for member in new:
            self._noted[member] = None
            self._fresh[member] = byte
            self._trimmer = None
        for member in self._fresh.keys() & members:
            # A merge looks at all lines of a block before the decoder does.
            self._fresh[member] = min(byte, self._fresh[member])
        return bool(new)

    def take_fresh(self) -> dict[Member, int]:
        """The members that have been noted since the last call, and the byte of the first line that has each."""
        fresh, self._fresh = self._fresh, {}
        return fresh

    def trim(self, block: Block) -> Block:
        """The block with its lines without noted members: each in its place, and maybe blank ones after it."""
        self._block = block
        return self.trim_again(block)

    def trim_again(self, block: Block, begin: int = 0) -> Block:
        """The same for what has become of the block since, from its line at `begin` on: those before stay."""
        if not self._noted:
            return block
        if self._trimmer is None:
            self._trimmer = _Trimmer(self._names, self._keys, list(self._noted), self._old_images)
        return self._trimmer.trim(block, begin)

    def line(self, at: int) -> bytes:
        """The line that begins at `at` in the block, as the file has it."""
        assert self._block is not None
        return self._block.data[at : line_end(self._block.data, at)].tobytes()


class ItemLines:
    """The lines of items of one decoder; the same for changes is ChangeLines in change_translation.py."""

    def __init__(self) -> None:
        self.unknown = UnknownMembers(("Item",))
        self._byte = 0

    def translate(self, block: Block) -> Iterator[Block]:
        """The block without the members that were noted: a line for each line."""
        self._byte = block.byte
        yield self.unknown.trim(block)

    def original(self, position: int) -> tuple[int, bytes]:
        """Where the line at a position of the block begins in the inflated file, and the line."""
        return self._byte + position, self.unknown.line(position)

    def compact(self, line: bytes, byte: int) -> tuple[bytes, bool]:
        """The line as the service would write it, and whether the lines after it have to be trimmed again.

        Raises LineProblem. byte: where the line begins in the inflated file.
        """
        found: list[Member] = []
        item = compact_line(line, found)
        return item, self.unknown.note(found, byte)

    def root(self, _: bytes) -> str:
        """The path to the attributes in a line of the data file."""
        return ITEM


class _Trimmer:
    """Takes some unknown members out of lines."""

    def __init__(self, names: Collection[str], keys: Keys, unknown: Sequence[Member], old_images: bool) -> None:
        self._trim = bind_trim_lines()
        self._out = np.zeros(0, np.uint8)
        self._scratch = new_scratch()
        texts = [(f'{_quoted(name)}:{{"{tag}":', 0) for name, tag in keys]
        texts += [("", 0)] * (_KEYS - len(texts))
        texts += [(f"{_quoted(name)}:", _ROLES.get(name, line_phrases.MEMBER_KNOWN)) for name in names]
        texts.append(('"WriteTimestampMicros":', line_phrases.MEMBER_OF_METADATA))
        for path, name in unknown:
            role = line_phrases.MEMBER_UNKNOWN_OF_METADATA if path == METADATA else line_phrases.MEMBER_UNKNOWN
            texts.append((f"{_quoted(name)}:", role))
        texts = texts[: line_phrases.MOST_MEMBERS]
        self._phrases = new_phrases({n: text for n, (text, _) in enumerate(texts)}, len(texts))
        self._phrases.facts[:, PHRASE_TAG] = [role for _, role in texts]
        self._state = np.zeros(line_phrases.TRIM_STATE_SIZE, np.int64)
        self._state[line_phrases.TRIM_MEMBERS] = len(texts)
        self._state[line_phrases.TRIM_KEYS] = len(keys)
        self._state[line_phrases.TRIM_NEEDS_IMAGE] = old_images

    def trim(self, block: Block, begin: int) -> Block:
        out = self._out
        if begin or out.size < block.size + PADDING:
            # Of a block that was trimmed before, the lines are in the other memory.
            out = np.zeros(block.size + PADDING, np.uint8)
        self._out = out
        self._state[line_phrases.TRIM_SIZE] = block.size
        self._trim(block.data, self._phrases, out, self._state, self._scratch)
        out[:begin] = block.data[:begin]
        out[block.size : block.size + PADDING] = 0
        return Block(out, block.size, block.byte)


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)
