"""Things that dead runs have left at a destination on a local file system; local_commit.py describes them."""

from __future__ import annotations

from datetime import UTC, datetime

from converter.storage.contained_files import ContainedFiles
from converter.storage.intent import Intent
from converter.storage.json_members import MOST_BYTES, damaged_file_error
from converter.storage.leftovers import Leftover, begun_commit
from converter.storage.local_errors import storage_errors
from converter.storage.local_lock import read_lock
from converter.storage.paths import EXPORTS, HIDDEN_RUN, INTENT, is_name

LEASE = f"{EXPORTS}/lease"


def find_leftovers(files: ContainedFiles) -> list[Leftover]:
    """List leftovers; see Destination.leftovers."""
    found = []
    intent = read_intent(files)
    written = None if intent is None else _written(files, INTENT)
    if intent is not None and written is not None:
        found.append(begun_commit(intent, written))
    lock = read_lock(files, LEASE)
    if lock is not None:
        found.append(Leftover("lease", LEASE, lock.time, "live" if lock.live else "dead", lock.holder))
    for run in dead_runs(files):
        begun = intent is not None and run == intent.run
        path = f"{EXPORTS}/{run}"
        written = _written(files, path)
        if written is not None:
            found.append(Leftover("folder", path, written, "begun" if begun else "dead"))
    return found


def read_intent(files: ContainedFiles) -> Intent | None:
    """Read the commit that has begun and is not done; None if no commit has begun. Raises StorageError, UsageError."""
    place = files.place(INTENT)
    with storage_errors(place):
        try:
            content = files.read(INTENT, MOST_BYTES)
        except (FileNotFoundError, NotADirectoryError):
            return None
    intent = Intent.from_json(content, place)
    if not intent.run.startswith(HIDDEN_RUN):
        raise damaged_file_error(place, f"{intent.run!r} is not the hidden folder of a run")
    for part in intent.parts:
        if not is_name(part.receipt):
            raise damaged_file_error(place, f"{part.receipt!r} is not the name of a file")
    return intent


def dead_runs(files: ContainedFiles) -> list[str]:
    """Return the names of the runs that have a hidden folder, sorted. While no run holds the lease, all are dead."""
    with storage_errors(files.place(EXPORTS)):
        try:
            return [name for name in files.names(EXPORTS) if name.startswith(HIDDEN_RUN)]
        except (FileNotFoundError, NotADirectoryError):
            return []


def _written(files: ContainedFiles, path: str) -> datetime | None:
    """Return when it was last written, None if it does not exist: a live run may have removed it since."""
    with storage_errors(files.place(path)):
        found = files.stat(path)
    return None if found is None else datetime.fromtimestamp(found.st_mtime, UTC)
