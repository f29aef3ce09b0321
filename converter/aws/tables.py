"""Tables in DynamoDB: ARN, id, keys and recovery window."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from converter.aws.access import Access, Connection
from converter.aws.client_errors import AWS_ERRORS, is_denied
from converter.aws.export_errors import export_error
from converter.aws.responses import missing_member_error, needed
from converter.errors import StorageError, UsageError

_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_ARN = re.compile(r"arn:[^:/]+:dynamodb:([^:/]+):([0-9]{12}):table/([A-Za-z0-9_.-]{3,255})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table. table_id: differs if a table is deleted and created again with the same name. account: 12 digits.

    keys: names and types (S, N, B) of the key attributes, the partition key first. table_id and keys can be empty if
    they are not needed.
    """

    arn: str
    table_id: str
    name: str
    region: str
    account: str
    keys: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryWindow:
    """Times for which a table can be exported, inclusive. None: not known, so that DynamoDB must check."""

    earliest: datetime | None = None
    latest: datetime | None = None


def describe_table(table: str, access: Access, *, in_full: bool = True) -> Table:
    """Describe a table by its name or ARN.

    The region of an ARN has precedence over that of `access`, which may be the region of the bucket. in_full: require
    the id and the keys. Raises UsageError if the table does not exist, and StorageError, also for incomplete responses.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html
    """
    check_table(table)
    try:
        answer: dict[str, Any] = dynamodb(table, access).describe_table(TableName=table)
    except AWS_ERRORS as error:
        raise export_error(error, table) from error
    arn = str(needed(answer, "Table.TableArn", "DescribeTable", table))
    match = _ARN.fullmatch(arn)
    if match is None:
        raise StorageError(
            f"the response to DescribeTable has the table {arn!r}, which is not the ARN of a table",
            table,
            "check which server is at --endpoint-url",
        )
    described = answer["Table"]
    table_id = needed(answer, "Table.TableId", "DescribeTable", table) if in_full else described.get("TableId", "")
    return Table(
        arn=arn,
        table_id=str(table_id),
        name=match[3],
        region=match[1],
        account=match[2],
        keys=_keys(described, table) if in_full else (),
    )


def _keys(described: Mapping[str, Any], table: str) -> tuple[tuple[str, str], ...]:
    """Return the names and types of the key attributes."""

    def text(of: Mapping[str, Any], within: str, member: str) -> str:
        if not of.get(member):
            raise missing_member_error(f"Table.{within}.{member}", "DescribeTable", table)
        return str(of[member])

    types = {
        text(each, "AttributeDefinitions", "AttributeName"): text(each, "AttributeDefinitions", "AttributeType")
        for each in described.get("AttributeDefinitions") or ()
    }
    names = [text(each, "KeySchema", "AttributeName") for each in described.get("KeySchema") or ()]
    if not names:
        raise missing_member_error("Table.KeySchema", "DescribeTable", table)
    if not types.keys() >= set(names):
        raise missing_member_error("Table.AttributeDefinitions of each key", "DescribeTable", table)
    return tuple((name, types[name]) for name in names)


def recovery_window(table: Table, access: Access, warn: Callable[[str], None]) -> RecoveryWindow | None:
    """Return the recovery window of a table, or None if point-in-time recovery is disabled.

    Without the permission to request it, both ends are None, and `warn` is called with the reason. Raises UsageError if
    the table does not exist, and StorageError.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeContinuousBackups.html
    """
    try:
        answer = dynamodb(table.arn, access).describe_continuous_backups(TableName=table.arn)
    except AWS_ERRORS as error:
        if not is_denied(error):
            raise export_error(error, table.arn) from error
        warn(
            f"{table.arn}: can't check point-in-time recovery, because dynamodb:DescribeContinuousBackups is not "
            "allowed"
        )
        return RecoveryWindow()
    recovery = (answer.get("ContinuousBackupsDescription") or {}).get("PointInTimeRecoveryDescription") or {}
    status = recovery.get("PointInTimeRecoveryStatus")
    if not status:
        warn(
            f"{table.arn}: can't check point-in-time recovery, because the response to DescribeContinuousBackups has "
            "no PointInTimeRecoveryStatus"
        )
        return RecoveryWindow()
    if status != "ENABLED":
        return None
    return RecoveryWindow(
        earliest=recovery.get("EarliestRestorableDateTime"), latest=recovery.get("LatestRestorableDateTime")
    )


def check_table(table: str) -> None:
    """Raise UsageError for text that is not the name or ARN of a table."""
    if table.startswith("arn:"):
        if _ARN.fullmatch(table) is None:
            raise UsageError(
                "this is not the ARN of a table",
                table,
                "use arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE, or the name",
            )
    elif _NAME.fullmatch(table) is None:
        raise UsageError(
            f"{table!r} is not a valid name of a table",
            "TABLE",
            "use 3 to 255 letters, digits, _, - and dots, or the ARN of the table",
        )


def dynamodb(arn: str, access: Access) -> Any:
    """Return the client for the region of an ARN, or of `access` for a name."""
    region = arn.split(":")[3] if arn.startswith("arn:") else access.region
    return Connection(replace(access, region=region), "dynamodb").client()
