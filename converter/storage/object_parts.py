"""Parts on their way to S3: multipart uploads that grow while the part is encoded, and are not completed here."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Container, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import TypeVar

from isal import isal_zlib

from converter.aws.objects import Objects, Piece, Upload
from converter.errors import StorageError
from converter.storage.destination import Data, PartSink
from converter.storage.intent import PendingPart
from converter.storage.json_members import read_members
from converter.storage.paths import is_name

RUN = "ddb-convert-run"
"""The metadata of a part that names the run that wrote it."""

CHUNK_BYTES = 5 << 20
"""The least that S3 takes for a piece that is not the last. It takes 10,000 of them, so later ones are larger."""
_GROWTH = 1000
_SENDING = 3
_THREADS = 4
_MANY = 16
_VERSION = 1

_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What completes an upload."""

    upload_id: str
    pieces: tuple[Piece, ...]

    def to_text(self) -> str:
        """As an intent holds it."""
        pieces = [asdict(piece) for piece in self.pieces]
        return json.dumps({"version": _VERSION, "uploadId": self.upload_id, "pieces": pieces})

    @staticmethod
    def from_text(text: str, place: str) -> Receipt:
        """Raises StorageError when it is damaged."""
        members = read_members(text.encode(errors="replace"), place, _VERSION)
        pieces = (Piece(piece.text("etag"), piece.text("crc32")) for piece in members.inners("pieces"))
        return Receipt(members.text("uploadId"), tuple(pieces))


class S3Part(PartSink):
    """One growing part: its bytes are sent in pieces, by other threads."""

    def __init__(self, uploads: Uploads, path: str, name: str, folder: int) -> None:
        super().__init__()
        self._uploads = uploads
        self._path = path
        self._name = name
        self._folder = folder
        self._sha256 = hashlib.sha256()
        self._size = CHUNK_BYTES
        self._chunk = bytearray(self._size)
        self._filled = 0
        self._over = False
        self._failed: BaseException | None = None
        self._upload_id = uploads.begin(path)
        self._pieces: list[Future[Piece]] = []

    def write(self, data: Data, /) -> int:
        """Take all of `data`; returns its bytes. Waits while too much is on its way."""
        if self._failed is not None:
            raise self._failed
        view = memoryview(data).cast("B")
        size = view.nbytes
        self._sha256.update(view)
        while view.nbytes:
            taken = min(view.nbytes, self._size - self._filled)
            self._chunk[self._filled : self._filled + taken] = view[:taken]
            self._filled += taken
            view = view[taken:]
            if self._filled == self._size:
                self._send()
        self.bytes += size
        return size

    def finish(self) -> PendingPart:
        """The part is complete; its last pieces arrive while its thread goes on."""
        if self._filled or not self._pieces:
            del self._chunk[self._filled :]
            self._send()
        self._over = True
        upload_id = self._upload_id.result()
        self._uploads.finished(upload_id, self._pieces)
        return PendingPart(self._name, self.bytes, self._sha256.hexdigest(), upload_id, self._folder)

    def abort(self) -> None:
        """The part is not wanted."""
        if not self._over:
            self._over = True
            for piece in self._pieces:
                piece.cancel()
            self._uploads.drop(self._path, self._upload_id)

    def _send(self) -> None:
        number = len(self._pieces) + 1
        self._pieces.append(self._uploads.send(self._put, number, self._chunk))
        self._size = CHUNK_BYTES * (1 + number // _GROWTH)
        self._chunk = bytearray(self._size)
        self._filled = 0

    def _put(self, number: int, chunk: bytearray) -> Piece:
        try:
            crc32 = base64.b64encode(isal_zlib.crc32(chunk).to_bytes(4, "big")).decode()
            return self._uploads.objects.upload_piece(self._path, self._upload_id.result(), number, chunk, crc32)
        except FileNotFoundError:
            self._failed = self._uploads.aborted(self._path)
            raise self._failed from None
        except BaseException as error:
            self._failed = error
            raise


class Uploads:
    """The uploads of one run. For many threads.

    run: the name of the run, in the metadata of each object. arguments: of the requests that begin an upload. check:
    raises when the destination may be another run's by now.
    """

    def __init__(self, objects: Objects, run: str, arguments: Mapping[str, str], check: Callable[[], None]) -> None:
        self.objects = objects
        self._check = check
        self._run = run
        self._arguments = arguments
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="upload")
        self._room = threading.Semaphore(_SENDING)
        self._stopped = False
        self._begun: list[tuple[str, Future[str]]] = []
        self._finished: dict[str, Sequence[Future[Piece]]] = {}

    def open_part(self, folder: str, name: str, number: int) -> S3Part:
        """Begin a part that becomes the object of this name in the folder, which is the export's of this number."""
        if not is_name(name):
            raise ValueError(f"{name!r} is no name of a file")
        return S3Part(self, f"{folder}/{name}", name, number)

    def begin(self, path: str) -> Future[str]:
        """Begin an upload; gives its id."""
        beginning = self._pool.submit(self.objects.begin_upload, path, {RUN: self._run}, self._arguments)
        self._begun.append((path, beginning))
        return beginning

    def send(self, put: Callable[[int, bytearray], Piece], number: int, chunk: bytearray) -> Future[Piece]:
        """Put a piece, once there is room: memory is bounded by what is on its way."""
        while not self._room.acquire(timeout=0.5):
            if self._stopped:
                raise StorageError("the run has been stopped", self.objects.place(""))
        sending = self._pool.submit(put, number, chunk)
        sending.add_done_callback(lambda _: self._room.release())
        return sending

    def aborted(self, path: str) -> StorageError:
        """The error for an upload that is no longer there: another run has the destination, or who knows."""
        try:
            self._check()
        except StorageError as lost:
            return lost
        return StorageError(
            "someone has aborted this run's upload of a part",
            self.objects.place(path),
            "see what removes uploads there (a lifecycle rule, or another run), then run the same command again",
        )

    def finished(self, upload_id: str, pieces: Sequence[Future[Piece]]) -> None:
        """All pieces of an upload are on their way."""
        self._finished[upload_id] = pieces

    def drop(self, path: str, upload_id: Future[str]) -> None:
        """Abort an upload in the background. What fails is aborted with all others at the end."""

        def abort() -> None:
            self.objects.abort_upload(path, upload_id.result())

        if not upload_id.cancel():
            self._pool.submit(abort)

    def discard(self, path: str, part: PendingPart) -> None:
        """Abort a finished part's upload in the background."""
        self._finished.pop(part.receipt, None)
        self._pool.submit(self.objects.abort_upload, path, part.receipt)

    def settle(self, parts: Sequence[PendingPart]) -> list[PendingPart]:
        """The parts with receipts that another process could complete them by; they have arrived then.

        Raises what went wrong on the way.
        """
        return [replace(part, receipt=self._settled(part.receipt)) for part in parts]

    def keep_only(self, folders: Sequence[str], parts: Sequence[PendingPart], check: Callable[[], None]) -> None:
        """Abort all other uploads that there are in the folders; nothing can be sent any more.

        check: raises when they may be another run's by now.
        """
        self._stop()
        kept = {Receipt.from_text(part.receipt, part.name).upload_id for part in parts}
        abort_uploads(self.objects, folders, check, kept)

    def abort_own(self) -> None:
        """Abort the uploads that this run has begun, as far as it knows of them; nothing can be sent any more."""
        self._stop()
        begun = [(path, upload) for path, upload in self._begun if not upload.cancelled() and not upload.exception()]
        in_parallel(lambda own: self.objects.abort_upload(own[0], own[1].result()), begun)

    def _stop(self) -> None:
        self._stopped = True
        # A piece that arrives after the abort would bring the upload back.
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _settled(self, receipt: str) -> str:
        if receipt not in self._finished:
            return receipt
        return Receipt(receipt, tuple(piece.result() for piece in self._finished[receipt])).to_text()


def abort_uploads(
    objects: Objects, folders: Sequence[str], check: Callable[[], None], kept: Container[str] = ()
) -> None:
    """Abort all uploads in the folders but those with the kept ids; check: called before each of them."""

    def abort(upload: Upload) -> None:
        check()
        objects.abort_upload(upload.path, upload.upload_id)

    uploads = [upload for folder in folders for upload in objects.uploads(f"{folder}/") if upload.upload_id not in kept]
    in_parallel(abort, uploads)


def in_background(act: Callable[[], None], ended: Future[None]) -> Future[None]:
    """Do it in a thread that does not keep the process alive, unless `ended` is cancelled before it begins."""

    def run() -> None:
        if not ended.set_running_or_notify_cancel():
            return
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - for the thread that waits
            ended.set_exception(error)
        else:
            ended.set_result(None)

    threading.Thread(target=run, name="s3", daemon=True).start()
    return ended


def in_parallel(act: Callable[[_T], _R], things: Sequence[_T]) -> list[_R]:
    """What it gives for each of them; a few are under way at a time. After an error no more are begun."""
    if not things:
        return []
    pool = ThreadPoolExecutor(min(len(things), _MANY), thread_name_prefix="s3")
    try:
        return [done.result() for done in [pool.submit(act, thing) for thing in things]]
    except Exception:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    finally:
        # Who is interrupted must not wait for a server that does not answer.
        pool.shutdown(wait=False, cancel_futures=True)
