"""Parts in an object store: pieces of the size that the store requires, in bounded memory, and their failures.

test_object_parts_in_s3.py shows over HTTP what depends on a server.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.errors import StorageError
from converter.object_store import Piece
from converter.storage.destination import Staging
from converter.storage.object_destination import ObjectDestination
from converter.storage.object_parts import PIECE_BYTES, Receipt
from converter.storage.paths import record_path
from tests.examples import examples
from tests.memory_store import MemoryBucket, Request

EXPORT = "01701065507109-cce6a3f8"
FOLDER = f"dt=2023-11-27/{EXPORT}"
KEY = f"{FOLDER}/0.parquet"


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


def destination(bucket: MemoryBucket) -> ObjectDestination:
    return ObjectDestination(bucket.place, bucket.store())


def sizes_of_pieces(bucket: MemoryBucket) -> list[int]:
    """In the order of their numbers, whatever the order in which they arrived."""
    sent = [request for request in bucket.requests if request.operation == "upload_piece"]
    return [request.size for request in sorted(sent, key=lambda request: request.number)]


def publish(staging: Staging, *pieces: bytes) -> None:
    sink = staging.open_part("0.parquet")
    for piece in pieces:
        sink.write(piece)
    staging.commit(b"{}", [sink.finish()])


def deny(operation: str) -> Callable[[Request], Exception | None]:
    return lambda request: StorageError("denied", request.key) if request.operation == operation else None


@pytest.mark.parametrize(
    ("size", "pieces"),
    [
        (0, [0]),
        (1, [1]),
        (PIECE_BYTES - 1, [PIECE_BYTES - 1]),
        (PIECE_BYTES, [PIECE_BYTES]),
        (PIECE_BYTES + 1, [PIECE_BYTES, 1]),
        (2 * PIECE_BYTES, [PIECE_BYTES] * 2),
        (3 * PIECE_BYTES + 7, [*[PIECE_BYTES] * 3, 7]),
    ],
)
@pytest.mark.parametrize("step", [3 << 20, 64 << 20])
def test_a_part_is_sent_in_pieces_of_5_mib_and_a_rest(
    size: int, pieces: list[int], step: int, bucket: MemoryBucket
) -> None:
    content = (b"0123456789abcde" * (size // 15 + 1))[:size]
    with destination(bucket).lease() as lease:
        publish(lease.begin(EXPORT, FOLDER), *(content[begin : begin + step] for begin in range(0, size, step)))
    assert sizes_of_pieces(bucket) == pieces
    assert bucket.listing() == {KEY: content, record_path(EXPORT): b"{}"}


@settings(max_examples=examples(15), deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1]), st.integers(0, 255)),
        max_size=4,
    )
)
def test_any_writes_arrive_as_one_object(writes: list[tuple[int, int]]) -> None:
    bucket = MemoryBucket()
    written = [bytes([byte]) * size for size, byte in writes]
    with destination(bucket).lease() as lease:
        staging = lease.begin(EXPORT, FOLDER)
        sink = staging.open_part("0.parquet")
        for piece in written:
            assert sink.write(memoryview(piece)) == len(piece)
        part = sink.finish()
        assert part.bytes == sum(map(len, written))
        staging.commit(b"{}", [part])
    assert bucket.listing()[KEY] == b"".join(written)


def test_no_more_than_a_few_pieces_are_in_memory(bucket: MemoryBucket) -> None:
    gate = threading.Event()
    written = []

    def write(staging: Staging) -> None:
        sink = staging.open_part("0.parquet")
        for _ in range(12):
            sink.write(bytes(PIECE_BYTES))
            written.append(PIECE_BYTES)
        staging.commit(b"{}", [sink.finish()])

    def hold(request: Request) -> None:
        if request.operation == "upload_piece":
            gate.wait()

    bucket.refuse = hold
    with destination(bucket).lease() as lease:
        writer = threading.Thread(target=write, args=(lease.begin(EXPORT, FOLDER),))
        writer.start()
        try:
            deadline = time.monotonic() + 10
            while len(written) < 2:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            writer.join(0.2)
            assert writer.is_alive()
            assert len(written) <= 6
        finally:
            gate.set()
            writer.join()
    assert len(written) == 12


@pytest.mark.parametrize("operation", ["create_upload", "upload_piece"])
@pytest.mark.parametrize("pieces", [100, 0])
def test_a_failed_request_is_raised_by_a_later_write_or_by_the_commit_which_publishes_nothing(
    operation: str, pieces: int, bucket: MemoryBucket
) -> None:
    with destination(bucket).lease() as lease:
        staging = lease.begin(EXPORT, FOLDER)
        bucket.refuse = deny(operation)
        with pytest.raises(StorageError, match="denied"):
            publish(staging, *(bytes(PIECE_BYTES) for _ in range(pieces)), b"rest")
    # The other pieces were not sent after the first had failed.
    assert len(sizes_of_pieces(bucket)) < 20
    assert (bucket.listing(), bucket.uploads()) == ({}, [])


def test_an_upload_that_something_aborted_is_reported_with_its_object(bucket: MemoryBucket) -> None:
    with destination(bucket).lease() as lease:
        staging = lease.begin(EXPORT, FOLDER)
        sink = staging.open_part("0.parquet")
        while not bucket.open_uploads:
            time.sleep(0.001)
        bucket.open_uploads.clear()
        sink.write(bytes(PIECE_BYTES))
        part = sink.finish()
        with pytest.raises(StorageError, match="another program aborted this run's upload") as gone:
            staging.commit(b"{}", [part])
    assert gone.value.where == f"{bucket.place}/{KEY}"
    assert "lifecycle rule" in gone.value.hint


def test_aborted_and_discarded_parts_leave_no_upload_long_before_the_end(bucket: MemoryBucket) -> None:
    with destination(bucket).lease() as lease:
        staging = lease.begin(EXPORT, FOLDER)
        aborted, stale, kept = (staging.open_part(f"{number}.parquet") for number in range(3))
        for sink in (aborted, stale, kept):
            sink.write(bytes(PIECE_BYTES + 1))
        part = kept.finish()
        staging.discard(stale.finish())
        aborted.abort()
        deadline = time.monotonic() + 10
        while bucket.uploads() != [f"{FOLDER}/2.parquet"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        aborted.abort()
        staging.commit(b"{}", [part])
    assert set(bucket.listing()) == {f"{FOLDER}/2.parquet", record_path(EXPORT)}
    assert bucket.uploads() == []


def test_a_receipt_survives_its_way_through_text() -> None:
    receipt = Receipt('id"é', (Piece('"etag"', "NSRBwg=="), Piece("", "")))
    assert Receipt.from_text(receipt.to_text(), "intent.json") == receipt
    for text in ("", "{}", '{"version": 1, "uploadId": 1, "pieces": []}', receipt.to_text().replace("crc32", "md5")):
        with pytest.raises(StorageError, match="damaged"):
            Receipt.from_text(text, "intent.json")
