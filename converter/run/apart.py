"""Keeps a destination apart from the exports that are read: output among their files would be mixed into them."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable

from converter.errors import UsageError
from converter.export.locate import EXPORTS_FOLDER, source_folder
from converter.export.manifest import SUMMARY, Export
from converter.storage import is_in_s3
from converter.storage.destination import EXPORTS, Destination
from converter.storage.source import Source

_Place = tuple[str, ...]
"""The bucket or "/", and the names of the folders from there on, without links."""


def check_dest(dest: str, folders: Iterable[str] = ()) -> None:
    """Raises UsageError for a DEST that is one of these folders, or inside one, or that is meant as standard output."""
    if dest == "-":
        raise UsageError("standard output can't be a destination", "DEST", "name a folder; ./- is one called -")
    place = _place_of(dest) if dest else ()
    for folder in folders:
        outer = _place_of(folder)
        if dest and place[: len(outer)] == outer:
            where = "is" if place == outer else "is inside"
            raise UsageError(
                f"DEST {where} {folder}, which exports are read from: output would be mixed into them",
                dest,
                "name a folder outside of it; of a SOURCE that holds exports you can name the one that is meant",
            )


def check_no_export(destination: Destination, dest: str) -> None:
    """Raises UsageError where the destination is the folder of an export, whichever it is."""
    if destination.read(SUMMARY) is not None:
        raise UsageError("DEST is the folder of an export", dest, "name where the output is to be published")


def check_locations(dest: str, locations: Iterable[str], folders: Iterable[str]) -> None:
    """Raises UsageError where parts or records at DEST would be among the files of an export that is below DEST.

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


def named_folder(text: str) -> tuple[str, ...]:
    """The folder that SOURCE names; none for an ARN."""
    return () if text.startswith("arn:") else (source_folder(text),)


def export_folders(source: Source, export: Export) -> tuple[str, ...]:
    """The folders that an export's files are in, and the one that holds it with others, if the service made it.

    source: what the paths of the export's files are relative to.
    """
    folders = [export.source]
    path = export.source.rstrip("/") if is_in_s3(export.source) else os.path.realpath(export.source)
    if posixpath.basename(posixpath.dirname(path)) == EXPORTS_FOLDER:
        folders.append(posixpath.dirname(path))
    folders += [source.child(folder) for folder in dict.fromkeys(posixpath.dirname(file.path) for file in export.files)]
    return tuple(dict.fromkeys(folders))


def _place_of(text: str) -> _Place:
    if is_in_s3(text):
        return tuple(name for name in text.removeprefix("s3://").split("/") if name)
    try:
        path = os.path.realpath(text)
    except (OSError, ValueError):
        # In a current folder that was removed, or with a NUL, nothing can be opened: that is said where it is tried.
        path = text
    return ("/", *(name for name in path.split("/") if name))
