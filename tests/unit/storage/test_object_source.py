"""Sources in S3: what is asked for before its turn, and that an object which is read twice is the same one."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator, Mapping

import pytest

from converter.aws.access import AwsOptions
from converter.errors import ExportError, StorageError, UsageError
from converter.storage import open_source
from converter.storage.source import Source
from tests.servers.faults import Answer, Call, Fault, Request, Truncate, once
from tests.servers.proxy import Proxy, start_proxy
from tests.servers.s3 import S3Server

LARGE = bytes(range(256)) * 8192
"""More than what is read at once before its turn: 2 MiB."""


@pytest.fixture
def server(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    s3.use(monkeypatch)
    return s3


@pytest.fixture
def proxy(server: S3Server) -> Iterator[Proxy]:
    with start_proxy(server) as proxy:
        yield proxy


class Folder:
    """A prefix of a new bucket, read through a proxy."""

    def __init__(self, server: S3Server, proxy: Proxy) -> None:
        self._client = server.client()
        self.bucket = server.new_bucket()
        self.proxy = proxy

    def put(self, files: Mapping[str, bytes]) -> None:
        for path, content in files.items():
            self._client.put_object(Bucket=self.bucket, Key=f"e/{path}", Body=content)

    def remove(self, path: str) -> None:
        self._client.delete_object(Bucket=self.bucket, Key=f"e/{path}")

    def source(self) -> Source:
        return open_source(f"s3://{self.bucket}/e/", AwsOptions(endpoint_url=self.proxy.server.endpoint_url))

    def asked_for(self) -> list[str]:
        """The objects of the GETs until now."""
        gets = [request for request in self.proxy.requests if request.operation == "GetObject"]
        return [request.key.removeprefix("e/") for request in gets]

    def wait_until_asked_for(self, *paths: str) -> None:
        deadline = time.monotonic() + 10
        while not set(paths) <= set(self.asked_for()):
            assert time.monotonic() < deadline, self.asked_for()
            time.sleep(0.01)


@pytest.fixture
def folder(server: S3Server, proxy: Proxy) -> Folder:
    return Folder(server, proxy)


def numbered(count: int) -> dict[str, bytes]:
    return {f"{number:03}": f"content of {number}".encode() for number in range(count)}


def test_files_that_are_opened_in_order_are_asked_for_once_and_before_their_turn(folder: Folder) -> None:
    files = numbered(40)
    folder.put(files)
    source = folder.source()
    # Sizes tell how many fit.
    assert source.sizes("") == {path: len(content) for path, content in files.items()}
    with source.prefetch(files):
        folder.wait_until_asked_for("000", "001", "002", "003")
        read = {path: source.read(path) for path in files}
    assert read == files
    assert sorted(folder.asked_for()) == sorted(files)


def test_of_large_files_few_are_under_way(folder: Folder) -> None:
    files = {f"{number}": LARGE for number in range(6)}
    folder.put(files)
    source = folder.source()
    source.sizes("")
    with source.prefetch(files):
        folder.wait_until_asked_for("0", "1")
        time.sleep(0.2)
        assert len(folder.asked_for()) <= 3
        assert [source.read(path) for path in files] == list(files.values())
    assert sorted(folder.asked_for()) == sorted(files)


def test_files_may_be_left_out_or_opened_in_another_order(folder: Folder) -> None:
    files = {**numbered(30), "large": LARGE}
    folder.put(files)
    source = folder.source()
    order = ["large", *sorted(numbered(30))]
    with source.prefetch(order):
        for path in ("029", "003", "large", "002", "010"):
            assert source.read(path) == files[path]
    # Outside, each is asked for in its turn.
    before = len(folder.asked_for())
    assert source.read("005") == files["005"]
    assert folder.asked_for()[before:] == ["005"]


def test_answers_that_nobody_reads_are_closed(folder: Folder) -> None:
    folder.put({f"{number}": LARGE for number in range(4)})
    source = folder.source()
    with source.prefetch(["0", "1", "2", "3"]):
        folder.wait_until_asked_for("0", "1")
        time.sleep(0.1)
        assert folder.proxy.connections() >= 2
    deadline = time.monotonic() + 10
    while folder.proxy.connections():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert source.read("3") == LARGE


def test_an_error_is_raised_when_it_is_its_turn(folder: Folder) -> None:
    files = numbered(6)
    folder.put(files)
    folder.remove("002")

    def deny(request: Request) -> Fault | None:
        return Answer(403, "AccessDenied") if request.key.endswith("004") else None

    folder.proxy.rule = deny
    source = folder.source()
    with source.prefetch(files):
        assert [source.read(path) for path in ("000", "001")] == [files["000"], files["001"]]
        with pytest.raises(FileNotFoundError, match="002"):
            source.open("002")
        assert source.read("003") == files["003"]
        with pytest.raises(StorageError, match="access denied: s3:GetObject") as denied:
            source.read("004")
        assert denied.value.where == f"s3://{folder.bucket}/e/004"
        assert source.read("005") == files["005"]


def test_errors_of_files_that_nobody_opens_are_nobodys(folder: Folder) -> None:
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
        assert changed.value.where == f"s3://{folder.bucket}/e/x"
        # Written anew, but the same bytes.
        assert source.read("y") == b"same"
    assert folder.source().read("x") == b"other"


def test_a_connection_that_breaks_goes_on_at_its_byte_unless_the_object_has_changed(folder: Folder) -> None:
    folder.put({"x": LARGE})
    folder.proxy.rule = once(Truncate(), "GetObject")
    assert folder.source().read("x") == LARGE
    ranged = [r.headers.get("range") for r in folder.proxy.requests if r.operation == "GetObject"]
    assert len(ranged) == 2
    assert ranged[0] is None
    assert ranged[1] is not None
    assert 0 < int(ranged[1].removeprefix("bytes=").rstrip("-")) < len(LARGE)

    def change_then_break(request: Request) -> Fault | None:
        if request.operation != "GetObject":
            return None
        return Truncate() if "range" not in request.headers else Call(lambda: folder.put({"x": LARGE[::-1]}))

    folder.proxy.rule = change_then_break
    with pytest.raises(ExportError, match="changed while it was read"):
        folder.source().read("x")


def test_a_copy_in_another_process_reads_the_same(folder: Folder) -> None:
    folder.put({"x": b"abc"})
    source = folder.source()
    with source.prefetch(["x"]):
        copy = pickle.loads(pickle.dumps(source))
    assert (copy.root, copy.read("x"), source.read("x")) == (source.root, b"abc", b"abc")


@pytest.mark.parametrize("place", ["s3://", "s3:///prefix"])
def test_a_place_without_a_bucket_is_refused(place: str) -> None:
    with pytest.raises(UsageError, match="not a place in S3"):
        open_source(place, AwsOptions())
