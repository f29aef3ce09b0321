"""The intent of a commit: all that it does, as the file from which another run can finish it; and its messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from converter.errors import StorageError
from converter.storage.json_members import damaged_file_error, members_of, read_members
from converter.storage.paths import EXPORTS, HIDDEN_RUN, INTENT, is_name, is_own_folder

_VERSION = 2


@dataclass(frozen=True, slots=True)
class PendingPart:
    """A part that is written completely, and that no reader can see yet.

    name: of the file that it becomes, in the export's folder.
    folder: the number of that folder, if the export has several: 0 is the first.
    sha256: of its bytes, hexadecimal.
    receipt: the data with which the store publishes it; only the store can read it.
    """

    name: str
    bytes: int
    sha256: str
    receipt: str
    folder: int = 0


@dataclass(frozen=True, slots=True)
class Removal:
    """An export whose record and folder the same commit removes; folder: `""` for none.

    An export with several folders has one removal for each.
    """

    export_id: str
    folder: str


@dataclass(frozen=True, slots=True)
class Intent:
    """Everything that a commit does, so that another run can finish it.

    run: the name of the run that wrote the parts.
    folders: the folders of the parts, relative to the destination; they belong to this export alone.
    record: the whole text of the future record.
    """

    export_id: str
    run: str
    folders: tuple[str, ...]
    record: str
    parts: tuple[PendingPart, ...]
    remove: tuple[Removal, ...]

    def to_json(self) -> bytes:
        """Return the intent as it is stored."""
        members = {"version": _VERSION, **members_of(self)}
        return json.dumps(members, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace")

    @staticmethod
    def from_json(content: bytes, place: str) -> Intent:
        """Read an intent. Raises StorageError if it is damaged, UsageError if a newer version wrote it."""
        members = read_members(content, place, _VERSION)
        intent = Intent(
            export_id=members.text("exportId"),
            run=members.text("run"),
            folders=members.texts("folders"),
            record=members.utf8_text("record"),
            parts=tuple(
                PendingPart(
                    part.text("name"),
                    part.count("bytes"),
                    part.sha256("sha256"),
                    part.text("receipt"),
                    part.count("folder"),
                )
                for part in members.inners("parts")
            ),
            remove=tuple(
                Removal(removal.text("exportId"), removal.text("folder")) for removal in members.inners("remove")
            ),
        )
        problem = _problem(intent)
        if problem is not None:
            raise damaged_file_error(place, problem)
        return intent


def _problem(intent: Intent) -> str | None:
    """Return the problem of an intent that no run can have written; anyone who can write there may have."""
    for name in (intent.export_id, intent.run, *(part.name for part in intent.parts)):
        if not is_name(name):
            return f"{name!r} is not the name of a file"
    if not intent.run.removeprefix(HIDDEN_RUN).startswith(f"{intent.export_id}-"):
        return f"{intent.run!r} is not a run of export {intent.export_id}"
    if len({(part.folder, part.name) for part in intent.parts}) < len(intent.parts):
        return "two parts have the same name"
    if any(part.folder >= len(intent.folders) for part in intent.parts):
        return "a part has no folder"
    if not intent.folders or any(not is_own_folder(folder, intent.export_id) for folder in intent.folders):
        return f"{list(intent.folders)!r} are not folders of export {intent.export_id}"
    if any(f"{one}/".startswith(f"{other}/") for one, other in permutations(intent.folders, 2)):
        return "one of its folders is in another"
    for removal in intent.remove:
        if not is_name(removal.export_id) or f"{EXPORTS}/{removal.export_id}.json" == INTENT:
            return f"{removal.export_id!r} is not the id of an export"
        if removal.folder and not is_own_folder(removal.folder, removal.export_id):
            return f"{removal.folder!r} is not the folder of export {removal.export_id}"
    return None


def check_names(parts: Sequence[PendingPart]) -> None:
    """Raise ValueError for two parts of one name, and for a name that a file can't have."""
    if len({(part.folder, part.name) for part in parts}) != len(parts):
        raise ValueError("two parts have the same name")
    if not all(is_name(part.name) for part in parts):
        raise ValueError("a part's name is not the name of a file")


def folder_taken_error(place: str) -> StorageError:
    """The error for a folder in which a commit would write, with files that it does not remove."""
    return StorageError("something was put there during this run", place, "run the same command again")


def part_lost_error(place: str) -> StorageError:
    """The error for a part that a commit which has begun can't find."""
    return StorageError(
        "a part of the unfinished commit is missing",
        place,
        f"remove {INTENT} from the destination, then convert the export again with --replace",
    )


def begun_message(export_id: str) -> str:
    """The message of a run that ends within the commit."""
    return f"The commit of export {export_id} has begun: the next run here finishes it first"


def finished_warning(intent: Intent) -> str:
    """The warning of a run that has finished the commit of one that died."""
    return f"an earlier run died while it published export {intent.export_id}: this is now done"
