"""Measures how long a worker holds the interpreter's lock: `python -m benchmarks.interpreter_lock [DATASET]`.

Converts an export with one worker, with a library in front of Python's that sees each release of the lock, and the CPU
time of the thread between them. Needs a C compiler, and a Python with a shared library. Python releases the lock for
files in a way that can't be seen; so the library sees the calls that read and write them instead.

The speed-up with more workers is derived from the share, without start-up and commit. It is not measured. Amdahl's law
assumes that all workers wait while one of them holds the lock. In a queue, only those wait that need it too (mean value
analysis of a closed network).
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.contenders import DDB_CONVERT, ROOT, Job
from benchmarks.data import WORK, DataParameters, prepare_export
from benchmarks.datasets import DATASETS

_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static void *(*save)(void);
static void (*restore)(void *);
static pthread_key_t key;
static __thread double held, taken;
static __thread long releases;
static __thread int released;

static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static void report(void *unused) {
    double now = cpu_seconds();
    fprintf(stderr, "LOCK %.6f %.6f %ld\n", held + now - taken, now, releases);
}

__attribute__((constructor)) static void begin(void) {
    save = dlsym(RTLD_NEXT, "PyEval_SaveThread");
    restore = dlsym(RTLD_NEXT, "PyEval_RestoreThread");
    pthread_key_create(&key, report);
}

void *PyEval_SaveThread(void) {
    if (!releases++) pthread_setspecific(key, &held);
    held += cpu_seconds() - taken;
    released = 1;
    return save();
}

void PyEval_RestoreThread(void *state) {
    restore(state);
    released = 0;
    taken = cpu_seconds();
}

#define FILES(call, parameters, arguments) \
    ssize_t call parameters { \
        static ssize_t (*next) parameters; \
        if (!next) next = dlsym(RTLD_NEXT, #call); \
        double start = cpu_seconds(); \
        ssize_t done = next arguments; \
        if (!released) held -= cpu_seconds() - start; \
        return done; \
    }

FILES(read, (int file, void *to, size_t size), (file, to, size))
FILES(write, (int file, const void *from, size_t size), (file, from, size))
FILES(readv, (int file, const struct iovec *to, int count), (file, to, count))
"""

_WORKERS = (2, 4, 8, 16)


def measure_lock(source: Path, scratch: Path, rounds: int) -> list[tuple[float, float, int]]:
    """Return for each round the seconds that the worker held the lock, its CPU seconds, and its releases of it."""
    code, library = scratch / "lock.c", scratch / "lock.so"
    code.write_text(_SOURCE)
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, code, "-ldl", "-lpthread"], check=True)
    found = []
    for number in range(rounds):
        command = Job(source, "parquet", 1).fill(DDB_CONVERT.argv, scratch / f"out-{number}")
        env = {**os.environ, "LD_PRELOAD": str(library)}
        run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
        threads = [
            (float(held), float(cpu), int(releases))
            for held, cpu, releases in re.findall(r"^LOCK (\S+) (\S+) (\d+)$", run.stderr, re.MULTILINE)
        ]
        if not threads:
            sys.exit("the releases of the lock can't be seen: use a Python with a shared library")
        found.append(max(threads, key=lambda thread: thread[1]))
    return found


def queued_speed_up(share: float, workers: int) -> float:
    """The speed-up if workers queue for the lock, which each needs for this share of its time."""
    rate = queued = 0.0
    for number in range(1, workers + 1):
        at_lock = share * (1 + queued)
        rate = number / (1 - share + at_lock)
        queued = rate * at_lock
    return rate


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the share, and the speed-up that follows from it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.interpreter_lock", description=main.__doc__)
    parser.add_argument("dataset", choices=DATASETS, nargs="?", default="flat")
    parser.add_argument("--json-bytes", type=float, default=1.6e9, help="bytes of all lines before compression (1.6e9)")
    parser.add_argument("--files", type=int, default=16, help="data files (16)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", type=Path, default=WORK, help="folder for data and outputs")
    options = parser.parse_args(arguments)
    parameters = DataParameters(dataset=options.dataset, json_bytes=int(options.json_bytes), files=options.files)
    export = prepare_export(parameters, options.work)
    with tempfile.TemporaryDirectory(dir=options.work) as scratch:
        rounds = measure_lock(export.folder, Path(scratch), options.rounds)
    share = median(held / cpu for held, cpu, _ in rounds)
    print(f"{options.dataset}, {export.size.json_bytes / 1e6:,.0f} MB, one worker: it holds the lock for")
    print(f"{100 * share:.1f}% of its {median(cpu for _, cpu, _ in rounds):.2f} CPU s, and releases it", end=" ")
    print(f"{rounds[0][2]:,} times")
    for workers in _WORKERS:
        amdahl = 1 / (share + (1 - share) / workers)
        queued = queued_speed_up(share, workers)
        print(f"{workers:>3} workers, derived: {amdahl:.1f} by Amdahl, {queued:.1f} by a queue")


if __name__ == "__main__":
    main()
