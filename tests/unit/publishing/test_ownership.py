"""A destination holds the items or the changes of one table: others would be read as the same data."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from converter.errors import UsageError
from converter.export.manifest import ExportKind, Summary
from converter.publishing.destination_records import DestinationRecords
from converter.publishing.ownership import check_owner
from converter.publishing.record_entry import Owner
from converter.storage.local import LocalDestination
from converter.storage.stored_files import UNKNOWN_VERSION
from tests.unit.publishing.published import EXPORT_ID, TABLE_ARN, TIME, make_example_record, make_export

ITEMS = make_export()
NEW_ID = "12345678-0000-4000-8000-9f1d2b3c4d5e"


def owner(export: Summary) -> Owner:
    return Owner(export.table_arn, export.table_id, export.kind)


def published(*exports: Summary) -> DestinationRecords:
    """The records of a destination, published in this order."""
    found = DestinationRecords(LocalDestination("out"))
    for sequence, export in enumerate(exports, 1):
        record = replace(make_example_record(export=export), sequence=sequence)
        found = found.published(record, UNKNOWN_VERSION, ())
    return found


@pytest.mark.parametrize("kind", ExportKind)
def test_an_empty_destination_belongs_to_no_table(kind: ExportKind) -> None:
    check_owner(published(), owner(replace(ITEMS, kind=kind)))


def test_items_and_snapshots_of_a_table_may_follow_each_other() -> None:
    snapshot = replace(ITEMS, kind=ExportKind.SNAPSHOT)
    check_owner(published(ITEMS), owner(snapshot))
    check_owner(published(snapshot), owner(ITEMS))


@pytest.mark.parametrize("recreated", [False, True])
@pytest.mark.parametrize(
    ("there", "here", "message"),
    [
        (ITEMS, make_export(table_arn=f"{TABLE_ARN}-2"), rf"items of {TABLE_ARN}, and not to items of {TABLE_ARN}-2"),
        (ITEMS, replace(ITEMS, kind=ExportKind.CHANGES), f"items of {TABLE_ARN}, and not to changes of"),
        (replace(ITEMS, kind=ExportKind.CHANGES), ITEMS, f"changes of {TABLE_ARN}, and not to items of"),
    ],
)
def test_another_table_or_changes_beside_items_are_refused(
    there: Summary, here: Summary, message: str, recreated: bool
) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        check_owner(published(there), owner(here), accepts_recreated_table=recreated)
    assert refused.value.where == f"out/_exports/{EXPORT_ID}.json"
    assert "choose another DEST" in refused.value.hint


def test_one_export_of_another_table_among_many_is_found() -> None:
    other = make_export("01701151907109-bbbbbbbb", TIME + timedelta(days=1), f"{TABLE_ARN}-2")
    last = make_export("01701238307109-aaaaaaaa", TIME + timedelta(days=2))
    with pytest.raises(UsageError, match="belongs to items of") as refused:
        check_owner(published(ITEMS, other, last), owner(ITEMS))
    assert refused.value.where == "out/_exports/01701151907109-bbbbbbbb.json"


def test_a_table_that_was_created_again_continues_only_where_that_is_accepted() -> None:
    recreated = replace(ITEMS, table_id=NEW_ID)
    with pytest.raises(UsageError, match=f"it was deleted and re-created since, and has the id {NEW_ID} now"):
        check_owner(published(ITEMS), owner(recreated))
    check_owner(published(ITEMS), owner(recreated), accepts_recreated_table=True)


def test_the_record_that_was_published_last_decides_which_of_both_tables_continues() -> None:
    # Its export is of an earlier time than the one of the table that was deleted.
    recreated = replace(make_export("01700979107109-bbbbbbbb", TIME - timedelta(days=1)), table_id=NEW_ID)
    both = published(ITEMS, recreated)
    check_owner(both, owner(recreated))
    with pytest.raises(UsageError, match="deleted and re-created") as refused:
        check_owner(both, owner(ITEMS))
    assert refused.value.where == "out/_exports/01700979107109-bbbbbbbb.json"
