"""Keeps a destination apart from the exports that are read: output among their files would be mixed into them."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable

from converter.aws.access import AwsOptions
from converter.errors import UsageError
from converter.export.locate import EXPORTS_FOLDER, source_folder
from converter.export.manifest import SUMMARY, Export
from converter.storage import open_source
from converter.storage.destination import Destination
from converter.storage.paths import EXPORTS
from converter.storage.schemes import is_local
from converter.storage.source import Source

_Place = tuple[str, ...]
"""The bucket or "/", and the names of the folders from there on, without links."""


def check_dest(dest: str, folders: Iterable[str] = ()) -> None:
    """Raise UsageError for a DEST that is one of these folders, or inside one, or that means standard output."""
    if dest == "-":
        raise UsageError("standard output can't be a destination", "DEST", "name a folder; ./- is one called -")
    for folder in folders:
        below = _below(dest, folder)
        if below is not None:
            raise _mixed_error(dest, folder, is_folder=not below)


def check_source(dest: str, text: str, aws: AwsOptions) -> None:
    """Raise UsageError for a DEST that is SOURCE, or inside an export that SOURCE holds, whichever is meant.

    A DEST beside the exports that SOURCE holds is taken: the current folder may have AWSDynamoDB and the output.
    """
    check_dest(dest)
    below = None if text.startswith("arn:") else _below(dest, source_folder(text))
    if below is None:
        return
    folder = source_folder(text)
    if not below or EXPORTS_FOLDER in below:
        raise _mixed_error(dest, folder, is_folder=not below)
    source = open_source(folder, aws)
    for length in range(len(below) + 1):
        path = "/".join(below[:length])
        if source.size(posixpath.join(path, SUMMARY)) is not None:
            raise _mixed_error(dest, source.child(path), is_folder=length == len(below))


def check_no_export(destination: Destination, dest: str) -> None:
    """Raise UsageError where the destination is the folder of an export, whichever it is."""
    if destination.read(SUMMARY) is not None:
        raise UsageError("DEST is the folder of an export", dest, "name where the output is to be published")


def check_locations(dest: str, locations: Iterable[str], folders: Iterable[str]) -> None:
    """Raise UsageError where parts or records at DEST would be among the files of an export that is below DEST.

    locations: the folders of the parts, relative to DEST. folders: those that exports are read from.
    """
    own = [EXPORTS, *locations]
    keys = {name.partition("=")[0] for location in locations for name in location.split("/")[:-1] if "=" in name}
    place = _place_of(dest)
    for folder in folders:
        inner = _place_of(folder)
        if inner[: len(place)] != place:
            continue
        names = inner[len(place) :]
        among = any(name.partition("=")[0] in keys for name in names if "=" in name)
        for location in (tuple(each.split("/")) for each in own):
            shorter = min(len(names), len(location))
            if among or names[:shorter] == location[:shorter]:
                raise UsageError(
                    f"exports are read from {folder}, where DEST keeps its own files: they would be mixed",
                    dest,
                    "choose another DEST, or move the exports",
                )


def export_folders(source: Source, export: Export) -> tuple[str, ...]:
    """Return the folders that an export's files are in, and the one that holds it with others, if the service made it.

    source: what the paths of the export's files are relative to.
    """
    folders = [export.source]
    path = os.path.realpath(export.source) if is_local(export.source) else export.source.rstrip("/")
    if posixpath.basename(posixpath.dirname(path)) == EXPORTS_FOLDER:
        folders.append(posixpath.dirname(path))
    folders += [source.child(folder) for folder in dict.fromkeys(posixpath.dirname(file.path) for file in export.files)]
    return tuple(dict.fromkeys(folders))


def _below(dest: str, folder: str) -> _Place | None:
    """Return the folders between a folder and a DEST in it, () if they are the same, None if DEST is elsewhere."""
    place, outer = _place_of(dest), _place_of(folder)
    return place[len(outer) :] if dest and place[: len(outer)] == outer else None


def _mixed_error(dest: str, folder: str, *, is_folder: bool) -> UsageError:
    return UsageError(
        f"DEST is{'' if is_folder else ' inside'} {folder}, which exports are read from: output would be mixed into"
        " them",
        dest,
        "name a folder outside of it",
    )


def _place_of(text: str) -> _Place:
    if not is_local(text):
        return tuple(name for name in text.split("/") if name)
    try:
        path = os.path.realpath(text)
    except (OSError, ValueError):
        # In a current folder that was removed, or with a NUL, nothing can be opened: opening it raises the error.
        path = text
    return ("/", *(name for name in path.split("/") if name))
