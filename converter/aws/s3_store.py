"""S3 as an object store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from converter.aws.access import AwsOptions, Connection
from converter.aws.client_errors import is_unanswered
from converter.aws.reader_settings import reader_settings_of
from converter.aws.responses import needed
from converter.aws.s3_reader import S3Reader, object_info
from converter.aws.s3_requests import S3Requests
from converter.aws.s3_uri import split_s3_uri
from converter.object_store import (
    ConditionFailedError,
    Data,
    FolderListing,
    ListedObject,
    ObjectInfo,
    ObjectStore,
    Piece,
    ReaderSettings,
    Upload,
)

Parameters = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class S3ObjectStore(ObjectStore):
    """A bucket of S3 below a prefix. Its errors name the permission that is missing.

    on_write: parameters of the requests that make an object (encryption, ACL). on_upload: parameters of those alone
    that begin an upload (storage class).
    """

    requests: S3Requests
    on_write: Parameters = ()
    on_upload: Parameters = ()

    @property
    def prefix(self) -> str:
        return self.requests.prefix

    def at_prefix(self, prefix: str) -> S3ObjectStore:
        return replace(self, requests=replace(self.requests, prefix=prefix))

    def place(self, path: str) -> str:
        return self.requests.uri(path)

    def open(self, path: str, *, etag: str | None = None) -> S3Reader:
        return S3Reader(self.requests, path, self.requests.get(path, etag=etag))

    def head(self, path: str) -> ObjectInfo | None:
        try:
            return object_info(self.requests.call("head_object", path))
        except FileNotFoundError:
            return None

    def list_objects(self, prefix: str) -> Iterator[ListedObject]:
        for page in self.requests.pages("list_objects_v2", prefix):
            for entry in page.get("Contents") or ():
                path = self.requests.listed_path(entry, "Contents", "Key")
                yield ListedObject(path, self.requests.listed_size(entry))

    def list_folder(self, folder: str) -> FolderListing:
        prefix = f"{folder}/" if folder else ""
        folders: list[str] = []
        sizes: dict[str, int] = {}
        etags: dict[str, str] = {}
        for page in self.requests.pages("list_objects_v2", prefix, Delimiter="/"):
            entries = page.get("CommonPrefixes") or ()
            paths = (self.requests.listed_path(entry, "CommonPrefixes", "Prefix") for entry in entries)
            folders += [path[len(prefix) : -1] for path in paths]
            for entry in page.get("Contents") or ():
                name = self.requests.listed_path(entry, "Contents", "Key")[len(prefix) :]
                sizes[name] = self.requests.listed_size(entry)
                if "ETag" in entry:
                    etags[name] = str(entry["ETag"])
        # Consoles make an object with the name of an empty folder.
        sizes.pop("", None)
        return FolderListing(tuple(name for name in folders if name), sizes, etags)

    def put(self, path: str, content: Data) -> str:
        return self._put(path, content, {})

    def put_if_absent(self, path: str, content: Data) -> str:
        return self._put(path, content, {"IfNoneMatch": "*"})

    def put_if_match(self, path: str, content: Data, etag: str) -> str:
        return self._put(path, content, {"IfMatch": etag})

    def delete(self, path: str) -> None:
        with suppress(FileNotFoundError):
            self.requests.call("delete_object", path)

    def create_upload(self, path: str, metadata: Mapping[str, str]) -> str:
        parameters = {"ChecksumAlgorithm": "CRC32", **dict(self.on_write), **dict(self.on_upload)}
        answer = self.requests.call("create_multipart_upload", path, Metadata=dict(metadata), **parameters)
        return str(needed(answer, "UploadId", "CreateMultipartUpload", self.place(path)))

    def upload_piece(self, path: str, upload_id: str, number: int, data: Data, crc32: str) -> Piece:
        answer = self.requests.call(
            "upload_part", path, UploadId=upload_id, PartNumber=number, Body=data, ChecksumCRC32=crc32
        )
        return Piece(str(answer["ETag"]), crc32)

    def complete_upload(self, path: str, upload_id: str, pieces: Sequence[Piece], size: int) -> None:
        parts = [
            {"PartNumber": number, "ETag": piece.etag, "ChecksumCRC32": piece.crc32}
            for number, piece in enumerate(pieces, 1)
        ]
        self.requests.call(
            "complete_multipart_upload",
            path,
            UploadId=upload_id,
            MultipartUpload={"Parts": parts},
            MpuObjectSize=size,
        )

    def abort_upload(self, path: str, upload_id: str) -> None:
        with suppress(FileNotFoundError):
            self.requests.call("abort_multipart_upload", path, UploadId=upload_id)

    def list_uploads(self, prefix: str) -> Iterator[Upload]:
        for page in self.requests.pages("list_multipart_uploads", prefix):
            for entry in page.get("Uploads") or ():
                path = self.requests.listed_path(entry, "Uploads", "Key")
                upload_id, begun = (
                    needed({"Uploads": entry}, f"Uploads.{name}", "ListMultipartUploads", self.place(path))
                    for name in ("UploadId", "Initiated")
                )
                yield Upload(path, str(upload_id), begun)

    def may_take_effect(self, error: BaseException) -> bool:
        return is_unanswered(error.__cause__)

    def reader_settings(self) -> ReaderSettings:
        return reader_settings_of(self.requests.connection, self.requests.bucket)

    def _put(self, path: str, content: Data, condition: Mapping[str, str]) -> str:
        try:
            answer = self.requests.call("put_object", path, Body=content, **condition, **dict(self.on_write))
        except FileNotFoundError:
            # The answer to If-Match for an object that does not exist.
            raise ConditionFailedError from None
        return str(answer["ETag"])


def open_source_store(place: str, aws: AwsOptions) -> S3ObjectStore:
    """Open the store of a source. Raises UsageError for a place without a bucket."""
    return S3ObjectStore(S3Requests(*split_s3_uri(place), Connection(aws.for_source(), "s3")))


def open_destination_store(place: str, aws: AwsOptions) -> S3ObjectStore:
    """Open the store of a destination. Raises UsageError for a place without a bucket."""
    requests = S3Requests(*split_s3_uri(place), Connection(aws.for_dest(), "s3"))
    on_upload = () if aws.storage_class is None else (("StorageClass", aws.storage_class),)
    return S3ObjectStore(requests, aws.on_write(), on_upload)
