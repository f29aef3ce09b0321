"""Request for an export: its checks, and the token that prevents duplicate exports."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import get_args

from converter.aws.export_errors import recovery_is_off_error
from converter.aws.tables import RecoveryWindow, Table
from converter.aws.target import ExportTarget, View
from converter.errors import UsageError
from converter.option_values import check_choice
from converter.utc import short_utc

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html
SHORTEST_WINDOW = timedelta(minutes=15)
LONGEST_WINDOW = timedelta(hours=24)
# Exports of a given time are possible after this delay.
RECOVERY_DELAY = timedelta(minutes=5)

_EXPORT_TIME = "--export-time"
_FROM = "--from"
_TO = "--to"
_VIEWS: dict[View, str] = {"new": "NEW_IMAGE", "new-and-old": "NEW_AND_OLD_IMAGES"}
_LONGEST_TOKEN = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Window of changes, [from_time, to_time). view: whether changes contain the old image too."""

    from_time: datetime
    to_time: datetime
    view: View = "new-and-old"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """Request for an export of the changes in `window`, or of all items as of `time`; None is the current time.

    table_id: distinguishes a table from an older one with the same name. token: client token; None derives one.
    other_than: ARNs of failed exports, which the request must not return again.

    Raises UsageError for a time together with a window, for times without a zone or with fractions of a second (exports
    use whole seconds), and for a window of less than 15 minutes or more than 24 hours.
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
                "--export-time and --incremental cannot be used together", _EXPORT_TIME, "remove one of them"
            )
        if self.time is not None:
            _check_time(self.time, _EXPORT_TIME)
        if self.window is not None:
            _check_window(self.window)
        if self.token is not None and (not 1 <= len(self.token) <= _LONGEST_TOKEN or "$" in self.token):
            raise UsageError(
                f"a client token has 1 to {_LONGEST_TOKEN} characters, without $",
                "--client-token",
                "choose another token",
            )

    def check_now(self, now: datetime) -> None:
        """Raise UsageError for times that can't be exported now, for any table."""
        if self.time is not None and self.time > now - RECOVERY_DELAY:
            raise UsageError(
                f"{short_utc(self.time)} is {'in the future' if self.time > now else 'less than 5 minutes ago'}",
                _EXPORT_TIME,
                "remove it to export the current items, or use an earlier time",
            )
        if self.window is not None and self.window.to_time > now:
            raise UsageError(
                f"the window ends in the future, at {short_utc(self.window.to_time)}",
                _TO,
                "wait, or use an earlier end",
            )

    def check_within(self, recovery: RecoveryWindow | None, table: Table) -> None:
        """Raise UsageError for times outside of the recovery window. None: point-in-time recovery is disabled."""
        if recovery is None:
            raise recovery_is_off_error(table.arn)
        times = {_EXPORT_TIME: self.time}
        if self.window is not None:
            times = {_FROM: self.window.from_time, _TO: self.window.to_time}
        for option, time in times.items():
            if time is not None and recovery.earliest is not None and time < recovery.earliest:
                raise UsageError(
                    f"{short_utc(time)} is before the earliest time of point-in-time recovery of {table.name}: "
                    f"{short_utc(recovery.earliest)}",
                    option,
                    "use a later time",
                )
            if time is not None and recovery.latest is not None and time > recovery.latest:
                raise UsageError(
                    f"{short_utc(time)} is after the latest time of point-in-time recovery of {table.name}: "
                    f"{short_utc(recovery.latest)}",
                    option,
                    "wait a few minutes, or use an earlier time",
                )

    def client_token(self, today: date) -> str:
        """Return the token of this request, which is valid for 8 hours: 32 hex digits, unless one is given.

        Equal requests have equal tokens. For an export of the current time, the date (UTC) is part of the token.
        """
        if self.token is not None:
            return self.token
        moment: list[str]
        if self.window is not None:
            moment = [short_utc(self.window.from_time), short_utc(self.window.to_time), self.window.view]
        else:
            moment = [today.isoformat() if self.time is None else short_utc(self.time)]
        identity = [self.table_arn, self.table_id, moment, asdict(self.target), sorted(self.other_than)]
        return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]

    def parameters(self, today: date) -> dict[str, object]:
        """Return the parameters of ExportTableToPointInTime.

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
    """Return the view for NEW_IMAGE or NEW_AND_OLD_IMAGES."""
    return "new" if name == _VIEWS["new"] else "new-and-old"


def _check_window(window: Window) -> None:
    _check_time(window.from_time, _FROM)
    _check_time(window.to_time, _TO)
    check_choice("--view", window.view, get_args(View))
    span = window.to_time - window.from_time
    if span <= timedelta(0):
        raise UsageError("the window must end after it begins", _TO, f"use a time after {_FROM}")
    if span < SHORTEST_WINDOW:
        raise UsageError(f"the window is {span} long, but the minimum is 15 minutes", _TO, "use a later end")
    if span > LONGEST_WINDOW:
        raise UsageError(
            f"the window is {span} long, but the maximum is 24 hours",
            _TO,
            "export several windows, each of which begins at the end of the previous one",
        )


def _check_time(time: datetime, option: str) -> None:
    if time.tzinfo is None:
        raise UsageError(f"{time} has no time zone", option, "add a time zone")
    if time.microsecond:
        raise UsageError(
            f"{time.isoformat()} has fractions of a second, but exports use whole seconds",
            option,
            "remove the fraction",
        )
