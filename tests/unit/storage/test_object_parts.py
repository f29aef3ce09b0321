"""Parts on their way to S3: pieces at the size that S3 asks for, in bounded memory, and their failures."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.aws.access import AwsOptions
from converter.errors import ConvertError, StorageError
from converter.storage import open_destination
from converter.storage.destination import Destination, Staging
from converter.storage.object_parts import PIECE_BYTES
from converter.storage.paths import record_path
from converter.storage.threads import in_background
from tests.examples import examples
from tests.servers.faults import Answer, Call, Fault, Request, Rule
from tests.servers.proxy import Proxy, start_proxy
from tests.servers.s3 import S3Server

EXPORT = "01701065507109-cce6a3f8"
FOLDER = f"dt=2023-11-27/{EXPORT}"
KEY = f"{FOLDER}/0.parquet"
DENIED = Answer(403, "AccessDenied")


@pytest.fixture
def server(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    s3.use(monkeypatch)
    return s3


@pytest.fixture
def bucket(server: S3Server) -> str:
    return server.new_bucket()


@pytest.fixture
def proxy(server: S3Server) -> Iterator[Proxy]:
    with start_proxy(server) as proxy:
        yield proxy


def destination(bucket: str, proxy: Proxy) -> Destination:
    return open_destination(f"s3://{bucket}", AwsOptions(endpoint_url=proxy.server.endpoint_url))


def sizes_of_pieces(proxy: Proxy) -> list[int]:
    """In the order of their numbers, whatever the order in which they came."""
    sent = [request for request in proxy.requests if request.operation == "UploadPart"]
    return [
        size
        for _, size in sorted((int(parse_qs(r.query)["partNumber"][0]), int(r.headers["content-length"])) for r in sent)
    ]


def publish(staging: Staging, *pieces: bytes) -> None:
    sink = staging.open_part("0.parquet")
    for piece in pieces:
        sink.write(piece)
    staging.commit(b"{}", [sink.finish()])


@pytest.mark.parametrize(
    ("size", "pieces"),
    [
        (0, [0]),
        (1, [1]),
        (PIECE_BYTES - 1, [PIECE_BYTES - 1]),
        (PIECE_BYTES, [PIECE_BYTES]),
        (PIECE_BYTES + 1, [PIECE_BYTES, 1]),
        (2 * PIECE_BYTES, [PIECE_BYTES] * 2),
        (3 * PIECE_BYTES + 7, [*[PIECE_BYTES] * 3, 7]),
    ],
)
@pytest.mark.parametrize("step", [pytest.param(3 << 20, marks=pytest.mark.slow), 64 << 20])
def test_a_part_is_sent_in_pieces_of_5_mib_and_a_rest(
    size: int, pieces: list[int], step: int, server: S3Server, bucket: str, proxy: Proxy
) -> None:
    content = (b"0123456789abcde" * (size // 15 + 1))[:size]
    with destination(bucket, proxy).lease() as lease:
        publish(lease.begin(EXPORT, FOLDER), *(content[begin : begin + step] for begin in range(0, size, step)))
    assert sizes_of_pieces(proxy) == pieces
    assert server.listing(bucket) == {KEY: content, record_path(EXPORT): b"{}"}


@pytest.mark.slow
def test_any_writes_arrive_as_one_object(server: S3Server, bucket: str) -> None:
    edges = st.sampled_from([0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1])
    place = f"s3://{bucket}"

    @settings(max_examples=examples(15))
    @given(st.lists(st.tuples(edges, st.integers(0, 255)), max_size=5))
    def check(writes: list[tuple[int, int]]) -> None:
        written = [bytes([byte]) * size for size, byte in writes]
        with open_destination(place, AwsOptions()).lease() as lease:
            staging = lease.begin(EXPORT, FOLDER)
            sink = staging.open_part("0.parquet")
            for piece in written:
                assert sink.write(memoryview(piece)) == len(piece)
            part = sink.finish()
            assert part.bytes == sum(map(len, written))
            staging.commit(b"{}", [part])
        assert server.listing(bucket)[KEY] == b"".join(written)
        for key in server.listing(bucket):
            server.client().delete_object(Bucket=bucket, Key=key)

    check()


def test_no_more_than_a_few_pieces_are_in_memory(bucket: str, proxy: Proxy) -> None:
    gate = threading.Event()
    proxy.rule = lambda request: Call(gate.wait) if request.operation == "UploadPart" else None
    written = []

    def write(staging: Staging) -> None:
        sink = staging.open_part("0.parquet")
        for _ in range(12):
            sink.write(bytes(PIECE_BYTES))
            written.append(PIECE_BYTES)
        staging.commit(b"{}", [sink.finish()])

    with destination(bucket, proxy).lease() as lease:
        writer = threading.Thread(target=write, args=(lease.begin(EXPORT, FOLDER),))
        writer.start()
        try:
            writer.join(1.5)
            assert writer.is_alive()
            assert 2 <= len(written) <= 6
        finally:
            gate.set()
            writer.join()
    assert len(written) == 12


def on(operation: str, fault: Fault) -> Rule:
    def rule(request: Request) -> Fault | None:
        return fault if request.operation == operation else None

    return rule


@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "UploadPart"])
def test_what_goes_wrong_with_a_piece_is_raised_by_a_later_write(
    operation: str, server: S3Server, bucket: str, proxy: Proxy
) -> None:
    with pytest.raises(StorageError, match="access denied: s3:PutObject") as refused:
        write_on(bucket, proxy, operation, pieces=100)
    assert refused.value.where == f"s3://{bucket}/{KEY}"
    # Not all hundred were sent after the first had failed.
    assert len(sizes_of_pieces(proxy)) < 20
    assert (server.listing(bucket), server.uploads(bucket)) == ({}, [])


@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "UploadPart"])
def test_what_goes_wrong_with_the_last_piece_is_raised_before_anything_is_published(
    operation: str, server: S3Server, bucket: str, proxy: Proxy
) -> None:
    with pytest.raises(StorageError, match="access denied: s3:PutObject"):
        write_on(bucket, proxy, operation, pieces=0)
    assert (server.listing(bucket), server.uploads(bucket)) == ({}, [])


def write_on(bucket: str, proxy: Proxy, operation: str, pieces: int, fault: Fault = DENIED) -> None:
    """Write so many pieces and a rest, and publish them, while an operation goes wrong."""
    with destination(bucket, proxy).lease() as lease:
        staging = lease.begin(EXPORT, FOLDER)
        proxy.rule = on(operation, fault)
        publish(staging, *(bytes(PIECE_BYTES) for _ in range(pieces)), b"rest")


def test_aborted_and_discarded_parts_leave_no_upload_long_before_the_end(
    server: S3Server, bucket: str, proxy: Proxy
) -> None:
    with destination(bucket, proxy).lease() as lease:
        staging = lease.begin(EXPORT, FOLDER)
        aborted, stale, kept = (staging.open_part(f"{number}.parquet") for number in range(3))
        for sink in (aborted, stale, kept):
            sink.write(bytes(PIECE_BYTES + 1))
        part = kept.finish()
        staging.discard(stale.finish())
        aborted.abort()
        for _ in range(100):
            if server.uploads(bucket) == [f"{FOLDER}/2.parquet"]:
                break
            threading.Event().wait(0.05)
        assert server.uploads(bucket) == [f"{FOLDER}/2.parquet"]
        aborted.abort()
        staging.commit(b"{}", [part])
    assert set(server.listing(bucket)) == {f"{FOLDER}/2.parquet", record_path(EXPORT)}
    assert server.uploads(bucket) == []


def test_an_upload_that_vanished_before_the_commit_publishes_no_record(
    server: S3Server, bucket: str, proxy: Proxy
) -> None:
    def vanish() -> None:
        client = server.client()
        [upload] = client.list_multipart_uploads(Bucket=bucket)["Uploads"]
        client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])

    with pytest.raises(ConvertError, match="lost") as lost:
        write_on(bucket, proxy, "CompleteMultipartUpload", pieces=0, fault=Call(vanish))
    assert lost.value.where == f"s3://{bucket}/{KEY}"
    assert "--replace" in lost.value.hint
    assert record_path(EXPORT) not in server.listing(bucket)


def test_the_objects_name_the_run_and_have_a_storage_class(server: S3Server, bucket: str) -> None:
    aws = AwsOptions(storage_class="STANDARD_IA", acl="bucket-owner-full-control")
    if server.name == "swift":
        aws = AwsOptions()
    with open_destination(f"s3://{bucket}", aws).lease() as lease:
        publish(lease.begin(EXPORT, FOLDER), b"abc")
    found = server.client().head_object(Bucket=bucket, Key=KEY)
    assert found["Metadata"]["ddb-convert-run"].startswith(f"{EXPORT}-")
    if server.name == "ministack":
        assert found["StorageClass"] == "STANDARD_IA"


def test_what_was_cancelled_before_its_thread_began_is_not_done() -> None:
    done: list[str] = []
    cancelled, ended = Future[None](), Future[None]()
    assert cancelled.cancel()
    in_background(lambda: done.append("cancelled"), cancelled)
    in_background(lambda: done.append("ended"), ended).result()
    assert not ended.cancel()
    assert done == ["ended"]
