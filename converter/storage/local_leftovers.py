"""What dead runs have left at a destination on a local file system; what these things are says local_commit.py."""

from __future__ import annotations

from datetime import UTC, datetime

from converter.storage.destination import EXPORTS, HIDDEN_RUN, INTENT, Intent, begun_commit, is_name
from converter.storage.durable import refusals
from converter.storage.inside import Inside
from converter.storage.leftovers import Leftover
from converter.storage.local_lock import look
from converter.storage.members import MOST_BYTES, damaged

LEASE = f"{EXPORTS}/lease"


def find_leftovers(inside: Inside) -> list[Leftover]:
    """See Destination.leftovers."""
    found = []
    intent = read_intent(inside)
    written = None if intent is None else _written(inside, INTENT)
    if intent is not None and written is not None:
        found.append(begun_commit(intent, written))
    lock = look(inside, LEASE)
    if lock is not None:
        found.append(Leftover("lease", LEASE, lock.time, "live" if lock.live else "dead", lock.holder))
    for run in dead_runs(inside):
        begun = intent is not None and run == intent.run
        path = f"{EXPORTS}/{run}"
        written = _written(inside, path)
        if written is not None:
            found.append(Leftover("folder", path, written, "begun" if begun else "dead"))
    return found


def read_intent(inside: Inside) -> Intent | None:
    """The commit that has begun and is not done, None when there is none. Raises StorageError, UsageError."""
    place = inside.place(INTENT)
    with refusals(place):
        try:
            content = inside.read(INTENT, MOST_BYTES)
        except (FileNotFoundError, NotADirectoryError):
            return None
    intent = Intent.from_json(content, place)
    if not intent.run.startswith(HIDDEN_RUN):
        raise damaged(place, f"{intent.run!r} is not the hidden folder of a run")
    for part in intent.parts:
        if not is_name(part.receipt):
            raise damaged(place, f"{part.receipt!r} is not the name of a file")
    return intent


def dead_runs(inside: Inside) -> list[str]:
    """The names of the runs that have a hidden folder, sorted: while no run holds the lease, all of them are dead."""
    with refusals(inside.place(EXPORTS)):
        try:
            return [name for name in inside.names(EXPORTS) if name.startswith(HIDDEN_RUN)]
        except (FileNotFoundError, NotADirectoryError):
            return []


def _written(inside: Inside, path: str) -> datetime | None:
    """When it was last written, None when it is not there: a run that lives may have removed it since."""
    with refusals(inside.place(path)):
        found = inside.stat(path)
    return None if found is None else datetime.fromtimestamp(found.st_mtime, UTC)
