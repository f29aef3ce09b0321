"""The state of a destination that is kept current: how far it is. Its records say it, and nothing else.

    DEST/changes/   the changes, window by window
    DEST/snapshot/  all items, as they were at some moment: a full export, or a merge of one with windows after it

All that was written to the table before `through` is there. The next window begins at that moment.
"""

from __future__ import annotations

import posixpath
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

from converter.aws.access import AwsOptions
from converter.aws.tables import Table
from converter.export.manifest import ExportKind
from converter.publishing.destination_records import DestinationRecords, RecordCache
from converter.publishing.ownership import check_owner
from converter.publishing.record import Record
from converter.publishing.record_entry import Owner, RecordEntry, latest_of
from converter.storage import open_destination
from converter.storage.paths import INTENT

CHANGES = "changes"
SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationState:
    """The records of a table. snapshot: of the latest moment. changes: by the ends of their windows, oldest first.

    has_older: is there something of another table of the same name and account, which was deleted since?
    """

    snapshot: Record | None
    changes: tuple[RecordEntry, ...]
    has_older: bool

    @property
    def through(self) -> datetime | None:
        """All that was written before is there; None where nothing is."""
        ends = [window_end(self.changes[-1])] if self.changes else []
        if self.snapshot is not None:
            ends.append(self.snapshot.moment)
        return max(ends, default=None)

    def pending(self) -> tuple[RecordEntry, ...]:
        """The changes that the snapshot does not have: all where there is none."""
        if self.snapshot is None:
            return self.changes
        moment = self.snapshot.moment
        return tuple(entry for entry in self.changes if window_end(entry) > moment)


@dataclass(frozen=True, slots=True)
class SyncDestinations:
    """The two destinations below DEST, with the records that this run has read."""

    changes: RecordCache
    snapshot: RecordCache

    @staticmethod
    def of(dest: str, aws: AwsOptions) -> SyncDestinations:
        """Those of a DEST; nothing is created."""
        changes, snapshot = (open_destination(posixpath.join(dest, name), aws) for name in (CHANGES, SNAPSHOT))
        return SyncDestinations(
            RecordCache(changes, accepts_recreated_table=True), RecordCache(snapshot, accepts_recreated_table=True)
        )

    def finish_begun(self, *, dry_run: bool) -> None:
        """Finish commits of runs that died, so that the records say all; a dry run only looks.

        Raises BusyError where another run is at work.
        """
        for destination in (self.changes.destination, self.snapshot.destination):
            if destination.read(INTENT) is not None:
                with nullcontext(destination.check_free()) if dry_run else destination.lease():
                    pass

    def read_state(self, table: Table) -> DestinationState:
        """The state as it is now. Raises UsageError for records of another table, or of another kind."""
        self.changes.read()
        self.snapshot.read()
        return self.latest_state(table)

    def latest_state(self, table: Table) -> DestinationState:
        """The state as this run has read it, or has made it since."""
        changes, snapshots = self.changes.known(), self.snapshot.known()
        for records, kind in ((changes, ExportKind.CHANGES), (snapshots, ExportKind.SNAPSHOT)):
            check_owner(records, Owner(table.arn, table.table_id, kind), accepts_recreated_table=True)
        own_changes, own_snapshots = _of_table(changes, table), _of_table(snapshots, table)
        latest = latest_of(own_snapshots)
        return DestinationState(
            snapshot=None if latest is None else snapshots.load(latest),
            changes=own_changes,
            has_older=len(own_changes) + len(own_snapshots) < len(changes.entries) + len(snapshots.entries),
        )


def _of_table(records: DestinationRecords, table: Table) -> tuple[RecordEntry, ...]:
    return tuple(entry for entry in records.entries if entry.owner.table_id == table.table_id)


def window_end(entry: RecordEntry) -> datetime:
    """The first moment after the window of changes: a record keeps the last millisecond in it."""
    return entry.export_time + timedelta(milliseconds=1)
