"""How far a destination is: what its records say of changes and of snapshots."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from converter import AwsOptions
from converter.aws.tables import Table
from converter.errors import UsageError
from converter.syncing.destination_state import SyncDestinations
from tests.unit.publishing.published import TIME, make_export, make_window, publish_export

HOUR = timedelta(hours=1)
BEGIN = TIME.replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def places(tmp_path: Path) -> SyncDestinations:
    return SyncDestinations.of(str(tmp_path / "out"), AwsOptions())


def table(id: str = make_export().table_id) -> Table:
    export = make_export()
    return Table(name=export.table, arn=export.table_arn, table_id=id, region="eu-west-1", account="123456789012")


def put_all(places: SyncDestinations, hour: int, **changed: str) -> None:
    """All items of an hour."""
    export = make_export(f"0170100000{hour:04}-aaaaaaaa", BEGIN + hour * HOUR)
    publish_export(places.snapshot.destination, replace(export, **changed), accepts_recreated_table=True)  # type: ignore[arg-type]


def put_changes(places: SyncDestinations, hour: int, **changed: str) -> None:
    """The changes of the hour before."""
    window = make_window(BEGIN + (hour - 1) * HOUR, BEGIN + hour * HOUR)
    window = replace(window, export_id=f"0170100000{hour:04}-bbbbbbbb", **changed)  # type: ignore[arg-type]
    publish_export(places.changes.destination, window, accepts_recreated_table=True)


def test_where_nothing_is_there_is_no_moment(places: SyncDestinations) -> None:
    state = places.read_state(table())
    assert (state.through, state.pending(), state.has_older) == (None, (), False)


def test_all_items_reach_up_to_their_moment_and_changes_to_the_end_of_their_window(places: SyncDestinations) -> None:
    put_all(places, 2)
    assert places.read_state(table()).through == BEGIN + 2 * HOUR
    for hour in (4, 3):
        put_changes(places, hour)
    state = places.read_state(table())
    assert state.through == BEGIN + 4 * HOUR
    assert [record.export_id[10:14] for record in state.pending()] == ["0003", "0004"]


def test_changes_that_the_snapshot_has_are_not_pending(places: SyncDestinations) -> None:
    put_all(places, 2)
    for hour in (3, 4, 5):
        put_changes(places, hour)
    put_all(places, 28)
    assert places.read_state(table()).pending() == ()
    assert places.read_state(table()).through == BEGIN + 28 * HOUR


def test_without_a_snapshot_all_changes_are_pending(places: SyncDestinations) -> None:
    put_changes(places, 3)
    state = places.read_state(table())
    assert (state.snapshot, len(state.pending())) == (None, 1)


def test_what_is_of_a_table_that_was_deleted_does_not_count(places: SyncDestinations) -> None:
    put_all(places, 2)
    put_changes(places, 3)
    state = places.read_state(table("12345678-0000-4000-8000-9f1d2b3c4d5e"))
    assert (state.through, state.snapshot, state.has_older) == (None, None, True)


def test_what_is_of_another_table_is_refused(places: SyncDestinations) -> None:
    put_all(places, 2)
    other = replace(table(), arn=f"{table().arn}-2")
    with pytest.raises(UsageError, match="belongs to items"):
        places.read_state(other)
