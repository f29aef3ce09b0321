"""State of an export, as DynamoDB describes it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from converter.aws.export_request import Window, view_of
from converter.aws.responses import needed
from converter.aws.s3_uri import s3_uri
from converter.utc import short_utc

IN_PROGRESS = "IN_PROGRESS"
COMPLETED = "COMPLETED"
FAILED = "FAILED"
INCREMENTAL = "INCREMENTAL_EXPORT"

FULL = "FULL_EXPORT"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSummary:
    """Entry of a list of exports. status: IN_PROGRESS, COMPLETED, FAILED. type: FULL_EXPORT, INCREMENTAL_EXPORT."""

    arn: str
    status: str
    type: str

    @property
    def export_id(self) -> str:
        """The time of the request in milliseconds, and eight hex digits. Newer exports have greater ids."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportState(ExportSummary):
    """Description of an export. Fields that DynamoDB does not report, or not yet, are None.

    export_time: time of a full export. window: window of an incremental export. manifest: key of manifest-summary.json
    of a completed export. start_time, end_time: start and end of the export. item_count, billed_size_bytes: of a
    completed export. filtered: whether a filter or projection was applied.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportDescription.html
    """

    table_arn: str
    table_id: str | None = None
    export_time: datetime | None = None
    window: Window | None = None
    bucket: str
    prefix: str | None = None
    bucket_owner: str | None = None
    format: str
    sse: str | None = None
    kms_key_id: str | None = None
    client_token: str | None = None
    manifest: str | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    failure_code: str | None = None
    failure_message: str | None = None
    item_count: int | None = None
    billed_size_bytes: int | None = None
    filtered: bool = False

    @property
    def folder(self) -> str:
        """The location of the export: `s3://bucket/prefix/AWSDynamoDB/01693685827463-2d8752fd`."""
        above = (part for part in (self.prefix, "AWSDynamoDB", self.export_id) if part)
        return s3_uri(self.bucket, posixpath.dirname(self.manifest) if self.manifest else "/".join(above))

    def to_json(self) -> dict[str, object]:
        """Return the known fields as JSON types."""
        window = self.window and {
            "from": short_utc(self.window.from_time),
            "to": short_utc(self.window.to_time),
            "view": self.window.view,
        }
        known = {
            "exportArn": self.arn,
            "exportId": self.export_id,
            "status": self.status,
            "type": self.type,
            "tableArn": self.table_arn,
            "tableId": self.table_id,
            "exportTime": _text(self.export_time),
            "window": window,
            "folder": self.folder,
            "bucket": self.bucket,
            "prefix": self.prefix,
            "bucketOwner": self.bucket_owner,
            "format": self.format,
            "sse": self.sse,
            "kmsKeyId": self.kms_key_id,
            "clientToken": self.client_token,
            "manifest": self.manifest,
            "startTime": _text(self.start_time),
            "endTime": _text(self.end_time),
            "failureCode": self.failure_code,
            "failureMessage": self.failure_message,
            "itemCount": self.item_count,
            "billedSizeBytes": self.billed_size_bytes,
            "filtered": self.filtered,
        }
        return {name: value for name, value in known.items() if value is not None}


def state_of(answer: Mapping[str, Any], operation: str, arn: str = "") -> ExportState:
    """Return the state in the response to an operation. arn: of the export, if it is known. Raises StorageError."""
    described: Mapping[str, Any] = answer.get("ExportDescription") or {}
    arn = arn or str(needed(answer, "ExportDescription.ExportArn", operation, "the export"))
    text = partial(_text_in, described)
    spec: Mapping[str, Any] = described.get("IncrementalExportSpecification") or {}
    return ExportState(
        arn=text("ExportArn") or arn,
        status=str(needed(answer, "ExportDescription.ExportStatus", operation, arn)),
        type=text("ExportType") or FULL,
        table_arn=text("TableArn") or arn.partition("/export/")[0],
        table_id=text("TableId"),
        export_time=described.get("ExportTime"),
        window=_window(spec),
        bucket=str(needed(answer, "ExportDescription.S3Bucket", operation, arn)),
        prefix=text("S3Prefix"),
        bucket_owner=text("S3BucketOwner"),
        format=text("ExportFormat") or "DYNAMODB_JSON",
        sse=text("S3SseAlgorithm"),
        kms_key_id=text("S3SseKmsKeyId"),
        client_token=text("ClientToken"),
        manifest=text("ExportManifest"),
        start_time=described.get("StartTime"),
        end_time=described.get("EndTime"),
        failure_code=text("FailureCode"),
        failure_message=text("FailureMessage"),
        item_count=described.get("ItemCount"),
        billed_size_bytes=described.get("BilledSizeBytes"),
        filtered=any((described.get("FilterSpecification") or {}).values()),
    )


def _text_in(described: Mapping[str, Any], name: str) -> str | None:
    return str(described[name]) if described.get(name) else None


def _window(spec: Mapping[str, Any]) -> Window | None:
    if not spec.get("ExportFromTime") or not spec.get("ExportToTime"):
        return None
    return Window(
        from_time=spec["ExportFromTime"],
        to_time=spec["ExportToTime"],
        view=view_of(str(spec.get("ExportViewType", ""))),
    )


def _text(time: datetime | None) -> str | None:
    return None if time is None else short_utc(time)
