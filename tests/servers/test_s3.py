"""The servers themselves: that they do over HTTP what tests of the program count on."""

from __future__ import annotations

import base64
import socket
import urllib.parse
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.servers.ministack import start_ministack
from tests.servers.process import accepts
from tests.servers.s3 import S3Server
from tests.servers.swift import start_swift


def test_objects_come_back_whole_and_in_ranges(s3: S3Server) -> None:
    bucket = s3.new_bucket()
    client = s3.client()
    client.put_object(Bucket=bucket, Key="a/é 1", Body=b"0123456789")
    client.put_object(Bucket=bucket, Key="b", Body=b"")
    assert s3.listing(bucket) == {"a/é 1": b"0123456789", "b": b""}
    assert s3.listing(bucket, "a/") == {"a/é 1": b"0123456789"}
    assert client.get_object(Bucket=bucket, Key="a/é 1", Range="bytes=3-5")["Body"].read() == b"345"


def test_an_upload_is_not_visible_until_it_is_completed(s3: S3Server) -> None:
    bucket = s3.new_bucket()
    client = s3.client()
    upload = client.create_multipart_upload(Bucket=bucket, Key="k", Metadata={"token": "t"})["UploadId"]
    bodies = [bytes([65 + number]) * (5 << 20) for number in range(2)] + [b"end"]
    parts = [
        {
            "PartNumber": number,
            "ETag": client.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=number, Body=body)["ETag"],
        }
        for number, body in enumerate(bodies, 1)
    ]
    assert s3.listing(bucket) == {}
    assert s3.uploads(bucket) == ["k"]
    client.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": parts})
    assert s3.listing(bucket) == {"k": b"".join(bodies)}
    assert s3.uploads(bucket) == []
    assert client.head_object(Bucket=bucket, Key="k")["Metadata"] == {"token": "t"}


def test_a_conditional_write_refuses_what_has_changed(ministack: S3Server) -> None:
    bucket = ministack.new_bucket()
    client = ministack.client()
    etag = client.put_object(Bucket=bucket, Key="lease", Body=b"1", IfNoneMatch="*")["ETag"]
    with pytest.raises(ClientError) as second:
        client.put_object(Bucket=bucket, Key="lease", Body=b"2", IfNoneMatch="*")
    assert second.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    client.put_object(Bucket=bucket, Key="lease", Body=b"3", IfMatch=etag)
    with pytest.raises(ClientError) as stale:
        client.put_object(Bucket=bucket, Key="lease", Body=b"4", IfMatch=etag)
    assert stale.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert ministack.listing(bucket) == {"lease": b"3"}


@pytest.mark.slow
def test_swift_judges_checksums_signatures_and_sizes_of_parts(swift: S3Server) -> None:
    bucket = swift.new_bucket()
    client = swift.client()
    with pytest.raises(ClientError, match="BadDigest"):
        client.put_object(Bucket=bucket, Key="k", Body=b"1", ContentMD5=base64.b64encode(bytes(16)).decode())
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        replace(swift, secret_key="another").client().put_object(Bucket=bucket, Key="k", Body=b"1")
    upload = client.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    parts = [
        {
            "PartNumber": number,
            "ETag": client.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=number, Body=b"1")["ETag"],
        }
        for number in (1, 2)
    ]
    with pytest.raises(ClientError, match="EntityTooSmall"):
        client.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": parts})
    assert swift.listing(bucket) == {}


@pytest.mark.parametrize("start", [start_ministack, pytest.param(start_swift, marks=pytest.mark.slow)])
def test_a_server_listens_on_the_loopback_interface_alone_and_ends_with_its_block(
    start: Callable[[Path], AbstractContextManager[S3Server]], tmp_path: Path
) -> None:
    with start(tmp_path) as server:
        assert server.listing(server.new_bucket()) == {}
        port = urllib.parse.urlsplit(server.endpoint_url).port
        assert port is not None
        # Linux lets two sockets listen on one port only when neither of them is bound to all interfaces.
        with socket.socket() as other:
            other.bind(("127.0.0.2", port))
            other.listen()
    assert not accepts(port)


def test_the_environment_of_the_machine_is_not_used(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert s3.listing(s3.new_bucket()) == {}
    assert s3.client().list_buckets()["Buckets"]
