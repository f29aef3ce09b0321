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
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial

from converter.aws.objects import Changed, Objects
from converter.errors import BusyError, StorageError
from converter.storage.destination import (
    INTENT,
    Intent,
    Lease,
    PendingPart,
    Removal,
    Staging,
    check_folder,
    check_names,
    finished_for,
    lost,
    record_path,
    taken,
)
from converter.storage.s3_lease import S3Lease
from converter.storage.s3_parts import (
    LAST_SECONDS,
    RUN,
    Receipt,
    S3Part,
    Uploads,
    abort_uploads,
    in_background,
    in_parallel,
)


@contextmanager
def hold_lease(objects: Objects, arguments: Mapping[str, str]) -> Iterator[Lease]:
    """The lease of a destination. arguments: of the requests that begin the upload of a part."""
    holder = S3HolderLease(objects, S3Lease(objects), arguments)
    try:
        holder.recover()
        yield holder
    except BaseException as error:
        if not holder.close():
            error.add_note(
                f"{objects.place('')}: uploads that are not completed may be left, because the server did not answer:"
                " the next run here removes them, or `ddb-convert clean`"
            )
        raise
    holder.close()


class S3HolderLease(Lease):
    """What the holder of the lease may do."""

    def __init__(self, objects: Objects, held: S3Lease, arguments: Mapping[str, str]) -> None:
        super().__init__()
        self.objects = objects
        self.held = held
        self._arguments = arguments
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
        abort_uploads(self.objects, folders)
        uploads = Uploads(self.objects, run, self._arguments)
        staging = S3Staging(self, export_id, folders, run, uploads)
        self._stagings.append(staging)
        return staging

    def check_places(self, folders: Sequence[str], remove: Sequence[Removal]) -> None:
        """Raises StorageError when something else than what the commit removes is in one of the folders."""
        replaced = {removal.folder for removal in remove}
        for folder in folders:
            if folder not in replaced and any(True for _ in self.objects.walk(f"{folder}/")):
                raise taken(self.objects.place(folder))

    def begin_commit(self, intent: Intent) -> None:
        """Writes the intent: from here on the commit will happen, whoever finishes it."""
        content = intent.to_json()
        try:
            self.objects.write(INTENT, content, new=True)
        except Changed:
            # It may be our own, whose answer was lost on the way.
            if self._read(INTENT) != content:
                raise BusyError(
                    "another run has begun a commit", self.objects.place(INTENT), "run the same command again"
                ) from None

    def has_intent(self) -> bool:
        """Has a commit begun that is not done?"""
        return self._read(INTENT) is not None

    def recover(self) -> None:
        """Finishes the commit of a run that died, and aborts the uploads that it left."""
        content = self._read(INTENT)
        if content is not None:
            intent = Intent.from_json(content, self.objects.place(INTENT))
            self.carry_out(intent)
            self.warnings.append(finished_for(intent))
        if self.held.left is not None:
            abort_uploads(self.objects, self.held.left.folders)

    def close(self) -> bool:
        """Aborts what was not committed, and lets go of the lease. False when some of it may be left."""
        clean = all([staging.abort() for staging in self._stagings])  # noqa: C419 - of each, whatever the others say
        if clean:
            self.held.release()
        else:
            self.held.leave()
        return clean

    def _remove_records(self, intent: Intent) -> None:
        self.held.check()
        own = record_path(intent.export_id)
        paths = [record_path(removal.export_id) for removal in intent.remove]
        in_parallel(self.objects.delete, [path for path in paths if path != own or not self._has_record(intent)])

    def _place_parts(self, intent: Intent) -> None:
        self.held.check()
        new = {self._path(intent, part) for part in intent.parts}
        folders = {removal.folder for removal in intent.remove if removal.folder}
        old = [path for folder in sorted(folders) for path, _ in self.objects.walk(f"{folder}/") if path not in new]
        in_parallel(self.objects.delete, old)
        in_parallel(partial(self._complete, intent), intent.parts)
        # Completing an upload once more succeeds even where the object was deleted since.
        for number, folder in enumerate(intent.folders):
            _, sizes = self.objects.list_folder(folder)
            for part in intent.parts:
                if part.folder == number and sizes.get(part.name) != part.bytes:
                    raise lost(self.objects.place(self._path(intent, part)))

    def _complete(self, intent: Intent, part: PendingPart) -> None:
        self.held.check()
        path = self._path(intent, part)
        receipt = Receipt.from_text(part.receipt, self.objects.place(INTENT))
        try:
            self.objects.complete_upload(path, receipt.upload_id, receipt.pieces, part.bytes)
        except FileNotFoundError:
            found = self.objects.find(path)
            if found is None or found.size != part.bytes or found.metadata.get(RUN) != intent.run:
                raise lost(self.objects.place(path)) from None

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

    def __init__(
        self, lease: S3HolderLease, export_id: str, folders: tuple[str, ...], run: str, uploads: Uploads
    ) -> None:
        self._lease = lease
        self._export_id = export_id
        self._folders = folders
        self._run = run
        self._uploads = uploads
        self._begun: Future[None] | None = None
        self._done = False

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
            partial(self._uploads.keep_only, self._folders, settled),
            partial(self._lease.check_places, self._folders, remove),
            self._lease.held.confirm,
        ]
        in_parallel(lambda check: check(), checks)
        intent = Intent(self._export_id, self._run, self._folders, record.decode(), tuple(settled), tuple(remove))
        # A signal must not leave it open whether the intent was written.
        self._begun = in_background(partial(self._lease.begin_commit, intent))
        self._begun.result()
        self._lease.carry_out(intent)
        self._done = True

    def abort(self) -> bool:
        """Abort all uploads, unless the commit has begun. False when some may be left."""
        if self._done:
            return True
        if self._begun is not None:
            try:
                if self._begun.exception(LAST_SECONDS) is None or self._lease.has_intent():
                    return True
            except (TimeoutError, StorageError):
                return False
        return self._uploads.abort(self._folders)
