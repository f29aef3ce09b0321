"""Says what outputs hold, so that only equal work is compared: `python -m benchmarks.verify flat parquet OUT`.

DuckDB reads them, in a process of its own: its memory would count as that of every contender started after.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.contenders import ROOT
from benchmarks.measure import BenchmarkError

Contents = dict[str, str]
"""The number of rows, and what was computed from each column; all as text, because sums have many digits."""


def check_outputs(dataset: str, fmt: str, items: int, outs: Mapping[str, Path]) -> None:
    """Raise BenchmarkError unless every output, by contender, has the export's items and the same contents."""
    contents = {name: _contents_of(dataset, fmt, out) for name, out in outs.items()}
    first = next(iter(contents))
    for name, found in contents.items():
        if found["rows"] != str(items):
            raise BenchmarkError(f"{name} wrote {found['rows']} rows of {items} items")
        for what, value in found.items():
            if value != contents[first][what]:
                raise BenchmarkError(f"{what} is {value} in the output of {name}, {contents[first][what]} in {first}'s")


def _contents_of(dataset: str, fmt: str, out: Path) -> Contents:
    command = [sys.executable, "-m", "benchmarks.verify", dataset, fmt, str(out.resolve())]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if child.returncode:
        raise BenchmarkError(f"the output can't be read back:\n{child.stderr}")
    contents: Contents = json.loads(child.stdout)
    return contents


def read_contents(dataset: str, fmt: str, out: Path) -> Contents:
    """Rows, and for each scalar column its values and their characters (text) or their exact sum (numbers)."""
    import duckdb

    from benchmarks.datasets import DATASETS

    data = DATASETS[dataset]
    wanted = {"rows": "count(*)"}
    for name in data.texts:
        wanted[f"count of {name}"] = f'count("{name}")'
        wanted[f"characters of {name}"] = f'sum(length("{name}"))'
    for name in data.numbers:
        wanted[f"count of {name}"] = f'count("{name}")'
        # More decimals than this would leave too few digits for the sums of identifiers.
        wanted[f"sum of {name}"] = f'sum(CAST("{name}" AS DECIMAL(38, 18)))'
    files = sorted(str(path) for path in out.rglob(f"*.{fmt}"))
    if not files:
        raise BenchmarkError(f"no {fmt} files in the output")
    scan = {
        "parquet": "read_parquet($files)",
        # The empty text is quoted, NULL isn't.
        "csv": "read_csv($files, header = true, all_varchar = true, allow_quoted_nulls = false)",
    }
    query = f"SELECT {', '.join(wanted.values())} FROM {scan[fmt]}"
    (values,) = duckdb.execute(query, {"files": files}).fetchall()
    return dict(zip(wanted, map(str, values), strict=True))


if __name__ == "__main__":
    print(json.dumps(read_contents(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
