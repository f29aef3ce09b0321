"""Digits of binary values, beside Python's exact numbers."""

from __future__ import annotations

from decimal import Context, Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from converter.kernels.encode.number_text import put_integer, put_scaled
from converter.kernels.toolchain.decorators import kernel
from tests.unit.decode.decoding import Bytes

_EXACT = Context(prec=50)
_ROOM = 98
_LEAST = -(2**63)


@kernel
def integer_put(data: Bytes, at: int, out: Bytes, o: int) -> int:
    return put_integer(data, at, out, o)


@kernel
def scaled_put(data: Bytes, at: int, scale: int, out: Bytes, o: int) -> int:
    return put_scaled(data, at, scale, out, o)


def digits_of(value: int, scale: int | None, at: int = 0) -> str:
    """What the kernel writes for an int64, or for a decimal of this scale."""
    size = 8 if scale is None else 16
    data = np.zeros(at + size + 64, np.uint8)
    data[at : at + size] = np.frombuffer(value.to_bytes(size, "little", signed=True), np.uint8)
    out = np.full(at + _ROOM + 64, 0xEE, np.uint8)
    end = integer_put(data, at, out, at) if scale is None else scaled_put(data, at, scale, out, at)
    assert (out[:at] == 0xEE).all()
    assert (out[at + _ROOM :] == 0xEE).all()
    return out[at:end].tobytes().decode()


def plain_form(value: int, scale: int) -> str:
    text = format(Decimal(value).scaleb(-scale, _EXACT), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def sizes(most: int) -> st.SearchStrategy[int]:
    """Numbers of up to so many digits, each size as likely."""
    return st.integers(1, most).flatmap(lambda digits: st.integers(1 - 10**digits, 10**digits - 1))


@given(st.one_of(st.integers(_LEAST, -_LEAST - 1), sizes(18)), st.integers(0, 9))
@example(_LEAST, 0)
@example(-_LEAST - 1, 1)
def test_an_integer_has_its_digits(value: int, at: int) -> None:
    assert digits_of(value, None, at) == str(value)


@pytest.mark.parametrize("scale", [None, 0])
def test_integers_around_each_power_of_ten_have_their_digits(scale: int | None) -> None:
    powers = [10**exponent for exponent in range(19 if scale is None else 38)]
    for value in (0, *(sign * (power + more) for power in powers for more in (-1, 0, 1) for sign in (1, -1))):
        assert digits_of(value, scale) == str(value)


@given(sizes(38), st.integers(0, 38), st.integers(0, 9))
def test_a_decimal_has_its_plain_form(value: int, scale: int, at: int) -> None:
    assert digits_of(value, scale, at) == plain_form(value, scale)


@given(sizes(20), st.integers(0, 18), st.integers(0, 18))
def test_a_decimal_has_no_zeros_at_its_end(value: int, zeros: int, scale: int) -> None:
    assert digits_of(value * 10**zeros, scale) == plain_form(value * 10**zeros, scale)


def test_a_decimal_of_every_scale_has_its_plain_form() -> None:
    for scale in range(39):
        for exponent in range(38):
            for value in (10**exponent, 10**exponent - 1, 10**exponent + 10 ** (exponent // 2), 2**64, 2**64 - 1):
                assert digits_of(value, scale) == plain_form(value, scale)
                assert digits_of(-value, scale) == plain_form(-value, scale)
