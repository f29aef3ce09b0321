"""Merges beside DuckDB: `python -m benchmarks.merges` prints time, memory and their ratios for one increment.

The base is the data set `flat` as a Parquet snapshot, and the increment has old and new images: 80 % updates, 15 %
inserts, 5 % deletes. Ours and DuckDB read the same Parquet parts and the same increment, in turn. DuckDB does what one
would write by hand for exactly this table: an anti-join on the key, and the new images with their types.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb

from benchmarks.data import WORK, DataParameters, prepare_export
from benchmarks.peers.duckdb_flat import SETTINGS, TYPES
from benchmarks.peers.flat import COLUMNS
from converter.testing import ExportFacts, WindowFacts, write_incremental_export

_KEY = re.compile(rb'"pk":\{"S":"[^"]*"\}')
_STATUS = re.compile(rb'"status":\{"S":"[^"]*"\}')
_MICROS = 1_701_065_507_109_000
_OF_TWENTY = {1: "delete", 2: "insert", 3: "insert", 4: "insert"}
"""By the number of a line, from 0 to 19, what becomes of it; updates are all others."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is merged: a destination of ours with the base, and an increment's folder."""

    base: Path
    increment: Path


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds from start to end of one process, and the most memory that it had."""

    seconds: float
    peak_bytes: int


def make_inputs(json_bytes: int, increment_bytes: int, work: Path) -> Inputs:
    """The base and the increment, made now unless they are there already."""
    base = prepare_export(DataParameters(json_bytes=json_bytes), work)
    home = work / "merges" / f"{json_bytes}-{increment_bytes}"
    (home / "increment").mkdir(parents=True, exist_ok=True)
    if not (home / "base" / "_exports").exists():
        shutil.rmtree(home / "base", ignore_errors=True)
        command = (sys.executable, "cli.py", "convert", str(base.folder), str(home / "base"), "--quiet")
        subprocess.run(command, check=True)
    facts = ExportFacts(table="Benchmark-flat", seed=1)
    window = WindowFacts(
        table="Benchmark-flat", from_time=facts.export_time, to_time=facts.export_time + timedelta(hours=1)
    )
    folder = home / "increment" / window.key_prefix
    if not folder.exists():
        write_incremental_export(home / "increment", _changes(base.folder, increment_bytes), files=4, facts=window)
    return Inputs(home / "base", folder)


def _changes(export: Path, wanted: int) -> Iterator[bytes]:
    """Changes of so many bytes together, spread over the items of the export."""
    files = sorted(export.glob("data/*.gz"))
    for path in files:
        size = 0
        with gzip.open(path) as lines:
            for number, line in enumerate(lines):
                if size * len(files) >= wanted:
                    break
                change = _change(line[8:-2], _OF_TWENTY.get(number % 20, "update"), number)
                size += len(change)
                yield change


def _change(image: bytes, operation: str, number: int) -> bytes:
    if operation == "insert":
        image = image.replace(b'"pk":{"S":"', b'"pk":{"S":"new-', 1)
    found = _KEY.search(image)
    assert found is not None
    old = b"" if operation == "insert" else b',"OldImage":' + image
    changed = _STATUS.sub(b'"status":{"S":"on its way"}', image)
    new = b"" if operation == "delete" else b',"NewImage":' + changed
    head = b'{"Metadata":{"WriteTimestampMicros":{"N":"%d"}},"Keys":{' % (_MICROS + number)
    return head + found[0] + b"}" + old + new + b"}"


def query(inputs: Inputs) -> str:
    """What DuckDB does."""
    paths = ", ".join(["'$.Keys.pk.S'", *(f"'$.NewImage.{name}.{tag}'" for name, tag, _ in COLUMNS)])
    images = ", ".join(f"CAST(v[{n}] AS {TYPES[kind]}) AS {name}" for n, (name, _, kind) in enumerate(COLUMNS, 2))
    names = ", ".join(name for name, _, _ in COLUMNS)
    data = inputs.increment.parent / "data" / "*.json.gz"
    lines = f"read_ndjson_objects('{data}', compression = 'gzip')"
    place = [name for name, _, _ in COLUMNS].index("pk") + 2
    return (
        f"WITH changes AS MATERIALIZED (SELECT json_extract_string(json, [{paths}]) AS v FROM {lines})"
        f" SELECT {names} FROM read_parquet('{inputs.base}/dt=*/**/*.parquet') AS base"
        " WHERE NOT EXISTS (SELECT 1 FROM changes WHERE v[1] = base.pk)"
        f" UNION ALL SELECT {images} FROM changes WHERE v[{place}] IS NOT NULL"
    )


def merge_with_duckdb(inputs: Inputs, out: Path, threads: int) -> None:
    """The merge by DuckDB, into files in the folder."""
    out.mkdir(parents=True)
    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute(f"COPY ({query(inputs)}) TO '{out / 'parts'}' ({SETTINGS['parquet']})")


def run(command: Sequence[str], out: Path) -> Run:
    """One process, whose output goes to a new folder."""
    shutil.rmtree(out, ignore_errors=True)
    os.sync()
    began = time.perf_counter()
    child = subprocess.Popen([*command, str(out)])
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{command[1:4]} has failed")
    return Run(seconds, usage.ru_maxrss * 1024)


def check(ours: Path, theirs: Path) -> int:
    """Rows of both, if they hold the same ones; SystemExit otherwise."""
    names = ", ".join(name for name, _, _ in COLUMNS)
    figures = f"count(*), count(deleted_at), sum(price), sum(hash({names})::HUGEINT)"
    both = [
        duckdb.execute(f"SELECT {figures} FROM read_parquet('{files}')").fetchall()[0]
        for files in (f"{ours}/dt=*/**/*.parquet", f"{theirs}/parts/*.parquet")
    ]
    if both[0] != both[1]:
        raise SystemExit(f"the outputs differ: {both}")
    return int(both[0][0])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, or merge once with DuckDB."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.merges", description=main.__doc__)
    parser.add_argument("--json-bytes", type=float, default=2e9, help="bytes of the base's lines")
    parser.add_argument("--increment-bytes", type=float, default=2e8, help="bytes of the increment's lines")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=WORK, help="folder that keeps what was made")
    parser.add_argument("--duckdb", type=Path, nargs=3, metavar=("BASE", "INCREMENT", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.duckdb:
        base, increment, out = options.duckdb
        merge_with_duckdb(Inputs(base, increment), out, options.threads)
        return
    inputs = make_inputs(int(options.json_bytes), int(options.increment_bytes), options.work)
    threads = str(options.threads)
    places = [str(inputs.base), str(inputs.increment)]
    ours = (sys.executable, "cli.py", "merge", "--workers", threads, "--quiet", *places)
    theirs = (sys.executable, "-m", "benchmarks.merges", "--threads", threads, "--duckdb", *places)
    runs: dict[str, list[Run]] = {"ddb-convert": [], "duckdb": []}
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        outs = [Path(folder, name) for name in runs]
        for number in range(options.rounds + 1):
            for name, command, out in zip(runs, (ours, theirs), outs, strict=True):
                taken = run(command, out)
                # The first round fills the caches.
                if number:
                    runs[name].append(taken)
        rows = check(*outs)
    medians = {name: statistics.median(each.seconds for each in counted) for name, counted in runs.items()}
    for name, counted in runs.items():
        peak = max(each.peak_bytes for each in counted)
        ratio = medians[name] / medians["duckdb"]
        print(f"{name:<12} {medians[name]:6.2f} s  {ratio:4.2f} of duckdb  {peak / 1e6:6,.0f} MB at most")
    print(f"{rows:,} rows after the merge, equal in both; {options.rounds} rounds")


if __name__ == "__main__":
    main()
