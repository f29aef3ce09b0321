"""S3 as an object store: the conditions and settings of its requests, and what its answers mean."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from converter.aws.access import AwsOptions
from converter.aws.s3_store import S3ObjectStore, open_destination_store, open_source_store
from converter.errors import StorageError, UsageError
from converter.object_store import ConditionFailedError, FolderListing, ListedObject, Piece, Upload
from tests.unit.aws.stub import Stub, always, start_stub

ETAG = '"0123"'
WRITES = AwsOptions(
    dest_sse="aws:kms",
    dest_kms_key_id="alias/x",
    acl="bucket-owner-full-control",
    storage_class="STANDARD_IA",
    source_bucket_owner="111111111111",
    dest_bucket_owner="222222222222",
)
OF_OBJECTS = {
    "x-amz-server-side-encryption": "aws:kms",
    "x-amz-server-side-encryption-aws-kms-key-id": "alias/x",
    "x-amz-acl": "bucket-owner-full-control",
}


class Seen:
    """A server, and the headers of the requests that it received."""

    def __init__(self, stub: Stub) -> None:
        self.stub = stub
        self.headers: list[dict[str, str]] = []

    def answer(self, text: str = "", status: int = 200, **headers: str) -> None:
        """Answer all requests from now on like this; an ETag and a date are in every answer."""

        def answer(headers: dict[str, str]) -> tuple[int, str]:
            self.headers.append(headers)
            return status, text

        dates = {"ETag": ETAG, "Last-Modified": "Tue, 02 Jan 2024 03:04:05 GMT"}
        self.stub.headers = {**dates, **{name.replace("_", "-"): value for name, value in headers.items()}}
        self.stub.answer = answer
        self.stub.asked.clear()
        self.headers.clear()

    def last(self, *names: str) -> dict[str, str]:
        """Those of these headers that the last request had."""
        return {name: self.headers[-1][name] for name in names if name in self.headers[-1]}


@pytest.fixture(scope="module")
def server() -> Iterator[Seen]:
    with pytest.MonkeyPatch.context() as environment, start_stub(environment) as stub:
        yield Seen(stub)


@pytest.fixture(scope="module")
def store(server: Seen) -> S3ObjectStore:
    return open_destination_store("s3://lake/out/", WRITES)


def upload(uploads: str) -> str:
    return f"<ListMultipartUploadsResult>{uploads}</ListMultipartUploadsResult>"


def test_every_object_is_encrypted_and_owned_as_given_and_only_parts_have_the_storage_class(
    server: Seen, store: S3ObjectStore
) -> None:
    names = (*OF_OBJECTS, "x-amz-storage-class")
    server.answer()
    writes: list[Callable[[], str]] = [
        lambda: store.put("x", b"abc"),
        lambda: store.put_if_absent("x", b"abc"),
        lambda: store.put_if_match("x", b"abc", ETAG),
    ]
    for write in writes:
        assert write() == ETAG
        assert server.last(*names) == OF_OBJECTS
        assert server.stub.body == b"abc"
    server.answer("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
    assert store.create_upload("x", {"run": "r1"}) == "u"
    assert server.last(*names) == {**OF_OBJECTS, "x-amz-storage-class": "STANDARD_IA"}
    assert server.last("x-amz-meta-run", "x-amz-checksum-algorithm") == {
        "x-amz-meta-run": "r1",
        "x-amz-checksum-algorithm": "CRC32",
    }


def test_conditions_are_sent_only_where_they_are_meant(server: Seen, store: S3ObjectStore) -> None:
    server.answer()
    names = ("if-none-match", "if-match")
    store.put("x", b"")
    assert server.last(*names) == {}
    store.put_if_absent("x", b"")
    assert server.last(*names) == {"if-none-match": "*"}
    store.put_if_match("x", b"", ETAG)
    assert server.last(*names) == {"if-match": ETAG}
    server.answer("abc")
    store.open("x").close()
    assert server.last(*names) == {}
    with store.open("x", etag=ETAG) as reader:
        assert server.last(*names) == {"if-match": ETAG}
        assert (reader.read(), reader.info.size) == (b"abc", 3)


def test_an_object_that_is_gone_fails_the_condition_that_it_is_unchanged(server: Seen, store: S3ObjectStore) -> None:
    for status, code in ((404, "NoSuchKey"), (412, "PreconditionFailed")):
        server.stub.answer = always(status, code)
        with pytest.raises(ConditionFailedError):
            store.put_if_match("x", b"", ETAG)


def test_what_is_gone_already_needs_no_removal(server: Seen, store: S3ObjectStore) -> None:
    server.stub.answer = always(404, "NoSuchUpload")
    store.abort_upload("x", "u")
    server.stub.answer = always(404, "NoSuchKey")
    store.delete("x")
    assert store.head("x") is None
    server.stub.answer = always(403, "AccessDenied")
    acts: list[Callable[[], object]] = [
        lambda: store.abort_upload("x", "u"),
        lambda: store.delete("x"),
        lambda: store.head("x"),
    ]
    for act in acts:
        with pytest.raises(StorageError, match="access denied"):
            act()


def test_a_part_is_completed_from_its_pieces_in_their_order_with_checksums_and_size(
    server: Seen, store: S3ObjectStore
) -> None:
    server.answer()
    assert store.upload_piece("x", "u", 7, b"abc", "NSRBwg==") == Piece(ETAG, "NSRBwg==")
    assert server.stub.body == b"abc"
    assert "partNumber=7" in server.stub.asked[-1]
    assert "uploadId=u" in server.stub.asked[-1]
    assert server.last("x-amz-checksum-crc32") == {"x-amz-checksum-crc32": "NSRBwg=="}
    server.answer("<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>")
    store.complete_upload("x", "u", [Piece("a", "crc-a"), Piece("b", "crc-b")], 4711)
    assert server.last("x-amz-mp-object-size") == {"x-amz-mp-object-size": "4711"}
    body = server.stub.body.decode()
    for member, values in (("PartNumber", "12"), ("ETag", "ab"), ("ChecksumCRC32", ["crc-a", "crc-b"])):
        assert re.findall(f"<{member}>([^<]*)</{member}>", body) == list(values)


def test_a_folder_has_no_nameless_objects_and_folders(server: Seen, store: S3ObjectStore) -> None:
    server.answer(
        "<ListBucketResult><Contents><Key>out/a/</Key><Size>0</Size><ETag>m</ETag></Contents>"
        "<Contents><Key>out/a/x</Key><Size>7</Size><ETag>e</ETag></Contents>"
        "<CommonPrefixes><Prefix>out/a//</Prefix></CommonPrefixes>"
        "<CommonPrefixes><Prefix>out/a/b/</Prefix></CommonPrefixes></ListBucketResult>"
    )
    listing = store.list_folder("a")
    assert (listing.folders, listing.sizes, listing.etags["x"]) == (("b",), {"x": 7}, "e")
    assert "prefix=out%2Fa%2F" in server.stub.asked[-1]
    assert "delimiter=%2F" in server.stub.asked[-1]


def test_an_empty_place_has_no_objects_folders_and_uploads(server: Seen, store: S3ObjectStore) -> None:
    server.answer("<ListBucketResult></ListBucketResult>")
    assert list(store.list_objects("a")) == []
    assert "prefix=out%2Fa&" in f"{server.stub.asked[-1]}&"
    assert store.list_folder("") == FolderListing((), {}, {})
    assert "prefix=out%2F&" in f"{server.stub.asked[-1]}&"
    server.answer(upload(""))
    assert list(store.list_uploads("")) == []


def test_objects_of_the_whole_bucket_are_named_by_their_keys(server: Seen) -> None:
    bucket = open_destination_store("s3://lake", AwsOptions())
    assert (bucket.prefix, bucket.place("a/x")) == ("", "s3://lake/a/x")
    server.answer("<ListBucketResult><Contents><Key>a/x</Key><Size>7</Size></Contents></ListBucketResult>")
    assert list(bucket.list_objects("")) == [ListedObject("a/x", 7)]


def test_uploads_are_listed_with_their_ids_and_times(server: Seen, store: S3ObjectStore) -> None:
    entry = "<Upload><Key>out/d/x</Key><UploadId>u</UploadId><Initiated>2024-01-02T03:04:05.000Z</Initiated></Upload>"
    server.answer(upload(entry))
    [found] = store.list_uploads("d")
    assert found == Upload("d/x", "u", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC))


@pytest.mark.parametrize("member", ["UploadId", "Initiated"])
def test_an_upload_without_an_id_or_a_time_is_an_error_not_left_out(
    member: str, server: Seen, store: S3ObjectStore
) -> None:
    members = {"Key": "out/x", "UploadId": "u", "Initiated": "2024-01-02T03:04:05.000Z"}
    del members[member]
    server.answer(upload(f"<Upload>{''.join(f'<{name}>{text}</{name}>' for name, text in members.items())}</Upload>"))
    with pytest.raises(StorageError, match=rf"has no Uploads\.{member}") as refused:
        list(store.list_uploads(""))
    assert refused.value.where == "s3://lake/out/x"


def test_an_upload_that_gets_no_id_is_an_error(server: Seen, store: S3ObjectStore) -> None:
    server.answer("<InitiateMultipartUploadResult></InitiateMultipartUploadResult>")
    with pytest.raises(StorageError, match="the response to CreateMultipartUpload has no UploadId") as refused:
        store.create_upload("x", {})
    assert refused.value.where == "s3://lake/out/x"


def test_sources_and_destinations_are_accessed_each_as_given(server: Seen) -> None:
    owner = "x-amz-expected-bucket-owner"
    for store, account in (
        (open_source_store("s3://lake/out", WRITES), "111111111111"),
        (open_destination_store("s3://lake/out", WRITES), "222222222222"),
        (open_destination_store("s3://lake/out", AwsOptions()), None),
    ):
        server.answer()
        assert store.head("x") is not None
        assert server.headers[-1].get(owner) == account
    server.answer("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
    store.put("x", b"")
    store.create_upload("x", {})
    for headers in server.headers:
        assert headers.keys().isdisjoint({*OF_OBJECTS, "x-amz-storage-class"})


@pytest.mark.parametrize("open_store", [open_source_store, open_destination_store])
def test_a_place_needs_a_bucket(open_store: Callable[[str, AwsOptions], S3ObjectStore]) -> None:
    with pytest.raises(UsageError):
        open_store("s3:///out", AwsOptions())


def test_another_prefix_and_a_copy_in_another_process_keep_the_settings(server: Seen, store: S3ObjectStore) -> None:
    server.answer()
    for one in (store.at_prefix("other/place"), pickle.loads(pickle.dumps(store.at_prefix("other/place")))):
        assert (one.prefix, one.place("x")) == ("other/place", "s3://lake/other/place/x")
        one.put("x", b"")
        assert server.stub.asked[-1].startswith("PUT /lake/other/place/x")
        assert server.last(*OF_OBJECTS) == OF_OBJECTS
    assert store.prefix == "out"


def test_a_request_without_an_answer_may_take_effect_and_a_refused_one_does_not(store: S3ObjectStore) -> None:
    unanswered, refused = StorageError("no answer"), StorageError("denied")
    unanswered.__cause__ = ReadTimeoutError(endpoint_url="http://s3")
    refused.__cause__ = ClientError(
        {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "PutObject"
    )
    assert store.may_take_effect(unanswered)
    assert not store.may_take_effect(refused)


def test_libraries_read_at_the_endpoint_of_the_store(server: Seen, store: S3ObjectStore) -> None:
    server.answer()
    assert server.stub.url in store.reader_settings().options.values()
