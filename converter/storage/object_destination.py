"""Destinations in object stores: parts are multipart uploads that are not completed until the commit."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from converter.errors import UsageError
from converter.object_store import ObjectStore, ReaderSettings
from converter.storage.destination import Destination, Lease
from converter.storage.leftovers import Leftover
from converter.storage.object_commit import hold_lease
from converter.storage.object_lease import check_unlocked
from converter.storage.object_leftovers import find_leftovers
from converter.storage.paths import is_path
from converter.storage.stored_files import FileVersion, listed_versions
from converter.storage.threads import in_parallel


class ObjectDestination(Destination):
    """A prefix to publish to.

    root: as the user would write it.

    Raises UsageError for a prefix that can't be a folder.
    """

    def __init__(self, root: str, store: ObjectStore) -> None:
        self.root = root
        self._store = store
        if not is_path(store.prefix):
            raise UsageError(
                "a destination can't have empty, `.` or `..` parts or control characters in its name",
                root,
                "choose another",
            )

    def lease(self, *, recover: bool = True) -> AbstractContextManager[Lease]:
        return hold_lease(self._store, recover=recover)

    def check_free(self) -> None:
        check_unlocked(self._store)

    def leftovers(self) -> list[Leftover]:
        """List uploads that are not completed, a lease, and a commit that has begun."""
        return find_leftovers(self._store)

    def read(self, path: str) -> bytes | None:
        found = self._store.get(self.checked(path))
        return None if found is None else found.content

    def size(self, path: str) -> int | None:
        found = self._store.head(self.checked(path)) if path else None
        return None if found is None else found.size

    def read_all(self, paths: Sequence[str]) -> list[bytes | None]:
        return in_parallel(self.read, paths)

    def versions(self, path: str) -> dict[str, FileVersion]:
        return listed_versions(self._store.list_folder(self.checked(path)))

    def names(self, folder: str) -> list[str]:
        listing = self._store.list_folder(self.checked(folder))
        return sorted({*listing.folders, *listing.sizes})

    def reader_settings(self) -> ReaderSettings:
        return self._store.reader_settings()
