"""The pending parts of one run in an object store, up to the moment at which their commit begins."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from converter.errors import ConvertError, StorageError
from converter.object_store import ObjectStore, Piece, Upload
from converter.storage.destination import PartStore, Staging
from converter.storage.intent import Intent, PendingPart, Removal, begun_message, check_names
from converter.storage.object_parts import ObjectPart, Receipt
from converter.storage.paths import is_name
from converter.storage.threads import in_background, in_parallel

if TYPE_CHECKING:
    from converter.storage.object_commit import ObjectLease

RUN = "ddb-convert-run"
"""The metadata of a part that names the run that wrote it."""

_SENDING = 3
_THREADS = 4


class Uploads(PartStore):
    """The uploads of one run.

    run: the name of the run, in the metadata of each object. folders: of the export. check: raises if another run may
    hold the destination by now; None in a copy, because the process that holds the lease aborts all uploads then.
    """

    def __init__(
        self, store: ObjectStore, run: str, folders: Sequence[str], check: Callable[[], None] | None = None
    ) -> None:
        self.store = store
        self._run = run
        self._folders = folders
        self._is_copy = check is None
        self._check = check or (lambda: None)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="upload")
        self._room = threading.Semaphore(_SENDING)
        self._stopped = False
        self._created: list[tuple[str, Future[str]]] = []
        self._finished: dict[str, Sequence[Future[Piece]]] = {}

    def __reduce__(self) -> tuple[type[Uploads], tuple[ObjectStore, str, Sequence[str]]]:
        return Uploads, (self.store, self._run, self._folders)

    def open_part(self, name: str, folder: int = 0) -> ObjectPart:
        """Begin a part that becomes the object `name` in the export's folder of this number."""
        self._check()
        if not is_name(name):
            raise ValueError(f"{name!r} is not the name of a file")
        return ObjectPart(self, f"{self._folders[folder]}/{name}", name, folder)

    def create(self, path: str) -> Future[str]:
        """Create an upload in the background; the result is its id."""
        creating = self._pool.submit(self.store.create_upload, path, {RUN: self._run})
        self._created.append((path, creating))
        return creating

    def send(self, put: Callable[[int, bytearray], Piece], number: int, chunk: bytearray) -> Future[Piece]:
        """Upload a piece in the background. Waits for room, so that the pieces on their way bound the memory."""
        while not self._room.acquire(timeout=0.5):
            if self._stopped:
                raise StorageError("the run has been stopped", self.store.place(""))
        sending = self._pool.submit(put, number, chunk)
        sending.add_done_callback(lambda _: self._room.release())
        return sending

    def upload_gone_error(self, path: str) -> StorageError:
        """The error for an upload that no longer exists: another run holds the destination, or something aborted it."""
        try:
            self._check()
        except StorageError as lost:
            return lost
        return StorageError(
            "another program aborted this run's upload of a part",
            self.store.place(path),
            "find out what removes uploads there (a lifecycle rule, or another run), then run the same command again",
        )

    def finished(self, upload_id: str, pieces: Sequence[Future[Piece]]) -> None:
        """Keep the pieces of an upload, all of which are on their way, for `settled`."""
        self._finished[upload_id] = pieces

    def drop(self, path: str, upload_id: Future[str]) -> None:
        """Abort an upload in the background. If that fails, `keep_only` or `abort_own` aborts it at the end."""

        def abort() -> None:
            self.store.abort_upload(path, upload_id.result())

        if not upload_id.cancel():
            self._pool.submit(abort)

    def discard(self, part: PendingPart) -> None:
        """Abort a finished part's upload in the background."""
        self._finished.pop(part.receipt, None)
        path = f"{self._folders[part.folder]}/{part.name}"
        self._pool.submit(self.store.abort_upload, path, _upload_id(part.receipt))

    def settle(self, parts: Sequence[PendingPart]) -> Sequence[PendingPart]:
        """In a copy, wait until the parts have arrived."""
        return self.settled(parts) if self._is_copy else parts

    def settled(self, parts: Sequence[PendingPart]) -> list[PendingPart]:
        """Wait until all pieces have arrived; return the parts with receipts that let any process complete them.

        Raises the first error of a request that failed on the way.
        """
        return [replace(part, receipt=self._settled_receipt(part.receipt)) for part in parts]

    def keep_only(self, parts: Sequence[PendingPart]) -> None:
        """Abort all other uploads in the folders, unless they may be another run's by now. No part can be sent then."""
        self._stop()
        kept = {Receipt.from_text(part.receipt, part.name).upload_id for part in parts}
        abort_uploads(self.store, self._folders, self._check, kept)

    def abort_own(self) -> None:
        """Abort the uploads that this run has created, as far as it knows their ids. Nothing can be sent after that."""
        self._stop()
        created = [
            (path, upload) for path, upload in self._created if not upload.cancelled() and not upload.exception()
        ]
        in_parallel(lambda own: self.store.abort_upload(own[0], own[1].result()), created)

    def _stop(self) -> None:
        self._stopped = True
        # In some stores, a piece that arrives after the abort would keep the upload alive.
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _settled_receipt(self, receipt: str) -> str:
        if receipt not in self._finished:
            return receipt
        return Receipt(receipt, tuple(piece.result() for piece in self._finished[receipt])).to_text()


def _upload_id(receipt: str) -> str:
    """Return the id in a receipt; until the part is settled, the receipt is the id alone."""
    try:
        return Receipt.from_text(receipt, "").upload_id
    except StorageError:
        return receipt


def abort_uploads(
    store: ObjectStore, folders: Sequence[str], check: Callable[[], None], kept: Container[str] = ()
) -> None:
    """Abort all uploads in the folders, except those with the kept ids; check: called before each request."""

    def abort(upload: Upload) -> None:
        check()
        store.abort_upload(upload.path, upload.upload_id)

    uploads = [found for folder in folders for found in store.list_uploads(f"{folder}/") if found.upload_id not in kept]
    in_parallel(abort, uploads)


class ObjectStaging(Uploads, Staging):
    """See Staging.

    unsure: after `abort`, whether uploads may be left, because the store refused a request or did not answer.
    """

    def __init__(self, lease: ObjectLease, export_id: str, folders: tuple[str, ...], run: str) -> None:
        super().__init__(lease.store, run, folders, lease.held.check)
        self._lease = lease
        self._export_id = export_id
        self._intent: Intent | None = None
        self._begun: Future[None] | None = None
        self._carrying_out = False
        self.unsure = False

    def commit(self, record: bytes, parts: Sequence[PendingPart], remove: Sequence[Removal] = ()) -> None:
        """Publish these parts and the record."""
        check_names(parts)
        settled = self.settled(parts)
        checks: list[Callable[[], None]] = [
            # The error of the first one is raised: another run at work explains the errors of the others.
            self._lease.held.confirm,
            partial(self.keep_only, settled),
            partial(self._lease.check_places, self._folders, remove),
        ]
        in_parallel(lambda check: check(), checks)
        folders = tuple(self._folders)
        intent = Intent(self._export_id, self._run, folders, record.decode(), tuple(settled), tuple(remove))
        # A signal may arrive at any moment, and `abort` must then find out whether the intent was written. So another
        # thread writes it, which no signal interrupts: `abort` cancels it or waits for it. `_begun` is assigned before
        # that thread exists.
        self._intent, self._begun = intent, Future()
        in_background(partial(self._lease.begin_commit, intent), self._begun).result()
        self._carrying_out = True
        self._lease.carry_out(intent)

    def abort(self) -> str:
        """Abort all uploads, unless the commit has begun; return a message for the user, "" if nothing is left."""
        # `carry_out` has reported it.
        if self._carrying_out:
            return ""
        try:
            if self._has_begun():
                return begun_message(self._export_id)
            self._drop_uploads()
        except ConvertError:
            self.unsure = True
            return leftover_uploads_message(self._lease.store, self._begun is not None)
        return ""

    def _has_begun(self) -> bool:
        """Return whether the intent was written. Raises StorageError if it may still arrive: the store is silent."""
        if self._begun is None or self._intent is None or self._begun.cancel():
            return False
        failure = self._begun.exception()
        if failure is None or self._lease.has_intent(self._intent):
            return True
        if isinstance(failure, StorageError) and self._lease.store.may_take_effect(failure):
            raise failure
        return False

    def _drop_uploads(self) -> None:
        try:
            self.keep_only(())
        except StorageError:
            if not self._lease.held.is_lost():
                raise
            # Another run may be at work in the same folders, so only uploads that are surely our own are aborted.
            self.abort_own()


def leftover_uploads_message(store: ObjectStore, committing: bool) -> str:
    """The message of a run that could not clean up; committing: whether it may have begun to commit."""
    also = ", and finishes the commit if it had begun" if committing else ""
    return (
        f"{store.place('')}: uploads that are not completed may be left, because the server did not answer:"
        f" the next run here removes them{also}, or `ddb-convert clean`"
    )
