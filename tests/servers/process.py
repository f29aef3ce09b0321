"""A server's process: started when a test first asks, on the loopback interface alone, and ended with the tests."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
SECONDS_TO_START = 30
SECONDS_TO_END = 10
SECONDS_TO_CONNECT = 10

PORTS = Path("/tmp", f"ddb-convert-test-ports-{os.getuid()}")
"""A file for each port that was given away, locked by the process that has it; for all runs, whatever their TMPDIR."""
_held: list[IO[str]] = []

# Runs the server in its own place. On Linux the kernel ends it with the tests, even when they are killed.
LAUNCH = """
import os, sys
if sys.platform == "linux":
    import ctypes, signal
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    if os.getppid() != int(sys.argv[1]):
        sys.exit("the tests have ended")
os.execv(sys.argv[2], sys.argv[2:])
"""


class ServerError(Exception):
    """A server did not start; the message has the end of what it wrote."""


def installation(name: str) -> Path:
    """The environment that `make servers` has made for a server, or the test is skipped; on CI it fails instead."""
    folder = REPOSITORY / ".servers" / name
    if not (folder / ".installed").exists():
        reason = f"{name} is not installed in .servers/{name}: run `make servers`"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


def free_port() -> int:
    """A port that nothing uses, outside the range from which outgoing connections get theirs.

    No other process of these tests is given it as long as this one lives: a server takes a while to listen there.
    """
    PORTS.mkdir(exist_ok=True)
    while True:
        # Other processes have the same random seed.
        port = random.SystemRandom().randrange(10_000, 32_000)
        lock = (PORTS / str(port)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as listener:
                listener.bind((LOOPBACK, port))
        except OSError:
            lock.close()
        else:
            _held.append(lock)
            return port


def connecting(connect: Callable[[], None]) -> None:
    """Connect to a server, which may be too busy to take the connection at once."""
    deadline = time.monotonic() + SECONDS_TO_CONNECT
    while True:
        try:
            connect()
        except (ConnectionRefusedError, ConnectionResetError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def accepts(port: int) -> bool:
    """Whether something listens on the port."""
    with socket.socket() as connection:
        return connection.connect_ex((LOOPBACK, port)) == 0


@contextmanager
def running(
    command: Sequence[str | Path], folder: Path, is_ready: Callable[[], bool], environment: Mapping[str, str]
) -> Iterator[int]:
    """The process id of a command that runs in the folder, from when it is ready; it gets this environment alone.

    What it writes is in the folder's `output`. Raises ServerError when it ends or is not ready after 30 seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / "output"
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", LAUNCH, str(os.getpid()), *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
        )
    try:
        _wait(process, is_ready, output)
        yield process.pid
    finally:
        _end(process)


def _wait(process: subprocess.Popen[bytes], is_ready: Callable[[], bool], output: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            said = output.read_text("utf-8", "replace")[-2000:]
            raise ServerError(f"a server did not start (exit code {process.poll()}): {process.args!r}\n{said}")
        time.sleep(0.02)
    if process.poll() is not None:
        raise ServerError(f"another server has taken the port of {process.args!r}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the process, then SIGKILL to all of its session: they are ours alone."""
    process.terminate()
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
