"""Where an export is written, and how: what the service is told beside the table and the time."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Literal, get_args

from converter.aws.keys import check_kms_key
from converter.aws.s3_uri import SCHEME, s3_uri
from converter.display import has_control_characters
from converter.errors import UsageError

ExportFormat = Literal["DYNAMODB_JSON", "ION"]
ExportSse = Literal["AES256", "KMS"]
View = Literal["new", "new-and-old"]
"""What an export of changes says of each: what the item became, or also what it was before."""

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]")
_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
_SHORTEST_PREFIX = 3
# A key has at most 1,024 bytes, and the service adds `AWSDynamoDB/<id>/data/<26 characters>.json.gz`.
_LONGEST_PREFIX = 1024 - len("/AWSDynamoDB/") - len("/data/.json.gz") - 23 - 26


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportTarget:
    """Where the service writes an export: below `s3://bucket/prefix/AWSDynamoDB/`.

    prefix: the folders above, without slashes at its ends; None for none. bucket_owner: the account of the bucket,
    which the service must be told if it is not the caller's. sse: how the objects are encrypted; the service's default
    is AES256. kms_key_id: the key for KMS.

    Raises UsageError for what the service or S3 would refuse, or accept now and fail on later.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
    """

    bucket: str
    prefix: str | None = None
    bucket_owner: str | None = None
    format: ExportFormat = "DYNAMODB_JSON"
    sse: ExportSse | None = None
    kms_key_id: str | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) == "":
                raise UsageError("an empty text is no value", OPTIONS[field.name], "leave it out")
        if _BUCKET.fullmatch(self.bucket) is None:
            raise UsageError(
                f"{self.bucket!r} is no name that a bucket can have",
                OPTIONS["bucket"],
                f"write its name alone, without {SCHEME} and folders; those are for --export-prefix",
            )
        if self.prefix is not None:
            _check_prefix(self.prefix)
        if self.bucket_owner is not None and _ACCOUNT.fullmatch(self.bucket_owner) is None:
            raise UsageError(f"{self.bucket_owner!r} is no account number of 12 digits", OPTIONS["bucket_owner"])
        for name, value, known in (("format", self.format, ExportFormat), ("sse", self.sse, ExportSse)):
            if value is not None and value not in get_args(known):
                raise UsageError(f"{value!r} is not known", OPTIONS[name], f"use one of: {', '.join(get_args(known))}")
        if self.kms_key_id is not None and self.sse != "KMS":
            raise UsageError("a KMS key is for --export-sse KMS", OPTIONS["kms_key_id"])
        if self.kms_key_id is not None:
            check_kms_key(self.kms_key_id, OPTIONS["kms_key_id"])

    @property
    def folder(self) -> str:
        """The folder that the exports of this target lie in: `s3://bucket/prefix/AWSDynamoDB/`."""
        return s3_uri(self.bucket, "/".join(part for part in (self.prefix, "AWSDynamoDB/") if part))


OPTIONS = {
    "bucket": "--bucket",
    "prefix": "--export-prefix",
    "bucket_owner": "--bucket-owner",
    "format": "--export-format",
    "sse": "--export-sse",
    "kms_key_id": "--export-kms-key-id",
}
"""The option that each field of a target is given by."""


def _check_prefix(prefix: str) -> None:
    option = OPTIONS["prefix"]
    if prefix.strip("/") != prefix or "//" in prefix:
        raise UsageError(
            f"{prefix!r} would make folders without a name", option, "write folders as a/b, without slashes at the ends"
        )
    if len(prefix) < _SHORTEST_PREFIX:
        raise UsageError(
            f"{prefix!r} is too short: the service refuses prefixes of less than 3 characters", option, "name it longer"
        )
    if len(prefix.encode()) > _LONGEST_PREFIX:
        raise UsageError(f"the prefix is too long: at most {_LONGEST_PREFIX} bytes leave room for the keys", option)
    if has_control_characters(prefix) or any(part in (".", "..") for part in prefix.split("/")):
        raise UsageError(
            f"{prefix!r} holds what makes keys that tools can't reach", option, "use letters, digits and !-_.*'()/"
        )
