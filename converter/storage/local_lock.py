"""The lock that one run at a time holds at a destination on a local file system."""

from __future__ import annotations

import fcntl
import json
import os
import posixpath
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from converter.errors import BusyError, StorageError
from converter.storage.contained_files import ContainedFiles
from converter.storage.json_members import LINE, Members
from converter.storage.local_errors import storage_errors
from converter.utc import format_utc

_ATTEMPTS = 100
_MOST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Lock:
    """The file of a lock. holder: its text. live: whether it is locked. time: when it was last written."""

    holder: str
    live: bool
    time: datetime


@contextmanager
def hold_lock(files: ContainedFiles, path: str) -> Iterator[None]:
    """Lock the file, and make it with its missing folders. At the end, new folders that are empty are removed.

    The file names the holder. Raises BusyError if another run holds it, StorageError if it can't be made or locked.
    """
    created: list[str] = []
    try:
        with storage_errors(files.place(path)):
            descriptor = _lock(files, path, created)
        try:
            with storage_errors(files.place(path)):
                _write_holder(descriptor)
            yield
        finally:
            _unlock(descriptor, files, path)
    finally:
        with suppress(OSError):
            for folder in reversed(created):
                os.rmdir(folder)


def read_lock(files: ContainedFiles, path: str) -> Lock | None:
    """Read the file of the lock, None if it does not exist. Raises StorageError if it can't be read.

    Only an attempt to lock it shows whether it is locked: with a shared lock, for an instant, as several readers may.
    """
    with storage_errors(files.place(path)):
        try:
            descriptor = files.open_file(path, os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            holder = _holder_text(os.read(descriptor, _MOST_BYTES))
            written = datetime.fromtimestamp(os.fstat(descriptor).st_mtime, UTC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return Lock(holder, live=True, time=written)
            return Lock(holder, live=False, time=written)
        finally:
            os.close(descriptor)


def check_unlocked(files: ContainedFiles, path: str) -> None:
    """Raise BusyError if another run has locked the file. See read_lock."""
    lock = read_lock(files, path)
    if lock is not None and lock.live:
        raise _busy_error(lock.holder, files.place(path))


def _lock(files: ContainedFiles, path: str, created: list[str]) -> int:
    """Lock the file and return its descriptor.

    The holder removes the file at the end. So the file that was opened before and locked after that moment is no longer
    at this path, and the next run would lock another one: then the lock protects nothing, and this run tries again.
    """
    attempts = 0
    while True:
        try:
            _make_folder(files, posixpath.dirname(path), created)
            descriptor = files.open_file(path, os.O_RDWR | os.O_CREAT)
        except FileNotFoundError:
            # Another run has just removed the folder that it had made; or no folder can be made there at all: /proc and
            # a current folder that was removed report this error too.
            attempts += 1
            if attempts == _ATTEMPTS:
                raise
            continue
        try:
            _lock_at_once(descriptor)
            if _is_at(descriptor, files, path):
                return descriptor
        except BlockingIOError:
            who = os.read(descriptor, _MOST_BYTES)
            os.close(descriptor)
            raise _busy_error(_holder_text(who), files.place(path)) from None
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _make_folder(files: ContainedFiles, folder: str, created: list[str]) -> None:
    _make_folders(files.root, created)
    if folder and not files.exists(folder):
        try:
            files.make_folder(folder)
        except FileExistsError:
            return
        created.append(files.place(folder))
        files.sync("")


def _make_folders(folder: str, created: list[str]) -> None:
    """Make a folder and its missing parents; append each one to `created` at once, the outermost first."""
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
            ContainedFiles(os.path.dirname(path) or ".").sync("")


def _lock_at_once(descriptor: int) -> None:
    """Raise BlockingIOError if another run holds it. Readers hold a shared lock for an instant: then try again."""
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)


def _is_at(descriptor: int, files: ContainedFiles, path: str) -> bool:
    found = files.stat(path)
    return found is not None and os.path.samestat(os.fstat(descriptor), found)


def _unlock(descriptor: int, files: ContainedFiles, path: str) -> None:
    with suppress(OSError):
        if _is_at(descriptor, files, path):
            files.remove_file(path)
    os.close(descriptor)


def _write_holder(descriptor: int) -> None:
    holder = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": format_utc(datetime.now(UTC), "seconds"),
    }
    os.ftruncate(descriptor, 0)
    os.write(descriptor, json.dumps(holder).encode())


def _busy_error(holder: str, path: str) -> BusyError:
    return BusyError(
        f"another run holds the destination: {holder}",
        path,
        "wait until it has ended, then run the same command again",
    )


def _holder_text(who: bytes) -> str:
    """Return the text about the holder in its file, which any process may have written."""
    try:
        members = Members(json.loads(who), "")
        host, since = (members.matching(name, LINE, "text") for name in ("host", "since"))
        return f"process {members.count('process')} on {host}, since {since}"
    except (ValueError, RecursionError, StorageError):
        # The holder has the lock, but has not written its name yet.
        return "a process that has just started"
