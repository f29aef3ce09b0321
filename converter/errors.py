"""Errors of the program, and the exit code of the command for each.

    ConvertError            1   any other error
    ├── UsageError          2   the options or arguments are not valid (also a ValueError)
    │   └── EmptyLineError      a CSV row would be an empty line
    ├── ExportError         3   the export is missing, incomplete, damaged or of an unsupported kind
    │   ├── ManifestError       a manifest is missing, unreadable or contradicts itself
    │   ├── DataFileError       a data file is missing, truncated, or fails its checksum or item count
    │   └── BadLineError        a line is not an item in DynamoDB JSON or Ion
    ├── SchemaError         4   the data does not fit the columns
    ├── StorageError        5   a read or write failed: permissions, a full disk (also an OSError)
    └── BusyError           6   another run uses the destination, or the export is not finished: try again later

A message has three parts: what happened, where, and what to do next. All parts survive pickling, because workers may
run in another process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from json import JSONDecodeError

import errno

from converter.display import Lines, lines, without_users


def json_reason(error: JSONDecodeError) -> str:
    """Return the reason why a text is not JSON, without a final "at", because the message appends the place."""
    return error.msg.removesuffix(" at").removesuffix(" starting")


class ConvertError(Exception):
    """Any other error, such as a lack of memory or a bug; and the base of all errors of the program.

    `what` is one sentence without a final period. `where` is the place: a path, or
    `path line 12 (byte 3456): $.Item.price.N`. `hint` says what to do next, in one line or in `Lines`.
    """

    exit_code = 1

    def __init__(self, what: str, where: str = "", hint: str = "") -> None:
        # Messages of libraries contain the URLs of endpoints and proxies, with user names and passwords.
        what, where, hint = map(without_users, (what, where, hint))
        super().__init__(what, where, hint)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> Lines:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return lines(text, self.hint) if self.hint else lines(text)


class UsageError(ConvertError, ValueError):
    """The options or arguments are not valid."""

    exit_code = 2


class EmptyLineError(UsageError):
    """A CSV row would be an empty line, which readers skip: its only column has no value."""


class ExportError(ConvertError):
    """The export is missing, incomplete, damaged, or of an unsupported kind."""

    exit_code = 3


class ManifestError(ExportError):
    """A manifest is missing, unreadable, or contradicts itself."""


class DataFileError(ExportError):
    """A data file is missing, truncated, or fails its md5 or its item count."""


class BadLineError(ExportError):
    """A line of a data file is not an item in DynamoDB JSON or Ion."""


class SchemaError(ConvertError):
    """The data does not fit the columns."""

    exit_code = 4


class StorageError(ConvertError, OSError):
    """A read or a write failed, or AWS refused it: permissions, credentials, a full disk, a damaged record."""

    exit_code = 5


class BusyError(ConvertError):
    """Another run uses the destination, the export is not finished, or too many exports are running."""

    exit_code = 6


_NO_MEMORY = (
    "error return without exception set",  # CPython's import, where it can't make the exception
    "failed to map segment",
    "cannot allocate memory",
    "can't start new thread",
    "memory allocation",
    "memoryerror",
)
"""Messages, in lower case, of the loader, threads and compilers that do not raise a MemoryError."""


def means_no_memory(error: BaseException) -> bool:
    """Return whether the error, or one of its causes, is a lack of memory. Failed loading of a library is one too."""
    cause: BaseException | None = error
    while cause is not None:
        if (
            isinstance(cause, MemoryError)
            or getattr(cause, "errno", None) == errno.ENOMEM
            or any(phrase in str(cause).lower() for phrase in _NO_MEMORY)
        ):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def no_memory_error() -> ConvertError:
    """Return the error for a lack of memory."""
    return ConvertError(
        "not enough memory",
        hint="use fewer --workers, or raise the memory limit of the container, or `ulimit -v` of the shell",
    )
