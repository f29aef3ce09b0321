"""The pending parts of one run on a local file system, up to the moment at which their commit begins.

They grow in hidden folders of the destination: `DEST/_exports/.run-…/parts/00000.parquet.pending`.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from converter.errors import StorageError
from converter.storage.contained_files import ContainedFiles
from converter.storage.destination import Data, PartSink, PartStore, Staging
from converter.storage.intent import Intent, PendingPart, Removal, check_names
from converter.storage.local_errors import storage_error, storage_errors
from converter.storage.paths import EXPORTS, is_name

if TYPE_CHECKING:
    from converter.storage.local_commit import LocalLease

# Readers' globs such as `**/*.parquet` enter hidden folders too, so growing files must not end like parts.
PENDING = ".pending"


class LocalPart(PartSink):
    """One growing file, hashed while it is written."""

    def __init__(self, parts: LocalParts, path: str, name: str, folder: int) -> None:
        super().__init__()
        self._parts = parts
        self._path = path
        self._place = parts.files.place(path)
        self._name = name
        self._folder = folder
        self._over = False
        self._sha256 = hashlib.sha256()
        with storage_errors(self._place):
            self._file = parts.files.create(path)

    def write(self, data: Data, /) -> int:
        """Take all of `data` and return its bytes."""
        size = memoryview(data).nbytes
        try:
            self._file.write(data)
        except OSError as error:
            raise storage_error(error, self._place) from error
        self._sha256.update(data)
        self.bytes += size
        return size

    def finish(self) -> PendingPart:
        """Complete the part. It goes to stable storage while the caller continues."""
        with storage_errors(self._place):
            self._file.flush()
        self._over = True
        self._parts.finished(self, self._path, self._file)
        receipt = posixpath.basename(self._path)
        return PendingPart(self._name, self.bytes, self._sha256.hexdigest(), receipt, self._folder)

    def abort(self) -> None:
        """Drop the part."""
        if self._over:
            return
        self._over = True
        # To close the file writes its buffer, which fails on a full disk.
        with suppress(OSError):
            self._file.close()
        self._parts.dropped(self, self._path)


class LocalParts(PartStore):
    """The pending parts of one run.

    root: the destination. folders: where parts grow, relative to it; one for each folder of the export. is_copy: this
    process does not hold the lease.
    """

    def __init__(self, root: str, folders: Sequence[str], *, is_copy: bool = False) -> None:
        self.files = ContainedFiles(root)
        self.folders = folders
        self._is_copy = is_copy
        # Pending files of two processes have different names.
        self._token = f".{secrets.token_hex(4)}" if is_copy else ""
        self._lock = threading.Lock()
        self._begun = Counter[str]()
        self._open: set[LocalPart] = set()
        # To wait for the disk in the thread that converts would cost 5 % of the time.
        self._syncing = ThreadPoolExecutor(len(folders), thread_name_prefix="sync")
        self._synced: dict[str, Future[None]] = {}

    def __reduce__(self) -> tuple[Callable[..., LocalParts], tuple[str, Sequence[str]]]:
        return partial(LocalParts, is_copy=True), (os.path.abspath(self.files.root or "."), self.folders)

    def open_part(self, name: str, folder: int = 0) -> LocalPart:
        """Begin a part that becomes the file `name` in the export's folder of this number."""
        if not is_name(name):
            raise ValueError(f"{name!r} is not the name of a file")
        path = posixpath.join(self.folders[folder], name)
        with self._lock:
            self._begun[path] += 1
            again = f".{self._begun[path]}" if self._begun[path] > 1 else ""
            part = LocalPart(self, f"{path}{again}{self._token}{PENDING}", name, folder)
            self._open.add(part)
        return part

    def finished(self, part: LocalPart, path: str, file: BinaryIO) -> None:
        """Bring a complete file to stable storage and close it, in the background; keep_only waits for it."""
        with self._lock:
            self._open.discard(part)
            self._synced[path] = self._syncing.submit(_sync, file)

    def dropped(self, part: LocalPart, path: str) -> None:
        """Remove the file of a part that will not be finished."""
        with self._lock:
            self._open.discard(part)
        self._remove(path)

    def discard(self, part: PendingPart) -> None:
        """Drop a finished part."""
        self._remove(self._path_of(part))

    def settle(self, parts: Sequence[PendingPart]) -> Sequence[PendingPart]:
        """In a copy, wait until the parts are on stable storage."""
        if self._is_copy:
            self._wait_synced(parts)
        return parts

    def keep_only(self, parts: Sequence[PendingPart]) -> None:
        """Drop all other parts, and wait until these are on stable storage.

        Raises StorageError if one of them is missing or has another size.
        """
        self._wait_synced(parts)
        kept = {self._path_of(part) for part in parts}
        for folder in self.folders:
            with storage_errors(self.files.place(folder)):
                paths = {posixpath.join(folder, name) for name in self.files.names(folder)}
                for path in paths - kept:
                    self.files.remove_tree(path)
        for part in parts:
            path = self._path_of(part)
            with storage_errors(self.files.place(path)):
                size = self.files.file_size(path)
            if size is None:
                raise StorageError(
                    "the pending part is gone", self.files.place(path), "find out what else writes in this folder"
                )
            if size != part.bytes:
                raise StorageError(
                    f"the pending part has {size} bytes, but {part.bytes} were written",
                    self.files.place(path),
                    "find out what else writes in this folder, then run the same command again",
                )

    def abort_open(self) -> None:
        """Abort the parts that are not finished. No part can be finished after this call."""
        with self._lock:
            left = list(self._open)
        for part in left:
            part.abort()
        self._syncing.shutdown()

    def _path_of(self, part: PendingPart) -> str:
        return posixpath.join(self.folders[part.folder], part.receipt)

    def _wait_synced(self, parts: Sequence[PendingPart]) -> None:
        for path in map(self._path_of, parts):
            synced = self._synced.get(path)
            if synced is not None:
                with storage_errors(self.files.place(path)):
                    synced.result()

    def _remove(self, path: str) -> None:
        """Remove a file, if it exists and the system allows it."""
        with suppress(OSError):
            self.files.remove_file(path)


def _sync(file: BinaryIO) -> None:
    try:
        os.fsync(file.fileno())
    finally:
        file.close()


class LocalStaging(LocalParts, Staging):
    """See Staging."""

    def __init__(self, lease: LocalLease, export_id: str, export_folders: tuple[str, ...], run: str) -> None:
        super().__init__(lease.files.root, [parts_folder(run, number) for number in range(len(export_folders))])
        self._lease = lease
        self._export_id = export_id
        self._export_folders = export_folders
        self._run = run

    def commit(self, record: bytes, parts: Sequence[PendingPart], remove: Sequence[Removal] = ()) -> None:
        """Publish these parts and the record."""
        check_names(parts)
        self.abort_open()
        self.keep_only(parts)
        intent = Intent(self._export_id, self._run, self._export_folders, record.decode(), tuple(parts), tuple(remove))
        self._lease.begin_commit(intent)
        self._lease.carry_out(intent)

    def abort(self) -> None:
        """Remove all pending parts, unless the commit has begun."""
        self.abort_open()
        with suppress(OSError):
            if not self._lease.has_intent():
                self.files.remove_tree(in_exports(self._run))


def in_exports(*names: str) -> str:
    """Return a path in the folder of records and runs."""
    return posixpath.join(EXPORTS, *names)


def parts_folder(run: str, number: int) -> str:
    """Return the folder in which a run's parts grow; number: of the export's folder."""
    return in_exports(run, f"parts-{number}" if number else "parts")
