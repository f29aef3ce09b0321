"""The commit of a destination on a local file system.

What lies in `DEST/_exports` while a run publishes:

- `lease`: locked while a run holds the destination.
- `.run-<ExportId>-<token>/`: one run's own folder; without an intent it is a dead run's.
- `.run-…/parts/*.pending`: pending parts. The commit renames them, then their folder into place.
- `.run-…/parts-1/*.pending`: the same for the second folder, where an export has two.
- `.run-…/replaced/<n>`: where the commit moves the folders of replaced exports.
- `intent.json`: a commit that has begun.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from converter.errors import StorageError
from converter.storage.destination import (
    EXPORTS,
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
from converter.storage.durable import (
    make_folders,
    refusals,
    remove_empty_folders,
    remove_file,
    remove_tree,
    sync_folder,
    write_file,
)
from converter.storage.leftovers import Leftover
from converter.storage.local_leftovers import LEASE, RUN, dead_runs, read_intent
from converter.storage.local_lock import hold_lock
from converter.storage.local_parts import LocalPart, PendingFolder


@contextmanager
def hold_lease(root: str, *, recover: bool) -> Iterator[Lease]:
    """The lease of the destination `root`, which is made if it does not exist."""
    with hold_lock(os.path.join(root, LEASE)):
        lease = LocalLease(root)
        try:
            if recover:
                lease.recover()
            yield lease
        finally:
            lease.close()


class LocalLease(Lease):
    """What the holder of the lock may do."""

    def __init__(self, root: str) -> None:
        super().__init__()
        self._root = root
        self._exports = os.path.join(root, EXPORTS)
        self._stagings: list[LocalStaging] = []

    def begin(self, export_id: str, *folders: str) -> Staging:
        """Begin to write parts for folders."""
        # Refuses the one export id whose record would lie where the intent does.
        record_path(export_id)
        for folder in folders:
            check_folder(folder, export_id)
            self.check_place(folder)
        run = f"{RUN}{export_id}-{secrets.token_hex(4)}"
        pending = [PendingFolder(self._parts(run, number), number) for number in range(len(folders))]
        staging = LocalStaging(self, export_id, folders, run, pending)
        self._stagings.append(staging)
        with refusals(self._path(EXPORTS, run)):
            os.mkdir(self._path(EXPORTS, run))
            for parts in pending:
                os.mkdir(parts.folder)
        return staging

    def check_place(self, folder: str) -> None:
        """Raises StorageError when a folder can't be renamed into this place, or away from it.

        Looked at before the intent, because an intent that can't be carried out blocks the destination.
        """
        path = os.path.dirname(self._path(folder))
        while path != self._root and not os.path.lexists(path):
            path = os.path.dirname(path)
        with refusals(path):
            if not os.path.isdir(path):
                raise StorageError("this is no folder", path, "remove it, or choose another --layout or DEST")
            if os.stat(path).st_dev != os.stat(self._exports).st_dev:
                raise StorageError("the destination spans several file systems", path, "use one for all of DEST")
            if not os.access(path, os.W_OK | os.X_OK):
                raise StorageError("permission denied", path, "allow this user to write there")

    def begin_commit(self, intent: Intent) -> None:
        """Writes the intent: from here on the commit will happen, whoever finishes it."""
        replaced = {removal.folder for removal in intent.remove if removal.folder}
        for folder in (*intent.folders, *replaced):
            self.check_place(folder)
        for folder in intent.folders:
            place = self._path(folder)
            with refusals(place):
                if folder not in replaced and _is_taken(place):
                    raise taken(place)
        with refusals(self._exports):
            for path in (*self._all_parts(intent), self._path(EXPORTS, intent.run), self._exports, self._root):
                sync_folder(path)
            write_file(self._path(INTENT), intent.to_json(), self._path(EXPORTS, intent.run, "intent"))

    def has_intent(self) -> bool:
        """Has a commit begun that is not done?"""
        return _exists(self._path(INTENT))

    def recover(self) -> None:
        """Finishes the commit of a run that died, and removes what dead runs left."""
        intent = self.finish_begun()
        if intent is not None:
            self.warnings.append(finished_for(intent))
        for run in dead_runs(self._root):
            self._remove_run(run)

    def finish_begun(self) -> Intent | None:
        """Finish the commit of a run that died."""
        intent = read_intent(self._root)
        if intent is not None:
            self.carry_out(intent)
        return intent

    def remove(self, leftovers: Sequence[Leftover]) -> None:
        """Remove hidden folders of dead runs."""
        for leftover in leftovers:
            path = self._path(leftover.path)
            with refusals(path):
                remove_tree(path)

    def _take_steps(self, intent: Intent) -> None:
        with refusals(self._path(*intent.folders[:1])):
            super()._take_steps(intent)

    def close(self) -> None:
        """Removes what was not committed, unless its commit has begun."""
        for staging in self._stagings:
            staging.abort()

    def _remove_run(self, run: str) -> None:
        path = self._path(EXPORTS, run)
        try:
            remove_tree(path)
        except OSError as error:
            self.warnings.append(f"{path}: the remains of a run can't be removed: {error.strerror}")

    def _remove_records(self, intent: Intent) -> None:
        own = self._path(record_path(intent.export_id))
        for removal in intent.remove:
            path = self._path(record_path(removal.export_id))
            if path != own or not self._has_record(intent):
                remove_file(path)
        sync_folder(self._exports)

    def _place_parts(self, intent: Intent) -> None:
        pending = self._all_parts(intent)
        # Once a folder with parts is renamed, all before that is done, and must not be done to the new folder.
        if all(map(_exists, pending)):
            self._rename_parts(intent)
            self._move_replaced(intent)
        for number, parts in enumerate(pending):
            if _exists(parts):
                self._place_folder(intent, number)
            else:
                self._check_parts(intent, number)
        for removal in intent.remove:
            if removal.folder:
                remove_empty_folders(os.path.dirname(self._path(removal.folder)), self._root)

    def _place_folder(self, intent: Intent, number: int) -> None:
        parts, place = self._parts(intent.run, number), self._path(intent.folders[number])
        if any(part.folder == number for part in intent.parts):
            make_folders(os.path.dirname(place), [])
            os.rename(parts, place)
            sync_folder(os.path.dirname(place))
        else:
            os.rmdir(parts)
        sync_folder(os.path.dirname(parts))

    def _rename_parts(self, intent: Intent) -> None:
        for part in intent.parts:
            folder = self._parts(intent.run, part.folder)
            final = os.path.join(folder, part.name)
            try:
                os.rename(os.path.join(folder, part.receipt), final)
            except FileNotFoundError:
                if not _exists(final):
                    raise lost(final) from None
        for folder in self._all_parts(intent):
            sync_folder(folder)

    def _move_replaced(self, intent: Intent) -> None:
        """Moves the folders away: nothing can be renamed onto a full folder, and emptying it would take a while."""
        attic = self._path(EXPORTS, intent.run, "replaced")
        for number, removal in enumerate(intent.remove):
            old, moved = self._path(removal.folder), os.path.join(attic, str(number))
            # A folder that is there again, after it was moved, is a parent of the new one.
            if removal.folder and _exists(old) and not _exists(moved):
                make_folders(attic, [])
                os.rename(old, moved)
                sync_folder(os.path.dirname(old))

    def _check_parts(self, intent: Intent, number: int) -> None:
        for part in intent.parts:
            path = self._path(intent.folders[part.folder], part.name)
            if part.folder == number and (not _exists(path) or os.path.getsize(path) != part.bytes):
                raise lost(path)

    def _has_record(self, intent: Intent) -> bool:
        try:
            with open(self._path(record_path(intent.export_id)), "rb") as file:
                return file.read() == intent.record.encode()
        except FileNotFoundError:
            return False

    def _write_record(self, intent: Intent) -> None:
        if not self._has_record(intent):
            draft = self._path(EXPORTS, intent.run, "record")
            make_folders(os.path.dirname(draft), [])
            write_file(self._path(record_path(intent.export_id)), intent.record.encode(), draft)

    def _remove_intent(self) -> None:
        remove_file(self._path(INTENT))
        sync_folder(self._exports)

    def _drop_replaced(self, intent: Intent) -> None:
        self._remove_run(intent.run)

    def _path(self, *parts: str) -> str:
        return os.path.join(self._root, *parts)

    def _parts(self, run: str, number: int) -> str:
        return self._path(EXPORTS, run, f"parts-{number}" if number else "parts")

    def _all_parts(self, intent: Intent) -> list[str]:
        return [self._parts(intent.run, number) for number in range(len(intent.folders))]


class LocalStaging(Staging):
    """One run's pending parts and their commit."""

    def __init__(
        self, lease: LocalLease, export_id: str, folders: tuple[str, ...], run: str, pending: Sequence[PendingFolder]
    ) -> None:
        self._lease = lease
        self._export_id = export_id
        self._folders = folders
        self._run = run
        self._pending = pending

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
        """Remove all, unless the commit has begun."""
        for pending in self._pending:
            pending.abort_open()
        if not self._lease.has_intent():
            with suppress(OSError):
                remove_tree(os.path.dirname(self._pending[0].folder))


def _exists(path: str) -> bool:
    """Like os.path.lexists, which takes a refusal for a no."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _is_taken(place: str) -> bool:
    return os.path.islink(place) or (_exists(place) and bool(os.listdir(place)))
