"""Writes the result of a command to stdout or to files."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

from converter.errors import StorageError, UsageError

_AGAIN = "check the target of stdout, and run the same command again"
PUBLISHED = "the output is published; run the same command again to print only the result"
"""Hint of an error for a command that published its output, but could not print its result."""


def print_json(facts: Mapping[str, object] | Sequence[Mapping[str, object]], hint: str = _AGAIN) -> None:
    """Print an object, or an array of objects, as one line of JSON in ASCII, which every terminal encoding contains.

    hint: the hint of the error if stdout can't be written.
    """
    with writing_result(hint):
        sys.stdout.write(json.dumps(facts) + "\n")


def print_texts(texts: Mapping[str, str]) -> None:
    """Print a single text as is, and several texts each below a comment with its name."""
    with writing_result():
        for name, text in texts.items():
            heading = f"# {name}\n" if len(texts) > 1 else ""
            sys.stdout.write(heading + text)


def write_texts(folder: str, texts: Mapping[str, str], *, force: bool, out: Literal["file", "folder"]) -> None:
    """Write each text to a file in the folder, which is created if necessary.

    Nothing is written if one of the files exists with other content, unless `force` is set.
    out: the kind of path that --out takes. Raises UsageError, StorageError.
    """
    from converter.storage import check_path

    check_path(folder)
    try:
        os.makedirs(folder, exist_ok=True)
        for name, text in texts.items():
            path = os.path.join(folder, name)
            if not force and os.path.lexists(path) and not _has_content(path, text):
                raise UsageError(
                    "the file exists with other content",
                    path,
                    f"add --force to overwrite it, or choose another {out} with --out",
                )
        for name, text in texts.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as file:
                file.write(text)
    except OSError as error:
        place = os.fspath(error.filename or folder)
        raise StorageError(f"can't be written: {error.strerror}", place, f"choose another {out} with --out") from error


def _has_content(path: str, text: str) -> bool:
    with open(path, "rb") as file:
        return file.read() == text.encode()


@contextmanager
def writing_result(hint: str = _AGAIN) -> Iterator[None]:
    """Convert an error of stdout to a StorageError with the hint. A closed pipe stays a BrokenPipeError."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        give_up_stdout()
        raise StorageError(f"the result can't be written: {error.strerror}", "stdout", hint) from error


def write_new_file(path: str, content: str) -> None:
    """Write a new file for the user to edit. Raises UsageError if it exists, and StorageError."""
    from converter.storage import check_path

    check_path(path)
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        raise UsageError("the file exists already", path, "choose another name, or remove the file") from None
    except OSError as error:
        raise StorageError(f"the file can't be written: {error.strerror}", path, "choose another path") from error


def give_up_stdout() -> None:
    """Redirect stdout to the null device, so that the flush of its buffer at exit does not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
