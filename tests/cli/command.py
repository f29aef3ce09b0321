"""Runs the command as a person would: a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = 120


def environment(**changes: str) -> dict[str, str]:
    """This process's environment without the command's own variables, with the repository importable."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DDB_CONVERT_")}
    return {**inherited, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "80", **changes}


def ddb_convert(
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None, forked: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run `ddb-convert ARGUMENTS` to its end; `env` adds variables.

    forked: in a process that begins with everything imported (tests/cli/forking.py), which saves most of a second;
    False for what happens before the command reads its arguments, and for runs at the same time.
    """
    if forked:
        from tests.cli.forking import forked_commands

        return forked_commands().run(*arguments, cwd=cwd or Path.cwd(), **(env or {}))
    return subprocess.run(
        [sys.executable, "-W", "error", str(REPOSITORY / "cli.py"), *arguments],
        cwd=cwd,
        env=environment(**(env or {})),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def python(code: str, *arguments: str) -> list[str]:
    """A command line that runs a little program with the repository importable."""
    return [sys.executable, "-W", "error", "-c", code, *arguments]
