"""Errors of a file system, as StorageErrors."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from converter.errors import StorageError

_FREE = "free some space or use another place, then run the same command again"
_ALLOW = "allow this user to read and write there, or use another place"
_ALLOW_READING = "allow this user to read it"
_AGAIN = "fix the cause named above, then run the same command again"
_OTHER_DEST = "choose another DEST"
_REASONS = {
    errno.ENOSPC: ("the disk is full", _FREE),
    errno.EDQUOT: ("the disk quota is used up", _FREE),
    errno.EACCES: ("permission denied", _ALLOW),
    errno.EPERM: ("permission denied", _ALLOW),
    errno.EEXIST: ("this is a file, not a folder", _OTHER_DEST),
    errno.ENOTDIR: ("a part of this path is a file, not a folder", _OTHER_DEST),
    errno.EISDIR: ("this is a folder, not a file", _OTHER_DEST),
    errno.EROFS: ("the file system is read-only", "use another place"),
    errno.ENOLCK: ("the file system has no locks", "use a local disk: network file systems are not supported"),
    errno.EOPNOTSUPP: ("the file system has no locks", "use a local disk: network file systems are not supported"),
    errno.EXDEV: ("the destination spans several file systems", "use one file system for all of DEST"),
}


def storage_error(error: OSError, place: str, *, in_source: bool = False) -> StorageError:
    """The StorageError for an error of the system. It names the file that the system names, or the place.

    in_source: the error is from reading a SOURCE.
    """
    reason, hint = _REASONS.get(error.errno or 0, (error.strerror or str(error), _AGAIN))
    if in_source and hint in (_ALLOW, _OTHER_DEST):
        hint = _ALLOW_READING if hint == _ALLOW else _AGAIN
    where = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else place
    return StorageError(reason, where, hint)


@contextmanager
def storage_errors(place: str) -> Iterator[None]:
    """Convert every OSError in the block to a StorageError."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        raise storage_error(error, place) from error
