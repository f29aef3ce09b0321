"""Parts in object stores: multipart uploads that grow while the part is encoded, and that only the commit completes.

A part is a file of the export, a piece is what one request uploads of it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isal import isal_zlib

from converter.object_store import Piece
from converter.storage.destination import Data, PartSink
from converter.storage.intent import PendingPart
from converter.storage.json_members import members_of, read_members

if TYPE_CHECKING:
    from converter.storage.object_staging import Uploads

PIECE_BYTES = 5 << 20
"""The least that a store accepts for a piece that is not the last one."""
# A store accepts 10,000 pieces, so that later ones must be larger: after each 1,000 they grow by 5 MiB.
_GROWTH = 1000
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Receipt:
    """The id and the pieces that complete an upload."""

    upload_id: str
    pieces: tuple[Piece, ...]

    def to_text(self) -> str:
        """Return the receipt as an intent contains it."""
        return json.dumps({"version": _VERSION, **members_of(self)})

    @staticmethod
    def from_text(text: str, place: str) -> Receipt:
        """Read a receipt. Raises StorageError if it is damaged."""
        members = read_members(text.encode(errors="replace"), place, _VERSION)
        pieces = (Piece(piece.text("etag"), piece.text("crc32")) for piece in members.inners("pieces"))
        return Receipt(members.text("uploadId"), tuple(pieces))


class ObjectPart(PartSink):
    """One growing part. Other threads upload its pieces."""

    def __init__(self, uploads: Uploads, path: str, name: str, folder: int) -> None:
        super().__init__()
        self._uploads = uploads
        self._path = path
        self._name = name
        self._folder = folder
        self._sha256 = hashlib.sha256()
        self._size = PIECE_BYTES
        self._chunk = bytearray(self._size)
        self._filled = 0
        self._over = False
        self._failed: BaseException | None = None
        self._upload_id = uploads.create(path)
        self._pieces: list[Future[Piece]] = []

    def write(self, data: Data, /) -> int:
        """Take all of `data` and return its bytes. Waits while the pieces on their way fill the memory for them."""
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
        """Complete the part. Its last pieces arrive while the caller continues."""
        # An empty part has one empty piece: an upload without pieces can't be completed.
        if self._filled or not self._pieces:
            del self._chunk[self._filled :]
            self._send()
        self._over = True
        upload_id = self._upload_id.result()
        self._uploads.finished(upload_id, self._pieces)
        return PendingPart(self._name, self.bytes, self._sha256.hexdigest(), upload_id, self._folder)

    def abort(self) -> None:
        """Drop the part."""
        if not self._over:
            self._over = True
            for piece in self._pieces:
                piece.cancel()
            self._uploads.drop(self._path, self._upload_id)

    def _send(self) -> None:
        number = len(self._pieces) + 1
        self._pieces.append(self._uploads.send(self._put, number, self._chunk))
        self._size = PIECE_BYTES * (1 + number // _GROWTH)
        self._chunk = bytearray(self._size)
        self._filled = 0

    def _put(self, number: int, chunk: bytearray) -> Piece:
        try:
            crc32 = base64.b64encode(isal_zlib.crc32(chunk).to_bytes(4, "big")).decode()
            return self._uploads.store.upload_piece(self._path, self._upload_id.result(), number, chunk, crc32)
        except FileNotFoundError:
            self._failed = self._uploads.upload_gone_error(self._path)
            raise self._failed from None
        except BaseException as error:
            self._failed = error
            raise
