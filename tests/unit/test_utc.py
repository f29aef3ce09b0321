"""Times in UTC as texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from converter.utc import format_utc, short_utc

TIME = datetime(2023, 11, 27, 8, 11, 47, 109999, tzinfo=timezone(timedelta(hours=2)))


def test_a_time_is_shown_in_utc_and_cut() -> None:
    assert format_utc(TIME) == "2023-11-27T06:11:47.109Z"
    assert format_utc(TIME, "seconds") == "2023-11-27T06:11:47Z"
    assert format_utc(TIME, "microseconds") == "2023-11-27T06:11:47.109999Z"


def test_zeros_are_shown_as_far_as_the_form_goes() -> None:
    assert format_utc(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000Z"


def test_the_short_form_has_a_fraction_only_if_there_is_one() -> None:
    assert short_utc(TIME) == "2023-11-27T06:11:47.109Z"
    assert short_utc(TIME.replace(microsecond=0)) == "2023-11-27T06:11:47Z"
