"""The record that commits an export at a destination: what was published, where, and how."""

from __future__ import annotations

import json
import posixpath
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from converter.errors import UsageError
from converter.export.manifest import EXPORT_ARN, TABLE_ARN, ExportKind, Summary
from converter.option_values import check_layout, check_timezone
from converter.options import ConvertOptions
from converter.publishing.report import Part, Report, parse_date
from converter.schema.column_types import Origin, parse_type
from converter.schema.columns import Column
from converter.storage.json_members import Members, members_of, read_members
from converter.storage.paths import EXPORTS, is_name, is_path, record_path
from converter.time_options import parse_unit
from converter.utc import format_utc
from converter.version import VERSION

_VERSION = 3
# Longer names can't be made on the usual file systems.
_NAME_BYTES = 255
# Options that other modules read out of a record; all others are only compared.
_LISTS_OF_NAMES = ("key", "select", "exclude")
_LISTS_OF_PAIRS = ("rename", "cast", "add_column")
PART_ENDINGS = (".parquet", ".csv", ".csv.gz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`DEST/_exports/<ExportId>.json`. It exists only while all its parts do.

    sequence: 1 for the destination's first record, and one more for each that is published after it.
    export_time: the last moment that the export knows of. date: its day (`2023-11-27`) in `timezone`.
    source: as the user wrote it.
    options: those that decide what is published, by name. options_hash: sha256 (hex) of them.
    verified: were md5 and item counts checked?
    writer: the program and its version.
    """

    export_id: str
    export_arn: str
    table_arn: str
    table_id: str
    kind: str
    sequence: int
    export_time: datetime
    date: str
    timezone: str
    layout: str
    source: str
    parts: tuple[Part, ...]
    columns: tuple[Column, ...]
    options: dict[str, object]
    options_hash: str
    verified: bool
    writer: str
    report: Report

    @property
    def locations(self) -> tuple[str, ...]:
        """The folders of the parts, relative to the destination; empty without parts."""
        return tuple(dict.fromkeys(posixpath.dirname(part.path) for part in self.parts))

    def parts_of(self, format: str) -> tuple[Part, ...]:
        """The parts in one format, which is all of them or none unless the export was published in both."""
        return tuple(part for part in self.parts if part.format == format)

    @property
    def moment(self) -> datetime:
        """The moment that the items are of: what was written before is in them."""
        merge = self.report.merge
        return self.export_time if merge is None else merge.chain.through

    def to_summary(self) -> Summary:
        """The export, as far as it is known when its manifests are gone."""
        return Summary(
            export_id=self.export_id,
            export_arn=self.export_arn,
            table_arn=self.table_arn,
            table=self.report.table,
            table_id=self.table_id,
            kind=ExportKind(self.kind),
            output_format="",
            export_time=self.export_time,
            from_time=None,
            to_time=None,
            output_view=None,
            items=self.report.items,
            billed_size_bytes=0,
            s3_prefix=None,
            source=self.source,
            warnings=(),
        )

    def to_json(self) -> bytes:
        """As it is stored. The report goes without its parts, which the record has."""
        members = {"version": _VERSION, **members_of(self)}
        report = self.report.to_json()
        del report["parts"]
        members["report"] = report
        # Paths may hold bytes that are not UTF-8; JSON's escapes say them.
        return (json.dumps(members, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "backslashreplace")

    @staticmethod
    def from_json(content: bytes, place: str) -> Record:
        """Whoever can write at the destination may have written it, so every member is checked like a user's text.

        Raises StorageError when the file is damaged, UsageError when a newer version of the program wrote it.
        """
        members = read_members(content, place, _VERSION)
        export_id = members.text("exportId")
        if not is_name(export_id) or posixpath.basename(place) != posixpath.basename(record_path(export_id)):
            raise members.error("exportId", f"the file of export {export_id!r} has another name")
        parts = tuple(_parts(members, export_id))
        table_arn = members.matching("tableArn", TABLE_ARN, "the ARN of a table")
        report = Report.from_json(members.inner("report"), parts)
        if (report.export_id, report.table) != (export_id, table_arn.rpartition("/")[2]):
            raise members.error("report", "it is of another export or table")
        return Record(
            export_id=export_id,
            export_arn=members.matching("exportArn", EXPORT_ARN, "the ARN of an export"),
            table_arn=table_arn,
            table_id=members.text("tableId"),
            kind=members.parsed("kind", ExportKind).value,
            sequence=members.count("sequence"),
            export_time=members.time("exportTime"),
            date=members.parsed("date", parse_date),
            timezone=members.parsed("timezone", parse_timezone),
            layout=members.parsed("layout", parse_layout),
            source=members.text("source"),
            parts=parts,
            columns=read_columns(members),
            options=read_options(members.inner("options")),
            options_hash=members.sha256("optionsHash"),
            verified=members.flag("verified"),
            writer=members.text("writer"),
            report=report,
        )


def make_record(
    export: Summary, options: ConvertOptions, columns: Sequence[Column], report: Report, sequence: int
) -> Record:
    """The record of an export that is about to be published as the report says."""
    return Record(
        export_id=export.export_id,
        export_arn=export.export_arn,
        table_arn=export.table_arn,
        table_id=export.table_id,
        kind=str(export.kind),
        sequence=sequence,
        export_time=export.instant(),
        date=export_date(export, options.timezone),
        timezone=options.timezone,
        layout=options.layout,
        source=export.source,
        parts=report.parts,
        columns=tuple(columns),
        options=options.published(),
        options_hash=options.published_hash(),
        verified=report.verified,
        writer=f"ddb-convert {VERSION}",
        report=report,
    )


def export_date(export: Summary, timezone: str) -> str:
    """The day of the export's last moment in the time zone: `2023-11-27`."""
    instant = export.instant()
    try:
        return instant.astimezone(ZoneInfo(timezone)).date().isoformat()
    except OverflowError:
        # A day further in the calendar's first or last year there is no date.
        return instant.date().isoformat()


def render_layout(layout: str, export: Summary, timezone: str) -> str:
    """The folder that the layout means for this export, relative to the destination; the export's own is below it.

    Raises UsageError when the export lacks a field, or when the folder can't be used.
    """
    pieces = []
    for literal, field, style, conversion in string.Formatter().parse(layout):
        pieces.append(literal)
        if style or conversion:
            raise UsageError(f"the field {field!r} can't be formatted further", "--layout", f"write {{{field}}} alone")
        if field is not None:
            pieces.append(_field(field, export, timezone))
    folder = "".join(pieces).rstrip("/")
    if not is_path(folder):
        raise UsageError(f"{folder!r} is not a folder inside the destination", "--layout", "use for example dt={date}")
    for name in folder.split("/"):
        if len(name.encode()) > _NAME_BYTES:
            raise UsageError(f"{name!r} is too long for a folder's name", "--layout", "use for example dt={date}")
    if folder.startswith(("_", ".")):
        raise UsageError(
            f"readers skip folders that begin with {folder[0]!r}, and {folder!r} does",
            "--layout",
            "put something before it, for example table={table}",
        )
    return folder


def _field(field: str, export: Summary, timezone: str) -> str:
    if field == "date":
        return export_date(export, timezone)
    if field == "table":
        return export.table
    instant = {"from": export.from_time, "to": export.to_time}.get(field)
    if instant is None:
        raise UsageError(
            f"this export has no {{{field}}}: only incremental exports have a window", "--layout", "use {date}"
        )
    # No colons: several systems don't allow them in paths.
    return format_utc(instant)[:19].replace(":", "-") + "Z"


def _parts(members: Members, export_id: str) -> list[Part]:
    parts = [Part.from_json(part) for part in members.inners("parts")]
    folders = {posixpath.dirname(part.path): part.format for part in parts}
    for part in parts:
        folder = posixpath.dirname(part.path)
        own = posixpath.basename(folder) == export_id
        # Folders are removed when the export is replaced: they must be this export's and no other, one for each format.
        alone = folders[folder] == part.format and len(folders) == len(set(folders.values()))
        if not own or not alone or not is_path(part.path) or part.path.startswith(f"{EXPORTS}/"):
            raise members.error("parts", f"{part.path!r} is not in the export's own folder")
        if not part.path.endswith(PART_ENDINGS):
            raise members.error("parts", f"{part.path!r} is not the name of a part")
    if len({part.path for part in parts}) < len(parts):
        raise members.error("parts", "a part is there twice")
    return parts


def read_columns(members: Members) -> tuple[Column, ...]:
    """The member `columns`. Raises StorageError."""
    columns = tuple(
        Column(
            name=column.utf8_text("name"),
            attribute=None if column.text_or_none("attribute") is None else column.utf8_text("attribute"),
            type=column.parsed("type", parse_type),
            origin=column.parsed("origin", Origin),
            unit=column.parsed("unit", parse_unit) if column.has("unit") else None,
        )
        for column in members.inners("columns")
    )
    if len({column.name for column in columns}) < len(columns):
        raise members.error("columns", "two columns have one name")
    attributes = [column.attribute for column in columns if column.attribute is not None]
    if len(set(attributes)) < len(attributes):
        raise members.error("columns", "two columns are of one attribute")
    return columns


def read_options(members: Members) -> dict[str, object]:
    """Options as they are published. Raises StorageError."""
    for name in filter(members.has, _LISTS_OF_NAMES):
        members.texts(name)
    for name in filter(members.has, _LISTS_OF_PAIRS):
        for pair in members.lists(name):
            if len(pair) != 2 or not all(isinstance(text, str) for text in pair):
                raise members.error(name, "expected pairs of texts")
    return members.values()


def parse_timezone(text: str) -> str:
    """The same text; ValueError for a time zone that is not known."""
    try:
        check_timezone(text)
    except UsageError as error:
        raise ValueError(error.what) from None
    return text


def parse_layout(text: str) -> str:
    """The same text; ValueError for a layout that no run can have had."""
    try:
        check_layout(text)
    except UsageError as error:
        raise ValueError(error.what) from None
    if not is_path(text.rstrip("/")):
        raise ValueError(f"{text!r} is not a folder inside the destination")
    return text
