"""Timestamps in the kernels, beside Python's calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from converter.kernels import time_reasons
from converter.kernels.parse.calendar import parse_iso, put_iso, put_seconds
from converter.kernels.toolchain.decorators import kernel
from tests.examples import examples
from tests.times import (
    EPOCH,
    FIRST,
    LAST,
    Moment,
    any_micros,
    iso_texts,
    moment_of_iso,
    text_of,
)
from tests.unit.decode.decoding import Bytes, padded

DAY = 86_400_000_000
OFFSETS = st.integers(0, 9)


@kernel
def iso_read(data: Bytes, at: int, end: int) -> tuple[int, int]:
    return parse_iso(data, at, end)


@kernel
def iso_put(target: Bytes, o: int, micros: int) -> int:
    return put_iso(target, o, micros)


@kernel
def seconds_put(target: Bytes, o: int, seconds: int) -> int:
    return put_seconds(target, o, seconds)


@kernel
def days_that_come_back(first: int, last: int, target: Bytes) -> int:
    """How many of these days are the same when they have been written and read."""
    count = 0
    for day in range(first, last + 1):
        end = put_iso(target, 0, day * DAY)
        micros, reason = parse_iso(target, 0, end)
        if reason == 0 and micros == day * DAY:
            count += 1
    return count


def read_iso(text: str, at: int = 0) -> Moment | None:
    """The moment or None; what is around the text would make it another one."""
    data = text.encode()
    end = at + len(data)
    micros, reason = iso_read(padded(b"1" * at + data + b'"0123456789012345678901234567890'), at, end)
    assert reason in (0, time_reasons.TOO_FINE) or micros == 0
    return Moment(micros, reason == 0) if reason in (0, time_reasons.TOO_FINE) else None


def reason_of(text: str) -> int:
    data = text.encode()
    return int(iso_read(padded(data + b'"'), 0, len(data))[1])


def written(micros: int, at: int = 0) -> str:
    target = np.full(at + 64, 0xEE, np.uint8)
    end = iso_put(target, at, micros)
    assert (target[:at] == 0xEE).all()
    assert (target[end:] == 0xEE).all()
    return target[at:end].tobytes().decode()


@settings(max_examples=examples(1000))
@given(iso_texts(), OFFSETS)
def test_a_text_of_the_form_is_the_moment_that_python_finds_or_none(text: str, at: int) -> None:
    assert read_iso(text, at) == moment_of_iso(text)


@settings(max_examples=examples(500))
@given(iso_texts(), st.data())
def test_a_text_that_was_changed_by_one_character_is_what_python_says(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 2))
    changed = text[:at] + data.draw(st.sampled_from(["", *"09-+:.,TtZz /[]!"])) + text[at + cut :]
    assert read_iso(changed) == moment_of_iso(changed)


@settings(max_examples=examples(500))
@given(any_micros(), OFFSETS)
@example(FIRST, 0)
@example(LAST, 0)
def test_a_moment_is_written_as_python_writes_it_and_read_back(micros: int, at: int) -> None:
    text = written(micros, at)
    assert text == text_of(micros)
    assert read_iso(text) == Moment(micros, exact=True)


def test_every_day_of_the_calendar_is_written_and_read() -> None:
    first, last = (day.toordinal() - EPOCH.toordinal() for day in (date.min, date.max))
    assert days_that_come_back(first, last, np.zeros(64, np.uint8)) == last - first + 1
    for days in range(first, last, 97):
        day = (date.min + timedelta(days - first)).isoformat()
        assert written(days * DAY)[:10] == day
        assert read_iso(day) == Moment(days * DAY, exact=True)


@pytest.mark.parametrize("year", [1, 4, 1900, 1999, 2000, 2023, 2024, 2100, 9999])
def test_the_days_of_every_month_are_those_of_the_calendar(year: int) -> None:
    for month in range(14):
        for day in range(33):
            text = f"{year:04}-{month:02}-{day:02}"
            try:
                expected: int | None = (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // timedelta(
                    microseconds=1
                )
            except ValueError:
                expected = None
                assert reason_of(text) == time_reasons.NO_DATE
            assert read_iso(text) == (None if expected is None else Moment(expected, exact=True))


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-27T06:11:47.109000000Z",
        "2023-11-27T06:11:47.1090000Z",
        "2023-11-27 06:11:47.109",
        "2023-11-27t06:11:47.109z",
        "2023-11-27T06:11:47,109Z",
        "20231127T061147.109Z",
        "20231127T071147,109+0100",
        "20231127t071147.109+01",
        "2023-11-27T07:11:47.109+01:00[Europe/Paris]",
        "2023-11-27T06:11:47.109Z[Etc/UTC][u-ca=iso8601]",
        "2023-11-27 07:11:47.109 +0100",
        "2023-11-27 06:11:47.109 Z",
    ],
)
def test_one_moment_has_many_spellings(text: str) -> None:
    assert read_iso(text) == Moment(1_701_065_507_109_000, exact=True)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *(
            (text, time_reasons.NO_FORM)
            for text in ("", "2023", "2023-11", "20231127", "27.11.2023", "2023-1-2", "+2023-11-27")
        ),
        *(
            (f"2023-11-27{text}", time_reasons.NO_FORM)
            for text in ("T", "T06", "T0611", "T061147", "T06:1", "T06:11:", "Z", "_06:11:47", "[Europe/Paris]")
        ),
        *(
            (f"2023-11-27T06:11:47{text}", time_reasons.NO_FORM)
            for text in (".", ".Z", ",", ",,5", "+", "+1", "+1:00", "+01:0", "  Z", "Z[]", "Z[UTC", "Z[!UTC]", "Z[U C]")
        ),
        *(
            (f"2023-11-27T06:11:47{text}", time_reasons.NO_FORM)
            for text in ("ZZ", "Z ", " ", "+01:00Z", "+01-00", "Z[UTC]x")
        ),
        *((f" 2023-11-27{text}", time_reasons.NO_FORM) for text in ("", "T06:11:47Z")),
        *(
            (f"20231127{text}", time_reasons.NO_FORM)
            for text in ("T", "T06", "T06:11", "T061", "T06:11:47Z", "T061147.", "Z", " 061147")
        ),
        *((f"2023-11-27T06:11:47{text}", time_reasons.NO_OFFSET) for text in ("[Europe/Paris]", ".5[UTC]")),
        ("20231327T061147Z", time_reasons.NO_DATE),
        ("20231127T246147Z", time_reasons.NO_TIME_OF_DAY),
        *(
            (text, time_reasons.NO_DATE)
            for text in ("0000-01-01", "2023-00-01", "2023-13-01", "2023-02-29", "1900-02-29")
        ),
        *(
            (f"2023-11-27T{text}", time_reasons.NO_TIME_OF_DAY)
            for text in ("24:00:00", "23:60", "23:59:60Z", "06:11:47+24:00")
        ),
        ("2023-11-27T06:11:47+01:60", time_reasons.NO_TIME_OF_DAY),
        ("2023-11-27T06:11:47.1234567", time_reasons.TOO_FINE),
        ("2023-11-27T06:11:47.0000000000000001Z", time_reasons.TOO_FINE),
        ("0001-01-01T00:00:00+00:01", time_reasons.OUT_OF_YEARS),
        ("9999-12-31T23:59:59.999999-00:01", time_reasons.OUT_OF_YEARS),
    ],
)
def test_a_text_that_is_not_a_timestamp_has_its_reason(text: str, reason: int) -> None:
    assert reason_of(text) == reason
    if reason == time_reasons.TOO_FINE:
        assert read_iso(text) == moment_of_iso(text)
    else:
        assert moment_of_iso(text) is None


@given(st.one_of(st.integers(-62_135_596_800, 253_402_300_799), st.sampled_from([0, 9, 10, -1, -10, 99, 100])))
def test_seconds_are_written_as_digits(seconds: int) -> None:
    target = np.full(32, 0xEE, np.uint8)
    end = seconds_put(target, 3, seconds)
    assert target[3:end].tobytes().decode() == str(seconds)
    assert (target[:3] == 0xEE).all()
    assert (target[end:] == 0xEE).all()
