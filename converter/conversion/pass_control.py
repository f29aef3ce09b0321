"""What the workers of one run tell each other: one has seen a surprise, one has failed, all shall stop."""

from __future__ import annotations

import threading
from collections.abc import Callable

from converter.conversion.spare_threads import SpareThreads


class Stopped(Exception):
    """The shard's result is of no use any more."""


class Control:
    """Shared by the threads of one pass.

    After a surprise all shards observe only. After a failure the shards behind the failed one stop, while those in
    front of it go on: of several faults the first in the manifest's order is named, whatever the number of workers.

    spare: threads that a shard may use beside its own.
    """

    def __init__(self, on_bytes: Callable[[int], None] | None = None) -> None:
        self.spare = SpareThreads(0, 0)
        self._lock = threading.Lock()
        self._on_bytes = on_bytes
        self._last_useful: float = float("inf")
        self.surprise = ""
        self.bytes_read = 0

    def surprised(self, surprise: str) -> None:
        """Make all shards observe only; the first surprise is the one that is told."""
        with self._lock:
            self.surprise = self.surprise or surprise

    def failed(self, shard: int) -> None:
        """Stop the shards behind this one."""
        with self._lock:
            self._last_useful = min(self._last_useful, shard)

    def stop(self) -> None:
        """Stop all shards."""
        self.failed(-1)

    def check(self, shard: int) -> None:
        """Raise Stopped if the shard needn't go on."""
        if shard > self._last_useful:
            raise Stopped

    def count(self, read: int) -> None:
        """Note compressed bytes that were read."""
        with self._lock:
            self.bytes_read += read
        if self._on_bytes is not None:
            self._on_bytes(read)
