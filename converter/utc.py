"""Times in UTC as texts, in the form that DynamoDB writes them in: `2023-11-27T06:11:47.109Z`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Literal

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def format_utc(time: datetime, timespec: Literal["seconds", "milliseconds", "microseconds"] = "milliseconds") -> str:
    """Return the time in UTC; what is finer than `timespec` is cut."""
    return time.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def short_utc(time: datetime) -> str:
    """Return the time in UTC: `2026-11-27T23:59:59Z`, or with milliseconds if it has a fraction of a second."""
    return format_utc(time, "milliseconds" if time.microsecond else "seconds")
