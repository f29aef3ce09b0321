"""Errors for the responses of DynamoDB about tables and exports."""

from __future__ import annotations

import shlex

from botocore.exceptions import ClientError

from converter.aws.client_errors import AGAIN, client_error, code_of, is_denied
from converter.errors import BusyError, ConvertError, ExportError, StorageError, UsageError

_FAILURES = {
    "nosuchbucket": "create the bucket, or pass another one with --bucket",
    "kms": "allow this user or role to use the KMS key, in its policy and in the key policy",
    "accessdenied": (
        "allow the caller s3:PutObject, s3:PutObjectAcl and s3:AbortMultipartUpload on the bucket; if another account "
        "owns it, also in its bucket policy, and pass --bucket-owner"
    ),
    "bucketowner": "pass the account that owns the bucket with --bucket-owner",
}
"""Hints by a substring of FailureCode or FailureMessage without spaces."""


def export_error(error: Exception, where: str) -> ConvertError:
    """Return the error for an exception of botocore about a table or an export. where: its ARN or name.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
    """
    if not isinstance(error, ClientError):
        return client_error(error, where)
    if is_denied(error):
        return _denied_error(error, where)
    message = str(error.response.get("Error", {}).get("Message", "")).rstrip(".") or "no reason is given"
    match code_of(error):
        case "ExportNotFoundException":
            return _unknown_export_error(where)
        case "TableNotFoundException" | "ResourceNotFoundException":
            return UsageError(
                "the table does not exist",
                where,
                "correct its name, --region or --profile; `aws dynamodb list-tables` lists all tables",
            )
        case "PointInTimeRecoveryUnavailableException":
            return recovery_is_off_error(where)
        case "InvalidExportTimeException":
            return UsageError(
                f"the table can't be exported as of this time: {message}",
                where,
                "use a time in the last 35 days, after point-in-time recovery was enabled, and at least 5 minutes ago",
            )
        case "ExportConflictException":
            return UsageError(
                f"another request in the last 8 hours used this client token: {message}",
                where,
                "pass another --client-token, or repeat the options of that request",
            )
        case "LimitExceededException":
            return BusyError(
                f"the account's limit of concurrent exports is reached: {message}",
                where,
                f"{AGAIN} later; an account can have 300 exports, or exports of 100 TB, in progress at once",
            )
        case "ThrottlingException" | "Throttling" | "RequestLimitExceeded":
            return StorageError(
                f"DynamoDB throttled the request, after several retries: {message}", where, f"{AGAIN} later"
            )
        case "ValidationException":
            return UsageError(f"not valid in DynamoDB: {message}", where, "correct the value")
        case "InternalServerError":
            return StorageError(
                f"DynamoDB failed, after several retries: {message}",
                where,
                f"{AGAIN} later; no export is started twice",
            )
        case _:
            return client_error(error, where)


def failed_export_error(arn: str, code: str | None, message: str | None) -> ExportError:
    """Return the error for a failed export, with a hint for its failure code.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportDescription.html
    """
    code, message = code or "no failure code", message or "no message"
    reported = f"{code} {message}".lower().replace(" ", "")
    help = next((help for pattern, help in _FAILURES.items() if pattern in reported), "remove the cause")
    return ExportError(f"the export failed: {code}: {message.rstrip('.')}", arn, f"{help}; then export the table again")


def recovery_is_off_error(table_arn: str) -> UsageError:
    """Return the error for a table without point-in-time recovery, with the command that enables it."""
    region, name = table_arn.split(":")[3], table_arn.rpartition("/")[2]
    return UsageError(
        "the table can't be exported, because point-in-time recovery is disabled",
        table_arn,
        f"enable it (AWS charges for it): aws dynamodb update-continuous-backups --region {shlex.quote(region)} "
        f"--table-name {shlex.quote(name)} --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
    )


def _denied_error(error: ClientError, where: str) -> ConvertError:
    denied = client_error(error, where)
    if error.operation_name != "ExportTableToPointInTime":
        return denied
    return StorageError(
        denied.what,
        where,
        f"{denied.hint}; DynamoDB writes the objects with the permissions of the caller, which needs s3:PutObject, "
        "s3:PutObjectAcl and s3:AbortMultipartUpload on the bucket",
    )


def _unknown_export_error(arn: str) -> ExportError:
    table_arn = arn.partition("/export/")[0]
    return ExportError(
        "DynamoDB has no such export; it keeps the details of exports for 90 days",
        arn,
        f"run `ddb-convert export list {shlex.quote(table_arn)}`, or pass the folder of the export in S3",
    )
