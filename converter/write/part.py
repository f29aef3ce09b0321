"""The interface of part writers, which each format implements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

from converter.decode.batch import Batch


class Sink(Protocol):
    """The target for the bytes of a part."""

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
        """Append rows of the batch from this one on; return the next row, for this part or the next one.

        In Parquet all rows are one row group. CSV stops after it has written bytes to the sink.
        """

    @abstractmethod
    def close(self) -> None:
        """Write the rest. The sink stays open."""
