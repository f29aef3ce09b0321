"""Exports that exist already: which of them are used in place of a new one, which costs money, and how long to wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from converter.aws.access import AwsOptions
from converter.aws.export_request import Window
from converter.aws.export_state import FULL, INCREMENTAL, ExportState
from converter.errors import BusyError, DataFileError, ExportError
from converter.export.manifest import ExportKind
from converter.options import ConvertOptions
from converter.publishing.destination_records import RecordCache
from converter.storage import open_destination
from converter.syncing.pending_exports import (
    Clock,
    best_first,
    expected_export,
    exports_since,
    is_whole,
)
from tests.unit.syncing.service import NOON, TABLE, TARGET, Heard, Service, exporting, start_service

ACCESS = AwsOptions().for_source()
HOUR = timedelta(hours=1)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with start_service(tmp_path / "bucket") as service:
        yield service


@pytest.fixture
def heard() -> Heard:
    return Heard()


def all_exports(service: Service) -> list[ExportState]:
    return exports_since(NOON - 30 * HOUR, FULL, TABLE, ACCESS)


def state(status: str = "COMPLETED", number: int = 0) -> ExportState:
    return ExportState(
        arn=f"{TABLE.arn}/export/{number:014}-00000000",
        status=status,
        type=FULL,
        table_arn=TABLE.arn,
        table_id=TABLE.table_id,
        bucket=TARGET.bucket,
        prefix=TARGET.prefix,
        format=TARGET.format,
    )


def test_only_exports_of_the_type_that_began_since_are_described(service: Service) -> None:
    service.add(NOON - 2 * HOUR)
    kept = service.add(NOON - HOUR)
    service.add_window(NOON, NOON - 2 * HOUR, NOON - HOUR)
    # Clocks differ by some minutes.
    assert [export.arn for export in exports_since(NOON - HOUR + timedelta(minutes=4), FULL, TABLE, ACCESS)] == [kept]
    assert exports_since(NOON - HOUR + timedelta(minutes=6), FULL, TABLE, ACCESS) == []
    assert len(exports_since(NOON - HOUR, INCREMENTAL, TABLE, ACCESS)) == 1


def test_an_export_with_an_unknown_form_of_id_is_not_left_out(service: Service) -> None:
    service.exports[f"{TABLE.arn}/export/new-form"] = {
        "ExportArn": f"{TABLE.arn}/export/new-form",
        "ExportStatus": "COMPLETED",
        "ExportType": FULL,
        "S3Bucket": TARGET.bucket,
    }
    assert [export.export_id for export in exports_since(NOON, FULL, TABLE, ACCESS)] == ["new-form"]


def test_only_an_unfiltered_export_of_this_very_table_in_this_very_folder_is_whole() -> None:
    assert is_whole(state(), TABLE, TARGET)
    for other in (
        replace(state(), filtered=True),
        replace(state(), table_id="another"),
        replace(state(), bucket="another"),
        replace(state(), prefix=None),
        replace(state(), format="ION"),
    ):
        assert not is_whole(other, TABLE, TARGET)


def test_completed_exports_come_first_then_running_then_failed_ones_in_their_order() -> None:
    states = [
        state("NEW_STATUS", 1),
        state("FAILED", 2),
        state("IN_PROGRESS", 3),
        state("COMPLETED", 4),
        state("COMPLETED", 5),
    ]
    ordered = best_first(states)
    assert [export.status for export in ordered] == ["COMPLETED", "COMPLETED", "IN_PROGRESS", "FAILED", "NEW_STATUS"]
    assert ordered[:2] == states[3:]


def test_the_first_export_that_can_be_used_is_chosen_and_the_others_are_named_with_their_problems(
    service: Service, heard: Heard
) -> None:
    failed = service.add(NOON - 3 * HOUR, ExportStatus="FAILED", FailureCode="S3AccessDenied", FailureMessage="no")
    gone, whole = service.add(NOON - 2 * HOUR), service.add(NOON - HOUR)
    service.remove_files(gone)
    chosen, unusable = exporting(service, heard).choose(all_exports(service))
    assert chosen is not None
    assert (chosen.arn, unusable) == (whole, (failed, gone))
    assert heard.warnings[0] == f"{failed} is passed over: it has failed: S3AccessDenied: no"
    assert heard.warnings[1].startswith(f"{gone} is passed over: s3://exports/nightly/")
    assert exporting(service, heard).choose([]) == (None, ())


def test_a_running_export_is_used_without_looking_at_its_files(service: Service, heard: Heard) -> None:
    service.add(NOON, ExportStatus="IN_PROGRESS")
    [running] = all_exports(service)
    assert exporting(service, heard).choose([replace(running, status="IN_PROGRESS")])[0] is not None
    assert heard.warnings == []


def test_unverified_exports_are_used_only_if_that_is_asked_for(service: Service, heard: Heard) -> None:
    arn = service.add(NOON - HOUR)
    folder = service.folder / str(Path(service.exports[arn]["ExportManifest"]).parent)
    (folder / "manifest-files.md5").write_text("AAAAAAAAAAAAAAAAAAAAAA==")
    [export] = all_exports(service)
    assert "md5" in exporting(service, heard).problem(export)
    assert exporting(service, heard, verify=False).problem(export) == ""


def test_a_moment_can_be_exported_six_minutes_after_it(service: Service, heard: Heard) -> None:
    run = exporting(service, heard)
    run.wait_until(NOON - timedelta(minutes=6), "the day", "table")
    assert (service.now, heard.phases) == (NOON, [])
    run.wait_until(NOON - timedelta(seconds=359), "the day", "table")
    assert service.now == NOON + timedelta(seconds=1)
    run.wait_until(NOON - timedelta(seconds=119), "the day", "table")
    assert service.now == NOON + timedelta(minutes=4, seconds=1)
    assert heard.phases[-1] == "waiting 240 seconds until the day can be exported"


def test_a_run_does_not_begin_to_wait_longer_than_its_timeout(service: Service, heard: Heard) -> None:
    run = exporting(service, heard, timeout=240)
    with pytest.raises(BusyError, match="the day can be exported in 241 seconds at the earliest") as refused:
        run.wait_until(NOON - timedelta(seconds=119), "the day", "table")
    assert (refused.value.where, "raise --timeout" in refused.value.hint) == ("table", True)
    assert service.now == NOON
    run.wait_until(NOON - timedelta(seconds=120), "the day", "table")


def test_the_time_that_is_left_counts_from_the_begin_of_the_run(service: Service, heard: Heard) -> None:
    run = exporting(service, heard, timeout=100)
    assert run.seconds_left() == 100
    service.sleep(60)
    assert run.seconds_left() == 40
    service.sleep(60)
    assert run.seconds_left() == 0
    assert exporting(service, heard).seconds_left() is None


def test_a_wait_reports_every_five_minutes_how_long_the_export_takes_by_now(service: Service, heard: Heard) -> None:
    # By another clock it begins in the future.
    service.add(NOON + HOUR / 60, ExportStatus="IN_PROGRESS")
    service.polls = 20
    [arn] = service.exports
    exporting(service, heard).wait(replace(state(), arn=arn), "the export of the day")
    assert heard.phases[0] == "waiting for the export of the day"
    told = list(dict.fromkeys(heard.phases))
    assert told[1:3] == [f"waiting for the export of the day, for {minutes} minutes by now" for minutes in (5, 10)]


def test_a_wait_that_ends_with_the_timeout_says_that_the_export_continues(service: Service, heard: Heard) -> None:
    service.add(NOON, ExportStatus="IN_PROGRESS")
    service.polls = 99
    [arn] = service.exports
    # The service does not have to say it.
    del service.exports[arn]["StartTime"]
    with pytest.raises(BusyError, match="not finished") as over:
        exporting(service, heard, timeout=0).wait(replace(state(), arn=arn))
    assert over.value.hint == "it continues at the service; run the same command again"


def test_an_export_that_fails_meanwhile_ends_the_wait(service: Service, heard: Heard) -> None:
    service.add(NOON, ExportStatus="IN_PROGRESS")
    service.failure = "S3NoSuchBucket"
    [arn] = service.exports
    with pytest.raises(ExportError, match="S3NoSuchBucket") as failed:
        exporting(service, heard).wait(replace(state(), arn=arn))
    assert not hasattr(failed.value, "__notes__")


def test_an_interrupted_wait_says_that_the_export_continues(service: Service, heard: Heard) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    service.add(NOON, ExportStatus="IN_PROGRESS")
    service.polls = 99
    [arn] = service.exports
    run = replace(exporting(service, heard), clock=Clock(service.read_clock, interrupt))
    with pytest.raises(KeyboardInterrupt) as stopped:
        run.wait(replace(state(), arn=arn))
    assert "the export continues at the service" in stopped.value.__notes__[0]


def test_the_error_of_a_damaged_export_says_how_to_get_another_one(
    service: Service, heard: Heard, tmp_path: Path
) -> None:
    arn = service.add(NOON - HOUR)
    for path in service.folder.rglob("data/*"):
        path.write_bytes(bytes(path.stat().st_size))
    cache = RecordCache(open_destination(str(tmp_path / "out")))
    with pytest.raises(DataFileError) as damaged:
        exporting(service, heard).convert(arn, str(tmp_path / "out"), ConvertOptions(), cache)
    assert damaged.value.where.startswith("s3://exports/nightly/AWSDynamoDB/")
    assert "delete this export's manifest-summary.json so that it is no longer used" in damaged.value.hint
    assert "it starts a new export, which AWS charges for" in damaged.value.hint


def test_an_expected_export_has_the_moment_or_the_window_and_the_owner() -> None:
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    full = expected_export(TABLE, TARGET, moment)
    assert (full.kind, full.export_time, full.table_arn, full.table_id) == (
        ExportKind.ITEMS,
        moment,
        TABLE.arn,
        TABLE.table_id,
    )
    window = expected_export(TABLE, TARGET, Window(from_time=moment, to_time=moment + HOUR))
    assert (window.kind, window.export_time) == (ExportKind.CHANGES, None)
    assert (window.from_time, window.to_time) == (moment, moment + HOUR)
