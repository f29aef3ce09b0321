"""A snapshot of ours as the base of a merge: which one it is, and its rows without those that changes have touched.

The rows come from the Parquet parts that a record names, and are written on without having been JSON in between. So
what the parts no longer say exactly can't be a base: a destination in CSV alone, or one without its keys.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from io import RawIOBase
from typing import TYPE_CHECKING, Any

from converter.decode.arrow_rows import batch_of, can_recast, plain_text, recast, text_bytes
from converter.decode.batch import Batch
from converter.decode.changed_keys import TouchedKeys
from converter.errors import DataFileError, SchemaError, StorageError, UsageError
from converter.export.data_files import DataFile
from converter.export.manifest import ExportKind
from converter.options import ConvertOptions
from converter.publishing.record import Record
from converter.publishing.report import ColumnReport, Part
from converter.publishing.schema_difference import describe_schema_difference
from converter.schema import tags
from converter.schema.added_columns import AddedValue
from converter.schema.column_types import DOUBLE, INT64, Origin
from converter.schema.contract import Contract, Promise
from converter.schema.observe import AttributeObservation, Observation
from converter.schema.types import Column, Schema
from converter.storage.paths import EXPORTS, INTENT, record_path
from converter.storage.source import Source

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_KEY_ORIGINS = {
    "S": (Origin.TEXT,),
    "N": (Origin.NUMBER, Origin.NUMBER_TEXT),
    "B": (Origin.BINARY,),
}
_ANY_KEY_ORIGIN = frozenset(origin for origins in _KEY_ORIGINS.values() for origin in origins)
_TEXT_ORIGINS = (Origin.TEXT, Origin.JSON, Origin.BINARY, Origin.MIXED_TEXT, Origin.MIXED_JSON)
WAYS = (
    "--evolve widens the column, and writes the values of the base into it exactly; or use a full export as the base,"
    " and another DEST"
)
"""What to do where a value does not fit a column of the base, which all stay."""
_FIRST_BYTES = 64 << 20
MISSING_PART = "run the same command again if another run has replaced the base; else publish it anew"
_OTHER_BASE = "use a full export as the base, or publish it anew as Parquet with all its attributes"


def find_snapshot(source: Source, name: str | None = None) -> Record | None:
    """The record of a destination that is of the latest moment, or the one in the file of this name; None without any.

    Raises StorageError for a damaged record, UsageError where the destination holds changes.
    """
    names = [name] if name is not None else [each for each in source.sizes(EXPORTS) if _may_be_record(each)]
    records = []
    for each in names:
        path = posixpath.join(EXPORTS, each)
        content = source.find(path)
        if content is not None:
            records.append(Record.from_json(content, source.child(path)))
    if not records:
        return None
    record = max(records, key=lambda record: (record_moment(record), record.sequence))
    place = source.child(record_path(record.export_id))
    if record.kind == ExportKind.CHANGES:
        raise UsageError("the destination holds changes, and a base holds items", place, _OTHER_BASE)
    if record.parts and not record.parts_of("parquet"):
        raise UsageError("the snapshot is there as CSV alone, which does not keep types", place, _OTHER_BASE)
    return record


def record_moment(record: Record) -> datetime:
    """The moment that the items of a record are of: what was written before is in them."""
    merge = record.report.merge
    return record.export_time if merge is None else merge.chain.through


def _may_be_record(name: str) -> bool:
    return name.endswith(".json") and not name.startswith(".") and posixpath.join(EXPORTS, name) != INTENT


@dataclass(frozen=True, slots=True)
class BaseParts:
    """The parts of a snapshot. parts: by the paths that a run's source has for them. record: what names them."""

    parts: Mapping[str, Part]
    record: Record
    place: str

    def check_options(self, options: ConvertOptions, dropped: Sequence[str]) -> None:
        """Raises UsageError where rows lack attributes that the new ones would have, or have others.

        dropped: attributes that the schema file leaves out.
        """
        others = options.differences(self.record.options)
        for option in ("select", "exclude", "schema", "nul"):
            before, now = others.get(option, (None, None))
            if option == "exclude" and isinstance(before, list) and self._is_without(options.exclude, before):
                continue
            if before != now and (option != "schema" or before):
                shown = before if option != "schema" else describe_schema_difference(self.record, options)
                raise UsageError(
                    f"the base was published with another --{option}: {shown}",
                    self.place,
                    f"use the same --{option}, or a full export as the base: new rows would be other than old ones",
                )
        known = next((column for column in self.record.columns if column.attribute in dropped), None)
        if known is not None:
            raise UsageError(
                f"the base has a column of {known.attribute!r}, which the schema file drops",
                self.place,
                "leave it in the file, or use a full export as the base: new rows would be other than old ones",
            )

    def _is_without(self, excluded: Sequence[str], before: Sequence[object]) -> bool:
        """Is all excluded that was excluded `before`, and more only of what the rows can't hold?"""
        more = set(excluded).difference(before)
        columns = {column.attribute for column in self.record.columns}
        if any(column.origin is Origin.OVERFLOW for column in self.record.columns):
            more.difference_update(self.record.report.unknown_attributes)
            return not more and set(before) <= set(excluded)
        return not more & columns and set(before) <= set(excluded)

    def check_keys(self, keys: Sequence[tuple[str, str]]) -> None:
        """Raises UsageError where rows can't be told by the keys of the changes."""
        columns = {column.attribute: column for column in self.record.columns if column.attribute is not None}
        altered = {report.attribute for report in self.record.report.columns if report.nuls}
        for name, tag in keys if self.record.parts else ():
            column = columns.get(name)
            if column is None:
                raise UsageError(f"the base has no column of the key {name!r}", self.place, _OTHER_BASE)
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
                    _OTHER_BASE,
                )

    def promises(self, contract: Contract) -> Contract:
        """The contract, with the columns of the base that it says nothing of, and with the digits of its numbers."""
        reports = {report.name: report for report in self.record.report.columns}
        own = {_held_by(column.attribute, column.name): column for column in self.record.columns}
        promises = []
        for promise in contract.promises:
            column = own.pop(_held_by(promise.attribute, promise.name), None)
            promises.append(promise if column is None else _with_digits(promise, reports.get(column.name)))
        for column in own.values():
            if column.origin is Origin.ADDED:
                # What it held was of another export, and here nobody has asked for it.
                continue
            fresh = Promise(column.attribute, column.name, column.type, column.origin, unit=column.unit)
            promises.append(_with_digits(fresh, reports.get(column.name)))
        return replace(contract, promises=tuple(promises), where=contract.where or self.place)

    def observation(self) -> Observation:
        """What the columns may hold, by the record: before any row was read."""
        reports = {report.name: report for report in self.record.report.columns}
        rows = self.record.report.items
        seen = {}
        for column in self.record.columns:
            report = reports.get(column.name)
            values = sum(report.types.values()) - report.nulls if report is not None else 0
            if column.attribute is not None and report is not None and values:
                seen[column.attribute] = _observed(column, report, values, report.longest)
        return Observation(rows, seen)

    def check_schema(self, schema: Schema) -> None:
        """Raises SchemaError for a column that can't take what the base's has, or that the base has no values for."""
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
        for after, before in zip(schema.columns, self._sources(schema), strict=True):
            if before is not None and not can_recast(before, after):
                raise SchemaError(
                    f"column {before.name!r} is {before.described} in the base, and would be {after.described}: what"
                    " its values were is not known any more",
                    self.place,
                    "use a full export as the base, or leave the attribute out of both with --exclude",
                )

    def _sources(self, schema: Schema) -> list[Column | None]:
        """For each column of the schema the base's that it takes its values from."""
        own = {_held_by(column.attribute, column.name): column for column in self.record.columns}
        return [
            None if column.origin is Origin.ADDED else own.get(_held_by(column.attribute, column.name))
            for column in schema.columns
        ]


@dataclass(slots=True)
class RowReader:
    """The rows of one part that no change touches, a row group at a time.

    observed: what was seen of all so far. changed: per column, values that a double of it holds only rounded, when the
    batches have been written.
    """

    base: BaseParts
    touched: TouchedKeys
    source: Source
    verify: bool
    observed: Observation = field(default_factory=Observation)
    changed: dict[str, int] = field(default_factory=dict)

    def groups(self, file: DataFile) -> Iterator[pa.Table]:
        """Raises DataFileError for a part that is not the one that the record names, and StorageError."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        content = self._read(file)
        try:
            opened = pq.ParquetFile(pa.BufferReader(content))
            self._check(opened, file)
            for group in range(opened.num_row_groups):
                table = self._untouched(opened.read_row_group(group, use_threads=False))
                self._observe(table)
                yield table
        except (pa.ArrowException, OSError) as error:
            # Of a file in memory, whatever it holds: what storage refuses has been told by now.
            raise self._damaged(file, str(error).strip()) from None

    def batch(self, table: pa.Table, schema: Schema, added: Mapping[str, AddedValue]) -> Batch:
        """The rows with the columns of the schema, which `check_schema` has allowed."""
        columns: list[Any] = []
        for after, before in zip(schema.columns, self.base._sources(schema), strict=True):
            if before is None:
                columns.append(None)
            else:
                columns.append(recast(_one_chunk(table, before.name), before, after))
        return batch_of(columns, table.num_rows, schema, added, self.changed)

    def _read(self, file: DataFile) -> pa.Buffer:
        import pyarrow as pa

        part = self.base.parts[file.path]
        try:
            with self.source.open(file.path) as opened:
                content = _read_all(opened, part.bytes)
        except FileNotFoundError:
            raise DataFileError(
                "a part of the base is missing",
                self.source.child(file.path),
                MISSING_PART,
            ) from None
        if self.verify and hashlib.sha256(content).hexdigest() != part.sha256:
            raise self._damaged(file, "its sha256 is not the record's")
        return pa.py_buffer(content)

    def _check(self, opened: pq.ParquetFile, file: DataFile) -> None:
        names = set(opened.schema_arrow.names)
        missing = next((column.name for column in self.base.record.columns if column.name not in names), None)
        if missing is not None:
            raise self._damaged(file, f"it has no column {missing!r}")
        if opened.metadata.num_rows != file.items:
            raise self._damaged(file, f"the record says {file.items:,} rows, and it has {opened.metadata.num_rows:,}")

    def _damaged(self, file: DataFile, reason: str) -> DataFileError:
        place = self.source.child(file.path)
        return DataFileError(f"the part is not as it was published: {reason}", place, "publish the base anew")

    def _untouched(self, table: pa.Table) -> pa.Table:
        if not self.touched.count:
            return table
        names = {column.attribute: column for column in self.base.record.columns if column.attribute is not None}
        keys = []
        for name, _ in self.touched.keys:
            column = names[name]
            values = _one_chunk(table, column.name)
            if values.null_count:
                raise StorageError(f"a row has no value for the key {name!r}", self.base.place, _OTHER_BASE)
            keys.append(text_bytes(plain_text(values, column)))
        kept = self.touched.untouched(keys)
        return table if kept.all() else table.filter(kept)

    def _observe(self, table: pa.Table) -> None:
        import pyarrow.compute as pc

        reports = {report.name: report for report in self.base.record.report.columns}
        seen = {}
        for column in self.base.record.columns:
            report = reports.get(column.name)
            if column.attribute is None or report is None:
                continue
            values = table.column(column.name)
            present = len(values) - values.null_count
            if present:
                longest = pc.max(pc.binary_length(values)).as_py() if column.origin in _TEXT_ORIGINS else 0
                observed = _observed(column, report, present, longest)
                if report.nuls and self.base.record.options.get("nul", "keep") == "keep":
                    nuls = pc.sum(pc.match_substring(values, "\0")).as_py() or 0
                    observed = replace(observed, nuls=nuls)
                seen[column.attribute] = observed
        self.observed = self.observed.merge(Observation(table.num_rows, seen))


def _held_by(attribute: str | None, name: str | None) -> tuple[str | None, str | None]:
    """What a column is of: an attribute, whatever it is called there; or nothing but its own name."""
    return attribute, None if attribute is not None else name


def _read_all(opened: RawIOBase, size: int) -> memoryview:
    """The file's bytes, which should be as many as `size`: a longer file is not read further than that shows.

    Memory grows with what is there, because the record that names the size may be anyone's.
    """
    content = bytearray(min(size, _FIRST_BYTES) + 1)
    filled = 0
    while filled <= size:
        if filled == len(content):
            content.extend(bytes(min(len(content), size + 1 - filled)))
        with memoryview(content) as whole, whole[filled:] as rest:
            read = opened.readinto(rest)
        if not read:
            break
        filled += read
    return memoryview(content)[:filled]


def _one_chunk(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _observed(column: Column, report: ColumnReport, values: int, longest: int) -> AttributeObservation:
    """What is known of so many values of a column. Which types they were is known as far as there was but one.

    Of digits it is known what all values of the base had at most.
    """
    kinds = [tags.TAGS.index(tag) for tag in report.types if tag != "NULL"] or [tags.S]
    counts = [0] * len(tags.TAGS)
    # Of several types each is kept in mind, the first one with all values whose type is not known.
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


def _with_digits(promise: Promise, report: ColumnReport | None) -> Promise:
    if report is None:
        return promise
    return replace(
        promise,
        integer_digits=max(promise.integer_digits, report.integer_digits),
        decimals=max(promise.decimals, report.decimals),
    )
