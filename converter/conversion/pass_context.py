"""State that workers of one process share in a pass: surprise, failure, bytes read, learned fields, idle threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from converter.decode.learned import Learned


class Stopped(Exception):
    """The shard's result is not needed any more."""


class IdleThreads:
    """Threads that have no shard of their own: they write batches for the shards that are still at work.

    One huge data file is one shard, and the last shards of a pass end at different times. So each time a shard has a
    batch to write, it asks for an idle thread, which writes while the shard's own thread inflates and decodes the next
    lines. The output does not depend on it: a shard's batches are written one after the other.

    The number of threads starts at `idle` and grows as workers run out of shards.
    """

    def __init__(self, idle: int, most: int) -> None:
        self._idle = threading.Semaphore(idle)
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="write") if most else None

    def add(self) -> None:
        """One more thread has nothing to do."""
        self._idle.release()

    def run(self, task: Callable[[], None]) -> Future[None] | None:
        """Run the task in a thread that has nothing to do; None, and nothing is run, when there is no such thread."""
        if self._threads is None or not self._idle.acquire(blocking=False):
            return None
        future = self._threads.submit(task)
        future.add_done_callback(lambda _: self._idle.release())
        return future

    def close(self) -> None:
        """No task comes any more; each shard has waited for its own."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)


class PassContext:
    """Shared by the threads of one pass in one process; never copied into another.

    After a surprise all shards observe only. After a failure the shards after the failed one stop, while those in
    front of it continue: of several faults the first in the manifest's order is reported, with any number of workers.

    on_bytes: called with the compressed bytes of each read. idle: threads that a shard may use besides its own.
    """

    def __init__(self, on_bytes: Callable[[int], None] | None = None) -> None:
        self.idle = IdleThreads(0, 0)
        self._lock = threading.Lock()
        self._on_bytes = on_bytes
        self._learned: list[Learned] = []
        self._last_useful: float = float("inf")
        self.surprise = ""
        self.bytes_read = 0

    def take_learned(self) -> Learned | None:
        """Return what a shard of this pass has learned and no other shard uses, if there is any."""
        with self._lock:
            return self._learned.pop() if self._learned else None

    def keep_learned(self, learned: Learned | None) -> None:
        """Keep this for the next shard."""
        if learned is not None:
            with self._lock:
                self._learned.append(learned)

    def surprised(self, surprise: str) -> None:
        """Make all shards observe only; the first surprise is the one that is reported."""
        with self._lock:
            self.surprise = self.surprise or surprise

    def failed(self, shard: int) -> None:
        """Stop the shards after this one."""
        with self._lock:
            self._last_useful = min(self._last_useful, shard)

    def stop(self) -> None:
        """Stop all shards."""
        self.failed(-1)

    def check(self, shard: int) -> None:
        """Raise Stopped if the shard needn't continue."""
        if shard > self._last_useful:
            raise Stopped

    def count(self, read: int) -> None:
        """Add compressed bytes that were read."""
        with self._lock:
            self.bytes_read += read
        if self._on_bytes is not None:
            self._on_bytes(read)
