"""Runs cases in alternating rounds, each run in a process of its own, and takes time, CPU and peak memory.

A child's peak, as the kernel tells it, is never below what its parent holds when it starts it: what is imported here
and in `run` stays far smaller than any contender. DuckDB checks outputs, and matplotlib draws, in processes of their
own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import IO

from benchmarks.contenders import ROOT, Contender, Job
from benchmarks.data import ExportSize, MadeExport
from benchmarks.stores import FOLDERS, Store, open_stores

STDERR_SHOWN = 4000


class BenchmarkError(Exception):
    """A contender failed, or its output differs from that of the others, so it can't be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of a table: a contender and what it is given.

    name: what the row is called. part: its table, if the measure has several. store:
    where the export is read and the output written.
    """

    name: str
    contender: Contender
    export: MadeExport
    fmt: str
    workers: int
    part: str = ""
    store: str = FOLDERS


@dataclass(frozen=True, slots=True)
class Run:
    """One process and those it waited for: wall seconds, user and system seconds, peak bytes of the largest."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """All counted runs of one case, and the bytes that it wrote."""

    name: str
    part: str
    workers: int
    size: ExportSize
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
    cases: Sequence[Case],
    rounds: int,
    scratch: Path,
    check: Callable[[list[Path]], None],
    *,
    warm: bool = True,
) -> list[Timing]:
    """Time the cases in turn, A B A B.

    If warm, a round that isn't counted comes first: it fills the page cache and the cache of compiled kernels. Each
    run has a new folder for its output; the last round's outputs, in the order of the cases, are kept until `check`
    has seen them and raised if they differ.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    runs: list[list[Run]] = [[] for _ in cases]
    with (
        tempfile.TemporaryDirectory(dir=scratch) as folder,
        open_stores((case.store for case in cases), (case.export.folder for case in cases)) as stores,
    ):
        outs = [Path(folder) / f"out-{i}" for i in range(len(cases))]
        jobs = _prepare(cases, stores, Path(folder))
        for number in range(-1 if warm else 0, rounds):
            for case, job, out, counted in zip(cases, jobs, outs, runs, strict=True):
                shutil.rmtree(out, ignore_errors=True)
                # Otherwise it would pay for writing back what the run before it left in the page cache.
                os.sync()
                run = run_once(case.contender, job, out)
                if number >= 0:
                    counted.append(run)
        for job, out in zip(jobs, outs, strict=True):
            job.store.fetch(out)
        check(outs)
        return [
            Timing(
                name=case.name,
                part=case.part,
                workers=case.workers,
                size=case.export.size,
                runs=tuple(counted),
                out_bytes=_folder_bytes(out),
            )
            for case, counted, out in zip(cases, runs, outs, strict=True)
        ]


def run_once(contender: Contender, job: Job, out: Path) -> Run:
    """One process from start to end. Raises BenchmarkError with its last words if it fails."""
    command = job.fill(contender.argv, out)
    env = dict(zip(contender.env, job.fill(tuple(contender.env.values()), out), strict=True))
    env |= job.store.env
    with tempfile.TemporaryFile() as messages:
        began = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=messages
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise _failure_error(contender, child.returncode, messages)
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def _prepare(cases: Sequence[Case], stores: Mapping[str, Store], folder: Path) -> list[Job]:
    """Return the job of each case, after running the preparation of its contender."""
    jobs = []
    for i, case in enumerate(cases):
        job = Job(case.export.folder, case.fmt, case.workers, store=stores[case.store])
        if case.contender.prepare:
            job = replace(job, prepared=folder / f"prepared-{i}")
            with tempfile.TemporaryFile() as messages:
                command = job.fill(case.contender.prepare)
                child = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=messages, check=False)
                if child.returncode:
                    raise _failure_error(case.contender, child.returncode, messages)
        jobs.append(job)
    return jobs


def _failure_error(contender: Contender, code: int, messages: IO[bytes]) -> BenchmarkError:
    messages.seek(0)
    text = messages.read().decode(errors="replace")[-STDERR_SHOWN:]
    return BenchmarkError(f"{contender.name} ended with {code}:\n{text}")


def _folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
