"""The columns of a destination that the next run has to keep, and how a run has changed them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from converter.errors import SchemaError, UsageError
from converter.options import TIME_COLUMN, ConvertOptions, SchemaText
from converter.publishing.destination_records import DestinationRecords
from converter.publishing.named_attributes import NamedAttributes, never_overflowed
from converter.publishing.record import Record
from converter.publishing.record_entry import RecordEntry, distinct, entry_of, most_digits, newest
from converter.publishing.report import SchemaChange
from converter.schema.change_columns import OLD_COLUMN
from converter.schema.column_types import CAST_TYPES, INT64, Cast, Origin
from converter.schema.columns import Column, Schema
from converter.schema.contract import NOTHING_PROMISED, Contract, Promise
from converter.schema.observe import Observation
from converter.schema.schema_file import read_schema_file
from converter.time_options import UNIT_NAMES


@dataclass(frozen=True, slots=True)
class PriorSchema:
    """The columns that a run keeps, and the options that follow from them.

    contract: the columns to keep. record: the newest one, whose columns they are; None where nothing is kept. options:
    the run's, without what the schema file drops. named: the attributes that the user names.
    """

    contract: Contract
    record: Record | None
    options: ConvertOptions
    named: NamedAttributes

    @property
    def columns(self) -> tuple[Column, ...]:
        """Those of the record."""
        return () if self.record is None else self.record.columns


def read_prior_schema(
    kept: Sequence[RecordEntry],
    options: ConvertOptions,
    records: DestinationRecords | None = None,
    base: tuple[Record, str] | None = None,
) -> PriorSchema:
    """The promises of the records that stay, and of the schema file.

    records: of the destination, which the kept ones are of. base: the record of the snapshot that a merge begins with,
    and its place: it counts where the destination has nothing of its own.

    Raises UsageError for a schema file that can't be read, SchemaError for one that contradicts the records.
    """
    last, record, place = newest(kept), None, ""
    if last is not None and records is not None:
        record, place = records.load(last), records.place(last)
    elif base is not None:
        record, place = base
        kept = (entry_of(record),)
    if options.schema == "new":
        record = None
    contract = NOTHING_PROMISED
    if record is not None:
        digits = most_digits(kept)
        promises = [
            Promise(c.attribute, c.name, c.type, c.origin, None, *digits.get(c.name, (0, 0)), c.unit)
            for c in record.columns
        ]
        contract = Contract(tuple(promises), place)
    file = read_schema_file(options.schema, options) if isinstance(options.schema, SchemaText) else None
    named = NamedAttributes.of(options, file, kept, base[0] if base is not None else None)
    contract = replace(contract, never_overflowed=never_overflowed(named, kept))
    if file is not None:
        options = replace(options, exclude=(*options.exclude, *file.dropped))
        contract = _with_file(contract, file.contract, options.evolve)
    contract = _with_given_units(contract, options)
    if record is not None:
        _check_facts(kept, options)
    options = _with_promised(options, contract, record)
    return PriorSchema(contract, record, options, named)


def find_column_changes(before: Sequence[Column], schema: Schema, observation: Observation) -> tuple[SchemaChange, ...]:
    """Return the differences between the columns and those of the newest record; none if there was no record."""
    if not before:
        return ()
    known = {column.name: column for column in before}
    found = []
    for column in schema.columns:
        earlier = known.get(column.name)
        seen = observation.attributes.get(column.attribute) if column.attribute is not None else None
        if earlier is None:
            found.append(SchemaChange(column.name, column.attribute, "added", None, column.described))
        elif not column.has_form_of(earlier):
            found.append(SchemaChange(column.name, column.attribute, "widened", earlier.described, column.described))
        elif column.attribute is not None and (seen is None or not seen.values):
            found.append(SchemaChange(column.name, column.attribute, "unseen", column.described, column.described))
    return tuple(found)


def evolution_warnings(found: Sequence[SchemaChange], earlier: Sequence[RecordEntry]) -> list[str]:
    """Which dates can no longer be read together with the columns that are wider now."""
    warnings = []
    for change in found:
        if change.change != "widened":
            continue
        others = {
            id(entry.columns)
            for entry in distinct(earlier, "columns")
            if any(column.name == change.column and column.described != change.after for column in entry.columns)
        }
        dates = sorted({entry.date for entry in earlier if id(entry.columns) in others})
        if not dates:
            # The column is from a base elsewhere.
            continue
        listed = ", ".join(dates[:3]) + (f" … {dates[-1]} ({len(dates)} dates)" if len(dates) > 3 else "")
        warnings.append(
            f"column {change.column!r} is {change.after} from now on, and was {change.before}: readers can't read it"
            f" together with {listed}, unless these are published again with --replace"
        )
    return warnings


def unit_warnings(before: Sequence[Column], schema: Schema) -> list[str]:
    """Columns of times whose numbers count something else than those of the newest record."""
    units = {column.name: column.unit for column in before}
    warnings = []
    for column in schema.columns:
        earlier = units.get(column.name)
        if earlier is not None and column.unit not in (None, earlier):
            warnings.append(
                f"column {column.name!r}: numbers are {UNIT_NAMES[column.unit]} from this export on, and were"
                f" {UNIT_NAMES[earlier]} before"
            )
    return warnings


def _with_promised(options: ConvertOptions, contract: Contract, record: Record | None) -> ConvertOptions:
    """The options, and what earlier ones have made columns of: casts, the attribute of `time`, added ones, `_old`."""
    times = [p for p in contract.promises if p.origin is Origin.TIME and options.wants(str(p.attribute))]
    casts = dict(options.cast)
    for promise in times:
        given = promise.unit if promise.is_unit_given else None
        asked = options.times().get(str(promise.attribute))
        if promise.type in CAST_TYPES and asked in (None, Cast(promise.type)):
            casts[str(promise.attribute)] = str(Cast(promise.type, given))
    of_time = next((p for p in times if p.type == INT64), None)
    time = of_time.attribute if of_time is not None else None
    time_unit = options.time_unit
    if of_time is not None and of_time.is_unit_given and time_unit is None:
        time_unit = of_time.unit
    if options.time is not None and time not in (None, options.time):
        raise SchemaError(
            f"the column {TIME_COLUMN!r} holds attribute {time!r} at this destination, and not {options.time!r}",
            contract.where,
            "use the same --time, or choose another DEST",
        )
    ours = {promise.name for promise in contract.promises if promise.origin is Origin.CHANGE}
    recorded = _added_facts(record) if record is not None else {}
    names = {name for name, _ in options.add_column}
    added = [
        (str(p.name), recorded[str(p.name)])
        for p in contract.promises
        if p.origin is Origin.ADDED and p.name in recorded and p.name not in names
    ]
    return replace(
        options,
        cast=tuple(casts.items()),
        time=options.time or time,
        time_unit=time_unit,
        add_column=(*added, *options.add_column),
        old_image=options.old_image or OLD_COLUMN in ours,
    )


def _with_given_units(contract: Contract, options: ConvertOptions) -> Contract:
    """The contract with the units that the options give. Another one than was promised takes `--evolve`."""
    casts = options.times()
    promises = []
    for promise in contract.promises:
        given = casts[promise.attribute].unit if promise.attribute in casts else None
        if promise.origin is Origin.TIME and given is not None:
            if promise.unit not in (None, given) and (promise.is_unit_given or not options.evolve):
                promised = UNIT_NAMES[promise.unit]
                raise SchemaError(
                    f"the numbers of column {promise.name!r} are {promised}, and the options say {UNIT_NAMES[given]}",
                    contract.where,
                    "use the same unit; or, if the source changed its unit, add --evolve to use it from this export on",
                )
            promise = replace(promise, unit=given, is_unit_given=True)
        promises.append(promise)
    return replace(contract, promises=tuple(promises))


def _check_facts(entries: Iterable[RecordEntry], options: ConvertOptions) -> None:
    """An added column holds the fact that it held before: a text column of dates can't continue with export ids."""
    wanted = dict(options.add_column)
    for entry in distinct(entries, "options"):
        for name, fact in _added_facts(entry).items():
            if wanted.get(name, fact) != fact:
                raise UsageError(
                    f"column {name!r} holds {fact} of export {entry.export_id}, and can't hold {wanted[name]} now",
                    "--add-column",
                    "choose another name",
                )


def _added_facts(record: Record | RecordEntry) -> dict[str, str]:
    """The facts of the export that its added columns hold, by the columns' names."""
    return dict(cast(list[tuple[str, str]], record.options.get("add_column", [])))


def _with_file(recorded: Contract, file: Contract, evolve: bool) -> Contract:
    """The promises of the records, as the file wants them, and the file's other ones after them."""
    wanted = {promise.attribute: promise for promise in file.promises}
    promises = []
    for promise in recorded.promises:
        other = wanted.pop(promise.attribute, None) if promise.attribute is not None else None
        if other is None:
            promises.append(promise)
            continue
        if other.name is not None and other.name != promise.name:
            raise SchemaError(
                f"attribute {promise.attribute!r} is in column {promise.name!r} at this destination, and {file.where}"
                f" calls it {other.name!r}",
                recorded.where,
                "a column keeps its name: change the file, or choose another DEST",
            )
        other_unit = None not in (other.unit, promise.unit) and other.unit != promise.unit
        differs = other_unit or (
            other.type is not None and (other.type, other.origin) != (promise.type, promise.origin)
        )
        if differs and not evolve:
            raise SchemaError(
                f"column {promise.name!r} is {_type_of(promise)} ({promise.origin}) at this destination, and"
                f" {file.where} makes it {_type_of(other)} ({other.origin})",
                recorded.where,
                "--evolve does that from this export on and says which dates can no longer be read together with it;"
                " or change the file, or choose another DEST",
            )
        if differs:
            promise = replace(promise, type=other.type, origin=other.origin, unit=None)
        if other.unit is not None:
            promise = replace(promise, unit=other.unit, is_unit_given=True)
        promises.append(replace(promise, numbers=other.numbers))
    where = f"{recorded.where} and {file.where}" if recorded.where else file.where
    return replace(recorded, promises=(*promises, *wanted.values()), where=where)


def _type_of(promise: Promise) -> str:
    return f"{promise.type}" if promise.unit is None else f"{promise.type} in {UNIT_NAMES[promise.unit]}"
