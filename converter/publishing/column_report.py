"""The figures of columns and attributes in reports, and warnings about contents that a reader would not expect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from converter.decode.odd_times import NO_ODD_TIMES, OddTimesSeen
from converter.name_policies import NAME_POLICIES
from converter.options import ConvertOptions
from converter.publishing.report import ColumnReport
from converter.publishing.times_report import describe_times
from converter.schema.change_columns import OLD, OLD_COLUMN
from converter.schema.column_types import Origin, parse_type
from converter.schema.columns import Schema
from converter.schema.derive import families
from converter.schema.naming import NameRules, case_duplicates, legal_name, whole_name
from converter.schema.observe import AttributeObservation, Observation
from converter.schema.tags import TAGS, tag_counts

_MIXED = (Origin.MIXED_TEXT, Origin.MIXED_JSON)
_TEXTS = (Origin.TEXT, Origin.MIXED_TEXT)
# More names than these are for programs to look at.
_NAMES_LISTED = 20


def types_seen(seen: AttributeObservation) -> dict[str, int]:
    """Items per type tag, those that occur."""
    return {tag: count for tag, count in zip(TAGS, seen.counts, strict=True) if count}


def describe_columns(
    schema: Schema, observation: Observation, changed: Mapping[str, int], times: OddTimesSeen = NO_ODD_TIMES
) -> tuple[ColumnReport, ...]:
    """Each column with what was seen of its attribute; `changed` counts rounded values by column."""
    reports = []
    for column in schema.columns:
        seen = AttributeObservation()
        if column.attribute is not None:
            seen = observation.attributes.get(column.attribute, seen)
        reports.append(
            ColumnReport(
                name=column.name,
                attribute=column.attribute,
                type=str(column.type),
                origin=column.origin,
                types=types_seen(seen),
                nulls=seen.nulls,
                absent=observation.items - sum(seen.counts) if column.attribute is not None else 0,
                integer_digits=seen.integer_digits,
                decimals=seen.decimals,
                longest=seen.longest,
                changed=changed.get(column.name, 0),
                nuls=seen.nuls if column.origin in _TEXTS else 0,
                times=describe_times(column, times, seen),
            )
        )
    return tuple(reports)


def schema_warnings(columns: Iterable[ColumnReport]) -> list[str]:
    """Columns that don't hold what one would expect."""
    warnings = []
    for column in columns:
        if column.times is not None:
            warnings += column.times.warnings(column.name, parse_type(column.type))
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


def name_warnings(columns: Sequence[ColumnReport], rules: NameRules) -> list[str]:
    """Columns that are called neither as the user said nor as the policy would call them, or are cut short."""
    owners = {column.name.casefold(): column.attribute for column in columns}
    asked = dict(rules.renames)
    warnings = []
    for column in columns:
        if column.attribute is None or column.name in (column.attribute, asked.get(column.attribute)):
            continue
        reason = _name_reason(column.attribute, column.name, rules, owners)
        if reason:
            warnings.append(f"attribute {column.attribute!r} is in column {column.name!r}: {reason}")
    if len(warnings) > _NAMES_LISTED:
        more = len(warnings) - _NAMES_LISTED
        warnings[_NAMES_LISTED:] = [f"and {more:,} more such names: the report (--json) has those of all columns"]
    return warnings


def _name_reason(attribute: str, name: str, rules: NameRules, owners: Mapping[str, str | None]) -> str:
    """Return why the attribute's column has this name; empty if the policy's rule says it all."""
    wanted = legal_name(attribute, rules.policy)
    if name == wanted:
        return "" if wanted == whole_name(attribute, rules.policy) else f"cut to {len(wanted)} characters"
    if wanted in NAME_POLICIES[rules.policy].reserved:
        return f"{wanted!r} is reserved by --names {rules.policy}, and --rename gives it another name"
    if wanted.casefold() in rules.kept_free():
        return f"{wanted!r} is the name of a folder key or of a reserved column"
    owner = owners.get(wanted.casefold())
    if owner is not None and owner != attribute:
        return f"{wanted!r} is the column of {owner!r}"
    renamed = next((other for other, column in rules.renames if column.casefold() == wanted.casefold()), None)
    if renamed is not None and renamed != attribute:
        return f"{wanted!r} is kept for {renamed!r}"
    return "the destination has called it so before"


def unknown_warnings(observation: Observation) -> list[str]:
    """Members of lines that are not known."""
    warnings = [
        f"lines have a member that is not known and was left out: {path} (first in {place})"
        for path, (_, place) in observation.unknown.items()
    ]
    if len(warnings) > _NAMES_LISTED:
        more = len(warnings) - _NAMES_LISTED
        warnings[_NAMES_LISTED:] = [f"and {more:,} more such members: is this an export of DynamoDB's?"]
    return warnings


def observation_warnings(observation: Observation, schema: Schema, options: ConvertOptions) -> list[str]:
    """Unknown members, and attributes with several types, without any, alike but for case, or that overflow."""
    warnings = unknown_warnings(observation)
    columns = {column.attribute: column for column in schema.columns}
    for name, seen in observation.attributes.items():
        column = columns.get(name)
        if column is None:
            continue
        if column.origin in _MIXED and len(families(seen.seen)) > 1:
            counts = types_seen(seen)
            types = tag_counts({tag: count for tag, count in counts.items() if tag != "NULL"})
            form = "DynamoDB JSON" if column.origin is Origin.MIXED_JSON else "text"
            warnings.append(f"attribute {name!r} has several types ({types}): all its values are written as {form}")
        if seen.nuls and column.origin in _TEXTS and options.names == "treasure-data" and options.nul == "keep":
            texts = "text holds" if seen.nuls == 1 else "texts hold"
            warnings.append(
                f"column {column.name!r}: {seen.nuls:,} {texts} the character NUL, at which Treasure Data may cut a"
                " text: --nul drop or --nul replace removes it"
            )
        if seen.binary_inside and column.origin is not Origin.MIXED_JSON:
            warnings.append(f"column {column.name!r} holds binary values inside its JSON: there they are base64 text")
    old = observation.facts.get(OLD)
    if options.old_image and old is not None and old.binary_inside:
        warnings.append(f"column {OLD_COLUMN!r} holds binary values inside its JSON: there they are base64 text")
    for name, seen in observation.attributes.items():
        if not seen.values and name not in columns and schema.overflow is None and options.wants(name):
            warnings.append(f"attribute {name!r} is only ever NULL ({seen.nulls:,} times) and has no column")
    for twins in case_duplicates(column.name for column in schema.columns):
        listed = " and ".join(repr(name) for name in twins)
        warnings.append(f"columns {listed} differ in case only: some readers mistake one for the other")
    if schema.overflow is not None:
        warnings.append(f"column {schema.overflow.name!r} holds, as JSON, the attributes without a column of their own")
    return warnings
