"""A published snapshot as the base of a merge: its record, and the options, keys and columns that a merge may have.

The rows come from the Parquet parts that the record names, and are written again without having been JSON in between.
So what the parts no longer say exactly can't be a base: a destination in CSV alone, or one without its keys.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from converter.decode.arrow_rows import can_recast
from converter.errors import SchemaError, UsageError
from converter.export.manifest import ExportKind
from converter.options import ConvertOptions
from converter.publishing.destination_records import read_records
from converter.publishing.record import Record
from converter.publishing.record_entry import latest_of
from converter.publishing.report import ColumnReport, Part
from converter.publishing.schema_difference import describe_schema_difference
from converter.schema.column_types import DOUBLE, Origin
from converter.schema.columns import Column, Schema
from converter.schema.contract import Contract, Promise
from converter.storage.paths import EXPORTS, record_path
from converter.storage.source import Source

_KEY_ORIGINS = {
    "S": (Origin.TEXT,),
    "N": (Origin.NUMBER, Origin.NUMBER_TEXT),
    "B": (Origin.BINARY,),
}
_ANY_KEY_ORIGIN = frozenset(origin for origins in _KEY_ORIGINS.values() for origin in origins)
BREAK_HINT = (
    "--evolve widens the column, and writes the values of the base into it exactly; or use a full export as the base,"
    " and another DEST"
)
"""The hint where a value does not fit a column of the base: all its columns stay."""
MISSING_PART = "run the same command again if another run has replaced the base; otherwise publish it again"
OTHER_BASE = "use a full export as the base, or publish it again as Parquet with all its attributes"


def find_snapshot(source: Source, name: str | None = None) -> Record | None:
    """Return the latest record of a destination, or the one in the file of this name; None if there is no record.

    Raises StorageError for a damaged record, UsageError where the destination holds changes.
    """
    if name is None:
        records = read_records(source)
        latest = latest_of(records.entries)
        record = None if latest is None else records.load(latest)
    else:
        path = posixpath.join(EXPORTS, name)
        content = source.find(path)
        record = None if content is None else Record.from_json(content, source.child(path))
    if record is None:
        return None
    place = source.child(record_path(record.export_id))
    if record.kind == ExportKind.CHANGES:
        raise UsageError(
            "this destination holds changes and can't be used as BASE, which must contain items", place, OTHER_BASE
        )
    if record.parts and not record.parts_of("parquet"):
        raise UsageError("the snapshot is there as CSV alone, which does not keep types", place, OTHER_BASE)
    return record


@dataclass(frozen=True, slots=True)
class BaseSnapshot:
    """The parts of a snapshot. parts: by the paths that a run's source has for them. record: what names them."""

    parts: Mapping[str, Part]
    record: Record
    place: str

    def check_options(self, options: ConvertOptions, dropped: Sequence[str]) -> None:
        """Raise UsageError where rows lack attributes that the new ones would have, or have others.

        dropped: attributes that the schema file leaves out.
        """
        others = options.differences(self.record.options)
        for option in ("select", "exclude", "schema", "nul", "where"):
            before, now = others.get(option, (None, None))
            if option == "exclude" and isinstance(before, list) and self._is_without(options.exclude, before):
                continue
            if before != now and (option != "schema" or before):
                shown = before if option != "schema" else describe_schema_difference(self.record, options)
                raise UsageError(
                    f"the base was published with another --{option}: {shown}",
                    self.place,
                    f"use the same --{option}, or a full export as the base: new rows would differ from old ones",
                )
        known = next((column for column in self.record.columns if column.attribute in dropped), None)
        if known is not None:
            raise UsageError(
                f"the base has a column of {known.attribute!r}, which the schema file drops",
                self.place,
                "leave it in the file, or use a full export as the base: new rows would differ from old ones",
            )

    def _is_without(self, excluded: Sequence[str], before: Sequence[object]) -> bool:
        """Return whether all that was excluded `before` still is, and more only of what the rows can't hold."""
        more = set(excluded).difference(before)
        columns = {column.attribute for column in self.record.columns}
        if any(column.origin is Origin.OVERFLOW for column in self.record.columns):
            more.difference_update(self.record.report.unknown_attributes)
            return not more and set(before) <= set(excluded)
        return not more & columns and set(before) <= set(excluded)

    def check_keys(self, keys: Sequence[tuple[str, str]]) -> None:
        """Raise UsageError if rows can't be found by the keys of the changes."""
        columns = {column.attribute: column for column in self.record.columns if column.attribute is not None}
        altered = {report.attribute for report in self.record.report.columns if report.nuls}
        for name, tag in keys if self.record.parts else ():
            column = columns.get(name)
            if column is None:
                raise UsageError(f"the base has no column of the key {name!r}", self.place, OTHER_BASE)
            if name in altered and self.record.options.get("nul", "keep") != "keep":
                raise UsageError(
                    f"the base has the key {name!r} without its NULs (--nul {self.record.options['nul']}), and changes"
                    " can't find their items by it",
                    self.place,
                    "use a full export as the base, or publish the base again with --nul keep",
                )
            if column.origin not in _KEY_ORIGINS[tag] and column.origin in _ANY_KEY_ORIGIN:
                raise UsageError(
                    f"the base has the key {name!r} as {column.described}, and the increments have it as {tag}",
                    self.place,
                    "see whether the base and all increments are of one table",
                )
            if column.origin not in _KEY_ORIGINS[tag] or column.type == DOUBLE:
                raise UsageError(
                    f"the base has the key {name!r} as {column.described}, which does not say exactly what it was",
                    self.place,
                    OTHER_BASE,
                )

    def promises(self, contract: Contract) -> Contract:
        """Return the contract with the other columns of the base, and with the digits of its numbers."""
        reports = {report.name: report for report in self.record.report.columns}
        own = {_held_by(column.attribute, column.name): column for column in self.record.columns}
        promises = []
        for promise in contract.promises:
            column = own.pop(_held_by(promise.attribute, promise.name), None)
            promises.append(promise if column is None else _with_digits(promise, reports.get(column.name)))
        for column in own.values():
            if column.origin is Origin.ADDED:
                # Its values were of another export, and this run has not asked for it.
                continue
            fresh = Promise(column.attribute, column.name, column.type, column.origin, unit=column.unit)
            promises.append(_with_digits(fresh, reports.get(column.name)))
        return replace(contract, promises=tuple(promises), where=contract.where or self.place)

    def check_schema(self, schema: Schema) -> None:
        """Raise SchemaError for a column that can't take what the base's has, or that the base has no values for."""
        overflow = next((column for column in self.record.columns if column.origin is Origin.OVERFLOW), None)
        attributes = {column.attribute for column in self.record.columns}
        attributes.update(self.record.report.unknown_attributes)
        apart = next((column for column in schema.columns if column.attribute not in attributes), None)
        if overflow is not None and apart is not None:
            raise SchemaError(
                f"attribute {apart.attribute!r} has the column {apart.name!r}, and the base has it in"
                f" {overflow.name!r}, if at all",
                self.place,
                "use a full export as the base, or another DEST, whose columns will be the base's",
            )
        for after, before in zip(schema.columns, self.source_columns(schema), strict=True):
            if before is not None and not can_recast(before, after):
                raise SchemaError(
                    f"column {before.name!r} is {before.described} in the base, and would be {after.described}: its"
                    " original values are not known any more",
                    self.place,
                    "use a full export as the base, or leave the attribute out of both with --exclude",
                )

    def source_columns(self, schema: Schema) -> list[Column | None]:
        """Return for each column of the schema the column of the base that it takes its values from."""
        own = {_held_by(column.attribute, column.name): column for column in self.record.columns}
        return [
            None if column.origin is Origin.ADDED else own.get(_held_by(column.attribute, column.name))
            for column in schema.columns
        ]


def _held_by(attribute: str | None, name: str | None) -> tuple[str | None, str | None]:
    """Return the identity of a column: its attribute, whatever its name is; or only its name."""
    return attribute, None if attribute is not None else name


def _with_digits(promise: Promise, report: ColumnReport | None) -> Promise:
    if report is None:
        return promise
    return replace(
        promise,
        integer_digits=max(promise.integer_digits, report.integer_digits),
        decimals=max(promise.decimals, report.decimals),
    )
