"""`sync --incremental`: a destination goes on from where it is, window by window, and snapshots equal the table."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

import converter
from converter import Changes, ConvertOptions, ExportTarget
from converter.errors import ExportError, StorageError, UsageError
from tests.cli.command import REPOSITORY, ddb_convert, environment
from tests.end_to_end.nights import BEGIN, HOUR, Nights, history, items_at
from tests.end_to_end.syncing import FakeTime, assert_holds, sync_changes_at, target
from tests.servers.dynamodb import PlayedDynamoDb


@pytest.fixture
def nights(service: PlayedDynamoDb, tmp_path: Path) -> Nights:
    return Nights(service, tmp_path / "out")


def test_the_first_run_brings_all_items_and_the_next_ones_what_has_changed(nights: Nights) -> None:
    first = nights.run(2, merge=True)
    assert first.full is not None
    assert (first.full.export, first.full.end, first.windows, first.snapshot) == ("started", BEGIN + 2 * HOUR, (), None)
    assert_holds(nights.snapshot(), items_at(2))
    second = nights.run(5, merge=True)
    assert second.full is None
    assert [(window.begin, window.end) for window in second.windows] == [(BEGIN + 2 * HOUR, BEGIN + 5 * HOUR)]
    assert second.through == BEGIN + 5 * HOUR
    assert second.snapshot is not None
    assert_holds(nights.snapshot(), items_at(5))
    again = nights.run(5.2, merge=True)
    assert (again.full, again.windows, again.snapshot) == (None, (), None)
    assert len(nights.service.exports) == 2


@pytest.mark.parametrize("hours_later", [24, pytest.param(25.25, marks=pytest.mark.slow)])
def test_the_first_export_is_not_made_again_by_the_run_of_the_next_night(nights: Nights, hours_later: float) -> None:
    nights.service.refuse_next("DescribeExport", "AccessDeniedException")
    with pytest.raises(StorageError):
        nights.run(0, merge=True)
    nights.service.forget_tokens()
    done = nights.run(hours_later, merge=True)
    assert done.full is not None
    assert (done.full.export, done.full.end) == ("found", BEGIN)
    assert done.through == BEGIN + hours_later * HOUR
    assert_holds(nights.snapshot(), items_at(int(hours_later)))


def test_the_first_export_of_a_day_that_is_long_over_is_not_made_again(nights: Nights) -> None:
    day = (BEGIN - timedelta(days=2)).date()
    nights.service.refuse_next("DescribeExport", "AccessDeniedException")
    with pytest.raises(StorageError):
        nights.run(0, day=day)
    nights.service.forget_tokens()
    done = nights.run(30, day=day)
    assert done.full is not None
    assert (done.full.export, len(nights.service.exports)) == ("found", 1)


def test_missed_runs_are_caught_up_with_in_windows_of_a_day_at_most(nights: Nights) -> None:
    nights.run(0)
    done = nights.run(60.25, merge=True)
    day = timedelta(hours=24)
    cuts = [BEGIN, BEGIN + day, BEGIN + 2 * day, BEGIN + 60.25 * HOUR]
    assert nights.windows() == list(pairwise(cuts))
    assert [window.report.items > 0 for window in done.windows if window.report is not None] == [True] * 3
    assert_holds(nights.snapshot(), items_at(60))


@pytest.mark.slow
def test_without_merge_only_changes_are_published_and_a_later_run_merges_all(nights: Nights) -> None:
    nights.run(0)
    for hour in (3, 6):
        assert nights.run(hour).snapshot is None
    assert_holds(nights.snapshot(), items_at(0))
    done = nights.run(9, merge=True)
    assert done.snapshot is not None
    assert done.snapshot.merge is not None
    assert len(done.snapshot.merge.chain.increments) == 3
    assert_holds(nights.snapshot(), items_at(9))


@pytest.mark.slow
def test_after_an_export_that_failed_the_same_run_makes_another(nights: Nights) -> None:
    nights.run(0)
    nights.service.fail_next("InternalFailure", "said by a test")
    with pytest.raises(ExportError, match="InternalFailure"):
        nights.run(30, merge=True)
    nights.run(30, merge=True)
    assert_holds(nights.snapshot(), items_at(30))
    # Of the two windows one was exported at once.
    assert len(nights.service.exports) == 4


def test_the_end_of_a_day_that_is_just_over_is_waited_for_as_recovery_comes_to_it(nights: Nights) -> None:
    day = (BEGIN + timedelta(days=2)).date()
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)

    class Passing(FakeTime):
        """Recovery comes after it, five minutes behind."""

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            nights.service.recovery = (BEGIN - timedelta(days=20), self.now - timedelta(minutes=5))

    now = Passing(midnight + timedelta(minutes=1))
    now.sleep(0)
    done = sync_changes_at(now, nights.table, nights.dest, nights.place, Changes(day=day))
    assert done.through == midnight - timedelta(seconds=1)
    assert now.now >= midnight + timedelta(minutes=5)


def test_a_dry_run_starts_and_writes_nothing(nights: Nights) -> None:
    dry = ConvertOptions(dry_run=True)
    first = nights.run(0, dry, merge=True)
    assert first.full is not None
    assert (first.full.export, Path(nights.dest).exists(), len(nights.service.exports)) == ("none", False, 0)
    nights.run(0)
    second = nights.run(50, dry, merge=True)
    assert [window.export for window in second.windows] == ["none"] * 3
    assert (second.through, len(nights.service.exports)) == (BEGIN, 1)
    nights.run(3)
    nights.service.behind.delete(nights.place.bucket)
    third = nights.run(3, dry, merge=True, on_gap="full")
    assert third.full is not None
    assert (third.full.export, third.snapshot, len(nights.service.exports)) == ("none", None, 2)
    assert "would be exported" in third.warnings[0]


def test_what_can_never_be_merged_is_refused_before_an_export_is_made(nights: Nights) -> None:
    for options, message in (
        (ConvertOptions(format="csv"), "a snapshot is merged from Parquet files"),
        (ConvertOptions(exclude=("id",)), "needs the key 'id'"),
        (ConvertOptions(replace=True), "continue from what is published"),
        (ConvertOptions(latest=True), "determine which exports are used"),
    ):
        with pytest.raises(UsageError, match=message):
            nights.run(0, options, merge=True)
    with pytest.raises(UsageError, match="no old images"):
        nights.run(0, ConvertOptions(old_image=True), view="new")
    assert not nights.service.exports


@pytest.mark.slow
def test_both_formats_and_ion_give_the_same_table(service: PlayedDynamoDb, tmp_path: Path) -> None:
    place = ExportTarget(bucket=service.behind.new_bucket(), prefix="in/ion", format="ION")
    nights, both = Nights(service, tmp_path / "out", place), ConvertOptions(format="csv,parquet")
    nights.run(0, both, merge=True)
    nights.run(7, both, merge=True, view="new")
    parts = sorted((tmp_path / "out" / "snapshot" / "parquet").rglob("*.parquet"))
    assert_holds(parts[-1:], items_at(7))
    assert list((tmp_path / "out" / "changes" / "csv").rglob("*.csv"))


def test_the_command_says_what_it_brings(service: PlayedDynamoDb, tmp_path: Path) -> None:
    table, place = service.new_table(), target(service)
    service.history[table.name] = {BEGIN: items_at(3)}
    service.polls = 0
    command = ["sync", table.name, str(tmp_path / "out"), "--bucket", place.bucket, "--incremental", "--merge"]
    refused = ddb_convert(*command[:5], "--merge")
    assert refused.returncode == 2
    assert "this option requires --incremental" in refused.stderr
    first = ddb_convert(*command, "--json", forked=False)
    assert first.returncode == 0, first.stderr
    said = json.loads(first.stdout)
    assert (said["full"]["report"]["items"], said["changes"], said["snapshot"]) == (len(items_at(3)), [], None)
    assert f"{table.name} is published through {said['through']}: published all items" in first.stderr
    second = ddb_convert(*command)
    assert second.returncode == 0, second.stderr
    assert "nothing to do" in second.stderr
    assert converter.scan(tmp_path / "out" / "snapshot").collect().height == len(items_at(3))


@pytest.mark.slow
def test_a_run_that_is_killed_is_gone_on_with(nights: Nights) -> None:
    nights.run(0)
    nights.service.recovery = None
    command = ["sync", nights.table.name, str(nights.dest), "--bucket", nights.place.bucket, "--incremental", "--merge"]
    command += ["--export-prefix", str(nights.place.prefix), "--json"]
    first = subprocess.Popen([sys.executable, str(REPOSITORY / "cli.py"), *command], env=environment())
    deadline = time.monotonic() + 120
    while len(list((Path(nights.dest) / "changes").rglob("*.parquet"))) < 3:
        assert time.monotonic() < deadline
        assert first.poll() is None
        time.sleep(0.01)
    first.kill()
    first.wait()
    begun = len(nights.service.exports)
    again = ddb_convert(*command)
    assert again.returncode == 0, again.stderr
    said = json.loads(again.stdout)
    assert 8 <= len(said["changes"]) <= 11
    # Another one only if a quarter of an hour has begun meanwhile.
    assert begun <= len(nights.service.exports) <= begun + 1
    through = datetime.fromisoformat(said["through"])
    written = history(300)
    assert_holds(nights.snapshot(), written[max(moment for moment in written if moment < through)])


@pytest.mark.slow
def test_a_destination_in_s3_goes_on_too(service: PlayedDynamoDb, tmp_path: Path) -> None:
    bucket = service.behind.new_bucket()
    nights = Nights(service, f"s3://{bucket}/lake/orders/")
    nights.run(0, merge=True)
    nights.run(5, merge=True)
    assert nights.run(30, merge=True).through == BEGIN + 30 * HOUR
    parts = service.behind.download(bucket, tmp_path, "lake/orders/snapshot/dt=")
    assert_holds(parts[-1:], items_at(30))
    assert service.behind.listing(bucket, "lake/orders/changes/dt=")
