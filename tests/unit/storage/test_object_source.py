"""Sources in an object store: which objects are requested early, and that an object that is read twice is the same one.

test_object_source_in_s3.py shows over HTTP what depends on a server.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Mapping

import pytest

from converter.errors import ExportError, StorageError
from converter.storage.object_source import ObjectSource
from tests.memory_store import MemoryBucket, Request

LARGE = bytes(1 << 20)
"""More than an object that is read whole before it is opened."""


class Folder:
    """A prefix of a new bucket."""

    def __init__(self) -> None:
        self.bucket = MemoryBucket()

    def put(self, files: Mapping[str, bytes]) -> None:
        for path, content in files.items():
            self.bucket.store("e").put(path, content)

    def remove(self, path: str) -> None:
        self.bucket.store("e").delete(path)

    def source(self) -> ObjectSource:
        return ObjectSource(f"{self.bucket.place}/e", self.bucket.store("e"))

    def asked_for(self) -> list[str]:
        """The objects that were requested until now."""
        return [request.key.removeprefix("e/") for request in self.bucket.requests if request.operation == "open"]

    def wait_until_asked_for(self, *paths: str) -> None:
        deadline = time.monotonic() + 10
        while not set(paths) <= set(self.asked_for()):
            assert time.monotonic() < deadline, self.asked_for()
            time.sleep(0.01)


@pytest.fixture
def folder() -> Folder:
    return Folder()


def numbered(count: int) -> dict[str, bytes]:
    return {f"{number:03}": f"content of {number}".encode() for number in range(count)}


def test_files_that_are_opened_in_order_are_requested_once_and_early(folder: Folder) -> None:
    files = numbered(40)
    folder.put(files)
    source = folder.source()
    # The sizes decide how many are requested early.
    assert source.sizes("") == {path: len(content) for path, content in files.items()}
    with source.prefetch(files):
        folder.wait_until_asked_for("000", "001", "002", "003")
        read = {path: source.read(path) for path in files}
    assert read == files
    assert sorted(folder.asked_for()) == sorted(files)


def test_files_may_be_left_out_or_opened_in_another_order(folder: Folder) -> None:
    files = {**numbered(30), "large": LARGE}
    folder.put(files)
    source = folder.source()
    order = ["large", *sorted(numbered(30))]
    with source.prefetch(order):
        for path in ("029", "003", "large", "002", "010"):
            assert source.read(path) == files[path]
    # Outside of the block, each is requested when it is opened.
    before = len(folder.asked_for())
    assert source.read("005") == files["005"]
    assert folder.asked_for()[before:] == ["005"]


def test_an_error_is_raised_when_its_file_is_opened(folder: Folder) -> None:
    files = numbered(6)
    folder.put(files)
    folder.remove("002")

    def deny(request: Request) -> Exception | None:
        return StorageError("denied", request.key) if request.key.endswith("004") else None

    folder.bucket.refuse = deny
    source = folder.source()
    with source.prefetch(files):
        assert [source.read(path) for path in ("000", "001")] == [files["000"], files["001"]]
        with pytest.raises(FileNotFoundError, match="002"):
            source.open("002")
        assert source.read("003") == files["003"]
        with pytest.raises(StorageError, match="denied") as denied:
            source.read("004")
        assert denied.value.where == "e/004"
        assert source.read("005") == files["005"]


def test_errors_of_files_that_are_not_opened_are_not_raised(folder: Folder) -> None:
    folder.put(numbered(1))
    source = folder.source()
    with source.prefetch(["000", "missing", "../outside"]):
        assert source.read("000") == b"content of 0"


@pytest.mark.parametrize("is_ahead", [False, True])
def test_an_object_that_changed_between_two_reads_is_an_error(is_ahead: bool, folder: Folder) -> None:
    folder.put({"x": b"first", "y": b"same"})
    source = folder.source()
    assert (source.read("x"), source.read("y")) == (b"first", b"same")
    folder.put({"x": b"other", "y": b"same"})
    with source.prefetch(["x", "y"] if is_ahead else []):
        with pytest.raises(ExportError, match="changed while it was read") as changed:
            source.read("x")
        assert changed.value.where == f"{folder.bucket.place}/e/x"
        # Written again, with the same bytes.
        assert source.read("y") == b"same"
    assert folder.source().read("x") == b"other"


def test_a_copy_in_another_process_reads_the_same(folder: Folder) -> None:
    folder.put({"x": b"abc"})
    source = folder.source()
    with source.prefetch(["x"]):
        copy = pickle.loads(pickle.dumps(source))
    assert (copy.root, copy.read("x"), source.read("x")) == (source.root, b"abc", b"abc")
