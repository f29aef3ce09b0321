"""The interface of sources: a folder, on any store, with the files of an export."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from io import RawIOBase

from converter.errors import ExportError
from converter.storage.stored_files import StoredFiles


class Source(StoredFiles):
    """A folder to read from. Nothing outside of it can be reached.

    A path that is absolute, has a part `..` or leads out of the root in another way is refused with an ExportError.
    """

    @abstractmethod
    def open(self, path: str) -> RawIOBase:
        """Open a file, unbuffered, to read it once from the beginning.

        Raises FileNotFoundError when there is no such file, StorageError when it can't be read.
        """

    def prefetch(self, paths: Iterable[str]) -> AbstractContextManager[None]:  # noqa: ARG002 - for stores far away
        """Announce files that are opened in about this order; a store that is far away requests some early.

        Files that an outer `prefetch` has announced are left to that one.
        """
        return nullcontext()

    @abstractmethod
    def folders(self, path: str) -> list[str]:
        """Return the names of the folders directly below, sorted. None of them leads out of the root."""

    def find(self, path: str) -> bytes | None:
        """Read a small file; None if there is no file of this name."""
        return None if self.size(path) is None else self.read(path)

    def read_all(self, paths: Sequence[str]) -> list[bytes | None]:
        """As find, for each of the paths: a store that is far away reads many at once."""
        return [self.find(path) for path in paths]

    def find_file(self, path: str) -> RawIOBase | None:
        """Open a file; None if there is no file of this name."""
        return None if self.size(path) is None else self.open(path)

    def is_there(self) -> bool:
        """Return whether the folder exists. On file systems, the source could not be made otherwise."""
        return True

    def read(self, path: str) -> bytes:
        """Read a small file. Raises the errors of open."""
        with self.open(path) as file:
            return file.readall()

    def checked(self, path: str) -> str:
        """Return the path. Raises ExportError if it leads out of the root; any other name is allowed."""
        if path.startswith("/") or ".." in path.split("/") or "\0" in path:
            raise ExportError(
                "the path leads out of the export's folder", self.child(path), "find out what wrote this manifest"
            )
        return path
