"""From what the user calls SOURCE to one export: its folder, its summary's path, or a folder that holds exports."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from dataclasses import replace

from converter.aws.access import AS_THE_ENVIRONMENT_SAYS, AwsOptions
from converter.errors import ExportError, UsageError
from converter.export.manifest import STARTED, SUMMARY, Export, Kind, Summary, not_finished, read_export, read_summary
from converter.storage import open_source
from converter.storage.source import Source

_EXPORTS = "AWSDynamoDB"
_LISTED = 20


def open_export(
    text: str, aws: AwsOptions = AS_THE_ENVIRONMENT_SAYS, *, latest: bool = False, verify: bool = True
) -> tuple[Source, Export]:
    """The export that SOURCE means, and the source that its files' paths are relative to.

    text: an export's folder, its manifest-summary.json, or a folder that holds exports (its own, one level down, or
    below AWSDynamoDB folders). If it holds several, `latest` takes the newest by Summary.instant().

    Raises UsageError for several exports without `latest`, ExportError if there is none, and what read_export raises.
    """
    location = _folder_of(text)
    source = open_source(location, aws)
    finished, begun = _search(source)
    if not finished:
        raise _none_found(source, begun)
    folder = finished[0] if len(finished) == 1 else _choose(source, finished, latest)
    newer = [name for name in begun if posixpath.basename(name) > posixpath.basename(folder)]
    warnings = tuple(f"{source.child(name)}: a newer export, not finished yet, is passed over" for name in newer)

    chosen = _inside(location, folder)
    source, root_folder = _rooted(chosen, aws)
    export = read_export(source, root_folder, verify=verify)
    return source, replace(export, source=chosen, warnings=export.warnings + warnings)


def _folder_of(text: str) -> str:
    folder = posixpath.dirname(text) or "." if posixpath.basename(text) == SUMMARY else text
    return folder.rstrip("/") or folder


def find_exports(source: Source) -> list[str]:
    """Folders that hold an export with its summary, relative to the source's root: sorted, `""` for the root itself."""
    return _search(source)[0]


def _search(source: Source) -> tuple[list[str], list[str]]:
    """Folders with a summary, and folders of exports that have begun but have none."""
    finished: list[str] = []
    begun: list[str] = []
    for folder in _candidates(source):
        if source.size(posixpath.join(folder, SUMMARY)) is not None:
            finished.append(folder)
        elif source.size(posixpath.join(folder, STARTED)) is not None:
            begun.append(folder)
        if folder == "" and finished + begun:
            break
    return sorted(finished), sorted(begun)


def _candidates(source: Source) -> Iterator[str]:
    yield ""
    for top in _folders(source, ""):
        yield top
        below = top if posixpath.basename(top) == _EXPORTS else posixpath.join(top, _EXPORTS)
        if below == top or below in _folders(source, top):
            yield from _folders(source, below)


def _folders(source: Source, path: str) -> list[str]:
    return [posixpath.join(path, name) for name in source.folders(path)]


def _none_found(source: Source, begun: list[str]) -> ExportError:
    if begun:
        return not_finished(source, begun[-1])
    looked = (SUMMARY, f"*/{SUMMARY}", f"{_EXPORTS}/*/{SUMMARY}", f"*/{_EXPORTS}/*/{SUMMARY}")
    return ExportError(
        f"no export is here; looked for {', '.join(looked)}",
        source.root,
        "name the folder that holds manifest-summary.json",
    )


def _choose(source: Source, folders: list[str], latest: bool) -> str:
    found = sorted(
        ((read_summary(source, folder), folder) for folder in folders),
        key=lambda entry: (entry[0].instant(), entry[0].export_id, entry[1]),
    )
    if latest:
        return found[-1][1]
    raise UsageError(
        f"{len(found)} exports are here, and only one can be meant",
        source.root,
        "name the folder of one, or pass --latest for the newest:\n" + "\n".join(_rows(found)),
    )


def _rows(found: list[tuple[Summary, str]]) -> list[str]:
    older = len(found) - _LISTED
    rows = [f"  … and {older} older ones"] if older > 0 else []
    table = max(len(summary.table) for summary, _ in found)
    for summary, folder in found[-_LISTED:]:
        time = summary.instant().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        rows.append(f"  {time}  {summary.table:<{table}}  {summary.kind:<7}  {summary.items:>12} items  {folder}")
    return rows


def _rooted(location: str, aws: AwsOptions) -> tuple[Source, str]:
    """The source to read an export's files from, and its folder there.

    A full export is its own root, so nothing outside of it can be read. The data files of an incremental export are
    beside its folder, in the root that holds both, unless it was copied alone together with its data.
    """
    source = open_source(location, aws)
    if read_summary(source).kind is Kind.ITEMS:
        return source, ""
    parent, name = os.path.split(_with_a_name(location))
    alone = "data" in source.folders("") and posixpath.basename(parent) != _EXPORTS
    return (source, "") if alone else (open_source(parent or ".", aws), name)


def _with_a_name(location: str) -> str:
    """The folder's path, ending in its own name, so that its parent is the folder it really lies in."""
    path = location.rstrip("/")
    return os.path.realpath(location) if posixpath.basename(path) in ("", ".", "..") or os.path.islink(path) else path


def _inside(location: str, folder: str) -> str:
    return posixpath.join(location, folder) if folder else location
