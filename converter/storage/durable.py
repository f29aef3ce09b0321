"""Changes to a file system that survive a crash, and its refusals as StorageErrors."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from converter.errors import StorageError

_FREE = "free some space or use another place, then run the same command again"
_ALLOW = "allow this user to read and write there, or use another place"
_REASONS = {
    errno.ENOSPC: ("the disk is full", _FREE),
    errno.EDQUOT: ("the disk quota is used up", _FREE),
    errno.EACCES: ("permission denied", _ALLOW),
    errno.EPERM: ("permission denied", _ALLOW),
    errno.EROFS: ("the file system is read-only", "use another place"),
    errno.ENOLCK: ("the file system has no locks", "use a local disk: network file systems are not supported"),
    errno.EOPNOTSUPP: ("the file system has no locks", "use a local disk: network file systems are not supported"),
    errno.EXDEV: ("the destination spans several file systems", "use one file system for all of DEST"),
}


def refused(error: OSError, place: str) -> StorageError:
    """The StorageError for what the system said; names the file if the system did, else the place."""
    reason, hint = _REASONS.get(error.errno or 0, (error.strerror or str(error), "see what is there, then run again"))
    where = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else place
    return StorageError(reason, where, hint)


@contextmanager
def refusals(place: str) -> Iterator[None]:
    """Turns every OSError into a StorageError."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        raise refused(error, place) from error


def sync_folder(folder: str) -> None:
    """The folder's entries are on stable storage."""
    descriptor = os.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folders(folder: str, created: list[str]) -> None:
    """Makes the folder and its missing parents; each one made is appended to `created` at once, outermost first."""
    missing = []
    while folder and not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    for path in reversed(missing):
        try:
            os.mkdir(path)
        except FileExistsError:
            if not os.path.isdir(path):
                raise
        else:
            created.append(path)
            sync_folder(os.path.dirname(path))
