"""Exports as the service knows them: where one lies in S3, or why it can't be read."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from converter.aws.access import Access, Connection
from converter.aws.refusals import code_of, refused
from converter.errors import BusyError, ExportError


def locate_export(arn: str, access: Access) -> str:
    """The folder in S3 of the export with this ARN: `s3://bucket/prefix/AWSDynamoDB/01693685827463-2d8752fd`.

    The service is asked in the ARN's region, unless `access` has one. Raises BusyError for an export that is not
    finished, ExportError for one that has failed or that the service does not know, StorageError and UsageError.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeExport.html
    """
    _, _, _, region, _, resource = arn.split(":", 5)
    try:
        client = Connection(replace(access, region=access.region or region), "dynamodb").client()
        export: dict[str, Any] = client.describe_export(ExportArn=arn)["ExportDescription"]
    except ClientError as error:
        if code_of(error) == "ExportNotFoundException":
            raise _unknown(arn) from None
        raise refused(error, arn) from error
    except BotoCoreError as error:
        raise refused(error, arn) from error
    if export["ExportStatus"] == "IN_PROGRESS":
        raise BusyError(
            f"the export is not finished: it is in progress{_since(export.get('StartTime'))}",
            arn,
            "wait until `aws dynamodb describe-export --export-arn …` says COMPLETED, then run the same command again",
        )
    if export["ExportStatus"] != "COMPLETED":
        code, message = export.get("FailureCode", "no failure code"), export.get("FailureMessage", "no message")
        raise ExportError(
            f"the export has {export['ExportStatus'].lower()}: {code}: {message.rstrip('.')}",
            arn,
            "remove the cause, and export the table again: aws dynamodb export-table-to-point-in-time",
        )
    manifest = export.get("ExportManifest")
    above = (part for part in (export.get("S3Prefix"), "AWSDynamoDB", resource.rpartition("/")[2]) if part)
    return f"s3://{export['S3Bucket']}/{posixpath.dirname(manifest) if manifest else '/'.join(above)}"


def _unknown(arn: str) -> ExportError:
    table_arn = arn.partition("/export/")[0]
    return ExportError(
        "the service knows no such export; it forgets them after 90 days",
        arn,
        f"see `aws dynamodb list-exports --table-arn {table_arn}`, or name the export's folder in S3",
    )


def _since(start: datetime | None) -> str:
    if start is None:
        return ""
    minutes = int((datetime.now(UTC) - start).total_seconds() // 60)
    return f" since {start.astimezone(UTC).isoformat(timespec='seconds').replace('+00:00', 'Z')}, for {minutes} minutes"
