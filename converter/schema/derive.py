"""From an observation and promises to the columns: a function of these and of the options alone.

    S → string        BOOL → bool        B → binary        M, L, SS, NS, BS → string (JSON)
    N → int64 if all are integers within int64; otherwise decimal128(38, s), or string if that holds too few digits
    several of these in one attribute → string, by `mixed`
    any of these with a cast → timestamp or date, or int64 for `time`: the decoder refuses other values

The scale s is the smallest of 0, 2, 4, 6, 9, 18, 28 that holds all decimals and leaves room for the integer digits;
otherwise exactly the decimals. Steps keep types the same from day to day, and a sample finds the right one.

The facts of a change (change_columns.py) come before the attributes, and the old item after them.

Promised columns (contract.py) come first, as they are promised; the rule decides about all others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from converter.errors import SchemaError, UsageError
from converter.options import NAMES_BYTES_LIMIT, NAMES_LIMIT, TIME_COLUMN, ConvertOptions, Numbers
from converter.schema import tags
from converter.schema.added_columns import added_columns
from converter.schema.change_columns import leading_columns, trailing_columns
from converter.schema.column_types import DECIMAL_DIGITS, DECIMALS, DOUBLE, INT64, OF_TAG, STRING, ColumnType, Origin
from converter.schema.columns import Column, Schema
from converter.schema.contract import NOTHING_PROMISED, Break, Contract, Promise, broken_promise_error, combined, holds
from converter.schema.naming import NameRules, name_columns
from converter.schema.observe import AttributeObservation, Observation
from converter.schema.units import UnitError, choose_unit

SCALE_STEPS = (0, 2, 4, 6, 9, 18, 28)

_SHOWN = 80
"""Characters of a name in an example."""


def number_type(seen: AttributeObservation) -> ColumnType:
    """The narrowest exact type for the numbers of one attribute."""
    if seen.decimals == 0 and not seen.beyond_int64:
        return INT64
    for scale in (*SCALE_STEPS, seen.decimals):
        if scale >= seen.decimals and seen.integer_digits + scale <= DECIMAL_DIGITS:
            return DECIMALS[scale]
    return STRING


def families(seen: Iterable[int]) -> frozenset[int]:
    """The tags, with M, L and the sets as one family (M): all of them become JSON."""
    return frozenset(tags.M if tag in tags.DOCUMENT_TAGS else tag for tag in seen)


def column_type(
    seen: AttributeObservation, options: ConvertOptions, numbers: Numbers | None = None
) -> tuple[ColumnType, Origin]:
    """(type, origin) of the column for an attribute with a value. numbers: replaces the option."""
    kinds = families(seen.seen)
    if len(kinds) > 1:
        return _mixed_type(options)
    (kind,) = kinds
    if kind == tags.N:
        numbers = numbers or options.numbers
        if numbers == "double":
            return DOUBLE, Origin.NUMBER
        exact = number_type(seen)
        if numbers == "text" or exact == STRING:
            return STRING, Origin.NUMBER_TEXT
        return exact, Origin.NUMBER
    return OF_TAG[kind]


def _mixed_type(options: ConvertOptions) -> tuple[ColumnType, Origin]:
    return STRING, Origin.MIXED_JSON if options.mixed == "json" else Origin.MIXED_TEXT


def derive_schema(observation: Observation, options: ConvertOptions, contract: Contract = NOTHING_PROMISED) -> Schema:
    """Return the columns for an observation.

    Raises SchemaError for more attributes than `max_columns` without an overflow column, for mixed types with
    `mixed="fail"`, and for a broken promise. An attribute of the options that was not observed has no column;
    only that of `time` has one, which is then null.
    """
    schema, breaks = fit_schema(observation, options, contract)
    if breaks:
        raise broken_promise_error(breaks, observation, contract)
    return schema


def fit_schema(
    observation: Observation, options: ConvertOptions, contract: Contract = NOTHING_PROMISED, *, partial: bool = False
) -> tuple[Schema, tuple[Break, ...]]:
    """Return the columns for an observation, and the promises that they break: they are wide enough for both.

    partial: not everything has been observed, and a unit of time may stay unknown. Otherwise that raises UnitError.
    """
    wanted = {name: seen for name, seen in observation.attributes.items() if seen.values and options.wants(name)}
    own = not contract.has_overflow or options.time in contract.attributes | contract.never_overflowed
    if options.time is not None and observation.items and own:
        wanted.setdefault(options.time, AttributeObservation())
    _check_against(contract, options, wanted)
    if len(observation.attributes) > NAMES_LIMIT:
        raise too_many_attributes_error(observation.attributes, NAMES_LIMIT)
    if sum(map(len, observation.attributes)) > NAMES_BYTES_LIMIT:
        raise too_long_names_error(observation.attributes)
    if options.mixed == "fail":
        _refuse_mixed({name: seen for name, seen in wanted.items() if name not in options.times()})
    promised = [promise for promise in contract.promises if promise.type or promise.attribute in wanted]
    of_attributes = sum(promise.origin not in (Origin.ADDED, Origin.CHANGE) for promise in promised)
    kept = _new_attributes(wanted, options, contract, of_attributes)
    keys = [name for name in options.key if name in kept]
    ordered = keys + sorted(kept - set(keys))
    names = name_columns([*contract.unnamed, *ordered], name_rules(options, contract), contract.named)
    columns, breaks = _promised_columns(promised, wanted, options, names)
    ours = [column.name for column in columns if column.origin is Origin.CHANGE]
    if observation.facts:
        columns = leading_columns(ours) + columns
    columns += [make_column(attribute, names[attribute], wanted[attribute], options) for attribute in ordered]
    columns = [_with_unit(column, wanted, options, contract, partial=partial) for column in columns]
    if options.overflow and not contract.has_overflow and len(kept) < len(wanted.keys() - contract.attributes):
        columns.append(Column(options.overflow, None, STRING, Origin.OVERFLOW))
    if observation.facts:
        columns += trailing_columns(ours, old_image=options.old_image)
    if columns:
        # The overflow column holds attributes and comes with them: whether there is one depends on the data. Added
        # columns come after all of them. Alone they are not a schema: of an export without items nothing is known.
        columns += [column for column in added_columns(options.add_column) if column not in columns]
    return Schema(tuple(columns)), breaks


def make_column(
    attribute: str, name: str, seen: AttributeObservation, options: ConvertOptions, numbers: Numbers | None = None
) -> Column:
    """Return the column for an attribute with a value. numbers: replaces the option."""
    if attribute == options.time:
        return Column(name, attribute, INT64, Origin.TIME)
    if attribute in (casts := options.times()):
        return Column(name, attribute, casts[attribute].type, Origin.TIME)
    return Column(name, attribute, *column_type(seen, options, numbers))


def _with_unit(
    column: Column,
    wanted: Mapping[str, AttributeObservation],
    options: ConvertOptions,
    contract: Contract,
    *,
    partial: bool,
) -> Column:
    """Return a column of times with the unit of its numbers: given, promised, or found in the numbers."""
    if column.origin is not Origin.TIME or column.attribute is None or not column.read_as.has_units:
        return column
    promised = next((promise.unit for promise in contract.promises if promise.attribute == column.attribute), None)
    given = options.times()[column.attribute].unit if column.attribute in options.times() else None
    seen = wanted.get(column.attribute, AttributeObservation())
    try:
        return replace(column, unit=given or choose_unit(column, seen.magnitudes, promised))
    except UnitError:
        if not partial:
            raise
        return replace(column, unit=promised)


def _promised_columns(
    promises: Iterable[Promise],
    wanted: dict[str, AttributeObservation],
    options: ConvertOptions,
    names: Mapping[str, str],
) -> tuple[list[Column], tuple[Break, ...]]:
    """Return the promised columns, wider if they can't hold their values, and the ones that are wider."""
    columns, breaks = [], []
    for unnamed in promises:
        promise = unnamed if unnamed.name is not None else replace(unnamed, name=names[unnamed.attribute or ""])
        column = promise.column
        seen = wanted.get(promise.attribute) if promise.attribute is not None else None
        if seen is not None:
            needed = _needed(promise, seen, options)
            if column is not None and not column.has_form_of(needed):
                breaks.append(Break(column, needed))
            column = needed
        if column is not None:
            columns.append(column)
    return columns, tuple(breaks)


def _needed(promise: Promise, seen: AttributeObservation, options: ConvertOptions) -> Column:
    """Return the promised column if it holds its values and the options agree; otherwise a wider one."""
    column, numbers = promise.column, promise.numbers or options.numbers
    kinds = families(seen.seen)
    fresh = make_column(promise.attribute or "", promise.name or "", combined(promise, seen), options, promise.numbers)
    if column is None or fresh.origin is Origin.TIME:
        # The decoder decides whether the values are times.
        return fresh
    asked = (numbers == "double" and column.type != DOUBLE) or (numbers == "text" and column.origin is Origin.NUMBER)
    numeric = column.origin in (Origin.NUMBER, Origin.NUMBER_TEXT)
    if holds(column, seen, kinds) and not (numeric and asked):
        if fresh.origin is Origin.MIXED_JSON and column.origin is Origin.MIXED_TEXT:
            return fresh
        return column
    if numeric and kinds == {tags.N}:
        return fresh
    type_, origin = _mixed_type(options)
    return replace(column, type=type_, origin=origin)


def name_rules(options: ConvertOptions, contract: Contract = NOTHING_PROMISED) -> NameRules:
    """Return the rules for names with these options, beside promised columns of no attribute."""
    reserved = {*options.layout_keys(), *(name for name, _ in options.add_column)}
    reserved |= {options.overflow} if options.overflow else set()
    reserved |= {promise.name for promise in contract.promises if promise.attribute is None and promise.name}
    times = ((options.time, TIME_COLUMN),) if options.time is not None else ()
    return NameRules(options.names, (*options.rename, *times), frozenset(reserved))


def _check_against(contract: Contract, options: ConvertOptions, wanted: Collection[str]) -> None:
    """Raise UsageError for options that contradict promised columns."""
    owners = {promise.name.casefold(): promise for promise in contract.promises if promise.name is not None}
    for column in added_columns(options.add_column):
        promise = owners.get(column.name.casefold())
        if promise is not None and promise.column != column:
            held = f"attribute {promise.attribute!r}" if promise.attribute is not None else "something else"
            raise UsageError(
                f"{column.name!r} can't be added: a column of that name holds {held} ({contract.where})",
                "--add-column",
                "choose another name",
            )
    for key in options.layout_keys():
        if key.casefold() in owners:
            raise UsageError(
                f"there is a column {owners[key.casefold()].name!r} ({contract.where}), and readers drop the column"
                f" where folders are called {key}=…",
                "--layout",
                "choose another name for the folders, or another DEST",
            )
    for name in options.times() if contract.has_overflow else ():
        if name in wanted and name not in contract.attributes | contract.never_overflowed:
            raise UsageError(
                f"{name!r} has no column of its own: the overflow column takes it ({contract.where})",
                "--time" if name == options.time else "--cast",
                "leave it as it is, or choose another DEST",
            )


def too_many_attributes_error(names: Collection[str], limit: int) -> SchemaError:
    """The error for data in attribute names. The caller may know only a part of the names."""
    examples = _examples(names)
    most, raised = (
        ("the limit is", "") if limit >= NAMES_LIMIT else ("--max-columns is", ", --max-columns raises the limit")
    )
    return SchemaError(
        f"the export has {len(names):,} attributes, but {most} {limit:,}",
        hint=f"if attribute names contain data (such as {examples}), --overflow _more puts the rarer ones into one JSON"
        f" column; --select takes the ones you need{raised}",
    )


def too_long_names_error(names: Collection[str]) -> SchemaError:
    """The error for names of more than NAMES_BYTES_LIMIT together. The caller may know only a part of them."""
    return SchemaError(
        f"the names of {len(names):,} attributes have more than {NAMES_BYTES_LIMIT >> 20} MiB together: they seem to"
        f" contain data (for example {_examples(names)})",
        hint="no option helps, because every name must be known: have the application write such data as values, or as"
        " the keys of a map in one attribute",
    )


def _examples(names: Collection[str]) -> str:
    """Some of the names, cut, because a name has up to 64 KB."""
    ordered = sorted(names)
    chosen = dict.fromkeys(ordered[:3] + ordered[-2:])
    return ", ".join(repr(name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…") for name in chosen)


def _new_attributes(
    wanted: dict[str, AttributeObservation], options: ConvertOptions, contract: Contract, promised: int
) -> set[str]:
    """Return the attributes that get their own column beside the promised ones.

    All of them, or the most frequent ones if an overflow column takes the rest. A promised overflow column takes them
    all, because an attribute that was in it yesterday would be in two places: only attributes that never were are here.
    """
    new = wanted.keys() - contract.attributes
    # An attribute that the options name gets its column.
    asked_for = {name for name in (*options.key, *dict(options.rename), *options.times()) if name in new}
    if contract.has_overflow:
        return asked_for & contract.never_overflowed
    if promised + len(new) <= options.max_columns:
        return set(new)
    if not options.overflow:
        raise too_many_attributes_error(wanted.keys() | contract.attributes, options.max_columns)
    others = sorted(new - asked_for, key=lambda name: (-wanted[name].values, name))
    room = max(options.max_columns - 1 - promised - len(asked_for), 0)
    return {*asked_for, *others[:room]}


def _refuse_mixed(wanted: dict[str, AttributeObservation]) -> None:
    for name, seen in sorted(wanted.items()):
        if len(families(seen.seen)) > 1:
            types = tags.tag_counts({tags.TAGS[tag]: seen.counts[tag] for tag in sorted(seen.seen)})
            raise SchemaError(
                f"attribute {name!r} has several types: {types}",
                hint="--mixed text writes all of them as text, --mixed json as DynamoDB JSON, --exclude leaves it out",
            )
