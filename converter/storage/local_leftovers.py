"""What dead runs have left at a destination on a local file system; what these things are says local_commit.py."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime

from converter.storage.destination import EXPORTS, INTENT, Intent, begun_commit
from converter.storage.durable import refusals
from converter.storage.leftovers import Leftover
from converter.storage.local_lock import look

LEASE = f"{EXPORTS}/lease"
RUN = ".run-"
"""How the names of runs, and of their hidden folders, begin."""


def find_leftovers(root: str) -> list[Leftover]:
    """See Destination.leftovers."""
    found = []
    intent = read_intent(root)
    if intent is not None:
        with suppress(FileNotFoundError):
            found.append(begun_commit(intent, _written(root, INTENT)))
    lock = look(os.path.join(root, LEASE))
    if lock is not None:
        found.append(Leftover("lease", LEASE, lock.time, "live" if lock.live else "dead", lock.holder))
    for run in dead_runs(root):
        begun = intent is not None and run == intent.run
        path = f"{EXPORTS}/{run}"
        with suppress(FileNotFoundError):
            found.append(Leftover("folder", path, _written(root, path), "begun" if begun else "dead"))
    return found


def read_intent(root: str) -> Intent | None:
    """The commit that has begun and is not done, None when there is none. Raises StorageError, UsageError."""
    path = os.path.join(root, INTENT)
    with refusals(path):
        try:
            with open(path, "rb") as file:
                content = file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
    return Intent.from_json(content, path)


def dead_runs(root: str) -> list[str]:
    """The names of the runs that have a hidden folder, sorted: while no run holds the lease, all of them are dead."""
    exports = os.path.join(root, EXPORTS)
    with refusals(exports):
        try:
            return sorted(name for name in os.listdir(exports) if name.startswith(RUN))
        except (FileNotFoundError, NotADirectoryError):
            return []


def _written(root: str, path: str) -> datetime:
    """When it was last written. Raises FileNotFoundError: a run that lives may have removed it since."""
    return datetime.fromtimestamp(os.lstat(os.path.join(root, path)).st_mtime, UTC)
