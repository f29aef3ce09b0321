"""The lease of a destination in S3: an object that its holder writes anew every few seconds.

A run takes it with a conditional write, which one of several runs wins. A lease that was not written for a minute, or
whose process is known to be dead, is taken over by a write on the condition that nobody else has written it since.
All ages are by the server's clock. The holder counts its own lease as lost before others do.
"""

from __future__ import annotations

import json
import os
import posixpath
import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from converter.aws.objects import Changed, Found, NoConditions, Objects
from converter.errors import BusyError, ConvertError, StorageError
from converter.storage.json_members import LINE, read_members
from converter.storage.paths import EXPORTS, is_own_folder

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
# Does not stand still while the machine sleeps, as the others do.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Holder:
    """What the lease says of the run that holds it.

    beat: how often it was written. machine, started: what tells, on the same machine, whether the process still lives.
    folders: where it may have uploads that are not completed, relative to the destination.
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
        """As it is stored."""
        return json.dumps({"version": _VERSION, **asdict(self)}, indent=1).encode()

    @staticmethod
    def from_json(content: bytes, place: str) -> Holder:
        """Raises StorageError when the object is damaged, UsageError when a newer version of the program wrote it."""
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
        """Is it known that the process has ended? Only its own machine can tell."""
        return bool(self.machine) and self.machine == _machine() and self.started != _started(self.process)


class S3Lock:
    """The lease object, which locks the destination: it is held from `take` to `release`.

    left: what a run that died has left, None when it let go of the lease. warning: what the store lacks, or "".
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._changing = threading.Lock()
        self._over = threading.Event()
        self._lost = False
        self.warning = ""
        self._holder = Holder(
            token=secrets.token_hex(8),
            process=os.getpid(),
            host=socket.gethostname(),
            since=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            machine=_machine(),
            started=_started(os.getpid()),
        )
        self._written = _now()
        self._etag = ""
        self.left: Holder | None = None

    def take(self) -> None:
        """Raises BusyError when another run holds it."""
        self._written = _now()
        self._etag = self._take()
        threading.Thread(target=self._beat, name="lease", daemon=True).start()

    def check(self) -> None:
        """Raises StorageError when the lease may be another run's by now."""
        if self.is_lost():
            raise StorageError(
                "the lease of the destination was lost: it could not be written for a while, or someone removed it",
                self._objects.place(LEASE),
                "see that nothing else writes there, then run the same command again",
            )

    def is_lost(self) -> bool:
        """May it be another run's by now?"""
        return self._lost or _now() - self._written > LOST_SECONDS

    def confirm(self) -> None:
        """As check, but asks the server. Raises StorageError."""
        self._write()
        self.check()

    def note(self, folders: tuple[str, ...]) -> None:
        """Say in the lease where uploads will be, for the run that comes after one that dies."""
        self._holder = replace(self._holder, folders=tuple(dict.fromkeys((*self._holder.folders, *folders))))
        self.confirm()

    def release(self) -> None:
        """Let go of it, also when taking it was interrupted; if it was lost, leave it to who has it now."""
        self._over.set()
        with self._changing, suppress(ConvertError):
            self.check()
            if self._etag or self._is_ours(read_lease(self._objects)):
                self._objects.delete(LEASE)

    def leave(self) -> None:
        """Stop writing it, so that it becomes stale and the next run cleans up."""
        self._over.set()

    def _take(self) -> str:
        for _ in range(_ATTEMPTS):
            with suppress(Changed):
                return self._objects.write(LEASE, self._holder.to_json(), new=True)
            found = read_lease(self._objects)
            if found is None:
                continue
            holder, facts = found
            if self._is_ours(found):
                # It was written, but the answer was lost on the way.
                return facts.etag
            if is_live(holder, facts):
                raise busy(self._objects, holder, facts)
            self.left = holder
            # Who comes after this run must find the uploads too, if it dies before it has aborted them.
            self._holder = replace(self._holder, folders=holder.folders)
            with suppress(Changed):
                return self._overwrite(facts.etag)
        raise BusyError(
            "other runs take and leave the destination", self._objects.place(LEASE), "run the same command again later"
        )

    def _is_ours(self, found: tuple[Holder, Found] | None) -> bool:
        return found is not None and found[0].token == self._holder.token

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS) and not self._lost:
            # What can't be written now may be written next time; `check` knows how long ago the last time was.
            with suppress(ConvertError):
                self._write()

    def _write(self) -> None:
        with self._changing:
            if self._over.is_set() or self._lost:
                return
            self._holder = replace(self._holder, beat=self._holder.beat + 1)
            begun = _now()
            try:
                self._etag = self._overwrite(self._etag)
            except Changed:
                found = read_lease(self._objects)
                if found is None or not self._is_ours(found):
                    self._lost = True
                    return
                self._etag = found[1].etag
            self._written = begun

    def _overwrite(self, etag: str) -> str:
        """Write the lease where it has this ETag. Raises Changed where it has another one."""
        content = self._holder.to_json()
        if self.warning == "":
            try:
                return self._objects.write(LEASE, content, etag=etag)
            except NoConditions:
                self.warning = _NO_CONDITIONS.format(self._objects.place(LEASE))
        # The next best: what is written between the look and the write goes unnoticed.
        found = self._objects.find(LEASE)
        if found is None or found.etag != etag:
            raise Changed
        return self._objects.write(LEASE, content)


def read_lease(objects: Objects) -> tuple[Holder, Found] | None:
    """Who holds the destination, None when nobody does."""
    read = objects.read(LEASE)
    return None if read is None else (Holder.from_json(read[0], objects.place(LEASE)), read[1])


def check_unlocked(objects: Objects) -> None:
    """Raises BusyError when a run that lives holds the lease. Takes nothing."""
    found = read_lease(objects)
    if found is not None and is_live(*found):
        raise busy(objects, *found)


def is_live(holder: Holder, facts: Found) -> bool:
    """Must it be taken for the lease of a run that lives?"""
    return not (holder.is_dead() or facts.age > STALE_SECONDS)


def busy(objects: Objects, holder: Holder, facts: Found) -> BusyError:
    """The error for a destination that is held."""
    return BusyError(
        f"another run holds the destination: {holder}",
        objects.place(LEASE),
        "wait until it has ended, then run the same command again; if it has died, the lease is free in"
        f" {max(STALE_SECONDS - facts.age, 1):.0f} s",
    )


def _now() -> float:
    return time.clock_gettime(_CLOCK)


def _machine() -> str:
    """What names this start of this machine, and the numbering of its processes; "" where that is not known."""
    return _or_nothing(lambda: f"{_read('/proc/sys/kernel/random/boot_id')} {os.readlink('/proc/self/ns/pid')}")


def _started(process: int) -> str:
    """When the process was started, in ticks; "" when there is none, or its parent has yet to notice that it ended."""
    # The second field, a name in parentheses, may hold spaces; the third is the state.
    fields = _or_nothing(lambda: _read(f"/proc/{process}/stat")).rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 and fields[0] not in ("Z", "X") else ""


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read().strip()


def _or_nothing(look: Callable[[], str]) -> str:
    try:
        return look()
    except OSError:
        return ""
