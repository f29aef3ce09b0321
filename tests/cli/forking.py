"""The command in processes that are forked from one which has imported everything: each starts a second earlier.

`python -m tests.cli.forking` is that process: for each line of JSON on stdin it forks, and the child becomes the
command in every respect that a user could tell: arguments, folder, environment, streams, exit.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

from tests.cli.command import REPOSITORY, environment

_LONGEST_SECONDS = 100


class ForkedCommands:
    """Runs command lines; `close` ends it."""

    def __init__(self, folder: Path) -> None:
        self._streams = [folder / "stdout", folder / "stderr"]
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
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        asked = {"arguments": arguments, "cwd": str(cwd), "env": env, "streams": [str(path) for path in self._streams]}
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        code = int(self._server.stdout.readline())
        out, err = (path.read_text(encoding="utf-8") for path in self._streams)
        return subprocess.CompletedProcess(arguments, code, out, err)

    def close(self) -> None:
        """End the process that forks."""
        self._server.communicate()


def _serve() -> None:
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

    signal.alarm(_LONGEST_SECONDS)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in enumerate(asked["streams"], 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(str(asked["cwd"]))
    os.environ.update(asked["env"])
    sys.argv = ["ddb-convert", *asked["arguments"]]
    app()


if __name__ == "__main__":
    _serve()
