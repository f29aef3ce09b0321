"""Members of lines that are not known: found by the slow path, and removed before other kernels read the lines.

The first line with such a member takes the slow path, which tolerates or refuses it (strict_lines.py). From then on
kernels/parse/unknown_members.py removes the member from lines, so that they don't take the slow path.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from converter.decode.strict_lines import ITEM, METADATA, Keys, Member, compact_line
from converter.export.blocks import PADDING, Block
from converter.export.data_files import DataFile
from converter.kernels import line_patterns
from converter.kernels.bindings import bind_remove_unknown_members, line_end
from converter.kernels.line_patterns import PATTERN_TAG, new_patterns
from converter.kernels.scratch import new_scratch

_ROLES = {
    "Metadata": line_patterns.MEMBER_METADATA,
    "OldImage": line_patterns.MEMBER_IMAGE,
    "NewImage": line_patterns.MEMBER_IMAGE,
}
_KEYS = 2
_MOST_SEEN = 100
"""Members that are remembered: a file that is not an export may have any number of them."""


class UnknownMembers:
    """The unknown members that one reader has seen, and their removal from its lines.

    names: of the members that are known. keys: of changes, none for items. old_images: whether the view has them.
    """

    def __init__(self, names: Collection[str], keys: Keys = (), *, old_images: bool = False) -> None:
        self._names = names
        self._keys = keys
        self._seen: dict[Member, None] = {}
        self._new: dict[Member, int] = {}
        self._remover: _Remover | None = None
        self._old_images = old_images
        self._block: Block | None = None

    def add(self, members: Collection[Member], byte: int) -> bool:
        """Add the unknown members of the line at this byte of the file. True if one of them was not seen before."""
        new = [member for member in members if member not in self._seen][: _MOST_SEEN - len(self._seen)]
        for member in new:
            self._seen[member] = None
            self._new[member] = byte
            self._remover = None
        for member in self._new.keys() & members:
            # A merge reads all lines of a block before the decoder does.
            self._new[member] = min(byte, self._new[member])
        return bool(new)

    def take_new(self) -> dict[Member, int]:
        """The members that were added since the last call, and the byte of the first line that has each."""
        new, self._new = self._new, {}
        return new

    def remove(self, block: Block) -> Block:
        """The block without the members that were seen. Each line begins where it did; blank lines may follow it."""
        self._block = block
        return self.remove_again(block)

    def remove_again(self, block: Block, begin: int = 0) -> Block:
        """The same for the current state of that block, from its line at `begin` on, after a new member was seen."""
        if not self._seen:
            return block
        if self._remover is None:
            self._remover = _Remover(self._names, self._keys, list(self._seen), self._old_images)
        return self._remover.remove(block, begin)

    def line(self, at: int) -> bytes:
        """The line at this position of the block, as the file has it."""
        assert self._block is not None
        return self._block.data[at : line_end(self._block.data, at)].tobytes()


class ItemLines:
    """The lines of a full export, which are lines of items; see LineSource."""

    facts: Collection[str] = ()
    reports_facts = True
    dropped = 0

    def __init__(self) -> None:
        self.unknown = UnknownMembers(("Item",))
        self._byte = 0

    def begin(self, file: DataFile) -> None:
        """No-op: all files have lines of items."""

    def translate(self, block: Block) -> Iterator[Block]:
        """The block without the unknown members that were seen before. Lines stay where they are."""
        self._byte = block.byte
        yield self.unknown.remove(block)

    def original(self, position: int) -> tuple[int, bytes]:
        return self._byte + position, self.unknown.line(position)

    def compact(self, line: bytes, byte: int) -> tuple[bytes, bool]:
        found: list[Member] = []
        item = compact_line(line, found)
        return item, self.unknown.add(found, byte)

    def root(self, _: bytes) -> str:
        return ITEM


class _Remover:
    """The kernel with its patterns: of the members that are known, and of those to remove."""

    def __init__(self, names: Collection[str], keys: Keys, unknown: Sequence[Member], old_images: bool) -> None:
        self._remove_members = bind_remove_unknown_members()
        self._out = np.zeros(0, np.uint8)
        self._scratch = new_scratch()
        texts = [(f'{_quoted(name)}:{{"{tag}":', 0) for name, tag in keys]
        texts += [("", 0)] * (_KEYS - len(texts))
        texts += [(f"{_quoted(name)}:", _ROLES.get(name, line_patterns.MEMBER_KNOWN)) for name in names]
        texts.append(('"WriteTimestampMicros":', line_patterns.MEMBER_OF_METADATA))
        for path, name in unknown:
            role = line_patterns.MEMBER_UNKNOWN_OF_METADATA if path == METADATA else line_patterns.MEMBER_UNKNOWN
            texts.append((f"{_quoted(name)}:", role))
        texts = texts[: line_patterns.MOST_MEMBERS]
        self._patterns = new_patterns({n: text for n, (text, _) in enumerate(texts)}, len(texts))
        self._patterns.facts[:, PATTERN_TAG] = [role for _, role in texts]
        self._state = np.zeros(line_patterns.MEMBERS_STATE_SIZE, np.int64)
        self._state[line_patterns.MEMBERS_COUNT] = len(texts)
        self._state[line_patterns.MEMBERS_KEYS] = len(keys)
        self._state[line_patterns.MEMBERS_NEED_IMAGE] = old_images

    def remove(self, block: Block, begin: int) -> Block:
        out = self._out
        if begin or out.size < block.size + PADDING:
            # The block may be in the output already: what a call before has made.
            out = np.zeros(block.size + PADDING, np.uint8)
        self._out = out
        self._state[line_patterns.MEMBERS_SIZE] = block.size
        self._remove_members(block.data, self._patterns, out, self._state, self._scratch)
        out[:begin] = block.data[:begin]
        out[block.size : block.size + PADDING] = 0
        return Block(out, block.size, block.byte)


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)
