"""What is read from: the folder, on some store, that an export's files lie in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from io import RawIOBase


class Source(ABC):
    """A folder to read from. Nothing outside of it can be reached.

    Paths are relative to the root, with `/` between their parts; the root itself is `""`. A path that is absolute,
    has a part `..` or leads out of the root in another way is refused with an ExportError.

    root: the folder as the user would write it.
    """

    root: str

    @abstractmethod
    def open(self, path: str) -> RawIOBase:
        """The file's bytes, unbuffered, to be read once from the beginning.

        Raises FileNotFoundError when there is no such file, StorageError when it can't be read.
        """

    def prefetch(self, paths: Iterable[str]) -> AbstractContextManager[None]:  # noqa: ARG002 - for stores far away
        """In here, these files are opened in about this order: a store far away asks for some before their turn.

        What an outer `ahead` has already been told is left to that one.
        """
        return nullcontext()

    @abstractmethod
    def size(self, path: str) -> int | None:
        """The file's size in bytes, None when there is no file of this name."""

    @abstractmethod
    def sizes(self, path: str) -> dict[str, int]:
        """The size in bytes of the files directly below, by their names; empty when there is no such folder.

        A few may be left out, such as symbolic links: what `size` says holds.
        """

    @abstractmethod
    def folders(self, path: str) -> list[str]:
        """Names of the folders directly below, sorted. None of them leads out of the root."""

    def find(self, path: str) -> bytes | None:
        """A small file at once, None when there is no file of this name."""
        return None if self.size(path) is None else self.read(path)

    def find_file(self, path: str) -> RawIOBase | None:
        """A file as `open` gives it, None when there is no file of this name."""
        return None if self.size(path) is None else self.open(path)

    def is_there(self) -> bool:
        """Whether there is such a folder at all; where folders are real, making a source has seen to that."""
        return True

    def read(self, path: str) -> bytes:
        """A small file at once. Raises what open raises."""
        with self.open(path) as file:
            return file.readall()

    def child(self, path: str) -> str:
        """How messages call what is at the path."""
        return f"{self.root.rstrip('/')}/{path}" if path else self.root
