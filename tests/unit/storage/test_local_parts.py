"""Parts in a hidden folder: their names while they grow, and which of them are kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from converter.errors import StorageError
from converter.storage.contained_files import ContainedFiles
from converter.storage.intent import PendingPart
from converter.storage.local_parts import PendingFolder


@pytest.fixture
def folder(tmp_path: Path) -> PendingFolder:
    (tmp_path / "parts").mkdir()
    return PendingFolder(ContainedFiles(str(tmp_path)), "parts", 1)


def write_part(folder: PendingFolder, name: str, content: bytes = b"abc") -> PendingPart:
    part = folder.open_part(name)
    part.write(content)
    return part.finish()


def names(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "parts").iterdir())


def test_a_growing_file_has_no_name_that_readers_look_for(tmp_path: Path, folder: PendingFolder) -> None:
    part = folder.open_part("0.parquet")
    again = folder.open_part("0.parquet")
    assert names(tmp_path) == ["0.parquet.2.pending", "0.parquet.pending"]
    part.abort()
    again.write(memoryview(b"abc"))
    digest = hashlib.sha256(b"abc").hexdigest()
    assert again.finish() == PendingPart("0.parquet", 3, digest, "0.parquet.2.pending", 1)
    again.abort()
    assert names(tmp_path) == ["0.parquet.2.pending"]


def test_all_other_files_are_dropped(tmp_path: Path, folder: PendingFolder) -> None:
    kept, _ = (write_part(folder, name) for name in ("0", "1"))
    (tmp_path / "parts" / "of-another-program").mkdir()
    folder.open_part("2").write(b"open")
    folder.abort_open()
    folder.keep_only([kept])
    assert names(tmp_path) == ["0.pending"]


@pytest.mark.parametrize(("content", "problem"), [(None, "pending part is gone"), (b"a", "has 1 bytes, but 3 were")])
def test_a_part_that_was_changed_is_not_committed(
    content: bytes | None, problem: str, tmp_path: Path, folder: PendingFolder
) -> None:
    part = write_part(folder, "0")
    path = tmp_path / "parts" / "0.pending"
    folder.keep_only([part])
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(StorageError, match=problem) as changed:
        folder.keep_only([part])
    assert changed.value.where == str(path)


def test_discarding_never_fails(folder: PendingFolder) -> None:
    part = write_part(folder, "0")
    for _ in range(2):
        folder.discard(part)


def test_no_part_can_be_finished_after_the_end(folder: PendingFolder) -> None:
    part = folder.open_part("0")
    folder.abort_open()
    with pytest.raises(ValueError, match="closed file"):
        part.write(b"abc")
