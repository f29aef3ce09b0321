"""The lease in an object store: one of several takers wins, dead holders are replaced, and a holder knows when it lost.

test_object_lease_in_s3.py shows over HTTP what depends on a server.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Barrier

import pytest

from converter.errors import BusyError, ConvertError, StorageError, UsageError
from converter.object_store import ObjectStore
from converter.storage import object_lease
from converter.storage.object_destination import ObjectDestination
from converter.storage.object_lease import LEASE, STALE_SECONDS, HeldLease, Holder, check_unlocked, read_lease
from tests.memory_store import MemoryBucket, Request, UnansweredError

EXPORT = "01701065507109-cce6a3f8"
FOLDER = f"dt=2023-11-27/{EXPORT}"
ELSEWHERE = Holder("t0", 4711, "elsewhere", "2024-01-01T00:00:00Z", "another machine", "1", 3, (FOLDER,))


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


@pytest.fixture
def store(bucket: MemoryBucket) -> ObjectStore:
    return bucket.store("lake")


def taken(store: ObjectStore) -> HeldLease:
    """The lease, held."""
    lease = HeldLease(store)
    lease.take()
    return lease


@contextmanager
def held(store: ObjectStore) -> Iterator[HeldLease]:
    lease = taken(store)
    try:
        yield lease
    finally:
        lease.release()


def holder(store: ObjectStore) -> Holder | None:
    found = read_lease(store)
    return None if found is None else found[0]


def dead() -> Holder:
    """A run of this machine that has ended."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return replace(ELSEWHERE, process=process.pid, machine=object_lease._machine(), started="1")


def together(*takers: Callable[[], HeldLease]) -> tuple[list[HeldLease], list[ConvertError]]:
    """What several at once get: the leases, and the refusals."""
    start = Barrier(len(takers))

    def take(taker: Callable[[], HeldLease]) -> HeldLease | ConvertError:
        start.wait()
        try:
            return taker()
        except ConvertError as error:
            return error

    with ThreadPoolExecutor(len(takers)) as pool:
        outcomes = list(pool.map(take, takers))
    return (
        [outcome for outcome in outcomes if isinstance(outcome, HeldLease)],
        [outcome for outcome in outcomes if isinstance(outcome, ConvertError)],
    )


@pytest.mark.parametrize("left", [None, "dead"])
def test_one_of_two_that_take_it_at_once_wins_and_the_other_learns_the_holder(
    left: str | None, store: ObjectStore
) -> None:
    stale = dead() if left else None
    for _ in range(20):
        if stale:
            store.put(LEASE, stale.to_json())
        winners, refusals = together(lambda: taken(store), lambda: taken(store))
        assert (len(winners), len(refusals)) == (1, 1)
        assert isinstance(refusals[0], BusyError)
        assert f"process {os.getpid()} on " in refusals[0].what
        assert winners[0].taken_over_from == stale
        winners[0].confirm()
        winners[0].release()
        assert holder(store) is None


def test_a_live_lease_is_refused_with_its_holder_and_the_time_at_which_it_is_free(store: ObjectStore) -> None:
    store.put(LEASE, ELSEWHERE.to_json())
    with pytest.raises(BusyError, match="process 4711 on elsewhere, since 2024-01-01T00:00:00Z") as refused:
        taken(store)
    assert refused.value.where == store.place(LEASE)
    seconds = re.search(r"free in (\d+) s", refused.value.hint)
    assert seconds is not None
    assert 50 <= int(seconds[1]) <= 60
    assert holder(store) == ELSEWHERE


def test_a_lease_that_was_not_written_for_a_minute_is_taken_over(bucket: MemoryBucket, store: ObjectStore) -> None:
    store.put(LEASE, ELSEWHERE.to_json())
    bucket.advance(STALE_SECONDS - 1)
    for act in (taken, check_unlocked):
        with pytest.raises(BusyError):
            act(store)
    bucket.advance(2)
    check_unlocked(store)
    with held(store) as lease:
        assert lease.taken_over_from == ELSEWHERE
        found = holder(store)
        assert found is not None
        assert (found.process, found.folders) == (os.getpid(), ELSEWHERE.folders)


def test_it_is_rewritten_until_its_release(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_lease, "BEAT_SECONDS", 0.01)
    with held(store) as lease:
        beats: set[int] = set()
        while len(beats) < 4:
            found = holder(store)
            assert found is not None
            beats.add(found.beat)
        lease.confirm()
    time.sleep(0.05)
    assert holder(store) is None


@pytest.mark.parametrize("other", [ELSEWHERE, None])
def test_a_lease_that_another_run_has_or_that_was_removed_is_lost_for_good(
    other: Holder | None, store: ObjectStore
) -> None:
    lease = taken(store)
    lease.check()
    if other:
        store.put(LEASE, other.to_json())
    else:
        store.delete(LEASE)
    for act in (lease.confirm, lease.check):
        with pytest.raises(StorageError, match="lease of the destination was lost"):
            act()
    lease.release()
    assert holder(store) == other


def test_a_lease_that_could_not_be_written_for_a_while_counts_as_lost(
    bucket: MemoryBucket, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(object_lease, "_now", lambda: clock[0])
    lease = taken(store)
    clock[0] = object_lease.LOST_SECONDS - 1
    lease.confirm()
    bucket.refuse = lambda request: StorageError("denied") if request.operation == "put_if_match" else None
    clock[0] += object_lease.LOST_SECONDS - 1
    with pytest.raises(StorageError, match="denied"):
        lease.confirm()
    lease.check()
    clock[0] += 2
    with pytest.raises(StorageError, match="could not be written for a while"):
        lease.check()
    # Another run may hold it by now: it is not removed.
    lease.release()
    assert holder(store) is not None


def test_a_write_whose_answer_was_lost_is_recognized_as_our_own(bucket: MemoryBucket, store: ObjectStore) -> None:
    def lose_first(request: Request) -> Exception | None:
        bucket.lose = None
        return UnansweredError("no answer")

    with held(store) as lease:
        bucket.lose = lose_first
        with pytest.raises(UnansweredError):
            lease.add_folders((FOLDER,))
        lease.confirm()
        found = holder(store)
        assert found is not None
        assert found.folders == (FOLDER,)
    assert holder(store) is None


def test_releasing_a_lease_whose_taking_was_not_answered_removes_it(bucket: MemoryBucket, store: ObjectStore) -> None:
    bucket.lose = lambda request: UnansweredError("no answer") if request.operation == "put_if_absent" else None
    lease = HeldLease(store)
    with pytest.raises(UnansweredError):
        lease.take()
    assert holder(store) is not None
    lease.release()
    assert holder(store) is None


def test_a_lease_that_is_damaged_or_from_a_newer_version_is_not_taken(store: ObjectStore) -> None:
    newer = json.dumps({**json.loads(ELSEWHERE.to_json()), "version": 99}).encode()
    for content, error in ((b"{", StorageError), (b"{}", StorageError), (newer, UsageError)):
        store.put(LEASE, content)
        with pytest.raises(error) as refused:
            taken(store)
        assert refused.value.where == store.place(LEASE)
        found = store.get(LEASE)
        assert found is not None
        assert found.content == content


def test_a_store_without_conditional_writes_is_held_with_a_warning(bucket: MemoryBucket, store: ObjectStore) -> None:
    bucket.conditional = False
    with ObjectDestination(store.place(""), store).lease() as lease:
        assert lease.warnings == []
        lease.begin(EXPORT, FOLDER)
        [warning] = lease.warnings
        assert "only one run at a time" in warning
        assert store.place("") in warning
        with pytest.raises(BusyError, match=f"process {os.getpid()} on "):
            taken(store)
    assert bucket.listing() == {}


def test_a_process_is_known_to_be_dead_only_on_its_own_machine() -> None:
    started = object_lease._started(os.getpid())
    own = replace(ELSEWHERE, process=os.getpid(), machine=object_lease._machine(), started=started)
    assert not own.is_dead()
    assert replace(own, started="1").is_dead()
    assert dead().is_dead()
    assert not replace(dead(), machine="another").is_dead()
    assert not replace(dead(), machine="").is_dead()
