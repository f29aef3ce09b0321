"""The commit of a destination on a local file system.

Files in `DEST/_exports` while a run publishes:

- `lease`: locked while a run holds the destination.
- `.run-<ExportId>-<token>/`: one run's own folder; without an intent it is that of a dead run.
- `.run-…/parts/*.pending`: pending parts. The commit renames them, then their folder into place.
- `.run-…/parts-1/*.pending`: the same for the second folder, where an export has two.
- `.run-…/replaced/<n>`: where the commit moves the folders of replaced exports.
- `intent.json`: a commit that has begun.
"""

from __future__ import annotations

import os
import posixpath
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from converter.errors import StorageError
from converter.storage.contained_files import ContainedFiles
from converter.storage.destination import Lease, Staging
from converter.storage.intent import Intent, folder_taken_error, part_lost_error
from converter.storage.leftovers import Leftover
from converter.storage.local_errors import storage_errors
from converter.storage.local_leftovers import LEASE, dead_runs, read_intent
from converter.storage.local_lock import hold_lock
from converter.storage.local_staging import LocalStaging, in_exports, parts_folder
from converter.storage.paths import EXPORTS, HIDDEN_RUN, INTENT, record_path
from converter.storage.stored_files import FileVersion


@contextmanager
def hold_lease(root: str, *, recover: bool) -> Iterator[Lease]:
    """Hold the lease of the destination `root`, which is made if it does not exist."""
    files = ContainedFiles(root)
    with hold_lock(files, LEASE):
        lease = LocalLease(files)
        try:
            if recover:
                lease.recover()
            yield lease
        finally:
            lease.close()


class LocalLease(Lease):
    """See Lease."""

    def __init__(self, files: ContainedFiles) -> None:
        super().__init__()
        self.files = files
        self._stagings: list[LocalStaging] = []

    def _begin(self, export_id: str, folders: tuple[str, ...], run: str) -> Staging:
        for folder in folders:
            self.check_place(folder)
        run = f"{HIDDEN_RUN}{run}"
        staging = LocalStaging(self, export_id, folders, run)
        self._stagings.append(staging)
        with storage_errors(self.files.place(in_exports(run))):
            self.files.make_folder(in_exports(run))
            for parts in staging.folders:
                self.files.make_folder(parts)
        return staging

    def check_place(self, folder: str) -> None:
        """Raise StorageError if a folder can't be renamed into this place, or away from it.

        Checked before the intent is written, because an intent that can't be carried out blocks the destination.
        """
        path = posixpath.dirname(folder)
        with storage_errors(self.files.place(path)):
            while path and not self.files.exists(path):
                path = posixpath.dirname(path)
            place = self.files.place(path)
            try:
                with self.files.folder(path) as outer, self.files.folder(EXPORTS) as exports:
                    if os.fstat(outer).st_dev != os.fstat(exports).st_dev:
                        raise StorageError(
                            "the destination spans several file systems", place, "use one for all of DEST"
                        )
                    if not os.access(".", os.W_OK | os.X_OK, dir_fd=outer):
                        raise StorageError("permission denied", place, "allow this user to write there")
            except NotADirectoryError:
                raise StorageError(
                    "this is not a folder", place, "remove it, or choose another --layout or DEST"
                ) from None

    def begin_commit(self, intent: Intent) -> None:
        """Write the intent: from here on the commit will happen, even if the next run has to finish it."""
        replaced = {removal.folder for removal in intent.remove if removal.folder}
        for folder in (*intent.folders, *replaced):
            self.check_place(folder)
        for folder in intent.folders:
            with storage_errors(self.files.place(folder)):
                if folder not in replaced and self._is_taken(folder):
                    raise folder_taken_error(self.files.place(folder))
        with storage_errors(self.files.place(EXPORTS)):
            for path in (*_all_parts(intent), in_exports(intent.run), EXPORTS, ""):
                self.files.sync(path)
            self.files.write(INTENT, intent.to_json(), in_exports(intent.run, "intent"))

    def has_intent(self) -> bool:
        """Return whether a commit has begun and is not done."""
        return self.files.exists(INTENT)

    def remove(self, leftovers: Sequence[Leftover]) -> None:
        """Remove hidden folders of dead runs."""
        for leftover in leftovers:
            with storage_errors(self.files.place(leftover.path)):
                self.files.remove_tree(leftover.path)

    def write(self, path: str, content: bytes) -> None:
        """Write a small file. It grows in a folder of its own, which the next run removes if this one dies."""
        run = in_exports(f"{HIDDEN_RUN}{posixpath.basename(path)}-{secrets.token_hex(4)}")
        with storage_errors(self.files.place(path)):
            self.files.make_folder(run)
            try:
                self.files.write(path, content, posixpath.join(run, "draft"))
            finally:
                self.files.remove_tree(run)

    def _take_steps(self, intent: Intent) -> None:
        with storage_errors(self.files.place(intent.folders[0])):
            super()._take_steps(intent)

    def close(self) -> None:
        """Remove everything that was not committed, unless its commit has begun."""
        for staging in self._stagings:
            staging.abort()

    def _read_intent(self) -> Intent | None:
        return read_intent(self.files)

    def _remove_remains(self) -> None:
        for run in dead_runs(self.files):
            self._remove_run(run)

    def _remove_run(self, run: str) -> None:
        path = in_exports(run)
        try:
            self.files.remove_tree(path)
        except OSError as error:
            self.warnings.append(f"{self.files.place(path)}: the remains of a run can't be removed: {error.strerror}")

    def _remove_records(self, intent: Intent) -> None:
        own = record_path(intent.export_id)
        for removal in intent.remove:
            path = record_path(removal.export_id)
            if path != own or not self._has_record(intent):
                self.files.remove_file(path)
        self.files.sync(EXPORTS)

    def _place_parts(self, intent: Intent) -> None:
        pending = _all_parts(intent)
        # Once a folder with parts has been renamed, the earlier steps are done: they must not touch the new folder.
        if all(map(self.files.exists, pending)):
            self._rename_parts(intent)
            self._move_replaced(intent)
        for number, parts in enumerate(pending):
            if self.files.exists(parts):
                self._place_folder(intent, number)
            else:
                self._check_parts(intent, number)
        for removal in intent.remove:
            if removal.folder:
                self.files.remove_empty_folders(posixpath.dirname(removal.folder))

    def _place_folder(self, intent: Intent, number: int) -> None:
        parts, place = parts_folder(intent.run, number), intent.folders[number]
        if any(part.folder == number for part in intent.parts):
            self.files.make_folders(posixpath.dirname(place))
            self.files.rename(parts, place)
            self.files.sync(posixpath.dirname(place))
        else:
            self.files.remove_folder(parts)
        self.files.sync(posixpath.dirname(parts))

    def _rename_parts(self, intent: Intent) -> None:
        for part in intent.parts:
            folder = parts_folder(intent.run, part.folder)
            pending, final = (posixpath.join(folder, name) for name in (part.receipt, part.name))
            if self.files.exists(pending):
                self.files.rename(pending, final)
            # A link in its place has no size, and counts as lost.
            if self.files.file_size(final) != part.bytes:
                raise part_lost_error(self.files.place(final))
        for folder in _all_parts(intent):
            self.files.sync(folder)

    def _move_replaced(self, intent: Intent) -> None:
        """Move the folders away: no folder can be renamed onto one with files, and to delete these takes a while."""
        replaced = in_exports(intent.run, "replaced")
        for number, removal in enumerate(intent.remove):
            old, moved = removal.folder, posixpath.join(replaced, str(number))
            # If a folder exists again after it was moved, it is a parent of the new one.
            if old and self.files.exists(old) and not self.files.exists(moved):
                self.files.make_folders(replaced)
                self.files.rename(old, moved)
                self.files.sync(posixpath.dirname(old))

    def _check_parts(self, intent: Intent, number: int) -> None:
        for part in intent.parts:
            path = posixpath.join(intent.folders[part.folder], part.name)
            if part.folder == number and self.files.file_size(path) != part.bytes:
                raise part_lost_error(self.files.place(path))

    def _has_record(self, intent: Intent) -> bool:
        content = intent.record.encode()
        path = record_path(intent.export_id)
        return self.files.file_size(path) == len(content) and self.files.read(path, len(content)) == content

    def _write_record(self, intent: Intent) -> FileVersion:
        path = record_path(intent.export_id)
        if not self._has_record(intent):
            self.files.make_folders(in_exports(intent.run))
            self.files.write(path, intent.record.encode(), in_exports(intent.run, "record"))
        return self.files.version(path)

    def _remove_intent(self) -> None:
        self.files.remove_file(INTENT)
        self.files.sync(EXPORTS)

    def _drop_replaced(self, intent: Intent) -> None:
        self._remove_run(intent.run)

    def _is_taken(self, folder: str) -> bool:
        found = self.files.stat(folder)
        return found is not None and (stat.S_ISLNK(found.st_mode) or bool(self.files.names(folder)))


def _all_parts(intent: Intent) -> list[str]:
    return [parts_folder(intent.run, number) for number in range(len(intent.folders))]
