"""Publishing: a record names exactly the parts of its commit, and a run without work reports what is there."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from converter.options import ConvertOptions
from converter.publishing.commit import describe_part, publish, unchanged
from converter.publishing.decision import Decision, decide
from converter.publishing.destination_records import RecordCache
from converter.publishing.record import make_record
from converter.storage.intent import PendingPart
from converter.storage.local import LocalDestination
from converter.storage.paths import record_path
from tests.unit.publishing.published import COLUMNS, EXPORT_ID, make_example_record, make_export, make_report

FOLDER = f"dt=2023-11-27/{EXPORT_ID}"


@pytest.fixture
def destination(tmp_path: Path) -> LocalDestination:
    return LocalDestination(str(tmp_path / "out"))


def decision(destination: LocalDestination, options: ConvertOptions) -> Decision:
    return decide(RecordCache(destination), make_export(), options)


def test_a_part_is_named_by_the_folder_of_its_format(destination: LocalDestination) -> None:
    both = decision(destination, ConvertOptions(format="csv,parquet"))
    part = PendingPart("00000.parquet", 5, "ab" * 32, "receipt", 1)
    described = describe_part(part, 3, both)
    assert described.path == f"parquet/{FOLDER}/00000.parquet"
    assert (described.rows, described.bytes, described.sha256) == (3, 5, "ab" * 32)


@pytest.mark.parametrize("change", ["bytes", "sha256", "name", "none", "more", "twice"])
def test_a_record_that_does_not_describe_the_parts_is_never_written(destination: LocalDestination, change: str) -> None:
    export, options = make_export(), ConvertOptions()
    decided = decision(destination, options)
    with destination.lease() as lease:
        staging = lease.begin(EXPORT_ID, *decided.locations)
        part = staging.open_part("00000.parquet").finish()
        parts = () if change == "none" else (describe_part(part, 0, decided),)
        record = make_record(export, options, COLUMNS, make_report(export, decided.locations, parts), 1)
        changed = {"bytes": 1, "sha256": "00", "name": "1.parquet"}
        pending = [replace(part, **{change: changed[change]})] if change in changed else [part]  # type: ignore[arg-type]
        if change == "more":
            pending.append(staging.open_part("00001.parquet").finish())
        if change == "twice":
            pending.append(part)
        with pytest.raises(ValueError, match="the record does not describe these parts"):
            publish(staging, record, pending, decided)
    assert not Path(destination.root).exists()


def test_a_commit_publishes_the_record_and_removes_what_was_decided(destination: LocalDestination) -> None:
    export = make_export()
    for options in (ConvertOptions(), ConvertOptions(layout="all", replace=True)):
        decided = decision(destination, options)
        with destination.lease() as lease:
            staging = lease.begin(EXPORT_ID, *decided.locations)
            part = staging.open_part("00000.parquet").finish()
            report = make_report(export, decided.locations, (describe_part(part, 0, decided),))
            record = make_record(export, options, COLUMNS, report, decided.sequence)
            publish(staging, record, [part], decided)
    assert destination.names("") == ["_exports", "all"]
    assert destination.read(record_path(EXPORT_ID)) == record.to_json()


def test_a_run_without_work_reports_the_published_parts_and_its_own_time_place_and_warnings() -> None:
    record = make_example_record()
    report = unchanged(record, "s3://bucket/out", time.perf_counter() - 100, ("late",))
    assert (report.status, report.destination, report.warnings) == ("unchanged", "s3://bucket/out", ("late",))
    assert 100 <= report.seconds < 200
    assert report == replace(
        record.report, status="unchanged", destination="s3://bucket/out", seconds=report.seconds, warnings=("late",)
    )
