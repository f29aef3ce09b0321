"""How far a destination that is kept current has come: its records say it, and nothing else.

    DEST/changes/   what has changed, window by window
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
from converter.merging.base_snapshot import record_moment
from converter.publishing.decision import Owner, check_owner, read_records
from converter.publishing.record import Record
from converter.storage import open_destination
from converter.storage.destination import Destination
from converter.storage.paths import INTENT

CHANGES = "changes"
SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is there of a table. snapshot: of the latest moment. changes: by the ends of their windows, oldest first.

    has_older: is there something of another table of the same name and account, which was deleted since?
    """

    snapshot: Record | None
    changes: tuple[Record, ...]
    has_older: bool

    @property
    def through(self) -> datetime | None:
        """All that was written before is there; None where nothing is."""
        ends = [window_end(self.changes[-1])] if self.changes else []
        if self.snapshot is not None:
            ends.append(record_moment(self.snapshot))
        return max(ends, default=None)

    def pending(self) -> tuple[Record, ...]:
        """The changes that the snapshot does not have: all where there is none."""
        if self.snapshot is None:
            return self.changes
        moment = record_moment(self.snapshot)
        return tuple(record for record in self.changes if window_end(record) > moment)


@dataclass(frozen=True, slots=True)
class Places:
    """The two destinations below DEST."""

    changes: Destination
    snapshot: Destination

    @staticmethod
    def of(dest: str, aws: AwsOptions) -> Places:
        """Those of a DEST; nothing is created."""
        return Places(open_destination(child_of(dest, CHANGES), aws), open_destination(child_of(dest, SNAPSHOT), aws))

    def finish_begun(self, *, dry_run: bool) -> None:
        """Finish commits of runs that died, so that the records say all; a dry run only looks.

        Raises BusyError where a run lives.
        """
        for place in (self.changes, self.snapshot):
            if place.read(INTENT) is not None:
                with nullcontext(place.check_free()) if dry_run else place.lease():
                    pass

    def standing(self, table: Table) -> Standing:
        """What the records say. Raises UsageError for those of another table, or of another kind."""
        changes, snapshots = read_records(self.changes), read_records(self.snapshot)
        for place, records, kind in (
            (self.changes, changes, ExportKind.CHANGES),
            (self.snapshot, snapshots, ExportKind.SNAPSHOT),
        ):
            check_owner(records, Owner(table.arn, table.table_id, kind), place, takes_over=True)
        own = [record for record in (*changes, *snapshots) if record.table_id == table.table_id]
        return Standing(
            snapshot=max(
                (record for record in own if record.kind != ExportKind.CHANGES),
                key=lambda record: (record_moment(record), record.sequence),
                default=None,
            ),
            changes=tuple(sorted((record for record in own if record.kind == ExportKind.CHANGES), key=window_end)),
            has_older=len(own) < len(changes) + len(snapshots),
        )


def child_of(dest: str, name: str) -> str:
    """A folder of DEST, local or in S3."""
    return posixpath.join(dest, name)


def window_end(record: Record) -> datetime:
    """The first moment that changes are not of any more: a record keeps the last millisecond before."""
    return record.export_time + timedelta(milliseconds=1)
