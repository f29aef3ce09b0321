"""What reports tell of columns and attributes: figures, and warnings about what a reader would not expect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from converter.options import ConvertOptions
from converter.run.report import ColumnReport
from converter.schema.naming import case_twins
from converter.schema.observe import AttributeObservation, Observation
from converter.schema.tags import TAGS
from converter.schema.types import Origin, Schema

_MIXED = (Origin.MIXED_TEXT, Origin.MIXED_JSON)


def types_seen(seen: AttributeObservation) -> dict[str, int]:
    """Items per type tag, those that occur."""
    return {tag: count for tag, count in zip(TAGS, seen.counts, strict=True) if count}


def describe_columns(schema: Schema, observation: Observation, changed: Mapping[str, int]) -> tuple[ColumnReport, ...]:
    """Each column with what was seen of its attribute; `changed` counts rounded values by column."""
    reports = []
    for column in schema.columns:
        seen = AttributeObservation()
        if column.attribute is not None:
            seen = observation.attributes[column.attribute]
        reports.append(
            ColumnReport(
                name=column.name,
                attribute=column.attribute,
                type=column.type,
                origin=column.origin,
                types=types_seen(seen),
                nulls=seen.nulls,
                absent=observation.items - sum(seen.counts) if column.attribute is not None else 0,
                integer_digits=seen.integer_digits,
                decimals=seen.decimals,
                longest=seen.longest,
                changed=changed.get(column.name, 0),
            )
        )
    return tuple(reports)


def _is_unix_time(column: ColumnReport) -> bool:
    return column.origin is Origin.TIME and column.type == "int64"


def schema_warnings(columns: Iterable[ColumnReport]) -> list[str]:
    """Columns that don't hold what one would expect."""
    warnings = []
    for column in columns:
        if column.attribute is not None and column.name != column.attribute and not _is_unix_time(column):
            warnings.append(
                f"attribute {column.attribute!r} is in column {column.name!r}: its own name stands for something else,"
                " a folder's key or a column of ours"
            )
        if column.changed and column.origin is Origin.TIME:
            warnings.append(
                f"column {column.name!r}: {column.changed:,} times are cut to the second below,"
                " because Unix seconds hold no more"
            )
        elif column.changed:
            warnings.append(
                f"column {column.name!r}: {column.changed:,} numbers are rounded, because doubles hold no more"
            )
        if column.origin is Origin.NUMBER_TEXT and column.integer_digits + column.decimals > 38:
            warnings.append(
                f"column {column.name!r} holds its numbers as text: up to {column.integer_digits} integer digits and"
                f" {column.decimals} decimals don't fit decimal128(38)"
            )
    return warnings


def observation_warnings(observation: Observation, schema: Schema, options: ConvertOptions) -> list[str]:
    """Attributes with several types, without any, or that differ in case only; and those in the overflow column."""
    warnings = []
    columns = {column.attribute: column for column in schema.columns if column.attribute is not None}
    for name, column in columns.items():
        if column.origin in _MIXED:
            counts = types_seen(observation.attributes[name])
            types = ", ".join(f"{tag} in {count:,}" for tag, count in counts.items() if tag != "NULL")
            form = "DynamoDB JSON" if column.origin is Origin.MIXED_JSON else "text"
            warnings.append(
                f"attribute {name!r} has several types ({types} items): all its values are written as {form}"
            )
        if observation.attributes[name].binary_inside and column.origin is not Origin.MIXED_JSON:
            warnings.append(f"column {column.name!r} holds binary values inside its JSON: there they are base64 text")
    for name, seen in observation.attributes.items():
        if not seen.values and schema.overflow is None and options.wants(name):
            warnings.append(f"attribute {name!r} is only ever NULL ({seen.nulls:,} times) and has no column")
    for twins in case_twins(column.name for column in schema.columns):
        listed = " and ".join(repr(name) for name in twins)
        warnings.append(f"columns {listed} differ in case only: some readers take them for one")
    if schema.overflow is not None:
        warnings.append(f"column {schema.overflow.name!r} holds, as JSON, the attributes without a column of their own")
    return warnings
