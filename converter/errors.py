"""Every error that the program raises on purpose, and the exit code that each one ends the command with.

    ConvertError            1   anything else
    ├── UsageError          2   the options or arguments make no sense together (also a ValueError)
    │   └── EmptyLineError      a row of CSV would be an empty line
    ├── ExportError         3   the export is missing, incomplete, damaged or of a kind that is not supported
    │   ├── ManifestError       a manifest is missing, unreadable or contradicts itself
    │   ├── DataFileError       a data file is missing, truncated, or fails its checksum or item count
    │   └── BadLineError        a line that is no item in DynamoDB JSON or Ion
    ├── SchemaError         4   the data breaks a rule that the columns must keep
    ├── StorageError        5   storage refused a read or a write: permissions, a full disk (also an OSError)
    └── BusyError           6   another run holds the destination, or the export is not finished: try again later

A message has three parts: what happened, where, and what to do next. All of them survive pickling, because
workers may live in another process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from json import JSONDecodeError

import errno

from converter.display import Lines, lines, without_users


def json_reason(error: JSONDecodeError) -> str:
    """Why a text is not JSON, for a message that goes on with the place: some of json's reasons end in "at"."""
    return error.msg.removesuffix(" at").removesuffix(" starting")


class ConvertError(Exception):
    """Base of all deliberate errors.

    `what` is one sentence without a final full stop, `where` the place (a path, or
    `path line 12 (byte 3456): $.Item.price.N`), `hint` what the reader can do next: one line, or `Lines`.
    """

    exit_code = 1

    def __init__(self, what: str, where: str = "", hint: str = "") -> None:
        # Those of the endpoint and of proxies are in the messages of libraries.
        what, where, hint = map(without_users, (what, where, hint))
        super().__init__(what, where, hint)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> Lines:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return lines(text, self.hint) if self.hint else lines(text)


class UsageError(ConvertError, ValueError):
    """The options or arguments can't be acted on."""

    exit_code = 2


class EmptyLineError(UsageError):
    """A row of CSV would be an empty line, which readers pass over: its only column has no value."""


class ExportError(ConvertError):
    """The export is missing, incomplete, damaged, or of a kind that is not supported."""

    exit_code = 3


class ManifestError(ExportError):
    """A manifest is missing, unreadable, or contradicts itself."""


class DataFileError(ExportError):
    """A data file is missing, truncated, or fails its md5 or its item count."""


class BadLineError(ExportError):
    """A line of a data file is not an item in DynamoDB JSON or Ion."""


class SchemaError(ConvertError):
    """The data breaks a rule that the columns must keep."""

    exit_code = 4


class StorageError(ConvertError, OSError):
    """Storage refused a read or a write."""

    exit_code = 5


class BusyError(ConvertError):
    """Another run holds the destination, or the export is not finished."""

    exit_code = 6


_NO_MEMORY = (
    "failed to map segment",
    "cannot allocate memory",
    "can't start new thread",
    "memory allocation",
    "memoryerror",
)
"""What the system's loader, threads and compilers say where Python has no MemoryError, in lower case."""


def says_no_memory(text: str) -> bool:
    """Does a message of the system or of a library mean that there was not enough memory?"""
    return any(phrase in text.lower() for phrase in _NO_MEMORY)


def means_no_memory(error: BaseException) -> bool:
    """Is the error, or one that led to it, a lack of memory? A library that can't be loaded is an ImportError then."""
    cause: BaseException | None = error
    while cause is not None:
        if (
            isinstance(cause, MemoryError)
            or getattr(cause, "errno", None) == errno.ENOMEM
            or says_no_memory(str(cause))
        ):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def no_memory_error() -> ConvertError:
    """The error for a lack of memory."""
    return ConvertError(
        "not enough memory",
        hint="use fewer --workers, or give it more: see the limit of its container, and `ulimit -v` of its shell",
    )
