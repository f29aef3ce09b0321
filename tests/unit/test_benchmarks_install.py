"""The measure of installations, on an environment that is made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.install import Installed, measure_size, time_runs

# In place of `python -m converter convert SOURCE DEST --quiet`.
PROGRAM = """#!/bin/sh
touch "$0.compiled"
test -z "$HOME" || stat --format %a "$HOME"
"""


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An environment with one package, whose Python prints the permissions of HOME."""
    folder = tmp_path / "environment"
    python = folder / "bin" / "python"
    package = folder / "lib" / "python3.11" / "site-packages" / "one" / "deep" / "module.py"
    metadata = package.parents[2] / "one-1.0.dist-info" / "METADATA"
    for path, content in {python: PROGRAM, package: "1234", metadata: "12"}.items():
        path.parent.mkdir(parents=True)
        path.write_text(content)
    python.chmod(0o755)
    return folder


def test_packages_are_counted_and_the_bytes_of_all_their_files(environment: Path) -> None:
    assert measure_size(environment) == Installed(1, {"one": 4, "one-1.0.dist-info": 2})


@pytest.mark.parametrize(("home", "printed"), [("new", "755\n" * 3), ("read-only", "555\n" * 3), ("none", "")])
def test_runs_are_timed_in_a_copy_and_leave_the_environment_as_it_was(
    environment: Path, home: str, printed: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = sorted(environment.parent.rglob("*"))
    assert len(time_runs(environment, home, runs=3)) == 3
    assert capfd.readouterr().out == printed
    assert sorted(environment.parent.rglob("*")) == before
