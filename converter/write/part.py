"""What a part writer is: the small interface behind which the formats live."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from converter.decode.decoder import Batch


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
    def write(self, batch: Batch) -> None:
        """Append the rows of the batch; in Parquet they make one row group."""

    @abstractmethod
    def close(self) -> None:
        """Write what is left. The sink stays open."""
