"""The commit in a folder: from every state that a dead run can leave, the next run reaches the same result."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from converter.errors import StorageError, UsageError
from converter.storage.contained_files import ContainedFiles
from converter.storage.intent import Intent, PendingPart, Removal
from converter.storage.local_commit import LocalLease, hold_lease
from converter.storage.local_leftovers import find_leftovers
from converter.storage.paths import INTENT, record_path

EXPORT = "01701065507109-cce6a3f8"
OLD = "01701065507110-aaaaaaaa"
RUN = f".run-{EXPORT}-0a1b2c3d"
HIDDEN = f"_exports/{RUN}"
FOLDERS = (f"csv/{EXPORT}", f"parquet/{EXPORT}")
PARTS = (
    PendingPart("0.csv", 3, "ab" * 32, "0.csv.pending", 0),
    PendingPart("0.parquet", 7, "cd" * 32, "0.parquet.pending", 1),
)
REMOVE = (Removal(OLD, f"csv/{OLD}"), Removal(EXPORT, FOLDERS[0]))
AN_INTENT = Intent(EXPORT, RUN, FOLDERS, "{new}", PARTS, REMOVE)
DONE = {f"{FOLDERS[0]}/0.csv": b"new", f"{FOLDERS[1]}/0.parquet": b"newest!", record_path(EXPORT): b"{new}"}

OLD_FILES = {
    record_path(OLD): b"{old}",
    # As long as the new one.
    record_path(EXPORT): b"{was}",
    f"csv/{OLD}/0.csv": b"old",
    f"{FOLDERS[0]}/9.csv": b"before",
}
PENDING = {f"{HIDDEN}/parts/0.csv.pending": b"new", f"{HIDDEN}/parts-1/0.parquet.pending": b"newest!"}
RENAMED = {f"{HIDDEN}/parts/0.csv": b"new", f"{HIDDEN}/parts-1/0.parquet": b"newest!"}
MOVED = {f"{HIDDEN}/replaced/0/0.csv": b"old", f"{HIDDEN}/replaced/1/9.csv": b"before"}
WITHOUT_RECORDS = {path: content for path, content in OLD_FILES.items() if not path.startswith("_exports/")}
STATES: dict[str, dict[str, bytes]] = {
    "only the intent": {**OLD_FILES, **PENDING},
    "one record removed": {**{path: OLD_FILES[path] for path in OLD_FILES if path != record_path(OLD)}, **PENDING},
    "records removed": {**WITHOUT_RECORDS, **PENDING},
    "one part renamed": {**WITHOUT_RECORDS, **dict([*RENAMED.items()][:1]), **dict([*PENDING.items()][1:])},
    "parts renamed": {**WITHOUT_RECORDS, **RENAMED},
    "one folder moved away": {
        **{path: content for path, content in WITHOUT_RECORDS.items() if OLD not in path},
        **RENAMED,
        f"{HIDDEN}/replaced/0/0.csv": b"old",
    },
    "folders moved away": {**RENAMED, **MOVED},
    "one folder in place": {f"{FOLDERS[0]}/0.csv": b"new", **dict([*RENAMED.items()][1:]), **MOVED},
    "folders in place": {path: content for path, content in {**DONE, **MOVED}.items() if path != record_path(EXPORT)},
    "replaced folders lost": {path: content for path, content in DONE.items() if path != record_path(EXPORT)},
    "record written": {**DONE, **MOVED},
    "replaced folders removed": DONE,
}


def make(root: Path, files: dict[str, bytes], intent: Intent | None = AN_INTENT) -> None:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    if intent is not None:
        (root / INTENT).parent.mkdir(exist_ok=True)
        (root / INTENT).write_bytes(intent.to_json())


def files_of(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def next_run(root: Path) -> list[str]:
    """Take the lease, which finishes what was left; the warnings."""
    with hold_lease(str(root), recover=True) as lease:
        return lease.warnings


@pytest.mark.parametrize("state", STATES)
def test_a_begun_commit_is_finished_from_every_state(state: str, tmp_path: Path) -> None:
    make(tmp_path, STATES[state])
    [warning] = next_run(tmp_path)
    assert f"an earlier run died while it published export {EXPORT}" in warning
    assert files_of(tmp_path) == DONE
    assert next_run(tmp_path) == []
    assert files_of(tmp_path) == DONE


def test_a_record_that_is_already_written_is_there_all_the_time(tmp_path: Path) -> None:
    make(tmp_path, STATES["record written"])
    before = (tmp_path / record_path(EXPORT)).stat()
    next_run(tmp_path)
    assert (tmp_path / record_path(EXPORT)).stat() == before


@pytest.mark.parametrize("part", [f"{HIDDEN}/parts/0.csv", f"csv/{OLD}/{EXPORT}/0.csv"])
def test_a_folder_that_replaces_its_parent_is_not_moved_away_again(part: str, tmp_path: Path) -> None:
    inner = f"csv/{OLD}/{EXPORT}"
    intent = Intent(EXPORT, RUN, (inner,), "{new}", PARTS[:1], REMOVE[:1])
    done = {f"{inner}/0.csv": b"new", record_path(EXPORT): b"{new}"}
    make(tmp_path, {part: b"new", f"{HIDDEN}/replaced/0/0.csv": b"old"}, intent)
    (tmp_path / "csv" / OLD).mkdir(parents=True, exist_ok=True)
    assert len(next_run(tmp_path)) == 1
    assert files_of(tmp_path) == done


@pytest.mark.parametrize(
    "damage", [{f"{HIDDEN}/parts/0.csv.pending": b"longer"}, {f"{FOLDERS[0]}/0.csv": b"longer"}, {}]
)
def test_a_commit_that_has_lost_a_part_writes_no_record(damage: dict[str, bytes], tmp_path: Path) -> None:
    others = {path: content for path, content in PENDING.items() if "parts-1" in path}
    make(tmp_path, {**others, **damage})
    with pytest.raises(StorageError, match="a part of the unfinished commit is missing") as lost:
        next_run(tmp_path)
    assert "0.csv" in lost.value.where
    assert f"The commit of export {EXPORT} has begun" in lost.value.hint
    assert (tmp_path / INTENT).exists()
    assert not (tmp_path / record_path(EXPORT)).exists()


def test_without_recovery_the_remains_stay_until_they_are_removed_by_name(tmp_path: Path) -> None:
    make(tmp_path, PENDING, None)
    with hold_lease(str(tmp_path), recover=False) as lease:
        assert PENDING.items() <= files_of(tmp_path).items()
        lease.remove([left for left in find_leftovers(ContainedFiles(str(tmp_path))) if left.kind == "folder"])
    assert files_of(tmp_path) == {}


def test_remains_of_dead_runs_are_removed_at_the_start(tmp_path: Path) -> None:
    make(tmp_path, {**PENDING, "_exports/.run-x/parts/0.pending": b"abc", "_exports/run-x/mine": b"mine"}, None)
    assert next_run(tmp_path) == []
    assert files_of(tmp_path) == {"_exports/run-x/mine": b"mine"}


def test_no_run_begins_with_a_folder_of_another_export_or_with_the_name_of_the_intent(tmp_path: Path) -> None:
    with hold_lease(str(tmp_path), recover=True) as lease:
        with pytest.raises(ValueError, match="is not a folder for"):
            lease.begin(EXPORT, f"dt=1/{EXPORT}", f"dt=1/{OLD}")
        with pytest.raises(UsageError, match="'intent'"):
            lease.begin("intent", "dt=1/intent")


def test_a_place_that_can_not_be_written_is_found_before_the_run_converts(tmp_path: Path) -> None:
    make(tmp_path, {"dt=1": b"a file"}, None)
    with hold_lease(str(tmp_path), recover=True) as lease, pytest.raises(StorageError, match="not a folder") as refused:
        lease.begin(EXPORT, f"dt=1/inner/{EXPORT}")
    assert refused.value.where == f"{tmp_path}/dt=1"
    assert files_of(tmp_path) == {"dt=1": b"a file"}


@pytest.mark.parametrize("is_link", [False, True])
def test_a_commit_does_not_begin_where_a_folder_has_got_files(is_link: bool, tmp_path: Path) -> None:
    make(tmp_path, PENDING, None)
    if is_link:
        (tmp_path / "csv").mkdir()
        os.symlink(tmp_path, tmp_path / FOLDERS[0])
    else:
        make(tmp_path, {f"{FOLDERS[0]}/mine": b"mine"}, None)
    with hold_lease(str(tmp_path), recover=False) as lease:
        assert isinstance(lease, LocalLease)
        with pytest.raises(StorageError, match="was put there"):
            lease.begin_commit(Intent(EXPORT, RUN, FOLDERS, "{new}", PARTS, ()))
    assert not (tmp_path / INTENT).exists()


def test_a_commit_begins_where_the_folder_is_empty_or_replaced(tmp_path: Path) -> None:
    make(tmp_path, {**PENDING, f"{FOLDERS[0]}/9.csv": b"before"}, None)
    (tmp_path / FOLDERS[1]).mkdir(parents=True)
    with hold_lease(str(tmp_path), recover=False) as lease:
        assert isinstance(lease, LocalLease)
        assert not lease.has_intent()
        lease.begin_commit(AN_INTENT)
        assert lease.has_intent()
        lease.carry_out(AN_INTENT)
        assert not lease.has_intent()
        assert lease.record_file is not None
        assert lease.record_file.size == 5
    assert files_of(tmp_path) == DONE


def test_a_folder_without_parts_is_not_published(tmp_path: Path) -> None:
    make(tmp_path, dict([*PENDING.items()][:1]), Intent(EXPORT, RUN, FOLDERS, "{new}", PARTS[:1], ()))
    (tmp_path / HIDDEN / "parts-1").mkdir(parents=True)
    assert len(next_run(tmp_path)) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["_exports", "csv"]


def test_folders_that_a_removal_leaves_empty_are_removed_and_others_stay(tmp_path: Path) -> None:
    old = {f"y=1/m=1/{OLD}/0.csv": b"old", f"y=2/m=1/{OLD}/0.csv": b"old", "y=2/mine": b"mine"}
    remove = tuple(Removal(OLD, f"{folder}/{OLD}") for folder in ("y=1/m=1", "y=2/m=1"))
    remove += (Removal("an-export-without-parts", ""),)
    make(tmp_path, {**old, **dict([*PENDING.items()][:1])}, Intent(EXPORT, RUN, FOLDERS[:1], "{}", PARTS[:1], remove))
    next_run(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["_exports", "csv", "y=2"]
    assert [path.name for path in (tmp_path / "y=2").iterdir()] == ["mine"]


def test_a_small_file_appears_at_once_and_leaves_no_draft(tmp_path: Path) -> None:
    with hold_lease(str(tmp_path), recover=True) as lease:
        lease.write("_exports/index", b"one")
        lease.write("_exports/index", b"another")
        assert {path: content for path, content in files_of(tmp_path).items() if path != "_exports/lease"} == {
            "_exports/index": b"another"
        }
    make(tmp_path, {"_exports/taken/file": b""}, None)
    with hold_lease(str(tmp_path), recover=True) as lease:
        with pytest.raises(StorageError) as refused:
            lease.write("_exports/taken", b"one")
        assert refused.value.where == f"{tmp_path}/_exports/taken"
    assert not [path for path in files_of(tmp_path) if ".run-" in path]
