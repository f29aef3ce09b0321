"""Requests about exports: start, describe, list and locate them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any

from botocore.exceptions import ClientError

from converter.aws.access import Access, Connection
from converter.aws.client_errors import AWS_ERRORS, code_of, is_missing
from converter.aws.export_errors import export_error, failed_export_error
from converter.aws.export_request import ExportRequest
from converter.aws.export_state import COMPLETED, FAILED, FULL, IN_PROGRESS, ExportState, ExportSummary, state_of
from converter.aws.responses import needed
from converter.aws.tables import dynamodb
from converter.aws.target import OPTIONS, ExportTarget
from converter.errors import BusyError, ExportError, UsageError
from converter.utc import short_utc

_PAGE = 25
# Control plane requests have low limits.
_CONCURRENCY = 8
# A Date header has whole seconds.
_DATE_PRECISION = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedExport:
    """A requested export. is_new: False if an equal request already started it."""

    state: ExportState
    is_new: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportListing:
    """Exports, the newest first. more: the number of older exports that are not included."""

    exports: tuple[ExportState, ...]
    more: int = 0


def start_export(request: ExportRequest, access: Access, *, today: date | None = None) -> StartedExport:
    """Start an export of a table, or return the export of an equal request in the last 8 hours.

    today: the date in the token of an export of the current time; None is the date in UTC.

    If that export failed, another one is started, unless the request has an explicit token: then ExportError is raised,
    because DynamoDB returns the failed export for 8 hours. Raises UsageError, also if the bucket does not exist,
    BusyError (too many exports are in progress), StorageError.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
    """
    _check_bucket(request.target, access)
    client = dynamodb(request.table_arn, access)
    while True:
        begun = monotonic()
        try:
            answer = client.export_table_to_point_in_time(**request.parameters(today or datetime.now(UTC).date()))
        except AWS_ERRORS as error:
            raise export_error(error, request.table_arn) from error
        state = state_of(answer, "ExportTableToPointInTime")
        took = timedelta(seconds=monotonic() - begun)
        is_new = state.start_time is None or state.start_time >= _service_time(answer) - took - _DATE_PRECISION
        if state.status != FAILED:
            return StartedExport(state=state, is_new=is_new)
        if request.token is not None:
            failed = failed_export_error(state.arn, state.failure_code, state.failure_message)
            raise ExportError(
                failed.what,
                failed.where,
                f"{failed.hint}, with another --client-token, because this one returns the failed export",
            )
        if is_new:
            raise failed_export_error(state.arn, state.failure_code, state.failure_message)
        request = replace(request, other_than=(*request.other_than, state.arn))


def describe_export(arn: str, access: Access) -> ExportState:
    """Describe an export, in the region of its ARN.

    Raises ExportError if the export does not exist, BusyError, StorageError and UsageError.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeExport.html
    """
    try:
        return state_of(dynamodb(arn, access).describe_export(ExportArn=arn), "DescribeExport", arn)
    except AWS_ERRORS as error:
        raise export_error(error, arn) from error


def list_exports(table_arn: str | None, access: Access) -> Iterator[ExportSummary]:
    """Yield the exports of the last 90 days of a table, or of all tables in the region, in any order.

    Raises StorageError, UsageError and BusyError.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListExports.html
    """
    about: dict[str, object] = {} if table_arn is None else {"TableArn": table_arn}
    client = dynamodb(table_arn or "", access)
    where = table_arn or "the exports of this account"
    following: dict[str, object] = {}
    while True:
        try:
            page = client.list_exports(MaxResults=_PAGE, **about, **following)
        except AWS_ERRORS as error:
            raise export_error(error, where) from error
        for found in page.get("ExportSummaries") or ():
            arn = needed({"ExportSummaries": found}, "ExportSummaries.ExportArn", "ListExports", where)
            yield ExportSummary(
                arn=str(arn),
                status=str(found.get("ExportStatus", "")),
                type=str(found.get("ExportType", FULL)),
            )
        if not page.get("NextToken"):
            return
        following = {"NextToken": page["NextToken"]}


def describe_exports(arns: Sequence[str], access: Access) -> list[ExportState]:
    """Describe several exports of one region concurrently, in the given order. Expired exports are omitted."""
    if not arns:
        return []
    client = dynamodb(arns[0], access)

    def describe(arn: str) -> ExportState | None:
        try:
            return state_of(client.describe_export(ExportArn=arn), "DescribeExport", arn)
        except AWS_ERRORS as error:
            if isinstance(error, ClientError) and code_of(error) == "ExportNotFoundException":
                return None
            raise export_error(error, arn) from error

    with ThreadPoolExecutor(_CONCURRENCY, thread_name_prefix="describe") as pool:
        return [state for state in pool.map(describe, arns) if state is not None]


def newest_exports(table_arn: str | None, access: Access, limit: int | None) -> ExportListing:
    """Return at most `limit` newest exports of a table, or of the region. Raises the errors of describe_export."""
    arns = [found.arn for found in sorted(list_exports(table_arn, access), key=lambda found: found.export_id)][::-1]
    shown = arns[:limit]
    return ExportListing(exports=tuple(describe_exports(shown, access)), more=len(arns) - len(shown))


def locate_export(arn: str, access: Access) -> str:
    """Return the folder of an export in S3: `s3://bucket/prefix/AWSDynamoDB/01693685827463-2d8752fd`.

    Raises BusyError if the export is not finished, ExportError if it failed, and the errors of describe_export.
    """
    state = describe_export(arn, access)
    if state.status == IN_PROGRESS:
        raise BusyError(
            f"the export is not finished: it is in progress{_since(state.start_time)}",
            arn,
            f"wait for it with `ddb-convert export wait {shlex.quote(arn)}`, then run the same command again",
        )
    if state.status != COMPLETED:
        raise failed_export_error(state.arn, state.failure_code, state.failure_message)
    return state.folder


def _check_bucket(target: ExportTarget, access: Access) -> None:
    """Raise UsageError if the bucket does not exist in the account that must own it.

    DynamoDB detects that ten minutes later, and charges for the export. Other errors of S3 are ignored: the caller may
    have no s3:ListBucket, or only for some folders, and still have all permissions that an export needs.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
    """
    owner = {} if target.bucket_owner is None else {"ExpectedBucketOwner": target.bucket_owner}
    try:
        Connection(access, "s3").client().head_bucket(Bucket=target.bucket, **owner)
    except AWS_ERRORS as error:
        if is_missing(error):
            raise UsageError(
                f"the bucket {target.bucket!r} does not exist, and nothing was exported",
                OPTIONS["bucket"],
                "create the bucket, or correct its name",
            ) from error


def _service_time(answer: dict[str, Any]) -> datetime:
    """Return the time of the service from a response, or the local time if the response has no date."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return datetime.now(UTC) if date is None else parsedate_to_datetime(date)


def _since(start: datetime | None) -> str:
    if start is None:
        return ""
    minutes = int((datetime.now(UTC) - start).total_seconds() // 60)
    return f" since {short_utc(start)}, for {minutes} minutes"
