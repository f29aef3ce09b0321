"""Where the time up to now is cut into windows that the service takes."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.aws.export_request import LONGEST_WINDOW, SHORTEST_WINDOW
from converter.aws.tables import RecoveryWindow
from converter.syncing.windows import can_continue_to, end_of_next_window, is_exportable, last_quarter, last_second

DAY = timedelta(days=1)
NIGHT = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2023, 1, 1), datetime(2033, 1, 1), timezones=st.just(UTC))
ANY_TIME = RecoveryWindow(earliest=None, latest=None)


def windows(begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """All of them, one after the other."""
    found = []
    while is_exportable(begin, end):
        stop = end_of_next_window(begin, end)
        found.append((begin, stop))
        begin = stop
    return found


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_windows_follow_each_other_to_the_end_and_are_such_as_the_service_takes(
    begin: datetime, length: timedelta
) -> None:
    found = windows(begin, begin + length)
    if length < SHORTEST_WINDOW:
        assert not found
        return
    assert found[0][0] == begin
    assert found[-1][1] == begin + length
    assert all(before[1] == after[0] for before, after in itertools.pairwise(found))
    assert all(SHORTEST_WINDOW <= stop - start <= LONGEST_WINDOW for start, stop in found)
    assert len(found) == -(length // -LONGEST_WINDOW)


def test_a_day_of_25_hours_takes_two_windows() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    begin, end = datetime(2026, 10, 25, tzinfo=berlin), datetime(2026, 10, 26, tzinfo=berlin)
    begin, end = begin.astimezone(UTC), end.astimezone(UTC)
    assert windows(begin, end) == [(begin, begin + DAY), (begin + DAY, end)]


def test_the_last_window_is_never_too_short() -> None:
    end = NIGHT + DAY + timedelta(minutes=5)
    assert windows(NIGHT, end) == [(NIGHT, end - SHORTEST_WINDOW), (end - SHORTEST_WINDOW, end)]


@pytest.mark.parametrize(("minutes", "reaches"), [(0, True), (1, False), (14, False), (15, True), (-1, False)])
def test_windows_can_continue_to_an_end_that_it_is_or_that_a_window_ends_at(minutes: int, reaches: bool) -> None:
    assert can_continue_to(NIGHT, NIGHT + timedelta(minutes=minutes)) == reaches


@given(MOMENTS)
def test_the_last_quarter_is_a_whole_one_that_can_be_exported(now: datetime) -> None:
    end = last_quarter(now, ANY_TIME)
    assert end.timestamp() % 900 == 0
    assert timedelta(minutes=6) <= now - end < timedelta(minutes=21, seconds=1)


def test_nothing_is_later_than_recovery_has_come() -> None:
    recovery = RecoveryWindow(earliest=None, latest=NIGHT - timedelta(minutes=20, microseconds=1))
    assert last_second(NIGHT, recovery) == NIGHT - timedelta(minutes=20, seconds=1)
    assert last_quarter(NIGHT, recovery) == NIGHT - timedelta(minutes=30)
