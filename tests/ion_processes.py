"""Finds the processes that read Ion, as the system knows them."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

_NAME = b"converter.ion.worker"


def ion_processes(parent: int | None = None, name: bytes = _NAME) -> list[int]:
    """Those of the parent (this process) that live. name: in their command lines."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("this system has no /proc")
    found = []
    for folder in Path("/proc").iterdir():
        # Processes come and go meanwhile; those that have ended and wait to be noticed have no command line.
        with suppress(OSError):
            if (
                folder.name.isdecimal()
                and name in (folder / "cmdline").read_bytes()
                and int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == (parent or os.getpid())
            ):
                found.append(int(folder.name))
    return sorted(found)


def wait_until_gone(process: int, seconds: float = 20) -> None:
    """Return when the process is gone; fail where it stays."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if not (Path("/proc") / str(process) / "cmdline").read_bytes():
                return
        except OSError:
            return
        time.sleep(0.02)
    raise AssertionError(f"process {process} lives on")
