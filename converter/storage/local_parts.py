"""Parts that grow in a hidden folder of the destination: `DEST/_exports/.run-…/parts/00000.parquet.pending`."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from contextlib import suppress

from converter.errors import StorageError
from converter.storage.destination import Data, PartSink, PendingPart, is_name
from converter.storage.durable import refusals, refused, remove_file

# Readers' globs such as `**/*.parquet` enter hidden folders too; what grows there must not end like a part.
PENDING = ".pending"
_BUFFER_BYTES = 1 << 20


class LocalPart(PartSink):
    """One growing file, hashed on the way."""

    def __init__(self, path: str, name: str, ended: Callable[[LocalPart], None]) -> None:
        super().__init__()
        self._path = path
        self._name = name
        self._ended = ended
        self._sha256 = hashlib.sha256()
        with refusals(path):
            self._file = open(path, "xb", buffering=_BUFFER_BYTES)  # noqa: SIM115 - closed by finish or abort

    def write(self, data: Data, /) -> int:
        """Take all of `data`; returns its bytes."""
        size = memoryview(data).nbytes
        try:
            self._file.write(data)
        except OSError as error:
            raise refused(error, self._path) from error
        self._sha256.update(data)
        self.bytes += size
        return size

    def finish(self) -> PendingPart:
        """The part is complete and on stable storage."""
        with refusals(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        self._ended(self)
        return PendingPart(self._name, self.bytes, self._sha256.hexdigest(), os.path.basename(self._path))

    def abort(self) -> None:
        """The part is not wanted."""
        if self._file.closed:
            return
        # Closing writes what is buffered, which is what a full disk refuses.
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            remove_file(self._path)
        self._ended(self)


class PendingFolder:
    """The pending parts of one run."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._begun: dict[str, int] = {}
        self._open: set[LocalPart] = set()

    def open_part(self, name: str) -> LocalPart:
        """Begin a part; safe to call from many threads."""
        if not is_name(name):
            raise ValueError(f"{name!r} is no name of a file")
        with self._lock:
            number = self._begun[name] = self._begun.get(name, 0) + 1
            again = f".{number}" if number > 1 else ""
            part = LocalPart(os.path.join(self.folder, f"{name}{again}{PENDING}"), name, self._forget)
            self._open.add(part)
        return part

    def discard(self, part: PendingPart) -> None:
        """Drop a finished part."""
        with suppress(OSError):
            remove_file(os.path.join(self.folder, part.receipt))

    def keep_only(self, parts: list[PendingPart]) -> None:
        """Drop every other part. Raises StorageError when one of these is not there as it was written."""
        kept = {part.receipt for part in parts}
        with refusals(self.folder):
            for name in set(os.listdir(self.folder)) - kept:
                remove_file(os.path.join(self.folder, name))
        for part in parts:
            path = os.path.join(self.folder, part.receipt)
            with refusals(path):
                size = os.stat(path).st_size
            if size != part.bytes:
                raise StorageError(
                    f"the pending part has {size} bytes, but {part.bytes} were written",
                    path,
                    "see what else writes in this folder, then run the same command again",
                )

    def abort_open(self) -> None:
        """Abort the parts that nobody finished."""
        with self._lock:
            left = list(self._open)
        for part in left:
            part.abort()

    def _forget(self, part: LocalPart) -> None:
        with self._lock:
            self._open.discard(part)
