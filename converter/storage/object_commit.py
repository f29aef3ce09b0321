"""The commit of a destination in S3.

What lies there while a run publishes:

- `_exports/lease`: who holds the destination.
- uploads that are not completed, in the export's folders: pending parts. The commit completes them all at once.
- `_exports/intent.json`: a commit that has begun.

Completing many uploads takes a moment in which a listing shows some of the parts: the record, which comes last, says
that all are there.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from functools import partial

from converter.aws.client_errors import is_unanswered
from converter.aws.objects import Changed, Objects
from converter.errors import BusyError, ConvertError, StorageError
from converter.storage.commit_messages import begun_note, finished_warning, folder_taken_error, part_lost_error
from converter.storage.destination import Lease, Staging
from converter.storage.intent import Intent, PendingPart, Removal, check_names
from converter.storage.leftovers import Leftover
from converter.storage.object_lease import S3Lock
from converter.storage.object_parts import (
    RUN,
    Receipt,
    S3Part,
    Uploads,
    abort_uploads,
    in_background,
    in_parallel,
)
from converter.storage.paths import INTENT, check_folder, record_path

LAST_SECONDS = 6.0
"""How long an interrupted run may wait at its end for a server that does not answer; a failed one, ten times that."""


@contextmanager
def hold_lease(objects: Objects, arguments: Mapping[str, str], *, recover: bool) -> Iterator[Lease]:
    """The lease of a destination. arguments: of the requests that begin the upload of a part."""
    holder = S3Lease(objects, S3Lock(objects), arguments)
    try:
        holder.held.take()
        if recover:
            holder.recover()
        yield holder
    except BaseException as error:
        for note in _close_in_time(holder, LAST_SECONDS * 10 if isinstance(error, Exception) else LAST_SECONDS):
            error.add_note(note)
        raise
    holder.close()


def _close_in_time(holder: S3Lease, seconds: float) -> list[str]:
    """Close it; what the user should know of what is left."""
    notes: list[str] = []
    closing = in_background(lambda: notes.extend(holder.close()), Future())
    if not wait([closing], seconds).not_done:
        closing.result()
        return notes
    holder.held.leave()
    return [may_be_left(holder.objects, True)]


class S3Lease(Lease):
    """What the holder of the lease may do."""

    def __init__(self, objects: Objects, held: S3Lock, arguments: Mapping[str, str]) -> None:
        super().__init__()
        self.objects = objects
        self.held = held
        self._arguments = arguments
        self._recovered = False
        self._stagings: list[S3Staging] = []

    def begin(self, export_id: str, *folders: str) -> Staging:
        """Begin to write parts for folders."""
        # Refuses the one export id whose record would lie where the intent does.
        record_path(export_id)
        for folder in folders:
            check_folder(folder, export_id)
        self.held.note(folders)
        if self.held.warning:
            self.warnings.append(self.held.warning)
        run = f"{export_id}-{secrets.token_hex(4)}"
        abort_uploads(self.objects, folders, self.held.check)
        uploads = Uploads(self.objects, run, self._arguments, self.held.check)
        staging = S3Staging(self, export_id, folders, run, uploads)
        self._stagings.append(staging)
        return staging

    def check_places(self, folders: Sequence[str], remove: Sequence[Removal]) -> None:
        """Raises StorageError when something else than what the commit removes is in one of the folders."""
        replaced = {removal.folder for removal in remove}
        for folder in folders:
            if folder not in replaced and any(True for _ in self.objects.walk(f"{folder}/")):
                raise folder_taken_error(self.objects.place(folder))

    def begin_commit(self, intent: Intent) -> None:
        """Writes the intent: from here on the commit will happen, whoever finishes it. Raises when it will not."""
        try:
            self.objects.write(INTENT, intent.to_json(), new=True)
        except Changed:
            self._replace_intent(intent)
        except StorageError:
            # It may be there all the same, and only the answer be lost.
            if not self.has_intent(intent):
                raise
        try:
            self.held.confirm()
        except StorageError:
            self._withdraw(intent)
            raise

    def _replace_intent(self, intent: Intent) -> None:
        """There is one: our own, whose answer was lost, or that of a run which had lost the lease when it wrote it."""
        found = self.objects.read(INTENT)
        if found is not None and found[0] == intent.to_json():
            return
        self.held.confirm()
        try:
            self.objects.write(INTENT, intent.to_json(), new=not found, etag=found[1].etag if found else None)
        except Changed:
            place = self.objects.place(INTENT)
            raise BusyError("another run has begun a commit", place, "run the same command again") from None

    def _withdraw(self, intent: Intent) -> None:
        """Take the intent back, unless another run holds the destination: that one finishes or replaces it."""
        again = S3Lock(self.objects)
        with suppress(BusyError):
            again.take()
            try:
                if self.has_intent(intent):
                    self.objects.delete(INTENT)
            finally:
                # What a dead run has left must not be forgotten.
                (again.release if again.left is None else again.leave)()

    def has_intent(self, intent: Intent) -> bool:
        """Has the commit begun, and is not done?"""
        return self._read(INTENT) == intent.to_json()

    def recover(self) -> None:
        """Finishes the commit of a run that died, and aborts the uploads that it left."""
        intent = self.finish_begun()
        if intent is not None:
            self.warnings.append(finished_warning(intent))
        if self._left:
            abort_uploads(self.objects, self._left, self.held.check)
        self._recovered = True

    def finish_begun(self) -> Intent | None:
        """Finish the commit of a run that died."""
        content = self._read(INTENT)
        if content is None:
            return None
        intent = Intent.from_json(content, self.objects.place(INTENT))
        self.carry_out(intent)
        return intent

    def remove(self, leftovers: Sequence[Leftover]) -> None:
        """Abort uploads of dead runs."""
        in_parallel(self._abort, leftovers)
        self._recovered = True

    def _abort(self, leftover: Leftover) -> None:
        self.held.check()
        self.objects.abort_upload(leftover.path, leftover.upload_id)

    def close(self) -> list[str]:
        """Aborts what was not committed, and lets go of the lease; what the user should know of what is left."""
        notes = [staging.abort() for staging in self._stagings]
        if any(staging.unsure for staging in self._stagings) or (self._left and not self._recovered):
            self.held.leave()
        else:
            self.held.release()
        return [note for note in notes if note]

    @property
    def _left(self) -> tuple[str, ...]:
        """Folders in which a dead run may have left uploads."""
        return self.held.left.folders if self.held.left is not None else ()

    def _delete(self, path: str) -> None:
        self.held.check()
        self.objects.delete(path)

    def _remove_records(self, intent: Intent) -> None:
        self.held.check()
        own = record_path(intent.export_id)
        paths = [record_path(removal.export_id) for removal in intent.remove]
        in_parallel(self._delete, [path for path in paths if path != own or not self._has_record(intent)])

    def _place_parts(self, intent: Intent) -> None:
        self.held.check()
        new = {self._path(intent, part) for part in intent.parts}
        folders = {removal.folder for removal in intent.remove if removal.folder}
        old = [path for folder in sorted(folders) for path, _ in self.objects.walk(f"{folder}/") if path not in new]
        in_parallel(self._delete, old)
        in_parallel(partial(self._complete, intent), intent.parts)
        # Completing an upload once more succeeds even where the object was deleted since.
        for number, folder in enumerate(intent.folders):
            _, sizes = self.objects.list_folder(folder)
            for part in intent.parts:
                if part.folder == number and sizes.get(part.name) != part.bytes:
                    raise part_lost_error(self.objects.place(self._path(intent, part)))

    def _complete(self, intent: Intent, part: PendingPart) -> None:
        self.held.check()
        path = self._path(intent, part)
        receipt = Receipt.from_text(part.receipt, self.objects.place(INTENT))
        try:
            self.objects.complete_upload(path, receipt.upload_id, receipt.pieces, part.bytes)
        except FileNotFoundError:
            found = self.objects.find(path)
            if found is None or found.size != part.bytes or found.metadata.get(RUN) != intent.run:
                raise part_lost_error(self.objects.place(path)) from None

    def _has_record(self, intent: Intent) -> bool:
        return self._read(record_path(intent.export_id)) == intent.record.encode()

    def _write_record(self, intent: Intent) -> None:
        self.held.check()
        self.objects.write(record_path(intent.export_id), intent.record.encode())

    def _remove_intent(self) -> None:
        self.held.check()
        self.objects.delete(INTENT)

    def _drop_replaced(self, intent: Intent) -> None:
        """Nothing: what was removed is gone."""

    def _read(self, path: str) -> bytes | None:
        read = self.objects.read(path)
        return None if read is None else read[0]

    def _path(self, intent: Intent, part: PendingPart) -> str:
        return f"{intent.folders[part.folder]}/{part.name}"


class S3Staging(Staging):
    """One run's pending parts and their commit."""

    def __init__(self, lease: S3Lease, export_id: str, folders: tuple[str, ...], run: str, uploads: Uploads) -> None:
        self._lease = lease
        self._export_id = export_id
        self._folders = folders
        self._run = run
        self._uploads = uploads
        self._intent: Intent | None = None
        self._begun: Future[None] | None = None
        self._carrying_out = False
        self.unsure = False

    def open_part(self, name: str, folder: int = 0) -> S3Part:
        """Begin a part that becomes the object `name` in the export's folder of this number."""
        self._lease.held.check()
        return self._uploads.open_part(self._folders[folder], name, folder)

    def discard(self, part: PendingPart) -> None:
        """Drop a finished part."""
        self._uploads.discard(f"{self._folders[part.folder]}/{part.name}", part)

    def commit(self, record: bytes, parts: Sequence[PendingPart], remove: Sequence[Removal] = ()) -> None:
        """Publish these parts and the record."""
        check_names(parts)
        settled = self._uploads.settle(parts)
        checks: list[Callable[[], None]] = [
            # What the first one says is told: another run at work explains what the others find.
            self._lease.held.confirm,
            partial(self._uploads.keep_only, self._folders, settled, self._lease.held.check),
            partial(self._lease.check_places, self._folders, remove),
        ]
        in_parallel(lambda check: check(), checks)
        intent = Intent(self._export_id, self._run, self._folders, record.decode(), tuple(settled), tuple(remove))
        # A signal must not leave it open whether the intent was written: whoever cleans up waits for this, or cancels
        # it. So it is there before the thread is.
        self._intent, self._begun = intent, Future()
        in_background(partial(self._lease.begin_commit, intent), self._begun).result()
        self._carrying_out = True
        self._lease.carry_out(intent)

    def abort(self) -> str:
        """Abort all uploads, unless the commit has begun; what the user should know, "" when all is as it was.

        unsure: of whether something is left, because the server refused, or did not answer.
        """
        # Then who carries it out says what happened.
        if self._carrying_out:
            return ""
        try:
            if self._has_begun():
                return begun_note(self._export_id)
            self._drop_uploads()
        except ConvertError:
            self.unsure = True
            return may_be_left(self._lease.objects, self._begun is not None)
        return ""

    def _has_begun(self) -> bool:
        """Raises StorageError when the intent may still arrive: the server has not answered."""
        if self._begun is None or self._intent is None or self._begun.cancel():
            return False
        failure = self._begun.exception()
        if failure is None or self._lease.has_intent(self._intent):
            return True
        if isinstance(failure, StorageError) and is_unanswered(failure.__cause__):
            raise failure
        return False

    def _drop_uploads(self) -> None:
        try:
            self._uploads.keep_only(self._folders, (), self._lease.held.check)
        except StorageError:
            if not self._lease.held.is_lost():
                raise
            # Another run may be at work in the same folders.
            self._uploads.abort_own()


def may_be_left(objects: Objects, committing: bool) -> str:
    """The note of a run that could not clean up; committing: it may have begun to commit."""
    also = ", and finishes the commit if it had begun" if committing else ""
    return (
        f"{objects.place('')}: uploads that are not completed may be left, because the server did not answer:"
        f" the next run here removes them{also}, or `ddb-convert clean`"
    )
