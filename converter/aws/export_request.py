"""What the service is asked to export, checked before it is asked, and the token that keeps it from doing so twice."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import get_args

from converter.aws.export_errors import recovery_is_off
from converter.aws.tables import RecoveryWindow, Table
from converter.aws.target import ExportTarget, View
from converter.errors import UsageError
from converter.utc import short_utc

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html
SHORTEST_WINDOW = timedelta(minutes=15)
LONGEST_WINDOW = timedelta(hours=24)
# What was written within this time can't be exported by its time yet.
BEHIND_NOW = timedelta(minutes=5)

_EXPORT_TIME = "--export-time"
_FROM = "--from"
_TO = "--to"
_VIEWS: dict[View, str] = {"new": "NEW_IMAGE", "new-and-old": "NEW_AND_OLD_IMAGES"}
_LONGEST_TOKEN = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The changes of [from_time, to_time). view: whether they say what an item was before, beside what it became."""

    from_time: datetime
    to_time: datetime
    view: View = "new-and-old"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """An export to be made: of the changes in `window`, or else of all items as they were at `time`; None is now.

    table_id: tells a table from an older one of its name. token: the client token to use; None makes one. other_than:
    ARNs of exports that have failed, which the same request must not be answered with again.

    Raises UsageError for a time and a window, for times without a zone or with parts of a second (the service counts
    seconds), and for a window of less than 15 minutes or more than 24 hours.
    """

    table_arn: str
    target: ExportTarget
    table_id: str | None = None
    time: datetime | None = None
    window: Window | None = None
    token: str | None = None
    other_than: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.time is not None and self.window is not None:
            raise UsageError(
                "an export is of one moment or of a window", _EXPORT_TIME, "leave it out, or leave --incremental out"
            )
        if self.time is not None:
            _check_time(self.time, _EXPORT_TIME)
        if self.window is not None:
            _check_window(self.window)
        if self.token is not None and (not 1 <= len(self.token) <= _LONGEST_TOKEN or "$" in self.token):
            raise UsageError(
                f"a client token has 1 to {_LONGEST_TOKEN} characters, and no $", "--client-token", "choose another one"
            )

    def check_now(self, now: datetime) -> None:
        """Raises UsageError for times that can't be exported at this moment, whatever the table."""
        if self.time is not None and self.time > now - BEHIND_NOW:
            raise UsageError(
                f"{short_utc(self.time)} is {'in the future' if self.time > now else 'less than 5 minutes ago'}",
                _EXPORT_TIME,
                "leave it out to export the table as it is now, or name an earlier time",
            )
        if self.window is not None and self.window.to_time > now:
            raise UsageError(
                f"the window ends in the future, at {short_utc(self.window.to_time)}",
                _TO,
                "wait, or end it earlier",
            )

    def check_within(self, recovery: RecoveryWindow | None, table: Table) -> None:
        """Raises UsageError for what the table's point-in-time recovery does not reach; None: it is off."""
        if recovery is None:
            raise recovery_is_off(table.arn)
        times = {_EXPORT_TIME: self.time}
        if self.window is not None:
            times = {_FROM: self.window.from_time, _TO: self.window.to_time}
        for option, time in times.items():
            if time is not None and recovery.earliest is not None and time < recovery.earliest:
                raise UsageError(
                    f"{short_utc(time)} is before what point-in-time recovery of {table.name} reaches back to: "
                    f"{short_utc(recovery.earliest)}",
                    option,
                    "name a later time",
                )
            if time is not None and recovery.latest is not None and time > recovery.latest:
                raise UsageError(
                    f"{short_utc(time)} is after the last moment that point-in-time recovery of {table.name} has: "
                    f"{short_utc(recovery.latest)}",
                    option,
                    "wait some minutes, or name an earlier time",
                )

    def client_token(self, today: date) -> str:
        """The token that the service knows this request by for 8 hours: 32 hex digits, unless one is given.

        It is the same for equal requests. Of an export of now, the date (UTC) is a part.
        """
        if self.token is not None:
            return self.token
        moment: list[str]
        if self.window is not None:
            moment = [short_utc(self.window.from_time), short_utc(self.window.to_time), self.window.view]
        else:
            moment = [today.isoformat() if self.time is None else short_utc(self.time)]
        said = [self.table_arn, self.table_id, moment, asdict(self.target), sorted(self.other_than)]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]

    def parameters(self, today: date) -> dict[str, object]:
        """Of ExportTableToPointInTime.

        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
        """
        window = self.window
        given: dict[str, object | None] = {
            "TableArn": self.table_arn,
            "ClientToken": self.client_token(today),
            "S3Bucket": self.target.bucket,
            "S3BucketOwner": self.target.bucket_owner,
            "S3Prefix": self.target.prefix,
            "S3SseAlgorithm": self.target.sse,
            "S3SseKmsKeyId": self.target.kms_key_id,
            "ExportFormat": self.target.format,
            "ExportTime": self.time,
            "ExportType": "FULL_EXPORT" if window is None else "INCREMENTAL_EXPORT",
        }
        if window is not None:
            given["IncrementalExportSpecification"] = {
                "ExportFromTime": window.from_time,
                "ExportToTime": window.to_time,
                "ExportViewType": _VIEWS[window.view],
            }
        return {name: value for name, value in given.items() if value is not None}


def view_of(name: str) -> View:
    """The view that the service calls NEW_IMAGE or NEW_AND_OLD_IMAGES."""
    return "new" if name == _VIEWS["new"] else "new-and-old"


def _check_window(window: Window) -> None:
    _check_time(window.from_time, _FROM)
    _check_time(window.to_time, _TO)
    if window.view not in get_args(View):
        raise UsageError(f"{window.view!r} is not known", "--view", f"use one of: {', '.join(get_args(View))}")
    span = window.to_time - window.from_time
    if span <= timedelta(0):
        raise UsageError("the window ends before it has begun", _TO, f"{_FROM} is the earlier of both")
    if span < SHORTEST_WINDOW:
        raise UsageError(f"the window is {span} long: the service takes 15 minutes or more", _TO, "end it later")
    if span > LONGEST_WINDOW:
        raise UsageError(
            f"the window is {span} long: the service takes 24 hours at most",
            _TO,
            "export several windows, each of which begins where the one before ends",
        )


def _check_time(time: datetime, option: str) -> None:
    if time.tzinfo is None:
        raise UsageError(f"{time} has no time zone", option, "say which one it is in")
    if time.microsecond:
        raise UsageError(
            f"{time.isoformat()} has parts of a second, and the service counts whole ones", option, "leave them out"
        )
