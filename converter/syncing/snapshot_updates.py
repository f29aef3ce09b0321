"""The snapshot of a destination that is kept current: what it lacks, whether it can have it, and the merge."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from converter.aws.exports import describe_exports
from converter.aws.tables import Table
from converter.errors import BusyError, DataFileError, ExportError, UsageError
from converter.merging.base_snapshot import BaseSnapshot
from converter.merging.increment_chain import STRICT, ExportWindow, chain_windows
from converter.merging.pipeline import Merge, merge_exports
from converter.options import ConvertOptions, OnGap
from converter.publishing.prior_schema import read_prior_schema
from converter.publishing.record import Record
from converter.publishing.report import Report
from converter.storage.paths import record_path
from converter.syncing.destination_state import DestinationState, SyncDestinations
from converter.syncing.pending_exports import AGAIN, DROP_EXPORT, Exporting
from converter.utc import short_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshots:
    """All snapshots below a DEST. dest: theirs. options: with which they are made. on_gap: what the run is to do."""

    table: Table
    places: SyncDestinations
    dest: str
    options: ConvertOptions
    on_gap: OnGap
    exporting: Exporting

    def lost(self, state: DestinationState) -> str:
        """Return why the changes that the snapshot lacks can't be merged into it, or nothing."""
        snapshot, pending = state.snapshot, state.pending()
        if not pending:
            return ""
        if snapshot is None:
            return "there is no snapshot that the changes follow"
        if snapshot.parts and not snapshot.parts_of("parquet"):
            return f"the snapshot of {short_utc(snapshot.moment)} is there as CSV alone, which does not keep types"
        unfit = self.unfit(snapshot)
        if unfit is not None:
            return unfit.what
        arns = [entry.arn for entry in pending]
        known = {state.arn: state for state in describe_exports(arns, self.exporting.access)}
        spans = []
        for arn in arns:
            problem = self.exporting.problem(known[arn]) if arn in known else "the service has forgotten it"
            if problem:
                return f"the changes of {arn} can't be merged any more: {problem}"
            window = known[arn].window
            if window is not None:
                spans.append(ExportWindow(known[arn].export_id, window.from_time, window.to_time))
        try:
            chain_windows(snapshot.moment, spans, STRICT)
        except ExportError as error:
            return f"the changes don't follow the snapshot: {error.what}"
        return ""

    def check_base(self, snapshot: Record | None) -> None:
        """Raises UsageError for options with which nothing could be merged into the snapshot, before changes are."""
        unfit = None if snapshot is None else self.unfit(snapshot)
        if unfit is not None and self.on_gap == "fail":
            raise UsageError(
                unfit.what,
                unfit.where,
                "use the same options; or pass --on-gap full for a new full export, which is charged by the size of the"
                " table",
            ) from unfit

    def unfit(self, snapshot: Record) -> UsageError | None:
        """Return the error of a merge into the snapshot that its columns cause, if any."""
        base = BaseSnapshot({}, snapshot, self.places.snapshot.destination.child(record_path(snapshot.export_id)))
        try:
            without = read_prior_schema((), self.options).options
            base.check_options(self.options, without.exclude)
            base.check_keys(self.table.keys)
        except UsageError as error:
            return error
        return None

    def merge(self, state: DestinationState) -> Report | None:
        """The snapshot with all changes that are here and not in it yet; None where there are none."""
        pending = state.pending()
        if not pending:
            return None
        arns = tuple(entry.arn for entry in pending)
        wanted = Merge(base=self.dest, increments=arns, dest=self.dest, rules=STRICT)
        check = partial(self.check_unchanged, state.snapshot)
        try:
            return merge_exports(
                wanted, self.options, self.exporting.execution, check=check, cache=self.places.snapshot
            )
        except DataFileError as error:
            raise self.unmergeable_error(error, state.snapshot) from error

    def unmergeable_error(self, error: DataFileError, snapshot: Record | None) -> DataFileError:
        """The error for what can't be read in a merge, with the way to a snapshot without it."""
        if snapshot is not None and error.where.startswith(self.places.snapshot.destination.root):
            record = self.places.snapshot.destination.child(record_path(snapshot.export_id))
            hint = f"{AGAIN}; if it fails again, delete {record}: the run continues from the snapshot before it, if any"
        else:
            hint = f"{DROP_EXPORT}, then {AGAIN} with --on-gap full; it starts a new full export, which AWS charges for"
        return DataFileError(error.what, error.where, hint)

    def check_unchanged(self, before: Record | None) -> None:
        """Raises BusyError where another run has published a snapshot since this one has looked."""
        now = self.places.latest_state(self.table).snapshot
        if (now and now.export_id) != (before and before.export_id):
            raise BusyError(
                "another run has published a snapshot meanwhile", self.places.snapshot.destination.root, AGAIN
            )
