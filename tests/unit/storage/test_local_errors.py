"""Errors of a file system: their reasons in words, their places, and what to do next."""

from __future__ import annotations

import errno
import os

import pytest

from converter.errors import StorageError
from converter.storage.local_errors import storage_error, storage_errors


def test_a_full_disk_is_reported_in_words() -> None:
    with pytest.raises(OSError, match="No space") as caught, open("/dev/full", "wb", buffering=0) as full:
        full.write(b"abc")
    error = storage_error(caught.value, "out/x")
    assert (error.what, error.where) == ("the disk is full", "out/x")
    assert "free some space" in error.hint


def test_another_error_keeps_the_systems_text() -> None:
    error = storage_error(OSError(errno.EIO, os.strerror(errno.EIO), "out/y"), "out")
    assert str(error).startswith("out/y: Input/output error")


def test_errors_in_the_block_are_converted_once() -> None:
    with pytest.raises(StorageError, match="permission denied") as denied, storage_errors("out"):
        raise PermissionError(errno.EACCES, "why")
    assert (denied.value.where, isinstance(denied.value.__cause__, PermissionError)) == ("out", True)
    own = StorageError("own", "there")
    with pytest.raises(StorageError) as kept, storage_errors("out"):
        raise own
    assert kept.value is own
