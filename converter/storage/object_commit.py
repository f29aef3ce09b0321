"""The commit of a destination in an object store.

Objects and uploads that exist while a run publishes:

- `_exports/lease`: the holder of the destination.
- uploads that are not completed, in the export's folders: pending parts. The commit completes them all at once.
- `_exports/intent.json`: a commit that has begun.

To complete many uploads takes a moment, in which a listing shows some of the parts. The record is written last: it
means that all parts exist. docs/design/commit-protocol.md specifies the protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from functools import partial

from converter.errors import BusyError, StorageError
from converter.object_store import ConditionFailedError, ObjectStore
from converter.storage.destination import Lease, Staging
from converter.storage.intent import Intent, PendingPart, Removal, folder_taken_error, part_lost_error
from converter.storage.leftovers import Leftover
from converter.storage.object_lease import HeldLease
from converter.storage.object_parts import Receipt
from converter.storage.object_staging import RUN, ObjectStaging, abort_uploads, leftover_uploads_message
from converter.storage.paths import INTENT, record_path
from converter.storage.stored_files import FileVersion
from converter.storage.threads import in_background, in_parallel

LAST_SECONDS = 6.0
"""The time that an interrupted run waits at its end for a store that does not answer; a failed one, ten times that."""


@contextmanager
def hold_lease(store: ObjectStore, *, recover: bool) -> Iterator[Lease]:
    """Hold the lease of a destination; see Destination.lease."""
    lease = ObjectLease(store, HeldLease(store))
    try:
        lease.held.take()
        if recover:
            lease.recover()
        yield lease
    except BaseException as error:
        for message in _close_in_time(lease, LAST_SECONDS * 10 if isinstance(error, Exception) else LAST_SECONDS):
            error.add_note(message)
        raise
    lease.close()


def _close_in_time(lease: ObjectLease, seconds: float) -> list[str]:
    """Close a lease; return messages for the user about things that are left."""
    messages: list[str] = []
    closing = in_background(lambda: messages.extend(lease.close()), Future())
    if not wait([closing], seconds).not_done:
        closing.result()
        return messages
    lease.held.leave()
    return [leftover_uploads_message(lease.store, True)]


class ObjectLease(Lease):
    """See Lease.

    Every request that changes the destination first checks that the lease is still held. A run that was suspended, or
    that could not reach the store for a while, must not write where another run has begun to.
    """

    def __init__(self, store: ObjectStore, held: HeldLease) -> None:
        super().__init__()
        self.store = store
        self.held = held
        self._recovered = False
        self._stagings: list[ObjectStaging] = []

    def _begin(self, export_id: str, folders: tuple[str, ...], run: str) -> Staging:
        # The lease must name the folders before the first upload exists: only so does the next run find the uploads of
        # a run that died.
        self.held.add_folders(folders)
        if self.held.warning:
            self.warnings.append(self.held.warning)
        abort_uploads(self.store, folders, self.held.check)
        staging = ObjectStaging(self, export_id, folders, run)
        self._stagings.append(staging)
        return staging

    def check_places(self, folders: Sequence[str], remove: Sequence[Removal]) -> None:
        """Raise StorageError if a folder contains anything that the commit does not remove."""
        replaced = {removal.folder for removal in remove}
        for folder in folders:
            if folder not in replaced and any(True for _ in self.store.list_objects(f"{folder}/")):
                raise folder_taken_error(self.store.place(folder))

    def begin_commit(self, intent: Intent) -> None:
        """Write the intent. After this returns, the commit will happen.

        If this raises, the commit may still have begun: call has_intent.

        The condition "only if absent" makes sure that a run which lost the lease does not replace the intent of the
        run that holds it now. The lease is confirmed once more afterwards: if it was lost while the request was on its
        way, the intent is withdrawn.
        """
        try:
            self.store.put_if_absent(INTENT, intent.to_json())
        except ConditionFailedError:
            self._replace_intent(intent)
        except StorageError:
            # The intent may have been written although the answer was lost.
            if not self.has_intent(intent):
                raise
        try:
            self.held.confirm()
        except StorageError:
            self._withdraw(intent)
            raise

    def _replace_intent(self, intent: Intent) -> None:
        """Deal with an existing intent.

        It is our own, whose answer was lost, or that of a run which had lost the lease when it wrote it.
        """
        found = self.store.get(INTENT)
        if found is not None and found.content == intent.to_json():
            return
        self.held.confirm()
        try:
            if found is None:
                self.store.put_if_absent(INTENT, intent.to_json())
            else:
                self.store.put_if_match(INTENT, intent.to_json(), found.info.etag)
        except ConditionFailedError:
            place = self.store.place(INTENT)
            raise BusyError("another run has begun a commit", place, "run the same command again") from None

    def _withdraw(self, intent: Intent) -> None:
        """Delete the intent, unless another run holds the destination: that one finishes or replaces it."""
        again = HeldLease(self.store)
        with suppress(BusyError):
            again.take()
            try:
                if self.has_intent(intent):
                    self.store.delete(INTENT)
            finally:
                # The lease of a dead run names the folders of its uploads, and must stay for the next run.
                (again.release if again.taken_over_from is None else again.leave)()

    def has_intent(self, intent: Intent) -> bool:
        """Return whether this commit has begun, and is not done."""
        return self._read(INTENT) == intent.to_json()

    def remove(self, leftovers: Sequence[Leftover]) -> None:
        """Abort uploads of dead runs."""
        in_parallel(self._abort, leftovers)
        self._recovered = True

    def write(self, path: str, content: bytes) -> None:
        """Write a small object."""
        self.held.check()
        self.store.put(path, content)

    def _abort(self, leftover: Leftover) -> None:
        self.held.check()
        self.store.abort_upload(leftover.path, leftover.upload_id)

    def close(self) -> list[str]:
        """Abort everything that was not committed, and release the lease.

        Returns messages for the user about things that are left. Then the lease stays too: it becomes stale, and the
        next run finds in it the folders to clean.
        """
        messages = [staging.abort() for staging in self._stagings]
        if any(staging.unsure for staging in self._stagings) or (self._left and not self._recovered):
            self.held.leave()
        else:
            self.held.release()
        return [message for message in messages if message]

    @property
    def _left(self) -> tuple[str, ...]:
        """Folders in which a dead run may have left uploads."""
        dead = self.held.taken_over_from
        return dead.folders if dead is not None else ()

    def _read_intent(self) -> Intent | None:
        content = self._read(INTENT)
        return None if content is None else Intent.from_json(content, self.store.place(INTENT))

    def _remove_remains(self) -> None:
        if self._left:
            abort_uploads(self.store, self._left, self.held.check)
        self._recovered = True

    def _delete(self, path: str) -> None:
        self.held.check()
        self.store.delete(path)

    def _remove_records(self, intent: Intent) -> None:
        self.held.check()
        own = record_path(intent.export_id)
        paths = [record_path(removal.export_id) for removal in intent.remove]
        in_parallel(self._delete, [path for path in paths if path != own or not self._has_record(intent)])

    def _place_parts(self, intent: Intent) -> None:
        self.held.check()
        # If the commit is repeated, some of the new objects exist already, maybe in a folder that it replaces.
        new = {self._path(intent, part) for part in intent.parts}
        folders = sorted({removal.folder for removal in intent.remove if removal.folder})
        old = [found.path for folder in folders for found in self.store.list_objects(f"{folder}/")]
        in_parallel(self._delete, [path for path in old if path not in new])
        in_parallel(partial(self._complete, intent), intent.parts)
        # A store may answer a repeated completion with success although the object was deleted since.
        for number, folder in enumerate(intent.folders):
            sizes = self.store.list_folder(folder).sizes
            for part in intent.parts:
                if part.folder == number and sizes.get(part.name) != part.bytes:
                    raise part_lost_error(self.store.place(self._path(intent, part)))

    def _complete(self, intent: Intent, part: PendingPart) -> None:
        self.held.check()
        path = self._path(intent, part)
        receipt = Receipt.from_text(part.receipt, self.store.place(INTENT))
        try:
            self.store.complete_upload(path, receipt.upload_id, receipt.pieces, part.bytes)
        except FileNotFoundError:
            # An earlier attempt completed it, if the object is this run's and has the right size.
            found = self.store.head(path)
            if found is None or found.size != part.bytes or found.metadata.get(RUN) != intent.run:
                raise part_lost_error(self.store.place(path)) from None

    def _has_record(self, intent: Intent) -> bool:
        return self._read(record_path(intent.export_id)) == intent.record.encode()

    def _write_record(self, intent: Intent) -> FileVersion:
        self.held.check()
        content = intent.record.encode()
        return FileVersion(len(content), self.store.put(record_path(intent.export_id), content))

    def _remove_intent(self) -> None:
        self.held.check()
        self.store.delete(INTENT)

    def _read(self, path: str) -> bytes | None:
        found = self.store.get(path)
        return None if found is None else found.content

    def _path(self, intent: Intent, part: PendingPart) -> str:
        return f"{intent.folders[part.folder]}/{part.name}"
