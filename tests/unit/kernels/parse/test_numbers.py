"""Numbers: the plain form, the way to it, and the binary values, beside Python's exact integers."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from converter.kernels.layout import IRREGULAR, NUMBER_ROOM
from converter.kernels.parse.numbers import (
    fits_int64,
    normalize_number,
    plain_number,
    put_decimal,
    put_small_decimal,
    read_digits,
    scaled_digits,
    small_integer,
)
from converter.kernels.toolchain.decorators import kernel
from tests import oracle, strategies
from tests.unit.decode.decoding import Bytes, padded

OFFSETS = st.integers(0, 9)


@kernel
def shape(data: Bytes, at: int, end: int) -> tuple[int, int]:
    return plain_number(data, at, end)


@kernel
def normalized(data: Bytes, at: int, end: int, scratch: Bytes) -> int:
    return normalize_number(data, at, end, scratch)


@kernel
def digits_read(data: Bytes, at: int, count: int) -> tuple[int, bool]:
    value, fine = read_digits(data, at, count)
    return np.uint64(value), fine  # type: ignore[return-value]


@kernel
def integer_read(data: Bytes, at: int, end: int) -> tuple[int, bool]:
    return small_integer(data, at, end)


@kernel
def small_decimal_put(data: Bytes, at: int, end: int, scale: int, target: Bytes) -> tuple[int, int]:
    return put_small_decimal(data, at, end, scale, target, 3)


@kernel
def decimal_put(data: Bytes, at: int, end: int, scale: int, target: Bytes) -> bool:
    high, low, negative = scaled_digits(data, at, end, scale)
    put_decimal(data, at, end, scale, target, 3)
    return fits_int64(high, low, negative)


def shape_of(text: bytes, at: int = 0) -> tuple[int, int] | None:
    integers, decimals = shape(padded(b"1" * at + text + b'"'), at, at + len(text))
    if integers < 0:
        assert (integers, decimals) == (IRREGULAR, 0)
        return None
    return integers, decimals


def normalize(text: bytes, at: int = 0) -> str | None:
    scratch = np.full(NUMBER_ROOM, 0xEE, np.uint8)
    size = normalized(padded(b"-" * at + text + b'"'), at, at + len(text), scratch)
    if size < 0:
        assert size == IRREGULAR
        return None
    return scratch[:size].tobytes().decode()


def by_oracle(text: str) -> str | None:
    try:
        return oracle.plain_number(text)
    except ValueError:
        return None


def shape_by_text(plain: str) -> tuple[int, int]:
    whole, _, fraction = plain.lstrip("-").partition(".")
    return len(whole.lstrip("0")), len(fraction)


def unscaled(target: Bytes) -> int:
    return int.from_bytes(target[3:19].tobytes(), "little", signed=True)


def exact(plain: str, scale: int) -> int:
    whole, _, fraction = plain.partition(".")
    return int(whole + fraction.ljust(scale, "0"))


@given(st.one_of(strategies.numbers(), strategies.small_numbers()), OFFSETS)
def test_a_plain_number_is_measured_and_stays_as_it_is(plain: str, at: int) -> None:
    assert shape_of(plain.encode(), at) == shape_by_text(plain)
    assert normalize(plain.encode(), at) == plain


@given(strategies.unplain_numbers(), OFFSETS)
def test_any_spelling_of_a_number_is_brought_to_its_plain_form(text: str, at: int) -> None:
    plain = normalize(text.encode(), at)
    assert plain is not None
    assert plain == oracle.plain_number(text)
    assert Decimal(plain) == Decimal(text)
    assert shape_of(plain.encode()) == shape_by_text(plain)
    assert shape_of(text.encode()) == (shape_by_text(text) if plain == text else None)


@given(st.text("0019.-+eE", max_size=9), OFFSETS)
def test_short_texts_are_numbers_exactly_where_the_grammar_says_so(text: str, at: int) -> None:
    expected = by_oracle(text)
    assert normalize(text.encode(), at) == expected
    assert shape_of(text.encode(), at) == (shape_by_text(text) if text == expected else None)


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "+1", "007", "-007", "00", "-00", "1.", ".5", "-.5", "1..2", "1.2.3", "1e", "1e+", "1e5.0", "0x10"),
        *(" 1", "1 ", "1,5", "1_0", "Infinity", "NaN", "-NaN", "٣", "1\x00", "--1", "1-", "1e--5", "e5", "1d5"),
        *("1e5e5", "\xb2"),
    ],
)
def test_what_is_no_number_is_refused(text: str) -> None:
    assert by_oracle(text) is None
    assert normalize(text.encode()) is None
    assert shape_of(text.encode()) is None


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("-0", "0"),
        ("-0.0", "0"),
        ("0E5", "0"),
        ("0e-99999999999999999999", "0"),
        ("0.50", "0.5"),
        ("100.0", "100"),
        ("1E+2", "100"),
        ("1e-2", "0.01"),
        ("12.5e1", "125"),
        ("1" + "0" * 60 + "e-60", "1"),
        ("0." + "0" * 60 + "1e61", "1"),
        ("9" * 38 + "e88", "9" * 38 + "0" * 88),
        ("9" * 38 + "0" * 10, "9" * 38 + "0" * 10),
        ("1e125", "1" + "0" * 125),
        ("1e-130", "0." + "0" * 129 + "1"),
        ("-9." + "9" * 37 + "e-130", "-0." + "0" * 129 + "9" * 38),
        ("10e-131", "0." + "0" * 129 + "1"),
        ("0.1e126", "1" + "0" * 125),
        ("1e" + "0" * 5000 + "5", "100000"),
    ],
)
def test_numbers_at_the_borders_of_the_range_are_brought_to_plain_form(text: str, plain: str) -> None:
    assert normalize(text.encode()) == plain


@pytest.mark.parametrize(
    "text",
    [
        "1e126",
        "10e125",
        "1e-131",
        "0.1e-130",
        "1" + "0" * 126,
        "0." + "0" * 130 + "1",
        "9" * 39,
        "1" + "0" * 37 + "1",
        "1" + "0" * 36 + ".01",
        "0." + "1" * 39,
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "1e" + "9" * 5000,
    ],
)
def test_numbers_out_of_the_range_are_refused_without_being_expanded(text: str) -> None:
    assert normalize(text.encode()) is None
    assert shape_of(text.encode()) is None


@given(st.text("0123456789", max_size=19), OFFSETS)
def test_up_to_nineteen_digits_are_read_as_their_value(digits: str, at: int) -> None:
    data = padded(b"9" * at + digits.encode() + b"9" * 9)
    assert digits_read(data, at, len(digits)) == (int(digits or "0"), True)


def test_a_byte_that_is_no_digit_is_seen_in_every_place() -> None:
    for other in (*range(0x30), *range(0x3A, 0x100)):
        for count in range(1, 20):
            for place in range(count):
                digits = bytearray(b"5" * count)
                digits[place] = other
                assert not digits_read(padded(bytes(digits)), 0, count)[1], digits


@given(st.integers(-(10**18) + 1, 10**18 - 1), OFFSETS)
def test_integers_of_up_to_eighteen_digits_are_read_at_once(value: int, at: int) -> None:
    text = str(value).encode()
    assert integer_read(padded(b"-" * at + text + b'"'), at, at + len(text)) == (value, True)


@given(st.text("019.-e", max_size=22))
def test_what_is_read_at_once_is_a_plain_integer_and_has_its_value(text: str) -> None:
    value, fine = integer_read(padded(text.encode() + b'"'), 0, len(text))
    if fine:
        assert text == str(value)
    else:
        assert by_oracle(text) != text or "." in text or len(text.lstrip("-")) > 18


@given(st.integers(-(10**18), 10**18), st.integers(0, 18), st.integers(0, 38), OFFSETS)
def test_a_small_decimal_is_stored_exactly_or_left_to_the_general_way(
    digits: int, decimals: int, scale: int, at: int
) -> None:
    plain = oracle.plain_number(f"{digits}e-{decimals}")
    text = plain.encode()
    target = np.full(32, 0xEE, np.uint8)
    found = small_decimal_put(padded(b"1" * at + text + b'"'), at, at + len(text), scale, target)
    integers, fraction = shape_by_text(plain)
    if found[0] < 0:
        assert found == (IRREGULAR, 0)
        assert (target == 0xEE).all()
        whole = len(plain.lstrip("-").partition(".")[0])
        assert fraction > scale or whole + scale > 38 or scale - fraction > 19 or whole + fraction > 18
    else:
        assert found == (integers, fraction)
        assert unscaled(target) == exact(plain, scale)
        assert (target[:3] == 0xEE).all()
        assert (target[19:] == 0xEE).all()


@given(st.text("015.-", max_size=21), st.integers(0, 38))
def test_only_plain_numbers_are_stored_as_small_decimals(text: str, scale: int) -> None:
    target = np.zeros(32, np.uint8)
    integers, _ = small_decimal_put(padded(text.encode() + b'"'), 0, len(text), scale, target)
    if integers >= 0:
        assert by_oracle(text) == text
        assert unscaled(target) == exact(text, scale)
    else:
        assert not target.any()


@st.composite
def decimals_of_up_to_38_digits(draw: st.DrawFn) -> tuple[str, int]:
    """A plain number and a scale that holds it."""
    scale = draw(st.integers(0, 38))
    digits = draw(st.one_of(st.integers(0, 38).map(lambda n: 10**n - 1), st.integers(0, 10**38 - 1)))
    plain = oracle.plain_number(f"{draw(st.sampled_from(['', '-']))}{digits}e-{scale}")
    return plain, scale


@given(decimals_of_up_to_38_digits(), OFFSETS)
def test_a_decimal_of_up_to_38_digits_is_stored_exactly(drawn: tuple[str, int], at: int) -> None:
    plain, scale = drawn
    integers, fraction = shape_by_text(plain)
    assume(integers + scale <= 38 and fraction <= scale)
    target = np.full(32, 0xEE, np.uint8)
    text = plain.encode()
    decimal_put(padded(b"1" * at + text + b'"'), at, at + len(text), scale, target)
    assert unscaled(target) == exact(plain, scale)
    assert (target[:3] == 0xEE).all()
    assert (target[19:] == 0xEE).all()


@pytest.mark.parametrize("value", [0, 1, -1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**19, -(10**19), 10**38 - 1])
def test_int64_is_told_from_what_is_beyond_it_to_the_last_unit(value: int) -> None:
    target = np.zeros(32, np.uint8)
    text = str(value).encode()
    assert decimal_put(padded(text + b'"'), 0, len(text), 0, target) is (-(2**63) <= value < 2**63)
    assert unscaled(target) == value
