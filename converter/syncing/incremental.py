"""A destination that is kept current: all items once, then the changes since, window by window, and snapshots.

The newest records at the destination say how far it is, and nothing else does. The service's list of exports is only
searched for one that can be used in place of a new one. So a run that is repeated after any failure continues where the
one before it ended, one after missed nights catches up, and one that is started twice finds the other's exports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from converter.aws.export_request import ExportRequest, Window
from converter.aws.export_state import COMPLETED, FULL, INCREMENTAL, ExportState
from converter.aws.exports import start_export
from converter.aws.tables import Table, describe_table
from converter.conversion.forecast import forecast
from converter.conversion.location_checks import check_dest
from converter.conversion.passes import Execution
from converter.errors import BusyError, ExportError
from converter.options import ConvertOptions
from converter.publishing.destination_records import RecordCache
from converter.publishing.report import Report
from converter.schema.columns import Column
from converter.syncing.destination_state import CHANGES, SNAPSHOT, DestinationState, SyncDestinations, child_of
from converter.syncing.export_day import Day, await_end
from converter.syncing.exportable_range import RECENT, ExportableRange
from converter.syncing.incremental_options import SyncChanges, check_keys, check_options
from converter.syncing.incremental_report import ChangesReport, WindowReport
from converter.syncing.pending_exports import (
    AGAIN,
    REAL_TIME,
    Clock,
    Exporting,
    ExportOrigin,
    best_first,
    expected_export,
    exports_since,
    is_whole,
)
from converter.syncing.snapshot_updates import Snapshots
from converter.syncing.windows import can_continue_to, end_of_next_window, is_exportable
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
        dest=child_of(sync.dest, SNAPSHOT),
        # It has no old images, and replaces the one of the same date.
        options=replace(options, old_image=False, replace=True),
        on_gap=sync.changes.on_gap,
        exporting=exporting,
    )
    return _Run(sync, table, day, places, snapshots, options, exporting).run()


@dataclass(frozen=True, slots=True)
class _Window:
    """Changes that are to be published.

    export: None in a dry run, where it would be made. columns: those that the destination promises.
    """

    begin: datetime
    end: datetime
    origin: ExportOrigin
    export: ExportState | None
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class _Run:
    """All that the steps have in common. day: to whose end; None: up to now."""

    sync: SyncChanges
    table: Table
    day: Day | None
    places: SyncDestinations
    snapshots: Snapshots
    options: ConvertOptions
    exporting: Exporting

    def run(self) -> ChangesReport:
        """Every step that is not done yet."""
        self.places.finish_begun(dry_run=self.options.dry_run)
        state = self.places.read_state(self.table)
        recovery = await_end(self.day, self.table, self.exporting, dry_run=self.options.dry_run)
        reach = ExportableRange(self.table, recovery, self.day, self.exporting)
        end = reach.end()
        gap = reach.gap(state, end, self.exported)
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
        self.exporting.execution.listener.phase("looking for a full export")
        found = [
            export
            for export in exports_since(moment - RECENT, FULL, self.table, self.exporting.execution.aws.for_source())
            if self.is_usable(export)
            and export.export_time is not None
            and not export.export_time.microsecond
            and oldest <= export.export_time
            and can_continue_to(export.export_time, moment)
        ]
        found.sort(key=lambda export: (export.export_time, export.export_id), reverse=True)
        export, unusable = self.exporting.choose(best_first(found))
        origin: ExportOrigin = "found"
        if export is None:
            export, origin = self.start(moment, unusable)
        time = moment if export is None else export.export_time or moment
        check = partial(self.snapshots.check_unchanged, state.snapshot)
        return self.convert(_Window(time, time, origin, export, columns), SNAPSHOT, self.snapshots.options, check)

    def bring(self, begin: datetime, end: datetime) -> tuple[WindowReport, ...]:
        """Publish the changes from one moment to another; all windows are exported side by side.

        Raises BusyError, after what could be exported is published, where the service began no more exports.
        """
        if not is_exportable(begin, end):
            return ()
        window = Window(from_time=begin, to_time=end_of_next_window(begin, end), view=self.sync.changes.view)
        columns = self.forecast(self.places.changes, window, self.options)
        if self.options.dry_run and self.sync.changes.merge:
            self.places.snapshot.destination.check_free()
        found = self.changes_since(begin)
        due: list[_Window] = []
        refusal = None
        try:
            for each in self.windows(begin, end, found):
                due.append(each)  # noqa: PERF402 - those before a refusal are kept
        except BusyError as error:
            if not due:
                raise
            refusal = error
        windows = tuple(self.publish(replace(each, columns=columns)) for each in due)
        if refusal is not None:
            raise BusyError(
                f"{refusal.what}: the destination is current through {short_utc(due[-1].end)}, not {short_utc(end)}",
                refusal.where,
                refusal.hint,
            ) from refusal
        return windows

    def exported(self, begin: datetime, end: datetime) -> datetime:
        """Return the moment through which existing exports have all changes, even if these can't be exported again."""
        for due in self.windows(begin, end, self.changes_since(begin), only_found=True):
            if due.export is None:
                break
            begin = due.end
        return begin

    def changes_since(self, begin: datetime) -> list[ExportState]:
        """Return the usable exports of changes that were started at or after this moment."""
        self.exporting.execution.listener.phase(f"looking for exports of the changes since {short_utc(begin)}")
        exports = exports_since(begin, INCREMENTAL, self.table, self.exporting.execution.aws.for_source())
        return [export for export in exports if self.is_usable(export)]

    def windows(
        self, begin: datetime, end: datetime, found: Sequence[ExportState], *, only_found: bool = False
    ) -> Iterator[_Window]:
        """Yield consecutive windows: of existing exports, or of new ones, which `only_found` does not start."""
        while is_exportable(begin, end):
            fitting = sorted(
                (
                    (window.to_time, export.export_id, export)
                    for export in found
                    if (window := export.window) is not None
                    and window.view == self.sync.changes.view
                    and window.from_time == begin
                    and can_continue_to(window.to_time, end)
                ),
                reverse=True,
            )
            export, unusable = self.exporting.choose(best_first([export for _, _, export in fitting]))
            window = Window(from_time=begin, to_time=end_of_next_window(begin, end), view=self.sync.changes.view)
            origin: ExportOrigin = "found"
            if export is None:
                export, origin = (None, "none") if only_found else self.start(window, unusable)
            elif export.window is not None:
                window = export.window
            yield _Window(begin, window.to_time, origin, export)
            begin = window.to_time

    def publish(self, due: _Window) -> WindowReport:
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

        return self.convert(due, CHANGES, self.options, check)

    def convert(self, due: _Window, folder: str, options: ConvertOptions, check: Callable[[], None]) -> WindowReport:
        """Publish an export below DEST when it is finished. check: see publish_run."""
        report, export = None, due.export
        if export is not None and (export.status == COMPLETED or not options.dry_run):
            if export.status != COMPLETED:
                what = f"all items as of {short_utc(due.end)}"
                if due.begin != due.end:
                    what = f"the changes from {short_utc(due.begin)} to {short_utc(due.end)}"
                self.exporting.wait(export, f"the export of {what}")
            cache = self.places.changes if folder == CHANGES else self.places.snapshot
            report = self.exporting.convert(export.arn, child_of(self.sync.dest, folder), options, cache, check)
        return WindowReport(
            begin=due.begin,
            end=due.end,
            export=due.origin,
            export_arn=None if export is None else export.arn,
            report=report,
            columns=due.columns if report is None else (),
        )

    def is_usable(self, export: ExportState) -> bool:
        """See is_whole."""
        return is_whole(export, self.table, self.sync.target)

    def forecast(self, cache: RecordCache, of: datetime | Window, options: ConvertOptions) -> tuple[Column, ...]:
        """The columns that are promised. Raises what can be known to be wrong before an export is paid for."""
        return forecast(cache, expected_export(self.table, self.sync.target, of), options)

    def start(self, of: datetime | Window, unusable: tuple[str, ...]) -> tuple[ExportState | None, ExportOrigin]:
        """Start the export of a moment or a window, except in a dry run.

        An equal call within 8 hours returns the same export.
        """
        if self.options.dry_run:
            return None, "none"
        request = ExportRequest(
            table_arn=self.table.arn,
            table_id=self.table.table_id,
            target=self.sync.target,
            time=of if isinstance(of, datetime) else None,
            window=of if isinstance(of, Window) else None,
            other_than=unusable,
        )
        started = start_export(request, self.exporting.execution.aws.for_source())
        self.exporting.execution.listener.phase(f"{'started' if started.is_new else 'found'} {started.state.arn}")
        return started.state, "started" if started.is_new else "found"
