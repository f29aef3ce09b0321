"""Reads a data file in Ion as blocks of DynamoDB JSON lines, which processes translate in parallel."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from converter.errors import ConvertError
from converter.export.blocks import Block, BlockReader
from converter.ion.workers import IonWorkers, JsonLines

ION_BLOCK_BYTES = 1 << 19
"""Bytes of Ion whose JSON is about as long as a block of JSON files."""
_NEWLINE = ord("\n")


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A block that waits for its translation. has_slot: it holds a slot that must be released."""

    ion: bytes
    byte: int
    json: Future[JsonLines]
    has_slot: bool


class IonReader:
    """Counterpart of BlockReader for a data file in Ion. Its blocks contain the same lines in JSON.

    Offsets (`Block.byte`, `LineProblem.byte`) count bytes of JSON; `locate` converts them to lines and bytes of the
    file. blocks: the reader of the file with blocks of about ION_BLOCK_BYTES, which is closed with this reader.

    Raises the errors of BlockReader; LineProblem for a line that is not Ion, or not in the form of DynamoDB, after all
    lines before it were returned; and ConvertError if a process dies.
    """

    def __init__(self, blocks: BlockReader, workers: IonWorkers) -> None:
        self.place = blocks.place
        self._blocks = blocks
        self._workers = workers
        self._waiting: deque[_Waiting] = deque()
        self._ion, self._ion_byte = b"", 0
        self._json: Block | None = None

    def __enter__(self) -> IonReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and cancel the remaining blocks. May be called more than once."""
        while self._waiting:
            waiting = self._waiting.popleft()
            waiting.json.cancel()
            self._release_slot(waiting.has_slot)
        self._blocks.close()

    def verify_rest(self) -> None:
        """Verify the rest of the file, as BlockReader.verify_rest does."""
        self._blocks.verify_rest()

    def locate(self, byte: int) -> tuple[int, int]:
        """Return the line in the file, from 1, and its first byte, for a byte of the current block of JSON."""
        assert self._json is not None
        before = int(np.count_nonzero(self._json.data[: byte - self._json.byte] == _NEWLINE))
        lines = self._ion.split(b"\n", before)
        begin = self._ion_byte + len(self._ion) - len(lines[before])
        return self._blocks.locate(begin)

    def where(self, byte: int) -> str:
        """Return the place of a byte of the current block of JSON for an error: `path line 12 (byte 3456)`."""
        line, begin = self.locate(byte)
        return f"{self.place} line {line} (byte {begin})"

    def __iter__(self) -> Iterator[Block]:
        blocks = iter(self._blocks)
        more, failure, byte = True, None, 0
        while True:
            try:
                while more and (not self._waiting or self._workers.acquire_slot()):
                    more = self._request(blocks, has_slot=bool(self._waiting))
            except ConvertError as error:
                # The lines before the error are returned first, because one of them may be bad.
                more, failure = False, error
            if not self._waiting:
                break
            waiting = self._waiting.popleft()
            try:
                lines = waiting.json.result()
            finally:
                self._release_slot(waiting.has_slot)
            self._ion, self._ion_byte = waiting.ion, waiting.byte
            self._json = Block(lines.data, lines.size, byte)
            byte += lines.size
            if lines.size:
                yield self._json
            if lines.problem is not None:
                lines.problem.byte = byte
                raise lines.problem
        if failure is not None:
            raise failure

    def _request(self, blocks: Iterator[Block], *, has_slot: bool) -> bool:
        """Request the translation of the next block. Return False if there is none."""
        block = None
        try:
            block = next(blocks, None)
        finally:
            if block is None:
                self._release_slot(has_slot)
        if block is None:
            return False
        lines = block.data[: block.size].tobytes()
        place = f"{self.place} bytes {block.byte} to {block.byte + block.size}"
        self._waiting.append(_Waiting(lines, block.byte, self._workers.translate(lines, place), has_slot))
        return True

    def _release_slot(self, has_slot: bool) -> None:
        if has_slot:
            self._workers.release_slot()
