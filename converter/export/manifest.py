"""The two manifests of an export as checked, frozen objects: its summary and its list of data files.

The layout is described in
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from converter.display import has_control_characters
from converter.errors import DataFileError, ManifestError
from converter.export.data_files import DataFile, DataFiles, ListedTwiceError, ManifestLines, collect_files
from converter.export.manifest_members import WRITTEN_BY_OTHERS, ManifestMembers, parse_object
from converter.storage.source import Source

SUMMARY = "manifest-summary.json"
FILES = "manifest-files.json"
STARTED = "_started"
COPY_AGAIN = "copy the export again from its bucket, completely and unchanged"
_VERSIONS = ("2020-06-30", "2023-08-01")
_FORMATS = ("DYNAMODB_JSON", "ION")
_VIEWS = ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")
# Emulators have other regions and accounts, or none.
_TABLE_ARN = r"arn:[A-Za-z0-9_-]+:dynamodb:[A-Za-z0-9_-]*:[A-Za-z0-9_-]*:table/([A-Za-z0-9_.-]+)"
TABLE_ARN = re.compile(_TABLE_ARN)
"""Group: the name of the table."""
EXPORT_ARN = re.compile(rf"({_TABLE_ARN})/export/([A-Za-z0-9][A-Za-z0-9_.-]*)")
"""Groups: the ARN of the table, its name, and the id of the export."""
_MISSING_SHOWN = 5
_MISSING_COUNTED = 1000
_LONGEST_ENTRY = 1 << 16
_ENTRY = re.compile(
    rb'\{"itemCount":(0|[1-9][0-9]{0,17}),"md5Checksum":"([A-Za-z0-9+/]{22}==)","etag":"[0-9A-Za-z-]*",'
    rb'"dataFileS3Key":"([^"\\\x00-\x1f]*/)([A-Za-z0-9_-][A-Za-z0-9_.-]*)"\}'
)
"""An entry in the form that DynamoDB writes: items, md5, folder and name."""


class ExportKind(StrEnum):
    """Kind of the rows."""

    ITEMS = "items"
    CHANGES = "changes"
    SNAPSHOT = "snapshot"
    """Items of a merge, from several exports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Contents of manifest-summary.json.

    export_id: last part of the ARN (the folder of a copied export can have any name).
    export_time: None for changes. from_time (inclusive), to_time (exclusive), output_view: None for items.
    billed_size_bytes: size that AWS charged for, which is not the size of the data files.
    source: folder of the export, as the user writes it.
    warnings: problems of the manifests that are not errors.
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
        """Return the time of the export, or the last millisecond inside its window."""
        if self.to_time is not None:
            return self.to_time - timedelta(milliseconds=1)
        if self.export_time is None:
            raise ValueError("an export has either a time or a window")
        return self.export_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Export(Summary):
    """An export: its summary and its data files, in the order of the manifest."""

    files: Sequence[DataFile]


def read_export(source: Source, folder: str = "", *, summary: Summary | None = None, verify: bool = True) -> Export:
    """Read both manifests of the export in `folder`, relative to the root of the source.

    summary: the summary of this folder, if it was read already.

    The data files of a full export are in `folder/data`. Those of an incremental export are in the sibling `data` of
    `folder`, which all incremental exports share; if `folder` is the root of the source (a copy of one export), they
    are in `data`.

    Raises ManifestError if a manifest is missing or not in the form of DynamoDB, or if it names a file twice or a file
    outside of the export. A checksum mismatch of the summary is a warning, because users edit it. A checksum mismatch
    of the list of files is an error, because nothing else protects the list, and so is a total of item counts that
    differs from the summary. With verify=False both are warnings.
    """
    summary = summary or read_summary(source, folder)
    place, warnings = source.child(posixpath.join(folder, FILES)), list(summary.warnings)
    files, problem = _read_files(source, place, summary, folder, verify=verify)
    if problem:
        warnings.append(f"{place}: {problem}")
    listed = sum(file.items for file in files)
    if listed != summary.items:
        problem = f"item count mismatch: {listed} in the data files together, {summary.items} in {SUMMARY}"
        if verify:
            raise ManifestError(problem, place, f"{COPY_AGAIN}, or pass --no-verify if it was edited on purpose")
        warnings.append(f"{place}: {problem}")
    return Export(**{**asdict(summary), "warnings": tuple(warnings)}, files=files)


def read_summary(source: Source, folder: str = "") -> Summary:
    """Read only manifest-summary.json. Raises ManifestError as read_export does."""
    summary = find_summary(source, folder)
    if summary is not None:
        return summary
    if source.size(posixpath.join(folder, STARTED)) is not None:
        raise not_finished_error(source, folder)
    raise _missing_error(source, posixpath.join(folder, SUMMARY))


def find_summary(source: Source, folder: str = "") -> Summary | None:
    """Return the summary of the export in the folder, or None if the file does not exist."""
    path = posixpath.join(folder, SUMMARY)
    content, place = source.find(path), source.child(path)
    if content is None:
        return None
    members = ManifestMembers(parse_object(content, place, 1), place)
    problem = _checksum_problem(source, folder, SUMMARY, hashlib.md5(content, usedforsecurity=False).digest())
    warnings = [f"{place}: {problem}"] if problem else []
    version = members.text_or_none("version")
    if version not in _VERSIONS:
        warnings.append(f"{place}: version {version!r} is unknown; the known versions are {' and '.join(_VERSIONS)}")

    arn = members.text("exportArn")
    match = EXPORT_ARN.fullmatch(arn)
    if match is None:
        raise members.error("exportArn", f"{arn!r} is not the ARN of an export")
    table_arn, table, export_id = match.groups()
    if members.text("tableArn") != table_arn:
        raise members.error("tableArn", f"{members.text('tableArn')!r} is not the table of the export {arn!r}")
    kind = _kind(members)
    changes = kind is ExportKind.CHANGES
    from_time, to_time = (members.time("exportFromTime"), members.time("exportToTime")) if changes else (None, None)
    if from_time and to_time and from_time >= to_time:
        raise members.error("exportToTime", "the window does not end after it begins")
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


def not_finished_error(source: Source, folder: str) -> ManifestError:
    """Return the error for a folder with `_started`, but without a summary."""
    return ManifestError(
        f"the export was started, but has no {SUMMARY}: it is not finished, or its copy is incomplete",
        source.child(folder),
        "wait until `aws dynamodb describe-export` reports COMPLETED, then copy the complete folder",
    )


def check_files(source: Source, export: Export, hint: str = COPY_AGAIN) -> int:
    """Return the compressed bytes of all data files. Raises DataFileError with the hint if a file is missing."""
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
            # Each missing file needs a request, which takes hours for a million files in S3.
            break
    if missing:
        most = "at least " if missing == _MISSING_COUNTED else ""
        names = ", ".join(shown + (["…"] if missing > _MISSING_SHOWN else []))
        what = f"{most}{missing} of {len(export.files)} data files {'is' if missing == 1 else 'are'} missing: {names}"
        raise DataFileError(what, export.source, hint)
    return total


def _kind(members: ManifestMembers) -> ExportKind:
    # Full exports by DynamoDB do not have this member.
    if members.text_or_none("exportType") is None:
        return ExportKind.ITEMS
    full = members.choice("exportType", ("FULL_EXPORT", "INCREMENTAL_EXPORT")) == "FULL_EXPORT"
    return ExportKind.ITEMS if full else ExportKind.CHANGES


def _read_files(
    source: Source, place: str, summary: Summary, folder: str, *, verify: bool
) -> tuple[DataFiles, str | None]:
    """Return the data files, and the checksum problem of their list, which takes precedence over other errors."""
    parent = posixpath.dirname(folder) if summary.kind is ExportKind.CHANGES else folder
    path = posixpath.join(folder, FILES)
    file = source.find_file(path)
    if file is None:
        raise _missing_error(source, path)
    failure, files = None, None
    with file:
        lines = ManifestLines(file, _LONGEST_ENTRY)
        try:
            entries = _entries(lines, place, summary)
            files = collect_files(posixpath.join(parent, "data"), entries, in_ion=summary.output_format == "ION")
        except ListedTwiceError as error:
            text = f"dataFileS3Key: {error.name!r} is already listed in line {error.first}"
            failure = ManifestError(text, f"{place} line {error.second}", WRITTEN_BY_OTHERS)
        except ManifestError as error:
            failure = error
        except ValueError as error:
            failure = ManifestError(f"{error}, unlike the list of an export", place, WRITTEN_BY_OTHERS)
        problem = _checksum_problem(source, folder, FILES, lines.md5())
    if problem and verify:
        raise ManifestError(problem, place, f"{COPY_AGAIN}, or pass --no-verify if it was edited on purpose")
    if files is None:
        assert failure is not None
        raise failure
    return files, problem


def _entries(lines: Iterable[bytes], place: str, summary: Summary) -> Iterator[tuple[int, str, int, bytes]]:
    """Yield the line number, name, items and md5 of each data file."""
    # Lines in the form of DynamoDB, with the folder of the previous line, are parsed four times as fast.
    checked = b""
    for number, line in enumerate(lines, start=1):
        match = _ENTRY.fullmatch(line)
        if match is not None and match[3] == checked:
            yield number, match[4].decode(), int(match[1]), binascii.a2b_base64(match[2])
            continue
        if not line.strip():
            continue
        members = ManifestMembers(parse_object(line, place, number), f"{place} line {number}")
        members.text_or_none("etag")
        name = _file_name(members.text("dataFileS3Key"), summary, members)
        yield number, name, members.count("itemCount"), members.md5("md5Checksum")
        checked = match[3] if match is not None else b""


def _file_name(key: str, summary: Summary, members: ManifestMembers) -> str:
    """Return the last part of a key. The rest is only checked: a copied export has the keys of its original bucket."""
    parts = key.split("/")
    tail = ["AWSDynamoDB", "data"] if summary.kind is ExportKind.CHANGES else ["AWSDynamoDB", summary.export_id, "data"]
    # A prefix with a leading slash has it in the bucket too.
    absolute = key.startswith("/") and not (summary.s3_prefix or "").startswith("/")
    unsafe = ".." in parts or "\\" in parts[-1] or parts[-1] in ("", ".")
    if absolute or unsafe or has_control_characters(key):
        raise members.error("dataFileS3Key", f"{key!r} can't be the key of a data file")
    if parts[-len(tail) - 1 : -1] != tail:
        raise members.error("dataFileS3Key", f"{key!r} is not in this export's {'/'.join(tail)}/")
    return parts[-1]


def _missing_error(source: Source, path: str) -> ManifestError:
    return ManifestError(f"{posixpath.basename(path)} is missing", source.child(path), COPY_AGAIN)


def _checksum_problem(source: Source, folder: str, name: str, md5: bytes) -> str | None:
    """Return the checksum problem of a manifest, or None if the checksum object matches or does not exist.

    The object is called `.md5` in exports, and `.checksum` in parts of the AWS documentation.
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
    wanted = expected[:24].decode("ascii", "replace")
    return f"md5 mismatch: {wanted!r} in {posixpath.basename(path)}, {actual.decode()!r} in the file"
