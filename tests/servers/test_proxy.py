"""The proxy: what passes through it is unchanged, and each fault arrives as said."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from tests.servers.faults import (
    INTERNAL_ERROR,
    SLOW_DOWN,
    Answer,
    Call,
    Fault,
    Hang,
    LoseAnswer,
    Request,
    Reset,
    Slow,
    Truncate,
    at_random,
    once,
)
from tests.servers.proxy import Proxy, start_proxy
from tests.servers.s3 import S3Server

BODY = bytes(range(256)) * 4096
ONE_ATTEMPT = {"retries": {"total_max_attempts": 1}}
BROKEN = (ConnectionClosedError, EndpointConnectionError)


@pytest.fixture
def s3(ministack: S3Server) -> S3Server:
    """A single server: the proxy reads nothing in which servers differ."""
    return ministack


@pytest.fixture
def bucket(s3: S3Server) -> str:
    return s3.new_bucket()


@pytest.fixture
def proxy(s3: S3Server) -> Iterator[Proxy]:
    with start_proxy(s3) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: Proxy) -> Any:
    return proxy.server.client(**ONE_ATTEMPT)


def put(s3: S3Server, bucket: str, body: bytes = BODY) -> None:
    s3.client().put_object(Bucket=bucket, Key="k", Body=body)


def get(client: Any, bucket: str, **arguments: str) -> bytes:
    body: bytes = client.get_object(Bucket=bucket, Key="k", **arguments)["Body"].read()
    return body


def test_signed_requests_pass_unchanged(s3: S3Server, bucket: str, proxy: Proxy, client: Any) -> None:
    client.put_object(Bucket=bucket, Key="a/é +1", Body=BODY, Metadata={"token": "t"})
    client.put_object(Bucket=bucket, Key="empty", Body=b"")
    assert s3.listing(bucket) == {"a/é +1": BODY, "empty": b""}
    answer = client.get_object(Bucket=bucket, Key="a/é +1", Range="bytes=1000-1999")
    assert answer["Body"].read() == BODY[1000:2000]
    assert client.head_object(Bucket=bucket, Key="a/é +1")["Metadata"] == {"token": "t"}
    assert proxy.server.listing(bucket) == s3.listing(bucket)
    with pytest.raises(ClientError, match="NoSuchKey"):
        get(client, bucket)
    client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a/é +1"}, {"Key": "empty"}]})
    assert s3.listing(bucket) == {}
    names = ["PutObject", "PutObject", "GetObject", "HeadObject", "ListObjectsV2", "GetObject", "GetObject"]
    assert proxy.operations() == [*names, "GetObject", "DeleteObjects"]
    assert [request.status for request in proxy.requests] == [200, 200, 206, 200, 200, 200, 200, 404, 200]
    first = proxy.requests[0]
    assert (first.method, first.bucket, first.key, first.query) == ("PUT", bucket, "a/é +1", "")


def test_uploads_in_parts_pass_unchanged(s3: S3Server, bucket: str, proxy: Proxy, client: Any) -> None:
    upload = client.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    key = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    bodies = [BODY * 5, b"end"]
    tags = [client.upload_part(PartNumber=n, Body=body, **key)["ETag"] for n, body in enumerate(bodies, 1)]
    assert [part["ETag"] for part in client.list_parts(**key)["Parts"]] == tags
    assert proxy.server.uploads(bucket) == ["k"]
    parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
    client.complete_multipart_upload(MultipartUpload={"Parts": parts}, **key)
    assert s3.listing(bucket) == {"k": b"".join(bodies)}
    another = client.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    client.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=another)
    assert proxy.operations() == [
        "CreateMultipartUpload",
        "UploadPart",
        "UploadPart",
        "ListParts",
        "ListMultipartUploads",
        "CompleteMultipartUpload",
        "CreateMultipartUpload",
        "AbortMultipartUpload",
    ]


def test_conditional_writes_pass_unchanged(s3: S3Server, bucket: str, client: Any) -> None:
    client.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client.put_object(Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")
    client.put_object(Bucket=bucket, Key="k", Body=b"3")
    assert s3.listing(bucket) == {"k": b"3"}


def test_many_connections_pass_at_once(s3: S3Server, bucket: str, proxy: Proxy, client: Any) -> None:
    def send(number: int) -> None:
        client.put_object(Bucket=bucket, Key=str(number), Body=BODY[number:])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))
    assert s3.listing(bucket) == {str(number): BODY[number:] for number in range(8)}
    assert sorted(request.count for request in proxy.requests) == list(range(1, 9))


@pytest.mark.parametrize("body", [b"1", BODY * 5])
def test_a_reset_request_does_not_reach_the_server(
    s3: S3Server, bucket: str, proxy: Proxy, client: Any, body: bytes
) -> None:
    proxy.rule = once(Reset(), "PutObject")
    with pytest.raises(BROKEN):
        client.put_object(Bucket=bucket, Key="k", Body=body)
    assert s3.listing(bucket) == {}
    assert [(request.server_status, request.status) for request in proxy.requests] == [(None, None)]
    client.put_object(Bucket=bucket, Key="k", Body=body)
    assert s3.listing(bucket) == {"k": body}


def test_a_request_whose_answer_is_lost_took_effect(s3: S3Server, bucket: str, proxy: Proxy, client: Any) -> None:
    proxy.rule = once(LoseAnswer(), "PutObject")
    with pytest.raises(BROKEN):
        client.put_object(Bucket=bucket, Key="k", Body=BODY)
    assert s3.listing(bucket) == {"k": BODY}
    assert [(request.server_status, request.status) for request in proxy.requests] == [(200, None)]


def test_a_completed_upload_whose_answer_is_lost_is_there(s3: S3Server, bucket: str, proxy: Proxy, client: Any) -> None:
    proxy.rule = once(LoseAnswer(), "CompleteMultipartUpload")
    upload = client.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    key = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    parts = [{"PartNumber": 1, "ETag": client.upload_part(PartNumber=1, Body=b"1", **key)["ETag"]}]
    with pytest.raises(BROKEN):
        client.complete_multipart_upload(MultipartUpload={"Parts": parts}, **key)
    assert s3.listing(bucket) == {"k": b"1"}


@pytest.mark.parametrize("body", [b"1", b"12", BODY])
def test_a_truncated_body_ends_in_its_middle(s3: S3Server, bucket: str, proxy: Proxy, client: Any, body: bytes) -> None:
    put(s3, bucket, body)
    proxy.rule = once(Truncate(), "GetObject")
    stream = client.get_object(Bucket=bucket, Key="k")["Body"]
    half = body[: len(body) // 2]
    assert not half or stream.read(len(half)) == half
    with pytest.raises((IncompleteReadError, ResponseStreamingError)):
        stream.read()
    assert get(client, bucket) == body


def test_a_truncated_answer_without_a_body_is_no_answer(s3: S3Server, bucket: str, proxy: Proxy, client: Any) -> None:
    put(s3, bucket)
    proxy.rule = once(Truncate(), "HeadObject")
    with pytest.raises(BROKEN):
        client.head_object(Bucket=bucket, Key="k")
    assert client.head_object(Bucket=bucket, Key="k")["ContentLength"] == len(BODY)


def test_a_slow_body_takes_its_time_and_is_whole(s3: S3Server, bucket: str, proxy: Proxy, client: Any) -> None:
    put(s3, bucket)
    proxy.rule = once(Slow(0.5), "GetObject")
    start = time.monotonic()
    assert get(client, bucket) == BODY
    assert 0.5 <= time.monotonic() - start < 5
    start = time.monotonic()
    assert get(client, bucket) == BODY
    assert time.monotonic() - start < 0.5


@pytest.mark.parametrize("fault", [SLOW_DOWN, INTERNAL_ERROR, Answer(403, "AccessDenied")])
@pytest.mark.parametrize("body", [b"", b"1", BODY * 5])
def test_an_error_instead_of_the_servers_answer_has_its_status_and_code(
    s3: S3Server, bucket: str, proxy: Proxy, client: Any, fault: Answer, body: bytes
) -> None:
    proxy.rule = once(fault, "PutObject")
    with pytest.raises(ClientError, match=fault.code) as caught:
        client.put_object(Bucket=bucket, Key="k", Body=body)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == fault.status
    assert s3.listing(bucket) == {}
    assert [(request.server_status, request.status) for request in proxy.requests] == [(None, fault.status)]
    client.put_object(Bucket=bucket, Key="k", Body=body)
    assert s3.listing(bucket) == {"k": body}
    proxy.rule = once(fault, "HeadObject")
    with pytest.raises(ClientError, match=str(fault.status)):
        client.head_object(Bucket=bucket, Key="k")


@pytest.mark.parametrize("middle", [False, True])
def test_an_object_can_be_changed_under_its_read(
    s3: S3Server, bucket: str, proxy: Proxy, client: Any, middle: bool
) -> None:
    put(s3, bucket)
    etag = client.head_object(Bucket=bucket, Key="k")["ETag"]
    proxy.rule = once(Call(lambda: put(s3, bucket, b"new"), middle), "GetObject", nth=2)
    assert get(client, bucket, IfMatch=etag) == BODY
    if middle:
        assert len(get(client, bucket, IfMatch=etag)) == len(BODY)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        get(client, bucket, IfMatch=etag)
    assert get(client, bucket) == b"new"


def test_a_hanging_request_is_not_answered_and_ends_with_the_proxy(s3: S3Server, bucket: str) -> None:
    put(s3, bucket)
    with ThreadPoolExecutor() as pool:
        with start_proxy(s3, once(Hang(), "GetObject")) as proxy:
            with pytest.raises(ReadTimeoutError):
                get(proxy.server.client(read_timeout=0.5, **ONE_ATTEMPT), bucket)
            patient = proxy.server.client(**ONE_ATTEMPT)
            assert get(patient, bucket) == BODY
            proxy.rule = once(Hang(), "GetObject")
            hanging = pool.submit(get, patient, bucket)
            while len(proxy.requests) < 3:
                time.sleep(0.01)
            assert not hanging.done()
        assert isinstance(hanging.exception(10), BROKEN)
    assert [request.status for request in proxy.requests] == [None, 200, None]


def test_a_delay_is_added_to_each_request(s3: S3Server, bucket: str, proxy: Proxy, client: Any) -> None:
    put(s3, bucket, b"1")
    get(client, bucket)
    proxy.delay = 0.2
    start = time.monotonic()
    for _ in range(3):
        assert get(client, bucket) == b"1"
    assert 0.6 <= time.monotonic() - start < 3


def test_boto3_repeats_what_was_refused_or_not_answered(s3: S3Server, bucket: str) -> None:
    faults: list[Fault | None] = [LoseAnswer(), SLOW_DOWN, None]
    with start_proxy(s3, lambda request: faults[request.count - 1]) as proxy:
        proxy.server.client().put_object(Bucket=bucket, Key="k", Body=BODY)
        assert [request.fault for request in proxy.requests] == faults
    assert s3.listing(bucket) == {"k": BODY}


def test_random_faults_come_at_their_rates_and_again_with_the_same_seed() -> None:
    rates: dict[Fault, float] = {Reset(): 0.05, Slow(1): 0.2}
    requests = [Request(count=count, method="GET", path="/b/k", query="", headers={}) for count in range(1, 2001)]
    first, second = at_random(7, rates), at_random(7, rates)
    faults = [first(request) for request in requests]
    assert faults == [second(request) for request in requests]
    assert 60 <= faults.count(Reset()) <= 140
    assert 320 <= faults.count(Slow(1)) <= 480
    assert faults.count(None) + faults.count(Reset()) + faults.count(Slow(1)) == len(requests)


def test_an_error_in_a_rule_is_not_hidden(ministack: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    caught: list[BaseException | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda arguments: caught.append(arguments.exc_value))

    def rule(_: Request) -> Fault | None:
        raise AssertionError("the rule's own")

    with start_proxy(ministack, rule) as proxy, pytest.raises(BROKEN):
        proxy.server.client(**ONE_ATTEMPT).list_buckets()
    assert [str(error) for error in caught] == ["the rule's own"]
