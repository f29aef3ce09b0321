"""The commit in an object store: a run that dies at any request leaves all or nothing to the next run."""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from converter.errors import BusyError, StorageError
from converter.storage.destination import Lease
from converter.storage.intent import Intent
from converter.storage.object_destination import ObjectDestination
from converter.storage.object_lease import STALE_SECONDS, Holder
from converter.storage.paths import INTENT, record_path
from tests.memory_store import MemoryBucket, MemoryStore, Request, UnansweredError
from tests.unit.storage.dying_runs import SCENARIOS, X, Y, files_around, files_of, parts_of, publish

FOLDER = f"dt=1/{X}"
NEW = {FOLDER: {"0.parquet": b"new 0", "1.parquet": b"new 1"}}
ELSEWHERE = Holder("t0", 4711, "elsewhere", "2024-01-01T00:00:00Z", "another machine", "1")


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


def destination(bucket: MemoryBucket, store: MemoryStore | None = None) -> ObjectDestination:
    return ObjectDestination(bucket.place, store or bucket.store())


def next_run(bucket: MemoryBucket) -> list[str]:
    """Take the lease, and do nothing else; the warnings."""
    bucket.refuse = bucket.lose = None
    with destination(bucket).lease() as lease:
        return lease.warnings


class Killer:
    """Cuts a client off at its request of this number, before or after its effect."""

    def __init__(self, store: MemoryStore, request: int) -> None:
        self._store = store
        self._left = request
        self._lock = threading.Lock()
        self.killed = False

    def __call__(self, _: Request) -> Exception | None:
        with self._lock:
            self._left -= 1
            if self._left:
                return None
            self.killed = True
            self._store.cut_off()
        return StorageError("the process was killed")


def check_records(bucket: MemoryBucket) -> None:
    """Every record has all its parts."""
    files = bucket.listing()
    for key, content in files.items():
        if key.endswith(".json") and key != INTENT:
            assert ast.literal_eval(content.decode()).items() <= files.items(), key


@pytest.mark.parametrize("moment", ["refuse", "lose"])
@pytest.mark.parametrize("scenario", ["second", "same folder", "other folder", "two folders again"])
def test_a_run_that_is_killed_at_any_request_has_published_all_or_nothing(scenario: str, moment: str) -> None:
    earlier, published, remove = SCENARIOS[scenario]
    before, after = files_around(scenario)
    outcomes = []
    request, killed = 0, True
    while killed:
        request += 1
        bucket = MemoryBucket()
        for one in earlier:
            publish(destination(bucket), one, [])
        store = bucket.store()
        killer = Killer(store, request)
        setattr(bucket, moment, killer)
        try:
            publish(destination(bucket, store), published, remove)
        except StorageError:
            assert killer.killed
        killed = killer.killed
        setattr(bucket, moment, None)
        check_records(bucket)
        begun = INTENT in bucket.listing()
        bucket.advance(STALE_SECONDS + 1)
        warnings = next_run(bucket)
        assert [X in warning for warning in warnings] == [True] * begun
        assert bucket.listing() in (before, after), sorted(bucket.listing())
        if begun:
            assert bucket.listing() == after
        assert bucket.uploads() == []
        outcomes.append(bucket.listing() == after)
    # The intent is the turning point: runs that were killed earlier changed nothing.
    assert outcomes == sorted(outcomes)
    assert outcomes.count(False) >= 10
    assert outcomes.count(True) >= 4


def begin(lease: Lease) -> Callable[[], None]:
    """Write the parts of NEW; the function that commits them."""
    staging = lease.begin(X, FOLDER)
    parts = []
    for name, content in NEW[FOLDER].items():
        sink = staging.open_part(name)
        sink.write(content)
        parts.append(sink.finish())
    return lambda: staging.commit(files_of(NEW)[record_path(X)], parts)


def on_put_of_intent(error: Exception) -> Callable[[Request], Exception | None]:
    def rule(request: Request) -> Exception | None:
        return error if request.operation == "put_if_absent" and request.key == INTENT else None

    return rule


def test_an_intent_whose_answer_was_lost_is_found_and_carried_out(bucket: MemoryBucket) -> None:
    with destination(bucket).lease() as lease:
        commit = begin(lease)
        bucket.lose = on_put_of_intent(UnansweredError("no answer"))
        commit()
    assert bucket.listing() == files_of(NEW)


def test_an_intent_that_was_refused_changes_nothing(bucket: MemoryBucket) -> None:
    with destination(bucket).lease() as lease:
        commit = begin(lease)
        bucket.refuse = on_put_of_intent(StorageError("denied"))
        with pytest.raises(StorageError, match="denied"):
            commit()
    assert (bucket.listing(), bucket.uploads()) == ({}, [])


def test_an_intent_that_was_written_after_the_lease_was_lost_is_withdrawn(bucket: MemoryBucket) -> None:
    def lose_lease(request: Request) -> None:
        if request.operation == "put_if_absent" and request.key == INTENT:
            bucket.objects.pop("_exports/lease")

    with destination(bucket).lease() as lease:
        commit = begin(lease)
        bucket.lose = lose_lease
        with pytest.raises(StorageError, match="lease of the destination was lost"):
            commit()
    assert INTENT not in bucket.listing()
    assert not any(key.endswith(".parquet") for key in bucket.listing())


def test_an_intent_is_left_to_the_run_that_has_the_lease_now(bucket: MemoryBucket) -> None:
    def give_lease_away(request: Request) -> None:
        if request.operation == "put_if_absent" and request.key == INTENT:
            bucket.store().put("_exports/lease", ELSEWHERE.to_json())

    with destination(bucket).lease() as lease:
        commit = begin(lease)
        bucket.lose = give_lease_away
        with pytest.raises(StorageError, match="lease of the destination was lost"):
            commit()
    assert set(bucket.listing()) == {INTENT, "_exports/lease"}
    bucket.advance(STALE_SECONDS + 1)
    assert len(next_run(bucket)) == 1
    assert bucket.listing() == files_of(NEW)


def test_a_withdrawn_intent_does_not_hide_the_uploads_of_a_dead_run(bucket: MemoryBucket) -> None:
    dead = replace(ELSEWHERE, folders=("dt=2/an-export",))

    def give_lease_to_a_dead_run(request: Request) -> None:
        if request.operation == "put_if_absent" and request.key == INTENT:
            bucket.store().put("_exports/lease", dead.to_json())
            bucket.advance(STALE_SECONDS + 1)

    bucket.store().create_upload("dt=2/an-export/0.parquet", {})
    with destination(bucket).lease() as lease:
        commit = begin(lease)
        bucket.lose = give_lease_to_a_dead_run
        with pytest.raises(StorageError, match="lease of the destination was lost"):
            commit()
    assert list(bucket.listing()) == ["_exports/lease"]
    bucket.advance(STALE_SECONDS + 1)
    assert next_run(bucket) == []
    assert (bucket.listing(), [key for key in bucket.uploads() if key.startswith("dt=2")]) == ({}, [])


def stale_intent() -> Intent:
    """That of a run which had lost the lease when it wrote it."""
    return Intent(Y, f"{Y}-0a1b2c3d", (f"dt=1/{Y}",), "{}", (), ())


def test_the_intent_of_a_run_that_had_lost_the_lease_is_replaced(bucket: MemoryBucket) -> None:
    with destination(bucket).lease() as lease:
        commit = begin(lease)
        bucket.store().put(INTENT, stale_intent().to_json())
        commit()
    assert bucket.listing() == files_of(NEW)


def test_an_intent_that_changes_meanwhile_is_that_of_another_run(bucket: MemoryBucket) -> None:
    def change(request: Request) -> None:
        if request.operation == "put_if_match" and request.key == INTENT:
            bucket.objects[INTENT].etag = '"another"'

    with destination(bucket).lease() as lease:
        commit = begin(lease)
        bucket.store().put(INTENT, stale_intent().to_json())
        bucket.refuse = change
        with pytest.raises(BusyError, match="another run has begun a commit"):
            commit()
    assert set(bucket.listing()) == {INTENT}


def test_a_folder_in_which_something_was_put_meanwhile_is_not_published_in(bucket: MemoryBucket) -> None:
    with destination(bucket).lease() as lease:
        commit = begin(lease)
        bucket.store().put(f"{FOLDER}/mine", b"mine")
        with pytest.raises(StorageError, match="something was put there during this run"):
            commit()
    assert bucket.listing() == {f"{FOLDER}/mine": b"mine"}
    assert bucket.uploads() == []


def test_an_upload_that_vanished_within_the_commit_publishes_no_record(bucket: MemoryBucket) -> None:
    def vanish(request: Request) -> None:
        if request.operation == "complete_upload":
            bucket.open_uploads.clear()

    with destination(bucket).lease() as lease:
        commit = begin(lease)
        bucket.refuse = vanish
        with pytest.raises(StorageError, match="a part of the unfinished commit is missing") as lost:
            commit()
    assert lost.value.where.startswith(f"{bucket.place}/{FOLDER}/")
    assert "--replace" in lost.value.hint
    assert f"The commit of export {X} has begun" in lost.value.hint
    assert record_path(X) not in bucket.listing()


def test_an_object_of_another_run_does_not_count_as_a_completed_upload(bucket: MemoryBucket) -> None:
    def put_others(request: Request) -> None:
        if request.operation == "complete_upload":
            bucket.open_uploads.clear()
            for path, content in parts_of(NEW).items():
                bucket.store().put(path, content)

    with destination(bucket).lease() as lease:
        commit = begin(lease)
        bucket.refuse = put_others
        with pytest.raises(StorageError, match="a part of the unfinished commit is missing"):
            commit()
    assert record_path(X) not in bucket.listing()


def test_a_commit_whose_last_step_fails_is_published_with_a_warning(bucket: MemoryBucket) -> None:
    def deny(request: Request) -> Exception | None:
        return StorageError("denied") if request.operation == "delete" and request.key == INTENT else None

    with destination(bucket).lease() as lease:
        commit = begin(lease)
        bucket.refuse = deny
        commit()
        assert [X in warning and "denied" in warning for warning in lease.warnings] == [True]
        bucket.refuse = None
    assert set(bucket.listing()) == {*files_of(NEW), INTENT}
    assert len(next_run(bucket)) == 1
    assert bucket.listing() == files_of(NEW)


def test_uploads_that_could_not_be_aborted_are_left_to_the_next_run_with_the_lease(bucket: MemoryBucket) -> None:
    def deny(request: Request) -> Exception | None:
        return StorageError("denied") if request.operation == "abort_upload" else None

    def fail() -> None:
        with destination(bucket).lease() as lease:
            begin(lease)
            while len(bucket.uploads()) < 2:
                threading.Event().wait(0.001)
            bucket.refuse = deny
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as failed:
        fail()
    assert "uploads that are not completed may be left" in failed.value.__notes__[0]
    assert len(bucket.uploads()) == 2
    assert set(bucket.listing()) == {"_exports/lease"}
    bucket.advance(STALE_SECONDS + 1)
    assert next_run(bucket) == []
    assert (bucket.listing(), bucket.uploads()) == ({}, [])
