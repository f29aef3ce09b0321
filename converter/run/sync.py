"""One day of a table at a destination: its export is found or started, waited for and converted, until it is there.

Nothing is remembered but by the service and by the destination's records. So a run that is repeated after any failure
goes on where the one before it ended, and one that is repeated after success does nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from converter.aws.access import AwsOptions
from converter.aws.export_request import BEHIND_NOW, ExportRequest
from converter.aws.export_state import COMPLETED, FAILED, ExportState
from converter.aws.export_wait import wait_for_export
from converter.aws.exports import start_export
from converter.aws.tables import describe_table, recovery_window
from converter.aws.target import ExportTarget
from converter.errors import BusyError, ExportError, UsageError
from converter.export.locate import open_export
from converter.export.manifest import Kind
from converter.options import ConvertOptions
from converter.run.convert import Engine, convert_export, unchanged
from converter.run.day import Day, exports_of
from converter.run.listener import Listener
from converter.run.publish import Owner, check_owner, decide, read_records
from converter.run.report import Report
from converter.storage import open_destination

Origin = Literal["published", "found", "started", "none"]

_TOLD_EVERY = 300
SETTLED = BEHIND_NOW + timedelta(minutes=1)
"""So long after it a moment can be exported for sure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """What is to be had: all items of a table on a day, as files at `dest`.

    table: its name or ARN. target: where exports are looked for, and where one is started. day: None is today, in the
    time zone of the options. timeout: seconds to wait for the export; None: as long as it takes.
    """

    table: str
    dest: str
    target: ExportTarget
    day: date | None = None
    timeout: float | None = None

    def __post_init__(self) -> None:
        if self.target.format != "DYNAMODB_JSON":
            raise UsageError(f"exports in {self.target.format} can't be converted yet", "--export-format")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What a run has done for a day.

    date: the day. export: where its items come from: `published` before this run; an export that was `found`, or
    `started`; or `none` yet, in a dry run that would start one. report: of the conversion, None where there is none.
    """

    date: str
    export: Origin
    export_arn: str | None
    report: Report | None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Those of the conversion."""
        return () if self.report is None else self.report.warnings

    def to_json(self) -> dict[str, object]:
        """For programs."""
        report = None if self.report is None else self.report.to_json()
        return {"date": self.date, "export": self.export, "exportArn": self.export_arn, "report": report}


@dataclass(frozen=True, slots=True)
class Clock:
    """How late it is, and how to let time go by; in seconds."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


def sync_day(
    sync: Sync,
    options: ConvertOptions,
    aws: AwsOptions,
    engine: Engine,
    listener: Listener,
    clock: Clock = Clock(),
) -> SyncReport:
    """Bring a day of the table to the destination; see converter.api.sync."""
    table = describe_table(sync.table, aws.for_source())
    day = Day.of(sync.day, table, sync.target, options.timezone, clock.now())
    return _Run(sync, day, options, aws, engine, listener, clock).run()


@dataclass(frozen=True, slots=True)
class _Run:
    """All that the steps have in common."""

    sync: Sync
    day: Day
    options: ConvertOptions
    aws: AwsOptions
    engine: Engine
    listener: Listener
    clock: Clock

    def run(self) -> SyncReport:
        """Every step that is not done yet."""
        done = self.published()
        if done is not None:
            return done
        export, unusable = self.find()
        origin: Origin = "found"
        if export is None and not self.options.dry_run:
            export, origin = self.start(unusable)
        if export is None:
            return self.report("none", None, None)
        if export.status != COMPLETED:
            if self.options.dry_run:
                return self.report(origin, export.arn, None)
            self.wait(export)
        report = convert_export(export.arn, self.sync.dest, self.options, self.aws, self.engine, self.listener)
        return self.report(origin, export.arn, report)

    def report(self, origin: Origin, arn: str | None, report: Report | None) -> SyncReport:
        """What this run has done."""
        return SyncReport(date=str(self.day.day), export=origin, export_arn=arn, report=report)

    def published(self) -> SyncReport | None:
        """What is there of the day, if it is there whole; the export that it was made from may be gone since.

        Raises UsageError where it was published with other options, or where another table is.
        """
        started = time.perf_counter()
        destination = open_destination(self.sync.dest, self.aws)
        records = read_records(destination)
        table = self.day.table
        for record in records:
            check_owner(record, Owner(table.arn, table.table_id, Kind.ITEMS), destination)
        of_day = [record for record in records if record.date == str(self.day.day)]
        if not of_day or self.options.replace:
            return None
        record = of_day[-1]
        decision = decide(destination, record.to_summary(), self.options)
        if decision.published is None:
            return None
        report = unchanged(decision.published, self.sync.dest, started, decision.warnings)
        return self.report("published", record.export_arn, report)

    def find(self) -> tuple[ExportState | None, tuple[str, ...]]:
        """The best export of the day, finished or not; and the ARNs of those that can't be used."""
        self.listener.phase(f"looking for an export of {self.day.day}")
        unusable = []
        for export in exports_of(self.day, self.aws.for_source()):
            problem = self.problem(export)
            if not problem:
                return export, ()
            self.listener.warned(f"{export.arn} is passed over: {problem}")
            unusable.append(export.arn)
        return None, tuple(sorted(unusable))

    def problem(self, export: ExportState) -> str:
        """Why the export can't be used, or nothing."""
        if export.status == FAILED:
            return f"it has failed: {export.failure_code}: {export.failure_message}"
        if export.status == COMPLETED:
            try:
                open_export(export.arn, self.aws, verify=self.options.verify)
            except ExportError as error:
                return f"{error.where}: {error.what}"
        return ""

    def start(self, unusable: tuple[str, ...]) -> tuple[ExportState, Origin]:
        """Have the service export the day; it answers an equal call of the last hours with the same export."""
        access, table = self.aws.for_source(), self.day.table
        request = ExportRequest(
            table_arn=table.arn,
            table_id=table.table_id,
            target=self.sync.target,
            time=None if self.day.is_today else self.day.last_second,
            other_than=unusable,
        )
        self.wait_until_settled(request.time)
        request.check_within(recovery_window(table, access, self.listener.warned), table)
        started = start_export(request, access, today=self.day.day)
        export = started.state
        if not self.day.wants(export):
            raise BusyError(
                f"{self.day.day} ended while an export of it was started",
                export.arn,
                f"run the same command again, with --date {self.day.day} for that day",
            )
        self.listener.phase(f"{'started' if started.is_new else 'found'} {export.arn}")
        return export, "started" if started.is_new else "found"

    def wait_until_settled(self, moment: datetime | None) -> None:
        """The service exports no moment that is nearer than five minutes."""
        left = 0.0 if moment is None else (moment + SETTLED - self.clock.now()).total_seconds()
        if left > 0:
            self.listener.phase(f"waiting {left:.0f} seconds until {self.day.day} can be exported")
            self.clock.sleep(left)

    def wait(self, export: ExportState) -> None:
        """Until the export is completed."""

        def polled(state: ExportState) -> None:
            begun = state.start_time or self.clock.now()
            minutes = int((self.clock.now() - begun).total_seconds() // _TOLD_EVERY) * _TOLD_EVERY // 60
            self.listener.phase(f"waiting for the export{f', for {minutes} minutes by now' if minutes else ''}")

        try:
            wait_for_export(
                export.arn,
                self.aws.for_source(),
                timeout=self.sync.timeout,
                on_poll=polled,
                on_trouble=lambda error: self.listener.warned(str(error)),
                sleep=self.clock.sleep,
            )
        except BaseException as error:
            # Ctrl-C and SIGTERM end the wait alone.
            if not isinstance(error, Exception):
                error.add_note("the export goes on at the service; the same command goes on waiting for it")
            raise
