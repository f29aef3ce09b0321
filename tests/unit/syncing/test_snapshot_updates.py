"""Snapshots: what makes a merge impossible is found before changes are published, and never merged around."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from converter.aws.access import AwsOptions
from converter.errors import BusyError, DataFileError, UsageError
from converter.option_values import Format
from converter.options import ConvertOptions, OnGap
from converter.publishing.record import Record
from converter.syncing.destination_state import DestinationState, SyncDestinations
from converter.syncing.snapshot_updates import Snapshots
from tests.unit.publishing.published import make_export, make_window, publish_export
from tests.unit.syncing.service import NOON, TABLE, Heard, Service, exporting, start_service

HOUR = timedelta(hours=1)
BEGIN = NOON.replace(minute=0) - 5 * HOUR


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with start_service(tmp_path / "bucket") as service:
        yield service


def snapshots(service: Service, options: ConvertOptions | None = None, on_gap: OnGap = "fail") -> Snapshots:
    dest = str(service.folder / "../out")
    return Snapshots(
        table=TABLE,
        places=SyncDestinations.of(dest, AwsOptions()),
        dest=f"{dest}/snapshot",
        options=options or ConvertOptions(replace=True, workers=1),
        on_gap=on_gap,
        exporting=exporting(service, Heard()),
    )


def state_of(snapshots: Snapshots) -> DestinationState:
    return snapshots.places.read_state(TABLE)


def put_all(snapshots: Snapshots, hour: int = 0, options: ConvertOptions | None = None) -> Record:
    """A full export of an hour after BEGIN."""
    export = make_export(f"0170100000{hour:04}-aaaaaaaa", BEGIN + hour * HOUR)
    publish_export(snapshots.places.snapshot.destination, export, options)
    snapshot = state_of(snapshots).snapshot
    assert snapshot is not None
    return snapshot


def put_changes(service: Service, snapshots: Snapshots, begin: int, end: int) -> str:
    """The changes between two hours after BEGIN, of an export that the service has; its ARN."""
    arn = service.add_window(BEGIN + end * HOUR, BEGIN + begin * HOUR, BEGIN + end * HOUR)
    window = make_window(BEGIN + begin * HOUR, BEGIN + end * HOUR)
    window = replace(window, export_id=arn.rpartition("/")[2], export_arn=arn)
    publish_export(snapshots.places.changes.destination, window)
    return arn


def test_without_new_changes_nothing_is_lost_and_nothing_is_merged(service: Service) -> None:
    here = snapshots(service)
    assert here.lost(state_of(here)) == ""
    put_all(here)
    assert here.lost(state_of(here)) == ""
    assert here.merge(state_of(here)) is None


def test_changes_that_follow_the_snapshot_can_be_merged(service: Service) -> None:
    here = snapshots(service)
    put_all(here)
    put_changes(service, here, 0, 1)
    put_changes(service, here, 1, 3)
    assert here.lost(state_of(here)) == ""


def test_changes_without_a_snapshot_or_after_a_gap_can_not_be_merged(service: Service) -> None:
    here = snapshots(service)
    put_changes(service, here, 1, 2)
    assert here.lost(state_of(here)) == "there is no snapshot that the changes follow"
    put_all(here)
    assert here.lost(state_of(here)).startswith("the changes don't follow the snapshot: ")


def test_changes_can_be_merged_into_a_snapshot_of_an_empty_table(service: Service) -> None:
    here = snapshots(service)
    publish_export(here.places.snapshot.destination, make_export(time=BEGIN), contents=())
    put_changes(service, here, 0, 1)
    assert here.lost(state_of(here)) == ""


def test_exports_that_are_forgotten_or_gone_can_not_be_merged(service: Service) -> None:
    here = snapshots(service)
    put_all(here)
    arn = put_changes(service, here, 0, 1)
    service.remove_files(arn)
    assert here.lost(state_of(here)).startswith(f"the changes of {arn} can't be merged any more: s3://exports/")
    del service.exports[arn]
    forgotten = f"the changes of {arn} can't be merged any more: the service has forgotten it"
    assert here.lost(state_of(here)) == forgotten


@pytest.mark.parametrize(("format", "lost"), [("csv", True), ("csv,parquet", False)])
def test_a_snapshot_in_csv_alone_can_not_be_merged_into(format: Format, lost: bool, service: Service) -> None:
    here = snapshots(service)
    put_all(here, options=ConvertOptions(format=format))
    put_changes(service, here, 0, 1)
    assert ("is there as CSV alone" in here.lost(state_of(here))) == lost


def test_a_snapshot_without_a_key_or_with_other_columns_is_unfit(service: Service) -> None:
    here = snapshots(service)
    snapshot = put_all(here)
    put_changes(service, here, 0, 1)
    for other in (
        replace(here, table=replace(TABLE, keys=(("id", "S"), ("sort", "S")))),
        replace(here, options=ConvertOptions(exclude=("price",))),
    ):
        unfit = other.unfit(snapshot)
        assert unfit is not None
        assert unfit.what == other.lost(state_of(here))
    assert here.unfit(snapshot) is None


def test_an_unfit_snapshot_ends_the_run_unless_a_full_export_is_asked_for(service: Service) -> None:
    here = snapshots(service, ConvertOptions(exclude=("price",)))
    snapshot = put_all(here)
    with pytest.raises(UsageError) as refused:
        here.check_base(snapshot)
    assert "or pass --on-gap full for a new full export, which is charged" in refused.value.hint
    replace(here, on_gap="full").check_base(snapshot)
    here.check_base(None)
    snapshots(service).check_base(snapshot)


def test_a_snapshot_of_another_run_meanwhile_ends_this_one(service: Service) -> None:
    here = snapshots(service)
    here.check_unchanged(None)
    first = put_all(here)
    here.check_unchanged(first)
    with pytest.raises(BusyError, match="another run has published a snapshot meanwhile") as refused:
        here.check_unchanged(None)
    assert refused.value.where == here.places.snapshot.destination.root
    put_all(here, 1, ConvertOptions(replace=True))
    with pytest.raises(BusyError, match="another run has published"):
        here.check_unchanged(first)


def test_what_can_not_be_read_in_a_merge_is_dropped_where_it_is(service: Service) -> None:
    here = snapshots(service)
    snapshot = put_all(here)
    root = here.places.snapshot.destination.root
    of_base = here.unmergeable_error(DataFileError("damaged", f"{root}/dt=1/x", ""), snapshot)
    assert f"delete {root}/_exports/{snapshot.export_id}.json" in of_base.hint
    for where, base in (("s3://exports/x", snapshot), (f"{root}/dt=1/x", None)):
        of_changes = here.unmergeable_error(DataFileError("damaged", where, ""), base)
        assert (of_changes.what, of_changes.where) == ("damaged", where)
        assert "delete this export's manifest-summary.json" in of_changes.hint
        assert "--on-gap full" in of_changes.hint
