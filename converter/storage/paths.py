"""Names and paths inside a destination, and which of them belong to an export."""

from __future__ import annotations

from converter.display import has_control_characters
from converter.errors import UsageError

EXPORTS = "_exports"
"""The folder of a destination's records."""
INTENT = f"{EXPORTS}/intent.json"
INDEX = f"{EXPORTS}/index"
"""The entries of all records. No ending: what ends in `.json` there is a record or the intent."""
HIDDEN_RUN = ".run-"
"""The start of the names of runs that have a hidden folder."""


def record_path(export_id: str) -> str:
    """Return the path of an export's record, relative to the destination. Raises UsageError for the intent's path."""
    path = f"{EXPORTS}/{export_id}.json"
    if path == INTENT:
        raise UsageError(f"an export can't be called {export_id!r}: the destination keeps another file there", path)
    return path


def check_folder(folder: str, export_id: str) -> None:
    """Raise ValueError for a folder that is not inside the destination and the export's own."""
    if not is_own_folder(folder, export_id):
        raise ValueError(f"{folder!r} is not a folder for {export_id}")


def is_own_folder(folder: str, export_id: str) -> bool:
    """Return whether a folder is inside the destination, not among its records, and named after the export."""
    own = is_name(export_id) and folder.rpartition("/")[2] == export_id
    return own and is_path(folder) and not f"{folder}/".startswith(f"{EXPORTS}/")


def is_name(name: str) -> bool:
    """Return whether this can be the name of a file in a folder."""
    return name not in ("", ".", "..") and "/" not in name and not has_control_characters(name)


def is_path(path: str) -> bool:
    """Return whether this is a relative path that stays below its root; `""` is the root."""
    return not path or all(is_name(part) for part in path.split("/"))
