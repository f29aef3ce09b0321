"""Parts in a hidden folder: their names while they grow, and which of them are kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from converter.errors import StorageError
from converter.storage.intent import PendingPart
from converter.storage.local_staging import LocalParts


@pytest.fixture
def store(tmp_path: Path) -> LocalParts:
    for name in ("others", "parts"):
        (tmp_path / name).mkdir()
    return LocalParts(str(tmp_path), ["others", "parts"])


def write_part(store: LocalParts, name: str, content: bytes = b"abc") -> PendingPart:
    part = store.open_part(name, 1)
    part.write(content)
    return part.finish()


def names(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "parts").iterdir())


def test_a_growing_file_has_no_name_that_readers_look_for(tmp_path: Path, store: LocalParts) -> None:
    part = store.open_part("0.parquet", 1)
    again = store.open_part("0.parquet", 1)
    assert names(tmp_path) == ["0.parquet.2.pending", "0.parquet.pending"]
    part.abort()
    again.write(memoryview(b"abc"))
    digest = hashlib.sha256(b"abc").hexdigest()
    assert again.finish() == PendingPart("0.parquet", 3, digest, "0.parquet.2.pending", 1)
    again.abort()
    assert names(tmp_path) == ["0.parquet.2.pending"]


def test_all_other_files_are_dropped(tmp_path: Path, store: LocalParts) -> None:
    kept, _ = (write_part(store, name) for name in ("0", "1"))
    (tmp_path / "parts" / "of-another-program").mkdir()
    store.open_part("2", 1).write(b"open")
    store.abort_open()
    store.keep_only([kept])
    assert names(tmp_path) == ["0.pending"]


@pytest.mark.parametrize(("content", "problem"), [(None, "pending part is gone"), (b"a", "has 1 bytes, but 3 were")])
def test_a_part_that_was_changed_is_not_committed(
    content: bytes | None, problem: str, tmp_path: Path, store: LocalParts
) -> None:
    part = write_part(store, "0")
    path = tmp_path / "parts" / "0.pending"
    store.keep_only([part])
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(StorageError, match=problem) as changed:
        store.keep_only([part])
    assert changed.value.where == str(path)


def test_discarding_never_fails(store: LocalParts) -> None:
    part = write_part(store, "0")
    for _ in range(2):
        store.discard(part)


def test_no_part_can_be_finished_after_the_end(store: LocalParts) -> None:
    part = store.open_part("0", 1)
    store.abort_open()
    with pytest.raises(ValueError, match="closed file"):
        part.write(b"abc")
