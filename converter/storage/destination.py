"""The interface of destinations: one run at a time, all of an export or nothing, on any store.

A store keeps the parts of a run invisible to readers: as hidden files, or as uploads that are not completed. The commit
writes an intent (the future record, the parts, the exports to remove) and carries it out in steps that are safe to
repeat. A run that dies before the intent has changed nothing; one that dies after it is finished by the next run.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from converter.display import lines
from converter.errors import ConvertError, StorageError
from converter.storage.intent import Intent, PendingPart, Removal, begun_message, finished_warning
from converter.storage.leftovers import Leftover
from converter.storage.paths import check_folder, is_path, record_path
from converter.storage.stored_files import FileVersion, StoredFiles

if TYPE_CHECKING:
    from converter.object_store import ReaderSettings

Data = bytes | memoryview


class PartSink(ABC):
    """Writer of one part. For one thread. bytes: the number taken so far."""

    def __init__(self) -> None:
        self.bytes = 0

    @abstractmethod
    def write(self, data: Data, /) -> int:
        """Take all of `data` and return its bytes. Raises StorageError."""

    @abstractmethod
    def finish(self) -> PendingPart:
        """Complete the part. Only the commit waits until it is on stable storage. Raises StorageError."""

    @abstractmethod
    def abort(self) -> None:
        """Drop the part. No-op after finish or abort."""


class PartStore(ABC):
    """Takes the parts of one export on their way to its folders. For many threads. Picklable.

    Parts of a copy in another process can be committed too. The process that holds the lease removes all parts that its
    commit is not given.
    """

    @abstractmethod
    def open_part(self, name: str, folder: int = 0) -> PartSink:
        """Begin a part that becomes the file `name` in the export's folder of this number.

        To write a part again, begin it under the same name; the stale one may be discarded later.
        Raises StorageError.
        """

    @abstractmethod
    def discard(self, part: PendingPart) -> None:
        """Drop a finished part. Never fails: the commit drops all parts that it is not given."""

    def settle(self, parts: Sequence[PendingPart]) -> Sequence[PendingPart]:
        """Return finished parts as the process of the commit needs them.

        In another process this waits until they are on stable storage. In that process, the commit waits.
        """
        return parts


class Staging(PartStore):
    """The parts of one export, and their commit."""

    @abstractmethod
    def commit(self, record: bytes, parts: Sequence[PendingPart], remove: Sequence[Removal] = ()) -> None:
        """Publish these parts, and no others, and the record; remove earlier exports in the same commit.

        Raises StorageError. If its hint says that the commit has begun, the next run at this destination finishes it.
        Otherwise nothing has changed.
        """


class Lease(ABC):
    """The right to change a destination, held by one run at a time.

    warnings: about problems that were solved when the lease was taken. record_file: version of the last written record.
    """

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.record_file: FileVersion | None = None

    def begin(self, export_id: str, *folders: str) -> Staging:
        """Begin to write parts for folders, which are relative to the destination and belong to this export alone.

        Raises StorageError if a folder can't be written. Parts that are not committed are removed with the lease.
        """
        # Refuses the one export id whose record would have the intent's path.
        record_path(export_id)
        for folder in folders:
            check_folder(folder, export_id)
        return self._begin(export_id, folders, f"{export_id}-{secrets.token_hex(4)}")

    @abstractmethod
    def _begin(self, export_id: str, folders: tuple[str, ...], run: str) -> Staging:
        """Begin to write parts; run: a name that no other run has."""

    def recover(self) -> None:
        """Finish the commit of a run that died, and remove the remains of dead runs."""
        intent = self.finish_begun()
        if intent is not None:
            self.warnings.append(finished_warning(intent))
        self._remove_remains()

    def finish_begun(self) -> Intent | None:
        """Finish the commit of a run that died, and return it; None if no commit has begun. Raises StorageError."""
        intent = self._read_intent()
        if intent is not None:
            self.carry_out(intent)
        return intent

    @abstractmethod
    def remove(self, leftovers: Sequence[Leftover]) -> None:
        """Remove folders and uploads that `Destination.leftovers` has listed under this lease. Raises StorageError."""

    @abstractmethod
    def write(self, path: str, content: bytes) -> None:
        """Write a small file, at once or not at all. Raises StorageError."""

    def carry_out(self, intent: Intent) -> None:
        """Carry out all steps of a commit whose intent is on stable storage. Safe to repeat from any point.

        Old records are removed before their parts, and the new record is written after its parts, so that at any moment
        every record has all its parts.
        """
        begun = begun_message(intent.export_id)
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
        self.record_file = self._write_record(intent)
        # The record publishes everything: a failure now is left to the next run, which finds all other steps done.
        try:
            self._remove_intent()
        except (OSError, ConvertError) as error:
            reason = str(error).partition("\n")[0]
            self.warnings.append(f"export {intent.export_id} is published; the next run ends its commit: {reason}")
        else:
            self._drop_replaced(intent)

    @abstractmethod
    def _read_intent(self) -> Intent | None:
        """Return the commit that has begun and is not done."""

    @abstractmethod
    def _remove_remains(self) -> None:
        """Remove the remains of dead runs, when no commit is left to finish."""

    @abstractmethod
    def _remove_records(self, intent: Intent) -> None:
        """Remove the records of `intent.remove`, but never the new record of the intent itself."""

    @abstractmethod
    def _place_parts(self, intent: Intent) -> None:
        """Make the parts visible and those of `intent.remove` invisible, in as few steps as the store can."""

    @abstractmethod
    def _write_record(self, intent: Intent) -> FileVersion:
        """Write the record, at once or not at all."""

    @abstractmethod
    def _remove_intent(self) -> None:
        """Delete the intent: the commit is done."""

    def _drop_replaced(self, intent: Intent) -> None:  # noqa: B027 - some stores remove it before
        """Free the space of everything that was removed. May fail without harm: the next run tries again."""


class Destination(StoredFiles):
    """A folder to publish to. Making the object creates nothing."""

    @abstractmethod
    def lease(self, *, recover: bool = True) -> AbstractContextManager[Lease]:
        """Hold the destination; at the end, everything that was not committed is removed.

        recover: whether to finish the commit of a run that died, and to remove the remains of dead runs, at the start.
        Raises BusyError when another run holds it, StorageError when the destination can't be written.
        """

    @abstractmethod
    def check_free(self) -> None:
        """Raise BusyError if another run holds the destination. Takes nothing. Raises StorageError."""

    @abstractmethod
    def leftovers(self) -> list[Leftover]:
        """List everything that dead runs have left, and the lease of a live one. Changes nothing, and needs no lease.

        Raises StorageError, UsageError for a file of a newer version of the program.
        """

    @abstractmethod
    def read(self, path: str) -> bytes | None:
        """Read a small file; None if it does not exist. Raises StorageError."""

    def read_all(self, paths: Sequence[str]) -> list[bytes | None]:
        """See StoredFiles."""
        return [self.read(path) for path in paths]

    @abstractmethod
    def names(self, folder: str) -> list[str]:
        """Return the names of the files and folders directly below, sorted; empty if there is no such folder."""

    def check_parts(self, paths: Sequence[str]) -> None:
        """Raise StorageError for a part that is not in the destination itself, but reached by a link."""

    def reader_settings(self) -> ReaderSettings | None:
        """Return how libraries read the places that `child` returns; None if they need no settings.

        Raises StorageError, UsageError.
        """
        return None

    def checked(self, path: str) -> str:
        """Return the path. Raises StorageError if it leads out of the destination."""
        if not is_path(path):
            raise StorageError(
                "the path leads out of the destination", self.child(path), "find out what wrote this record"
            )
        return path
