"""Twenty-six nights of `sync --incremental --merge`, across the end of summer time, with all that goes wrong then."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from converter import Changes, ConvertOptions
from converter.errors import BusyError, ExportError
from converter.syncing.incremental_report import ChangesReport
from tests.end_to_end.syncing import FakeTime, assert_holds, sync_changes_at, target
from tests.servers.dynamodb import PlayedDynamoDb

NIGHTS = 26
FIRST = date(2025, 10, 6)
BERLIN = ZoneInfo("Europe/Berlin")
MISSED = {4, 11, 12, 13}
FAILED = {7, 19}
TWICE = {9, 21}
AT_ONCE = {16, 23}
GONE = 24
"""That night point-in-time recovery had been off for some hours of the day before."""
OPTIONS = ConvertOptions(timezone="Europe/Berlin", workers=1)
Item = Mapping[str, Any]


def day_of(night: int) -> date:
    """The day that the night's run is for: the one before it."""
    return FIRST + timedelta(days=night)


def midnight_after(day: date) -> datetime:
    """The end of a local day."""
    return datetime.combine(day + timedelta(days=1), time(0), BERLIN).astimezone(UTC)


def written(seed: int) -> dict[datetime, Sequence[Item]]:
    """What the table is from each moment on: items are put, changed, put back, deleted, and come again."""
    dice = random.Random(seed)
    moment, end = midnight_after(FIRST - timedelta(days=2)), midnight_after(day_of(NIGHTS))
    items: dict[str, Item] = {}
    history: dict[datetime, Sequence[Item]] = {}
    while moment < end:
        for _ in range(dice.randint(1, 4)):
            key = f"O-{dice.randrange(60):03}"
            if key in items and dice.random() < 0.3:
                del items[key]
                continue
            item: dict[str, Any] = {"id": {"S": key}, "price": {"N": f"{dice.randrange(4)}.25"}}
            if dice.random() < 0.5:
                item["tags"] = {"SS": sorted({dice.choice("abc"), dice.choice("abc")})}
            items[key] = item
        history[moment] = list(items.values())
        moment += timedelta(minutes=dice.choice((7, 50, 180, 400)), microseconds=dice.randrange(1, 1000))
    return history


@pytest.mark.slow
def test_the_snapshot_equals_the_table_after_every_night(service: PlayedDynamoDb, tmp_path: Path) -> None:
    table, place = service.new_table(), target(service)
    history = service.history[table.name] = written(7)
    service.polls = 0
    earliest = midnight_after(FIRST - timedelta(days=2))

    def run(night: int, on_gap: Any = "fail") -> ChangesReport:
        now = FakeTime(midnight_after(day_of(night)) + timedelta(hours=2))
        service.recovery = (earliest, now.now - timedelta(minutes=5))
        changes = Changes(merge=True, day=day_of(night), on_gap=on_gap)
        return sync_changes_at(now, table, tmp_path, place, changes, OPTIONS)

    for night in range(NIGHTS):
        if night in MISSED:
            continue
        # A night later the service knows no token any more.
        service.forget_tokens()
        before = len(service.exports)
        if night in FAILED:
            service.fail_next("InternalFailure", "said by a test")
            with pytest.raises(ExportError, match="InternalFailure"):
                run(night)
        if night == GONE:
            earliest = midnight_after(day_of(night)) - timedelta(hours=9)
            with pytest.raises(ExportError, match="reaches back to"):
                run(night)
            assert len(service.exports) == before
        if night in AT_ONCE:
            assert_one_has_done_it(partial(run, night))
        done = run(night, on_gap="full" if night == GONE else "fail")
        assert (done.full is not None) == (night in (0, GONE))
        if night in TWICE:
            again = run(night)
            assert (again.full, again.windows, again.snapshot) == (None, (), None)

        last_second = midnight_after(day_of(night)) - timedelta(seconds=1)
        assert done.through == last_second
        items = next((each for moment, each in sorted(history.items(), reverse=True) if moment < last_second), [])
        assert_holds(sorted((tmp_path / "snapshot" / f"dt={day_of(night)}").rglob("*.parquet")), items)

    windows = [
        each.description["IncrementalExportSpecification"]
        for each in service.exports.values()
        if "IncrementalExportSpecification" in each.description and each.status == "COMPLETED"
    ]
    spans = [(each["ExportFromTime"], each["ExportToTime"]) for each in windows]
    assert len(set(spans)) == len(spans), "no window was exported twice"
    # Of the day with 25 hours there are two.
    long_day = [span for span in spans if span[0] >= midnight_after(date(2025, 10, 25)).timestamp() - 1][:2]
    assert [round(end - begin) for begin, end in long_day] == [24 * 3600, 3600]


def assert_one_has_done_it(run: Callable[[], ChangesReport]) -> None:
    """Two triggers at the same time: each has done it, or found that the other does."""
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(run) for _ in range(2)]
    problems = [each.exception() for each in both]
    assert None in problems
    assert all(problem is None or isinstance(problem, BusyError) for problem in problems), problems
