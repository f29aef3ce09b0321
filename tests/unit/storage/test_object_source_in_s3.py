"""Sources in S3, over HTTP: answers under way, connections that break, and objects that change meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

import pytest

from converter.aws.access import AwsOptions
from converter.errors import ExportError, UsageError
from converter.storage import open_source
from converter.storage.source import Source
from tests.servers.faults import Call, Fault, Request, Truncate, once
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


def test_answers_that_are_not_read_are_closed(folder: Folder) -> None:
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
        # Written again, with the same bytes.
        assert source.read("y") == b"same"
    assert folder.source().read("x") == b"other"


def test_a_connection_that_breaks_is_resumed_at_its_byte_unless_the_object_has_changed(folder: Folder) -> None:
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


@pytest.mark.parametrize("place", ["s3://", "s3:///prefix"])
def test_a_place_without_a_bucket_is_refused(place: str) -> None:
    with pytest.raises(UsageError, match="not a location in S3"):
        open_source(place, AwsOptions())
