"""A day of a table: an export is paid for only if there is none that can be used, and never for the wrong day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from converter.api import _execution
from converter.aws.access import AwsOptions
from converter.errors import BusyError, ExportError, UsageError
from converter.options import ConvertOptions
from converter.syncing.daily import Sync, SyncReport, sync_day
from converter.syncing.pending_exports import Clock
from tests.unit.syncing.service import NOON, TABLE, TARGET, Heard, Service, start_service

TODAY = NOON.date()
YESTERDAY = TODAY - timedelta(days=1)
MIDNIGHT = NOON.replace(hour=0, minute=0)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with start_service(tmp_path / "bucket") as service:
        yield service


def sync(
    service: Service,
    day: date | None = YESTERDAY,
    heard: Heard | None = None,
    timeout: float | None = None,
    clock: Clock | None = None,
    dest: str = "",
    **options: Any,
) -> SyncReport:
    dest = dest or str(service.folder / "../out")
    wanted = Sync(table=TABLE.name, dest=dest, target=TARGET, day=day, timeout=timeout)
    chosen = ConvertOptions(workers=1, **options)
    clock = clock or Clock(service.read_clock, service.sleep)
    return sync_day(wanted, chosen, _execution(chosen, AwsOptions(), heard or Heard()), clock)


def moments(service: Service) -> list[float | None]:
    """The times of the exports that were started."""
    return [asked.get("ExportTime") for asked in service.asked]


def test_a_day_that_is_over_is_exported_as_of_its_last_second_once(service: Service) -> None:
    first = sync(service)
    assert (first.date, first.export) == (str(YESTERDAY), "started")
    assert first.report is not None
    assert (first.report.status, first.report.items) == ("published", 1)
    again = sync(service)
    assert again.report is not None
    assert (again.export, again.export_arn, again.report.status) == ("published", first.export_arn, "unchanged")
    assert again.warnings == ()
    assert moments(service) == [(MIDNIGHT - SECOND).timestamp()]


def test_an_existing_export_of_the_day_is_used(service: Service) -> None:
    service.add(MIDNIGHT + HOUR, ExportTime=(MIDNIGHT - 2 * SECOND).timestamp())
    wanted = service.add(MIDNIGHT + HOUR, ExportTime=(MIDNIGHT - SECOND).timestamp())
    service.add(MIDNIGHT + 2 * HOUR)
    found = sync(service)
    assert (found.export, found.export_arn, service.asked) == ("found", wanted, [])


def test_any_export_of_today_is_used_for_today(service: Service) -> None:
    service.add(MIDNIGHT - HOUR)
    wanted = service.add(MIDNIGHT + HOUR)
    assert sync(service, None).export_arn == wanted
    assert service.asked == []


def test_an_export_that_can_not_be_used_is_passed_over_and_not_returned_again(service: Service) -> None:
    gone = service.add(MIDNIGHT + HOUR, ExportTime=(MIDNIGHT - SECOND).timestamp())
    service.remove_files(gone)
    heard = Heard()
    done = sync(service, heard=heard)
    assert (done.export, done.export_arn == gone) == ("started", False)
    assert gone in heard.warnings[0]


def test_a_running_export_is_waited_for(service: Service) -> None:
    running = service.add(MIDNIGHT + HOUR, ExportTime=(MIDNIGHT - SECOND).timestamp(), ExportStatus="IN_PROGRESS")
    service.polls = 3
    assert sync(service).export_arn == running
    assert (service.now > NOON, service.asked) == (True, [])


def test_a_dry_run_starts_waits_for_and_writes_nothing(service: Service) -> None:
    planned = sync(service, dry_run=True)
    assert (planned.export, planned.export_arn, planned.report) == ("none", None, None)
    assert planned.to_json()["notChecked"]
    service.polls = 99
    running = service.add(MIDNIGHT + HOUR, ExportTime=(MIDNIGHT - SECOND).timestamp(), ExportStatus="IN_PROGRESS")
    planned = sync(service, dry_run=True)
    assert (planned.export, planned.export_arn, planned.report) == ("found", running, None)
    assert (service.asked, service.now) == ([], NOON)
    assert not (service.folder / "../out").exists()


def test_options_that_the_destination_refuses_are_found_before_an_export_is_paid_for(service: Service) -> None:
    sync(service, YESTERDAY - timedelta(days=1), add_column=(("day", "date"),))
    with pytest.raises(UsageError, match="'day' holds date"):
        sync(service, add_column=(("day", "export_id"),))
    assert len(service.asked) == 1


def test_another_export_than_the_one_of_the_day_can_not_be_named(service: Service) -> None:
    for option, options in (("--latest", {"latest": True}), ("--export-id", {"export_id": "x"})):
        with pytest.raises(UsageError, match="the table and the day determine which export is used") as refused:
            sync(service, **options)
        assert refused.value.where == option


def test_a_place_among_the_exports_and_a_time_of_day_are_refused(service: Service) -> None:
    with pytest.raises(UsageError):
        sync(service, dest=f"{TARGET.folder}out")
    with pytest.raises(UsageError, match="has a time of day"):
        sync(service, NOON)
    assert service.asked == []


def test_the_export_of_this_date_in_another_time_zone_is_not_the_one_of_the_day(service: Service) -> None:
    service.now = MIDNIGHT - 8 * HOUR
    tokyo = sync(service, None, dest=str(service.folder / "../tokyo"), timezone="Asia/Tokyo")
    service.now = NOON
    utc = sync(service, None)
    assert (tokyo.date, utc.date, utc.export) == (str(TODAY), str(TODAY), "started")
    assert utc.export_arn != tokyo.export_arn


def test_other_options_than_those_that_a_day_is_published_with_are_refused(service: Service) -> None:
    sync(service)
    with pytest.raises(UsageError, match="other options"):
        sync(service, numbers="text")
    done = sync(service, numbers="text", replace=True)
    assert done.report is not None
    assert (done.export, done.report.status, len(service.asked)) == ("found", "published", 1)


def test_damaged_parts_are_published_again_from_their_own_export_alone(service: Service) -> None:
    first = sync(service)
    [part] = (service.folder / "../out").rglob("*.parquet")
    part.unlink()
    mended = sync(service)
    assert (mended.export, mended.export_arn, part.exists()) == ("found", first.export_arn, True)
    part.unlink()
    service.remove_files(str(first.export_arn))
    with pytest.raises(ExportError, match=f"the parts of {YESTERDAY} are damaged") as refused:
        sync(service)
    assert "pass --replace to publish the day from another export" in refused.value.hint
    assert len(service.asked) == 1


def test_a_day_that_was_published_before_it_was_over_is_said_to_be_incomplete(service: Service) -> None:
    sync(service, None)
    assert sync(service, None).warnings == ()
    service.now += timedelta(days=1)
    [warning] = sync(service, TODAY).warnings
    assert f"{TODAY} was published as of 2024-03-09T12:07:00Z, before it was over; pass --replace" in warning
    assert sync(service, TODAY, replace=True).warnings == ()
    assert moments(service)[-1] == (MIDNIGHT + timedelta(days=1) - SECOND).timestamp()


def test_the_end_of_a_day_is_waited_for_as_long_as_the_timeout_allows(service: Service) -> None:
    service.now = MIDNIGHT + 60 * SECOND
    with pytest.raises(BusyError, match="longer than --timeout"):
        sync(service, timeout=10)
    assert service.asked == []
    assert sync(service, timeout=3600).export == "started"
    assert service.now >= MIDNIGHT + 359 * SECOND


def test_a_day_before_the_recovery_window_is_refused_unless_an_export_of_it_exists(service: Service) -> None:
    service.earliest = MIDNIGHT
    with pytest.raises(UsageError, match="reaches back to 2024-03-09T00:00:00Z"):
        sync(service)
    assert service.asked == []
    service.add(MIDNIGHT + HOUR, ExportTime=(MIDNIGHT - SECOND).timestamp())
    assert sync(service).export == "found"


def test_no_export_of_the_next_day_is_started_if_midnight_passes_meanwhile(service: Service) -> None:
    times: list[datetime] = [MIDNIGHT - SECOND]

    def read() -> datetime:
        service.now = times.pop() if times else MIDNIGHT + SECOND
        return service.now

    with pytest.raises(BusyError, match=f"{YESTERDAY} ended while an export of it was looked for") as ended:
        sync(service, None, clock=Clock(read, service.sleep))
    assert f"--date {YESTERDAY}" in ended.value.hint
    assert service.asked == []


def test_a_failed_export_ends_the_run_and_the_next_run_starts_another(service: Service) -> None:
    service.failure = "S3AccessDenied"
    with pytest.raises(ExportError, match="S3AccessDenied"):
        sync(service)
    service.failure = None
    assert sync(service).export == "started"
    assert len({asked["ClientToken"] for asked in service.asked}) == 2


def test_a_destination_of_another_table_is_refused_even_for_a_day_that_it_has(service: Service) -> None:
    sync(service)
    for path in (service.folder / "../out/_exports").glob("*"):
        path.write_bytes(path.read_bytes().replace(b"table/orders", b"table/others").replace(b'"orders"', b'"others"'))
    with pytest.raises(UsageError, match="belongs to items of"):
        sync(service)
