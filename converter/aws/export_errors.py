"""What the service refuses about tables and exports, as errors of ours; anything else is told as everywhere."""

from __future__ import annotations

import shlex

from botocore.exceptions import ClientError

from converter.aws.client_errors import AGAIN, client_error, code_of, is_denied
from converter.errors import BusyError, ConvertError, ExportError, StorageError, UsageError

_FAILURES = {
    "nosuchbucket": "make the bucket, or name another one by --bucket",
    "kms": "allow this user or role the use of the KMS key, in its policy and in the key's own",
    "accessdenied": (
        "allow the caller s3:PutObject, s3:PutObjectAcl and s3:AbortMultipartUpload on the bucket; if another account "
        "owns it, in its bucket policy too, and pass --bucket-owner"
    ),
    "bucketowner": "pass the account that owns the bucket by --bucket-owner",
}
"""What to do, by what stands in a FailureCode or FailureMessage without its spaces."""


def export_error(error: Exception, where: str) -> ConvertError:
    """The error for what botocore raised about a table or an export; where: its ARN, or the table's name.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
    """
    if not isinstance(error, ClientError):
        return client_error(error, where)
    if is_denied(error):
        return _denied(error, where)
    message = str(error.response.get("Error", {}).get("Message", "")).rstrip(".") or "no reason is given"
    match code_of(error):
        case "ExportNotFoundException":
            return _unknown(where)
        case "TableNotFoundException" | "ResourceNotFoundException":
            return UsageError(
                "the service knows no such table",
                where,
                "correct its name, its --region or the --profile: `aws dynamodb list-tables` shows all of them",
            )
        case "PointInTimeRecoveryUnavailableException":
            return recovery_is_off(where)
        case "InvalidExportTimeException":
            return UsageError(
                f"the table can't be exported as of this time: {message}",
                where,
                "name a time of the last 35 days since point-in-time recovery was turned on, 5 minutes ago or earlier",
            )
        case "ExportConflictException":
            return UsageError(
                f"the service has this client token from another request of the last 8 hours: {message}",
                where,
                "pass another --client-token, or exactly the options of that request",
            )
        case "LimitExceededException":
            return BusyError(
                f"too much is going on in this account already: {message}",
                where,
                f"{AGAIN} later; an account may have 300 exports, or 100 TB of tables, under way at once",
            )
        case "ThrottlingException" | "Throttling" | "RequestLimitExceeded":
            return StorageError(
                f"the service asks to slow down, several times in a row: {message}", where, f"{AGAIN} later"
            )
        case "ValidationException":
            return UsageError(f"the service can't take this: {message}", where, "correct it")
        case "InternalServerError":
            return StorageError(
                f"the service failed, several times in a row: {message}", where, f"{AGAIN} later; nothing is done twice"
            )
        case _:
            return client_error(error, where)


def failed_export(arn: str, code: str, message: str) -> ExportError:
    """The error for an export that the service has given up, with what helps against the reason that it says.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportDescription.html
    """
    said = f"{code} {message}".lower().replace(" ", "")
    help = next((help for sign, help in _FAILURES.items() if sign in said), "remove the cause")
    return ExportError(
        f"the export has failed: {code}: {message.rstrip('.')}", arn, f"{help}; then export the table again"
    )


def recovery_is_off(table_arn: str) -> UsageError:
    """The error for a table that can't be exported, with the command that changes it."""
    region, name = table_arn.split(":")[3], table_arn.rpartition("/")[2]
    return UsageError(
        "the table can't be exported: point-in-time recovery is off",
        table_arn,
        f"turn it on (AWS charges for it): aws dynamodb update-continuous-backups --region {shlex.quote(region)} "
        f"--table-name {shlex.quote(name)} --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
    )


def _denied(error: ClientError, where: str) -> ConvertError:
    told = client_error(error, where)
    if error.operation_name != "ExportTableToPointInTime":
        return told
    return StorageError(
        told.what,
        where,
        f"{told.hint}; the objects are written with the caller's rights, which are s3:PutObject, s3:PutObjectAcl and "
        "s3:AbortMultipartUpload on the bucket",
    )


def _unknown(arn: str) -> ExportError:
    table_arn = arn.partition("/export/")[0]
    return ExportError(
        "the service knows no such export; it forgets them after 90 days",
        arn,
        f"see `ddb-convert export list {shlex.quote(table_arn)}`, or name the export's folder in S3",
    )
