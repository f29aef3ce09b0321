"""The changes of a table that can still be exported: where their windows may begin and end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from converter.aws.tables import RecoveryWindow, Table
from converter.errors import BusyError
from converter.syncing.destination_state import DestinationState
from converter.syncing.export_day import Day
from converter.syncing.pending_exports import AGAIN, Exporting
from converter.syncing.windows import is_exportable, last_quarter, last_second
from converter.utc import short_utc

RECENT = timedelta(hours=36)
"""A full export of so long before the moment that is wanted is as good: of the night before, whose run ended early.

A local day may have 25 hours, and not every night's run begins at the same minute.
"""


@dataclass(frozen=True, slots=True)
class ExportableRange:
    """The moments that a table can be exported as of, in a run. day: the one to whose end; None: up to now."""

    table: Table
    recovery: RecoveryWindow
    day: Day | None
    exporting: Exporting

    def end(self) -> datetime:
        """The moment that the destination is to be brought up to."""
        if self.day is None or self.day.is_today:
            return last_quarter(self.exporting.clock.now(), self.recovery)
        return self.day.last_second

    def gap(self, state: DestinationState, end: datetime, exported: Callable[[datetime, datetime], datetime]) -> str:
        """Return why the changes since the destination's moment can't be exported any more, or nothing.

        exported: from one moment on to another, up to where exports have all changes that there are already.
        """
        through, earliest = state.through, self.recovery.earliest
        if through is None:
            if state.has_older:
                return (
                    f"the table {self.table.name} was deleted and re-created after this destination was last published"
                )
            return ""
        if not is_exportable(through, end):
            return ""
        if through.microsecond:
            return (
                f"the destination is current through {short_utc(through)}, but an incremental export must start on a"
                " whole second"
            )
        if earliest is not None and through < earliest and exported(through, end) < min(earliest, end):
            return (
                f"the changes since {short_utc(through)} can't be exported any more: point-in-time recovery of"
                f" {self.table.name} reaches back to {short_utc(earliest)}"
            )
        return ""

    def first_moment(self, end: datetime) -> datetime:
        """The moment of a full export: the end, or a later one where the table can't be exported so early."""
        earliest = self.recovery.earliest
        if earliest is None or end >= earliest:
            return end
        if self.day is not None:
            self.day.check_kept(self.recovery)
        latest = last_second(self.exporting.clock.now(), self.recovery)
        if latest < earliest:
            raise BusyError(
                f"point-in-time recovery of {self.table.name} has just begun, at {short_utc(earliest)}",
                self.table.arn,
                f"{AGAIN} in a few minutes",
            )
        return latest

    def oldest(self, state: DestinationState, moment: datetime) -> datetime:
        """From when on a full export is as good as one of the moment: the changes after it can be exported, too."""
        bounds = (moment - RECENT, state.through, self.recovery.earliest)
        return max(bound for bound in bounds if bound is not None)
