"""What a part writer is: the small interface behind which the formats live."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from converter.decode.batch import Batch


class Sink(Protocol):
    """Where the bytes of a part go."""

    def write(self, data: bytes | memoryview, /) -> int:
        """Take all of `data`."""


class PartWriter(ABC):
    """Writes batches of one schema as one file, which is complete after `close`. rows, bytes: written so far."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.rows = 0
        self.bytes = 0

    def _put(self, data: bytes | memoryview) -> None:
        self._sink.write(data)
        self.bytes += len(data)

    @abstractmethod
    def write(self, batch: Batch, row: int = 0) -> int:
        """Append rows of the batch from this one on; gives the row to go on with, in this part or in the next one.

        In Parquet all of them make one row group. CSV stops where it has handed on some of its bytes.
        """

    @abstractmethod
    def close(self) -> None:
        """Write what is left. The sink stays open."""
