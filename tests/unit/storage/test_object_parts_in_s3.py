"""Parts in S3, over HTTP: the pieces of a part, a request that is refused, and the parameters of uploads."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest

from converter.aws.access import AwsOptions
from converter.errors import StorageError
from converter.storage import open_destination
from converter.storage.destination import Destination, Staging
from converter.storage.object_parts import PIECE_BYTES
from converter.storage.paths import record_path
from tests.servers.faults import Answer, Fault, Request, Rule
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


def test_a_part_is_sent_in_pieces_of_5_mib_and_a_rest(server: S3Server, bucket: str, proxy: Proxy) -> None:
    size = 3 * PIECE_BYTES + 7
    content = (b"0123456789abcde" * (size // 15 + 1))[:size]
    with destination(bucket, proxy).lease() as lease:
        publish(lease.begin(EXPORT, FOLDER), content)
    assert sizes_of_pieces(proxy) == [*[PIECE_BYTES] * 3, 7]
    assert server.listing(bucket) == {KEY: content, record_path(EXPORT): b"{}"}


def on(operation: str, fault: Fault) -> Rule:
    def rule(request: Request) -> Fault | None:
        return fault if request.operation == operation else None

    return rule


@pytest.mark.parametrize("operation", ["CreateMultipartUpload", "UploadPart"])
def test_a_refused_request_is_raised_by_a_later_write(
    operation: str, server: S3Server, bucket: str, proxy: Proxy
) -> None:
    with pytest.raises(StorageError, match="access denied: s3:PutObject") as refused:
        write_on(bucket, proxy, operation, pieces=100)
    assert refused.value.where == f"s3://{bucket}/{KEY}"
    # Not all hundred were sent after the first had failed.
    assert len(sizes_of_pieces(proxy)) < 20
    assert (server.listing(bucket), server.uploads(bucket)) == ({}, [])


def write_on(bucket: str, proxy: Proxy, operation: str, pieces: int, fault: Fault = DENIED) -> None:
    """Write so many pieces and a rest, and publish them, while an operation goes wrong."""
    with destination(bucket, proxy).lease() as lease:
        staging = lease.begin(EXPORT, FOLDER)
        proxy.rule = on(operation, fault)
        publish(staging, *(bytes(PIECE_BYTES) for _ in range(pieces)), b"rest")


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
