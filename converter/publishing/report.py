"""The report of a conversion: the outcome, its figures, and the column of each attribute."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, cast, get_args

from converter.export.manifest import ExportKind
from converter.option_values import read_format
from converter.options import OneFormat
from converter.publishing.merge_history import MergeReport
from converter.publishing.times_report import TimesReport
from converter.schema import tags
from converter.schema.column_types import Origin, parse_type
from converter.storage.json_members import Members, members_of
from converter.storage.paths import is_path

Status = Literal["published", "unchanged", "planned"]
ChangeKind = Literal["added", "widened", "unseen"]

NOT_CHECKED = (
    "the data (bad lines, values that do not fit their columns, and new columns)",
    "write access to DEST",
)
"""Facts that a dry run does not check."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_COMPRESSION = re.compile(r"[a-z0-9=,]{1,64}")
# For 1E125 and 1E-130, with 38 digits at most.
MOST_DIGITS = 200


@dataclass(frozen=True, slots=True)
class Part:
    """One published file.

    path: relative to the destination, with `/` between its parts.
    sha256: of its bytes, hex.
    """

    path: str
    rows: int
    bytes: int
    sha256: str

    @property
    def format(self) -> OneFormat:
        """The format that its name says."""
        return format_of(self.path)

    @staticmethod
    def from_json(members: Members) -> Part:
        """The reverse of to_json. Raises StorageError."""
        return Part(members.text("path"), members.count("rows"), members.count("bytes"), members.sha256("sha256"))


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """A difference of a column from the destination's newest record.

    change: added; widened: another type or origin; unseen: no item of this export has a value in it.
    before, after: type and origin, such as `int64` or `string (number as text)`; before is None for an added one.
    """

    column: str
    attribute: str | None
    change: ChangeKind
    before: str | None
    after: str

    @staticmethod
    def from_json(members: Members) -> SchemaChange:
        """The reverse of to_json. Raises StorageError."""
        return SchemaChange(
            members.text("column"),
            members.text_or_none("attribute"),
            members.parsed("change", _change_kind),
            members.text_or_none("before"),
            members.text("after"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnReport:
    """One column, and what was seen of its attribute.

    attribute: None for a column that is not of a single attribute.
    types: DynamoDB's type tags, each with the number of items that have it.
    nulls: items that have the attribute as NULL. absent: items that don't have it.
    integer_digits, decimals: most digits of a number in front of and after its point.
    longest: bytes of the longest text.
    nuls: texts with the character NUL; the options say what happens to it.
    changed: values that the column holds only rounded: numbers as doubles, times as whole seconds.
    times: of a column of times, otherwise None.
    """

    name: str
    attribute: str | None
    type: str
    origin: Origin
    types: Mapping[str, int]
    nulls: int
    absent: int
    integer_digits: int
    decimals: int
    longest: int
    changed: int
    nuls: int = 0
    times: TimesReport | None = None

    def to_json(self) -> dict[str, object]:
        """As reports show it."""
        members = {**members_of(self), "types": dict(sorted(self.types.items()))}
        if self.times is None:
            del members["times"]
        return members

    @staticmethod
    def from_json(members: Members) -> ColumnReport:
        """The reverse of to_json. Raises StorageError."""
        return ColumnReport(
            name=members.utf8_text("name"),
            attribute=members.text_or_none("attribute"),
            type=str(members.parsed("type", parse_type)),
            origin=members.parsed("origin", Origin),
            types=_types(members),
            nulls=members.count("nulls"),
            absent=members.count("absent"),
            integer_digits=_digits(members, "integerDigits"),
            decimals=_digits(members, "decimals"),
            longest=members.count("longest"),
            changed=members.count("changed"),
            nuls=members.count("nuls") if members.has("nuls") else 0,
            times=TimesReport.from_json(members.inner("times")) if members.has("times") else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A conversion's outcome.

    status: published; unchanged: the same had been published before; planned: what a run would do.
    export_time: the last moment that the export knows of, in UTC, as `2023-11-27T06:11:47.109Z`.
    date: of that moment in the time zone of the options.
    locations: the folders of the parts, relative to the destination: one, or one for each format.
    format, compression: with two formats `csv,parquet` and, for example, `csv=none,parquet=zstd`.
    items: of the export, which are rows too.
    bytes_in: compressed bytes of the export. bytes_read: compressed bytes that were read: those of the first
    blocks, which are looked at beforehand, and of the data files once in each pass.
    bytes_json: inflated bytes of the export, of ION those of the JSON that it becomes. bytes_out: of all parts.
    column_changes: how the columns differ from those that the destination had, none at its first export.
    unknown_attributes: those that options or the schema file name, and that neither this export nor an earlier one has.
    verified: were md5 and item counts checked?
    merge: what a snapshot is made of; None for an export. not_checked: what a dry run has not looked at.
    filtered: items of the export that do not satisfy --where, and are not among `items`; None without --where.
    """

    status: Status
    export_id: str
    table: str
    kind: str
    export_time: str
    date: str
    source: str
    destination: str
    locations: tuple[str, ...]
    format: str
    compression: str
    items: int
    data_files: int
    parts: tuple[Part, ...]
    bytes_in: int
    bytes_read: int
    bytes_json: int
    bytes_out: int
    seconds: float
    passes: int
    columns: tuple[ColumnReport, ...]
    column_changes: tuple[SchemaChange, ...]
    warnings: tuple[str, ...]
    verified: bool
    unknown_attributes: tuple[str, ...] = ()
    merge: MergeReport | None = None
    not_checked: tuple[str, ...] = ()
    filtered: int | None = None

    @property
    def rows(self) -> int:
        """Rows that readers find: of all parts in one format."""
        return sum(part.rows for part in self.parts if part.format == self.parts[0].format)

    def to_json(self) -> dict[str, object]:
        """As `--json` and records show it: JSON types, the members always in the same order."""
        members = members_of(self)
        if self.merge is None:
            del members["merge"]
        if not self.not_checked:
            del members["notChecked"]
        if self.filtered is None:
            del members["filtered"]
        return members

    @staticmethod
    def from_json(members: Members, parts: tuple[Part, ...]) -> Report:
        """The reverse of to_json, but for the parts, which records keep beside the report. Raises StorageError."""
        # Records before version 3 have the member under this name.
        changes = "changes" if members.has("changes") else "columnChanges"
        return Report(
            status=members.parsed("status", _status),
            export_id=members.text("exportId"),
            table=members.text("table"),
            kind=members.parsed("kind", ExportKind).value,
            export_time=members.parsed("exportTime", _moment),
            date=members.parsed("date", parse_date),
            source=members.text("source"),
            destination=members.text("destination"),
            locations=_locations(members),
            format=members.parsed("format", read_format),
            compression=members.matching("compression", _COMPRESSION, "a compression"),
            items=members.count("items"),
            data_files=members.count("dataFiles"),
            parts=parts,
            bytes_in=members.count("bytesIn"),
            bytes_read=members.count("bytesRead"),
            bytes_json=members.count("bytesJson"),
            bytes_out=members.count("bytesOut"),
            seconds=members.number("seconds"),
            passes=members.count("passes"),
            columns=tuple(ColumnReport.from_json(column) for column in members.inners("columns")),
            column_changes=tuple(SchemaChange.from_json(change) for change in members.inners(changes)),
            warnings=members.texts("warnings"),
            verified=members.flag("verified"),
            unknown_attributes=members.texts("unknownAttributes") if members.has("unknownAttributes") else (),
            merge=MergeReport.from_json(members.inner("merge")) if members.has("merge") else None,
            filtered=members.count("filtered") if members.has("filtered") else None,
        )


def format_of(path: str) -> OneFormat:
    """The format of a part, by its name."""
    return "parquet" if path.endswith(".parquet") else "csv"


def parse_date(text: str) -> str:
    """The same text, `2023-11-27`; ValueError for what is not a date."""
    if _DATE.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a date such as 2023-11-27")
    date.fromisoformat(text)
    return text


def _moment(text: str) -> str:
    if _MOMENT.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not a moment such as 2023-11-27T06:11:47.109Z")
    datetime.fromisoformat(text)
    return text


def _locations(members: Members) -> tuple[str, ...]:
    locations = members.texts("locations")
    for location in locations:
        if not is_path(location):
            raise members.error("locations", f"{location!r} is not a folder inside the destination")
    return locations


def _types(members: Members) -> dict[str, int]:
    counts = members.counts("types")
    for tag in counts:
        if tag not in tags.TAGS:
            raise members.error("types", f"{tag!r} is not a type of DynamoDB")
    return counts


def _digits(members: Members, name: str) -> int:
    digits = members.count(name)
    if digits > MOST_DIGITS:
        raise members.error(name, f"{digits:,} digits is more than a DynamoDB number can have")
    return digits


def _change_kind(text: str) -> ChangeKind:
    if text not in get_args(ChangeKind):
        raise ValueError(f"{text!r} is not a change")
    return cast(ChangeKind, text)


def _status(text: str) -> Status:
    if text not in get_args(Status):
        raise ValueError(f"{text!r} is not a status")
    return cast(Status, text)
