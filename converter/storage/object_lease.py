"""The lease of a destination in an object store: an object that its holder rewrites every 15 seconds.

Take: a conditional write, which one of several runs wins. Take over: a lease that was not rewritten for a minute, or
whose process is known to be dead, is overwritten on the condition that it has not changed since, so that one of several
runs wins again. Lose: the holder counts its own lease as lost after 40 seconds without a successful write, 20 seconds
before any other run may take it over; every request that changes the destination checks that first.

Ages are measured by the store's clock alone, because clocks of machines differ. The holder measures with a clock that
also runs while the machine sleeps.
"""

from __future__ import annotations

import json
import os
import posixpath
import secrets
import socket
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from converter.errors import BusyError, ConvertError, StorageError
from converter.object_store import ConditionFailedError, ConditionsUnsupportedError, ObjectInfo, ObjectStore
from converter.storage.json_members import LINE, read_members
from converter.storage.paths import EXPORTS, is_own_folder
from converter.utc import format_utc

LEASE = f"{EXPORTS}/lease"

BEAT_SECONDS = 15.0
LOST_SECONDS = 40.0
STALE_SECONDS = 60.0

_VERSION = 1
_ATTEMPTS = 5
_NO_CONDITIONS = (
    "{}: the store does not write on the condition that an object is unchanged, as AWS' S3 does: see to it that only"
    " one run at a time publishes here"
)
# Unlike the other clocks, it also runs while the machine sleeps.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass(frozen=True, slots=True)
class Holder:
    """The content of the lease: the run that holds it.

    beat: how often it was written. machine, started: identify the process, so that another run on the same machine can
    see whether it still runs. folders: those that may have incomplete uploads of it, relative to the destination.
    """

    token: str
    process: int
    host: str
    since: str
    machine: str
    started: str
    beat: int = 0
    folders: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        """Return the lease as it is stored."""
        return json.dumps({"version": _VERSION, **asdict(self)}, indent=1).encode()

    @staticmethod
    def from_json(content: bytes, place: str) -> Holder:
        """Read a lease. Raises StorageError if it is damaged, UsageError if a newer version of the program wrote it."""
        members = read_members(content, place, _VERSION)
        holder = Holder(
            token=members.matching("token", LINE, "text"),
            process=members.count("process"),
            host=members.matching("host", LINE, "text"),
            since=members.matching("since", LINE, "text"),
            machine=members.matching("machine", LINE, "text"),
            started=members.matching("started", LINE, "text"),
            beat=members.count("beat"),
            folders=members.texts("folders"),
        )
        for folder in holder.folders:
            if not is_own_folder(folder, posixpath.basename(folder)):
                raise members.error("folders", f"{folder!r} is not a folder of an export")
        return holder

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}, since {self.since}"

    def is_dead(self) -> bool:
        """Return whether the process is known to have ended. Only its own machine can tell."""
        return bool(self.machine) and self.machine == _machine() and self.started != _started(self.process)


class HeldLease:
    """The lease object as its holder knows it, from `take` to `release`.

    taken_over_from: the holder that this one took the lease over from, a run that died, or None. warning: about a store
    without conditional writes, or "".
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._changing = threading.Lock()
        self._over = threading.Event()
        self._lost = False
        self.warning = ""
        self._holder = Holder(
            token=secrets.token_hex(8),
            process=os.getpid(),
            host=socket.gethostname(),
            since=format_utc(datetime.now(UTC), "seconds"),
            machine=_machine(),
            started=_started(os.getpid()),
        )
        self._written = _now()
        self._etag = ""
        self.taken_over_from: Holder | None = None

    def take(self) -> None:
        """Take the lease, and rewrite it in the background. Raises BusyError if another run holds it."""
        self._written = _now()
        self._etag = self._take()
        threading.Thread(target=self._beat, name="lease", daemon=True).start()

    def check(self) -> None:
        """Raise StorageError if another run may hold the lease by now. Asks nothing of the store."""
        if self.is_lost():
            raise StorageError(
                "the lease of the destination was lost: it could not be written for a while, or someone removed it",
                self._store.place(LEASE),
                "make sure that nothing else writes there, then run the same command again",
            )

    def is_lost(self) -> bool:
        """Return whether another run may hold the lease by now."""
        return self._lost or _now() - self._written > LOST_SECONDS

    def confirm(self) -> None:
        """Rewrite the lease, then check. Raises StorageError."""
        self._write()
        self.check()

    def add_folders(self, folders: tuple[str, ...]) -> None:
        """Write into the lease which folders will have uploads, so that the next run finds them if this one dies."""
        self._holder = replace(self._holder, folders=tuple(dict.fromkeys((*self._holder.folders, *folders))))
        self.confirm()

    def release(self) -> None:
        """Delete the lease, even if `take` was interrupted; if it was lost, leave it to its new holder."""
        self._over.set()
        with self._changing, suppress(ConvertError):
            self.check()
            if self._etag or self._is_own(read_lease(self._store)):
                self._store.delete(LEASE)

    def leave(self) -> None:
        """Stop rewriting the lease, so that it becomes stale and the next run cleans up."""
        self._over.set()

    def _take(self) -> str:
        for _ in range(_ATTEMPTS):
            with suppress(ConditionFailedError):
                return self._store.put_if_absent(LEASE, self._holder.to_json())
            found = read_lease(self._store)
            if found is None:
                continue
            holder, info = found
            if self._is_own(found):
                # The lease was written, but the answer was lost on the way.
                return info.etag
            if is_live(holder, info):
                raise busy_error(self._store, holder, info)
            self.taken_over_from = holder
            # If this run dies before it has aborted the uploads of the dead one, the next run must find them too.
            self._holder = replace(self._holder, folders=holder.folders)
            with suppress(ConditionFailedError):
                return self._overwrite(info.etag)
        raise BusyError(
            "several runs are competing for the destination",
            self._store.place(LEASE),
            "run the same command again later",
        )

    def _is_own(self, found: tuple[Holder, ObjectInfo] | None) -> bool:
        return found is not None and found[0].token == self._holder.token

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS) and not self._lost:
            # A write that fails now may succeed next time; `check` knows how old the last successful one is.
            with suppress(ConvertError):
                self._write()

    def _write(self) -> None:
        with self._changing:
            if self._over.is_set() or self._lost:
                return
            self._holder = replace(self._holder, beat=self._holder.beat + 1)
            # The age of the lease counts from before the request: it may have been written at once, and answered late.
            begun = _now()
            try:
                self._etag = self._overwrite(self._etag)
            except ConditionFailedError:
                # The last write may have succeeded although its answer was lost: then the token is still our own.
                found = read_lease(self._store)
                if found is None or not self._is_own(found):
                    self._lost = True
                    return
                self._etag = found[1].etag
            self._written = begun

    def _overwrite(self, etag: str) -> str:
        """Rewrite the lease if it has this ETag. Raises ConditionFailedError if it has another one."""
        content = self._holder.to_json()
        if self.warning == "":
            try:
                return self._store.put_if_match(LEASE, content, etag)
            except ConditionsUnsupportedError:
                self.warning = _NO_CONDITIONS.format(self._store.place(LEASE))
        # The next best: a write between these two requests goes unnoticed.
        found = self._store.head(LEASE)
        if found is None or found.etag != etag:
            raise ConditionFailedError
        return self._store.put(LEASE, content)


def read_lease(store: ObjectStore) -> tuple[Holder, ObjectInfo] | None:
    """Read the holder of the destination, None if there is no lease."""
    found = store.get(LEASE)
    return None if found is None else (Holder.from_json(found.content, store.place(LEASE)), found.info)


def check_unlocked(store: ObjectStore) -> None:
    """Raise BusyError if a live run holds the lease. Takes nothing."""
    found = read_lease(store)
    if found is not None and is_live(*found):
        raise busy_error(store, *found)


def is_live(holder: Holder, info: ObjectInfo) -> bool:
    """Return whether the lease must be treated as that of a live run."""
    return not (holder.is_dead() or info.age > STALE_SECONDS)


def busy_error(store: ObjectStore, holder: Holder, info: ObjectInfo) -> BusyError:
    """The error for a destination that is held."""
    return BusyError(
        f"another run holds the destination: {holder}",
        store.place(LEASE),
        "wait until it has ended, then run the same command again; if it has died, the lease is free in"
        f" {max(STALE_SECONDS - info.age, 1):.0f} s",
    )


def _now() -> float:
    return time.clock_gettime(_CLOCK)


def _machine() -> str:
    """Return a name of this boot of the machine and its process namespace; "" if it is not known."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("utf-8", "replace").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    return ""


def _started(process: int) -> str:
    """Return when the process was started, in ticks; "" for one that has ended, even if its parent has not noticed."""
    fields: list[str] = []
    with suppress(OSError):
        # The second field, a name in parentheses, may contain spaces; the third is the state.
        fields = Path(f"/proc/{process}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 and fields[0] not in ("Z", "X") else ""
