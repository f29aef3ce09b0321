"""In a checkout, what the README and the docs have one write is seen neither by Git nor by the linters."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.command import REPOSITORY
from tests.cli.pages import BLOCK

PAGES = [REPOSITORY / "README.md", REPOSITORY / "README.ja.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
_WRITES_TO = ("--out", "--write-schema")


def written_names() -> set[str]:
    """Files and folders in the checkout that commands of the pages write."""
    names = set()
    for page in PAGES:
        for _, block in BLOCK.findall(page.read_text("utf-8")):
            for command in re.findall(r"ddb-convert (.*)", block.replace("\\\n", "")):
                words = shlex.split(command, comments=True)
                names |= {value for option, value in pairwise(words) if option in _WRITES_TO}
                names |= {word for word in words if re.fullmatch(r"out[\w-]*", word)}
    return {name for name in names if "/" not in name and name != "-"} | {"demo-output"}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the settings of the repository, and all of these names."""
    for name in (".gitignore", "pyproject.toml", "README.md"):
        shutil.copy(REPOSITORY / name, tmp_path / name)
    for name in written_names():
        if "." in name:
            (tmp_path / name).write_text("")
        else:
            (tmp_path / name).mkdir()
            (tmp_path / name / "program.py").write_text("import os,sys\nprint( 1 )\n")
    return tmp_path


def test_the_pages_write_what_this_test_is_about() -> None:
    assert {"out", "out-td", "programs", "stack.yaml"} <= written_names()


@pytest.mark.skipif(not shutil.which("git"), reason="there is no Git")
def test_git_does_not_see_it(checkout: Path) -> None:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=checkout, capture_output=True, text=True, check=True).stdout

    git("init", "--quiet")
    seen = git("status", "--porcelain", "--untracked-files=all").splitlines()
    assert sorted(seen) == ["?? .gitignore", "?? README.md", "?? pyproject.toml"]


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]])
def test_the_linter_does_not_see_it(command: list[str], checkout: Path) -> None:
    ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", "."]
    done = subprocess.run(ruff, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    # It does see what is not among these.
    (checkout / "mine.py").write_text("import os,sys\nprint( 1 )\n")
    assert subprocess.run(ruff, cwd=checkout, capture_output=True, check=False).returncode == 1


def test_the_type_checker_reads_folders_that_hold_only_code() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    assert set(settings["tool"]["mypy"]["files"]).isdisjoint(written_names())
