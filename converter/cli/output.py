"""Writes a command's result to stdout."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from converter.errors import StorageError


def print_json(facts: Mapping[str, object]) -> None:
    """One JSON object on one line; in ASCII, so that it is the same in every terminal's encoding."""
    with writing_result():
        sys.stdout.write(json.dumps(facts) + "\n")


@contextmanager
def writing_result() -> Iterator[None]:
    """Turns the refusal to take a result into a StorageError; a closed pipe stays what it is."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        give_up_stdout()
        raise StorageError(
            f"the result can't be written: {error.strerror}",
            "stdout",
            "what was published stays: the same command again gives the result alone",
        ) from error


def give_up_stdout() -> None:
    """What is left in the buffer must not fail at exit once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
