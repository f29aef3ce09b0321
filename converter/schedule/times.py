"""Checks of cron and rate expressions as EventBridge Scheduler reads them.

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
    """A field of a cron expression: its numbers, the names that stand for them from `low` on, and what else it takes.

    special: a pattern of whole items that only this field has.
    """

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    special: str = ""

    def takes(self, text: str) -> bool:
        """Is this a value of the field?"""
        if text in ("*", "?"):
            return text == "*" or self.name.startswith("day")
        return all(self._takes_item(item) for item in text.split(","))

    def _takes_item(self, item: str) -> bool:
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

    def holds(self, text: str, number: int) -> bool:
        """Is the number one of those that this value stands for? Only of fields without names and `special`."""
        return any(self._item_holds(item, number) for item in text.split(","))

    def _item_holds(self, item: str, number: int) -> bool:
        span, slash, step = item.partition("/")
        low, dash, high = ("0", "-", str(self.high)) if span == "*" else span.partition("-")
        last = int(high) if dash else self.high if slash else int(low)
        # Past the end a range goes on from the start: 22-2.
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
    """UsageError for what the service would refuse, with the form of six fields for one of five."""
    given = text.split()
    example = "write for example '0 2 * * ? *', for 2:00 each day"
    if len(given) == 5:
        six = six_fields(given)
        hint = f"for this, write '{six}'" if six else "days of month or of week: make a schedule for each of them"
        raise UsageError(
            f"{text!r} has five fields, and EventBridge Scheduler reads six: the sixth is the year", "--cron", hint
        )
    if len(given) != len(_FIELDS):
        raise UsageError(f"{text!r} does not have six fields", "--cron", example)
    for field, value in zip(_FIELDS, given, strict=True):
        if not field.takes(value):
            raise UsageError(
                f"{value!r} is no {field.name}", "--cron", f"it has {field.low} to {field.high}; {example}"
            )
    if (given[2] == "?") == (given[4] == "?"):
        raise UsageError(
            f"{text!r} needs a ? for the day of the month or the day of the week, and not for both", "--cron", example
        )


def six_fields(five: list[str]) -> str | None:
    """The same times in six fields; None where there are none, because cron takes either of both days."""
    minutes, hours, day, month, weekday = five
    if weekday == "*":
        return f"{minutes} {hours} {day} {month} ? *"
    if day != "*":
        return None
    # Cron counts from Sunday as 0, and takes 7 for it too; the service counts from 1. A step is no day.
    days = re.sub(r"(?<![/#0-9])[0-7](?![0-9])", lambda found: str(int(found[0]) % 7 + 1), weekday)
    return f"{minutes} {hours} ? {month} {days} *"


def several_a_day(cron: str | None, rate: str | None) -> bool:
    """Can two of these times have the same date?"""
    if cron is not None:
        minutes, hours, *_ = cron.split()
        return not (minutes.isdigit() and hours.isdigit())
    number, unit = (rate or "1 day").split()
    a_day = {"minute": 24 * 60, "hour": 24, "day": 1}
    return int(number) < a_day[unit.rstrip("s")]


def shortest_gap(cron: str | None, rate: str | None) -> int:
    """Minutes between two of these times, at least; of a cron, if it names each day.

    cron, rate: as they were checked.
    """
    if cron is None:
        number, unit = (rate or "1 day").split()
        return int(number) * {"minute": 1, "hour": 60, "day": 24 * 60}[unit.rstrip("s")]
    minutes, hours, *_ = cron.split()
    times = [
        60 * hour + minute
        for hour in range(24)
        if _FIELDS[1].holds(hours, hour)
        for minute in range(60)
        if _FIELDS[0].holds(minutes, minute)
    ]
    return min(later - earlier for earlier, later in pairwise([*times, times[0] + 24 * 60]))


def check_rate(text: str) -> None:
    """UsageError for what the service would refuse."""
    match = re.fullmatch(r"([1-9][0-9]{0,5}) (minute|hour|day)(s?)", text, re.ASCII)
    if match is None or (match[1] == "1") == bool(match[3]):
        raise UsageError(f"{text!r} is no rate", "--rate", "write for example '1 day' or '12 hours'")
