"""Sources and destinations that are local folders."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from io import RawIOBase
from typing import TypeVar

from converter.errors import ExportError, UsageError
from converter.storage.contained_files import ContainedFiles, scan_versions
from converter.storage.destination import Destination, Lease
from converter.storage.json_members import MOST_BYTES
from converter.storage.leftovers import Leftover
from converter.storage.local_commit import hold_lease
from converter.storage.local_errors import storage_error, storage_errors
from converter.storage.local_leftovers import LEASE, find_leftovers
from converter.storage.local_lock import check_unlocked
from converter.storage.source import Source
from converter.storage.stored_files import FileVersion

_T = TypeVar("_T")


class LocalSource(Source):
    """A folder to read from. Symbolic links work as long as they stay inside of it.

    Raises ExportError if there is no such folder, UsageError if it has no name, StorageError if it can't be read.
    """

    def __init__(self, folder: str) -> None:
        self.root = folder.rstrip("/") or folder
        if not folder:
            raise UsageError("the source has no name", "SOURCE", "use . for the current folder")
        self._real = os.path.realpath(folder)
        self._real_folders: dict[str, str] = {}
        try:
            mode = os.stat(folder).st_mode
        except (FileNotFoundError, NotADirectoryError):
            raise ExportError("no such folder", folder, "name the folder that holds the export") from None
        except OSError as error:
            raise storage_error(error, folder, in_source=True) from error
        if not stat.S_ISDIR(mode):
            raise ExportError("this is not a folder", folder, "name the folder that holds the export")

    def open(self, path: str) -> RawIOBase:
        try:
            return _LocalFile(self._inside(path))
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFoundError(f"{self.child(path)} does not exist") from None
        except OSError as error:
            raise storage_error(error, self.child(path), in_source=True) from error

    def size(self, path: str) -> int | None:
        real = self._inside(path)
        with storage_errors(real):
            try:
                found = os.stat(real)
            except (FileNotFoundError, NotADirectoryError):
                return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def versions(self, path: str) -> dict[str, FileVersion]:
        """Return the versions of the files directly below, by their names; symbolic links are left out."""
        return self._list(path, scan_versions, {})

    def folders(self, path: str) -> list[str]:
        """Return the names of the folders directly below, sorted, without symbolic links that lead outside."""
        return self._list(path, self._folders_in, [])

    def _list(self, path: str, listed: Callable[[str], _T], absent: _T) -> _T:
        """List a folder; return `absent` if it does not exist."""
        try:
            return listed(self._inside(path))
        except (FileNotFoundError, NotADirectoryError):
            return absent
        except OSError as error:
            raise storage_error(error, self.child(path), in_source=True) from error

    def _folders_in(self, real: str) -> list[str]:
        with os.scandir(real) as entries:
            return sorted(
                entry.name for entry in entries if entry.is_dir() and self._holds(os.path.realpath(entry.path))
            )

    def _inside(self, path: str) -> str:
        real = self._resolve(self.checked(path))
        if not self._holds(real):
            raise ExportError(
                f"a symbolic link leads out of the export's folder, to {real}",
                self.child(path),
                "copy the files into the folder",
            )
        return real

    def _resolve(self, path: str) -> str:
        """Return the real path. That of a folder is resolved once: exports have thousands of files in one."""
        folder, _, name = path.rpartition("/")
        real = self._real_folders.get(folder)
        if real is None:
            real = self._real_folders[folder] = os.path.realpath(os.path.join(self._real, folder))
        file = f"{real.rstrip('/')}/{name}"
        return os.path.realpath(file) if name in ("", ".") or os.path.islink(file) else file

    def _holds(self, real: str) -> bool:
        return real == self._real or real.startswith(os.path.join(self._real, ""))


class _LocalFile(RawIOBase):
    """A file to be read once.

    Exports can have ten thousand small files. Each system call lets another thread take the interpreter's lock, for
    which this one then waits. So there are as few as possible: open, one read that reaches the end, close.
    """

    def __init__(self, path: str) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._ended:
            return 0
        size = os.readv(self._descriptor, [buffer])
        self._ended = size < len(buffer)
        return size

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


class LocalDestination(Destination):
    """A folder to publish to, on a local file system: the lease is a lock that network file systems may not keep.

    Raises UsageError if its name is not that of a folder.
    """

    def __init__(self, folder: str) -> None:
        self.root = folder.rstrip("/") or folder
        if not self.root:
            raise UsageError("the destination has no name", "DEST", "use . for the current folder")
        if os.path.lexists(self.root) and not os.path.isdir(self.root):
            raise UsageError("the destination is not a folder", self.root, "name a folder; a new one is made")
        self._files = ContainedFiles(self.root)

    def lease(self, *, recover: bool = True) -> AbstractContextManager[Lease]:
        """Hold the destination; at the end, everything that was not committed is removed, new folders too."""
        return hold_lease(self.root, recover=recover)

    def check_free(self) -> None:
        check_unlocked(self._files, LEASE)

    def leftovers(self) -> list[Leftover]:
        """List hidden folders, the file of a lease, and a commit that has begun."""
        return find_leftovers(self._files)

    def read(self, path: str) -> bytes | None:
        """Read a small file; None if it does not exist. Raises StorageError for a symbolic link."""
        return self._find(path, partial(self._files.read, most=MOST_BYTES), None)

    def size(self, path: str) -> int | None:
        """Return the file's size in bytes, None if there is no file of this name; a link is not a file."""
        return self._find(path, self._files.file_size, None)

    def versions(self, path: str) -> dict[str, FileVersion]:
        return self._find(path, self._files.versions, {})

    def names(self, folder: str) -> list[str]:
        return self._find(folder, self._files.names, [])

    def check_parts(self, paths: Sequence[str]) -> None:
        """Raise StorageError for a part that is reached by a symbolic link, or that is not a file."""
        with storage_errors(self.root):
            for path in paths:
                self._files.check_file(self.checked(path))

    def _find(self, path: str, find: Callable[[str], _T], absent: _T) -> _T:
        """Return what is at the path; `absent` if nothing is."""
        with storage_errors(self.child(path)):
            try:
                return find(self.checked(path))
            except (FileNotFoundError, NotADirectoryError):
                return absent
