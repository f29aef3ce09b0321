"""The pending parts of one run on a local file system, up to the moment at which their commit begins."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from converter.storage.destination import Staging
from converter.storage.intent import Intent, PendingPart, Removal, check_names
from converter.storage.local_parts import CopiedLocalParts, LocalPart, PendingFolder
from converter.storage.paths import EXPORTS

if TYPE_CHECKING:
    from converter.storage.local_commit import LocalLease


class LocalStaging(Staging):
    """See Staging."""

    def __init__(
        self, lease: LocalLease, export_id: str, folders: tuple[str, ...], run: str, pending: Sequence[PendingFolder]
    ) -> None:
        self._lease = lease
        self._export_id = export_id
        self._folders = folders
        self._run = run
        self._pending = pending

    def __reduce__(self) -> tuple[type[CopiedLocalParts], tuple[str, list[str]]]:
        root = os.path.abspath(self._lease.files.root or ".")
        return CopiedLocalParts, (root, [pending.folder for pending in self._pending])

    def open_part(self, name: str, folder: int = 0) -> LocalPart:
        """Begin a part that becomes the file `name` in the export's folder of this number."""
        return self._pending[folder].open_part(name)

    def discard(self, part: PendingPart) -> None:
        """Drop a finished part."""
        self._pending[part.folder].discard(part)

    def commit(self, record: bytes, parts: Sequence[PendingPart], remove: Sequence[Removal] = ()) -> None:
        """Publish these parts and the record."""
        check_names(parts)
        for pending in self._pending:
            pending.abort_open()
            pending.keep_only([part for part in parts if part.folder == pending.number])
        intent = Intent(self._export_id, self._run, self._folders, record.decode(), tuple(parts), tuple(remove))
        self._lease.begin_commit(intent)
        self._lease.carry_out(intent)

    def abort(self) -> None:
        """Remove all pending parts, unless the commit has begun."""
        for pending in self._pending:
            pending.abort_open()
        with suppress(OSError):
            if not self._lease.has_intent():
                self._lease.files.remove_tree(in_exports(self._run))


def in_exports(*names: str) -> str:
    """Return a path in the folder of records and runs."""
    return posixpath.join(EXPORTS, *names)


def parts_folder(run: str, number: int) -> str:
    """Return the folder in which a run's parts grow; number: of the export's folder."""
    return in_exports(run, f"parts-{number}" if number else "parts")
