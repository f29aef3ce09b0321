"""Threads that have no shard of their own: they write batches for the shards that are still at work.

One huge data file is one shard, and the last shards of a pass end at different times. So each time a shard has a batch
to write, it asks for an idle thread, which writes while the shard's own thread inflates and decodes the next lines. The
output does not depend on it: a shard's batches are written one after the other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class IdleThreads:
    """A number of threads that starts at `idle` and grows as workers run out of shards."""

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
