"""The files of a destination on a local file system, reached from its root one name at a time.

Anyone who can write there may replace a folder by a symbolic link, even while a run is at work. So each folder on the
way is opened without following links, and every operation is relative to the folder that was opened. The root itself
may be a link: the user has named it.
"""

from __future__ import annotations

import errno
import os
import posixpath
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from converter.errors import StorageError
from converter.storage.stored_files import FileVersion

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_BUFFER_BYTES = 1 << 20
# Errors of renames that are due to what is at the new path.
_IN_THE_WAY = (errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY)


def scan_versions(folder: int | str) -> dict[str, FileVersion]:
    """The versions of the files directly in a folder, by their names. Raises OSError."""
    found = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            # Another run may have removed it since.
            with suppress(FileNotFoundError):
                facts = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(facts.st_mode):
                    found[entry.name] = _version_of(facts)
    return found


def _version_of(facts: os.stat_result) -> FileVersion:
    return FileVersion(facts.st_size, str(facts.st_mtime_ns))


class ContainedFiles:
    """The folder `root` and the files in it; paths are relative, with `/` between their names, and `""` is the root.

    Every method raises StorageError for a symbolic link on the way, and OSError with the whole path for all else.
    """

    def __init__(self, root: str) -> None:
        self.root = root

    def place(self, path: str) -> str:
        """Return the path with its root, for messages."""
        return os.path.join(self.root, path) if path else self.root

    @contextmanager
    def folder(self, path: str = "") -> Iterator[int]:
        """Open a folder, and yield its descriptor."""
        with self._named(""):
            descriptor = os.open(self.root or ".", _FOLDER)
        try:
            walked = ""
            for name in path.split("/") if path else ():
                walked = posixpath.join(walked, name)
                inner = self._enter(descriptor, name, walked)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def stat(self, path: str) -> os.stat_result | None:
        """Return the facts of a file, folder or link (not of its target); None if there is nothing."""
        try:
            with self._at(path) as (folder, name):
                return os.stat(name, dir_fd=folder, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def exists(self, path: str) -> bool:
        """Return whether there is anything."""
        return self.stat(path) is not None

    def file_size(self, path: str) -> int | None:
        """Return the bytes of a file, None if there is no file of this name; a link is not a file."""
        found = self.stat(path)
        return found.st_size if found is not None and stat.S_ISREG(found.st_mode) else None

    def names(self, path: str) -> list[str]:
        """Return the names of everything directly in a folder, sorted."""
        with self.folder(path) as folder, self._named(path):
            return sorted(os.listdir(folder))

    def version(self, path: str) -> FileVersion:
        """The version of a file."""
        with self._at(path) as (folder, name):
            return _version_of(os.stat(name, dir_fd=folder, follow_symlinks=False))

    def versions(self, path: str) -> dict[str, FileVersion]:
        """The versions of the files directly in a folder; a link is not a file."""
        with self.folder(path) as folder, self._named(path):
            return scan_versions(folder)

    def open_file(self, path: str, flags: int) -> int:
        """Open a file and return its descriptor. Raises StorageError for anything that is not a file."""
        with self._at(path) as (folder, name):
            self._refuse_link(folder, name, path)
            # Without O_NONBLOCK, to open a pipe would wait for its other end.
            more = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(name, flags | more, 0o666, dir_fd=folder)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise self._not_a_file_error(path)
            return descriptor

    def read(self, path: str, most: int) -> bytes:
        """Read a whole file. Raises StorageError for anything that is not a file, and for more bytes than `most`."""
        with open(self.open_file(path, os.O_RDONLY), "rb") as file, self._named(path):
            content = file.read(most + 1)
        if len(content) > most:
            raise StorageError(
                f"the file is longer than the {most:,} bytes that ddb-convert would write",
                self.place(path),
                "find out what was put there, and remove it",
            )
        return content

    def create(self, path: str) -> BinaryIO:
        """Create a file and open it for writing."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with self._at(path) as (folder, name):
            return open(os.open(name, flags, 0o666, dir_fd=folder), "wb", buffering=_BUFFER_BYTES)

    def write(self, path: str, content: bytes, draft: str) -> None:
        """Write a file at once or not at all. draft: the path where it grows, on the same file system."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with (
            self._at(draft) as (folder, name),
            open(os.open(name, flags, 0o666, dir_fd=folder), "wb") as file,
        ):
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self.rename(draft, path)
        self.sync(posixpath.dirname(path))

    def make_folder(self, path: str) -> None:
        """Make a folder; its parent exists."""
        with self._at(path) as (folder, name):
            os.mkdir(name, dir_fd=folder)

    def make_folders(self, path: str) -> None:
        """Make a folder with its missing parents, on stable storage."""
        walked = ""
        for name in path.split("/") if path else ():
            outer, walked = walked, posixpath.join(walked, name)
            found = self.stat(walked)
            if found is None:
                self.make_folder(walked)
                self.sync(outer)

    def rename(self, old: str, new: str) -> None:
        """Rename a file or folder; for a link, the link itself is renamed or replaced."""
        with self.folder(posixpath.dirname(old)) as source, self.folder(posixpath.dirname(new)) as target:
            old_name, new_name = posixpath.basename(old), posixpath.basename(new)
            try:
                os.rename(old_name, new_name, src_dir_fd=source, dst_dir_fd=target)
            except OSError as error:
                # The system names neither path.
                path = new if error.errno in _IN_THE_WAY else old
                error.filename, error.filename2 = self.place(path), None
                raise

    def remove_file(self, path: str) -> None:
        """Remove a file or a link, if it exists."""
        with self._at(path) as (folder, name):
            try:
                os.unlink(name, dir_fd=folder)
            except FileNotFoundError:
                return

    def remove_folder(self, path: str) -> None:
        """Remove an empty folder."""
        with self._at(path) as (folder, name):
            os.rmdir(name, dir_fd=folder)

    def remove_tree(self, path: str) -> None:
        """Remove a folder with everything in it, if it exists; for a symbolic link, remove only the link."""
        found = self.stat(path)
        if found is not None and not stat.S_ISDIR(found.st_mode):
            self.remove_file(path)
        elif found is not None:
            with self._at(path) as (folder, name):
                # rmtree does not follow links either, and raises if a link replaces a folder meanwhile.
                shutil.rmtree(name, dir_fd=folder)

    def remove_empty_folders(self, path: str) -> None:
        """Remove a folder and its parents below the root, as long as they are empty."""
        while path:
            try:
                self.remove_folder(path)
            except FileNotFoundError:
                pass
            except OSError:
                return
            path = posixpath.dirname(path)

    def sync(self, path: str) -> None:
        """Bring the entries of a folder to stable storage."""
        with self.folder(path) as folder, self._named(path):
            os.fsync(folder)

    def check_file(self, path: str) -> None:
        """Raise StorageError if this exists and is a link, or not a file."""
        found = self.stat(path)
        if found is not None and stat.S_ISLNK(found.st_mode):
            raise self._link_error(path)
        if found is not None and not stat.S_ISREG(found.st_mode):
            raise self._not_a_file_error(path)

    @contextmanager
    def _at(self, path: str) -> Iterator[tuple[int, str]]:
        """Open the folder that contains the path, and yield it with the name in it; errors have the whole path."""
        outer, name = posixpath.split(path)
        with self.folder(outer) as folder, self._named(path):
            # The name of the root, relative to itself.
            yield folder, name or "."

    def _enter(self, folder: int, name: str, path: str) -> int:
        with self._named(path):
            try:
                return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
            except OSError:
                self._refuse_link(folder, name, path)
                raise

    def _refuse_link(self, folder: int, name: str, path: str) -> None:
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError:
            return
        if stat.S_ISLNK(found.st_mode):
            raise self._link_error(path)

    def _link_error(self, path: str) -> StorageError:
        return StorageError(
            "this is a symbolic link, and links in a destination are not followed",
            self.place(path),
            "replace the link with its target, or remove it",
        )

    def _not_a_file_error(self, path: str) -> StorageError:
        return StorageError("this is not a file", self.place(path), "find out what was put there, and remove it")

    @contextmanager
    def _named(self, path: str) -> Iterator[None]:
        """Put the whole path into errors of the system, which contain a name alone."""
        try:
            yield
        except StorageError:
            raise
        except OSError as error:
            error.filename, error.filename2 = self.place(path), None
            raise
