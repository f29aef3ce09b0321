"""A destination that is kept current: all items once, then the changes since, window by window, and snapshots.

The newest records at the destination say how far it is, and nothing else does. The service's list of exports is only
searched for one that can be used in place of a new one. So a run that is repeated after any failure continues where the
one before it ended, one after missed nights catches up, and one that is started twice finds the other's exports.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from converter.aws.export_request import Window
from converter.aws.export_state import COMPLETED
from converter.aws.tables import Table, describe_table
from converter.conversion.forecast import forecast
from converter.conversion.location_checks import check_dest
from converter.conversion.passes import Execution
from converter.errors import BusyError, ExportError
from converter.options import ConvertOptions
from converter.publishing.destination_records import RecordCache
from converter.publishing.report import Report
from converter.schema.columns import Column
from converter.syncing.destination_state import CHANGES, SNAPSHOT, DestinationState, SyncDestinations
from converter.syncing.export_day import Day, await_end
from converter.syncing.exportable_range import ExportableRange
from converter.syncing.incremental_options import SyncChanges, check_keys, check_options
from converter.syncing.incremental_report import ChangesReport, WindowReport
from converter.syncing.pending_exports import AGAIN, REAL_TIME, Clock, Exporting, expected_export
from converter.syncing.snapshot_updates import Snapshots
from converter.syncing.table_exports import TableExports, WindowExport
from converter.syncing.windows import is_exportable
from converter.utc import short_utc


def sync_changes(
    sync: SyncChanges,
    options: ConvertOptions,
    execution: Execution,
    clock: Clock = REAL_TIME,
) -> ChangesReport:
    """Bring the destination up to date; see converter.api.sync_changes."""
    check_options(sync.changes, options)
    check_dest(sync.dest, [sync.target.folder])
    table = describe_table(sync.table, execution.aws.for_source())
    if sync.changes.merge:
        check_keys(table, options)
    now = clock.now()
    exporting = Exporting(execution=execution, clock=clock, begun=now, timeout=sync.timeout, verify=options.verify)
    day = None if sync.changes.day is None else Day.of(sync.changes.day, table, sync.target, options.timezone, now)
    places = SyncDestinations.of(sync.dest, execution.aws)
    snapshots = Snapshots(
        table=table,
        places=places,
        dest=posixpath.join(sync.dest, SNAPSHOT),
        # It has no old images, and replaces the one of the same date.
        options=replace(options, old_image=False, replace=True),
        on_gap=sync.changes.on_gap,
        exporting=exporting,
    )
    exports = TableExports(table, sync.target, sync.changes.view, options.dry_run, exporting)
    return _Run(sync, table, day, places, snapshots, options, exports, exporting).run()


@dataclass(frozen=True, slots=True)
class _Run:
    """All that the steps have in common. day: to whose end; None: up to now."""

    sync: SyncChanges
    table: Table
    day: Day | None
    places: SyncDestinations
    snapshots: Snapshots
    options: ConvertOptions
    exports: TableExports
    exporting: Exporting

    def run(self) -> ChangesReport:
        """Every step that is not done yet."""
        self.places.finish_begun(dry_run=self.options.dry_run)
        state = self.places.read_state(self.table)
        recovery = await_end(self.day, self.table, self.exporting, dry_run=self.options.dry_run)
        reach = ExportableRange(self.table, recovery, self.day, self.exporting)
        end = reach.end()
        gap = reach.gap(state, end, self.exports.found_through)
        full = None
        through = state.through
        if self.sync.changes.merge and not gap:
            self.snapshots.check_base(state.snapshot)
        if gap or through is None:
            moment = reach.first_moment(end)
            full = self.publish_all(state, moment, gap, reach.oldest(state, moment))
            through = full.end
        windows = self.bring(through, end)
        planned = self.options.dry_run and (full is not None or windows)
        if not self.sync.changes.merge or planned:
            return self.report(gap, full, windows, None)
        state = self.places.latest_state(self.table)
        lost = self.snapshots.lost(state)
        if lost:
            assert state.through is not None
            full = self.publish_all(state, state.through, lost, state.through)
            if self.options.dry_run:
                return self.report(gap or lost, full, windows, None)
            state = self.places.latest_state(self.table)
        return self.report(gap or lost, full, windows, self.snapshots.merge(state))

    def report(
        self, gap: str, full: WindowReport | None, windows: tuple[WindowReport, ...], snapshot: Report | None
    ) -> ChangesReport:
        """Return the report of this run."""
        return ChangesReport(
            table=self.table.name,
            through=self.places.latest_state(self.table).through,
            gap=gap,
            full=full,
            windows=windows,
            snapshot=snapshot,
        )

    def publish_all(self, state: DestinationState, moment: datetime, gap: str, oldest: datetime) -> WindowReport:
        """Publish all items at a moment, or those of an export from `oldest` on whose time leads to that moment."""
        if gap and self.sync.changes.on_gap == "fail":
            raise ExportError(
                gap,
                self.sync.dest,
                "pass --on-gap full to begin again with a full export, which is charged by the size of the table",
            )
        columns = self.forecast(self.places.snapshot, moment, self.snapshots.options)
        due = self.exports.of_all_items(moment, oldest)
        check = partial(self.snapshots.check_unchanged, state.snapshot)
        return self.convert(due, SNAPSHOT, self.snapshots.options, columns, check)

    def bring(self, begin: datetime, end: datetime) -> tuple[WindowReport, ...]:
        """Publish the changes from one moment to another; all windows are exported side by side.

        Raises BusyError, after what could be exported is published, where the service began no more exports.
        """
        if not is_exportable(begin, end):
            return ()
        columns = self.forecast(self.places.changes, self.exports.next_window(begin, end), self.options)
        if self.options.dry_run and self.sync.changes.merge:
            self.places.snapshot.destination.check_free()
        due: list[WindowExport] = []
        refusal = None
        try:
            for each in self.exports.of_changes(begin, end):
                due.append(each)  # noqa: PERF402 - those before a refusal are kept
        except BusyError as error:
            if not due:
                raise
            refusal = error
        windows = tuple(self.publish(each, columns) for each in due)
        if refusal is not None:
            raise BusyError(
                f"{refusal.what}: the destination is current through {short_utc(due[-1].end)}, not {short_utc(end)}",
                refusal.where,
                refusal.hint,
            ) from refusal
        return windows

    def publish(self, due: WindowExport, columns: tuple[Column, ...]) -> WindowReport:
        """The changes of one window, as soon as they are exported."""

        def check() -> None:
            self.places.snapshot.read()
            through = self.places.latest_state(self.table).through
            if through != due.begin:
                shown = "nothing" if through is None else short_utc(through)
                raise BusyError(
                    f"another run has made the destination current through {shown}, but this window begins at"
                    f" {short_utc(due.begin)}",
                    self.places.changes.destination.root,
                    AGAIN,
                )

        return self.convert(due, CHANGES, self.options, columns, check)

    def convert(
        self,
        due: WindowExport,
        folder: str,
        options: ConvertOptions,
        columns: tuple[Column, ...],
        check: Callable[[], None],
    ) -> WindowReport:
        """Publish an export below DEST when it is finished.

        columns: those that the destination promises. check: see publish_run.
        """
        report, export = None, due.export
        if export is not None and (export.status == COMPLETED or not options.dry_run):
            if export.status != COMPLETED:
                what = f"all items as of {short_utc(due.end)}"
                if due.begin != due.end:
                    what = f"the changes from {short_utc(due.begin)} to {short_utc(due.end)}"
                self.exporting.wait(export, f"the export of {what}")
            cache = self.places.changes if folder == CHANGES else self.places.snapshot
            report = self.exporting.convert(export.arn, posixpath.join(self.sync.dest, folder), options, cache, check)
        return WindowReport(
            begin=due.begin,
            end=due.end,
            export=due.origin,
            export_arn=None if export is None else export.arn,
            report=report,
            columns=columns if report is None else (),
        )

    def forecast(self, cache: RecordCache, of: datetime | Window, options: ConvertOptions) -> tuple[Column, ...]:
        """The columns that are promised. Raises what can be known to be wrong before an export is paid for."""
        return forecast(cache, expected_export(self.table, self.sync.target, of), options)
