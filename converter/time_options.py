"""Choices about times: in which unit a number counts, and what becomes of values that are not times."""

from __future__ import annotations

from typing import Final, Literal, cast, get_args

Unit = Literal["s", "ms", "us", "ns"]
"""What a Unix time counts since 1970: seconds, milliseconds, microseconds or nanoseconds."""
UNITS: Final[tuple[Unit, ...]] = get_args(Unit)
UNIT_NAMES: Final[dict[Unit, str]] = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}

TimeDefault = Literal["export_time", "fail"]
OnBadTime = Literal["fail", "null"]
OnFineTime = Literal["fail", "truncate"]

CAST_TYPE: Final = "timestamp"
CASTS: Final = (CAST_TYPE, *(f"{CAST_TYPE}({unit})" for unit in UNITS))
"""The types that --cast takes."""


def unit_of_cast(cast_type: str) -> Unit | None:
    """The unit in `timestamp(ms)`; None for `timestamp` alone."""
    return cast(Unit, cast_type[len(CAST_TYPE) + 1 : -1]) if cast_type in CASTS[1:] else None


def parse_unit(text: str) -> Unit:
    """A unit by its name. Raises ValueError."""
    if text not in UNITS:
        raise ValueError(f"{text!r} is not a unit of time")
    return text


def cast_with(unit: str | None) -> str:
    """`timestamp(ms)`, or `timestamp` alone."""
    return CAST_TYPE if unit is None else f"{CAST_TYPE}({unit})"
