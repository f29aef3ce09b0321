"""Options of times: the unit of numbers, and the treatment of values that are not times."""

from __future__ import annotations

from typing import Final, Literal, get_args

Unit = Literal["s", "ms", "us", "ns"]
"""Unit of a Unix time: seconds, milliseconds, microseconds or nanoseconds since 1970."""
UNITS: Final[tuple[Unit, ...]] = get_args(Unit)
UNIT_NAMES: Final[dict[Unit, str]] = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}

TimeDefault = Literal["export_time", "fail"]
OnBadTime = Literal["fail", "null"]
OnFineTime = Literal["fail", "truncate"]


def parse_unit(text: str) -> Unit:
    """Return a unit by its name. Raises ValueError."""
    if text not in UNITS:
        raise ValueError(f"{text!r} is not a unit of time")
    return text
