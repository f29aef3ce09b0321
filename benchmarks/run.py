"""Measures the program beside its peers: `python -m benchmarks.run [MEASURE]`, or `make bench` for all of it.

All measures together take about two and a half hours on two cores, two thirds of it for `speed`, and 20 GB of disk
below `benchmarks/work`, where the exports stay for the next time. `--quick` runs everything on next to no data in a
few minutes and keeps nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks import install, state
from benchmarks.contenders import ANSWER, PEERS
from benchmarks.data import WORK, prepare_export
from benchmarks.machine import describe_machine, describe_versions
from benchmarks.measure import BenchmarkError, Case, measure
from benchmarks.measures import MEASURES, SCALING, START, TINY_FILES, Plan, Setting, check_names
from benchmarks.report import write_report
from benchmarks.results import Result, keep_result
from benchmarks.tables import render
from benchmarks.verify import check_outputs

FORMATS = ("parquet", "csv")
BOTH_FORMATS = ("speed", "data-sets", "startup")
STATE = "state"
INSTALL = "install"
QUICK_BYTES = 1_000_000
QUICK_TINY_FILES = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for, print the tables and keep them in RESULTS.md (not with --quick or --only)."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run", description=main.__doc__, epilog="; ".join(_about_measures())
    )
    parser.add_argument("measure", choices=("all", "scaling", STATE, INSTALL, *MEASURES), nargs="?", default="all")
    parser.add_argument("--dataset", choices=PEERS, action="append", help="may be repeated; speed: all, others: flat")
    parser.add_argument("--format", choices=FORMATS, action="append", help=f"both for {', '.join(BOTH_FORMATS)}")
    parser.add_argument("--json-bytes", type=float, default=2e9, help="bytes of all lines before compression (2e9)")
    parser.add_argument("--files", type=int, default=8, help="data files (8)")
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds (5)")
    parser.add_argument("--workers", type=int, default=2, help="threads for each contender (2)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="leave out all other contenders")
    parser.add_argument("--quick", action="store_true", help="one round on little data, to see that it works")
    parser.add_argument("--work", type=Path, default=WORK, help="folder for data and outputs")
    options = parser.parse_args(arguments)
    if options.measure == STATE:
        return state.main(["--records", "100"] if options.quick else [])
    if options.measure == INSTALL:
        return install.main(["--rounds", str(1 if options.quick else options.rounds)])
    if options.quick:
        options.json_bytes, options.rounds = QUICK_BYTES, 1
    failed = False
    try:
        check_names(options.only)
    except BenchmarkError as error:
        parser.error(str(error))
    for plan in make_plans(options):
        try:
            result = take(plan, options)
        except BenchmarkError as error:
            # Hours of other measures don't depend on this one.
            print(f"{plan.measure}: {plan.dataset} to {plan.fmt}: {error}", file=sys.stderr)
            failed = True
            continue
        print(render(result), flush=True)
        if not (options.quick or options.only):
            keep_result(result)
            write_report()
    return int(failed)


def make_plans(options: argparse.Namespace) -> Iterator[Plan]:
    """The plans that are asked for, one after the other: making one makes its exports."""
    setting = Setting(
        make=partial(prepare_export, work=options.work, processes=1 if options.quick else 2),
        json_bytes=int(options.json_bytes),
        files=options.files,
        tiny_files=QUICK_TINY_FILES if options.quick else TINY_FILES,
        workers=options.workers,
        only=options.only,
    )
    for name in {"all": tuple(MEASURES), "scaling": SCALING}.get(options.measure, (options.measure,)):
        for dataset in options.dataset or (PEERS if name == "speed" else ("flat",)):
            for fmt in options.format or (FORMATS if name in BOTH_FORMATS else FORMATS[:1]):
                if not (options.quick or options.only):
                    print(f"{name}: {dataset} to {fmt} …", file=sys.stderr)
                plan = MEASURES[name](setting, dataset, fmt)
                if any(plan.groups):
                    yield plan
                else:
                    print(f"{name}: nothing is measured of {dataset}", file=sys.stderr)


def take(plan: Plan, options: argparse.Namespace) -> Result:
    """Run the groups of a plan."""
    timings = []
    for group in plan.groups:
        check = partial(_check, group)
        timings += measure(group, options.rounds, options.work / "out", check, warm=not options.quick)
    packages = (package for group in plan.groups for case in group for package in case.contender.packages)
    return Result(
        measure=plan.measure,
        dataset=plan.dataset,
        about=plan.about,
        fmt=plan.fmt,
        machine=describe_machine(),
        versions=describe_versions(packages),
        baseline=plan.baseline,
        left_out=dict(plan.left_out),
        timings=tuple(timings),
    )


def _check(cases: Sequence[Case], outs: Sequence[Path]) -> None:
    """Raise BenchmarkError unless all outputs of one export agree, and all answers of queries."""
    by_export: dict[Path, dict[str, Path]] = {}
    sizes = {case.export.folder: case.export.size for case in cases}
    for case, out in zip(cases, outs, strict=True):
        # With few items, an attribute that none of them has is not a column in the output.
        if case.contender.columns and case.part != START:
            by_export.setdefault(case.export.folder, {})[case.name] = out
    answers = {path.read_bytes() for out in outs if (path := out / ANSWER).exists()}
    if len(answers) > 1:
        raise BenchmarkError("the queries have different answers")
    for folder, found in by_export.items():
        check_outputs(sizes[folder].dataset, cases[0].fmt, sizes[folder].items, found)


def _about_measures() -> Iterator[str]:
    """The measures' names with what they are about, from the module that plans them."""
    doc = sys.modules[Plan.__module__].__doc__ or ""
    for line in doc.splitlines():
        name, _, about = line.strip().partition(" ")
        if name in MEASURES:
            yield f"{name}: {about.strip()}"


if __name__ == "__main__":
    sys.exit(main())
