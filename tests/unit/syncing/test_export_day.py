"""Days in zones whose clocks skip or repeat midnight, and what is wanted of one."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from converter.aws.tables import Table
from converter.aws.target import ExportTarget
from converter.syncing.export_day import Day

TABLE = Table(
    arn="arn:aws:dynamodb:eu-central-1:111122223333:table/Orders",
    table_id="0e1c7cc4-8f5c-4ef7-a0c1-0c6ab5b7a4b7",
    name="Orders",
    region="eu-central-1",
    account="111122223333",
)


def day_of(day: date, timezone: str) -> Day:
    return Day.of(day, TABLE, ExportTarget(bucket="exports"), timezone, datetime(2026, 11, 28, tzinfo=UTC))


@pytest.mark.parametrize(
    ("timezone", "day", "begin", "last_second"),
    [
        ("UTC", "2026-09-05", "2026-09-05T00:00:00", "2026-09-05T23:59:59"),
        # 24:00 of the 5th is 1:00 of the 6th.
        ("America/Santiago", "2026-09-05", "2026-09-05T04:00:00", "2026-09-06T03:59:59"),
        ("America/Santiago", "2026-09-06", "2026-09-06T04:00:00", "2026-09-07T02:59:59"),
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00", "2026-04-24T20:59:59"),
        # 24:00 is 23:00 once more.
        ("America/Santiago", "2026-04-04", "2026-04-04T03:00:00", "2026-04-05T03:59:59"),
        ("Africa/Cairo", "2026-10-29", "2026-10-28T21:00:00", "2026-10-29T21:59:59"),
        # 1:00 is midnight once more, and 23:00 of the day before is midnight.
        ("America/Havana", "2025-11-02", "2025-11-02T04:00:00", "2025-11-03T04:59:59"),
        ("America/Nuuk", "2026-03-28", "2026-03-28T02:00:00", "2026-03-29T00:59:59"),
    ],
)
def test_a_day_lasts_from_its_first_to_its_last_second(timezone: str, day: str, begin: str, last_second: str) -> None:
    wanted = day_of(date.fromisoformat(day), timezone)
    assert wanted.begin == datetime.fromisoformat(begin).replace(tzinfo=UTC)
    assert wanted.last_second == datetime.fromisoformat(last_second).replace(tzinfo=UTC)
    for moment in (wanted.begin, wanted.last_second):
        assert wanted.has(moment)
    for moment in (wanted.begin - timedelta(seconds=1), wanted.last_second + timedelta(seconds=1)):
        assert not wanted.has(moment)


@pytest.mark.parametrize("timezone", ["America/Santiago", "Africa/Cairo", "America/Havana", "Pacific/Apia", "UTC"])
def test_each_day_of_a_year_begins_a_second_after_the_one_before_has_ended(timezone: str) -> None:
    begin = datetime(2025, 11, 28, tzinfo=ZoneInfo(timezone)).date()
    days = [day_of(begin + timedelta(days=number), timezone) for number in range(360)]
    for day, following in itertools.pairwise(days):
        assert following.begin - day.last_second == timedelta(seconds=1)
        assert (day.has(day.last_second), following.has(day.last_second)) == (True, False)
