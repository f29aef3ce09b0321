"""The pending parts of one run in an object store, up to the moment at which their commit begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from converter.errors import ConvertError, StorageError
from converter.object_store import ObjectStore
from converter.storage.destination import Staging
from converter.storage.intent import Intent, PendingPart, Removal, begun_message, check_names
from converter.storage.object_uploads import Uploads
from converter.storage.threads import in_background, in_parallel

if TYPE_CHECKING:
    from converter.storage.object_commit import ObjectLease


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
