"""Leftovers on a local file system: hidden folders of runs, the file of a lease, and a commit that has begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.errors import StorageError
from converter.storage.contained_files import ContainedFiles
from converter.storage.intent import Intent, PendingPart
from converter.storage.local_leftovers import LEASE, dead_runs, find_leftovers, read_intent
from converter.storage.local_lock import hold_lock
from converter.storage.paths import INTENT

EXPORT = "01701065507109-cce6a3f8"
RUN = f".run-{EXPORT}-0a1b2c3d"
PART = PendingPart("0.parquet", 3, "ab" * 32, "0.parquet.pending")


@pytest.fixture
def files(tmp_path: Path) -> ContainedFiles:
    (tmp_path / "_exports").mkdir()
    return ContainedFiles(str(tmp_path))


def write_intent(tmp_path: Path, run: str = RUN, part: PendingPart = PART) -> None:
    (tmp_path / INTENT).write_bytes(Intent(EXPORT, run, (f"dt=1/{EXPORT}",), "{}", (part,), ()).to_json())


def test_nothing_is_left_where_nothing_is(tmp_path: Path) -> None:
    files = ContainedFiles(str(tmp_path / "missing"))
    assert (find_leftovers(files), dead_runs(files), read_intent(files)) == ([], [], None)


def test_folders_belong_to_dead_runs_or_to_the_commit(tmp_path: Path, files: ContainedFiles) -> None:
    other = f".run-{EXPORT}-ffffffff"
    for name in (RUN, other, "not-a-run"):
        (tmp_path / "_exports" / name).mkdir()
    assert [(left.path, left.state) for left in find_leftovers(files)] == [
        (f"_exports/{RUN}", "dead"),
        (f"_exports/{other}", "dead"),
    ]
    write_intent(tmp_path)
    assert [(left.kind, left.path, left.state, left.detail) for left in find_leftovers(files)] == [
        ("commit", INTENT, "begun", f"export {EXPORT}, 1 part"),
        ("folder", f"_exports/{RUN}", "begun", ""),
        ("folder", f"_exports/{other}", "dead", ""),
    ]


def test_a_lease_is_live_while_it_is_locked(tmp_path: Path, files: ContainedFiles) -> None:
    with hold_lock(files, LEASE):
        [live] = find_leftovers(files)
        content = (tmp_path / LEASE).read_bytes()
    assert (live.kind, live.state) == ("lease", "live")
    assert live.detail.startswith("process ")
    (tmp_path / LEASE).write_bytes(content)
    [dead] = find_leftovers(files)
    assert (dead.kind, dead.state, dead.detail) == ("lease", "dead", live.detail)


def test_an_intent_of_another_kind_of_store_is_damaged(tmp_path: Path, files: ContainedFiles) -> None:
    write_intent(tmp_path, run=f"{EXPORT}-0a1b2c3d")
    with pytest.raises(StorageError, match="is not the hidden folder of a run"):
        read_intent(files)
    write_intent(tmp_path, part=PendingPart("0.parquet", 3, "ab" * 32, "../receipt"))
    with pytest.raises(StorageError, match="is not the name of a file"):
        find_leftovers(files)
