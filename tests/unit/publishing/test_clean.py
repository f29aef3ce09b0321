"""Cleaning: nothing that a live run or another program needs is removed, and a begun commit is never thrown away."""

from __future__ import annotations

import json

import pytest

from converter.errors import BusyError, StorageError
from converter.publishing.clean import Leftovers, clean_destination
from converter.storage.intent import Intent
from converter.storage.object_destination import ObjectDestination
from converter.storage.object_lease import LEASE, STALE_SECONDS, Holder
from converter.storage.paths import INTENT, record_path
from tests.memory_store import MemoryBucket, Request

EXPORT = "01701065507109-cce6a3f8"
PART = f"dt=2023-11-27/{EXPORT}/00000-0000.parquet"
ELSEWHERE = Holder("t0", 4711, "elsewhere", "2024-01-01T00:00:00Z", "another machine", "1")
INTENT_OF_A_DEAD_RUN = Intent(EXPORT, f"{EXPORT}-0a1b2c3d", (f"dt=2023-11-27/{EXPORT}",), "{}", (), ())


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


def clean(bucket: MemoryBucket, *, complete: bool = False, dry_run: bool = False) -> Leftovers:
    return clean_destination(ObjectDestination(bucket.place, bucket.store()), complete=complete, dry_run=dry_run)


def leave(bucket: MemoryBucket, *, live: bool = False, begun: bool = False) -> None:
    """The lease of a run, an upload of its own, and one of another program."""
    bucket.store().create_upload(PART, {})
    bucket.store().create_upload("film.mp4", {})
    if begun:
        bucket.store().put(INTENT, INTENT_OF_A_DEAD_RUN.to_json())
    bucket.store().put(LEASE, ELSEWHERE.to_json())
    bucket.advance(0 if live else STALE_SECONDS + 1)


def kinds(found: Leftovers) -> dict[str, list[str]]:
    return {
        "removed": [left.kind for left in found.removed],
        "completed": [left.kind for left in found.completed],
        "kept": [left.kind for left in found.kept],
    }


def test_a_place_without_anything_is_a_mistake(bucket: MemoryBucket) -> None:
    with pytest.raises(StorageError, match="the destination is empty or does not exist") as refused:
        clean(bucket)
    assert refused.value.where == bucket.place


def test_a_place_with_nothing_but_an_upload_is_cleaned(bucket: MemoryBucket) -> None:
    bucket.store().create_upload(PART, {})
    assert kinds(clean(bucket))["removed"] == ["upload"]
    assert bucket.uploads() == []


def test_a_live_run_that_has_left_nothing_yet_is_an_error_not_a_clean_place(bucket: MemoryBucket) -> None:
    bucket.store().put(LEASE, ELSEWHERE.to_json())
    with pytest.raises(BusyError, match="process 4711 on elsewhere"):
        clean(bucket)


def test_a_run_that_ends_while_leftovers_are_looked_for_is_not_in_the_way(bucket: MemoryBucket) -> None:
    leave(bucket, live=True)

    def end(request: Request) -> None:
        if request.operation == "put_if_absent":
            bucket.refuse = None
            bucket.store().delete(LEASE)

    bucket.refuse = end
    found = clean(bucket)
    assert (kinds(found), found.warnings) == ({"removed": ["upload"], "completed": [], "kept": ["upload"]}, ())


def test_a_destination_without_leftovers_is_not_even_locked(bucket: MemoryBucket) -> None:
    bucket.store().put(record_path(EXPORT), b"{}")
    bucket.requests.clear()
    assert kinds(clean(bucket)) == {"removed": [], "completed": [], "kept": []}
    assert {request.operation for request in bucket.requests}.isdisjoint({"put", "put_if_absent", "delete"})


def test_the_upload_and_the_lease_of_a_dead_run_are_removed_and_those_of_others_are_kept(bucket: MemoryBucket) -> None:
    leave(bucket)
    found = clean(bucket)
    assert kinds(found) == {"removed": ["lease", "upload"], "completed": [], "kept": ["upload"]}
    assert (found.destination, found.dry_run, found.warnings) == (bucket.place, False, ())
    assert (bucket.listing(), bucket.uploads()) == ({}, ["film.mp4"])
    assert [request.key for request in bucket.requests if request.operation == "abort_upload"] == [PART]


def test_a_dry_run_says_the_same_and_changes_nothing(bucket: MemoryBucket) -> None:
    leave(bucket)
    before = bucket.listing()
    found = clean(bucket, dry_run=True)
    assert kinds(found) == {"removed": ["lease", "upload"], "completed": [], "kept": ["upload"]}
    assert found.dry_run
    assert (bucket.listing(), len(bucket.uploads())) == (before, 2)


def test_everything_of_a_live_run_is_kept_and_its_holder_is_named(bucket: MemoryBucket) -> None:
    leave(bucket, live=True, begun=True)
    before = bucket.listing()
    found = clean(bucket, complete=True, dry_run=True)
    assert kinds(found) == {"removed": [], "completed": [], "kept": ["commit", "lease", "upload", "upload"]}
    assert found.warnings == (f"another run holds the destination: {ELSEWHERE}",)
    with pytest.raises(BusyError, match="process 4711 on elsewhere"):
        clean(bucket, complete=True)
    assert (bucket.listing(), len(bucket.uploads())) == (before, 2)


def test_a_begun_commit_is_kept_with_a_warning_until_it_is_to_be_completed(bucket: MemoryBucket) -> None:
    leave(bucket, begun=True)
    found = clean(bucket)
    assert kinds(found) == {"removed": ["lease", "upload"], "completed": [], "kept": ["commit", "upload"]}
    [warning] = found.warnings
    assert "a commit has begun and is not done" in warning
    assert INTENT in bucket.listing()
    found = clean(bucket, complete=True)
    assert kinds(found) == {"removed": [], "completed": ["commit"], "kept": ["upload"]}
    assert found.warnings == ()
    assert bucket.listing() == {record_path(EXPORT): b"{}"}


def test_a_warning_of_the_completed_commit_is_passed_on(bucket: MemoryBucket) -> None:
    leave(bucket, begun=True)
    denied = StorageError("denied")
    bucket.refuse = lambda request: denied if (request.operation, request.key) == ("delete", INTENT) else None
    [warning] = clean(bucket, complete=True).warnings
    assert f"export {EXPORT} is published; the next run ends its commit: denied" in warning


def test_programs_see_all_leftovers_with_their_fate(bucket: MemoryBucket) -> None:
    leave(bucket, begun=True)
    members = json.loads(json.dumps(clean(bucket, complete=True, dry_run=True).to_json()))
    assert list(members) == ["destination", "dryRun", "removed", "completed", "kept", "warnings"]
    assert (members["destination"], members["dryRun"], members["warnings"]) == (bucket.place, True, [])
    [commit], [film] = members["completed"], members["kept"]
    assert (commit["kind"], commit["path"], commit["state"], commit["uploadId"]) == ("commit", INTENT, "begun", None)
    assert commit["detail"] == f"export {EXPORT}, 0 parts"
    assert commit["time"].endswith("Z")
    assert film["uploadId"] in bucket.open_uploads
    assert [left["kind"] for left in members["removed"]] == ["lease", "upload"]
