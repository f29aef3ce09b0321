"""Runs what a page of the documentation shows: commands in `console` blocks, and programs in `python` blocks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.cli.command import REPOSITORY, environment

BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
"""A block of a page: its language and its text."""


def prepare_folder(folder: Path) -> dict[str, str]:
    """Make the folder look like a checkout in which the command is installed; gives the environment for it."""
    (folder / "fixtures").symlink_to(REPOSITORY / "fixtures")
    # Not every test environment has the command on its path.
    command = folder / "bin" / "ddb-convert"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{REPOSITORY}/cli.py" "$@"\n')
    command.chmod(0o755)
    return environment(PATH=f"{command.parent}:/usr/bin:/bin")


def run_page(page: str, folder: Path, env: dict[str, str]) -> int:
    """Run the page's commands and programs in their order, and compare their output with the page's; gives how many."""
    seen = 0
    for language, block in BLOCK.findall(page):
        if language == "console":
            for line, shown in re.findall(r"^ *\$ (.*)\n((?:(?! *\$ ).*\n)*)", block, re.MULTILINE):
                done = subprocess.run(
                    line, shell=True, cwd=folder, env=env, capture_output=True, text=True, check=False
                )
                assert done.returncode == 0, f"{line}\n{done.stderr}"
                assert not shown or done.stdout == shown, line
                seen += 1
        elif language == "python":
            done = subprocess.run(
                [sys.executable, "-c", block], cwd=folder, env=env, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{block}\n{done.stderr}"
            assert done.stdout
            seen += 1
    return seen
