"""Manifests with every member open to change."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders"
FULL_ID = "01700000000000-0a1b2c3d"
WINDOW_ID = "01700000900000-1a2b3c4d"

MakeExport = Callable[..., Path]


def md5_base64(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()


def full_summary(**changes: object) -> dict[str, object]:
    export_id = changes.pop("export_id", FULL_ID)
    return {
        "version": "2020-06-30",
        "exportArn": f"{ARN}/export/{export_id}",
        "startTime": "2023-11-14T22:13:20.000Z",
        "endTime": "2023-11-14T22:20:20.123Z",
        "tableArn": ARN,
        "tableId": "11111111-2222-3333-4444-555555555555",
        "exportTime": "2023-11-14T22:13:20.001Z",
        "s3Bucket": "bucket",
        "s3Prefix": "some/prefix",
        "billedSizeBytes": 99,
        "outputFormat": "DYNAMODB_JSON",
        **changes,
    }


def window_summary(**changes: object) -> dict[str, object]:
    summary = full_summary(
        version="2023-08-01",
        export_id=WINDOW_ID,
        exportFromTime="2023-11-14T22:13:20.000Z",
        exportToTime="2023-11-14T22:28:20.000Z",
        outputView="NEW_AND_OLD_IMAGES",
        exportType="INCREMENTAL_EXPORT",
    )
    del summary["exportTime"]
    return {**summary, **changes}


def entry(key: str, content: bytes, items: int = 1, **changes: object) -> dict[str, object]:
    return {"itemCount": items, "md5Checksum": md5_base64(content), "etag": "e-1", "dataFileS3Key": key, **changes}


def write_manifests(
    folder: Path, summary: dict[str, object], entries: Sequence[dict[str, object]], checksums: str | None = ".md5"
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if "itemCount" not in summary:
        summary = {**summary, "itemCount": sum(int(str(e["itemCount"])) for e in entries)}
    contents = {
        "manifest-summary": json.dumps(summary, separators=(",", ":")).encode(),
        "manifest-files": b"".join(json.dumps(e).encode() + b"\n" for e in entries),
    }
    for stem, content in contents.items():
        (folder / f"{stem}.json").write_bytes(content)
        if checksums:
            (folder / f"{stem}{checksums}").write_text(md5_base64(content))
    (folder / "_started").touch()
