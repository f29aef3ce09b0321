"""Timestamps by Python's own calendar and decimals: what a cast must make of a text or a number, worked out apart."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal

from hypothesis import strategies as st

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = -62_135_596_800_000_000
LAST = 253_402_300_799_999_999
_WIDE = Context(prec=200)
_FORM = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?\Z", re.ASCII)


def micros_of_text(text: str) -> int | None:
    """Microseconds since 1970 of an ISO-8601 text, None if it is none or finer."""
    match = _FORM.match(text)
    if match is None:
        return None
    date, minutes, seconds, decimals, zone = match.groups()
    decimals = (decimals or "").rstrip("0")
    if len(decimals) > 6:
        return None
    try:
        local = datetime.strptime(f"{date} {minutes or '00:00'}:{seconds or '00'}", "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return None
    offset = 0
    if zone and zone != "Z":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        hours, rest = int(digits[:2]), int(digits[2:])
        if hours > 23 or rest > 59:
            return None
        offset = (hours * 60 + rest) * (-1 if zone[0] == "-" else 1)
    whole = (local.replace(tzinfo=UTC) - EPOCH) // timedelta(seconds=1) - 60 * offset
    micros = whole * 1_000_000 + int(decimals.ljust(6, "0"))
    return micros if FIRST <= micros <= LAST else None


def micros_of_number(text: str) -> int | None:
    """Microseconds of a number of seconds, or of milliseconds from 10^11 on; None where there is no such timestamp."""
    number = Decimal(text)
    micros = _WIDE.multiply(number, 1_000_000 if abs(number) < 10**11 else 1000)
    if not FIRST <= micros <= LAST or micros != micros.to_integral_value(context=_WIDE):
        return None
    return int(micros)


def text_of(micros: int) -> str:
    """As CSV has it."""
    return (EPOCH + timedelta(microseconds=micros)).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def any_micros() -> st.SearchStrategy[int]:
    """Of the whole calendar, and often near the borders of days, months and years."""
    border = st.builds(
        lambda year, month, day, off: (
            (datetime(year, month, day, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) + off
        ),
        st.integers(1, 9999),
        st.sampled_from([1, 2, 3, 12]),
        st.sampled_from([1, 28]),
        st.sampled_from([-1, 0, 1, 86_400_000_000, 86_399_999_999, -86_400_000_000]),
    ).filter(lambda micros: FIRST <= micros <= LAST)
    return st.one_of(
        st.integers(FIRST, LAST), st.integers(0, 2 * 10**15), border, st.sampled_from([FIRST, LAST, 0, -1])
    )


@st.composite
def iso_texts(draw: st.DrawFn) -> str:
    """Texts of the form, most of them timestamps."""
    micros = draw(any_micros())
    moment = EPOCH + timedelta(microseconds=micros)
    date = f"{moment.year:04}-{moment.month:02}-{moment.day:02}"
    if draw(st.booleans()):
        # Days and times that may not exist.
        field = st.one_of(st.integers(0, 62), st.sampled_from([0, 1, 12, 13, 23, 24, 28, 29, 30, 31, 32, 59, 60]))
        date = f"{moment.year:04}-{draw(field):02}-{draw(field):02}"
        time = f"{draw(field):02}:{draw(field):02}:{draw(field):02}"
    else:
        time = f"{moment.hour:02}:{moment.minute:02}:{moment.second:02}"
    decimals = draw(st.one_of(st.just(f"{moment.microsecond:06}"), st.text("0123456789", min_size=1, max_size=9)))
    zeros = "0" * draw(st.integers(0, 5))
    offset = f"{draw(st.integers(0, 25)):02}{draw(st.sampled_from(['', ':']))}{draw(st.integers(0, 61)):02}"
    return "".join(
        (
            date,
            draw(st.sampled_from(["T", " "])),
            draw(st.sampled_from([time, f"{time}.{decimals}{zeros}", f"{time}.{decimals}{zeros}", time[:5]])),
            draw(st.sampled_from(["", "Z", "Z", f"+{offset}", f"-{offset}", f"+{offset[:2]}"])),
        )
    )[: draw(st.sampled_from([10, 99, 99, 99, 99]))]


@st.composite
def epoch_numbers(draw: st.DrawFn) -> str:
    """Plain numbers, most of them timestamps."""
    micros = draw(st.one_of(any_micros(), st.sampled_from([10**17, -(10**17), 10**14, -(10**14)])))
    micros += draw(st.integers(-2, 2))
    number = Decimal(micros).scaleb(-draw(st.sampled_from([0, 3, 6, 6, 7])), _WIDE)
    return format(number.normalize(_WIDE), "f")
