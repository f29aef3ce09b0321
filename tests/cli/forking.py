"""The command in processes that are forked from one which has imported everything: each starts a second earlier.

`python -m tests.cli.forking` is that process: for each line of JSON on stdin it forks, and the child becomes the
command in every respect that a user could tell: arguments, folder, environment, streams, exit. Instead of the command,
it can become a Python program.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, NoReturn

from tests.cli.command import REPOSITORY, TIMEOUT_SECONDS, environment


class ForkedCommands:
    """Runs command lines, one after the other; `close` ends it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="forked-commands-")
        self._streams = [Path(self._folder.name, name) for name in ("stdout", "stderr")]
        self._lock = Lock()
        self._server = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.cli.forking"],
            cwd=REPOSITORY,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
        """Run `ddb-convert ARGUMENTS` to its end."""
        return self._run(arguments, "", cwd, env, 0)

    def run_into_full(self, *arguments: str, cwd: Path, stream: int) -> subprocess.CompletedProcess[str]:
        """Run `ddb-convert ARGUMENTS` with /dev/full as stream 1 or 2."""
        return self._run(arguments, "", cwd, {}, stream)

    def run_program(self, program: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run the text of a Python program to its end."""
        return self._run((), program, cwd, {}, 0)

    def _run(
        self, arguments: tuple[str, ...], program: str, cwd: Path, env: dict[str, str], full: int
    ) -> subprocess.CompletedProcess[str]:
        asked = {
            "arguments": arguments,
            "program": program,
            "cwd": str(cwd),
            "env": environment(**env),
            "streams": ["/dev/full" if number == full else str(path) for number, path in enumerate(self._streams, 1)],
        }
        with self._lock:
            assert self._server.stdin is not None
            assert self._server.stdout is not None
            self._server.stdin.write(json.dumps(asked) + "\n")
            self._server.stdin.flush()
            code = int(self._server.stdout.readline())
            out, err = (
                "" if number == full else path.read_text(encoding="utf-8")
                for number, path in enumerate(self._streams, 1)
            )
        return subprocess.CompletedProcess(arguments, code, out, err)

    def close(self) -> None:
        """End the process that forks."""
        self._server.communicate()
        self._folder.cleanup()


@cache
def forked_commands() -> ForkedCommands:
    """Those of this process, which end with it."""
    commands = ForkedCommands()
    atexit.register(commands.close)
    return commands


def _serve() -> None:
    import boto3  # noqa: F401 (for the children)

    from converter import api
    from converter.cli.commands import read_command

    # Loads what the command loads only when it needs it: the kernels, and what reads the command line.
    api.inspect(str(REPOSITORY / "fixtures" / "orders"))
    read_command(["convert", "a", "b"])
    while request := sys.stdin.readline():
        child = os.fork()
        if not child:
            _become_command(json.loads(request))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become_command(asked: dict[str, Any]) -> NoReturn:
    from converter.cli import app

    signal.alarm(TIMEOUT_SECONDS)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in enumerate(asked["streams"], 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    time.tzset()
    if asked["program"]:
        exec(asked["program"], {"__name__": "__main__"})
        sys.exit()
    sys.argv = ["ddb-convert", *asked["arguments"]]
    app()


if __name__ == "__main__":
    _serve()
