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
from converter.storage.durable import make_folders, refusals
from converter.storage.json_members import LINE, Members

_ATTEMPTS = 100
_MOST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock's file. holder: what it says of who has locked it. live: it is locked. time: it was last written then."""

    holder: str
    live: bool
    time: datetime


@contextmanager
def hold_lock(files: ContainedFiles, path: str) -> Iterator[None]:
    """Locks the file, which is made together with its missing folders; what was made goes again if it is empty then.

    The file says who has it. Raises BusyError when another run does, StorageError when it can't be made or locked.
    """
    created: list[str] = []
    try:
        with refusals(files.place(path)):
            descriptor = _lock(files, path, created)
        try:
            with refusals(files.place(path)):
                _say_who(descriptor)
            yield
        finally:
            _unlock(descriptor, files, path)
    finally:
        with suppress(OSError):
            for folder in reversed(created):
                os.rmdir(folder)


def look(files: ContainedFiles, path: str) -> Lock | None:
    """The lock's file as it is, None when there is none. Raises StorageError when it can't be read.

    Whether it is locked can only be tried: so it is locked for an instant, together with others who look.
    """
    with refusals(files.place(path)):
        try:
            descriptor = files.open_file(path, os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            holder = _named(os.read(descriptor, _MOST_BYTES))
            written = datetime.fromtimestamp(os.fstat(descriptor).st_mtime, UTC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return Lock(holder, live=True, time=written)
            return Lock(holder, live=False, time=written)
        finally:
            os.close(descriptor)


def check_unlocked(files: ContainedFiles, path: str) -> None:
    """Raises BusyError when another run has locked the file. See look."""
    lock = look(files, path)
    if lock is not None and lock.live:
        raise _busy(lock.holder, files.place(path))


def _lock(files: ContainedFiles, path: str, created: list[str]) -> int:
    """Locks the file and returns its descriptor.

    The holder removes the file at the end. So a file that was opened before, and locked after that, may be one that is
    no longer at this path; the next run would lock another one. Then the lock is worth nothing: try again.
    """
    attempts = 0
    while True:
        try:
            _make_folder(files, posixpath.dirname(path), created)
            descriptor = files.open_file(path, os.O_RDWR | os.O_CREAT)
        except FileNotFoundError:
            # A run that failed has just removed the folder that it had made; or no folder can be made there at all,
            # which /proc and a current folder that was removed say in the same way.
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
            raise _busy(_named(who), files.place(path)) from None
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _make_folder(files: ContainedFiles, folder: str, created: list[str]) -> None:
    make_folders(files.root, created)
    if folder and not files.exists(folder):
        try:
            files.make_folder(folder)
        except FileExistsError:
            return
        created.append(files.place(folder))
        files.sync("")


def _lock_at_once(descriptor: int) -> None:
    """Raises BlockingIOError when someone holds it. Those who only look share it, for an instant."""
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


def _say_who(descriptor: int) -> None:
    who = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }
    os.ftruncate(descriptor, 0)
    os.write(descriptor, json.dumps(who).encode())


def _busy(holder: str, path: str) -> BusyError:
    return BusyError(
        f"another run holds the destination: {holder}",
        path,
        "wait until it has ended, then run the same command again",
    )


def _named(who: bytes) -> str:
    """The holder by what its file says, which any process may have written."""
    try:
        members = Members(json.loads(who), "")
        host, since = (members.matching(name, LINE, "text") for name in ("host", "since"))
        return f"process {members.count('process')} on {host}, since {since}"
    except (ValueError, RecursionError, StorageError):
        # It has the lock, but has not written its name yet.
        return "a process that has just started"
