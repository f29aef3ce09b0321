"""The requests about exports: to begin one, to list them, and to ask where one lies in S3 or why it can't be read."""

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

from converter.aws.access import Access
from converter.aws.buckets import check_bucket
from converter.aws.client_errors import AWS_ERRORS, code_of
from converter.aws.export_errors import export_error, failed_export
from converter.aws.export_request import ExportRequest
from converter.aws.export_state import COMPLETED, FAILED, FULL, IN_PROGRESS, ExportState, ExportSummary, state_of
from converter.aws.responses import needed
from converter.aws.tables import dynamodb
from converter.errors import BusyError, ExportError
from converter.utc import short_utc

_PAGE = 25
# Requests that are not about items are throttled early.
_AT_ONCE = 8
# Of a Date header.
_ROUNDED = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedExport:
    """An export that was asked for. is_new: false where the service had begun it before, for an equal request."""

    state: ExportState
    is_new: bool
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportListing:
    """Exports, the newest first. more: how many older ones the service knows beside them."""

    exports: tuple[ExportState, ...]
    more: int = 0


def start_export(request: ExportRequest, access: Access, *, today: date | None = None) -> StartedExport:
    """Have the service export a table; an equal request of the last 8 hours has its export as the answer.

    today: the date that is a part of a request for an export of now; None: the date in UTC.

    Where that has failed, another one is begun, unless the request has a token of its own: then ExportError is raised,
    as the service would give the same answer as long as it remembers the token. Raises UsageError, also for a bucket
    that does not exist, BusyError (too many exports are under way), StorageError.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
    """
    check_bucket(request.target, access)
    client = dynamodb(request.table_arn, access)
    while True:
        begun = monotonic()
        try:
            answer = client.export_table_to_point_in_time(**request.parameters(today or datetime.now(UTC).date()))
        except AWS_ERRORS as error:
            raise export_error(error, request.table_arn) from error
        state = state_of(answer, "ExportTableToPointInTime")
        took = timedelta(seconds=monotonic() - begun)
        is_new = state.start_time is None or state.start_time >= _now_there(answer) - took - _ROUNDED
        if state.status != FAILED:
            return StartedExport(state=state, is_new=is_new)
        if request.token is not None:
            failed = failure_of(state)
            raise ExportError(
                failed.what, failed.where, f"{failed.hint}, with another --client-token: the service remembers this one"
            )
        if is_new:
            raise failure_of(state)
        request = replace(request, other_than=(*request.other_than, state.arn))


def describe_export(arn: str, access: Access) -> ExportState:
    """What the service says of an export.

    It is asked in the ARN's region. Raises ExportError for an export that the service does not know, BusyError,
    StorageError and UsageError.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeExport.html
    """
    try:
        return state_of(dynamodb(arn, access).describe_export(ExportArn=arn), "DescribeExport", arn)
    except AWS_ERRORS as error:
        raise export_error(error, arn) from error


def list_exports(table_arn: str | None, access: Access) -> Iterator[ExportSummary]:
    """The exports of a table, or of all tables in the region, of the last 90 days; in no order that is promised.

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
    """Several exports of one region, in the order given, asked about side by side; without those just forgotten."""
    if not arns:
        return []
    client = dynamodb(arns[0], access)

    def describe(arn: str) -> ExportState | None:
        try:
            return state_of(client.describe_export(ExportArn=arn), "DescribeExport", arn)
        except ClientError as error:
            if code_of(error) == "ExportNotFoundException":
                return None
            raise export_error(error, arn) from error
        except AWS_ERRORS as error:
            raise export_error(error, arn) from error

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="describe") as pool:
        return [state for state in pool.map(describe, arns) if state is not None]


def newest_exports(table_arn: str | None, access: Access, limit: int | None) -> ExportListing:
    """The newest exports of a table, or of all in the region, `limit` at most. Raises as describe_export does."""
    arns = [found.arn for found in sorted(list_exports(table_arn, access), key=lambda found: found.export_id)][::-1]
    shown = arns[:limit]
    return ExportListing(exports=tuple(describe_exports(shown, access)), more=len(arns) - len(shown))


def locate_export(arn: str, access: Access) -> str:
    """The folder in S3 of the export with this ARN: `s3://bucket/prefix/AWSDynamoDB/01693685827463-2d8752fd`.

    Raises BusyError for an export that is not finished, ExportError for one that has failed, and what describe_export
    raises.
    """
    state = describe_export(arn, access)
    if state.status == IN_PROGRESS:
        raise BusyError(
            f"the export is not finished: it is in progress{_since(state.start_time)}",
            arn,
            f"wait for it with `ddb-convert export wait {shlex.quote(arn)}`, then run the same command again",
        )
    if state.status != COMPLETED:
        raise failure_of(state)
    return state.folder


def failure_of(state: ExportState) -> ExportError:
    """The error for an export that has failed."""
    return failed_export(state.arn, state.failure_code or "no failure code", state.failure_message or "no message")


def _now_there(answer: dict[str, Any]) -> datetime:
    """The service's clock, by which it says when an export began; ours where the answer does not have it."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return datetime.now(UTC) if date is None else parsedate_to_datetime(date)


def _since(start: datetime | None) -> str:
    if start is None:
        return ""
    minutes = int((datetime.now(UTC) - start).total_seconds() // 60)
    return f" since {short_utc(start)}, for {minutes} minutes"
