"""System calls of a command, as strace reports them: what it creates or opens for writing, loads, and starts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.command import REPOSITORY, TIMEOUT_SECONDS, environment

_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\)\s+= ")
# `AT_FDCWD</where/it/is>, "name"`, or just `"name"`.
_PATH = re.compile(r'(?:\w+<(?P<folder>[^>]*)>, )?"(?P<name>(?:[^"\\]|\\.)*)"')
_READING = {"access", "chdir", "execve", "faccessat", "faccessat2", "getcwd", "lstat", "newfstatat", "readlink"}
_READING |= {"readlinkat", "stat", "statfs", "statx"}
_OPENING = {"open", "openat", "openat2"}
_FORKING = {"fork", "vfork", "clone", "clone3"}


@dataclass(frozen=True, slots=True)
class Trace:
    """A command's exit code and messages; the paths it changed or tried to, those it only read, and its processes."""

    code: int
    stderr: str
    changed: frozenset[Path]
    read: frozenset[Path]
    forks: int
    programs: int


def trace_command(*arguments: str, cwd: Path, home: Path | None, **variables: str) -> Trace:
    """Run `ddb-convert ARGUMENTS` under strace; home: None for no HOME. Skip the test if strace can't run."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    env = environment(**variables)
    env = {name: value for name, value in env.items() if name != "HOME" and not name.startswith("XDG_")}
    # A checkout has no bytecode beside its modules before the first run, unlike an installed package.
    env |= {"PYTHONDONTWRITEBYTECODE": "1", **({} if home is None else {"HOME": str(home)})}
    folder = cwd / "trace"
    folder.mkdir()
    # A file for each thread: the lines of one file can be interrupted by those of another thread.
    options = ["-ff", "-qq", "--seccomp-bpf", "--decode-fds=path", "--signal=none", "--string-limit=4096"]
    command = [strace, *options, "--trace=%file,%process", f"--output={folder / 'of'}"]
    done = subprocess.run(
        [*command, sys.executable, str(REPOSITORY / "cli.py"), *arguments],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    if "ptrace" in done.stderr and not any(folder.iterdir()):
        pytest.skip(f"strace can't trace here: {done.stderr.strip()}")
    lines = [line for path in folder.iterdir() for line in path.read_text("utf-8", "replace").splitlines()]
    shutil.rmtree(folder)
    return read_trace(lines, cwd, done.returncode, done.stderr)


def read_trace(lines: Iterable[str], cwd: Path, code: int, stderr: str) -> Trace:
    """Return what the lines of a trace say. cwd: where its processes began."""
    changed: set[Path] = set()
    read: set[Path] = set()
    forks = programs = 0
    for name, arguments in _calls(lines):
        if name in _FORKING:
            forks += "CLONE_THREAD" not in arguments
        programs += name == "execve"
        reads = name in _READING or (name in _OPENING and "O_RDONLY" in arguments and "O_CREAT" not in arguments)
        (read if reads else changed).update(_paths(arguments, cwd))
    return Trace(code, stderr, frozenset(changed), frozenset(read), forks, programs)


def _calls(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if call := _CALL.match(line):
            yield call["name"], call["arguments"]


def _paths(arguments: str, cwd: Path) -> Iterator[Path]:
    for found in _PATH.finditer(arguments):
        yield Path(os.path.normpath(cwd / (found["folder"] or "") / found["name"]))


def names_on(paths: Iterable[Path]) -> set[str]:
    """Return the names of files and folders on these paths, without what follows a dot."""
    return {part.partition(".")[0] for path in paths for part in path.parts}
