"""A data file in Ion as blocks of DynamoDB JSON lines: inflated here, translated by processes, handed out in order."""

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
"""The JSON of so much Ion is about as long as other blocks."""
_NEWLINE = ord("\n")


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A block that a process has, or will have. has_room: it takes room that has to be given back."""

    ion: bytes
    byte: int
    json: Future[JsonLines]
    has_room: bool


class IonReader:
    """Stands for the BlockReader of a data file, whose lines are Ion; the blocks hold the same lines in JSON.

    Offsets (`Block.byte`, `LineProblem.byte`) count bytes of JSON; `locate` says where that is in the file. Line by
    line they are the same. blocks: the file's own, of about ION_BLOCK_BYTES; closed with this one.

    Raises, beside what BlockReader raises, LineProblem for a line that is no Ion or not as the service writes it, when
    all lines before it have been handed out; and ConvertError where a process dies.
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
        """Lets go of the file and of blocks that nobody wants any more; closing twice is fine."""
        while self._waiting:
            waiting = self._waiting.popleft()
            waiting.json.cancel()
            self._give_room(waiting.has_room)
        self._blocks.close()

    def verify_rest(self) -> None:
        """As BlockReader.verify_rest."""
        self._blocks.verify_rest()

    def locate(self, byte: int) -> tuple[int, int]:
        """The line in the file, from 1, and the byte that it begins at, for a byte of the current block of JSON."""
        assert self._json is not None
        before = int(np.count_nonzero(self._json.data[: byte - self._json.byte] == _NEWLINE))
        lines = self._ion.split(b"\n", before)
        begin = self._ion_byte + len(self._ion) - len(lines[before])
        return self._blocks.locate(begin)

    def where(self, byte: int) -> str:
        """The place of a byte of the current block of JSON, as errors name it: `path line 12 (byte 3456)`."""
        line, begin = self.locate(byte)
        return f"{self.place} line {line} (byte {begin})"

    def __iter__(self) -> Iterator[Block]:
        blocks = iter(self._blocks)
        more, failure, byte = True, None, 0
        while True:
            try:
                while more and (not self._waiting or self._workers.take_room()):
                    more = self._ask(blocks, has_room=bool(self._waiting))
            except ConvertError as error:
                # The lines before it come first: one of them may be bad.
                more, failure = False, error
            if not self._waiting:
                break
            waiting = self._waiting.popleft()
            try:
                lines = waiting.json.result()
            finally:
                self._give_room(waiting.has_room)
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

    def _ask(self, blocks: Iterator[Block], *, has_room: bool) -> bool:
        """Have the next block translated; False if there is none."""
        block = None
        try:
            block = next(blocks, None)
        finally:
            if block is None:
                self._give_room(has_room)
        if block is None:
            return False
        lines = block.data[: block.size].tobytes()
        place = f"{self.place} bytes {block.byte} to {block.byte + block.size}"
        self._waiting.append(_Waiting(lines, block.byte, self._workers.translate(lines, place), has_room))
        return True

    def _give_room(self, has_room: bool) -> None:
        if has_room:
            self._workers.give_room()
