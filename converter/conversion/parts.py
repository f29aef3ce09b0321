"""The parts that a shard writes, in each format."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial

from converter.conversion.pass_context import IdleThreads
from converter.decode.batch import Batch
from converter.options import ConvertOptions
from converter.schema.columns import Schema
from converter.storage.destination import PartSink, PartStore
from converter.storage.intent import PendingPart
from converter.write.formats import open_part, part_suffix
from converter.write.part import PartWriter


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """A part that waits for the commit."""

    pending: PendingPart
    rows: int


class Output:
    """The parts of a shard in each format. shard: its number. store: None if nothing will be written."""

    def __init__(self, shard: int, options: ConvertOptions, store: PartStore | None, idle: IdleThreads) -> None:
        self._idle = idle
        self._formats = [Parts(shard, store, folder, one) for folder, one in enumerate(options.by_format())]
        self._writing: list[Future[None]] = []

    def write(self, batch: Batch) -> None:
        """Write the batch, in other threads if some are idle: their errors are raised by the next call."""
        self.settle()
        if len(self._formats) > 1:
            batch.to_text()
        here = []
        # Parquet, the last one, takes longest.
        for parts in reversed(self._formats):
            writing = self._idle.run(partial(parts.append, batch))
            if writing is None:
                here.append(parts)
            else:
                batch.kept = True
                self._writing.append(writing)
        for parts in here:
            parts.append(batch)

    def finish(self) -> tuple[WrittenPart, ...]:
        """Return all parts, those of each format in the order of their rows."""
        return tuple(part for parts in self._formats for part in parts.finish())

    def drop(self) -> None:
        """Discard all parts: they are stale, or the run has failed."""
        while self._writing:
            self._writing.pop().exception()
        for parts in self._formats:
            parts.drop()

    def settle(self) -> None:
        """Wait for the batch that other threads write."""
        while self._writing:
            self._writing.pop().result()


class Parts:
    """The shard's parts in one format. A new part is begun when the last one has reached the part size."""

    def __init__(self, shard: int, store: PartStore | None, folder: int, options: ConvertOptions) -> None:
        self._shard = shard
        self._store = store
        self._folder = folder
        self._options = options
        self._done: list[WrittenPart] = []
        self._writer: PartWriter | None = None
        self._sink: PartSink | None = None

    def append(self, batch: Batch) -> None:
        """Write all rows of the batch."""
        row = 0
        while row < batch.rows:
            writer = self._writer or self.open(batch.schema)
            row = writer.write(batch, row)
            if writer.bytes >= self._options.part_size:
                self._close()

    def open(self, schema: Schema) -> PartWriter:
        """Begin the next part."""
        assert self._store is not None
        # The number of the shard makes the names sort in the manifest's order, and no shard waits for another.
        name = f"{self._shard:05}-{len(self._done):04}{part_suffix(self._options)}"
        self._sink = self._store.open_part(name, self._folder)
        self._writer = open_part(self._sink, schema, self._options)
        return self._writer

    def finish(self) -> list[WrittenPart]:
        """Complete the last part, and return all."""
        self._close()
        if self._store is not None and self._done:
            settled = self._store.settle([part.pending for part in self._done])
            self._done = [replace(part, pending=pending) for part, pending in zip(self._done, settled, strict=True)]
        return self._done

    def drop(self) -> None:
        """Discard all parts."""
        self._writer = None
        if self._sink is not None:
            self._sink.abort()
            self._sink = None
        for part in self._done:
            assert self._store is not None
            self._store.discard(part.pending)
        self._done.clear()

    def _close(self) -> None:
        if self._writer is not None and self._sink is not None:
            self._writer.close()
            self._done.append(WrittenPart(self._sink.finish(), self._writer.rows))
            self._writer = self._sink = None
