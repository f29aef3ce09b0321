"""Sources in object stores."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import RawIOBase

from converter.object_store import ConditionFailedError, ObjectStore, object_changed_error
from converter.storage.prefetch import FetchedFile, Prefetch
from converter.storage.source import Source
from converter.storage.stored_files import FileVersion, listed_versions
from converter.storage.threads import in_parallel

_FETCHERS = 8
# Smaller objects are prefetched whole; of larger ones, only the first bytes are on their way.
_SMALL_BYTES = 512 << 10


class ObjectSource(Source):
    """A prefix to read from, as a folder. An object that is read twice must have the same ETag.

    root: as the user would write it.
    """

    def __init__(self, root: str, store: ObjectStore) -> None:
        self.root = root
        self._store = store
        self._begin()

    def _begin(self) -> None:
        self._etags: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        self._prefetches: dict[str, Prefetch] = {}
        self._fetchers = ThreadPoolExecutor(_FETCHERS, thread_name_prefix="fetch")

    def __getstate__(self) -> tuple[str, ObjectStore]:
        return self.root, self._store

    def __setstate__(self, state: tuple[str, ObjectStore]) -> None:
        self.root, self._store = state
        self._begin()

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
