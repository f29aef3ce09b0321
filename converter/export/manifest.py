"""An export's two manifests, checked and as frozen objects: which export this is and which data files it consists of.

The layout, member by member, is in
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from converter.display import has_control_characters
from converter.errors import DataFileError, ManifestError, json_reason
from converter.export.data_files import MOST_ITEMS, DataFile, DataFiles, ListedTwiceError, ManifestLines, collect_files
from converter.storage.source import Source

SUMMARY = "manifest-summary.json"
FILES = "manifest-files.json"
STARTED = "_started"
COPY_AGAIN = "copy the export again from its bucket, completely and unchanged"
_WRITTEN_BY_OTHERS = (
    "if DynamoDB wrote this export, copy it again from its bucket, completely and unchanged;"
    " exports in the form of emulators and migration tools are not supported"
)

_VERSIONS = ("2020-06-30", "2023-08-01")
_FORMATS = ("DYNAMODB_JSON", "ION")
_VIEWS = ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")
# Emulators have regions and accounts of their own, or none.
_TABLE_ARN = r"arn:[A-Za-z0-9_-]+:dynamodb:[A-Za-z0-9_-]*:[A-Za-z0-9_-]*:table/([A-Za-z0-9_.-]+)"
TABLE_ARN = re.compile(_TABLE_ARN)
"""Group: the table's name."""
EXPORT_ARN = re.compile(rf"({_TABLE_ARN})/export/([A-Za-z0-9][A-Za-z0-9_.-]*)")
"""Groups: the table's ARN, the table's name, the export's id."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
_MISSING_SHOWN = 5
_MISSING_COUNTED = 1000
_LONGEST_ENTRY = 1 << 16
_ENTRY = re.compile(
    rb'\{"itemCount":(0|[1-9][0-9]{0,17}),"md5Checksum":"([A-Za-z0-9+/]{22}==)","etag":"[0-9A-Za-z-]*",'
    rb'"dataFileS3Key":"([^"\\\x00-\x1f]*/)([A-Za-z0-9_-][A-Za-z0-9_.-]*)"\}'
)
"""An entry as the service writes it: items, md5, folder and name."""


class ExportKind(StrEnum):
    """What the lines of the data files are."""

    ITEMS = "items"
    CHANGES = "changes"
    SNAPSHOT = "snapshot"
    """Items that a merge has made: of no single export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What manifest-summary.json says of an export.

    export_id: the last part of the ARN (a copied export's folder may have any name).
    export_time: None for changes. from_time (inclusive), to_time (exclusive), output_view: None for items.
    billed_size_bytes: what AWS charged for; it says nothing about the data files.
    source: the export's folder, as the user would write it.
    warnings: what is odd about the manifests, but no reason to stop.
    """

    export_id: str
    export_arn: str
    table_arn: str
    table: str
    table_id: str
    kind: ExportKind
    output_format: str
    export_time: datetime | None
    from_time: datetime | None
    to_time: datetime | None
    output_view: str | None
    items: int
    billed_size_bytes: int
    s3_prefix: str | None
    source: str
    warnings: tuple[str, ...]

    def instant(self) -> datetime:
        """The last moment that the export knows of: its time, or the last millisecond inside its window."""
        if self.to_time is not None:
            return self.to_time - timedelta(milliseconds=1)
        if self.export_time is None:
            raise ValueError("an export has either a time or a window")
        return self.export_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Export(Summary):
    """An export: its summary and its data files, in the manifest's order."""

    files: Sequence[DataFile]


def read_export(source: Source, folder: str = "", *, summary: Summary | None = None, verify: bool = True) -> Export:
    """Reads both manifests of the export in `folder` (relative to the source's root).

    summary: that of this folder, if it has been read already.

    The data files of a full export are in `folder/data`. Those of an incremental export are in `data` beside `folder`,
    shared by all incremental exports; when `folder` is the source's root (an export that was copied alone), in `data`.

    Raises ManifestError when a manifest is missing, is not what the service writes, names a file twice or one outside
    of the export. A wrong checksum of the summary is a warning, because people edit it. A wrong checksum of the list
    of files is an error, because nothing else guards the list; so is a sum of item counts other than the summary's.
    With verify=False both are warnings.
    """
    summary = summary or read_summary(source, folder)
    place, warnings = source.child(posixpath.join(folder, FILES)), list(summary.warnings)
    files, problem = _read_files(source, place, summary, folder, verify=verify)
    if problem:
        warnings.append(f"{place}: {problem}")
    listed = sum(file.items for file in files)
    if listed != summary.items:
        problem = f"the data files have {listed} items together, but {SUMMARY} says {summary.items}"
        if verify:
            raise ManifestError(problem, place, f"{COPY_AGAIN}, or pass --no-verify if it was edited on purpose")
        warnings.append(f"{place}: {problem}")
    return Export(**{**asdict(summary), "warnings": tuple(warnings)}, files=files)


def read_summary(source: Source, folder: str = "") -> Summary:
    """Reads manifest-summary.json alone. Raises ManifestError as read_export does."""
    summary = find_summary(source, folder)
    if summary is not None:
        return summary
    if source.size(posixpath.join(folder, STARTED)) is not None:
        raise not_finished(source, folder)
    raise _missing(source, posixpath.join(folder, SUMMARY))


def find_summary(source: Source, folder: str = "") -> Summary | None:
    """The summary of the export in the folder, None when there is no file of its name."""
    path = posixpath.join(folder, SUMMARY)
    content, place = source.find(path), source.child(path)
    if content is None:
        return None
    members = _Members(_parse(content, place, 1), place)
    problem = _checksum_problem(source, folder, SUMMARY, hashlib.md5(content, usedforsecurity=False).digest())
    warnings = [f"{place}: {problem}"] if problem else []
    version = members.text_or_none("version")
    if version not in _VERSIONS:
        warnings.append(f"{place}: version {version!r} is not known; known are {' and '.join(_VERSIONS)}")

    arn = members.text("exportArn")
    match = EXPORT_ARN.fullmatch(arn)
    if match is None:
        raise members.error("exportArn", f"{arn!r} is not the ARN of an export")
    table_arn, table, export_id = match.groups()
    if members.text("tableArn") != table_arn:
        raise members.error("tableArn", f"{members.text('tableArn')!r} is not the table of {arn!r}")
    kind = _kind(members)
    changes = kind is ExportKind.CHANGES
    from_time, to_time = (members.time("exportFromTime"), members.time("exportToTime")) if changes else (None, None)
    if from_time and to_time and from_time >= to_time:
        raise members.error("exportToTime", "the window ends before it begins")
    return Summary(
        export_id=export_id,
        export_arn=arn,
        table_arn=table_arn,
        table=table,
        table_id=members.text("tableId"),
        kind=kind,
        output_format=members.choice("outputFormat", _FORMATS),
        export_time=None if changes else members.time("exportTime"),
        from_time=from_time,
        to_time=to_time,
        output_view=members.choice("outputView", _VIEWS) if changes else None,
        items=members.count("itemCount"),
        billed_size_bytes=members.count("billedSizeBytes"),
        s3_prefix=members.text_or_none("s3Prefix"),
        source=source.child(folder),
        warnings=tuple(warnings),
    )


def not_finished(source: Source, folder: str) -> ManifestError:
    """The error for a folder with `_started`, but without a summary."""
    return ManifestError(
        f"the export has begun, but has no {SUMMARY}: it is not finished, or it is copied only in part",
        source.child(folder),
        "wait until `aws dynamodb describe-export` says COMPLETED, then copy all of its folder",
    )


def check_files(source: Source, export: Export, hint: str = COPY_AGAIN) -> int:
    """Compressed bytes of all data files. Raises DataFileError when one of them is not there; hint: what to do then."""
    listed = {folder: source.sizes(folder) for folder in {posixpath.dirname(file.path) for file in export.files}}
    total, missing, shown = 0, 0, list[str]()
    for file in export.files:
        folder, name = posixpath.split(file.path)
        size = listed[folder].get(name)
        if size is None:
            size = source.size(file.path)
        if size is not None:
            total += size
            continue
        missing += 1
        if missing <= _MISSING_SHOWN:
            shown.append(source.child(file.path))
        if missing == _MISSING_COUNTED:
            # Each of them is asked for alone, which takes hours for a million in S3.
            break
    if missing:
        most = "at least " if missing == _MISSING_COUNTED else ""
        names = ", ".join(shown + (["…"] if missing > _MISSING_SHOWN else []))
        what = f"{most}{missing} of {len(export.files)} data files are missing: {names}"
        raise DataFileError(what, export.source, hint)
    return total


def _kind(members: _Members) -> ExportKind:
    # Real full exports do not have the member at all.
    if members.text_or_none("exportType") is None:
        return ExportKind.ITEMS
    full = members.choice("exportType", ("FULL_EXPORT", "INCREMENTAL_EXPORT")) == "FULL_EXPORT"
    return ExportKind.ITEMS if full else ExportKind.CHANGES


def _read_files(
    source: Source, place: str, summary: Summary, folder: str, *, verify: bool
) -> tuple[DataFiles, str | None]:
    """The data files, and what is wrong with the checksum of their list, which is an error before all others."""
    beside = posixpath.dirname(folder) if summary.kind is ExportKind.CHANGES else folder
    path = posixpath.join(folder, FILES)
    file = source.find_file(path)
    if file is None:
        raise _missing(source, path)
    wrong, files = None, None
    with file:
        lines = ManifestLines(file, _LONGEST_ENTRY)
        try:
            entries = _entries(lines, place, summary)
            files = collect_files(posixpath.join(beside, "data"), entries, in_ion=summary.output_format == "ION")
        except ListedTwiceError as error:
            text = f"dataFileS3Key: {error.name!r} is already listed in line {error.first}"
            wrong = ManifestError(text, f"{place} line {error.second}", _WRITTEN_BY_OTHERS)
        except ManifestError as error:
            wrong = error
        except ValueError as error:
            wrong = ManifestError(f"{error}, which no list of data files has", place, _WRITTEN_BY_OTHERS)
        problem = _checksum_problem(source, folder, FILES, lines.md5())
    if problem and verify:
        raise ManifestError(problem, place, f"{COPY_AGAIN}, or pass --no-verify if it was edited on purpose")
    if files is None:
        assert wrong is not None
        raise wrong
    return files, problem


def _entries(lines: Iterable[bytes], place: str, summary: Summary) -> Iterator[tuple[int, str, int, bytes]]:
    """Number of the line, name, items and md5 of each data file."""
    # Lines that are as the service writes them, in the folder of the line before, are read four times as fast.
    checked = b""
    for number, line in enumerate(lines, start=1):
        match = _ENTRY.fullmatch(line)
        if match is not None and match[3] == checked:
            yield number, match[4].decode(), int(match[1]), binascii.a2b_base64(match[2])
            continue
        if not line.strip():
            continue
        members = _Members(_parse(line, place, number), f"{place} line {number}")
        members.text_or_none("etag")
        name = _file_name(members.text("dataFileS3Key"), summary, members)
        yield number, name, members.count("itemCount"), members.md5("md5Checksum")
        checked = match[3] if match is not None else b""


def _file_name(key: str, summary: Summary, members: _Members) -> str:
    """The last part of a key. All before it is only compared: a copied export keeps the keys of its first bucket."""
    parts = key.split("/")
    tail = ["AWSDynamoDB", "data"] if summary.kind is ExportKind.CHANGES else ["AWSDynamoDB", summary.export_id, "data"]
    # A prefix given with a leading slash is one in the bucket too.
    absolute = key.startswith("/") and not (summary.s3_prefix or "").startswith("/")
    unsafe = ".." in parts or "\\" in parts[-1] or parts[-1] in ("", ".")
    if absolute or unsafe or has_control_characters(key):
        raise members.error("dataFileS3Key", f"{key!r} can't be the key of a data file")
    if parts[-len(tail) - 1 : -1] != tail:
        raise members.error("dataFileS3Key", f"{key!r} is not in this export's {'/'.join(tail)}/")
    return parts[-1]


def _missing(source: Source, path: str) -> ManifestError:
    return ManifestError(f"there is no {posixpath.basename(path)}", source.child(path), COPY_AGAIN)


def _checksum_problem(source: Source, folder: str, name: str, md5: bytes) -> str | None:
    """What is wrong with a manifest by its checksum object, if it has one.

    Real exports call the object `.md5`; AWS's documentation says `.checksum` in places.
    """
    stem = posixpath.join(folder, name.removesuffix(".json"))
    for path in (f"{stem}.md5", f"{stem}.checksum"):
        found = source.find(path)
        if found is not None:
            break
    else:
        return None
    expected = found.strip()
    actual = base64.b64encode(md5)
    if expected == actual:
        return None
    says = expected[:24].decode("ascii", "replace")
    return f"md5 mismatch: {posixpath.basename(path)} says {says!r}, the file has {actual.decode()!r}"


def _parse(content: bytes, place: str, first_line: int) -> dict[str, object]:
    """A JSON object. Editors may have put a byte order mark before it."""
    try:
        value = _STRICT.decode(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        line = first_line + (error.lineno - 1 if isinstance(error, json.JSONDecodeError) else 0)
        reason = json_reason(error) if isinstance(error, json.JSONDecodeError) else str(error)
        raise ManifestError(f"not JSON: {reason}", f"{place} line {line}", _WRITTEN_BY_OTHERS) from None
    if not isinstance(value, dict):
        raise ManifestError("not a JSON object", f"{place} line {first_line}", _WRITTEN_BY_OTHERS)
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is there twice")
    return members


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no number")


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)


class _Members:
    """Typed access to the members of one JSON object of a manifest; unknown ones are nobody's business."""

    def __init__(self, members: dict[str, object], place: str) -> None:
        self._members = members
        self._place = place

    def error(self, name: str, problem: str) -> ManifestError:
        return ManifestError(f"{name}: {problem}", self._place, _WRITTEN_BY_OTHERS)

    def text(self, name: str) -> str:
        value = self._get(name)
        if not isinstance(value, str):
            raise self.error(name, f"expected text, got {json.dumps(value)[:80]}")
        return value

    def text_or_none(self, name: str) -> str | None:
        return None if self._members.get(name) is None else self.text(name)

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name)
        if value not in allowed:
            raise self.error(name, f"{value!r} is neither {' nor '.join(allowed)}")
        return value

    def count(self, name: str) -> int:
        value = self._get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_ITEMS:
            raise self.error(name, f"expected a count, got {json.dumps(value)[:80]}")
        return value

    def time(self, name: str) -> datetime:
        value = self.text(name)
        try:
            if _TIME.fullmatch(value):
                return datetime.fromisoformat(value)
        except ValueError:
            pass
        raise self.error(name, f"{value!r} is no time such as 2024-05-27T06:11:47.109Z")

    def md5(self, name: str) -> bytes:
        value = self.text(name)
        try:
            digest = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            digest = b""
        if len(digest) != 16:
            raise self.error(name, f"{value!r} is not the base64 of an md5")
        return digest

    def _get(self, name: str) -> object:
        if name not in self._members:
            raise self.error(name, "missing")
        return self._members[name]
