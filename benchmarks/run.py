"""Measures the program beside its peers: `python -m benchmarks.run [speed|memory]`, or `make bench`.

`speed` times one conversion of one export by each contender, `memory` takes our peak at one and at four times the size.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.contenders import OURS, PEERS, Contender
from benchmarks.data import WORK, DataParameters, prepare_export
from benchmarks.datasets import DATASETS
from benchmarks.machine import describe_machine, describe_versions
from benchmarks.measure import BenchmarkError, Job, measure
from benchmarks.results import Result, Sized, keep_result, render
from benchmarks.verify import check_outputs

FORMATS = ("parquet", "csv")
SIZES = {"speed": (1,), "memory": (1, 4)}
QUICK_BYTES = 1_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for, print the tables and keep them in RESULTS.md (not with --quick or --only)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=main.__doc__)
    parser.add_argument("measure", choices=SIZES, nargs="?", default="speed")
    parser.add_argument("--dataset", choices=PEERS, default="flat")
    parser.add_argument("--format", choices=FORMATS, action="append", help="again for both; both by default")
    parser.add_argument("--json-bytes", type=float, default=2e9, help="bytes of all lines before compression (2e9)")
    parser.add_argument("--files", type=int, default=8, help="data files (8)")
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds (5)")
    parser.add_argument("--workers", type=int, default=2, help="threads for each contender (2)")
    parser.add_argument("--only", action="append", metavar="NAME", help="leave out all other contenders")
    parser.add_argument("--quick", action="store_true", help="one round on little data, to see that it works")
    parser.add_argument("--work", type=Path, default=WORK, help="folder for data and outputs")
    options = parser.parse_args(arguments)
    if options.quick:
        options.json_bytes, options.rounds = QUICK_BYTES, 1
    try:
        for fmt in options.format or FORMATS:
            result = take_measure(options, fmt)
            print(render(result))
            if not (options.quick or options.only):
                keep_result(result)
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def take_measure(options: argparse.Namespace, fmt: str) -> Result:
    """Make the data unless it is there, and let the contenders run on it."""
    peers = PEERS[options.dataset] if options.measure == "speed" else ()
    contenders = choose_contenders((OURS, *peers), options.only)
    sizes = []
    for scale in SIZES[options.measure]:
        parameters = DataParameters(
            dataset=options.dataset, json_bytes=int(options.json_bytes) * scale, files=options.files
        )
        made = prepare_export(parameters, options.work, processes=1 if options.quick else 2)
        check = partial(check_outputs, options.dataset, fmt, made.items)
        job = Job(made.folder, fmt, options.workers)
        timings = measure(contenders, job, options.rounds, options.work / "out", check)
        sizes.append(
            Sized(
                json_bytes=made.json_bytes,
                gzip_bytes=made.gzip_bytes,
                items=made.items,
                files=made.files,
                timings=tuple(timings),
            )
        )
    return Result(
        measure=options.measure,
        dataset=options.dataset,
        about=DATASETS[options.dataset].about,
        fmt=fmt,
        workers=options.workers,
        machine=describe_machine(),
        versions=describe_versions(package for contender in contenders for package in contender.packages),
        baseline=next((peer.name for peer in peers if peer in contenders), None),
        sizes=tuple(sizes),
    )


def choose_contenders(contenders: Sequence[Contender], only: Sequence[str] | None) -> list[Contender]:
    """The contenders with these names, or all. Raises BenchmarkError for a name that no contender has."""
    known = [contender.name for contender in contenders]
    for name in only or ():
        if name not in known:
            raise BenchmarkError(f"no contender is called {name!r}; there are {', '.join(known)}")
    return [contender for contender in contenders if not only or contender.name in only]


if __name__ == "__main__":
    sys.exit(main())
