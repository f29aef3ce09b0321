"""The columns that several records have together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from converter.errors import SchemaError
from converter.publishing.record_entry import RecordEntry, distinct, most_digits
from converter.schema.column_types import DECIMAL_DIGITS, DECIMALS, DOUBLE, Origin
from converter.schema.columns import Column


def common_columns(entries: Sequence[RecordEntry]) -> list[Column]:
    """The columns of all records, those that were published last first; types are widened only where no digit is lost.

    Raises SchemaError for a column that means different things in two records.
    """
    digits = most_digits(entries)
    columns: dict[str, Column] = {}
    last_first = sorted(entries, key=lambda entry: (entry.sequence, entry.export_micros), reverse=True)
    for entry in distinct(last_first, "columns"):
        for column in entry.columns:
            before = columns.setdefault(column.name, column)
            if column.has_form_of(before):
                continue
            wider = _wider(before, column, digits.get(column.name, (0, 0))[0])
            if wider is None:
                raise SchemaError(
                    f"column {column.name!r} is {column.type} ({column.origin}) in export {entry.export_id} of"
                    f" {entry.date}, and {before.type} ({before.origin}) in a later one",
                    hint="read the dates one by one, or publish them again with options that give the same types",
                )
            columns[column.name] = wider
    return list(columns.values())


def _wider(one: Column, other: Column, integer_digits: int) -> Column | None:
    """A decimal column that holds the numbers of both exactly; None if there is none."""
    exact = all(c.origin is Origin.NUMBER and c.type != DOUBLE for c in (one, other))
    scale = max(one.type.scale, other.type.scale)
    if not exact or integer_digits + scale > DECIMAL_DIGITS:
        return None
    return replace(one, type=DECIMALS[scale])
