"""The summary of a record that decisions about all records need; and what several of them have in common."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from converter.errors import SchemaError
from converter.export.manifest import ExportKind
from converter.publishing.record import Record
from converter.publishing.report import Report, format_of
from converter.schema.column_types import DECIMAL_DIGITS, DECIMALS, DOUBLE, Origin
from converter.schema.columns import Column
from converter.storage.stored_files import UNKNOWN_VERSION, FileVersion

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Owner:
    """The table and the kind of export that a destination belongs to. A table that is made again has another id."""

    table_arn: str
    table_id: str
    kind: ExportKind


class RecordEntry(NamedTuple):
    """The summary of a record in the index. Entries share what is equal in them: owners, columns, options and so on.

    export_arn: empty if it is made of the table's ARN and the id. export_micros, moment_micros: the record's export
    time, and the moment that its items are of, in microseconds since 1970. folders: of the parts, without the export's
    own. names: of the parts, for each of the folders. digits: by columns that have numbers, flat: the column's index,
    most integer digits, most decimals.
    """

    export_id: str
    file: FileVersion
    export_arn: str
    owner: Owner
    sequence: int
    export_micros: int
    moment_micros: int
    date: str
    timezone: str
    layout: str
    folders: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    items: int
    columns: tuple[Column, ...]
    digits: tuple[int, ...]
    options: dict[str, object]
    unknown_attributes: tuple[str, ...]

    @property
    def arn(self) -> str:
        """The export's ARN."""
        return self.export_arn or default_arn(self.owner, self.export_id)

    @property
    def kind(self) -> ExportKind:
        """Items, changes or a snapshot."""
        return self.owner.kind

    @property
    def export_time(self) -> datetime:
        """The last moment that the export includes."""
        return time_of(self.export_micros)

    @property
    def moment(self) -> datetime:
        """See Record.moment."""
        return time_of(self.moment_micros)

    @property
    def locations(self) -> tuple[str, ...]:
        """The folders of the parts, relative to the destination; empty without parts."""
        return tuple(posixpath.join(folder, self.export_id) for folder in self.folders)

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of all parts, relative to the destination."""
        pairs = zip(self.locations, self.names, strict=True)
        return tuple(posixpath.join(location, name) for location, names in pairs for name in names)

    def paths_of(self, format: str) -> tuple[str, ...]:
        """The paths of the parts in one format."""
        return tuple(path for path in self.paths if format_of(path) == format)


def entry_of(record: Record, file: FileVersion = UNKNOWN_VERSION) -> RecordEntry:
    """The entry of a record. file: the version of its file."""
    owner = Owner(record.table_arn, record.table_id, ExportKind(record.kind))
    names: dict[str, list[str]] = {}
    for part in record.parts:
        folder, name = posixpath.split(part.path)
        names.setdefault(posixpath.dirname(folder), []).append(name)
    return RecordEntry(
        export_id=record.export_id,
        file=file,
        export_arn="" if record.export_arn == default_arn(owner, record.export_id) else record.export_arn,
        owner=owner,
        sequence=record.sequence,
        export_micros=micros_of(record.export_time),
        moment_micros=micros_of(record.moment),
        date=record.date,
        timezone=record.timezone,
        layout=record.layout,
        folders=tuple(names),
        names=tuple(map(tuple, names.values())),
        items=record.report.items,
        columns=record.columns,
        digits=_digits(record.columns, record.report),
        options=record.options,
        unknown_attributes=record.report.unknown_attributes,
    )


def newest(entries: Iterable[RecordEntry]) -> RecordEntry | None:
    """The entry of the record that was published last, whatever time its export is of."""
    return max(entries, key=lambda entry: (entry.sequence, entry.export_micros, entry.export_id), default=None)


def latest_of(entries: Iterable[RecordEntry]) -> RecordEntry | None:
    """The entry whose items are of the latest moment."""
    return max(entries, key=lambda entry: (entry.moment_micros, entry.sequence), default=None)


def most_digits(entries: Iterable[RecordEntry]) -> Mapping[str, tuple[int, int]]:
    """By column: most integer digits and decimals of all numbers that are published in it."""
    most: dict[str, tuple[int, int]] = {}
    for entry in distinct(entries, "columns", "digits"):
        values = iter(entry.digits)
        for index, digits, decimals in zip(values, values, values, strict=True):
            name = entry.columns[index].name
            before = most.get(name, (0, 0))
            most[name] = max(before[0], digits), max(before[1], decimals)
    return most


def distinct(entries: Iterable[RecordEntry], *fields: str) -> Iterator[RecordEntry]:
    """The first entry of each combination of these fields' values, which are compared by identity: they are shared."""
    indexes = [RecordEntry._fields.index(field) for field in fields]
    seen = set()
    for entry in entries:
        key = tuple([id(entry[index]) for index in indexes])
        if key not in seen:
            seen.add(key)
            yield entry


def default_arn(owner: Owner, export_id: str) -> str:
    """The ARN that an export of a table has."""
    return f"{owner.table_arn}/export/{export_id}"


def micros_of(time: datetime) -> int:
    """Microseconds since 1970."""
    return (time - _EPOCH) // _MICROSECOND


def time_of(micros: int) -> datetime:
    """The reverse of micros_of."""
    return _EPOCH + micros * _MICROSECOND


def _digits(columns: tuple[Column, ...], report: Report) -> tuple[int, ...]:
    indexes = {column.name: index for index, column in enumerate(columns)}
    found: list[int] = []
    for column in report.columns:
        if column.name in indexes and (column.integer_digits or column.decimals):
            found += (indexes[column.name], column.integer_digits, column.decimals)
    return tuple(found)


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
