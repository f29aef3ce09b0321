"""Requests to the objects of a bucket: botocore's answers, and its exceptions as the errors of object stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from converter.aws.access import Connection
from converter.aws.client_errors import AWS_ERRORS, client_error, code_of
from converter.aws.responses import missing_member_error
from converter.aws.s3_uri import s3_uri
from converter.object_store import ConditionFailedError, ConditionsUnsupportedError

_MISSING = {"NoSuchKey", "NoSuchUpload", "404", "NotFound"}
_CHANGED = {"PreconditionFailed", "412", "ConditionalRequestConflict", "InvalidRange"}
_ALWAYS = {
    "get_object": ("ETag", "ContentLength", "LastModified"),
    "head_object": ("ETag", "ContentLength", "LastModified"),
    "put_object": ("ETag",),
    "upload_part": ("ETag",),
}
"""Members of each answer that S3 sends as headers."""
_NEXT_PAGE = {"list_objects_v2": "NextContinuationToken", "list_multipart_uploads": "NextKeyMarker"}
_CUT_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class S3Requests:
    """Requests to a bucket; objects are called by their path relative to the prefix. For many threads; can be pickled.

    prefix: without a slash at its end; `""` for the whole bucket.
    """

    bucket: str
    prefix: str
    connection: Connection

    def uri(self, path: str) -> str:
        """Return the object's URI."""
        return s3_uri(self.bucket, self._key(path))

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """Return the answer to a request about one object; method: of botocore's client.

        Raises FileNotFoundError for a missing object or upload, ConditionFailedError, ConditionsUnsupportedError.
        """
        for _ in range(_CUT_ATTEMPTS):
            answer = self._ask(method, path, arguments)
            # If a connection breaks within the headers, Python's client returns those that have arrived, without error.
            if all(name in answer for name in _ALWAYS.get(method, ())):
                return answer
        missing = next(name for name in _ALWAYS[method] if name not in answer)
        raise missing_member_error(missing, operation_of(method), self.uri(path))

    def get(self, path: str, start: int = 0, etag: str | None = None) -> Any:
        """Return the answer to a GET from byte `start`, on the condition that the object has this ETag."""
        condition = {} if etag is None else {"IfMatch": etag}
        if start:
            condition["Range"] = f"bytes={start}-"
        return self.call("get_object", path, **condition)

    def pages(self, method: str, prefix: str, **arguments: str) -> Iterator[dict[str, Any]]:
        """Yield the pages of a listing of the paths that begin with the prefix; method: of botocore's client."""
        paginator = self.connection.client().get_paginator(method)
        following = _NEXT_PAGE[method]
        try:
            for page in paginator.paginate(Bucket=self.bucket, Prefix=self._key(prefix), **self._owned(arguments)):
                # If one of the two is absent, botocore ends the listing silently.
                if page.get("IsTruncated") and not page.get(following):
                    raise missing_member_error(following, operation_of(method), self.uri(prefix))
                if "IsTruncated" not in page and page.get(following):
                    raise missing_member_error("IsTruncated", operation_of(method), self.uri(prefix))
                yield page
        except KeyError as missing:
            # botocore decodes the keys in listings, and indexes members that a server may leave out.
            raise missing_member_error(str(missing.args[0]), operation_of(method), self.uri(prefix)) from None
        except AWS_ERRORS as error:
            raise client_error(error, self.uri(prefix), self.connection.access.bucket_owner) from error

    def listed_path(self, entry: Mapping[str, Any], kind: str, member: str) -> str:
        """Return the path in an entry of a listing; kind: the member of the answer that holds the entries."""
        key: str | None = entry.get(member)
        if not key:
            operation = "ListMultipartUploads" if kind == "Uploads" else "ListObjectsV2"
            raise missing_member_error(f"{kind}.{member}", operation, self.uri(""))
        return self._path(key)

    def listed_size(self, entry: Mapping[str, str]) -> int:
        """Return the size in bytes in an entry of a listing of objects."""
        text = entry.get("Size", "")
        if not text.isdecimal():
            member = "valid Contents.Size" if text else "Contents.Size"
            raise missing_member_error(member, "ListObjectsV2", self.uri(self._path(entry["Key"])))
        return int(text)

    def _ask(self, method: str, path: str, arguments: dict[str, Any]) -> Any:
        try:
            return getattr(self.connection.client(), method)(
                Bucket=self.bucket, Key=self._key(path), **self._owned(arguments)
            )
        except ClientError as error:
            if code_of(error) in _MISSING:
                raise FileNotFoundError(f"{self.uri(path)} does not exist") from None
            if code_of(error) in _CHANGED:
                raise ConditionFailedError from None
            # Swift knows If-None-Match of a PUT, and no If-Match.
            if code_of(error) == "NotImplemented" and "IfMatch" in arguments:
                raise ConditionsUnsupportedError from None
            raise client_error(error, self.uri(path), self.connection.access.bucket_owner) from error
        except AWS_ERRORS as error:
            raise client_error(error, self.uri(path)) from error

    def _key(self, path: str) -> str:
        return f"{self.prefix}/{path}" if self.prefix else path

    def _path(self, key: str) -> str:
        return key[len(self.prefix) + 1 :] if self.prefix else key

    def _owned(self, arguments: dict[str, Any]) -> dict[str, Any]:
        owner = self.connection.access.bucket_owner
        return arguments if owner is None else {**arguments, "ExpectedBucketOwner": owner}


def operation_of(method: str) -> str:
    """Return the service's name of a method of botocore's client: `head_object` is HeadObject."""
    return "".join(word.capitalize() for word in method.split("_"))
