"""`sync`: a table's day, exported and converted once, however often and after whatever failure it is run."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import converter
from converter import ConvertOptions, ExportTarget
from converter.errors import BusyError, UsageError
from tests.cli.command import REPOSITORY, ddb_convert, environment
from tests.end_to_end.syncing import DAY, ITEMS, assert_holds, begun, published, target
from tests.servers.dynamodb import PlayedDynamoDb


def test_a_tables_items_are_exported_and_published_in_s3_once(
    service: PlayedDynamoDb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = service.new_table(items=ITEMS)
    bucket = service.behind.new_bucket()
    command = ["sync", table.name, f"s3://{bucket}/orders/", "--bucket", target(service).bucket, "--json"]

    first = ddb_convert(*command, forked=False)
    assert first.returncode == 0, first.stderr
    said = json.loads(first.stdout)
    assert (said["export"], said["report"]["status"], said["report"]["items"]) == ("started", "published", 41)
    assert_holds(service.behind.download(bucket, tmp_path, "orders/dt="), ITEMS)

    again = ddb_convert(*command)
    assert again.returncode == 0, again.stderr
    said = json.loads(again.stdout)
    assert (said["export"], said["report"]["status"]) == ("published", "unchanged")
    assert begun(service) == 1
    assert len(service.tokens()) == 1


def test_a_day_that_is_over_is_exported_as_of_its_last_second_in_the_time_zone(
    service: PlayedDynamoDb, tmp_path: Path
) -> None:
    table = service.new_table()
    last_second = datetime(DAY.year, DAY.month, DAY.day, 14, 59, 59, tzinfo=UTC)
    service.history[table.name] = {
        last_second - timedelta(hours=3): ITEMS[:5],
        last_second - timedelta(milliseconds=1): ITEMS[:10],
        last_second: ITEMS,
    }
    tokyo = ConvertOptions(timezone="Asia/Tokyo")
    done = converter.sync(table.arn, tmp_path / "out", target(service), tokyo, day=DAY)
    assert done.date == str(DAY)
    assert_holds(published(tmp_path / "out")[str(DAY)], ITEMS[:10])


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_same_command_goes_on_after_one_that_was_ended_while_it_waited(
    service: PlayedDynamoDb, tmp_path: Path, ending: signal.Signals
) -> None:
    service.polls = None
    table = service.new_table(items=ITEMS)
    command = ["sync", table.name, str(tmp_path / "out"), "--bucket", target(service).bucket, "--log-format", "json"]
    process = subprocess.Popen(
        [sys.executable, str(REPOSITORY / "cli.py"), *command],
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    service.wait_until_asked("DescribeExport")
    process.send_signal(ending)
    _, said = process.communicate(timeout=60)
    lines = [json.loads(line) for line in said.splitlines()]
    if ending != signal.SIGKILL:
        assert process.returncode == 128 + ending
        assert "the export continues at the service" in lines[-1]["message"]

    service.finish(next(iter(service.exports)))
    service.forget_tokens()
    done = ddb_convert(*command, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["export"] == "found"
    assert begun(service) == 1
    ((_, parts),) = published(tmp_path / "out").items()
    assert_holds(parts, ITEMS)


def test_a_day_can_be_brought_by_an_export_in_ion(service: PlayedDynamoDb, tmp_path: Path) -> None:
    table, place = service.new_table(items=ITEMS), target(service)
    in_ion = replace(place, format="ION")
    done = converter.sync(table.name, tmp_path / "ion", in_ion)
    assert (done.export, begun(service)) == ("started", 1)
    (export,) = service.exports.values()
    assert export.asked["ExportFormat"] == "ION"
    data = {key: content for key, content in service.behind.listing(place.bucket).items() if key.endswith(".gz")}
    lines = [line for content in data.values() for line in gzip.decompress(content).splitlines()]
    assert {key.partition(".")[2] for key in data} == {"ion.gz"}
    assert len(lines) == len(ITEMS)
    assert all(line.startswith(b" $ion_1_0 {Item:{") for line in lines)
    assert_holds(published(tmp_path / "ion")[done.date], ITEMS)
    twin = converter.sync(table.name, tmp_path / "json", place)
    assert (twin.export, begun(service)) == ("started", 2)
    assert done.report is not None
    assert twin.report is not None
    assert done.report.items == len(ITEMS)
    assert done.report.columns == twin.report.columns
    assert converter.sync(table.name, tmp_path / "ion", in_ion).export == "published"


@pytest.mark.parametrize("other", ["prefix", "bucket", "format", "time", "changes", "table"])
def test_another_export_is_not_taken_for_the_days(service: PlayedDynamoDb, tmp_path: Path, other: str) -> None:
    table, place = service.new_table(items=ITEMS), target(service)
    last_second = datetime(DAY.year, DAY.month, DAY.day, 23, 59, 59, tzinfo=UTC)
    theirs: dict[str, Any] = {"table": table.name, "target": place, "time": last_second}
    match other:
        case "prefix":
            theirs["target"] = ExportTarget(bucket=place.bucket, prefix="another")
        case "bucket":
            theirs["target"] = ExportTarget(bucket=service.behind.new_bucket(), prefix=place.prefix)
        case "format":
            theirs["target"] = ExportTarget(bucket=place.bucket, prefix=place.prefix, format="ION")
        case "time":
            theirs["time"] = last_second - timedelta(hours=1)
        case "changes":
            service.history[table.name] = {last_second - timedelta(hours=2): ITEMS}
            theirs["time"] = None
            theirs["window"] = converter.Window(from_time=last_second - timedelta(hours=1), to_time=last_second)
        case "table":
            theirs["table"] = service.new_table(items=ITEMS).name
    converter.start_export(**theirs)
    done = converter.sync(table.name, tmp_path / "out", place, day=DAY)
    assert done.export == "started"
    assert begun(service) == 2


def test_what_is_published_stays_so_when_its_export_is_deleted(service: PlayedDynamoDb, tmp_path: Path) -> None:
    table, place = service.new_table(items=ITEMS), target(service)
    converter.sync(table.name, tmp_path / "out", place)
    service.behind.delete(place.bucket)
    assert converter.sync(table.name, tmp_path / "out", place).export == "published"
    assert begun(service) == 1


def test_a_destination_with_other_options_or_of_another_table_is_refused_before_an_export_is_made(
    service: PlayedDynamoDb, tmp_path: Path
) -> None:
    table, place = service.new_table(items=ITEMS), target(service)
    converter.sync(table.name, tmp_path / "out", place)
    with pytest.raises(UsageError, match="other options"):
        converter.sync(table.name, tmp_path / "out", place, ConvertOptions(numbers="text"))
    other = service.new_table(items=ITEMS)
    with pytest.raises(UsageError, match="belongs to items of"):
        converter.sync(other.name, tmp_path / "out", place)
    with pytest.raises(UsageError, match="belongs to items of"):
        converter.sync(other.name, tmp_path / "out", place, day=DAY)
    assert begun(service) == 1


def test_a_dry_run_starts_and_writes_nothing(service: PlayedDynamoDb, tmp_path: Path) -> None:
    table, bucket = service.new_table(items=ITEMS), target(service).bucket
    command = ["sync", table.name, str(tmp_path / "out"), "--bucket", bucket, "--dry-run"]
    done = ddb_convert(*command)
    assert done.returncode == 0
    assert "would start an export" in done.stderr
    assert begun(service) == 0
    service.polls = None
    converter.start_export(table.name, ExportTarget(bucket=bucket))
    done = ddb_convert(*command)
    assert "would wait for arn:" in done.stderr
    service.finish(next(iter(service.exports)))
    converter.wait_for_export(next(iter(service.exports)))
    done = ddb_convert(*command)
    assert "would publish 41 items" in done.stderr
    assert not (tmp_path / "out").exists()


def test_days_that_have_not_begun_and_tables_that_cannot_be_exported_are_refused(
    service: PlayedDynamoDb, tmp_path: Path
) -> None:
    table, place = service.new_table(items=ITEMS), target(service)
    with pytest.raises(UsageError, match="has not begun in UTC"):
        converter.sync(table.name, tmp_path / "out", place, day=DAY + timedelta(days=3))
    with pytest.raises(UsageError, match="reaches back to"):
        converter.sync(table.name, tmp_path / "out", place, day=DAY - timedelta(days=60))
    off = service.new_table(recovers=False)
    with pytest.raises(UsageError, match="point-in-time recovery is disabled"):
        converter.sync(off.name, tmp_path / "out", place)
    assert begun(service) == 0


def test_the_time_for_waiting_ends_with_an_export_that_goes_on(service: PlayedDynamoDb, tmp_path: Path) -> None:
    service.polls = None
    table, place = service.new_table(items=ITEMS), target(service)
    with pytest.raises(BusyError, match="not finished"):
        converter.sync(table.name, tmp_path / "out", place, timeout=0)
    service.finish(next(iter(service.exports)))
    assert converter.sync(table.name, tmp_path / "out", place, timeout=0).export == "found"
    assert begun(service) == 1
