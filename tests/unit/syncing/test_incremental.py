"""Changes window by window: no change is left out or published twice, and exports that exist are not paid for again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from converter.api import _execution
from converter.aws.access import AwsOptions
from converter.errors import BusyError, DataFileError, ExportError, UsageError
from converter.options import ConvertOptions
from converter.syncing.incremental import sync_changes
from converter.syncing.incremental_options import Changes, SyncChanges
from converter.syncing.incremental_report import ChangesReport
from converter.syncing.pending_exports import Clock
from tests.unit.syncing.service import ITEM, NOON, TABLE, TARGET, Heard, Service, start_service

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
END = NOON.replace(minute=0)
"""The last quarter of an hour that can be exported at NOON."""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with start_service(tmp_path / "bucket") as service:
        yield service


def sync(
    service: Service, options: ConvertOptions | None = None, heard: Heard | None = None, **changes: Any
) -> ChangesReport:
    dest = str(service.folder / "../out")
    wanted = SyncChanges(table=TABLE.name, dest=dest, target=TARGET, changes=Changes(**changes), timeout=3600)
    chosen = options or ConvertOptions(workers=1)
    clock = Clock(service.read_clock, service.sleep)
    return sync_changes(wanted, chosen, _execution(chosen, AwsOptions(), heard or Heard()), clock)


def spans(report: ChangesReport) -> list[tuple[datetime, datetime, str]]:
    return [(window.begin, window.end, window.export) for window in report.windows]


def test_a_first_run_publishes_all_items_as_of_the_last_quarter_of_an_hour(service: Service) -> None:
    heard = Heard()
    first = sync(service, heard=heard)
    assert first.full is not None
    assert (first.full.begin, first.full.end, first.full.export) == (END, END, "started")
    assert "waiting for the export of all items as of 2024-03-09T12:00:00Z" in heard.phases
    assert (first.through, first.windows, first.gap, first.snapshot) == (END, (), "", None)
    assert [asked["ExportTime"] for asked in service.asked] == [END.timestamp()]


def test_a_later_run_continues_where_the_last_one_ended_in_windows_of_a_day(service: Service) -> None:
    sync(service)
    assert spans(sync(service)) == []
    service.now += DAY + 2 * HOUR
    heard = Heard()
    later = sync(service, heard=heard)
    waited = "waiting for the export of the changes from 2024-03-09T12:00:00Z to 2024-03-10T12:00:00Z"
    assert waited in heard.phases
    assert spans(later) == [(END, END + DAY, "started"), (END + DAY, END + DAY + 2 * HOUR, "started")]
    assert (later.full, later.through) == (None, END + DAY + 2 * HOUR)
    service.now += timedelta(minutes=7)
    assert spans(sync(service)) == []


def test_existing_exports_that_lead_to_the_end_are_used_and_the_longest_of_them(service: Service) -> None:
    sync(service)
    for minutes in (30, 60, 110):
        # After the last one, no window would be long enough.
        service.add_window(NOON + HOUR, END, END + timedelta(minutes=minutes))
    service.now += 2 * HOUR
    assert spans(sync(service)) == [(END, END + HOUR, "found"), (END + HOUR, END + 2 * HOUR, "started")]


def test_exports_with_other_images_or_of_another_begin_are_not_used(service: Service) -> None:
    sync(service)
    service.add_window(NOON + HOUR, END - HOUR, END + HOUR)
    service.add_window(NOON + HOUR, END, END + HOUR, TableId="of a table that was deleted")
    service.now += HOUR
    service.add_window(NOON, END, END + HOUR)
    assert spans(sync(service, view="new")) == [(END, END + HOUR, "started")]
    assert service.asked[-1]["IncrementalExportSpecification"]["ExportViewType"] == "NEW_IMAGE"


def test_a_full_export_of_the_night_before_is_used_with_the_changes_after_it(service: Service) -> None:
    service.add(END - 37 * HOUR)
    wanted = service.add(END - 35 * HOUR)
    service.add(END - timedelta(minutes=10))
    first = sync(service)
    assert first.full is not None
    assert (first.full.export, first.full.export_arn) == ("found", wanted)
    assert [(begin, end) for begin, end, _ in spans(first)] == [
        (END - 35 * HOUR, END - 11 * HOUR),
        (END - 11 * HOUR, END),
    ]


def test_changes_that_are_lost_are_an_error_unless_a_full_export_is_asked_for(service: Service) -> None:
    sync(service)
    service.now += 3 * DAY
    service.earliest = service.now - DAY
    with pytest.raises(ExportError, match="can't be exported any more") as refused:
        sync(service)
    assert "--on-gap full" in refused.value.hint
    assert len(service.asked) == 1
    done = sync(service, on_gap="full")
    assert done.full is not None
    assert (done.full.end, done.through, spans(done)) == (END + 3 * DAY, END + 3 * DAY, [])
    assert "can't be exported any more" in done.gap
    assert "all items were exported again" in done.warnings[0]


def test_changes_that_are_exported_are_not_lost_although_recovery_begins_later(service: Service) -> None:
    sync(service)
    service.add_window(NOON + HOUR, END, END + DAY)
    service.now += 2 * DAY
    service.earliest = END + DAY
    assert spans(sync(service)) == [(END, END + DAY, "found"), (END + DAY, END + 2 * DAY, "started")]


def test_what_could_be_exported_is_published_before_the_limit_of_exports_ends_the_run(service: Service) -> None:
    sync(service)
    service.now += 3 * DAY
    service.busy_after = 3
    with pytest.raises(BusyError, match=r"current through 2024-03-11T12:00:00Z, not 2024-03-12T12:00:00Z"):
        sync(service)
    service.busy_after = None
    assert spans(sync(service)) == [(END + 2 * DAY, END + 3 * DAY, "started")]
    service.now += DAY
    service.busy_after = 0
    with pytest.raises(BusyError, match="limit of concurrent exports"):
        sync(service)


def test_a_dry_run_plans_all_windows_and_starts_nothing(service: Service) -> None:
    planned = sync(service, ConvertOptions(dry_run=True))
    assert planned.full is not None
    assert (planned.full.export, planned.full.report, planned.through) == ("none", None, None)
    assert (service.asked, (service.folder / "../out").exists()) == ([], False)
    sync(service)
    service.now += DAY + HOUR
    planned = sync(service, ConvertOptions(dry_run=True), merge=True)
    assert [origin for *_, origin in spans(planned)] == ["none", "none"]
    assert (planned.snapshot, len(service.asked)) == (None, 1)


def test_a_merge_puts_all_changes_into_the_snapshot(service: Service) -> None:
    service.history = {**service.history, NOON: [{**ITEM, "n": {"N": "8"}}, {"id": {"S": "b"}}]}
    first = sync(service, merge=True)
    assert first.snapshot is None
    service.now += HOUR
    merged = sync(service, merge=True)
    assert merged.snapshot is not None
    assert (merged.snapshot.items, merged.snapshot.kind) == (2, "snapshot")
    assert sync(service, merge=True).snapshot is None


def test_changes_that_are_damaged_before_they_are_merged_name_the_export_to_delete(service: Service) -> None:
    service.history = {**service.history, NOON: [{**ITEM, "n": {"N": "8"}}]}
    sync(service)
    service.now += HOUR
    sync(service)
    for path in service.folder.rglob("data/*"):
        path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(DataFileError) as damaged:
        sync(service, merge=True)
    assert damaged.value.where.startswith("s3://exports/nightly/AWSDynamoDB/data/")
    assert "run the same command again with --on-gap full" in damaged.value.hint


def test_columns_that_can_not_be_merged_are_refused_before_the_changes_are_exported(service: Service) -> None:
    sync(service)
    service.now += HOUR
    without = ConvertOptions(exclude=("n",), workers=1)
    with pytest.raises(UsageError, match="n"):
        sync(service, without, merge=True)
    assert len(service.asked) == 1
    assert spans(sync(service, without)) == [(END, END + HOUR, "started")]


def test_a_dry_run_plans_the_full_export_in_place_of_a_snapshot_that_is_lost(service: Service) -> None:
    sync(service)
    service.now += HOUR
    sync(service)
    shutil.rmtree(service.folder / "../out/snapshot")
    planned = sync(service, ConvertOptions(dry_run=True), merge=True, on_gap="full")
    assert planned.full is not None
    assert (planned.gap, planned.full.export) == ("there is no snapshot that the changes follow", "none")
    assert (planned.snapshot, len(service.asked)) == (None, 2)


def test_options_that_end_in_no_merge_are_refused_before_anything_is_exported(service: Service) -> None:
    for options, changes in (
        (ConvertOptions(format="csv"), {"merge": True}),
        (ConvertOptions(exclude=("id",)), {"merge": True}),
        (ConvertOptions(replace=True), {}),
        (ConvertOptions(old_image=True), {"view": "new"}),
    ):
        with pytest.raises(UsageError):
            sync(service, options, **changes)
    assert service.asked == []


def test_the_end_of_a_given_day_is_the_end_of_its_last_window(service: Service) -> None:
    yesterday = (NOON - DAY).date()
    first = sync(service, day=yesterday)
    assert first.through == NOON.replace(hour=0, minute=0) - timedelta(seconds=1)
