"""Leftovers in a bucket: which uploads are our own. One that may be another program's or run's is never removed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from converter.errors import StorageError
from converter.storage.intent import Intent, PendingPart
from converter.storage.leftovers import Leftover
from converter.storage.object_lease import LEASE, STALE_SECONDS, Holder
from converter.storage.object_leftovers import find_leftovers
from converter.storage.object_parts import Receipt
from converter.storage.paths import INTENT, record_path
from tests.memory_store import MemoryBucket

EXPORT = "01701065507109-cce6a3f8"
FOLDER = f"dt=1/{EXPORT}"
NAME = "00000-0000.parquet"
PART = f"{FOLDER}/{NAME}"
ELSEWHERE = Holder("t0", 4711, "elsewhere", "2024-01-01T00:00:00Z", "another machine", "1")


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


def find(bucket: MemoryBucket, prefix: str = "lake") -> list[Leftover]:
    return find_leftovers(bucket.store(prefix))


def states(found: list[Leftover]) -> list[tuple[str, str, str]]:
    return [(left.kind, left.path, left.state) for left in found]


def test_an_empty_place_has_none(bucket: MemoryBucket) -> None:
    assert find(bucket) == []


def test_an_upload_with_the_name_of_a_part_is_that_of_a_dead_run(bucket: MemoryBucket) -> None:
    upload_id = bucket.store().create_upload(f"lake/{PART}", {})
    bucket.store().create_upload(f"lakes/{PART}", {})
    [left] = find(bucket)
    assert (left.kind, left.path, left.state, left.upload_id) == ("upload", PART, "dead", upload_id)
    assert left.time == bucket.open_uploads[upload_id].begun


def test_an_upload_with_another_name_is_foreign_unless_the_lease_names_its_folder(bucket: MemoryBucket) -> None:
    for path in ("film.mp4", f"{FOLDER}/film.mp4", f"{FOLDER}/inner/film.mp4"):
        bucket.store("lake").create_upload(path, {})
    found = find(bucket)
    assert {left.state for left in found} == {"foreign"}
    assert {left.detail for left in found} == {"no part of ddb-convert is called so"}
    bucket.store("lake").put(LEASE, replace(ELSEWHERE, folders=(FOLDER,)).to_json())
    assert states(find(bucket)) == [
        ("lease", LEASE, "live"),
        ("upload", f"{FOLDER}/film.mp4", "dead"),
        ("upload", f"{FOLDER}/inner/film.mp4", "foreign"),
        ("upload", "film.mp4", "foreign"),
    ]


def test_a_lease_is_dead_when_it_was_not_written_for_a_minute(bucket: MemoryBucket) -> None:
    bucket.store("lake").put(LEASE, ELSEWHERE.to_json())
    [left] = find(bucket)
    assert (left.state, left.detail) == ("live", "process 4711 on elsewhere, since 2024-01-01T00:00:00Z")
    bucket.advance(STALE_SECONDS + 1)
    assert [left.state for left in find(bucket)] == ["dead"]


def test_uploads_of_a_begun_commit_are_needed_and_others_of_its_run_are_not(bucket: MemoryBucket) -> None:
    store = bucket.store("lake")
    other = f"csv/{EXPORT}"
    needed = store.create_upload(PART, {})
    again = store.create_upload(PART, {})
    store.create_upload(f"{other}/stale.csv", {})
    part = PendingPart(NAME, 3, "ab" * 32, Receipt(needed, ()).to_text(), 1)
    store.put(INTENT, Intent(EXPORT, f"{EXPORT}-0a1b2c3d", (other, FOLDER), "{}", (part,), ()).to_json())
    found = find(bucket)
    assert states(found) == [
        ("commit", INTENT, "begun"),
        ("upload", f"{other}/stale.csv", "dead"),
        ("upload", PART, "begun"),
        ("upload", PART, "dead"),
    ]
    assert [left.upload_id for left in found[2:]] == [needed, again]
    assert found[0].detail == f"export {EXPORT}, 1 part"


def test_a_damaged_commit_is_an_error_and_not_a_reason_to_remove_uploads(bucket: MemoryBucket) -> None:
    bucket.store("lake").create_upload(PART, {})
    bucket.store("lake").put(INTENT, b"{")
    with pytest.raises(StorageError, match="the file is damaged"):
        find(bucket)


@pytest.mark.parametrize("sign", [record_path(EXPORT), LEASE, INTENT])
def test_an_upload_inside_of_another_destination_is_foreign(sign: str, bucket: MemoryBucket) -> None:
    bucket.store("lake/inner").put(sign, b"{}")
    bucket.store("lake/inner").create_upload(PART, {})
    bucket.store("lake").create_upload(PART, {})
    assert [(left.path, left.state) for left in find(bucket)] == [(PART, "dead"), (f"inner/{PART}", "foreign")]
    assert find(bucket)[1].detail == f"it may belong to the destination {bucket.place}/lake/inner"


def test_an_upload_is_foreign_if_a_destination_contains_this_place(bucket: MemoryBucket) -> None:
    bucket.store("lake").put(record_path(EXPORT), b"{}")
    bucket.store("lake").create_upload(PART, {})
    [left] = find(bucket, "lake/dt=1")
    assert (left.state, left.detail) == ("foreign", f"it may belong to the destination {bucket.place}/lake")
    bucket.store("lake/dt=1").put(record_path(EXPORT), b"{}")
    assert [left.state for left in find(bucket, "lake/dt=1")] == ["dead"]


def test_the_bucket_itself_can_be_the_destination_that_contains_this_place(bucket: MemoryBucket) -> None:
    bucket.store().put(LEASE, ELSEWHERE.to_json())
    bucket.store("lake").create_upload(PART, {})
    [left] = find(bucket)
    assert (left.state, left.detail) == ("foreign", f"it may belong to the destination {bucket.place}")
    assert [left.state for left in find(bucket, "") if left.kind == "upload"] == ["dead"]


def test_many_uploads_in_one_folder_ask_once_who_may_own_them(bucket: MemoryBucket) -> None:
    for number in range(20):
        bucket.store("lake").create_upload(f"{FOLDER}/{number:05}-0000.parquet", {})
    bucket.requests.clear()
    assert len(find(bucket)) == 20
    assert bucket.operations().count("list_objects") == 4
