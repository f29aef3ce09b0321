"""What is published to: one run at a time, all of an export or nothing, on any store.

A store keeps the parts of a run where no reader finds them: as hidden files, or as uploads that are not completed. The
commit writes an intent (the future record, the parts, what to remove) and carries it out in steps that are safe to
repeat. A run that dies before the intent has changed nothing; one that dies after it is finished by the next run.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import permutations
from typing import TYPE_CHECKING

from converter.display import has_control_characters, lines
from converter.errors import ConvertError, StorageError, UsageError
from converter.storage.leftovers import Leftover
from converter.storage.members import damaged, read_members

if TYPE_CHECKING:
    from converter.aws.readers import ReaderSettings

EXPORTS = "_exports"
"""The folder that a destination keeps its records in."""
INTENT = f"{EXPORTS}/intent.json"
HIDDEN_RUN = ".run-"
"""How the names of runs begin that have a hidden folder."""

Data = bytes | memoryview

_VERSION = 2
"""1: `folder`, a text, in place of `folders`, and parts without `folder`."""


def record_path(export_id: str) -> str:
    """Where the record of an export is, relative to the destination."""
    path = f"{EXPORTS}/{export_id}.json"
    if path == INTENT:
        raise UsageError(f"an export can't be called {export_id!r}: the destination keeps another file there", path)
    return path


@dataclass(frozen=True, slots=True)
class PendingPart:
    """A part that is written completely, and that no reader can see yet.

    name: of the file it becomes, inside the export's folder.
    folder: which one, where the export has several: 0 is the first.
    sha256: of its bytes, hex.
    receipt: what the store needs to put it into place; means nothing to anyone else.
    """

    name: str
    bytes: int
    sha256: str
    receipt: str
    folder: int = 0


@dataclass(frozen=True, slots=True)
class Removal:
    """An export whose record, and the folder with all that is in it, goes in the same commit; `""` for no folder.

    There is one for each folder of an export that has several.
    """

    export_id: str
    folder: str


@dataclass(frozen=True, slots=True)
class Intent:
    """All that a commit does, so that another run can finish it.

    run: the name of the run that wrote the parts.
    folders: where the parts go, relative to the destination; they belong to this export alone.
    record: the record's whole text.
    """

    export_id: str
    run: str
    folders: tuple[str, ...]
    record: str
    parts: tuple[PendingPart, ...]
    remove: tuple[Removal, ...]

    def to_json(self) -> bytes:
        """As it is stored."""
        members = {
            "version": _VERSION,
            "exportId": self.export_id,
            "run": self.run,
            "folders": list(self.folders),
            "record": self.record,
            "parts": [asdict(part) for part in self.parts],
            "remove": [{"exportId": removal.export_id, "folder": removal.folder} for removal in self.remove],
        }
        return json.dumps(members, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace")

    @staticmethod
    def from_json(content: bytes, place: str) -> Intent:
        """Raises StorageError when the file is damaged, UsageError when a newer version of the program wrote it."""
        members = read_members(content, place, _VERSION)
        first_version = members.count("version") == 1
        intent = Intent(
            export_id=members.text("exportId"),
            run=members.text("run"),
            folders=(members.text("folder"),) if first_version else members.texts("folders"),
            record=members.utf8_text("record"),
            parts=tuple(
                PendingPart(
                    part.text("name"),
                    part.count("bytes"),
                    part.sha256("sha256"),
                    part.text("receipt"),
                    0 if first_version else part.count("folder"),
                )
                for part in members.inners("parts")
            ),
            remove=tuple(
                Removal(removal.text("exportId"), removal.text("folder")) for removal in members.inners("remove")
            ),
        )
        problem = _problem(intent)
        if problem is not None:
            raise damaged(place, problem)
        return intent


def _problem(intent: Intent) -> str | None:
    """What in an intent no run can have written: whoever can write at the destination may have."""
    for name in (intent.export_id, intent.run, *(part.name for part in intent.parts)):
        if not is_name(name):
            return f"{name!r} is not the name of a file"
    if not intent.run.removeprefix(HIDDEN_RUN).startswith(f"{intent.export_id}-"):
        return f"{intent.run!r} is not a run of export {intent.export_id}"
    if len({(part.folder, part.name) for part in intent.parts}) < len(intent.parts):
        return "two parts have one name"
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


class PartSink(ABC):
    """Takes the bytes of one part. For one thread.

    bytes: taken so far.
    """

    def __init__(self) -> None:
        self.bytes = 0

    @abstractmethod
    def write(self, data: Data, /) -> int:
        """Take all of `data`; returns its bytes. Raises StorageError."""

    @abstractmethod
    def finish(self) -> PendingPart:
        """The part is complete. That it has arrived on stable storage is known at the commit. Raises StorageError."""

    @abstractmethod
    def abort(self) -> None:
        """The part is not wanted. Does nothing after finish or abort."""


class Staging(ABC):
    """Parts of one export on their way to its folders. open_part and discard may be called from many threads."""

    @abstractmethod
    def open_part(self, name: str, folder: int = 0) -> PartSink:
        """Begin a part that becomes the file `name` in the export's folder of this number.

        A part that has to be written once more may be begun under the same name before the stale one is discarded.
        Raises StorageError.
        """

    @abstractmethod
    def discard(self, part: PendingPart) -> None:
        """Drop a finished part; never fails, because the commit drops what it is not given anyway."""

    @abstractmethod
    def commit(self, record: bytes, parts: Sequence[PendingPart], remove: Sequence[Removal] = ()) -> None:
        """Publish these parts, and no others, and the record; remove earlier exports in the same commit.

        Raises StorageError. If its hint says that the commit has begun, the next run at this destination finishes it;
        else nothing has changed.
        """


class Lease(ABC):
    """The right to change a destination, held by one run at a time.

    warnings: what was found and put right when the lease was taken.
    """

    def __init__(self) -> None:
        self.warnings: list[str] = []

    @abstractmethod
    def begin(self, export_id: str, *folders: str) -> Staging:
        """Begin to write parts for folders, which are relative to the destination and belong to this export alone.

        Raises StorageError when a folder can't be written. What is not committed vanishes with the lease.
        """

    @abstractmethod
    def finish_begun(self) -> Intent | None:
        """Finish the commit of a run that died, and return it; None when none has begun. Raises StorageError."""

    @abstractmethod
    def remove(self, leftovers: Sequence[Leftover]) -> None:
        """Remove folders and uploads that `Destination.leftovers` has named under this lease. Raises StorageError."""

    def carry_out(self, intent: Intent) -> None:
        """All steps of a commit after its intent is on stable storage. Safe to repeat from any point.

        The records of what is removed go before its parts do, and the new record comes after the parts, so that at any
        moment a record has all its parts.
        """
        begun = begun_for(intent.export_id)
        try:
            self._take_steps(intent)
        except StorageError as error:
            raise StorageError(error.what, error.where, lines(error.hint, begun)) from error
        except BaseException as stopped:
            stopped.add_note(begun)
            raise

    def _take_steps(self, intent: Intent) -> None:
        self._remove_records(intent)
        self._place_parts(intent)
        self._write_record(intent)
        # With the record all is published: what fails now is for the next run, which finds all steps done.
        try:
            self._remove_intent()
        except (OSError, ConvertError) as error:
            reason = str(error).partition("\n")[0]
            self.warnings.append(f"export {intent.export_id} is published; the next run ends its commit: {reason}")
        else:
            self._drop_replaced(intent)

    @abstractmethod
    def _remove_records(self, intent: Intent) -> None:
        """Remove the records of `intent.remove`; never the intent's own new record."""

    @abstractmethod
    def _place_parts(self, intent: Intent) -> None:
        """Make the parts visible, and those of `intent.remove` invisible, in as few moments as the store can."""

    @abstractmethod
    def _write_record(self, intent: Intent) -> None:
        """Write the record, at once or not at all."""

    @abstractmethod
    def _remove_intent(self) -> None:
        """The commit is done."""

    @abstractmethod
    def _drop_replaced(self, intent: Intent) -> None:
        """Give back the space of what was removed. May fail without harm: the next run tries again."""


class Destination(ABC):
    """A folder to publish to. Making the object creates nothing.

    Paths are relative to the root, with `/` between their parts.

    root: the folder as the user would write it.
    """

    root: str

    @abstractmethod
    def lease(self, *, recover: bool = True) -> AbstractContextManager[Lease]:
        """Hold the destination; at the end, whatever was not committed is gone.

        recover: when it is taken, the commit of a run that died is finished, and the remains of dead runs are removed.
        Raises BusyError when another run holds it, StorageError when the destination can't be written.
        """

    @abstractmethod
    def check_free(self) -> None:
        """Raises BusyError when another run holds the destination, StorageError. Only looks, and takes nothing."""

    @abstractmethod
    def leftovers(self) -> list[Leftover]:
        """What runs that died have left, and the lease of one that lives. Only looks, and needs no lease.

        Raises StorageError, UsageError for what a newer version of the program has left.
        """

    @abstractmethod
    def read(self, path: str) -> bytes | None:
        """A small file, None when it does not exist. Raises StorageError."""

    def read_all(self, paths: Sequence[str]) -> list[bytes | None]:
        """As read, for each of the paths: a store that is far away reads many at once."""
        return [self.read(path) for path in paths]

    @abstractmethod
    def size(self, path: str) -> int | None:
        """The file's size in bytes, None when there is no file of this name. Raises StorageError."""

    @abstractmethod
    def sizes(self, folder: str) -> dict[str, int]:
        """The size in bytes of the files directly below, by their names; empty when there is no such folder."""

    @abstractmethod
    def names(self, folder: str) -> list[str]:
        """Names of the files and folders directly below, sorted; empty when there is no such folder."""

    def check_parts(self, paths: Sequence[str]) -> None:  # noqa: B027 - most stores have no links
        """Raises StorageError for a part that is not in the destination itself, but reached by a link."""

    def reach(self) -> ReaderSettings | None:
        """How libraries read the places that `child` gives; None where they need to know nothing.

        Raises StorageError, UsageError.
        """
        return None

    def child(self, path: str) -> str:
        """How messages call what is at the path."""
        return f"{self.root.rstrip('/')}/{path}" if path else self.root


def check_names(parts: Sequence[PendingPart]) -> None:
    """Raises ValueError for two parts of one name, and for what is no name of a file."""
    if len({(part.folder, part.name) for part in parts}) != len(parts):
        raise ValueError("two parts have one name")
    if not all(is_name(part.name) for part in parts):
        raise ValueError("a part's name is no name of a file")


def check_folder(folder: str, export_id: str) -> None:
    """Raises ValueError for what is not inside the destination, and the export's own."""
    if not is_own_folder(folder, export_id):
        raise ValueError(f"{folder!r} is not a folder for {export_id}")


def is_own_folder(folder: str, export_id: str) -> bool:
    """Is this inside the destination, not with its records, and the export's own, as its name says?"""
    own = is_name(export_id) and folder.rpartition("/")[2] == export_id
    return own and is_path(folder) and not f"{folder}/".startswith(f"{EXPORTS}/")


def taken(place: str) -> StorageError:
    """The error for a folder that a commit would write in, and that something is in which it was not told to remove."""
    return StorageError("something was put there during this run", place, "run the same command again")


def lost(place: str) -> StorageError:
    """The error for a part that a commit which has begun can't find."""
    return StorageError(
        "a part of a commit that has begun is lost",
        place,
        f"remove {INTENT} from the destination, then convert the export again with --replace",
    )


def begun_commit(intent: Intent, time: datetime) -> Leftover:
    """The commit of a run that died. time: when the intent was written."""
    parts = f"{len(intent.parts):,} part{'' if len(intent.parts) == 1 else 's'}"
    return Leftover("commit", INTENT, time, "begun", f"export {intent.export_id}, {parts}")


def begun_for(export_id: str) -> str:
    """What a run says that stops in the commit."""
    return f"The commit of export {export_id} has begun: the next run here finishes it first"


def finished_for(intent: Intent) -> str:
    """The warning of a run that has finished the commit of one that died."""
    return f"an earlier run died while it published export {intent.export_id}: this is now done"


def is_name(name: str) -> bool:
    """Can this be the name of a file in a folder?"""
    return name not in ("", ".", "..") and "/" not in name and not has_control_characters(name)


def is_path(path: str) -> bool:
    """Is this a relative path that stays below its root? `""` is the root."""
    return not path or all(is_name(part) for part in path.split("/"))
