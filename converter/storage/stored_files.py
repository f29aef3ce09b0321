"""Files in a folder, on any store, and their versions, which show whether a file was written since it was last read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from converter.object_store import FolderListing


class FileVersion(NamedTuple):
    """Facts of a file in the listing of its folder.

    size: in bytes. written: a text that differs after each write: an object's ETag, or the time of a file's last change
    in nanoseconds; empty if the store does not report it.
    """

    size: int
    written: str


UNKNOWN_VERSION = FileVersion(0, "")


class StoredFiles(ABC):
    """The files of a folder. Paths are relative to it, with `/` between their parts; the folder itself is `""`.

    root: the folder as the user would write it.
    """

    root: str

    @abstractmethod
    def size(self, path: str) -> int | None:
        """Return the file's size in bytes, None if there is no file of this name. Raises StorageError."""

    @abstractmethod
    def versions(self, path: str) -> dict[str, FileVersion]:
        """Return the versions of the files directly below, by their names; empty if there is no such folder.

        Some may be missing, such as symbolic links, whose `size` is known all the same.
        """

    def sizes(self, path: str) -> dict[str, int]:
        """Return the size in bytes of each file directly below, by its name. See versions."""
        return {name: version.size for name, version in self.versions(path).items()}

    @abstractmethod
    def read_all(self, paths: Sequence[str]) -> list[bytes | None]:
        """Read small files, None for one that does not exist; a store that is far away reads many at once."""

    def child(self, path: str) -> str:
        """Return the path with its root, for messages."""
        return f"{self.root.rstrip('/')}/{path}" if path else self.root


def listed_versions(listing: FolderListing) -> dict[str, FileVersion]:
    """Return the version of each object in a listing, by its name."""
    return {name: FileVersion(size, listing.etags.get(name, "")) for name, size in listing.sizes.items()}
