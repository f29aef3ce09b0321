"""Files that are requested before they are opened: a few at a time, in about the order in which they will be opened."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from io import RawIOBase

# Files are requested until they have this many bytes in total, or are this many.
_MOST_BYTES = 4 << 20
_MOST_FILES = 16
_LEAST_FILES = 2


class Prefetch:
    """Files that are opened in about a known order. For many threads.

    sizes: bytes of the files whose size is known. fetch: requests a file.
    """

    def __init__(
        self, paths: Iterable[str], sizes: Mapping[str, int], fetch: Callable[[str], Future[RawIOBase]]
    ) -> None:
        self._waiting = deque(paths)
        self._sizes = sizes
        self._fetch = fetch
        self._lock = threading.Lock()
        self._requested: dict[str, Future[RawIOBase]] = {}
        self._fill()

    def take(self, path: str) -> RawIOBase:
        """Return the file, and request those that come next."""
        with self._lock:
            requested = self._requested.pop(path, None)
            if requested is None:
                self._waiting = deque(later for later in self._waiting if later != path)
        if requested is None:
            requested = self._fetch(path)
        self._fill()
        return requested.result()

    def close(self) -> None:
        """Drop all files that were not taken."""
        with self._lock:
            self._waiting.clear()
            for requested in self._requested.values():
                if not requested.cancel():
                    requested.add_done_callback(_close)

    def _fill(self) -> None:
        with self._lock:
            while self._waiting and self._has_room():
                path = self._waiting.popleft()
                self._requested[path] = self._fetch(path)

    def _has_room(self) -> bool:
        if len(self._requested) < _LEAST_FILES:
            return True
        size = sum(self._sizes.get(path, _MOST_BYTES) for path in [*self._requested, self._waiting[0]])
        return len(self._requested) < _MOST_FILES and size <= _MOST_BYTES


class FetchedFile(RawIOBase):
    """A file that was read whole before it was opened."""

    def __init__(self, content: bytes) -> None:
        self._rest = memoryview(content)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read the next bytes; return 0 at the end."""
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _close(requested: Future[RawIOBase]) -> None:
    if requested.exception() is None:
        requested.result().close()
