"""Exports of a table that are kept current: those that exist are found, and missing ones are started."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from converter.aws.export_request import ExportRequest, Window
from converter.aws.export_state import FULL, INCREMENTAL, ExportState
from converter.aws.exports import start_export
from converter.aws.tables import Table
from converter.aws.target import ExportTarget, View
from converter.syncing.exportable_range import RECENT
from converter.syncing.pending_exports import Exporting, ExportOrigin, best_first, exports_since, is_whole
from converter.syncing.windows import can_continue_to, end_of_next_window, is_exportable
from converter.utc import short_utc


@dataclass(frozen=True, slots=True)
class WindowExport:
    """An export to publish: of the changes of a window, or of all items at a moment, which then begins and ends there.

    export: None in a dry run, where it would be made.
    """

    begin: datetime
    end: datetime
    origin: ExportOrigin
    export: ExportState | None


@dataclass(frozen=True, slots=True)
class TableExports:
    """Finds and starts exports. view: of those of changes. dry_run: starts none."""

    table: Table
    target: ExportTarget
    view: View
    dry_run: bool
    exporting: Exporting

    def of_all_items(self, moment: datetime, oldest: datetime) -> WindowExport:
        """Return an export of the moment, or one from `oldest` on whose time leads to that moment."""
        self.exporting.listener.phase("looking for a full export")
        found = [
            export
            for export in self._usable_since(moment - RECENT, FULL)
            if export.export_time is not None
            and not export.export_time.microsecond
            and oldest <= export.export_time
            and can_continue_to(export.export_time, moment)
        ]
        found.sort(key=lambda export: (export.export_time, export.export_id), reverse=True)
        export, unusable = self.exporting.choose(best_first(found))
        origin: ExportOrigin = "found"
        if export is None:
            export, origin = self._start(moment, unusable)
        time = moment if export is None else export.export_time or moment
        return WindowExport(time, time, origin, export)

    def of_changes(self, begin: datetime, end: datetime, *, only_found: bool = False) -> Iterator[WindowExport]:
        """Yield exports of consecutive windows: existing ones, or new ones, which `only_found` does not start."""
        self.exporting.listener.phase(f"looking for exports of the changes since {short_utc(begin)}")
        found = self._usable_since(begin, INCREMENTAL)
        while is_exportable(begin, end):
            fitting = sorted(
                (
                    (window.to_time, export.export_id, export)
                    for export in found
                    if (window := export.window) is not None
                    and window.view == self.view
                    and window.from_time == begin
                    and can_continue_to(window.to_time, end)
                ),
                reverse=True,
            )
            export, unusable = self.exporting.choose(best_first([export for _, _, export in fitting]))
            window = self.next_window(begin, end)
            origin: ExportOrigin = "found"
            if export is None:
                export, origin = (None, "none") if only_found else self._start(window, unusable)
            elif export.window is not None:
                window = export.window
            yield WindowExport(begin, window.to_time, origin, export)
            begin = window.to_time

    def found_through(self, begin: datetime, end: datetime) -> datetime:
        """Return the moment through which existing exports have all changes, even if these can't be exported again."""
        for due in self.of_changes(begin, end, only_found=True):
            if due.export is None:
                break
            begin = due.end
        return begin

    def next_window(self, begin: datetime, end: datetime) -> Window:
        """Return the first window of new exports."""
        return Window(from_time=begin, to_time=end_of_next_window(begin, end), view=self.view)

    def _usable_since(self, moment: datetime, type: str) -> list[ExportState]:
        exports = exports_since(moment, type, self.table, self.exporting.access)
        return [export for export in exports if is_whole(export, self.table, self.target)]

    def _start(self, of: datetime | Window, unusable: tuple[str, ...]) -> tuple[ExportState | None, ExportOrigin]:
        """Start the export of a moment or a window; an equal call within 8 hours returns the same export."""
        if self.dry_run:
            return None, "none"
        request = ExportRequest(
            table_arn=self.table.arn,
            table_id=self.table.table_id,
            target=self.target,
            time=of if isinstance(of, datetime) else None,
            window=of if isinstance(of, Window) else None,
            other_than=unusable,
        )
        started = start_export(request, self.exporting.access)
        self.exporting.listener.phase(f"{'started' if started.is_new else 'found'} {started.state.arn}")
        return started.state, "started" if started.is_new else "found"
