"""Files that only this user or root can have written: what is read from them will be executed.

Every folder below a base, and the file, must be owned by this user or root, and not be writable by others. Each is
opened relative to the one above it, without following links, and examined once it is open, so it can't be exchanged in
between. A folder above them that everyone can write needs the sticky bit, as /tmp has it.

    with open_folder(Path("/tmp"), ["ours"], make=0o700) as folder:
        write_file(folder, "code.o", code)
        read_file(folder, "code.o", most_bytes=1 << 20)
"""

from __future__ import annotations

import os
import pwd
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

# With O_PATH, a folder that can be passed through but not listed can be opened; only Linux has it.
_FOLDER: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Opening a FIFO without O_NONBLOCK waits for a writer.
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class UntrustedError(PermissionError):
    """Another user can write this place, or has written it."""


@contextmanager
def open_folder(base: Path, names: Sequence[str], make: int | None = None) -> Iterator[int]:
    """Give the descriptor of the folder base/names[0]/names[1]/…; with make, missing ones are made with this mode.

    Raises UntrustedError, and OSError where a folder is missing or can't be opened or made.
    """
    base = Path(os.path.realpath(base))
    if make is not None:
        _make_folders(base, make)
    for above in (base, *base.parents):
        mode = above.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise UntrustedError(f"everyone can write {above}, which has no sticky bit")
    place, descriptor = base, os.open(base, _FOLDER)
    try:
        for name in names:
            place /= name
            if make is not None:
                with suppress(FileExistsError):
                    os.mkdir(name, make, dir_fd=descriptor)
                    _set_mode(name, make, descriptor)
            if stat.S_ISLNK(os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode):
                raise UntrustedError(f"{place} is a symbolic link")
            outer, descriptor = descriptor, os.open(name, _FOLDER, dir_fd=descriptor)
            os.close(outer)
            _require_trusted(os.fstat(descriptor), str(place))
        yield descriptor
    finally:
        os.close(descriptor)


def read_file(folder: int, name: str, most_bytes: int) -> bytes:
    """The content of a regular file. Raises UntrustedError, and OSError for one that is missing or larger."""
    descriptor = os.open(name, _READ, dir_fd=folder)
    with open(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise UntrustedError(f"{name} is not a regular file")
        _require_trusted(facts, name)
        if facts.st_size > most_bytes:
            raise OSError(f"{name} has {facts.st_size:,} bytes")
        return file.read(most_bytes)


def write_file(folder: int, name: str, content: bytes) -> None:
    """Write a file for everyone to read; at once, so that no reader finds half of it. Raises OSError."""
    new = f".new-{secrets.token_hex(8)}"
    descriptor = os.open(new, _CREATE, 0o600, dir_fd=folder)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, 0o644)
        os.replace(new, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        os.unlink(new, dir_fd=folder)
        raise


def _make_folders(folder: Path, mode: int) -> None:
    """Make a folder and those above it, whatever the umask is."""
    if not folder.is_dir():
        _make_folders(folder.parent, mode)
        with suppress(FileExistsError):
            folder.mkdir(mode)
            _set_mode(str(folder), mode)


def _set_mode(name: str, mode: int, above: int | None = None) -> None:
    """Give a folder that was just made the mode that the umask may have taken from it."""
    descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def _require_trusted(facts: os.stat_result, place: str) -> None:
    """Raise UntrustedError unless the file or folder is this user's or root's, and only they can write it."""
    if facts.st_uid not in (os.geteuid(), 0):
        raise UntrustedError(f"{place} belongs to {_user(facts.st_uid)}")
    if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        others = "everyone" if facts.st_mode & stat.S_IWOTH else "its group"
        raise UntrustedError(f"{others} can write {place} (mode {stat.S_IMODE(facts.st_mode):04o})")


def _user(number: int) -> str:
    try:
        return f"user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"user {number}"
