"""Writes RESULTS.md from the results, the plots and what is written by hand: `python -m benchmarks.report`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contenders import DDB_CONVERT, ROOT
from benchmarks.measures import FULL, MEASURES
from benchmarks.results import HOME, Result, read_results
from benchmarks.tables import FORMAT_NAMES, render

HEADER = """# Results

Written by `make bench`. A figure is of whole processes, start-up included, in alternating rounds after one that isn't
counted. The contenders of one table ran in turn on the same machine: ratios travel, seconds don't. MB are millions of
bytes; MB/s are of JSON before compression. Time and CPU (user and system) are medians, memory is the highest peak, of
the largest process where a contender has several; a peak of less than 70 MB is that of the benchmark itself. The
outputs were read back and agree: rows, the characters of each text column and the exact sum of each number column.
Maps, lists and sets are plain JSON in our output, and the DynamoDB JSON that they were in DuckDB's, which is less work.

- *floor*: inflates the data files and writes the finished Arrow tables (for CSV: the finished bytes) with our
  settings, as many threads as we have, and nothing in between.
- *gzip -dc*: only inflates, in one thread.
- *start-up*: the same command on an export without items, or with a handful of them.
"""


def write_report(home: Path = HOME) -> None:
    """Draw the plots in a process of their own, which takes memory, and write RESULTS.md again."""
    subprocess.run([sys.executable, "-m", "benchmarks.plots", str(home.resolve())], cwd=ROOT, check=True)
    results = sorted(read_results(home), key=_order)
    sections = [HEADER]
    glance = _at_a_glance(results)
    if glance:
        sections.append("\n".join(["## At a glance", "", *glance, *_plots(home, "overview")]))
    reading = home / "reading.md"
    if reading.exists():
        sections.append(reading.read_text(encoding="utf-8"))
    sections += ["\n".join([render(result).rstrip("\n"), *_plots(home, result.name)]) for result in results]
    (home / "RESULTS.md").write_text("\n".join(section.rstrip("\n") + "\n" for section in sections), encoding="utf-8")


def _order(result: Result) -> tuple[int, bool, str, bool]:
    """As the measures are listed; `flat` and Parquet come first."""
    return list(MEASURES).index(result.measure), result.dataset != "flat", result.dataset, result.fmt != "parquet"


def _at_a_glance(results: Sequence[Result]) -> list[str]:
    """The speed of all data sets in one table."""
    rows = []
    for result in results:
        if result.measure != "speed":
            continue
        timings = {timing.name: timing for timing in result.part(FULL)}
        ours = timings.get(DDB_CONVERT.name)
        if ours is None:
            continue
        ratios = [
            f"{timings[name].seconds / ours.seconds:.2f}" if name in timings else ""
            for name in (result.baseline or "", "floor")
        ]
        rows.append(
            f"| `{result.dataset}` | {FORMAT_NAMES[result.fmt]} | {ours.size.json_bytes / 1e6 / ours.seconds:,.0f} "
            f"| {ratios[0]} | {ratios[1]} | {ours.peak_bytes / 1e6:,.0f} |"
        )
    if not rows:
        return []
    return ["| data set | to | MB/s | ÷ DuckDB | ÷ floor | peak MB |", "|---|---|---:|---:|---:|---:|", *rows]


def _plots(home: Path, name: str) -> list[str]:
    """Markdown for the plots of this name, each with an empty line before it."""
    paths = sorted((home / "results").glob(f"{name}*.png"))
    return [line for path in paths for line in ("", f"![{path.stem.replace('-', ' ')}](results/{path.name})")]


if __name__ == "__main__":
    write_report()
