"""Runs contenders in alternating rounds, each in a process of its own, and takes time, CPU and peak memory.

A child's peak, as the kernel tells it, is never below what its parent holds when it starts it: what is imported here
and in `run` stays far smaller than any contender, and DuckDB checks outputs in a process of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.contenders import ROOT, Contender

STDERR_SHOWN = 4000


class BenchmarkError(Exception):
    """A contender failed, or its output isn't what the others' is: no figure can be had from it."""


@dataclass(frozen=True, slots=True)
class Job:
    """What all contenders are given."""

    source: Path
    fmt: str
    workers: int


@dataclass(frozen=True, slots=True)
class Run:
    """One process: wall seconds, user and system seconds, peak resident bytes."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Timing:
    """All counted runs of one contender, and the bytes that it wrote."""

    contender: str
    runs: tuple[Run, ...]
    out_bytes: int

    @property
    def seconds(self) -> float:
        """Median wall time."""
        return median(run.seconds for run in self.runs)

    @property
    def cpu_seconds(self) -> float:
        """Median user and system time."""
        return median(run.cpu_seconds for run in self.runs)

    @property
    def peak_bytes(self) -> int:
        """The highest peak of all runs."""
        return max(run.peak_bytes for run in self.runs)


def measure(
    contenders: Sequence[Contender],
    job: Job,
    rounds: int,
    scratch: Path,
    check: Callable[[dict[str, Path]], None],
) -> list[Timing]:
    """Time the contenders in turn, A B A B.

    A round that isn't counted comes first: it fills the page cache and the cache of compiled kernels. Each run has
    a new folder for its output; the last round's outputs are kept until `check` has seen them (by contender) and
    raised if they differ.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    runs: dict[str, list[Run]] = {contender.name: [] for contender in contenders}
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        outs = {contender.name: Path(folder) / f"out-{i}" for i, contender in enumerate(contenders)}
        for number in range(rounds + 1):
            for contender in contenders:
                out = outs[contender.name]
                shutil.rmtree(out, ignore_errors=True)
                # Otherwise it would pay for writing back what the run before it left in the page cache.
                os.sync()
                run = run_once(contender, job, out)
                if number:
                    runs[contender.name].append(run)
        check(outs)
        return [Timing(name, tuple(runs[name]), _folder_bytes(outs[name])) for name in runs]


def run_once(contender: Contender, job: Job, out: Path) -> Run:
    """One process from start to end. Raises BenchmarkError with its last words if it fails."""
    command = contender.command(source=job.source.resolve(), out=out.resolve(), fmt=job.fmt, workers=job.workers)
    with tempfile.TemporaryFile() as messages:
        began = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **contender.env}, stdout=subprocess.DEVNULL, stderr=messages
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            messages.seek(0)
            said = messages.read().decode(errors="replace")[-STDERR_SHOWN:]
            raise BenchmarkError(f"{contender.name} ended with {child.returncode}:\n{said}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def _folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
