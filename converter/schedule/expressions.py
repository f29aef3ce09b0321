"""Checks of the cron and rate expressions of EventBridge Scheduler.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from converter.errors import UsageError

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a cron expression: its range of numbers, and their names, starting at `low`.

    special: a pattern of items that only this field supports.
    """

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    special: str = ""

    def accepts(self, text: str) -> bool:
        """Return whether the text is a value of this field."""
        if text in ("*", "?"):
            return text == "*" or self.name.startswith("day")
        return all(self._accepts_item(item) for item in text.split(","))

    def _accepts_item(self, item: str) -> bool:
        if self.special and re.fullmatch(self.special, item):
            return True
        span, slash, step = item.partition("/")
        if slash and not (re.fullmatch("[0-9]{1,4}", step, re.ASCII) and int(step) > 0):
            return False
        if span == "*":
            return bool(slash)
        ends = [self._number(end) for end in span.split("-")]
        known = [end for end in ends if end is not None]
        return len(ends) <= 2 and len(known) == len(ends)

    def includes(self, text: str, number: int) -> bool:
        """Return whether a value includes a number. Only for fields without names and `special`."""
        return any(self._item_includes(item, number) for item in text.split(","))

    def _item_includes(self, item: str, number: int) -> bool:
        span, slash, step = item.partition("/")
        low, dash, high = ("0", "-", str(self.high)) if span == "*" else span.partition("-")
        last = int(high) if dash else self.high if slash else int(low)
        # A range can wrap around: 22-2.
        size = self.high + 1
        distance = (number - int(low)) % size
        return distance <= (last - int(low)) % size and distance % int(step or 1) == 0

    def _number(self, text: str) -> int | None:
        if text.upper() in self.names:
            return self.low + self.names.index(text.upper())
        if re.fullmatch("[0-9]{1,4}", text, re.ASCII) and self.low <= int(text) <= self.high:
            return int(text)
        return None


_FIELDS: Final = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day of month", 1, 31, special="L|[0-9]{1,2}W|LW"),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 1, 7, _DAYS, special="L|([1-7]|[A-Z]{3})L|([1-7]|[A-Z]{3})#[1-5]"),
    _Field("year", 1970, 2199),
)


def check_cron(text: str) -> None:
    """Raise UsageError if the service would reject the expression. For five fields, suggest the form with six."""
    given = text.split()
    example = "for example, use '0 2 * * ? *' for 2:00 each day"
    if len(given) == 5:
        six = six_fields(given)
        hint = (
            f"use '{six}'" if six else "create one schedule for the days of the month, and one for the days of the week"
        )
        raise UsageError(
            f"{text!r} has five fields, but EventBridge Scheduler requires six: the sixth is the year", "--cron", hint
        )
    if len(given) != len(_FIELDS):
        raise UsageError(f"{text!r} does not have six fields", "--cron", example)
    for field, value in zip(_FIELDS, given, strict=True):
        if not field.accepts(value):
            raise UsageError(
                f"{value!r} is not a valid value for {field.name}",
                "--cron",
                f"the range is {field.low} to {field.high}; {example}",
            )
    if (given[2] == "?") == (given[4] == "?"):
        raise UsageError(
            f"{text!r} needs a ? for either the day of the month or the day of the week", "--cron", example
        )


def six_fields(five: list[str]) -> str | None:
    """Return the same times in six fields, or None if that is impossible, because cron matches either of both days."""
    minutes, hours, day, month, weekday = five
    if weekday == "*":
        return f"{minutes} {hours} {day} {month} ? *"
    if day != "*":
        return None
    # In cron, Sunday is 0 or 7; in the service it is 1. A step is not a day.
    days = re.sub(r"(?<![/#0-9])[0-7](?![0-9])", lambda found: str(int(found[0]) % 7 + 1), weekday)
    return f"{minutes} {hours} ? {month} {days} *"


def several_a_day(cron: str | None, rate: str | None) -> bool:
    """Return whether two of these times can have the same date."""
    if cron is not None:
        minutes, hours, *_ = cron.split()
        return not (minutes.isdigit() and hours.isdigit())
    number, unit = (rate or "1 day").split()
    a_day = {"minute": 24 * 60, "hour": 24, "day": 1}
    return int(number) < a_day[unit.rstrip("s")]


def shortest_gap(cron: str | None, rate: str | None) -> int:
    """Return the minimum of minutes between two of these times. A cron is treated as if it matched each day.

    cron, rate: checked expressions.
    """
    if cron is None:
        number, unit = (rate or "1 day").split()
        return int(number) * {"minute": 1, "hour": 60, "day": 24 * 60}[unit.rstrip("s")]
    minutes, hours, *_ = cron.split()
    times = [
        60 * hour + minute
        for hour in range(24)
        if _FIELDS[1].includes(hours, hour)
        for minute in range(60)
        if _FIELDS[0].includes(minutes, minute)
    ]
    return min(later - earlier for earlier, later in pairwise([*times, times[0] + 24 * 60]))


def check_rate(text: str) -> None:
    """Raise UsageError if the service would reject the expression."""
    match = re.fullmatch(r"([1-9][0-9]{0,5}) (minute|hour|day)(s?)", text, re.ASCII)
    if match is None or (match[1] == "1") == bool(match[3]):
        raise UsageError(f"{text!r} is not a valid rate", "--rate", "for example, use '1 day' or '12 hours'")
