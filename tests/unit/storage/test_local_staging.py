"""Pending parts in a folder: only those that the commit is given are published, and all others are removed."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from converter.errors import StorageError
from converter.storage.destination import Lease, PartStore, Staging
from converter.storage.intent import Intent, PendingPart
from converter.storage.local_commit import hold_lease
from converter.storage.local_staging import in_exports, parts_folder
from converter.storage.paths import INTENT, record_path

EXPORT = "01701065507109-cce6a3f8"
FOLDERS = (f"csv/{EXPORT}", f"parquet/{EXPORT}")


@pytest.fixture
def lease(tmp_path: Path) -> Iterator[Lease]:
    with hold_lease(str(tmp_path / "out"), recover=True) as lease:
        yield lease


def write(store: PartStore, name: str, content: bytes, folder: int = 0) -> PendingPart:
    sink = store.open_part(name, folder) if folder else store.open_part(name)
    sink.write(content)
    return sink.finish()


def files_of(tmp_path: Path) -> dict[str, bytes]:
    """All files, except the lease."""
    root = tmp_path / "out"
    found = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return {path: file.read_bytes() for path, file in found.items() if path != "_exports/lease"}


def test_parts_grow_in_a_folder_of_their_own_for_each_folder_of_the_export() -> None:
    assert [parts_folder(".run-x", number) for number in range(3)] == [
        "_exports/.run-x/parts",
        "_exports/.run-x/parts-1",
        "_exports/.run-x/parts-2",
    ]
    assert in_exports(".run-x", "intent") == "_exports/.run-x/intent"


def test_only_the_given_parts_are_published_each_in_its_folder(lease: Lease, tmp_path: Path) -> None:
    staging = lease.begin(EXPORT, *FOLDERS)
    parts = [write(staging, "0", b"csv", 0), write(staging, "0", b"parquet", 1)]
    write(staging, "1", b"forgotten", 0)
    unfinished = staging.open_part("2", 1)
    staging.discard(write(staging, "3", b"stale", 1))
    staging.commit(b"{}", parts)
    with pytest.raises(ValueError, match="closed"):
        unfinished.write(b"too late")
    assert files_of(tmp_path) == {f"{FOLDERS[0]}/0": b"csv", f"{FOLDERS[1]}/0": b"parquet", record_path(EXPORT): b"{}"}


def test_a_discarded_part_is_removed_from_its_own_folder(lease: Lease, tmp_path: Path) -> None:
    staging = lease.begin(EXPORT, *FOLDERS)
    write(staging, "0", b"csv", 0)
    staging.discard(write(staging, "0", b"parquet", 1))
    assert list(files_of(tmp_path).values()) == [b"csv"]


def test_two_parts_of_one_name_begin_no_commit(lease: Lease, tmp_path: Path) -> None:
    staging = lease.begin(EXPORT, *FOLDERS)
    parts = [write(staging, "0", b"one"), write(staging, "0", b"two")]
    with pytest.raises(ValueError, match="the same name"):
        staging.commit(b"{}", parts)
    assert len(files_of(tmp_path)) == 2


def test_a_part_that_was_cut_begins_no_commit(lease: Lease, tmp_path: Path) -> None:
    staging = lease.begin(EXPORT, *FOLDERS)
    parts = [write(staging, "0", b"csv"), write(staging, "0", b"parquet", 1)]
    [pending] = (tmp_path / "out" / "_exports").glob(".run-*/parts-1/*")
    pending.write_bytes(b"par")
    with pytest.raises(StorageError, match="has 3 bytes, but 7 were written"):
        staging.commit(b"{}", parts)
    assert not (tmp_path / "out" / INTENT).exists()


def test_without_a_commit_everything_is_removed_with_the_lease(tmp_path: Path) -> None:
    with hold_lease(str(tmp_path / "out"), recover=True) as lease:
        staging = lease.begin(EXPORT, *FOLDERS)
        write(staging, "0", b"csv")
        unfinished = staging.open_part("1", 1)
        assert len(files_of(tmp_path)) == 2
    with pytest.raises(ValueError, match="closed"):
        unfinished.write(b"too late")
    assert not (tmp_path / "out").exists()


def lose_a_part_after_the_intent(root: Path, staging: Staging) -> None:
    """Begin a commit that can't be finished: its record's path is a folder."""
    (root / record_path(EXPORT)).mkdir()
    with pytest.raises(StorageError):
        staging.commit(b"{}", [write(staging, "0", b"csv")])


def test_after_the_commit_has_begun_the_parts_are_left_to_the_next_run(tmp_path: Path) -> None:
    root = tmp_path / "out"
    with hold_lease(str(root), recover=True) as lease:
        lose_a_part_after_the_intent(root, lease.begin(EXPORT, FOLDERS[0]))
    intent = Intent.from_json((root / INTENT).read_bytes(), "intent")
    assert (intent.export_id, intent.folders, [part.name for part in intent.parts]) == (EXPORT, FOLDERS[:1], ["0"])
    assert (root / "_exports" / intent.run).is_dir()
    (root / record_path(EXPORT)).rmdir()
    with hold_lease(str(root), recover=True) as lease:
        assert len(lease.warnings) == 1
    assert files_of(tmp_path) == {f"{FOLDERS[0]}/0": b"csv", record_path(EXPORT): b"{}"}


def test_parts_that_another_process_writes_are_committed_too(
    lease: Lease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    staging = lease.begin(EXPORT, *FOLDERS)
    pickled = pickle.dumps(staging)
    # The copy may be in a process with another current folder.
    monkeypatch.chdir("/")
    copy = pickle.loads(pickled)
    parts = copy.settle([write(copy, "0", b"copied", 1)])
    staging.commit(b"{}", [write(staging, "0", b"own"), *parts])
    assert files_of(tmp_path) == {f"{FOLDERS[0]}/0": b"own", f"{FOLDERS[1]}/0": b"copied", record_path(EXPORT): b"{}"}


def test_a_copy_knows_the_folder_of_a_destination_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with hold_lease("out", recover=True) as lease:
        copy = pickle.dumps(lease.begin(EXPORT, *FOLDERS))
        monkeypatch.chdir("/")
        write(pickle.loads(copy), "0", b"copied")
        assert list(files_of(tmp_path).values()) == [b"copied"]
        monkeypatch.chdir(tmp_path)
