"""Pending parts up to their commit: what a run does that stops while its intent is on its way."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import pytest

from converter.errors import ConvertError, StorageError
from converter.object_store import ObjectStore
from converter.storage import object_commit
from converter.storage.destination import Staging
from converter.storage.intent import PendingPart
from converter.storage.object_destination import ObjectDestination
from converter.storage.object_lease import STALE_SECONDS
from converter.storage.object_staging import leftover_uploads_message
from converter.storage.paths import INTENT, record_path
from tests.memory_store import MemoryBucket, Request, UnansweredError

EXPORT = "01701065507109-cce6a3f8"
FOLDER = f"dt=1/{EXPORT}"
BEGUN = f"The commit of export {EXPORT} has begun: the next run here finishes it first"


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


def write_part(staging: Staging) -> PendingPart:
    sink = staging.open_part("0.parquet")
    sink.write(b"abc")
    return sink.finish()


def is_put_of_intent(request: Request) -> bool:
    return request.operation == "put_if_absent" and request.key == INTENT


def stop_while_the_intent_is_written(bucket: MemoryBucket, gate: threading.Event) -> list[str]:
    """A run that gets a signal while its intent is on its way, which arrives when the gate opens; its notes."""
    under_way = threading.Event()

    def hold(request: Request) -> None:
        if is_put_of_intent(request):
            under_way.set()
            gate.wait()

    def commit(staging: Staging, part: PendingPart) -> None:
        # The main thread has stopped by the time at which this fails.
        with suppress(ConvertError):
            staging.commit(b"{}", [part])

    def run() -> None:
        with ObjectDestination(bucket.place, bucket.store()).lease() as lease:
            staging = lease.begin(EXPORT, FOLDER)
            part = write_part(staging)
            bucket.refuse = hold
            threading.Thread(target=commit, args=(staging, part), daemon=True).start()
            assert under_way.wait(10)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        run()
    return getattr(stopped.value, "__notes__", [])


def next_run(bucket: MemoryBucket) -> list[str]:
    bucket.refuse = bucket.lose = None
    bucket.advance(STALE_SECONDS + 1)
    with ObjectDestination(bucket.place, bucket.store()).lease() as lease:
        return lease.warnings


def test_a_run_that_stops_waits_for_its_intent_and_says_that_the_commit_has_begun(bucket: MemoryBucket) -> None:
    gate = threading.Event()
    threading.Timer(0.1, gate.set).start()
    notes = stop_while_the_intent_is_written(bucket, gate)
    deadline = time.monotonic() + 10
    while INTENT in bucket.listing() and time.monotonic() < deadline and record_path(EXPORT) not in bucket.listing():
        time.sleep(0.01)
    assert notes == [BEGUN]


def test_a_run_that_stops_does_not_wait_forever_for_its_intent(
    bucket: MemoryBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_commit, "LAST_SECONDS", 0.1)
    gate = threading.Event()
    [note] = stop_while_the_intent_is_written(bucket, gate)
    assert note == leftover_uploads_message(bucket.store(), committing=True)
    assert "finishes the commit if it had begun" in note
    assert "_exports/lease" in bucket.listing()
    gate.set()


@pytest.mark.parametrize(("error", "is_unsure"), [(UnansweredError("no answer"), True), (StorageError("no"), False)])
def test_uploads_are_kept_if_an_unanswered_intent_may_still_arrive(
    error: StorageError, is_unsure: bool, bucket: MemoryBucket
) -> None:
    def refuse(request: Request) -> Exception | None:
        return error if is_put_of_intent(request) else None

    def run() -> None:
        with ObjectDestination(bucket.place, bucket.store()).lease() as lease:
            staging = lease.begin(EXPORT, FOLDER)
            part = write_part(staging)
            bucket.refuse = refuse
            staging.commit(b"{}", [part])

    with pytest.raises(StorageError, match=error.what) as failed:
        run()
    notes = getattr(failed.value, "__notes__", [])
    assert bucket.uploads() == [f"{FOLDER}/0.parquet"] * is_unsure
    assert [note == leftover_uploads_message(bucket.store(), committing=True) for note in notes] == [True] * is_unsure
    assert list(bucket.listing()) == ["_exports/lease"] * is_unsure
    assert next_run(bucket) == []
    assert (bucket.listing(), bucket.uploads()) == ({}, [])


def test_the_message_names_the_place_and_both_ways_to_clean(bucket: MemoryBucket) -> None:
    store: ObjectStore = bucket.store("lake")
    message = leftover_uploads_message(store, committing=False)
    assert message.startswith(f"{bucket.place}/lake/: ")
    assert "the next run here removes them, or `ddb-convert clean`" in message
