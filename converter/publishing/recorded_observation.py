"""Observations of rows that were published earlier, as far as a record and the rows tell what was seen."""

from __future__ import annotations

from converter.publishing.record import Record
from converter.publishing.report import ColumnReport
from converter.schema import tags
from converter.schema.column_types import INT64
from converter.schema.columns import Column
from converter.schema.observe import AttributeObservation, Observation


def recorded_observation(record: Record) -> Observation:
    """Return what the columns may hold, by the record: no row is read."""
    reports = {report.name: report for report in record.report.columns}
    seen = {}
    for column in record.columns:
        report = reports.get(column.name)
        values = sum(report.types.values()) - report.nulls if report is not None else 0
        if column.attribute is not None and report is not None and values:
            seen[column.attribute] = observe_column(column, report, values, report.longest)
    return Observation(record.report.items, seen)


def observe_column(column: Column, report: ColumnReport, values: int, longest: int) -> AttributeObservation:
    """Return what is known of some values of a column. Their types are known only if all values had the same one.

    The digits are the most that any published value has. longest: bytes of the longest value.
    """
    kinds = [tags.TAGS.index(tag) for tag in report.types if tag != "NULL"] or [tags.S]
    counts = [0] * len(tags.TAGS)
    # If there are several, each counts once, and the first one has all values whose type is not known.
    for kind in kinds[1:values]:
        counts[kind] = 1
    counts[kinds[0]] = values - sum(counts)
    return AttributeObservation(
        tuple(counts),
        integer_digits=report.integer_digits,
        decimals=report.decimals,
        beyond_int64=tags.N in kinds and column.type != INT64 and report.integer_digits >= 19,
        longest=longest,
    )
