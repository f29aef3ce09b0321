"""The report of a run that publishes changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from converter.publishing.report import NOT_CHECKED, Report
from converter.schema.columns import Column
from converter.syncing.pending_exports import ExportOrigin
from converter.utc import short_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowReport:
    """Changes of a window, or all items at a moment, which then begins and ends there.

    export: `found`, `started`, or `none` yet, in a dry run. report: of the conversion, None where there was none.
    columns: those that the destination promises, of a dry run without a report.
    """

    begin: datetime
    end: datetime
    export: ExportOrigin
    export_arn: str | None
    report: Report | None
    columns: tuple[Column, ...] = ()

    def to_json(self) -> dict[str, object]:
        """For programs."""
        columns = [column.to_json() for column in self.columns]
        return {
            "from": short_utc(self.begin),
            "to": short_utc(self.end),
            "export": self.export,
            "exportArn": self.export_arn,
            "report": None if self.report is None else self.report.to_json(),
            **({} if self.report is not None else {"columns": columns, "notChecked": list(NOT_CHECKED)}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesReport:
    """The result of a run for a table.

    through: all that was written before is at the destination; None if nothing is yet, in a dry run. gap: why changes
    were missing, and all items had to be exported again; empty if none were. full: that export, or the first one.
    windows: of changes. snapshot: what a merge has made, None where there was none.
    """

    table: str
    through: datetime | None
    gap: str
    full: WindowReport | None
    windows: tuple[WindowReport, ...]
    snapshot: Report | None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Those of all conversions, and the gap."""
        reports = [done.report for done in (self.full, *self.windows) if done is not None]
        planned = self.full is None or self.full.report is None
        gap = (f"{self.gap}: all items {'would be' if planned else 'were'} exported again",) if self.gap else ()
        return gap + tuple(
            warning for report in (*reports, self.snapshot) if report is not None for warning in report.warnings
        )

    def to_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "table": self.table,
            "through": None if self.through is None else short_utc(self.through),
            "gap": self.gap or None,
            "full": None if self.full is None else self.full.to_json(),
            "changes": [window.to_json() for window in self.windows],
            "snapshot": None if self.snapshot is None else self.snapshot.to_json(),
        }
