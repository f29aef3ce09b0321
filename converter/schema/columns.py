"""Columns and schemas. The rule from observations to columns is in `derive.py`, the types in `column_types.py`."""

from __future__ import annotations

from dataclasses import dataclass

from converter.schema.column_types import DOUBLE, INT64, STRING, TIMESTAMP, Cast, ColumnType, Origin
from converter.time_options import Unit


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the output.

    attribute: DynamoDB's name, None for a column of no single attribute (overflow, added, change).
    type: the same for every format; CSV writes each type as text.
    unit: of times, the unit of the numbers among them; None if there are only zeros, and for other columns.
    """

    name: str
    attribute: str | None
    type: ColumnType
    origin: Origin
    unit: Unit | None = None

    def to_json(self) -> dict[str, object]:
        """Return the column as records and reports have it; only times have a unit."""
        unit = {} if self.unit is None else {"unit": self.unit}
        return {"name": self.name, "attribute": self.attribute, "type": str(self.type), "origin": self.origin, **unit}

    @property
    def described(self) -> str:
        """Type and origin, as people read them: `int64`, `string (number as text)`, `timestamp(ms)`."""
        if self.unit is not None:
            return str(Cast(self.type, self.unit)) if self.type.has_units else f"{self.type} from {self.unit}"
        return f"{self.type} ({self.origin})" if self.type == STRING else str(self.type)

    @property
    def read_as(self) -> ColumnType:
        """Return the type that the decoder reads values as: of Unix seconds, they are timestamps."""
        return TIMESTAMP if self.holds_unix_time else self.type

    @property
    def holds_unix_time(self) -> bool:
        """True for the column `time`: Unix seconds."""
        return self.origin is Origin.TIME and self.type == INT64

    def has_form_of(self, other: Column) -> bool:
        """Return whether both columns have the same type and origin."""
        return (self.type, self.origin) == (other.type, other.origin)


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns in their order."""

    columns: tuple[Column, ...]

    @property
    def overflow(self) -> Column | None:
        """The column of all attributes without one of their own."""
        place = self.overflow_place
        return place[1] if place else None

    @property
    def overflow_place(self) -> tuple[int, Column] | None:
        """The number of that column, counted from 1, and the column."""
        return next(((n, c) for n, c in enumerate(self.columns, 1) if c.origin is Origin.OVERFLOW), None)

    def written_as(self, *, text: bool) -> tuple[tuple[str, str | None, str, str, str | None], ...]:
        """The properties of the columns that decide the bytes of a part.

        text: in CSV, where exact numbers are digits, whatever their type.
        """
        written = []
        for column in self.columns:
            kind, origin = str(column.type), column.origin
            if text and origin in (Origin.NUMBER, Origin.NUMBER_TEXT) and column.type != DOUBLE:
                kind, origin = "digits", Origin.NUMBER
            written.append((column.name, column.attribute, kind, origin.value, column.unit))
        return tuple(written)
