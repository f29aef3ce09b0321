"""Runs what a page of the documentation shows: commands in `console` blocks, and programs in `python` blocks."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from converter.cli.commands import read_command
from tests.cli.command import REPOSITORY, environment
from tests.cli.forking import forked_commands

BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
"""A block of a page: its language and its text."""
_PLAIN = re.compile(r"[\w ./:=-]+")
RUN = ("console", "python")
NOT_CODE = ("text", "json", "yaml")
_UNMARKED = re.compile(r"(?<!-->)\n *```(?!(?:" + "|".join((*RUN, *NOT_CODE)) + r")$)(\w+)$", re.MULTILINE)


def prepare_folder(folder: Path) -> dict[str, str]:
    """Make the folder look like a checkout in which the command is installed, and return the environment for it."""
    (folder / "fixtures").symlink_to(REPOSITORY / "fixtures")
    # Not every test environment has the command on its path.
    command = folder / "bin" / "ddb-convert"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{REPOSITORY}/cli.py" "$@"\n')
    command.chmod(0o755)
    return environment(PATH=f"{command.parent}:/usr/bin:/bin")


def run_line(line: str, folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a line as a shell does; a plain `ddb-convert` starts faster, in a forked process."""
    command, *arguments = shlex.split(line)
    if command == "ddb-convert" and _PLAIN.fullmatch(line):
        return forked_commands().run(*arguments, cwd=folder)
    return subprocess.run(line, shell=True, cwd=folder, env=env, capture_output=True, text=True, check=False)


def run_page(page: str, folder: Path, env: dict[str, str]) -> int:
    """Run the page's commands and programs in their order, compare output that the page shows, and count them."""
    seen = 0
    for language, block in BLOCK.findall(page):
        if language == "console":
            for line, shown in re.findall(r"^ *\$ (.*)\n((?:(?! *\$ ).*\n)*)", block, re.MULTILINE):
                done = run_line(line, folder, env)
                assert done.returncode == 0, f"{line}\n{done.stderr}"
                assert not shown or done.stdout == shown, line
                seen += 1
        elif language == "python":
            done = forked_commands().run_program(block, folder)
            assert done.returncode == 0, f"{block}\n{done.stderr}"
            assert done.stdout
            seen += 1
    return seen


def unmarked_blocks(page: str) -> list[str]:
    """Return the languages of blocks that are not run and have no `<!-- not run: why -->` above them."""
    return _UNMARKED.findall("\n" + page)


def check_commands(page: str) -> int:
    """Parse each command of this program in `sh` blocks, and count them."""
    commands = list(_commands(page))
    for words in commands:
        assert read_command(words) is not None, words
    return len(commands)


def _commands(page: str) -> Iterator[list[str]]:
    for language, block in BLOCK.findall(page):
        if language == "sh":
            text = block.replace("\\\n", "")
            # A command inside of another one, or after `docker run …`, counts too.
            lines = re.findall(r"\$\((.*?)\)", text) + re.sub(r"\$\(.*?\)", "value", text).splitlines()
            for line in lines:
                found = re.match(r"(?: *|docker run .*)ddb-convert (.*)", line)
                if found:
                    yield shlex.split(found[1], comments=True)
