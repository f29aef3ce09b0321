"""Sources in object stores, and the prefetch of their objects."""

from __future__ import annotations

import posixpath
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from io import RawIOBase

from converter.object_store import ConditionFailedError, ObjectStore, object_changed_error
from converter.storage.source import Source
from converter.storage.stored_files import FileVersion, listed_versions
from converter.storage.threads import in_parallel

_FETCHERS = 8
# Smaller objects are prefetched whole; of larger ones, only the first bytes are on their way.
_SMALL_BYTES = 512 << 10
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


class ObjectSource(Source):
    """A prefix to read from, as a folder. An object that is read twice must have the same ETag.

    root: as the user would write it.
    """

    def __init__(self, root: str, store: ObjectStore) -> None:
        self.root = root
        self._store = store
        self._etags: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        self._prefetches: dict[str, Prefetch] = {}
        self._fetchers = ThreadPoolExecutor(_FETCHERS, thread_name_prefix="fetch")

    def __reduce__(self) -> tuple[type[ObjectSource], tuple[str, ObjectStore]]:
        return ObjectSource, (self.root, self._store)

    def open(self, path: str) -> RawIOBase:
        """Open an object to read it once from the beginning; its bytes arrive while they are read."""
        prefetch = self._prefetches.get(path)
        return self._fetch(path) if prefetch is None else prefetch.take(path)

    def size(self, path: str) -> int | None:
        found = self._store.head(self.checked(path)) if path else None
        return None if found is None else found.size

    def find(self, path: str) -> bytes | None:
        try:
            return self.read(path)
        except FileNotFoundError:
            return None

    def find_file(self, path: str) -> RawIOBase | None:
        try:
            return self.open(path)
        except FileNotFoundError:
            return None

    def is_there(self) -> bool:
        return next(self._store.list_objects(""), None) is not None

    def sizes(self, path: str) -> dict[str, int]:
        sizes = super().sizes(path)
        self._sizes.update((posixpath.join(path, name), size) for name, size in sizes.items())
        return sizes

    def versions(self, path: str) -> dict[str, FileVersion]:
        return listed_versions(self._store.list_folder(self.checked(path)))

    def read_all(self, paths: Sequence[str]) -> list[bytes | None]:
        return in_parallel(self.find, paths)

    def folders(self, path: str) -> list[str]:
        return sorted(self._store.list_folder(self.checked(path)).folders)

    @contextmanager
    def prefetch(self, paths: Iterable[str]) -> Iterator[None]:
        """Request some of the paths before they are opened, which happens in about this order."""
        paths = [path for path in paths if path not in self._prefetches]
        prefetch = Prefetch(paths, self._sizes, lambda path: self._fetchers.submit(self._fetch, path, small=True))
        self._prefetches.update(dict.fromkeys(paths, prefetch))
        try:
            yield
        finally:
            for path in paths:
                self._prefetches.pop(path, None)
            prefetch.close()

    def _fetch(self, path: str, *, small: bool = False) -> RawIOBase:
        """Request an object; small: read all of it if it is small."""
        try:
            reader = self._store.open(self.checked(path), etag=self._etags.get(path))
        except ConditionFailedError:
            raise object_changed_error(self.child(path)) from None
        self._etags.setdefault(path, reader.info.etag)
        if not small or reader.info.size > _SMALL_BYTES:
            return reader
        with reader:
            return FetchedFile(reader.readall())
