"""From an observation to the columns. The rule is a function of the merged observation and the options alone.

    S → string        BOOL → bool        B → binary        M, L, SS, NS, BS → string (JSON)
    N → int64 when all are integers within int64; else decimal128(38, s); else string, digit for digit
    several of these in one attribute → string, as `mixed` says
    whatever it has, if it is cast → timestamp, or int64 for `time`: who decodes it refuses what is none

The scale s is the smallest of 0, 2, 4, 6, 9, 18, 28 that holds all decimals while the integer digits fit in front;
else exactly the decimals. Steps keep types the same from day to day, and a sample finds the right one.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping

from converter.errors import SchemaError, UsageError
from converter.options import NAMES_LIMIT, TIME_COLUMN, ConvertOptions
from converter.schema import tags
from converter.schema.added import added_columns
from converter.schema.naming import OURS, name_columns
from converter.schema.observe import AttributeObservation, Observation
from converter.schema.types import Column, Origin, Schema

SCALE_STEPS = (0, 2, 4, 6, 9, 18, 28)
DECIMAL_DIGITS = 38


def number_type(seen: AttributeObservation) -> str:
    """The narrowest exact type for the numbers of one attribute."""
    if seen.decimals == 0 and not seen.beyond_int64:
        return "int64"
    for scale in (*SCALE_STEPS, seen.decimals):
        if scale >= seen.decimals and seen.integer_digits + scale <= DECIMAL_DIGITS:
            return f"decimal128({DECIMAL_DIGITS}, {scale})"
    return "string"


def families(seen: Iterable[int]) -> frozenset[int]:
    """The tags, with M, L and the sets as one family (M): all of them become JSON."""
    return frozenset(tags.M if tag in tags.DOCUMENT_TAGS else tag for tag in seen)


def column_type(seen: AttributeObservation, options: ConvertOptions) -> tuple[str, Origin]:
    """(type, origin) of the column for an attribute that has at least one value."""
    kinds = families(seen.seen)
    if len(kinds) > 1:
        return "string", Origin.MIXED_JSON if options.mixed == "json" else Origin.MIXED_TEXT
    (kind,) = kinds
    if kind == tags.N:
        if options.numbers == "double":
            return "double", Origin.NUMBER
        exact = number_type(seen)
        if options.numbers == "text" or exact == "string":
            return "string", Origin.NUMBER_TEXT
        return exact, Origin.NUMBER
    return {
        tags.S: ("string", Origin.TEXT),
        tags.B: ("binary", Origin.BINARY),
        tags.BOOL: ("bool", Origin.BOOL),
        tags.M: ("string", Origin.JSON),
    }[kind]


def derive_schema(observation: Observation, options: ConvertOptions) -> Schema:
    """The columns for what was observed.

    Raises SchemaError for more attributes than `max_columns` without an overflow column, and for mixed types with
    `mixed="fail"`. Names in `key`, `select` and `exclude` that were not observed are passed over: `check_names`
    judges them when all is observed.
    """
    _check_own_names(options)
    wanted = {name: seen for name, seen in observation.attributes.items() if seen.values and options.wants(name)}
    if len(observation.attributes) > NAMES_LIMIT:
        raise too_many_attributes(observation.attributes, NAMES_LIMIT)
    kept = _kept_attributes(wanted, options)
    keys = [name for name in options.key if name in kept]
    ordered = keys + sorted(kept - set(keys))
    names = name_columns([name for name in ordered if name != options.time], _reserved_names(options))
    columns = [_make_column(attribute, names, wanted[attribute], options) for attribute in ordered]
    if options.mixed == "fail":
        _refuse_mixed(columns, wanted)
    if len(kept) < len(wanted) and options.overflow:
        columns.append(Column(options.overflow, None, "string", Origin.OVERFLOW))
    if columns:
        # The overflow column stands for attributes and goes with them: whether there is one depends on the data. What
        # is added comes behind all of them, and alone it is no schema: of an export without items nothing is known.
        columns += added_columns(options.add_column)
    return Schema(tuple(columns))


def _make_column(
    attribute: str, names: Mapping[str, str], seen: AttributeObservation, options: ConvertOptions
) -> Column:
    if attribute == options.time:
        return Column(TIME_COLUMN, attribute, "int64", Origin.TIME)
    if attribute in dict(options.cast):
        return Column(names[attribute], attribute, dict(options.cast)[attribute], Origin.TIME)
    return Column(names[attribute], attribute, *column_type(seen, options))


def _reserved_names(options: ConvertOptions) -> set[str]:
    """Names that no attribute's column may have, but for those that are ours in any case."""
    reserved = {*options.layout_keys(), *(name for name, _ in options.add_column)}
    if options.overflow:
        reserved.add(options.overflow)
    if options.time is not None:
        reserved.add(TIME_COLUMN)
    return reserved


def too_many_attributes(names: Collection[str], limit: int) -> SchemaError:
    """The error for data in attribute names; the caller may have seen a part of the names only."""
    examples = ", ".join(repr(name) for name in sorted(names)[:3] + sorted(names)[-2:])
    return SchemaError(
        f"{len(names):,} attributes, more than {limit:,}: the names seem to hold data (for example {examples})",
        hint="--overflow _more puts the rarer ones into one JSON column, --select takes the ones you need"
        + ("" if limit >= NAMES_LIMIT else ", --max-columns raises the limit"),
    )


def check_names(observation: Observation, options: ConvertOptions) -> None:
    """Every attribute that the options name must occur; UsageError with near matches otherwise."""
    named = (
        ("--key", options.key),
        ("--select", options.select),
        ("--exclude", options.exclude),
        ("--cast", tuple(name for name, _ in options.cast)),
        ("--time", (options.time,) if options.time is not None else ()),
    )
    for option, names in named:
        for name in names:
            if name not in observation.attributes:
                near = difflib.get_close_matches(name, observation.attributes, n=3, cutoff=0.5)
                known = near or list(observation.attributes)[:5]
                listed = ", ".join(repr(other) for other in known) or "none at all"
                raise UsageError(
                    f"no item has an attribute {name!r}",
                    option,
                    f"did you mean {listed}?" if near else f"the export's attributes begin with {listed}",
                )


def _kept_attributes(wanted: dict[str, AttributeObservation], options: ConvertOptions) -> set[str]:
    """The attributes with a column of their own: all, or the most frequent when an overflow column takes the rest."""
    if len(wanted) <= options.max_columns:
        return set(wanted)
    if not options.overflow:
        raise too_many_attributes(wanted, options.max_columns)
    asked_for = {name for name in (*options.key, *options.times()) if name in wanted}
    others = sorted(set(wanted) - asked_for, key=lambda name: (-wanted[name].values, name))
    room = max(options.max_columns - 1 - len(asked_for), 0)
    return {*asked_for, *others[:room]}


def _refuse_mixed(columns: Iterable[Column], wanted: dict[str, AttributeObservation]) -> None:
    for column in columns:
        if column.origin in (Origin.MIXED_TEXT, Origin.MIXED_JSON) and column.attribute is not None:
            seen = wanted[column.attribute]
            types = ", ".join(f"{tags.TAGS[tag]} in {seen.counts[tag]:,} items" for tag in sorted(seen.seen))
            raise SchemaError(
                f"attribute {column.attribute!r} has several types: {types}",
                hint="--mixed text writes all of them as text, --mixed json as DynamoDB JSON, --exclude leaves it out",
            )


def _check_own_names(options: ConvertOptions) -> None:
    taken = {other.casefold() for other in (*options.layout_keys(), *OURS)}
    taken |= {TIME_COLUMN} if options.time is not None else set()
    given = [("--overflow", options.overflow or "", "use for example _more")]
    given += [("--add-column", name, "choose another name") for name, _ in options.add_column]
    for option, name, way in given:
        if name.casefold() in taken:
            raise UsageError(f"{name!r} is a name that the output needs itself", option, way)
