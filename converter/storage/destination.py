"""What is published to: one run at a time, all of an export or nothing, on any store.

A store keeps the parts of a run where no reader finds them: as hidden files, or as uploads that are not completed. The
commit writes an intent (the future record, the parts, what to remove) and carries it out in steps that are safe to
repeat. A run that dies before the intent has changed nothing; one that dies after it is finished by the next run.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from converter.display import lines
from converter.errors import ConvertError, StorageError
from converter.storage.commit_messages import begun_message
from converter.storage.intent import Intent, PendingPart, Removal
from converter.storage.leftovers import Leftover

if TYPE_CHECKING:
    from converter.object_store import ReaderSettings

Data = bytes | memoryview


class PartSink(ABC):
    """Takes the bytes of one part. For one thread. bytes: taken so far."""

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


class PartStore(ABC):
    """Takes the parts of one export on their way to its folders. For many threads."""

    @abstractmethod
    def open_part(self, name: str, folder: int = 0) -> PartSink:
        """Begin a part that becomes the file `name` in the export's folder of this number.

        A part that has to be written once more may be begun under the same name before the stale one is discarded.
        Raises StorageError.
        """

    @abstractmethod
    def discard(self, part: PendingPart) -> None:
        """Drop a finished part; never fails, because the commit drops what it is not given anyway."""


class Staging(PartStore):
    """The parts of one export, and their commit."""

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

    def reader_settings(self) -> ReaderSettings | None:
        """How libraries read the places that `child` gives; None where they need to know nothing.

        Raises StorageError, UsageError.
        """
        return None

    def child(self, path: str) -> str:
        """How messages call what is at the path."""
        return f"{self.root.rstrip('/')}/{path}" if path else self.root
