"""Which times the scheduler reads, what is said of others, and which come more than once a day."""

from __future__ import annotations

import pytest

from converter.errors import UsageError
from converter.schedule.expressions import check_cron, check_rate, several_a_day, shortest_gap, six_fields


@pytest.mark.parametrize(
    "cron",
    [
        "0 2 * * ? *",
        "30 2 ? * MON-FRI *",
        "0 0/6 1,15 JAN-MAR,DEC ? 2026-2030",
        "15 22 L * ? *",
        "15 22 LW * ? *",
        "15 22 15W * ? *",
        "*/10 8-18 ? * 2#1 *",
        "0 4 ? * 6L *",
        "0 4 ? * fri *",
    ],
)
def test_what_the_scheduler_reads_is_taken(cron: str) -> None:
    check_cron(cron)


@pytest.mark.parametrize(
    ("cron", "what"),
    [
        ("0 2 * *", "six fields"),
        ("0 2 * * ? * *", "six fields"),
        ("", "six fields"),
        ("60 2 * * ? *", "'60' is not a valid value for minutes"),
        ("0 24 * * ? *", "'24' is not a valid value for hours"),
        ("0 ? * * ? *", "'?' is not a valid value for hours"),
        ("0 2 32 * ? *", "'32' is not a valid value for day of month"),
        ("0 2 * FOO ? *", "'FOO' is not a valid value for month"),
        ("0 2 ? * 0 *", "'0' is not a valid value for day of week"),
        ("0 2 ? * MON-FRI-SUN *", "'MON-FRI-SUN' is not a valid value for day of week"),
        ("0 2 * * ? 1969", "'1969' is not a valid value for year"),
        ("0/0 2 * * ? *", "'0/0' is not a valid value for minutes"),
        ("0 2 * * * *", "needs a ?"),
        ("0 2 ? * ? *", "needs a ?"),
    ],
)
def test_what_the_scheduler_would_refuse_is_named(cron: str, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_cron(cron)
    assert what in caught.value.what
    assert "'0 2 * * ? *'" in caught.value.hint


@pytest.mark.parametrize(
    ("five", "six"),
    [
        ("0 2 * * *", "0 2 * * ? *"),
        ("*/15 2 1 * *", "*/15 2 1 * ? *"),
        ("0 2 * * 0", "0 2 ? * 1 *"),
        ("0 2 * * 1-5", "0 2 ? * 2-6 *"),
        ("0 2 * * 6,7", "0 2 ? * 7,1 *"),
        ("0 2 * 3 MON", "0 2 ? 3 MON *"),
    ],
)
def test_five_fields_are_refused_with_the_same_times_in_six(five: str, six: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_cron(five)
    assert f"'{six}'" in caught.value.hint
    assert six_fields(five.split()) == six
    check_cron(six)


def test_five_fields_with_either_of_two_days_have_no_form_in_six() -> None:
    with pytest.raises(UsageError) as caught:
        check_cron("0 2 1 * 1")
    assert "one schedule for the days of the month" in caught.value.hint


@pytest.mark.parametrize("rate", ["1 day", "12 hours", "90 minutes"])
def test_a_rate_is_taken(rate: str) -> None:
    check_rate(rate)


@pytest.mark.parametrize("rate", ["", "day", "1 days", "2 day", "0 days", "1.5 days", "1 week", "1day", "-1 days"])
def test_a_rate_that_the_scheduler_would_refuse_is_named(rate: str) -> None:
    with pytest.raises(UsageError, match="is not a valid rate"):
        check_rate(rate)


@pytest.mark.parametrize(
    ("cron", "rate", "several"),
    [
        ("0 2 * * ? *", None, False),
        ("0 2 ? * MON *", None, False),
        ("0 2,14 * * ? *", None, True),
        ("0/30 2 * * ? *", None, True),
        ("0 * * * ? *", None, True),
        (None, "1 day", False),
        (None, "24 hours", False),
        (None, "23 hours", True),
        (None, "1440 minutes", False),
        (None, "1439 minutes", True),
        (None, None, False),
    ],
)
def test_times_that_come_more_than_once_a_day_are_known(cron: str | None, rate: str | None, several: bool) -> None:
    assert several_a_day(cron, rate) is several


@pytest.mark.parametrize(
    ("cron", "rate", "minutes"),
    [
        ("0 2 * * ? *", None, 24 * 60),
        ("0 2,14 * * ? *", None, 12 * 60),
        ("55,5 2,14 * * ? *", None, 50),
        ("55,5 * * * ? *", None, 10),
        ("* 2 * * ? *", None, 1),
        ("0/20 2-4 * * ? *", None, 20),
        ("5/25 * * * ? *", None, 10),
        ("10-40/15 * * * ? *", None, 15),
        ("*/30 * * * ? *", None, 30),
        ("50 23 * * ? *", None, 24 * 60),
        ("0 22-2/2 * * ? *", None, 120),
        ("50,0 23,0 * * ? *", None, 10),
        (None, "15 minutes", 15),
        (None, "2 hours", 120),
        (None, "1 day", 24 * 60),
        (None, None, 24 * 60),
    ],
)
def test_the_shortest_time_between_two_is_known(cron: str | None, rate: str | None, minutes: int) -> None:
    if cron is not None:
        check_cron(cron)
    assert shortest_gap(cron, rate) == minutes
