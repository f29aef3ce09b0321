"""Check that a destination belongs to the table and the kind of export that a run publishes."""

from __future__ import annotations

from converter.errors import UsageError
from converter.export.manifest import ExportKind
from converter.publishing.destination_records import DestinationRecords
from converter.publishing.record_entry import Owner, RecordEntry, distinct, newest


def check_owner(records: DestinationRecords, owner: Owner, *, accepts_recreated_table: bool = False) -> None:
    """Raises UsageError when a record of the destination is of another table, or holds changes and the owner items.

    A table that was deleted and re-created has another id. It may continue where the older one ended if the newest
    record is of the new one already, or if `accepts_recreated_table` is true.
    """
    last = newest(records.entries)
    # All that have one owner are refused alike.
    for entry in distinct(records.entries, "owner"):
        other_kind = (entry.kind is ExportKind.CHANGES) != (owner.kind is ExportKind.CHANGES)
        if entry.owner.table_arn != owner.table_arn or other_kind:
            raise _other_owner_error(records, entry, owner)
    if last is not None and last.owner.table_id != owner.table_id and not accepts_recreated_table:
        raise UsageError(
            f"the destination belongs to the table {owner.table_arn} with id {last.owner.table_id}; it was deleted and"
            f" re-created since, and has the id {owner.table_id} now",
            records.place(last),
            "choose another DEST: items of both tables would be taken for those of one",
        )


def _other_owner_error(records: DestinationRecords, entry: RecordEntry, owner: Owner) -> UsageError:
    return UsageError(
        f"the destination belongs to {entry.kind} of {entry.owner.table_arn}, and not to {owner.kind} of"
        f" {owner.table_arn}",
        records.place(entry),
        "choose another DEST: one for each table, and one for each kind of export",
    )
