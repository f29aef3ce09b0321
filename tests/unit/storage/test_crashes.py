"""A run that dies at any step of its commit: nothing is half-published, and the next run leaves all or nothing."""

from __future__ import annotations

import ast
import os
import posixpath
import subprocess
import sys
from pathlib import Path

import pytest

from converter.storage.local import LocalDestination
from converter.storage.paths import INTENT, record_path
from tests.unit.storage import dying_runs
from tests.unit.storage.dying_runs import SCENARIOS, files_around

REPOSITORY = Path(__file__).resolve().parents[3]


def die(base: Path, scenario: str, *more: str) -> int:
    """Folders in which a run has died, one for each step."""
    command = [sys.executable, "-m", dying_runs.__name__, str(base), scenario, *more]
    # Writing bytecode would count as a step.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, env=environment)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def all_files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if not path.is_dir()}


def check_remains(root: Path, before: dict[str, bytes], after: dict[str, bytes]) -> None:
    """What holds whenever a run dies."""
    files = all_files(root)
    records = {name: content for name, content in files.items() if name.endswith(".json") and name != INTENT}
    for name, content in records.items():
        for path, part in ast.literal_eval(content.decode()).items():
            assert files.get(path) == part, f"{root}: {name} exists without {path}"
    parts, old, new = ({n: c for n, c in these.items() if not n.startswith("_")} for these in (files, before, after))
    stays = {name: content for name, content in old.items() if new.get(name) == content}
    if INTENT not in files and records != {name: after[name] for name in after if name.endswith(".json")}:
        assert parts == old, f"{root}: something changed before the intent"
    changed = {name: content for name, content in parts.items() if name not in stays}
    folders = {posixpath.dirname(name) for name in changed}
    placed = {n: c for n, c in new.items() if n not in stays and posixpath.dirname(n) in folders}
    assert changed.items() <= old.items() or changed == placed, (
        f"{root}: readers see parts of both, or not all of a folder"
    )


def check_next_run(root: Path, before: dict[str, bytes], after: dict[str, bytes]) -> bool:
    """The next run finishes a commit that has begun and removes all other traces; was the commit done?"""
    begun = INTENT in all_files(root)
    with LocalDestination(str(root)).lease() as lease:
        assert len(lease.warnings) == begun
    files = all_files(root)
    assert files in (before, after), f"{root}: {sorted(files)}"
    if begun:
        assert files == after, f"{root}: the commit had begun, but was not finished"
    folders = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_dir()}
    parents = {parent.as_posix() for name in files for parent in Path(name).parents} - {"."}
    assert folders - parents <= {"_exports"}, f"{root}: empty folders are left"
    return files == after


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_a_run_that_dies_at_any_step_has_published_all_or_nothing(tmp_path: Path, scenario: str) -> None:
    steps = die(tmp_path, scenario)
    before, after = files_around(scenario)
    assert all_files(tmp_path / str(steps + 1)) == after, "the run that did not die"
    outcomes = []
    for step in range(1, steps + 1):
        root = tmp_path / str(step)
        check_remains(root, before, after)
        outcomes.append(check_next_run(root, before, after))
    # First runs that died too early, then those that did not: the intent is the turning point.
    assert outcomes == sorted(outcomes)
    assert outcomes.count(False) >= 5
    assert outcomes.count(True) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_a_run_that_dies_while_it_finishes_another_can_be_finished_too(tmp_path: Path, scenario: str) -> None:
    steps = die(tmp_path, scenario, "twice")
    before, after = files_around(scenario)
    twice = [root for root in tmp_path.iterdir() if "-" in root.name]
    assert len(twice) > 5 * steps
    for root in twice:
        check_remains(root, before, after)
        once = all_files(root.with_name(root.name.partition("-")[0]))
        record = record_path(dying_runs.X)
        assert once.get(record) != after[record] or (root / record).exists(), f"{root}: the new record went away again"
        check_next_run(root, before, after)
