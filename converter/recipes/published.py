"""What a recipe has to know of a destination, from its records: where the parts are, and their columns together.

A recipe is one query over all days, or one load of each day alike. So all records must have one layout, parts of the
format that the recipe reads, and columns that a reader can take together: in Parquet of one type each, in CSV, which
is read by position, each where it was before.
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
from converter.publishing.column_union import common_columns
from converter.publishing.decision import read_records
from converter.publishing.record import Record
from converter.publishing.report import Part
from converter.schema.types import Column
from converter.storage import open_destination
from converter.storage.schemes import is_local

_FORMATS: tuple[OneFormat, ...] = ("parquet", "csv")
_WAYS_OUT = (
    "publish the older dates again with --replace, or choose another DEST for the new ones; converter.scan(DEST) reads"
    " each date as its record says"
)


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of the layout: `dt={date}` has the key `dt` and the value `{date}`; key is None for a plain name."""

    key: str | None
    value: str

    @property
    def is_date(self) -> bool:
        """Is the key's value the date and nothing else?"""
        return self.key is not None and self.value == "{date}"

    def render(self, field: Callable[[str], str | None], literal: Callable[[str], str] = str) -> str:
        """The folder's name, with its fields and all that stands between them written as the functions say."""
        text = self.value if self.key is None else f"{self.key}={self.value}"
        pieces = []
        for fixed, name, _, _ in string.Formatter().parse(text):
            pieces.append(literal(fixed))
            if name is not None:
                pieces.append(field(name) or "")
        return "".join(pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A destination, as one who loads it sees it.

    location: where its parts are or will be, without a slash at the end; a path or `s3://bucket/prefix`.
    table: DynamoDB's name of the table.
    newest: the ExportId of the newest record.
    layout: the folders between location and the exports' own.
    suffixes: how the parts' names end: `.csv` and `.csv.gz` where both are there.
    columns: of all records, the newest record's first.
    kind: is a row an item, or a change?
    grown: do some parts lack the last columns?
    first_date, timezone: of the oldest record (`2023-11-27`), and of the newest.
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
        """The folders that readers make a column of."""
        return tuple(folder for folder in self.layout if folder.key is not None)

    def dated_folder(self, date: str) -> tuple[str | None, str]:
        """The key of the folder that the date is in, and the path of it below location, with `date` in place of it.

        All parts of a date lie below it, and nothing else. Raises UsageError for a layout that has no such folder.
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
            "the dates of the destination are in no folder of their own",
            "--layout",
            "convert into another DEST with a layout such as dt={date}",
        )

    def keys_above(self, reader: str) -> tuple[str, ...]:
        """The keys of folders `key=value` above the layout, which some readers make columns of.

        Raises UsageError when such a column would take the place of one of ours.
        """
        above = tuple(
            dict.fromkeys(segment.partition("=")[0] for segment in self.location.split("/") if "=" in segment)
        )
        ours = {column.name.lower() for column in self.columns} | {(key.key or "").lower() for key in self.keys}
        for key in above:
            if key.lower() in ours:
                raise UsageError(
                    f"{reader} would take the values of {key!r} from a folder above the destination",
                    self.location,
                    "move the destination, or read it with converter.scan(DEST)",
                )
        return above

    def glob(self, literal: Callable[[str], str]) -> str:
        """A pattern for all parts and nothing else; literal: writes a text so that no character is a wildcard.

        The ExportId's folder has no key, and nothing that is no part has the parts' ending.
        """
        folders = [folder.render(lambda _: "*", literal) for folder in self.layout]
        end = literal(self.suffixes[0]) if len(self.suffixes) == 1 else ".csv*"
        return "/".join([literal(self.location), *folders, "*", "*" + end])


def read_published(
    dest: str, location: str | None, format: OneFormat | None, aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS
) -> Published:
    """Read the records of the destination.

    location: where the destination is, or will be copied to, for the one who loads it; None for `dest` itself, which
    is found from every folder then.
    format: which of two formats, when the destination has both; None for Parquet if there is some, else CSV.
    Raises StorageError where nothing is published, UsageError when the format is not there, SchemaError when one
    reader can't take all records together.
    """
    destination = open_destination(dest, aws)
    if location is None:
        location = os.path.abspath(dest) if is_local(dest) else dest
    records = read_records(destination)
    filled = [record for record in records if record.parts and record.columns]
    if not filled:
        raise StorageError("no items are published here", dest, "run `ddb-convert convert SOURCE DEST` first")
    destination.check_parts([part.path for record in filled for part in record.parts])
    newest = filled[-1]
    format = format or _format_of_all(filled)
    places = [_place(record, format, dest) for record in filled]
    if len({(record.layout, place) for record, place in zip(filled, places, strict=True)}) > 1:
        raise SchemaError(
            f"the exports lie in folders of several layouts ({', '.join(sorted({r.layout for r in filled}))})",
            dest,
            _WAYS_OUT,
        )
    columns = common_columns(filled)
    for record in filled:
        _check_together(record, columns, format)
    return Published(
        location=posixpath.join(location.rstrip("/"), places[0]).rstrip("/"),
        table=newest.table_arn.rpartition("/")[2],
        newest=newest.export_id,
        format=format,
        layout=tuple(_folders(newest.layout)),
        suffixes=tuple(sorted({_suffix(part) for record in filled for part in record.parts_of(format)})),
        columns=tuple(columns),
        kind=ExportKind(newest.kind),
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


def _suffix(part: Part) -> str:
    _, dot, end = posixpath.basename(part.path).partition(".")
    return dot + end


def _format_of_all(records: Sequence[Record]) -> OneFormat:
    """The first format that every record has; else that of the newest, and `_place` says who lacks it."""
    for format in _FORMATS:
        if all(record.parts_of(format) for record in records):
            return format
    return records[-1].parts[0].format


def _place(record: Record, format: OneFormat, dest: str) -> str:
    """The folder that the layout begins in, relative to the destination: `""`, or one of the format's own."""
    parts = record.parts_of(format)
    if not parts:
        raise UsageError(
            f"export {record.export_id} of {record.date} is not published as {format}",
            dest,
            f"convert its exports into another DEST with --format {format}",
        )
    layout = "/".join(folder.render(lambda _: "[^/]*", re.escape) for folder in _folders(record.layout))
    match = re.fullmatch(rf"(.*/)?{layout}/{re.escape(record.export_id)}/[^/]+", parts[0].path)
    if match is None:
        raise StorageError(
            f"{parts[0].path!r} of export {record.export_id} is not where its layout says", dest, _WAYS_OUT
        )
    return (match[1] or "").rstrip("/")


def _check_together(record: Record, columns: Sequence[Column], format: OneFormat) -> None:
    """Raises SchemaError if one reader can't take the record's parts with these columns."""
    common = {column.name: (number, column.type) for number, column in enumerate(columns)}
    for number, column in enumerate(record.columns):
        where = f"column {column.name!r} of export {record.export_id} ({record.date})"
        position, type_ = common[column.name]
        if format == "parquet" and column.type != type_:
            raise SchemaError(f"{where} is {column.type}, and {type_} together with other dates", hint=_WAYS_OUT)
        if format == "csv" and position != number:
            raise SchemaError(
                f"{where} is the {number + 1}. in its files, and the {position + 1}. in newer ones: CSV is read by"
                " position",
                hint=_WAYS_OUT,
            )
