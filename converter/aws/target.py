"""Target of an export: bucket, prefix, format and encryption."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Literal, get_args

from converter.aws.identifiers import check_account, check_kms_key
from converter.aws.s3_uri import SCHEME, s3_uri
from converter.display import has_control_characters
from converter.errors import UsageError
from converter.option_values import check_choice

ExportFormat = Literal["DYNAMODB_JSON", "ION"]
ExportSse = Literal["AES256", "KMS"]
View = Literal["new", "new-and-old"]
"""Images in an export of changes: only the new item, or the new and the old item."""

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]")
_SHORTEST_PREFIX = 3
# A key has at most 1,024 bytes, and DynamoDB appends `AWSDynamoDB/<id>/data/<26 characters>.json.gz`.
_LONGEST_PREFIX = 1024 - len("/AWSDynamoDB/") - len("/data/.json.gz") - 23 - 26


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportTarget:
    """Target of an export, which is written below `s3://bucket/prefix/AWSDynamoDB/`.

    prefix: prefix without slashes at its ends, or None. bucket_owner: account of the bucket, required if it is not that
    of the caller. sse: encryption of the objects; the default of DynamoDB is AES256. kms_key_id: key for KMS.

    Raises UsageError for values that DynamoDB or S3 would reject, at once or later.

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
                raise UsageError("the value is empty", OPTIONS[field.name], "set a value, or remove the option")
        if _BUCKET.fullmatch(self.bucket) is None:
            raise UsageError(
                f"{self.bucket!r} is not a valid name of a bucket",
                OPTIONS["bucket"],
                f"use only its name, without {SCHEME} and folders; those belong to --export-prefix",
            )
        if self.prefix is not None:
            _check_prefix(self.prefix)
        if self.bucket_owner is not None:
            check_account(self.bucket_owner, OPTIONS["bucket_owner"])
        for name, value, known in (("format", self.format, ExportFormat), ("sse", self.sse, ExportSse)):
            if value is not None:
                check_choice(OPTIONS[name], value, get_args(known))
        if self.kms_key_id is not None and self.sse != "KMS":
            raise UsageError("a KMS key requires KMS encryption", OPTIONS["kms_key_id"], "add --export-sse KMS")
        if self.kms_key_id is not None:
            check_kms_key(self.kms_key_id, OPTIONS["kms_key_id"])

    @property
    def folder(self) -> str:
        """The folder of the exports of this target: `s3://bucket/prefix/AWSDynamoDB/`."""
        return s3_uri(self.bucket, "/".join(part for part in (self.prefix, "AWSDynamoDB/") if part))


OPTIONS = {
    "bucket": "--bucket",
    "prefix": "--export-prefix",
    "bucket_owner": "--bucket-owner",
    "format": "--export-format",
    "sse": "--export-sse",
    "kms_key_id": "--export-kms-key-id",
}
"""Option of each field of a target."""


def _check_prefix(prefix: str) -> None:
    option = OPTIONS["prefix"]
    if prefix.strip("/") != prefix or "//" in prefix:
        raise UsageError(
            f"{prefix!r} would create folders without a name", option, "use the form a/b, without slashes at the ends"
        )
    if len(prefix) < _SHORTEST_PREFIX:
        raise UsageError(f"{prefix!r} is too short: the minimum is 3 characters", option, "use a longer prefix")
    if len(prefix.encode()) > _LONGEST_PREFIX:
        raise UsageError(
            f"the prefix is too long: the maximum is {_LONGEST_PREFIX} bytes", option, "use a shorter prefix"
        )
    if has_control_characters(prefix) or any(part in (".", "..") for part in prefix.split("/")):
        raise UsageError(
            f"{prefix!r} has characters that tools can't handle", option, "use letters, digits and !-_.*'()/"
        )
