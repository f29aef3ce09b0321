"""Parts that grow in a hidden folder of the destination: `DEST/_exports/.run-…/parts/00000.parquet.pending`."""

from __future__ import annotations

import hashlib
import os
import posixpath
import secrets
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import BinaryIO

from converter.errors import StorageError
from converter.storage.contained_files import ContainedFiles
from converter.storage.destination import Data, PartSink, PartStore
from converter.storage.intent import PendingPart
from converter.storage.local_errors import storage_error, storage_errors
from converter.storage.paths import is_name

# Readers' globs such as `**/*.parquet` enter hidden folders too, so growing files must not end like parts.
PENDING = ".pending"


class LocalPart(PartSink):
    """One growing file, hashed while it is written."""

    def __init__(self, path: str, name: str, folder: PendingFolder) -> None:
        super().__init__()
        self._path = folder.files.place(path)
        self._name = name
        self._folder = folder
        self._over = False
        self._sha256 = hashlib.sha256()
        with storage_errors(self._path):
            self._file = folder.files.create(path)

    def write(self, data: Data, /) -> int:
        """Take all of `data` and return its bytes."""
        size = memoryview(data).nbytes
        try:
            self._file.write(data)
        except OSError as error:
            raise storage_error(error, self._path) from error
        self._sha256.update(data)
        self.bytes += size
        return size

    def finish(self) -> PendingPart:
        """Complete the part. It goes to stable storage while the caller continues."""
        with storage_errors(self._path):
            self._file.flush()
        self._over = True
        receipt = os.path.basename(self._path)
        part = PendingPart(self._name, self.bytes, self._sha256.hexdigest(), receipt, self._folder.number)
        self._folder.ended(self)
        self._folder.sync(part, self._file)
        return part

    def abort(self) -> None:
        """Drop the part."""
        if self._over:
            return
        self._over = True
        # To close the file writes its buffer, which fails on a full disk.
        with suppress(OSError):
            self._file.close()
        self._folder.remove(os.path.basename(self._path))
        self._folder.ended(self)


class PendingFolder:
    """Pending parts of one run for one folder of the export, which has this number.

    files: the destination. folder: where the parts grow, relative to it. token: part of the names of pending files, not
    the same in two processes.
    """

    def __init__(self, files: ContainedFiles, folder: str, number: int = 0, token: str = "") -> None:
        self.files = files
        self.folder = folder
        self.number = number
        self._token = token
        self._lock = threading.Lock()
        self._begun: dict[str, int] = {}
        self._open: set[LocalPart] = set()
        # To wait for the disk in the thread that converts would cost 5 % of the time.
        self._syncing = ThreadPoolExecutor(1, thread_name_prefix="sync")
        self._synced: dict[str, Future[None]] = {}

    def open_part(self, name: str) -> LocalPart:
        """Begin a part. For many threads."""
        if not is_name(name):
            raise ValueError(f"{name!r} is not the name of a file")
        with self._lock:
            number = self._begun[name] = self._begun.get(name, 0) + 1
            again = f".{number}" if number > 1 else ""
            part = LocalPart(posixpath.join(self.folder, f"{name}{again}{self._token}{PENDING}"), name, self)
            self._open.add(part)
        return part

    def ended(self, part: LocalPart) -> None:
        """Remove a part from those that are open."""
        with self._lock:
            self._open.discard(part)

    def sync(self, part: PendingPart, file: BinaryIO) -> None:
        """Bring a complete file to stable storage and close it, in the background; keep_only waits for it."""
        with self._lock:
            self._synced[part.receipt] = self._syncing.submit(_sync, file)

    def discard(self, part: PendingPart) -> None:
        """Drop a finished part."""
        self.remove(part.receipt)

    def remove(self, name: str) -> None:
        """Remove a file, if it exists and the system allows it."""
        with suppress(OSError):
            self.files.remove_file(posixpath.join(self.folder, name))

    def wait_synced(self, parts: Sequence[PendingPart]) -> None:
        """Wait until parts of this process are on stable storage. Raises StorageError."""
        for part in parts:
            synced = self._synced.get(part.receipt)
            if synced is not None:
                with storage_errors(self.files.place(posixpath.join(self.folder, part.receipt))):
                    synced.result()

    def keep_only(self, parts: list[PendingPart]) -> None:
        """Drop all other parts, and wait until these are on stable storage.

        Raises StorageError if one of them is missing or has another size.
        """
        self.wait_synced(parts)
        kept = {part.receipt for part in parts}
        with storage_errors(self.files.place(self.folder)):
            for name in set(self.files.names(self.folder)) - kept:
                self.files.remove_tree(posixpath.join(self.folder, name))
        for part in parts:
            path = self.files.place(posixpath.join(self.folder, part.receipt))
            with storage_errors(path):
                size = self.files.file_size(posixpath.join(self.folder, part.receipt))
            if size is None:
                raise StorageError("the pending part is gone", path, "see what else writes in this folder")
            if size != part.bytes:
                raise StorageError(
                    f"the pending part has {size} bytes, but {part.bytes} were written",
                    path,
                    "see what else writes in this folder, then run the same command again",
                )

    def abort_open(self) -> None:
        """Abort the parts that are not finished. No part can be finished after this call."""
        with self._lock:
            left = list(self._open)
        for part in left:
            part.abort()
        self._syncing.shutdown()


class CopiedLocalParts(PartStore):
    """The pending parts of a run in a process that does not hold its lease.

    root: the destination's absolute path. folders: those where parts grow, relative to it.
    """

    def __init__(self, root: str, folders: Sequence[str]) -> None:
        self._root = root
        files, token = ContainedFiles(root), f".{secrets.token_hex(4)}"
        self._pending = [PendingFolder(files, folder, number, token) for number, folder in enumerate(folders)]

    def __reduce__(self) -> tuple[type[CopiedLocalParts], tuple[str, list[str]]]:
        return CopiedLocalParts, (self._root, [pending.folder for pending in self._pending])

    def open_part(self, name: str, folder: int = 0) -> LocalPart:
        """Begin a part that becomes the file `name` in the export's folder of this number."""
        return self._pending[folder].open_part(name)

    def discard(self, part: PendingPart) -> None:
        """Drop a finished part."""
        self._pending[part.folder].discard(part)

    def settle(self, parts: Sequence[PendingPart]) -> Sequence[PendingPart]:
        """Wait until the parts are on stable storage, and return them."""
        for pending in self._pending:
            pending.wait_synced([part for part in parts if part.folder == pending.number])
        return parts


def _sync(file: BinaryIO) -> None:
    try:
        os.fsync(file.fileno())
    finally:
        file.close()
