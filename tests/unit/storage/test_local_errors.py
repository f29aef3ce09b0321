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


@pytest.mark.parametrize(
    ("number", "hint"), [(errno.ENOTDIR, "choose another DEST"), (errno.EEXIST, "choose another DEST")]
)
def test_a_file_in_the_place_of_a_folder_of_the_destination_needs_another_destination(number: int, hint: str) -> None:
    error = storage_error(OSError(number, os.strerror(number), "out"), "out")
    assert ("a file, not a folder" in error.what, error.hint) == (True, hint)


def test_permission_for_a_source_is_to_read_it_alone() -> None:
    denied = PermissionError(errno.EACCES, "why", "in/x.json.gz")
    assert storage_error(denied, "in", in_source=True).hint == "allow this user to read it"
    assert "read and write" in storage_error(denied, "in").hint
