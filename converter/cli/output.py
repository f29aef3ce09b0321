"""Writes a command's result to stdout, or to files."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal

from converter.errors import StorageError, UsageError
from converter.storage import check_path

_AGAIN = "see where stdout goes, and run the same command again"
PUBLISHED = "what was published stays: the same command again gives the result alone"
"""What to do where the result of a command that publishes can't be written."""


def print_json(facts: Mapping[str, object] | Sequence[Mapping[str, object]], hint: str = _AGAIN) -> None:
    """JSON, an object or an array of them, on one line; in ASCII, which is the same in every terminal's encoding.

    hint: what to do if it can't be written.
    """
    with writing_result(hint):
        sys.stdout.write(json.dumps(facts) + "\n")


def print_texts(texts: Mapping[str, str]) -> None:
    """Several texts, each below a comment with its name; a single one as it is."""
    with writing_result():
        for name, text in texts.items():
            heading = f"# {name}\n" if len(texts) > 1 else ""
            sys.stdout.write(heading + text)


def write_texts(folder: str, texts: Mapping[str, str], *, force: bool, out: Literal["file", "folder"]) -> None:
    """Each text as a file in the folder, which is made if need be. None is written if one is there and says otherwise.

    force: write over such files. out: what --out names. Raises UsageError, StorageError.
    """
    check_path(folder)
    try:
        os.makedirs(folder, exist_ok=True)
        for name, text in texts.items():
            path = os.path.join(folder, name)
            if not force and os.path.lexists(path) and not _says(path, text):
                raise UsageError(
                    "the file is there and says something else", path, f"pass --force, or name another {out} with --out"
                )
        for name, text in texts.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8", newline="") as file:
                file.write(text)
    except OSError as error:
        place = os.fspath(error.filename or folder)
        raise StorageError(f"can't be written: {error.strerror}", place, f"name another {out} with --out") from error


def _says(path: str, text: str) -> bool:
    with open(path, "rb") as file:
        return file.read() == text.encode()


@contextmanager
def writing_result(hint: str = _AGAIN) -> Iterator[None]:
    """Turn the refusal to take a result into a StorageError with the hint; a closed pipe stays what it is."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        give_up_stdout()
        raise StorageError(f"the result can't be written: {error.strerror}", "stdout", hint) from error


def write_new_file(path: str, content: str) -> None:
    """A file for the user to edit; one that is there is not overwritten. Raises UsageError and StorageError."""
    check_path(path)
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        raise UsageError("the file is there already", path, "name a new one, or remove it") from None
    except OSError as error:
        raise StorageError(f"the file can't be written: {error.strerror}", path, "name another one") from error


def give_up_stdout() -> None:
    """What is left in the buffer must not fail at exit once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
