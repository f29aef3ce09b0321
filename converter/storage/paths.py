"""Names and paths inside a destination, and which of them belong to an export."""

from __future__ import annotations

from converter.display import has_control_characters
from converter.errors import UsageError

EXPORTS = "_exports"
"""The folder that a destination keeps its records in."""
INTENT = f"{EXPORTS}/intent.json"
HIDDEN_RUN = ".run-"
"""How the names of runs begin that have a hidden folder."""


def record_path(export_id: str) -> str:
    """Where the record of an export is, relative to the destination."""
    path = f"{EXPORTS}/{export_id}.json"
    if path == INTENT:
        raise UsageError(f"an export can't be called {export_id!r}: the destination keeps another file there", path)
    return path


def check_folder(folder: str, export_id: str) -> None:
    """Raises ValueError for what is not inside the destination, and the export's own."""
    if not is_own_folder(folder, export_id):
        raise ValueError(f"{folder!r} is not a folder for {export_id}")


def is_own_folder(folder: str, export_id: str) -> bool:
    """Is this inside the destination, not with its records, and the export's own, as its name says?"""
    own = is_name(export_id) and folder.rpartition("/")[2] == export_id
    return own and is_path(folder) and not f"{folder}/".startswith(f"{EXPORTS}/")


def is_name(name: str) -> bool:
    """Can this be the name of a file in a folder?"""
    return name not in ("", ".", "..") and "/" not in name and not has_control_characters(name)


def is_path(path: str) -> bool:
    """Is this a relative path that stays below its root? `""` is the root."""
    return not path or all(is_name(part) for part in path.split("/"))
