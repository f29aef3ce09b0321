"""Reads a data file in Ion as blocks of DynamoDB JSON lines.

A kernel translates the lines that are spelled as the service does it, and Python the others.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import TracebackType

import numpy as np

from converter.decode.strict_lines import LineProblem
from converter.export.blocks import PADDING, Block, BlockReader
from converter.export.line_limits import MAX_LINE_COMMAS
from converter.ion.lines import json_line
from converter.kernels import layout
from converter.kernels.bindings import bind_translate_ion, line_end
from converter.kernels.layout import Bytes
from converter.kernels.scratch import new_scratch

ION_BLOCK_BYTES = 1 << 19
"""Bytes of Ion whose JSON is about as long as a block of JSON files."""
_ROOM = 1 << 20
"""Bytes of a block of JSON."""
_MOST_ROOM = 1 << 22
"""The same for a single line. If its JSON is longer, Python translates it: few items are that large."""
_NEWLINE = ord("\n")


class _Translator:
    """The kernel with its memory: room[:size] are lines of JSON, with zeros after them in `out`."""

    def __init__(self) -> None:
        self._run = bind_translate_ion()
        self._scratch = new_scratch()
        self.state = np.zeros(layout.ION_STATE_SIZE, np.int64)
        self.state[layout.ION_LONGEST] = MAX_LINE_COMMAS
        self.make_room(_ROOM)

    def make_room(self, size: int) -> None:
        """Replace the memory with empty memory for this many bytes of lines."""
        self.out = np.zeros(size + PADDING, np.uint8)
        self.room = self.out[:size]

    def run(self, block: Block) -> int:
        """Translate lines of the block from the position on; see parse/ion_lines.py."""
        return self._run(block.data, self.room, self.state, self._scratch)


class _TranslatorCache(threading.local):
    """The translator of the last reader of a thread, because thousands of small files have a reader each."""

    translator: _Translator | None = None


_cache = _TranslatorCache()


class IonReader:
    """Counterpart of BlockReader for a data file in Ion. Its blocks contain the same lines in JSON.

    Offsets (`Block.byte`, `LineProblem.byte`) count bytes of JSON; `locate` converts them to lines and bytes of the
    file. blocks: the reader of the file with blocks of about ION_BLOCK_BYTES, which is closed with this reader.

    Raises the errors of BlockReader, and LineProblem for a line that is not Ion, or not in the form of DynamoDB, after
    all lines before it were returned.
    """

    def __init__(self, blocks: BlockReader) -> None:
        self.place = blocks.place
        self._blocks = blocks
        cached, _cache.translator = _cache.translator, None
        self._translator = cached or _Translator()
        self._closed = False
        self._ion = self._json = Block(self._translator.out, 0, 0)
        # The position in the block of Ion of the first line in the block of JSON, and bytes of JSON so far.
        self._begin, self._byte = 0, 0

    def __enter__(self) -> IonReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. May be called more than once."""
        self._blocks.close()
        if not self._closed:
            self._closed = True
            _cache.translator = self._translator

    def verify_rest(self) -> None:
        """Verify the rest of the file, as BlockReader.verify_rest does."""
        self._blocks.verify_rest()

    def locate(self, byte: int) -> tuple[int, int]:
        """Return the line in the file, from 1, and its first byte, for a byte of the current block of JSON."""
        at = self._begin
        for _ in range(int(np.count_nonzero(self._json.data[: byte - self._json.byte] == _NEWLINE))):
            at = line_end(self._ion.data, at) + 1
        return self._blocks.locate(self._ion.byte + at)

    def where(self, byte: int) -> str:
        """Return the place of a byte of the current block of JSON for an error: `path line 12 (byte 3456)`."""
        line, begin = self.locate(byte)
        return f"{self.place} line {line} (byte {begin})"

    def __iter__(self) -> Iterator[Block]:
        state = self._translator.state
        state[layout.ION_WRITTEN] = 0
        for block in self._blocks:
            self._ion, self._begin = block, 0
            state[layout.ION_SIZE] = block.size
            state[layout.ION_POSITION] = 0
            yield from self._translate()

    def _translate(self) -> Iterator[Block]:
        """Yield the lines of the block of Ion in blocks of JSON that fit into the memory."""
        translator, status = self._translator, layout.GROW
        while status != layout.DONE:
            status = translator.run(self._ion)
            if status == layout.IRREGULAR:
                yield from self._translate_irregular()
            elif status == layout.DONE or translator.state[layout.ION_WRITTEN]:
                yield from self._take()
            elif translator.room.size < _MOST_ROOM:
                translator.make_room(2 * translator.room.size)
            else:
                yield from self._translate_irregular()

    def _translate_irregular(self) -> Iterator[Block]:
        """Translate the next line in Python, and yield blocks if it does not fit after the lines before it."""
        translator, state = self._translator, self._translator.state
        begin = int(state[layout.ION_POSITION])
        end = line_end(self._ion.data, begin) + 1
        try:
            json = json_line(self._ion.data[begin:end].tobytes())
        except LineProblem as problem:
            yield from self._take()
            self._json = Block(translator.out, 0, self._byte)
            problem.byte = self._byte
            raise
        written = int(state[layout.ION_WRITTEN])
        if written + len(json) <= translator.room.size:
            translator.room[written : written + len(json)] = np.frombuffer(json, np.uint8)
            state[layout.ION_WRITTEN] = written + len(json)
        else:
            yield from self._take()
            yield from self._give(np.frombuffer(json + bytes(PADDING), np.uint8), len(json))
            self._begin = end
        state[layout.ION_POSITION] = end

    def _take(self) -> Iterator[Block]:
        """Yield the lines of JSON that were written, if any. The next block begins with the line at the position."""
        out, state = self._translator.out, self._translator.state
        written = int(state[layout.ION_WRITTEN])
        if written:
            out[written : written + PADDING] = 0
            yield from self._give(out, written)
        state[layout.ION_WRITTEN] = 0
        self._begin = int(state[layout.ION_POSITION])

    def _give(self, data: Bytes, size: int) -> Iterator[Block]:
        self._json = Block(data, size, self._byte)
        self._byte += size
        yield self._json
