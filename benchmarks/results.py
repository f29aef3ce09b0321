"""Keeps what was measured, one JSON file a measure, and writes RESULTS.md from all of them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.measure import Run, Timing

HOME = Path(__file__).parent
HEADER = """# Results

Written by `python -m benchmarks.run`. A figure is of whole processes, start-up included, in alternating rounds after
one that isn't counted. The contenders of one table ran in turn on the same machine: ratios travel, seconds don't.
MB are millions of bytes; MB/s are of JSON before compression. Time and CPU (user and system) are medians, memory is
the highest peak. The outputs were read back and agree: rows, the characters of each text column and the
exact sum of each number column.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """One export and the timings on it; the first peer's timing is what ratios are to."""

    json_bytes: int
    gzip_bytes: int
    items: int
    files: int
    timings: tuple[Timing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One measure: `speed` has one size, `memory` several of the same data."""

    measure: str
    dataset: str
    about: str
    fmt: str
    workers: int
    machine: str
    versions: str
    baseline: str | None
    sizes: tuple[Sized, ...]


def to_json(result: Result) -> str:
    """A result as the text of its file."""
    return json.dumps(asdict(result), indent=2) + "\n"


def from_json(text: str) -> Result:
    """The result that `to_json` wrote."""
    members = json.loads(text)
    sizes = tuple(
        Sized(**{**size, "timings": tuple(_timing_from(timing) for timing in size["timings"])})
        for size in members.pop("sizes")
    )
    return Result(**members, sizes=sizes)


def _timing_from(members: dict[str, object]) -> Timing:
    runs, contender, out_bytes = members["runs"], members["contender"], members["out_bytes"]
    assert isinstance(runs, list)
    assert isinstance(contender, str)
    assert isinstance(out_bytes, int)
    return Timing(contender, tuple(Run(**run) for run in runs), out_bytes)


def keep_result(result: Result, home: Path = HOME) -> None:
    """Keep a result in place of an older one of the same measure, and write RESULTS.md anew."""
    folder = home / "results"
    folder.mkdir(exist_ok=True)
    (folder / f"{result.measure}-{result.dataset}-{result.fmt}.json").write_text(to_json(result), encoding="utf-8")
    kept = [from_json(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    sections = [HEADER, *(render(result) for result in sorted(kept, key=lambda kept: kept.measure != "speed"))]
    (home / "RESULTS.md").write_text("\n".join(sections), encoding="utf-8")


def render(result: Result) -> str:
    """One section of RESULTS.md."""
    kind = {"parquet": "Parquet", "csv": "CSV"}[result.fmt]
    table = _speed_rows(result) if result.measure == "speed" else _memory_rows(result)
    rounds = len(result.sizes[0].timings[0].runs)
    lines = [
        f"## {result.measure.capitalize()}: `{result.dataset}` to {kind}",
        "",
        f"- Data: {result.about}; {'; '.join(_describe(size) for size in result.sizes)}",
        f"- Machine: {result.machine}; {result.workers} threads for each contender",
        f"- Versions: {result.versions}",
        f"- Rounds: {rounds}",
        "",
        *table,
        "",
    ]
    return "\n".join(lines)


def _describe(size: Sized) -> str:
    return (
        f"{size.json_bytes / 1e6:,.0f} MB of JSON ({size.items:,} items) in {size.files} files, "
        f"{size.gzip_bytes / 1e6:,.0f} MB as gzip level 6"
    )


def _speed_rows(result: Result) -> list[str]:
    (size,) = result.sizes
    base = next((timing for timing in size.timings if timing.contender == result.baseline), None)
    rows = [
        f"| | MB/s | ÷ {result.baseline or 'peer'} | seconds (lowest–highest) | CPU s | peak MB | output MB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for timing in size.timings:
        spread = [run.seconds for run in timing.runs]
        ratio = f"{base.seconds / timing.seconds:.2f}" if base else ""
        rows.append(
            f"| {timing.contender} | {size.json_bytes / 1e6 / timing.seconds:,.0f} | {ratio} "
            f"| {timing.seconds:.2f} ({min(spread):.2f}–{max(spread):.2f}) | {timing.cpu_seconds:.2f} "
            f"| {timing.peak_bytes / 1e6:,.0f} | {timing.out_bytes / 1e6:,.0f} |"
        )
    return rows


def _memory_rows(result: Result) -> list[str]:
    rows = ["| JSON MB | contender | peak MB | ÷ smallest | seconds |", "|---:|---|---:|---:|---:|"]
    smallest = {timing.contender: timing.peak_bytes for timing in result.sizes[0].timings}
    rows += [
        f"| {size.json_bytes / 1e6:,.0f} | {timing.contender} | {timing.peak_bytes / 1e6:,.0f} "
        f"| {timing.peak_bytes / smallest[timing.contender]:.2f} | {timing.seconds:.2f} |"
        for size in result.sizes
        for timing in size.timings
    ]
    return rows
