"""Finds the export that SOURCE names: a folder, a summary, an ARN, or a folder of exports."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TypeVar

from converter.aws.access import AS_THE_ENVIRONMENT_SAYS, AwsOptions
from converter.display import lines
from converter.errors import ExportError, UsageError
from converter.export.manifest import (
    EXPORT_ARN,
    STARTED,
    SUMMARY,
    Export,
    ExportKind,
    Summary,
    find_summary,
    not_finished_error,
    read_export,
    read_summary,
)
from converter.storage import open_source
from converter.storage.schemes import is_local
from converter.storage.source import Source
from converter.utc import EPOCH, format_utc

EXPORTS_FOLDER = "AWSDynamoDB"
"""The folder to which DynamoDB writes exports."""
_DATA_ENDINGS = (".gz", ".json", ".ion")
_LISTED = 20
# Folders that are examined at the same time, because remote storage has a high latency.
_CONCURRENCY = 16
# The time of the request in milliseconds.
_ID = re.compile(r"([0-9]{13,14})-[0-9a-f]{8}")
_CLOCKS_DIFFER = timedelta(minutes=1)

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Found:
    """An export in a folder of exports. newer: folders of later unfinished exports."""

    folder: str
    summary: Summary
    newer: tuple[str, ...] = ()

    def order(self) -> tuple[datetime, str, str]:
        """Return the sort key; the last export is the newest."""
        return self.summary.instant(), self.summary.export_id, self.folder


def open_export(
    text: str,
    aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS,
    *,
    latest: bool = False,
    export_id: str | None = None,
    verify: bool = True,
) -> tuple[Source, Export]:
    """Return the export that SOURCE names, and the source to which the paths of its files are relative.

    text: the folder of an export, its manifest-summary.json, its ARN, or a folder of exports (directly in it, one level
    down, or below AWSDynamoDB folders). If there are several, `latest` chooses the newest by Summary.instant(), and
    `export_id` the export with this id.

    Raises UsageError for several exports without a choice, or if none has the id; ExportError if there is none;
    BusyError for the ARN of an unfinished export; and the errors of read_export.
    """
    is_arn = text.startswith("arn:")
    if is_arn:
        from converter.aws.exports import locate_export

        location = locate_export(check_export_arn(text), aws.for_source())
    else:
        location = source_folder(text)
    source = open_source(location, aws)
    here = find_summary(source)
    if here is not None:
        _check_is_meant(here, text, export_id)
        found = _Found("", here)
    elif is_arn:
        raise ExportError(
            f"{text} is completed, but its {SUMMARY} is missing",
            location,
            "if the export was moved, pass its folder; if it was deleted, export the table again",
        )
    else:
        found = _search(source, latest, export_id)
    warnings = tuple(
        f"{source.child(name)}: skipped this newer export, because it is not finished" for name in found.newer
    )

    chosen = posixpath.join(location, found.folder) if found.folder else location
    source, root_folder = _rooted(chosen, found.summary.kind, aws, None if found.folder else source)
    export = read_export(source, root_folder, summary=found.summary, verify=verify)
    return source, replace(export, source=chosen, warnings=export.warnings + warnings)


def source_folder(text: str) -> str:
    """Return the folder that SOURCE names: the folder of an export, or of exports."""
    folder = posixpath.dirname(text) or "." if posixpath.basename(text) == SUMMARY else text
    folder = folder.rstrip("/")
    return text if folder in ("", "s3:") else folder


def check_export_arn(arn: str) -> str:
    """Return the text. Raises UsageError if it is not the ARN of an export."""
    if EXPORT_ARN.fullmatch(arn) is None:
        raise UsageError(
            "this is not the ARN of an export", arn, "use arn:aws:dynamodb:REGION:ACCOUNT:table/TABLE/export/ID"
        )
    return arn


def _check_is_meant(found: Summary, text: str, export_id: str | None) -> None:
    if text.startswith("arn:") and found.export_arn != text:
        raise ExportError(
            f"the location of {text} contains another export: {found.export_arn}",
            found.source,
            "check which program writes to this folder, or pass the folder of the export",
        )
    if export_id not in (None, found.export_id):
        raise UsageError(
            f"this is the export {found.export_id}, not {export_id}",
            found.source,
            "remove --export-id, or pass a folder with several exports",
        )


def _search(source: Source, latest: bool, export_id: str | None) -> _Found:
    """Return the chosen export among those in a folder of exports."""
    if source.size(STARTED) is not None:
        raise not_finished_error(source, "")
    folders = list(_candidates(source))
    if latest:
        return _newest(source, folders)
    if export_id is not None:
        return _with_id(source, folders, export_id)
    finished, begun = _survey(source, folders)
    if not finished:
        raise _none_found_error(source, begun)
    if len(finished) > 1:
        raise _several_error(source, _read_all(source, finished))
    newer = [name for name in begun if posixpath.basename(name) > posixpath.basename(finished[0])]
    return _Found(finished[0], read_summary(source, finished[0]), tuple(newer))


def _candidates(source: Source) -> Iterator[str]:
    """Yield the folders below the root that may be exports."""
    above = posixpath.basename(source.root.rstrip("/"))
    for top in _folders(source, ""):
        yield top
        name = posixpath.basename(top)
        # A list of the files of an export, or of the data of many incremental exports, takes long.
        if above == EXPORTS_FOLDER or _ID.fullmatch(name):
            continue
        below = top if name == EXPORTS_FOLDER else posixpath.join(top, EXPORTS_FOLDER)
        if below == top or below in _folders(source, top):
            yield from _folders(source, below)


def _folders(source: Source, path: str) -> list[str]:
    return [posixpath.join(path, name) for name in source.folders(path)]


def _survey(source: Source, folders: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the sorted folders of finished exports, and of started exports without a summary."""

    def is_finished(folder: str) -> bool | None:
        if source.size(posixpath.join(folder, SUMMARY)) is not None:
            return True
        return None if source.size(posixpath.join(folder, STARTED)) is None else False

    states = list(zip(folders, _each(is_finished, folders), strict=True))
    finished, begun = ([folder for folder, state in states if state is wanted] for wanted in (True, False))
    return sorted(finished), sorted(begun)


def _read_all(source: Source, finished: Sequence[str]) -> list[_Found]:
    """Return the exports, the newest last."""
    summaries = _each(lambda folder: read_summary(source, folder), finished)
    return sorted(map(_Found, finished, summaries), key=_Found.order)


def _each(ask: Callable[[str], Answer], folders: Sequence[str]) -> list[Answer]:
    with ThreadPoolExecutor(_CONCURRENCY, thread_name_prefix="find-exports") as pool:
        return list(pool.map(ask, folders))


def _newest(source: Source, folders: Sequence[str]) -> _Found:
    """Return the newest export, without reading the summaries of those that can't be the newest.

    An export does not contain the future, so its time is not later than the time in its id.
    """
    best: _Found | None = None
    begun: list[str] = []
    for bound, folder in sorted(((_last_moment(folder), folder) for folder in folders), reverse=True):
        if best is not None and bound < best.summary.instant():
            break
        summary = find_summary(source, folder)
        if summary is not None:
            found = _Found(folder, summary)
            best = found if best is None else max(best, found, key=_Found.order)
        elif source.size(posixpath.join(folder, STARTED)) is not None:
            begun.append(folder)
    if best is None:
        raise _none_found_error(source, sorted(begun))
    name = posixpath.basename(best.folder)
    return replace(best, newer=tuple(sorted(folder for folder in begun if posixpath.basename(folder) > name)))


def _last_moment(folder: str) -> datetime:
    """Return the upper limit for the time of the export in the folder."""
    match = _ID.fullmatch(posixpath.basename(folder))
    if match is None:
        return datetime.max.replace(tzinfo=UTC)
    return EPOCH + timedelta(milliseconds=int(match[1])) + _CLOCKS_DIFFER


def _with_id(source: Source, folders: Sequence[str], export_id: str) -> _Found:
    """Return the export with this id. The folder of a copied export can have any name."""
    named = [folder for folder in folders if posixpath.basename(folder) == export_id]
    summaries = [(folder, find_summary(source, folder)) for folder in named]
    matches = [_Found(folder, summary) for folder, summary in summaries if summary and summary.export_id == export_id]
    found: list[_Found] = []
    if not matches:
        finished, begun = _survey(source, folders)
        found = _read_all(source, finished)
        matches = [entry for entry in found if entry.summary.export_id == export_id]
        unfinished = [folder for folder in begun if posixpath.basename(folder) == export_id]
        if not matches and (unfinished or not found):
            raise _none_found_error(source, unfinished or begun)
    if not matches:
        raise UsageError(f"no export has the id {export_id}", source.root, lines("the exports are:", *_rows(found)))
    if len(matches) > 1:
        raise _several_error(source, matches)
    return matches[0]


def _none_found_error(source: Source, begun: list[str]) -> ExportError:
    if begun:
        return not_finished_error(source, begun[-1])
    if not source.is_there():
        return ExportError(
            "no such folder: there are no objects with this prefix",
            f"{source.root}/",
            "pass the folder with the export",
        )
    without = _data_without_manifests(source)
    if without is not None:
        return ExportError(
            f"there are data files, but no {SUMMARY}",
            source.child(without),
            "if DynamoDB wrote this export, copy its complete folder; exports of emulators without manifests are not"
            " supported",
        )
    looked = (SUMMARY, f"*/{SUMMARY}", f"{EXPORTS_FOLDER}/*/{SUMMARY}", f"*/{EXPORTS_FOLDER}/*/{SUMMARY}")
    return ExportError(
        f"no export found; searched for {', '.join(looked)}",
        source.root,
        "pass the folder with manifest-summary.json",
    )


def _data_without_manifests(source: Source) -> str | None:
    """Return the first candidate with files in its `data` folder, or None."""
    for folder in ("", *islice(_candidates(source), _LISTED)):
        if any(name.endswith(_DATA_ENDINGS) for name in source.sizes(posixpath.join(folder, "data"))):
            return folder
    return None


def _several_error(source: Source, found: list[_Found]) -> UsageError:
    return UsageError(
        f"{len(found)} exports found, but only one can be converted",
        source.root,
        lines("pass the folder of one export, or add --export-id or --latest:", *_rows(found)),
    )


def _rows(found: list[_Found]) -> list[str]:
    older = len(found) - _LISTED
    rows = [f"  … and {older} older ones"] if older > 0 else []
    table = max(len(entry.summary.table) for entry in found)
    for entry in found[-_LISTED:]:
        summary = entry.summary
        time = format_utc(summary.instant())
        rows.append(f"  {time}  {summary.table:<{table}}  {summary.kind:<7}  {summary.items:>12} items  {entry.folder}")
    return rows


def _rooted(location: str, kind: ExportKind, aws: AwsOptions, opened: Source | None) -> tuple[Source, str]:
    """Return the source of the files of an export, and its folder in it. opened: an open source of the folder, if any.

    The folder of a full export is the root, so no files outside of it can be read. The data files of an incremental
    export are in a sibling folder, so the parent is the root, unless the export was copied alone with its data.
    """
    source = opened or open_source(location, aws)
    if kind is ExportKind.ITEMS:
        return source, ""
    parent, name = os.path.split(_with_a_name(location)) if is_local(location) else posixpath.split(location)
    # A whole bucket has no parent: the rest of its address is not a place.
    is_bucket = is_local(parent) and not is_local(location)
    alone = is_bucket or ("data" in source.folders("") and posixpath.basename(parent) != EXPORTS_FOLDER)
    return (source, "") if alone else (open_source(parent or ".", aws), name)


def _with_a_name(location: str) -> str:
    """Return the path of a folder that ends in its real name, so that its parent is the real parent."""
    path = location.rstrip("/")
    return os.path.realpath(location) if posixpath.basename(path) in ("", ".", "..") or os.path.islink(path) else path
