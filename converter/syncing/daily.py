"""One day of a table at a destination: its export is found or started, waited for and converted, until it is there.

The state is known to the service and to the destination's records alone. So a run that is repeated after any failure
continues where the one before it ended, and one that is repeated after success does nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import date

from converter.aws.export_request import ExportRequest
from converter.aws.export_state import COMPLETED, ExportState
from converter.aws.exports import start_export
from converter.aws.tables import describe_table
from converter.aws.target import ExportTarget
from converter.conversion.forecast import forecast
from converter.conversion.location_checks import check_dest
from converter.conversion.passes import Execution
from converter.errors import BusyError, ExportError, UsageError
from converter.export.manifest import ExportKind
from converter.options import ConvertOptions
from converter.publishing.commit import unchanged
from converter.publishing.decision import decide
from converter.publishing.destination_records import RecordCache
from converter.publishing.ownership import check_owner
from converter.publishing.record import Record
from converter.publishing.record_entry import Owner
from converter.publishing.report import NOT_CHECKED, Report
from converter.schema.columns import Column
from converter.storage import open_destination
from converter.storage.json_members import members_of
from converter.syncing.export_day import Day, await_end, check_day, exports_of
from converter.syncing.pending_exports import AGAIN, REAL_TIME, Clock, Exporting, ExportOrigin
from converter.utc import short_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """A request for all items of a table on a day, as files at `dest`.

    table: its name or ARN. target: where exports are looked for, and where one is started. day: None is today, in the
    time zone of the options. timeout: seconds to wait, until the day can be exported and for the export; None: as long
    as it takes.
    """

    table: str
    dest: str
    target: ExportTarget
    day: date | None = None
    timeout: float | None = None

    def __post_init__(self) -> None:
        check_day(self.day)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """The result of a run for a day.

    date: the day. export: where its items come from: `published` before this run; an export that was `found`, or
    `started`; or `none` yet, in a dry run that would start one. report: of the conversion, None where there is none.
    columns: those that the destination promises, of a dry run without a report.
    """

    date: str
    export: ExportOrigin
    export_arn: str | None
    report: Report | None
    columns: tuple[Column, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Those of the conversion."""
        return () if self.report is None else self.report.warnings

    def to_json(self) -> dict[str, object]:
        """For programs."""
        members = members_of(self)
        if self.report is None:
            return {**members, "notChecked": list(NOT_CHECKED)}
        del members["columns"]
        return members


def sync_day(
    sync: Sync,
    options: ConvertOptions,
    execution: Execution,
    clock: Clock = REAL_TIME,
) -> SyncReport:
    """Bring a day of the table to the destination; see converter.api.sync."""
    if options.latest or options.export_id is not None:
        option = "--latest" if options.latest else "--export-id"
        raise UsageError("the table and the day determine which export is used", option, "leave it out")
    check_dest(sync.dest, [sync.target.folder])
    table = describe_table(sync.table, execution.aws.for_source())
    now = clock.now()
    day = Day.of(sync.day, table, sync.target, options.timezone, now)
    cache = RecordCache(open_destination(sync.dest, execution.aws))
    exporting = Exporting(execution=execution, clock=clock, begun=now, timeout=sync.timeout, verify=options.verify)
    return _Run(sync, day, cache, options, exporting).run()


@dataclass(frozen=True, slots=True)
class _Run:
    """All that the steps have in common."""

    sync: Sync
    day: Day
    cache: RecordCache
    options: ConvertOptions
    exporting: Exporting

    def run(self) -> SyncReport:
        """Every step that is not done yet."""
        record = self.record()
        if record is not None:
            return self.done(record) or self.mend(record)
        export, unusable = self.find()
        origin: ExportOrigin = "found"
        columns = self.forecast() if export is None or export.status != COMPLETED else ()
        if export is None:
            request = self.request(unusable)
            if self.options.dry_run:
                return replace(self.report("none", None, None), columns=columns)
            export, origin = self.start(request)
        if export.status != COMPLETED:
            if self.options.dry_run:
                return replace(self.report(origin, export.arn, None), columns=columns)
            self.exporting.wait(export)
        return self.convert(origin, export.arn)

    def report(self, origin: ExportOrigin, arn: str | None, report: Report | None) -> SyncReport:
        """Return the report of this run."""
        return SyncReport(date=str(self.day.day), export=origin, export_arn=arn, report=report)

    def record(self) -> Record | None:
        """Return the record of the day that is to stay. Raises UsageError for a destination of another table."""
        records = self.cache.read()
        check_owner(records, Owner(self.day.table.arn, self.day.table.table_id, ExportKind.ITEMS))
        of_day = [entry for entry in records.entries if entry.date == str(self.day.day)]
        return records.load(of_day[-1]) if of_day and not self.options.replace else None

    def done(self, record: Record) -> SyncReport | None:
        """Return the report of a day that is there whole; the export that it was made from may be gone since.

        Raises UsageError where it was published with other options.
        """
        started = time.perf_counter()
        decision = decide(self.cache, record.to_summary(), self.options)
        if decision.published is None:
            return None
        warnings = decision.warnings
        if not self.day.is_today and not self.day.is_of_end(record.export_time):
            warnings += (
                f"{self.day.day} was published as of {short_utc(record.export_time)}, before it was over; pass"
                " --replace to publish it as of its last second",
            )
        report = unchanged(decision.published, self.sync.dest, started, warnings)
        return self.report("published", record.export_arn, report)

    def mend(self, record: Record) -> SyncReport:
        """Publish damaged parts again; of another export than theirs only if that is asked for, before it is paid."""
        try:
            return self.convert("found", record.export_arn)
        except ExportError as error:
            raise ExportError(
                f"the parts of {self.day.day} are damaged, and the export they are from can't be read: {error.what}",
                error.where,
                "pass --replace to publish the day from another export, or convert a copy of this one",
            ) from error

    def convert(self, origin: ExportOrigin, arn: str) -> SyncReport:
        """Publish the export, unless the day has been published while this run looked or waited."""
        try:
            report = self.exporting.convert(arn, self.sync.dest, self.options, self.cache)
        except UsageError:
            # Another run may have published another export of the day, or this one completed a commit that had begun.
            record = self.record()
            done = None if record is None else self.done(record)
            if done is None:
                raise
            return done
        return self.report(origin, arn, report)

    def find(self) -> tuple[ExportState | None, tuple[str, ...]]:
        """The best export of the day, finished or not; and the ARNs of those that can't be used."""
        self.exporting.listener.phase(f"looking for an export of {self.day.day}")
        return self.exporting.choose(exports_of(self.day, self.exporting.access))

    def forecast(self) -> tuple[Column, ...]:
        """The columns that are promised. Raises what can be known to be wrong before an export is paid for."""
        return forecast(self.cache, self.day.expected(self.exporting.clock.now()), self.options)

    def request(self, unusable: tuple[str, ...]) -> ExportRequest:
        """Return the request for the export of the day, as soon as it can be exported."""
        table, moment = self.day.table, None if self.day.is_today else self.day.last_second
        recovery = await_end(self.day, table, self.exporting, dry_run=self.options.dry_run)
        self.day.check_kept(recovery)
        return ExportRequest(
            table_arn=table.arn, table_id=table.table_id, target=self.sync.target, time=moment, other_than=unusable
        )

    def start(self, request: ExportRequest) -> tuple[ExportState, ExportOrigin]:
        """Start the export of the day; the service answers an equal call of the last hours with the same export."""
        day = self.day
        if day.is_today and not day.has(self.exporting.clock.now()):
            raise self.other_day_error(f"{day.day} ended while an export of it was looked for")
        while True:
            started = start_export(request, self.exporting.access, today=day.day)
            export = started.state
            if day.wants(export):
                break
            if started.is_new:
                raise self.other_day_error(f"the export that was started is not of {day.day}: {export.arn}")
            # The token has the date: where it began earlier, in another time zone, there may be an export of that.
            request = replace(request, other_than=(*request.other_than, export.arn))
        self.exporting.listener.phase(f"{'started' if started.is_new else 'found'} {export.arn}")
        return export, "started" if started.is_new else "found"

    def other_day_error(self, what: str) -> BusyError:
        """The error of a run that midnight has come between."""
        return BusyError(what, self.day.table.arn, f"{AGAIN}, with --date {self.day.day} for that day")
