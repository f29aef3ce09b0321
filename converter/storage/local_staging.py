"""The pending parts of one run on a local file system, up to the moment at which their commit begins."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from converter.storage.destination import Staging
from converter.storage.intent import Intent, PendingPart, Removal, check_names
from converter.storage.local_parts import LocalParts
from converter.storage.paths import EXPORTS

if TYPE_CHECKING:
    from converter.storage.local_commit import LocalLease


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
