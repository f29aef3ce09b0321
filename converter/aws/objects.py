"""Objects of S3: the requests that sources and destinations are made of, with their refusals as errors of ours."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from io import RawIOBase
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, IncompleteReadError
from urllib3.exceptions import HTTPError

from converter.aws.access import Connection
from converter.aws.client_errors import AWS_ERRORS, code_of, refused
from converter.aws.responses import missing_member, needed
from converter.aws.s3_uri import s3_uri
from converter.errors import ExportError, StorageError

Data = bytes | bytearray

_MISSING = {"NoSuchKey", "NoSuchUpload", "404", "NotFound"}
_CHANGED = {"PreconditionFailed", "412", "ConditionalRequestConflict", "InvalidRange"}
_BROKEN = (BotoCoreError, HTTPError, OSError)
_ALWAYS = {
    "get_object": ("ETag", "ContentLength", "LastModified"),
    "head_object": ("ETag", "ContentLength", "LastModified"),
    "put_object": ("ETag",),
    "upload_part": ("ETag",),
}
"""What S3 puts into the headers of each answer."""
_NEXT_PAGE = {"list_objects_v2": "NextContinuationToken", "list_multipart_uploads": "NextKeyMarker"}
_CUT_ATTEMPTS = 4
_READ_ATTEMPTS = 8
_LONGEST_PAUSE = 20.0
# Of what is read whole: records, intents and leases.
_MOST_BYTES = 256 << 20


class Changed(Exception):
    """An object is not as the request's condition says: someone else has written it, or it is there already."""


class NoConditions(Exception):
    """The store, which is not AWS', does not write on the condition that an object is unchanged."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object's facts.

    written: when it was last written. age: seconds between that and this answer, by the server's clock.
    """

    size: int
    etag: str
    metadata: dict[str, str]
    written: datetime
    age: float


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload that is not completed."""

    path: str
    upload_id: str
    begun: datetime


@dataclass(frozen=True, slots=True)
class Piece:
    """What completing an upload takes of one of its pieces (S3's parts). crc32: in base64."""

    etag: str
    crc32: str


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of a bucket below a prefix, called by their path relative to it. For many threads; survives pickling.

    Raises StorageError and UsageError that name the object, and the permission that is missing.

    prefix: without a slash at its end; `""` for the whole bucket. on_write: parameters of the requests that make an
    object (encryption, ACL).
    """

    bucket: str
    prefix: str
    connection: Connection
    on_write: tuple[tuple[str, str], ...] = ()

    def place(self, path: str) -> str:
        """How messages call an object."""
        return s3_uri(self.bucket, self._key(path))

    def open(self, path: str) -> ObjectFile:
        """The object's bytes, to be read once from the beginning. Raises FileNotFoundError."""
        return ObjectFile(self, path, self.begin_read(path))

    def begin_read(self, path: str, start: int = 0, etag: str | None = None) -> Any:
        """The answer to a GET from byte `start`. Raises FileNotFoundError, and Changed when it has another ETag."""
        condition = {} if etag is None else {"IfMatch": etag}
        if start:
            condition["Range"] = f"bytes={start}-"
        return self._call("get_object", path, **condition)

    def read(self, path: str) -> tuple[bytes, Found] | None:
        """A small object, None when there is none. Raises StorageError for one that memory should not hold."""
        try:
            file = self.open(path)
        except FileNotFoundError:
            return None
        with file:
            if file.found.size > _MOST_BYTES:
                raise StorageError(
                    f"the object has {file.found.size:,} bytes, which is more than ddb-convert would write",
                    self.place(path),
                    "see what was put there, and remove it",
                )
            return file.readall(), file.found

    def find(self, path: str) -> Found | None:
        """The object's facts, None when there is none."""
        try:
            return _found(self._call("head_object", path))
        except FileNotFoundError:
            return None

    def walk(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Paths that begin with the prefix, and sizes in bytes, in S3's order."""
        for page in self._pages("list_objects_v2", prefix):
            for entry in page.get("Contents") or ():
                yield self._listed(entry, "Contents", "Key"), self._size(entry)

    def list_folder(self, folder: str) -> tuple[list[str], dict[str, int]]:
        """Names of the folders directly below a folder, and of the objects, with their sizes in bytes."""
        prefix = f"{folder}/" if folder else ""
        folders: list[str] = []
        sizes: dict[str, int] = {}
        for page in self._pages("list_objects_v2", prefix, Delimiter="/"):
            entries = page.get("CommonPrefixes") or ()
            folders += [self._listed(entry, "CommonPrefixes", "Prefix")[len(prefix) : -1] for entry in entries]
            for entry in page.get("Contents") or ():
                sizes[self._listed(entry, "Contents", "Key")[len(prefix) :]] = self._size(entry)
        # An object with the folder's own name is what consoles make for an empty folder.
        sizes.pop("", None)
        return [name for name in folders if name], sizes

    def write(self, path: str, content: Data, *, new: bool = False, etag: str | None = None) -> str:
        """Write a small object at once, and return its ETag. Raises Changed when the condition fails, NoConditions.

        new: there must be none of this name. etag: the object that is there must have it.
        """
        condition = {} if etag is None else {"IfMatch": etag}
        if new:
            condition["IfNoneMatch"] = "*"
        try:
            return str(self._call("put_object", path, Body=content, **condition, **dict(self.on_write))["ETag"])
        except FileNotFoundError:
            raise Changed from None

    def delete(self, path: str) -> None:
        """Delete an object, or do nothing when there is none."""
        with suppress(FileNotFoundError):
            self._call("delete_object", path)

    def begin_upload(self, path: str, metadata: dict[str, str], arguments: Mapping[str, str]) -> str:
        """Begin a multipart upload and return its id; arguments: of the request, such as the storage class."""
        answer = self._call(
            "create_multipart_upload",
            path,
            Metadata=metadata,
            ChecksumAlgorithm="CRC32",
            **dict(self.on_write),
            **arguments,
        )
        return str(needed(answer, "UploadId", "CreateMultipartUpload", self.place(path)))

    def upload_piece(self, path: str, upload_id: str, number: int, data: Data, crc32: str) -> Piece:
        """Upload the piece of this number, from 1; the server refuses one that has not this CRC-32, in base64."""
        answer = self._call("upload_part", path, UploadId=upload_id, PartNumber=number, Body=data, ChecksumCRC32=crc32)
        return Piece(str(answer["ETag"]), crc32)

    def complete_upload(self, path: str, upload_id: str, pieces: Sequence[Piece], size: int) -> None:
        """Make the object of its pieces: so many bytes together. Raises FileNotFoundError when there is no upload."""
        parts = [
            {"PartNumber": number, "ETag": piece.etag, "ChecksumCRC32": piece.crc32}
            for number, piece in enumerate(pieces, 1)
        ]
        self._call(
            "complete_multipart_upload",
            path,
            UploadId=upload_id,
            MultipartUpload={"Parts": parts},
            MpuObjectSize=size,
        )

    def abort_upload(self, path: str, upload_id: str) -> None:
        """Drop an upload and its parts, or do nothing when there is none."""
        with suppress(FileNotFoundError):
            self._call("abort_multipart_upload", path, UploadId=upload_id)

    def uploads(self, prefix: str) -> Iterator[Upload]:
        """Uploads that are not completed, of paths that begin with the prefix."""
        for page in self._pages("list_multipart_uploads", prefix):
            for entry in page.get("Uploads") or ():
                path = self._listed(entry, "Uploads", "Key")
                upload_id, begun = (
                    needed({"Uploads": entry}, f"Uploads.{name}", "ListMultipartUploads", self.place(path))
                    for name in ("UploadId", "Initiated")
                )
                yield Upload(path, str(upload_id), begun)

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        """The answer. Raises FileNotFoundError for a missing object or upload, Changed for a condition that fails."""
        for _ in range(_CUT_ATTEMPTS):
            answer = self._ask(method, path, arguments)
            # Where a connection breaks in the headers, Python's client takes those that came for all.
            if all(name in answer for name in _ALWAYS.get(method, ())):
                return answer
        missing = next(name for name in _ALWAYS[method] if name not in answer)
        raise missing_member(missing, operation_of(method), self.place(path))

    def _ask(self, method: str, path: str, arguments: dict[str, Any]) -> Any:
        try:
            return getattr(self.connection.client(), method)(
                Bucket=self.bucket, Key=self._key(path), **self._owned(arguments)
            )
        except ClientError as error:
            if code_of(error) in _MISSING:
                raise FileNotFoundError(f"{self.place(path)} does not exist") from None
            if code_of(error) in _CHANGED:
                raise Changed from None
            if code_of(error) == "NotImplemented" and "IfMatch" in arguments:
                raise NoConditions from None
            raise refused(error, self.place(path), self.connection.access.bucket_owner) from error
        except AWS_ERRORS as error:
            raise refused(error, self.place(path)) from error

    def _pages(self, method: str, prefix: str, **arguments: str) -> Iterator[dict[str, Any]]:
        paginator = self.connection.client().get_paginator(method)
        following = _NEXT_PAGE[method]
        try:
            for page in paginator.paginate(Bucket=self.bucket, Prefix=self._key(prefix), **self._owned(arguments)):
                # botocore takes a page for the last one if either is absent.
                if page.get("IsTruncated") and not page.get(following):
                    raise missing_member(following, operation_of(method), self.place(prefix))
                if "IsTruncated" not in page and page.get(following):
                    raise missing_member("IsTruncated", operation_of(method), self.place(prefix))
                yield page
        except KeyError as missing:
            # botocore decodes the keys in lists.
            raise missing_member(str(missing.args[0]), operation_of(method), self.place(prefix)) from None
        except AWS_ERRORS as error:
            raise refused(error, self.place(prefix), self.connection.access.bucket_owner) from error

    def _listed(self, entry: Mapping[str, Any], kind: str, member: str) -> str:
        """The path in an entry of a list; kind: the list's name in the answer."""
        operation = "ListMultipartUploads" if kind == "Uploads" else "ListObjectsV2"
        return self._path(str(needed({kind: entry}, f"{kind}.{member}", operation, self.place(""))))

    def _size(self, entry: Mapping[str, Any]) -> int:
        return int(needed({"Contents": entry}, "Contents.Size", "ListObjectsV2", self.place(self._path(entry["Key"]))))

    def _key(self, path: str) -> str:
        return f"{self.prefix}/{path}" if self.prefix else path

    def _path(self, key: str) -> str:
        return key[len(self.prefix) + 1 :] if self.prefix else key

    def _owned(self, arguments: dict[str, Any]) -> dict[str, Any]:
        owner = self.connection.access.bucket_owner
        return arguments if owner is None else {**arguments, "ExpectedBucketOwner": owner}


class ObjectFile(RawIOBase):
    """An object's bytes as they arrive; a connection that breaks goes on at the byte where it broke.

    Raises StorageError when it breaks again and again, ExportError when the object is another one then.

    found: the object's facts.
    """

    def __init__(self, objects: Objects, path: str, answer: Any) -> None:
        self.found = _found(answer)
        self._objects = objects
        self._path = path
        self._body = answer["Body"]
        self._position = 0
        self._failures = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """The next bytes, as many as there are and fit; 0 at the end."""
        while True:
            try:
                count: int = self._body.readinto(buffer)
                if count == 0 and len(buffer) > 0 and self._position < self.found.size:
                    raise IncompleteReadError(actual_bytes=self._position, expected_bytes=self.found.size)
            except _BROKEN as error:
                self._go_on(error)
            else:
                self._position += count
                self._failures = self._failures if count == 0 else 0
                return count

    def close(self) -> None:
        """Lets go of the connection."""
        if not self.closed:
            self._body.close()
        super().close()

    def _go_on(self, broken: Exception) -> None:
        self._body.close()
        self._failures += 1
        place = self._objects.place(self._path)
        if self._failures == _READ_ATTEMPTS:
            raise refused(broken, f"{place} byte {self._position}") from broken
        if self._failures > 1:
            time.sleep(min(random.random() * 2 ** (self._failures - 2), _LONGEST_PAUSE))
        try:
            answer = self._objects.begin_read(self._path, self._position, self.found.etag)
        except (Changed, FileNotFoundError):
            raise changed_under_read(place) from None
        if answer["ETag"] != self.found.etag:
            raise changed_under_read(place)
        self._body = answer["Body"]


def operation_of(method: str) -> str:
    """The name of a client's method in the service's own words: `head_object` is HeadObject."""
    return "".join(word.capitalize() for word in method.split("_"))


def changed_under_read(place: str) -> ExportError:
    """The error for an object that is another one than when it was first read."""
    return ExportError(
        "the object has changed while it was read",
        place,
        "see what writes there; exports are never changed by the service. Then run the same command again",
    )


def _found(answer: Any) -> Found:
    # No Date: then as if it were just written, which makes nothing stale.
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    written = answer["LastModified"]
    age = (parsedate_to_datetime(date) - written).total_seconds() if date else 0.0
    return Found(answer["ContentLength"], answer["ETag"], answer.get("Metadata", {}), written, age)
