"""Uploads of one run: which of them are kept, and which are aborted."""

from __future__ import annotations

import pytest

from converter.errors import StorageError
from converter.storage.intent import PendingPart
from converter.storage.object_parts import Receipt
from converter.storage.object_staging import RUN, Uploads, abort_uploads
from tests.memory_store import MemoryBucket

FOLDER = "dt=1/x"


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


def uploads_of(bucket: MemoryBucket) -> Uploads:
    return Uploads(bucket.store(), "run-1", [FOLDER])


def write_part(uploads: Uploads, name: str, content: bytes = b"abc") -> PendingPart:
    part = uploads.open_part(name)
    part.write(content)
    return part.finish()


def test_a_settled_part_can_be_completed_by_any_process(bucket: MemoryBucket) -> None:
    uploads = uploads_of(bucket)
    [settled] = uploads.settle([write_part(uploads, "0")])
    receipt = Receipt.from_text(settled.receipt, "")
    bucket.store().complete_upload(f"{FOLDER}/0", receipt.upload_id, receipt.pieces, settled.bytes)
    found = bucket.store().get(f"{FOLDER}/0")
    assert found is not None
    assert (found.content, found.info.metadata) == (b"abc", {RUN: "run-1"})
    # A receipt that is settled already, such as that of another process, stays as it is.
    assert uploads.settle([settled]) == [settled]


def test_only_the_given_parts_are_kept_in_the_folders(bucket: MemoryBucket) -> None:
    uploads = uploads_of(bucket)
    bucket.store().create_upload(f"{FOLDER}/of-a-dead-run", {})
    bucket.store().create_upload("elsewhere/x", {})
    kept, _ = (write_part(uploads, name) for name in ("0", "1"))
    uploads.open_part("2").write(b"open")
    settled = uploads.settle([kept])
    uploads.keep_only(settled)
    assert bucket.uploads() == [f"{FOLDER}/0", "elsewhere/x"]


def test_nothing_can_be_sent_after_the_end(bucket: MemoryBucket) -> None:
    uploads = uploads_of(bucket)
    part = uploads.open_part("0")
    uploads.abort_own()
    with pytest.raises(RuntimeError, match="after shutdown"):
        part.finish()
    assert bucket.uploads() == []


def test_own_uploads_are_aborted_without_those_of_others_in_the_same_folder(bucket: MemoryBucket) -> None:
    uploads = uploads_of(bucket)
    other = bucket.store().create_upload(f"{FOLDER}/0", {})
    write_part(uploads, "0")
    uploads.abort_own()
    assert [found.upload_id for found in bucket.store().list_uploads("")] == [other]


def test_every_abort_is_checked(bucket: MemoryBucket) -> None:
    for number in range(5):
        bucket.store().create_upload(f"{FOLDER}/{number}", {})

    def lost() -> None:
        raise StorageError("the lease was lost")

    with pytest.raises(StorageError, match="the lease was lost"):
        abort_uploads(bucket.store(), [FOLDER], lost)
    assert len(bucket.uploads()) == 5


@pytest.mark.parametrize("name", ["", "..", "a/b"])
def test_a_part_has_the_name_of_a_file(name: str, bucket: MemoryBucket) -> None:
    with pytest.raises(ValueError, match="is not the name of a file"):
        uploads_of(bucket).open_part(name)
