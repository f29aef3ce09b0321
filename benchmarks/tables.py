"""A result as a section of RESULTS.md: what was measured, and its table."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from benchmarks.contenders import DDB_CONVERT
from benchmarks.measure import Timing
from benchmarks.measures import FULL, SLOW, START
from benchmarks.results import Result

FORMAT_NAMES = {"parquet": "Parquet", "csv": "CSV"}
_TITLES = {
    "speed": "Speed: `{dataset}` to {format}",
    "memory": "Time and memory against size: `{dataset}` to {format}",
    "workers": "Two workers against one: `{dataset}` to {format}",
    "one-file": "One large data file: `{dataset}` to {format}",
    "ion": "Exports in ION: `{dataset}` to {format}",
    "tiny-files": "Tiny data files: `{dataset}` to {format}",
    "data-sets": "Data sets against `{dataset}`, to {format}",
    "formats": "Both formats in one pass: `{dataset}` to CSV and {format}",
    "encodings": "Encodings: every data set to {format}, compatible and compact",
    "query": "A query: `{dataset}` as {format} and as the export itself",
    "merge": "A merge: `{dataset}` in Parquet and an increment of a tenth, to {format}",
    "s3": "Both ends in S3: `{dataset}` to {format}",
    "startup": "Start-up: to {format}",
}


def render(result: Result) -> str:
    """One section of RESULTS.md."""
    title = _TITLES[result.measure].format(dataset=result.dataset, format=FORMAT_NAMES[result.fmt])
    rounds = len(result.timings[0].runs)
    workers = max(timing.workers for timing in result.timings)
    tables = {
        "speed": _speed,
        "memory": _memory,
        "startup": _startup,
        "formats": _formats,
        "encodings": _encodings,
        "query": _formats,
        "merge": _speed,
        "s3": _s3,
    }
    lines = [
        f"## {title}",
        "",
        f"- Data: {result.about}{_sizes(result)}",
        f"- Machine: {result.machine}; {workers} threads for each contender",
        f"- Versions: {result.versions}",
        f"- Rounds: {rounds}",
        *(f"- Left out: {name}, because {missing} isn't there" for name, missing in result.left_out.items()),
        "",
        *tables.get(result.measure, _relative)(result),
        "",
    ]
    return "\n".join(lines)


def _sizes(result: Result) -> str:
    """The export or two that most of the cases were run on; where there are more, the table tells."""
    sizes = list(dict.fromkeys(timing.size for timing in result.part(FULL)))
    if not sizes or len(sizes) > 2:
        return ""
    return "; " + "; ".join(
        f"{size.json_bytes / 1e6:,.0f} MB of JSON ({size.items:,} items) in {size.files:,} "
        f"{'files' if size.files > 1 else 'file'}, {size.gzip_bytes / 1e6:,.0f} MB as gzip level 6"
        for size in sizes
    )


def _speed(result: Result) -> list[str]:
    rows = _against_peers(result, result.part(FULL))
    slow = result.part(SLOW)
    if slow:
        rows += [
            *([""] if rows else []),
            f"The slow ones, on {slow[0].size.json_bytes / 1e6:,.0f} MB of the same data. There start-up is much of "
            "the time, so the last two columns leave it out:",
            "",
            *_without_startup(result, slow),
        ]
    return rows


def _against_peers(result: Result, timings: Sequence[Timing]) -> list[str]:
    if not timings:
        return []
    base = next((timing for timing in timings if timing.name == result.baseline), None)
    rows = [
        f"| | MB/s | ÷ {result.baseline or 'peer'} | seconds (lowest–highest) | CPU s | peak MB | output MB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    return rows + [
        f"| {timing.name} | {_rate(timing):,.0f} | {f'{base.seconds / timing.seconds:.2f}' if base else ''} "
        f"| {_seconds(timing)} | {timing.cpu_seconds:.2f} "
        f"| {timing.peak_bytes / 1e6:,.0f} | {timing.out_bytes / 1e6:,.0f} |"
        for timing in timings
    ]


def _without_startup(result: Result, timings: Sequence[Timing]) -> list[str]:
    """The cases on the smaller export, each beside its own start-up."""
    startups = {timing.name: timing.seconds for timing in result.part(START)}
    base = next((timing for timing in timings if timing.name == result.baseline), None)
    ratio = f"÷ {result.baseline}"
    rows = [
        f"| | MB/s | {ratio} | seconds (lowest–highest) | peak MB | start-up s | MB/s | {ratio} |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for timing in timings:
        working = _working(timing, startups[timing.name])
        ratios = ("", "")
        if base:
            ratios = (
                f"{base.seconds / timing.seconds:.2f}",
                f"{_working(base, startups[base.name]) / working:.2f}",
            )
        rows.append(
            f"| {timing.name} | {_rate(timing):,.0f} | {ratios[0]} | {_seconds(timing)} "
            f"| {timing.peak_bytes / 1e6:,.0f} | {startups[timing.name]:.2f} "
            f"| {timing.size.json_bytes / 1e6 / working:,.0f} | {ratios[1]} |"
        )
    return rows


def _memory(result: Result) -> list[str]:
    timings = result.part(FULL)
    smallest = {timing.name: timing for timing in reversed(timings)}
    rows = [
        "| JSON MB | contender | seconds | MB/s | ÷ smallest's | peak MB | ÷ smallest's |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    return rows + [
        f"| {timing.size.json_bytes / 1e6:,.0f} | {timing.name} | {timing.seconds:.2f} | {_rate(timing):,.0f} "
        f"| {_rate(timing) / _rate(smallest[timing.name]):.2f} | {timing.peak_bytes / 1e6:,.0f} "
        f"| {timing.peak_bytes / smallest[timing.name].peak_bytes:.2f} |"
        for timing in timings
    ]


def _relative(result: Result) -> list[str]:
    """Cases against the first of them, start-up taken off both."""
    timings = result.part(FULL)
    startups = [timing.seconds for timing in result.part(START)]
    # With one start-up for each case they have the same order, otherwise all cases have the same.
    own = startups if len(startups) == len(timings) else [median(startups)] * len(timings)
    rates = [timing.size.json_bytes / _working(timing, start) for timing, start in zip(timings, own, strict=True)]
    base = next(rate for timing, rate in zip(timings, rates, strict=True) if timing.name == result.baseline)
    rows = [
        f"| | JSON MB | files | seconds | start-up s | MB/s without it | ÷ {result.baseline} | CPU s | peak MB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    return rows + [
        f"| {timing.name} | {timing.size.json_bytes / 1e6:,.0f} | {timing.size.files:,} | {timing.seconds:.2f} "
        f"| {start:.2f} | {rate / 1e6:,.0f} | {rate / base:.2f} | {timing.cpu_seconds:.2f} "
        f"| {timing.peak_bytes / 1e6:,.0f} |"
        for timing, start, rate in zip(timings, own, rates, strict=True)
    ]


def _formats(result: Result) -> list[str]:
    """Rows of each case relative to the first."""
    timings = result.part(FULL)
    rows = [
        f"| | seconds (lowest–highest) | times {timings[0].name} | CPU s | peak MB | output MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    return rows + [
        f"| {timing.name} | {_seconds(timing)} | {timing.seconds / timings[0].seconds:.2f} | {timing.cpu_seconds:.2f} "
        f"| {timing.peak_bytes / 1e6:,.0f} | {timing.out_bytes / 1e6:,.0f} |"
        for timing in timings
    ]


def _encodings(result: Result) -> list[str]:
    """A row for each data set, whose two timings follow each other."""
    timings = result.part(FULL)
    rows = [
        "| | compatible: MB | CPU s | compact: MB | CPU s | compatible ÷ compact: MB | CPU s |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    return rows + [
        f"| {plain.size.dataset} | {plain.out_bytes / 1e6:,.1f} | {plain.cpu_seconds:.2f} "
        f"| {compact.out_bytes / 1e6:,.1f} | {compact.cpu_seconds:.2f} "
        f"| {plain.out_bytes / compact.out_bytes:.3f} | {plain.cpu_seconds / compact.cpu_seconds:.3f} |"
        for plain, compact in zip(timings[::2], timings[1::2], strict=True)
    ]


def _s3(result: Result) -> list[str]:
    """Rows of each case relative to folders, and to S3 without a delay."""
    timings = result.part(FULL)
    local, near, _ = timings
    rows = [
        "The server runs on the same cores as the program, so the cost of S3 is the CPU time of the program.",
        "",
        f"| | seconds (lowest–highest) | times {near.name} "
        f"| CPU s | times {local.name} | peak MB | times {local.name} |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    return rows + [
        f"| {timing.name} | {_seconds(timing)} | {'' if timing is local else f'{timing.seconds / near.seconds:.2f}'} "
        f"| {timing.cpu_seconds:.2f} | {timing.cpu_seconds / local.cpu_seconds:.2f} "
        f"| {timing.peak_bytes / 1e6:,.0f} | {timing.peak_bytes / local.peak_bytes:.2f} |"
        for timing in timings
    ]


def _startup(result: Result) -> list[str]:
    rows = ["| `" + DDB_CONVERT.name + "` | seconds (lowest–highest) | CPU s | peak MB |", "|---|---:|---:|---:|"]
    return rows + [
        f"| {timing.name} | {_seconds(timing)} | {timing.cpu_seconds:.2f} | {timing.peak_bytes / 1e6:,.0f} |"
        for timing in result.part(START)
    ]


def _rate(timing: Timing) -> float:
    """MB/s of the whole process."""
    return timing.size.json_bytes / 1e6 / timing.seconds


def _working(timing: Timing, startup: float) -> float:
    """Seconds without the start-up, which may be almost zero for little data."""
    return max(timing.seconds - startup, 0.001)


def _seconds(timing: Timing) -> str:
    spread = [run.seconds for run in timing.runs]
    return f"{timing.seconds:.2f} ({min(spread):.2f}–{max(spread):.2f})"
