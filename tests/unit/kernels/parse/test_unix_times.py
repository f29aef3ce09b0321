"""Unix times in the kernels, beside exact arithmetic: every unit, every magnitude, as numbers and as texts."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from converter.kernels import time_reasons
from converter.kernels.parse.unix_times import (
    digits_to_micros,
    find_point,
    integer_to_micros,
    magnitude_of,
    magnitude_of_digits,
)
from converter.kernels.toolchain.decorators import kernel
from converter.schema.magnitudes import SMALL, ZERO
from converter.time_options import UNITS
from tests.examples import examples
from tests.times import PER_SECOND, Moment, epoch_numbers, moment_of_iso, moment_of_number, moment_of_text, unix_texts
from tests.unit.decode.decoding import Bytes, padded

LATEST = 253_402_300_799


@kernel
def read_integer(value: int, unit: int) -> tuple[int, int]:
    return integer_to_micros(value, unit)


@kernel
def read_digits(data: Bytes, at: int, point: int, end: int, unit: int) -> tuple[int, int]:
    return digits_to_micros(data, at, point, end, unit)


@kernel
def point_of(data: Bytes, at: int, end: int) -> tuple[int, int]:
    return find_point(data, at, end)


@kernel
def size_of_integer(value: int) -> int:
    return magnitude_of(-value if value < 0 else value, True, value < 0)


@kernel
def size_of_digits(data: Bytes, at: int, point: int, end: int) -> int:
    return magnitude_of_digits(data, at, point, end)


def moment(result: tuple[int, int]) -> Moment | None:
    micros, reason = result
    assert reason in (0, time_reasons.TOO_FINE, time_reasons.OUT_OF_YEARS)
    return None if reason == time_reasons.OUT_OF_YEARS else Moment(int(micros), reason == 0)


def read(text: str, unit: str, at: int = 0) -> Moment | None:
    """What the kernel for digits makes of a number; what is around it would make it another one."""
    data = padded(b"1" * at + text.encode() + b'"1')
    end = at + len(text)
    point = at + text.index(".") if "." in text else end
    return moment(read_digits(data, at, point, end, UNITS.index(unit)))


def possible(number: Decimal) -> int:
    """The magnitude by the definition: in which units is this a time from 1973-03-03 on, or before 1970?"""
    whole = int(abs(number))
    if whole < 10**8:
        return ZERO if number == 0 else SMALL
    units = [number_of for number_of, unit in enumerate(UNITS) if _is_in_years(number, whole, PER_SECOND[unit])]
    if number < 0:
        # Below zero the ranges do not overlap: the first unit that reaches this far.
        units = units[:1]
    return sum(1 << number_of for number_of in units)


def _is_in_years(number: Decimal, whole: int, per_second: int) -> bool:
    if number < 0:
        # Up to 18 digits the whole part decides; the fraction is looked at when the unit is known.
        return (whole if whole < 10**18 else -number) <= 62_135_596_800 * per_second
    return 10**8 * per_second <= whole < (LATEST + 1) * per_second


@pytest.mark.parametrize("unit", UNITS)
@settings(max_examples=examples(400), deadline=None)
@given(st.data(), st.integers(0, 9))
def test_a_number_is_the_moment_that_exact_arithmetic_finds_or_none(unit: str, data: st.DataObject, at: int) -> None:
    text = data.draw(epoch_numbers(unit))
    assert read(text, unit, at) == moment_of_number(text, unit)
    if "." not in text and abs(int(text)) < 10**18:
        assert moment(read_integer(int(text), UNITS.index(unit))) == moment_of_number(text, unit)


BORDERS = sorted(
    {
        sign * border * PER_SECOND[unit] + off
        for unit in UNITS
        for border in (0, 1, 10**8, 62_135_596_800, LATEST, LATEST + 1)
        for sign in (1, -1)
        for off in (-1, 0, 1)
    }
)


@pytest.mark.parametrize("number", BORDERS)
def test_the_borders_of_the_calendar_and_of_the_magnitudes(number: int) -> None:
    for unit in UNITS:
        assert read(str(number), unit) == moment_of_number(str(number), unit)
    digits = str(number)
    assert size_of_digits(padded(digits.encode()), 0, len(digits), len(digits)) == possible(Decimal(number))
    if abs(number) < 10**18:
        assert size_of_integer(number) == possible(Decimal(number))


@settings(max_examples=examples(400), deadline=None)
@given(st.one_of(*(epoch_numbers(unit) for unit in UNITS)))
@example("0.5")
@example("-0.0000001")
@example("253402300799.999999")
@example("9" * 38)
def test_a_magnitude_is_the_set_of_units_that_a_number_may_be_in(text: str) -> None:
    point = text.index(".") if "." in text else len(text)
    assert size_of_digits(padded(text.encode()), 0, point, len(text)) == possible(Decimal(text))


def test_what_a_magnitude_says_is_true_of_the_moment() -> None:
    for number in BORDERS:
        size = possible(Decimal(number))
        for index, unit in enumerate(UNITS):
            if size < SMALL and size >> index & 1:
                found = moment_of_number(str(number), unit)
                assert found is not None
                assert abs(Fraction(found.micros, 10**6)) >= 10**8 or number < 0


@settings(max_examples=examples(400), deadline=None)
@given(st.one_of(unix_texts(), st.from_regex(r"-?[0-9]{0,12}(\.[0-9]{0,3})?", fullmatch=True)))
def test_a_text_is_a_unix_time_from_nine_digits_on(text: str) -> None:
    data = padded(text.encode() + b'"')
    point, reason = point_of(data, 0, len(text))
    if moment_of_iso(text) is None and moment_of_text(text) is not None:
        assert reason == 0
        assert moment(read_digits(data, 0, int(point), len(text), 0)) == moment_of_text(text)
    elif reason == 0:
        assert moment(read_digits(data, 0, int(point), len(text), 0)) is None


@pytest.mark.parametrize("text", ["2023", "202311", "20231127", "12345678", "-86400000", "1.5"])
def test_fewer_than_nine_digits_in_a_text_may_be_a_date(text: str) -> None:
    assert point_of(padded(text.encode() + b'"'), 0, len(text))[1] == time_reasons.SHORT_NUMBER


@pytest.mark.parametrize("text", ["", "-", "007123456789", "1701065507.", ".5", "1701065507e0", "+1701065507", "0.5"])
def test_a_text_that_is_not_a_plain_number_is_not_a_unix_time(text: str) -> None:
    assert point_of(padded(text.encode() + b'"'), 0, len(text))[1] == time_reasons.NO_FORM
