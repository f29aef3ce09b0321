"""Destinations in an object store: what is read there, from where, and that no path leads out of the prefix."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from converter.errors import BusyError, StorageError, UsageError
from converter.storage.object_destination import ObjectDestination
from converter.storage.object_lease import LEASE, STALE_SECONDS, Holder
from converter.storage.stored_files import FileVersion
from tests.memory_store import MemoryBucket, Request

ROOT = "memory://lake/orders/"


@pytest.fixture
def bucket() -> MemoryBucket:
    """Objects in the prefix `orders`, and one beside it."""
    bucket = MemoryBucket()
    for key in ("orders/a", "orders/d/x", "orders/d/y", "orders/d/e/z", "orders-2/d/secret", "secret"):
        bucket.store().put(key, key.encode())
    return bucket


def destination(bucket: MemoryBucket) -> ObjectDestination:
    return ObjectDestination(ROOT, bucket.store("orders"))


def test_small_objects_are_read_by_their_paths(bucket: MemoryBucket) -> None:
    here = destination(bucket)
    assert (here.read("d/x"), here.size("d/x")) == (b"orders/d/x", 10)
    assert (here.read("d"), here.size("d")) == (None, None)
    assert here.read_all(["d/y", "missing", "a"]) == [b"orders/d/y", None, b"orders/a"]


def test_the_root_is_not_an_object(bucket: MemoryBucket) -> None:
    bucket.store().put("orders/", b"the empty folder of a console")
    bucket.requests.clear()
    assert destination(bucket).size("") is None
    assert bucket.requests == []


def test_a_folder_has_the_objects_and_folders_directly_below(bucket: MemoryBucket) -> None:
    here = destination(bucket)
    assert here.sizes("d") == {"x": 10, "y": 10}
    assert here.names("d") == ["e", "x", "y"]
    assert here.names("") == ["a", "d"]
    assert (here.sizes("missing"), here.names("missing"), here.versions("missing")) == ({}, [], {})


def test_a_version_is_another_after_each_write(bucket: MemoryBucket) -> None:
    here = destination(bucket)
    before = here.versions("d")
    bucket.store().put("orders/d/x", b"orders/d/X")
    after = here.versions("d")
    assert before.keys() == after.keys() == {"x", "y"}
    assert (before["y"], before["x"] == after["x"]) == (after["y"], False)
    assert after["x"] == FileVersion(10, bucket.objects["orders/d/x"].etag)


@pytest.mark.parametrize("path", ["../secret", "d/../../secret", "/secret", "d//x", "a\n", "."])
def test_no_path_of_a_record_leads_out(path: str, bucket: MemoryBucket) -> None:
    here = destination(bucket)
    bucket.requests.clear()
    acts: list[Callable[[str], object]] = [here.read, here.size, here.sizes, here.versions, here.names]
    for act in acts:
        with pytest.raises(StorageError, match="leads out of the destination") as refused:
            act(path)
        assert refused.value.where == f"memory://lake/orders/{path}"
    with pytest.raises(StorageError, match="leads out of the destination"):
        here.read_all(["d/x", path])
    assert [request.key for request in bucket.requests] in ([], ["orders/d/x"])


@pytest.mark.parametrize("prefix", ["orders/../other", "a//b", ".", "a\n"])
def test_a_prefix_that_can_not_be_a_folder_is_a_mistake(prefix: str, bucket: MemoryBucket) -> None:
    with pytest.raises(UsageError, match="can't have empty") as refused:
        ObjectDestination(f"memory://lake/{prefix}", bucket.store(prefix))
    assert refused.value.where == f"memory://lake/{prefix}"


def test_making_one_asks_nothing_and_the_bucket_itself_can_be_one(bucket: MemoryBucket) -> None:
    bucket.requests.clear()
    here = ObjectDestination("memory://lake", bucket.store())
    assert bucket.requests == []
    assert here.names("") == ["orders", "orders-2", "secret"]
    assert here.child("orders/a") == "memory://lake/orders/a"


def test_a_held_destination_is_seen_without_taking_it(bucket: MemoryBucket) -> None:
    here = destination(bucket)
    here.check_free()
    with here.lease():
        before = bucket.listing()
        with pytest.raises(BusyError, match="another run holds the destination"):
            destination(bucket).check_free()
        [left] = here.leftovers()
        assert (left.kind, left.state) == ("lease", "live")
        assert bucket.listing() == before
    here.check_free()
    assert here.leftovers() == []


def test_uploads_of_a_dead_run_are_aborted_only_if_the_lease_recovers(bucket: MemoryBucket) -> None:
    folder = "dt=1/01701065507109-cce6a3f8"
    part = f"orders/{folder}/00000-0000.parquet"
    bucket.store().create_upload(part, {})
    dead = Holder("t0", 4711, "elsewhere", "2024-01-01T00:00:00Z", "another machine", "1", folders=(folder,))
    bucket.store("orders").put(LEASE, dead.to_json())
    bucket.advance(STALE_SECONDS + 1)
    with destination(bucket).lease(recover=False):
        assert bucket.uploads() == [part]
    bucket.advance(STALE_SECONDS + 1)
    with destination(bucket).lease():
        assert bucket.uploads() == []


def test_an_error_of_the_store_is_not_an_empty_destination(bucket: MemoryBucket) -> None:
    def deny(request: Request) -> Exception | None:
        return StorageError("denied")

    bucket.refuse = deny
    here = destination(bucket)
    acts: list[Callable[[str], object]] = [here.read, here.size, here.sizes, here.versions, here.names]
    for act in acts:
        with pytest.raises(StorageError, match="denied"):
            act("d")


def test_libraries_read_the_parts_with_the_settings_of_the_store(bucket: MemoryBucket) -> None:
    assert destination(bucket).reader_settings().options == {}
