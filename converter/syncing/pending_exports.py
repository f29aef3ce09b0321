"""Exports in progress and finished ones: which can be used, and how a run waits for the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from converter.aws.access import Access
from converter.aws.export_request import Window
from converter.aws.export_state import COMPLETED, FAILED, IN_PROGRESS, ExportState
from converter.aws.export_wait import wait_for_export
from converter.aws.exports import describe_exports, list_exports
from converter.aws.tables import Table
from converter.aws.target import ExportTarget
from converter.conversion.export_run import convert_export
from converter.conversion.passes import Execution
from converter.conversion.progress import Listener
from converter.errors import BusyError, DataFileError, ExportError
from converter.export.locate import open_export
from converter.export.manifest import ExportKind, Summary, check_files
from converter.options import ConvertOptions
from converter.publishing.destination_records import RecordCache
from converter.publishing.report import Report
from converter.syncing.windows import SETTLED

ExportOrigin = Literal["published", "found", "started", "none"]
"""Where an export comes from: published before, found at the service, started; or none yet, in a dry run."""
AGAIN = "run the same command again"
DROP_EXPORT = "delete this export's manifest-summary.json so that it is no longer used"

_TOLD_EVERY = 300
_BEST_FIRST = (COMPLETED, IN_PROGRESS, FAILED)
# The service's clock and ours, and ids that count the milliseconds of a moment before the request.
_CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Clock:
    """The current time, and a function that waits for some seconds."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


REAL_TIME = Clock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporting:
    """Settings for looking at exports, waiting for them, and converting them.

    begun: when the run did. timeout: seconds of waiting; None: no limit. verify: an export whose data files are not
    those of its manifest can't be used.
    """

    execution: Execution
    clock: Clock
    begun: datetime
    timeout: float | None
    verify: bool

    @property
    def access(self) -> Access:
        """Access to the table and its exports."""
        return self.execution.aws.for_source()

    @property
    def listener(self) -> Listener:
        """Listener of the run's progress."""
        return self.execution.listener

    def choose(self, exports: Iterable[ExportState]) -> tuple[ExportState | None, tuple[str, ...]]:
        """The first one that can be used, finished or not; and the ARNs of those before it, which can't."""
        unusable: list[str] = []
        for export in exports:
            problem = self.problem(export)
            if not problem:
                return export, tuple(unusable)
            self.listener.warned(f"{export.arn} is passed over: {problem}")
            unusable.append(export.arn)
        return None, tuple(unusable)

    def problem(self, export: ExportState) -> str:
        """Return why the export can't be used, or nothing."""
        if export.status == FAILED:
            return f"it has failed: {export.failure_code}: {export.failure_message}"
        if export.status == COMPLETED:
            try:
                source, opened = open_export(export.arn, self.execution.aws, verify=self.verify)
                check_files(source, opened)
            except ExportError as error:
                return f"{error.where}: {error.what}"
        return ""

    def wait_until(self, moment: datetime, what: str, where: str) -> None:
        """Until the service can export this moment, of which `what` is, for sure. BusyError for more than `timeout`."""
        needed = (moment + SETTLED - self.clock.now()).total_seconds()
        if needed <= 0:
            return
        left = self.seconds_left()
        if left is not None and needed > left:
            raise BusyError(
                f"{what} can be exported in {needed:.0f} seconds at the earliest, which is longer than --timeout",
                where,
                f"{AGAIN} after that time, or raise --timeout",
            )
        self.listener.phase(f"waiting {needed:.0f} seconds until {what} can be exported")
        self.clock.sleep(needed)

    def seconds_left(self) -> float | None:
        """Return the time that is left for waiting."""
        if self.timeout is None:
            return None
        return max(self.timeout - (self.clock.now() - self.begun).total_seconds(), 0.0)

    def wait(self, export: ExportState, what: str = "the export") -> None:
        """Until the export is completed. Raises what wait_for_export raises."""

        def polled(state: ExportState) -> None:
            begun = state.start_time or self.clock.now()
            # By two clocks, an export can have begun in the future.
            waited = max((self.clock.now() - begun).total_seconds(), 0)
            minutes = int(waited // _TOLD_EVERY) * _TOLD_EVERY // 60
            self.listener.phase(f"waiting for {what}{f', for {minutes} minutes by now' if minutes else ''}")

        try:
            wait_for_export(
                export.arn,
                self.access,
                timeout=self.seconds_left(),
                on_poll=polled,
                on_trouble=lambda error: self.listener.warned(str(error)),
                sleep=self.clock.sleep,
            )
        except BusyError as error:
            raise BusyError(error.what, error.where, f"it continues at the service; {AGAIN}") from error
        except BaseException as error:
            # Ctrl-C and SIGTERM end the wait alone.
            if not isinstance(error, Exception):
                error.add_note("the export continues at the service; the same command waits for it again")
            raise

    def convert(
        self,
        arn: str,
        dest: str,
        options: ConvertOptions,
        cache: RecordCache,
        check: Callable[[], None] | None = None,
    ) -> Report:
        """Convert a completed export; see convert_export. An error of its data files says how to start another one."""
        try:
            return convert_export(arn, dest, options, self.execution, check=check, cache=cache)
        except DataFileError as error:
            hint = f"{DROP_EXPORT}, then {AGAIN}; it starts a new export, which AWS charges for"
            raise DataFileError(error.what, error.where, hint) from error


def exports_since(moment: datetime, type: str, table: Table, access: Access) -> list[ExportState]:
    """The table's exports of a type that were begun at or after a moment, as far as the service knows them: 90 days."""
    # Ids begin with 13 or 14 digits of milliseconds.
    earliest = int((moment - _CLOCKS_DIFFER).timestamp() * 1000)
    listed = [
        export.arn
        for export in list_exports(table.arn, access)
        if export.type == type and _begun(export.export_id) >= earliest
    ]
    return describe_exports(listed, access)


def is_whole(export: ExportState, table: Table, target: ExportTarget) -> bool:
    """Return whether it is of exactly this table, without a filter, and in the right folder."""
    return (
        not export.filtered
        and export.table_id == table.table_id
        and (export.bucket, export.prefix, export.format) == (target.bucket, target.prefix, target.format)
    )


def best_first(exports: Sequence[ExportState]) -> list[ExportState]:
    """The same exports: completed ones first, then those in progress, then failed ones."""
    # A status that came later than this program is not one of these.
    return sorted(exports, key=lambda export: (*_BEST_FIRST, export.status).index(export.status))


def expected_export(table: Table, target: ExportTarget, of: datetime | Window) -> Summary:
    """An export of a moment or of a window, as far as it is known before it is made."""
    window = of if isinstance(of, Window) else None
    return Summary(
        export_id="expected",
        export_arn="",
        table_arn=table.arn,
        table=table.name,
        table_id=table.table_id,
        kind=ExportKind.ITEMS if window is None else ExportKind.CHANGES,
        output_format=target.format,
        export_time=None if isinstance(of, Window) else of,
        from_time=None if window is None else window.from_time,
        to_time=None if window is None else window.to_time,
        output_view=None,
        items=0,
        billed_size_bytes=0,
        s3_prefix=target.prefix,
        source=target.folder,
        warnings=(),
    )


def _begun(export_id: str) -> int:
    millis = export_id.partition("-")[0]
    return int(millis) if millis.isdecimal() else 2**63
