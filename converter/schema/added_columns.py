"""Columns with the same value in every row: facts of the export, which a file alone does not show."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from converter.schema.column_types import INT64, STRING, TIMESTAMP, Origin
from converter.schema.columns import Column
from converter.utc import EPOCH, format_utc

AddedValue = int | str
"""Microseconds since 1970 in UTC for a timestamp, the number for an int64, and otherwise the text."""

TYPES = {"export_time": TIMESTAMP, "export_id": STRING, "date": STRING, "unix_time": INT64}
"""The type of the column for each fact of options.ADDED."""


def added_columns(wanted: Iterable[tuple[str, str]]) -> list[Column]:
    """The columns of (name, fact) pairs, in their order."""
    return [Column(name, None, TYPES[fact], Origin.ADDED) for name, fact in wanted]


def added_values(
    wanted: Iterable[tuple[str, str]], *, export_id: str, instant: datetime, date: str
) -> dict[str, AddedValue]:
    """The values of the columns of (name, fact) pairs, by name. instant: the export's time; date: its day as text."""
    microseconds = (instant - EPOCH) // timedelta(microseconds=1)
    facts: dict[str, AddedValue] = {
        "export_time": microseconds,
        "export_id": export_id,
        "date": date,
        "unix_time": unix_seconds(instant),
    }
    return {name: facts[fact] for name, fact in wanted}


def unix_seconds(instant: datetime) -> int:
    """Whole seconds since 1970."""
    return (instant - EPOCH) // timedelta(seconds=1)


def added_text(column: Column, value: AddedValue) -> str:
    """A value as CSV writes it."""
    if column.type == TIMESTAMP and isinstance(value, int):
        instant = EPOCH + timedelta(microseconds=value)
        return format_utc(instant, "microseconds")
    return str(value)
