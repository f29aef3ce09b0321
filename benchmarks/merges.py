"""Makes what merges are measured with: a snapshot of the data set `flat` in Parquet, and an increment after it.

The increment has old and new images: 80 % updates, 15 % inserts, 5 % deletes, spread over all of the base.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

from benchmarks import contenders
from benchmarks.contenders import ROOT, Contender
from benchmarks.data import ExportSize, MadeExport, make_once
from converter.testing import ExportFacts, WindowFacts, write_incremental_export

BASE, INCREMENT = "base", "increment"
"""The two in the folder that is made."""

_SHARE = 0.1
_FILES = 4
_BEGIN = ExportFacts().export_time
_WINDOW = WindowFacts(table="Benchmark-flat", from_time=_BEGIN, to_time=_BEGIN + timedelta(hours=1))
_KEY = re.compile(rb'"pk":\{"S":"[^"]*"\}')
_STATUS = re.compile(rb'"status":\{"S":"[^"]*"\}')
_OF_TWENTY = {1: "delete", 2: "insert", 3: "insert", 4: "insert"}
"""Operation by the number of a line, from 0 to 19; all others are updates."""

DDB_CONVERT = replace(
    contenders.DDB_CONVERT,
    argv=(
        *("{python}", "cli.py", "merge", f"{{source}}/{BASE}", f"{{source}}/{INCREMENT}/{_WINDOW.key_prefix}", "{out}"),
        *("--format", "{format}", "--workers", "{workers}"),
    ),
)
DUCKDB = Contender(
    "DuckDB",
    ("{python}", "-m", "benchmarks.peers.duckdb_merge", "{source}", "{out}", "{format}", "--threads", "{workers}"),
    packages=("duckdb",),
)
POLARS = Contender(
    "Polars",
    ("{python}", "-m", "benchmarks.peers.polars_merge", "{source}", "{out}", "{format}"),
    env={"POLARS_MAX_THREADS": "{workers}"},
    packages=("polars",),
)


def prepare_merge(base: MadeExport) -> MadeExport:
    """The base of this export, and an increment of a tenth of its bytes; made now unless they are there already."""
    made = base.folder.parents[1]
    home = made.parents[1] / "merges" / made.name
    make_once(home, lambda unfinished: _make(base, unfinished))
    return MadeExport(home, ExportSize(**json.loads((home / "size.json").read_text(encoding="utf-8"))))


def _make(base: MadeExport, home: Path) -> None:
    """Generate the inputs of a merge; `size.json` has their size and the number of items after it."""
    command = (sys.executable, "cli.py", "convert", str(base.folder.resolve()), str((home / BASE).resolve()), "--quiet")
    subprocess.run(command, cwd=ROOT, check=True)
    counts = Counter[str]()
    changes = _changes(base, counts)
    (home / INCREMENT).mkdir()
    write_incremental_export(home / INCREMENT, changes, files=_FILES, facts=_WINDOW)
    compressed = sum(path.stat().st_size for path in (home / INCREMENT).rglob("data/*.gz"))
    size = ExportSize(
        dataset=base.size.dataset,
        items=base.size.items + counts["insert"] - counts["delete"],
        json_bytes=base.size.json_bytes + counts["bytes"],
        gzip_bytes=base.size.gzip_bytes + compressed,
        files=base.size.files + _FILES,
    )
    (home / "size.json").write_text(json.dumps(asdict(size)), encoding="utf-8")


def _changes(base: MadeExport, counts: Counter[str]) -> Iterator[bytes]:
    """The lines of the increment, which are counted."""
    files = sorted(base.folder.glob("data/*.gz"))
    for path in files:
        size = 0
        with gzip.open(path) as lines:
            for number, line in enumerate(lines):
                if size * len(files) >= base.size.json_bytes * _SHARE:
                    break
                operation = _OF_TWENTY.get(number % 20, "update")
                change = _change(line[8:-2], operation, number)
                size += len(change)
                counts[operation] += 1
                yield change
        counts["bytes"] += size


def _change(image: bytes, operation: str, number: int) -> bytes:
    if operation == "insert":
        image = image.replace(b'"pk":{"S":"', b'"pk":{"S":"new-', 1)
    found = _KEY.search(image)
    assert found is not None
    old = b"" if operation == "insert" else b',"OldImage":' + image
    changed = _STATUS.sub(b'"status":{"S":"on its way"}', image)
    new = b"" if operation == "delete" else b',"NewImage":' + changed
    micros = int(_BEGIN.timestamp()) * 1_000_000 + number
    head = b'{"Metadata":{"WriteTimestampMicros":{"N":"%d"}},"Keys":{' % micros
    return head + found[0] + b"}" + old + new + b"}"
