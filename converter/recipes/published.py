"""Facts about a destination for recipes, from its records: the location of the parts, and their common columns.

A recipe is one query for all days, or one load for each day. So all records must have the same layout, parts in the
format that the recipe reads, and compatible columns: in Parquet a column has one type, and in CSV, which is read by
position, it has one position.
"""

from __future__ import annotations

import os
import posixpath
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from converter.aws.access import AS_THE_ENVIRONMENT_SAYS, AwsOptions
from converter.errors import SchemaError, StorageError, UsageError
from converter.export.manifest import ExportKind
from converter.options import OneFormat
from converter.publishing.destination_records import read_records
from converter.publishing.record_entry import RecordEntry, common_columns
from converter.publishing.report import format_of
from converter.schema.columns import Column
from converter.storage import open_destination
from converter.storage.schemes import is_local

_FORMATS: tuple[OneFormat, ...] = ("parquet", "csv")
_HINT = (
    "publish the older dates again with --replace, or use another DEST for the new ones; converter.scan(DEST) reads"
    " each date according to its record"
)


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the layout: `dt={date}` has the key `dt` and the value `{date}`. The key of a plain name is None."""

    key: str | None
    value: str

    @property
    def is_date(self) -> bool:
        """Whether the value of the key is exactly the date."""
        return self.key is not None and self.value == "{date}"

    def render(self, field: Callable[[str], str | None], literal: Callable[[str], str] = str) -> str:
        """Return the name of the folder. The functions write its fields and the literal text between them."""
        text = self.value if self.key is None else f"{self.key}={self.value}"
        pieces = []
        for fixed, name, _, _ in string.Formatter().parse(text):
            pieces.append(literal(fixed))
            if name is not None:
                pieces.append(field(name) or "")
        return "".join(pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A destination as seen by a consumer.

    location: folder of the parts for the consumer, without a final slash; a path or `s3://bucket/prefix`.
    table: name of the table in DynamoDB.
    newest: export id of the newest record.
    layout: folders between the location and the folders of exports.
    suffixes: suffixes of the parts: `.csv` and `.csv.gz` if both exist.
    columns: columns of all records, those of the newest record first.
    kind: whether a row is an item or a change.
    grown: whether some parts do not have the last columns.
    first_date: date of the oldest record (`2023-11-27`). timezone: time zone of the newest.
    """

    location: str
    table: str
    newest: str
    format: OneFormat
    layout: tuple[Folder, ...]
    suffixes: tuple[str, ...]
    columns: tuple[Column, ...]
    kind: ExportKind
    grown: bool
    first_date: str
    timezone: str

    @property
    def keys(self) -> tuple[Folder, ...]:
        """The folders that readers convert to columns."""
        return tuple(folder for folder in self.layout if folder.key is not None)

    def dated_folder(self, date: str) -> tuple[str | None, str]:
        """Return the key of the folder with the date, and the path of the folder below the location for `date`.

        The folder contains exactly the parts of a date. Raises UsageError if the layout has no such folder.
        """
        path = ""
        for folder in self.layout:
            fields = [name for _, name, _, _ in string.Formatter().parse(folder.value) if name is not None]
            path += folder.render({"date": date, "table": self.table}.get) + "/"
            if "from" in fields or "to" in fields or fields.count("date") > 1:
                break
            if "date" in fields:
                return folder.key, path
        raise UsageError(
            "the layout of the destination has no folder for each date",
            "--layout",
            "convert into another DEST with a layout such as dt={date}",
        )

    def keys_above(self, reader: str) -> tuple[str, ...]:
        """Return the keys of folders `key=value` above the layout, which some readers convert to columns.

        Raises UsageError if such a column would replace a column of the destination.
        """
        above = tuple(
            dict.fromkeys(segment.partition("=")[0] for segment in self.location.split("/") if "=" in segment)
        )
        names = {column.name.lower() for column in self.columns} | {(key.key or "").lower() for key in self.keys}
        for key in above:
            if key.lower() in names:
                raise UsageError(
                    f"{reader} would read the values of {key!r} from a folder above the destination",
                    self.location,
                    "move the destination, or read it with converter.scan(DEST)",
                )
        return above

    def glob(self, literal: Callable[[str], str]) -> str:
        """Return a pattern that matches exactly the parts. literal: escapes the wildcards of a text.

        The folder of an export has no key, and only parts have the suffix of parts.
        """
        folders = [folder.render(lambda _: "*", literal) for folder in self.layout]
        end = literal(self.suffixes[0]) if len(self.suffixes) == 1 else ".csv*"
        return "/".join([literal(self.location), *folders, "*", "*" + end])


def read_published(
    dest: str, location: str | None, format: OneFormat | None, aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS
) -> Published:
    """Read the records of the destination.

    location: where the consumer reads the destination; None for the absolute path of `dest`.
    format: the format to read; None for Parquet if all records have it, otherwise CSV.
    Raises StorageError if nothing is published, UsageError if the format is missing, and SchemaError if the records
    can't be read together.
    """
    destination = open_destination(dest, aws)
    if location is None:
        location = os.path.abspath(dest) if is_local(dest) else dest
    filled = [entry for entry in read_records(destination).entries if entry.names and entry.columns]
    if not filled:
        raise StorageError("no items are published here", dest, "run `ddb-convert convert SOURCE DEST` first")
    destination.check_parts([path for record in filled for path in record.paths])
    newest = filled[-1]
    format = format or _format_of_all(filled)
    places = [_place(record, format, dest) for record in filled]
    if len({(record.layout, place) for record, place in zip(filled, places, strict=True)}) > 1:
        raise SchemaError(
            f"the exports have several layouts ({', '.join(sorted({r.layout for r in filled}))})", dest, _HINT
        )
    columns = common_columns(filled)
    for record in filled:
        _check_together(record, columns, format)
    return Published(
        location=posixpath.join(location.rstrip("/"), places[0]).rstrip("/"),
        table=newest.owner.table_arn.rpartition("/")[2],
        newest=newest.export_id,
        format=format,
        layout=tuple(_folders(newest.layout)),
        suffixes=tuple(sorted({_suffix(path) for record in filled for path in record.paths_of(format)})),
        columns=tuple(columns),
        kind=newest.kind,
        grown=any(len(record.columns) < len(columns) for record in filled),
        first_date=min(record.date for record in filled),
        timezone=newest.timezone,
    )


def _folders(layout: str) -> list[Folder]:
    folders = []
    for segment in layout.rstrip("/").split("/"):
        key, equals, value = segment.partition("=")
        folders.append(Folder(key, value) if equals else Folder(None, segment))
    return folders


def _suffix(path: str) -> str:
    _, dot, end = posixpath.basename(path).partition(".")
    return dot + end


def _format_of_all(records: Sequence[RecordEntry]) -> OneFormat:
    """Return the first format that all records have, or that of the newest; `_place` reports a record without it."""
    for format in _FORMATS:
        if all(record.paths_of(format) for record in records):
            return format
    return format_of(records[-1].paths[0])


def _place(record: RecordEntry, format: OneFormat, dest: str) -> str:
    """Return the folder with the layout, relative to the destination: `""`, or the folder of the format."""
    parts = record.paths_of(format)
    if not parts:
        raise UsageError(
            f"export {record.export_id} of {record.date} is not published in {format}",
            dest,
            f"convert the exports into another DEST with --format {format}",
        )
    layout = "/".join(folder.render(lambda _: "[^/]*", re.escape) for folder in _folders(record.layout))
    match = re.fullmatch(rf"(.*/)?{layout}/{re.escape(record.export_id)}/[^/]+", parts[0])
    if match is None:
        raise StorageError(f"{parts[0]!r} of export {record.export_id} is outside of its layout", dest, _HINT)
    return (match[1] or "").rstrip("/")


def _check_together(record: RecordEntry, columns: Sequence[Column], format: OneFormat) -> None:
    """Raise SchemaError if the parts of a record can't be read with these columns."""
    common = {column.name: (number, column.type) for number, column in enumerate(columns)}
    for number, column in enumerate(record.columns):
        where = f"column {column.name!r} of export {record.export_id} ({record.date})"
        position, type_ = common[column.name]
        if format == "parquet" and column.type != type_:
            raise SchemaError(f"{where} is {column.type}, but {type_} when combined with other dates", hint=_HINT)
        if format == "csv" and position != number:
            raise SchemaError(
                f"{where} is column {number + 1} in its files, but column {position + 1} in newer files: CSV is read by"
                " position",
                hint=_HINT,
            )
