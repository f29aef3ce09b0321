"""Columns: what an attribute becomes. The rule from observation to type is in `derive.py`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from converter.time_options import CAST_TYPE, Unit, cast_with

DECIMAL_DIGITS: Final = 38
"""Digits of every decimal column, the most that a DynamoDB number has."""


COLUMN_TYPE: Final = re.compile(
    r"string|int64|double|binary|bool|timestamp|decimal128\(38, (?:[0-9]|[12][0-9]|3[0-8])\)", re.ASCII
)
"""Every type that a column can have."""


class Origin(StrEnum):
    """What a column's values were in DynamoDB: two string columns of different origin don't mean the same."""

    TEXT = "text"
    NUMBER = "number"
    NUMBER_TEXT = "number as text"
    BINARY = "binary"
    BOOL = "bool"
    JSON = "json"
    MIXED_TEXT = "mixed as text"
    MIXED_JSON = "mixed as json"
    OVERFLOW = "overflow"
    TIME = "time"
    """A moment, from ISO-8601 text or a Unix time: whichever it was, it is the same moment."""
    ADDED = "added"
    """A fact of the export, the same in every row."""
    CHANGE = "change"
    """What an incremental export says of a change: the operation, the time, the item before."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the output.

    attribute: DynamoDB's name, None for a column that stands for no single attribute (overflow, added, change).
    type: string | int64 | decimal128(38, S) | double | binary | bool | timestamp (microseconds, UTC), whatever the
          format; CSV writes each of them as text.
    unit: of times, what the numbers among them count; None where there are none but zeros, and for other columns.
    """

    name: str
    attribute: str | None
    type: str
    origin: Origin
    unit: Unit | None = None

    @property
    def described(self) -> str:
        """Type and origin, as people read them: `int64`, `string (number as text)`, `timestamp(ms)`."""
        if self.unit is not None:
            return cast_with(self.unit) if self.type == CAST_TYPE else f"{self.type} from {self.unit}"
        return f"{self.type} ({self.origin})" if self.type == "string" else self.type

    @property
    def scale(self) -> int:
        """Decimals of a decimal128 column, 0 for every other."""
        return int(self.type.rsplit(",", 1)[1].rstrip(") ")) if self.type.startswith("decimal128") else 0


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns in their order."""

    columns: tuple[Column, ...]

    @property
    def overflow(self) -> Column | None:
        """The column that takes the attributes which have none of their own."""
        place = self.overflow_place
        return place[1] if place else None

    @property
    def overflow_place(self) -> tuple[int, Column] | None:
        """The number of that column, 1 being the first, and the column."""
        return next(((n, c) for n, c in enumerate(self.columns, 1) if c.origin is Origin.OVERFLOW), None)

    def written_as(self, *, text: bool) -> tuple[tuple[str, str | None, str, str, str | None], ...]:
        """What of the columns decides the bytes of a part: in CSV (`text`) exact numbers are digits, of any type."""
        written = []
        for column in self.columns:
            kind, origin = column.type, column.origin
            if text and origin in (Origin.NUMBER, Origin.NUMBER_TEXT) and kind != "double":
                kind, origin = "digits", Origin.NUMBER
            written.append((column.name, column.attribute, kind, origin.value, column.unit))
        return tuple(written)
