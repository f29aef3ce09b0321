"""Timestamps by Python's own calendar and decimals: what a cast must make of a text or a number, worked out apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from math import floor

from hypothesis import strategies as st

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_0 = EPOCH.date().toordinal()
FIRST = -62_135_596_800_000_000
LAST = 253_402_300_799_999_999
_WIDE = Context(prec=200)
_CLOCK = r"(\d\d)(?P<colon>:?)(\d\d)(?:(?P=colon)(\d\d)(?:[.,](\d+))?)?"
_ZONE = r" ?(?:[Zz]|[+-]\d\d(?::?\d\d)?)"
_BRACKETS = r"(?:\[[A-Za-z0-9._/+:=-]+\])*"
_FORMS = (
    re.compile(r"(\d{4})-(\d\d)-(\d\d)()()()()()()\Z", re.ASCII),
    re.compile(rf"(\d{{4}})-(\d\d)-(\d\d)[Tt ]{_CLOCK}(|{_ZONE}{_BRACKETS})\Z", re.ASCII),
    re.compile(rf"(\d{{4}})(\d\d)(\d\d)[Tt]{_CLOCK}(|{_ZONE}{_BRACKETS})\Z", re.ASCII),
)
_UNIX = re.compile(r"-?(?:0|[1-9]\d{8,}(?:\.\d+)?)\Z", re.ASCII)
PER_SECOND: dict[str, int] = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True)
class Moment:
    """Microseconds since 1970, cut to the one below; exact: nothing was cut."""

    micros: int
    exact: bool


def moment_of_text(text: str, unit: str = "s") -> Moment | None:
    """What a text of any spelling is, None if it is not a time."""
    found = moment_of_iso(text)
    if found is None and _UNIX.match(text):
        return moment_of_number(text, unit)
    return found


def moment_of_number(text: str, unit: str = "s") -> Moment | None:
    """What a number is that counts this unit, None if it is not in the calendar."""
    micros = Fraction(Decimal(text)) * 10**6 / PER_SECOND[unit]
    below = floor(micros)
    return Moment(below, below == micros) if FIRST <= below <= LAST else None


def moment_of_iso(text: str) -> Moment | None:
    """What a text in a form of ISO 8601 is."""
    match = next(filter(None, (form.match(text) for form in _FORMS)), None)
    if match is None:
        return None
    year, month, day, hour, colon, minute, second, fraction, zone = match.groups()
    if hour and (colon == ":") != (text[4] == "-"):
        return None
    try:
        y, m, d, h, mi, s = (int(number or 0) for number in (year, month, day, hour, minute, second))
        local = datetime(y, m, d, h, mi, s, tzinfo=UTC)
    except ValueError:
        return None
    offset = 0
    zone = zone.partition("[")[0].strip()
    if zone.lower() not in ("", "z"):
        digits = zone[1:].replace(":", "").ljust(4, "0")
        hours, rest = int(digits[:2]), int(digits[2:])
        if hours > 23 or rest > 59:
            return None
        offset = (hours * 60 + rest) * (-1 if zone[0] == "-" else 1)
    whole = (local - EPOCH) // timedelta(seconds=1) - 60 * offset
    micros = Fraction(whole * 10**6) + Fraction(int(fraction or 0), 10 ** len(fraction or "")) * 10**6
    below = floor(micros)
    return Moment(below, below == micros) if FIRST <= below <= LAST else None


def micros_of_text(text: str, unit: str = "s") -> int | None:
    """Microseconds of a text, None if it is not a time or finer."""
    moment = moment_of_text(text, unit)
    return moment.micros if moment is not None and moment.exact else None


def micros_of_number(text: str, unit: str = "s") -> int | None:
    """Microseconds of a number, None if it is not a time or finer."""
    moment = moment_of_number(text, unit)
    return moment.micros if moment is not None and moment.exact else None


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
    """Texts of all spellings, most of them timestamps."""
    micros = draw(any_micros())
    moment = EPOCH + timedelta(microseconds=micros)
    basic = draw(st.sampled_from([False, False, True]))
    dash, colon = ("", "") if basic else ("-", ":")
    fields = [f"{moment.year:04}", f"{moment.month:02}", f"{moment.day:02}"]
    clock = [f"{moment.hour:02}", f"{moment.minute:02}", f"{moment.second:02}"]
    if draw(st.sampled_from([False, False, True])):
        # Days and times that may not exist.
        field = st.one_of(st.integers(0, 62), st.sampled_from([0, 1, 12, 13, 23, 24, 28, 29, 30, 31, 32, 59, 60]))
        fields = [fields[0], *(f"{draw(field):02}" for _ in range(2))]
        clock = [f"{draw(field):02}" for _ in range(3)]
    date, time = dash.join(fields), colon.join(clock)
    digits = st.text("0123456789", min_size=1, max_size=9)
    whole = f"{moment.microsecond:06}"
    decimals = draw(st.sampled_from([".", ".", ","])) + draw(st.one_of(st.sampled_from([whole, f"{whole}000"]), digits))
    offset = f"{draw(st.integers(0, 25)):02}{draw(st.sampled_from(['', ':']))}{draw(st.integers(0, 61)):02}"
    return "".join(
        (
            date,
            draw(st.sampled_from(["T", " ", "t"])),
            draw(st.sampled_from([time, time + decimals, f"{time}{decimals}0", colon.join(clock[:2])])),
            draw(st.sampled_from(["", "", "", " "])),
            draw(st.sampled_from(["", "Z", "Z", "z", f"+{offset}", f"-{offset}", f"+{offset[:2]}"])),
            draw(st.sampled_from(["", "", "", "[Europe/Paris]", "[Etc/GMT+1][u-ca=iso8601]", "[!UTC]", "[]", "[UTC"])),
        )
    )[: draw(st.sampled_from([8, 10, 99, 99, 99, 99, 99, 99]))]


@st.composite
def epoch_numbers(draw: st.DrawFn, unit: str = "s") -> str:
    """Plain numbers that count this unit, most of them timestamps."""
    micros = draw(st.one_of(any_micros(), any_micros(), st.sampled_from([10**18, -(10**18), 10**14, -(10**14)])))
    micros += draw(st.integers(-2, 2))
    number = Decimal(micros).scaleb(-6, _WIDE) * PER_SECOND[unit]
    more = Decimal(draw(st.sampled_from([0, 0, 0, 1, -1, 7]))).scaleb(-draw(st.integers(0, 9)))
    number = _WIDE.add(number, more)
    return format(number.normalize(_WIDE), "f") if number else "0"


@st.composite
def unix_texts(draw: st.DrawFn, unit: str = "s") -> str:
    """Such numbers as programs write them into texts."""
    number = draw(epoch_numbers(unit))
    return number + draw(st.sampled_from(["", "", ".0" if "." not in number else "0", "0", "."]))
