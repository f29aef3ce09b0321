"""A day of a table: which exports are of it, and of which second one is to be made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from converter.aws.access import Access
from converter.aws.export_errors import recovery_is_off_error
from converter.aws.export_state import FULL, ExportState
from converter.aws.tables import RecoveryWindow, Table, recovery_window
from converter.aws.target import ExportTarget
from converter.errors import BusyError, UsageError
from converter.export.manifest import Summary
from converter.syncing.pending_exports import AGAIN, Exporting, best_first, expected_export, exports_since, is_whole
from converter.utc import short_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day of a table in a time zone, and where its exports are. is_today: it is not over yet.

    For a day that is over, an export of its last second is wanted; for today, any one.
    """

    table: Table
    target: ExportTarget
    day: date
    timezone: str
    is_today: bool

    @staticmethod
    def of(day: date | None, table: Table, target: ExportTarget, timezone: str, now: datetime) -> Day:
        """The day at the moment `now`; None is today. Raises UsageError for one that has not begun."""
        today = now.astimezone(ZoneInfo(timezone)).date()
        if day is not None and day > today:
            raise UsageError(f"{day} has not begun in {timezone}", "--date", f"today is {today} there")
        return Day(table=table, target=target, day=day or today, timezone=timezone, is_today=day in (None, today))

    @property
    def begin(self) -> datetime:
        """The day's first moment, in UTC."""
        return _midnight(self.day, self.timezone)

    @property
    def last_second(self) -> datetime:
        """The day's last second, in UTC: the service counts no finer."""
        return _midnight(self.day + timedelta(days=1), self.timezone) - timedelta(seconds=1)

    def has(self, time: datetime) -> bool:
        """Return whether it is a moment of the day."""
        return time.astimezone(ZoneInfo(self.timezone)).date() == self.day

    def is_of_end(self, time: datetime) -> bool:
        """Return whether it is the moment that the day is exported as of once it is over."""
        return time.replace(microsecond=0) == self.last_second

    def wants(self, export: ExportState) -> bool:
        """Return whether it holds all items of exactly this table, as they were on the day, in the right folder."""
        time = export.export_time or export.start_time
        return (
            export.type == FULL
            and is_whole(export, self.table, self.target)
            and time is not None
            and (self.has(time) if self.is_today else self.is_of_end(time))
        )

    def expected(self, now: datetime) -> Summary:
        """The export that the day is to have, as far as it is known before it is made, at the moment `now`."""
        return expected_export(self.table, self.target, now if self.is_today else self.last_second)

    def check_kept(self, recovery: RecoveryWindow) -> None:
        """Raises UsageError where the end of a day that is over can't be restored any more."""
        if not self.is_today and recovery.earliest is not None and self.last_second < recovery.earliest:
            raise UsageError(
                f"{self.day} can't be exported any more: point-in-time recovery of {self.table.name} reaches back to"
                f" {short_utc(recovery.earliest)}",
                "--date",
                "name a later day",
            )

    def check_reached(self, recovery: RecoveryWindow) -> None:
        """Raises BusyError where the end of a day that is over can't be restored yet."""
        if not self.is_today and recovery.latest is not None and self.last_second > recovery.latest:
            raise BusyError(
                f"{self.day} can't be exported yet: point-in-time recovery reaches {short_utc(recovery.latest)} so far",
                self.table.arn,
                f"{AGAIN} in a few minutes",
            )


def await_end(day: Day | None, table: Table, exporting: Exporting, *, dry_run: bool) -> RecoveryWindow:
    """Return the recovery window as soon as it includes the day's end, which is waited for except in a dry run.

    day: None, like one that is not over, is not waited for. Raises BusyError for an end that can't be exported yet,
    ExportError where recovery is off.
    """
    over = day if day is not None and not day.is_today and not dry_run else None
    if over is not None:
        exporting.wait_until(over.last_second, str(over.day), table.arn)
    recovery = recovery_window(table, exporting.access, exporting.listener.warned)
    if recovery is None:
        raise recovery_is_off_error(table.arn)
    if over is not None:
        over.check_reached(recovery)
    return recovery


def check_day(day: date | None) -> None:
    """Raise UsageError for a datetime, which Python considers a date, too."""
    if isinstance(day, datetime):
        raise UsageError(f"{day} has a time of day; --date takes a date only", "--date", "leave out the time")


def exports_of(day: Day, access: Access) -> list[ExportState]:
    """The exports of the last 90 days that the day wants: completed ones first, then failed ones last; newer first."""
    # An export of a moment is never begun before it.
    first_moment = day.begin if day.is_today else day.last_second
    wanted = [export for export in exports_since(first_moment, FULL, day.table, access) if day.wants(export)]
    wanted.sort(key=lambda export: (export.export_time or export.start_time, export.export_id), reverse=True)
    return best_first(wanted)


def _midnight(day: date, timezone: str) -> datetime:
    # Where clocks skip midnight, this is the moment they are put forward.
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone)).astimezone(UTC)
