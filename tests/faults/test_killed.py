"""`kill -9` at any moment: readers find all rows of an export or none, and the next run puts everything right."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from converter.storage.paths import INDEX
from converter.testing import ExportFacts, ExportPaths, write_split_export
from tests.cli.command import REPOSITORY, ddb_convert, environment
from tests.end_to_end.exports import sha256_of, small_lines
from tests.faults.counts import times
from tests.faults.index_checks import check_index

DATES = "dt=*/**/*.parquet"
ANYWHERE = "**/*.parquet"
"""Finds what lies in hidden folders, too."""


def rows_for_arrow(dest: Path, pattern: str) -> int:
    return sum(pq.ParquetFile(part).metadata.num_rows for part in sorted(dest.glob(pattern)))


def rows_for_polars(dest: Path, pattern: str) -> int:
    return int(pl.scan_parquet(str(dest / pattern), hive_partitioning=False).select(pl.len()).collect().item())


def rows_for_duckdb(dest: Path, pattern: str) -> int:
    counted = duckdb.sql(f"SELECT count(*) FROM read_parquet('{dest}/{pattern}')")
    assert counted is not None
    return int(counted.fetchall()[0][0])


READERS: list[Callable[[Path, str], int]] = [rows_for_arrow, rows_for_polars, rows_for_duckdb]
# What readers say when there is no file, or none any more.
NOTHING = (FileNotFoundError, pl.exceptions.ComputeError, duckdb.IOException)


@dataclass
class Case:
    """An export, how many rows it has, and how long a run takes from its first change of DEST to its end."""

    export: ExportPaths
    rows: int
    seconds: float
    parts: dict[str, str]
    """sha256 of each part by its path relative to DEST."""


def command(export: ExportPaths, dest: Path, *options: str) -> list[str]:
    return [sys.executable, str(REPOSITORY / "cli.py"), "convert", str(export.folder), str(dest), "--quiet", *options]


def start(export: ExportPaths, dest: Path, *options: str) -> subprocess.Popen[bytes]:
    """A run that has just begun to change DEST."""
    process = subprocess.Popen(command(export, dest, *options), env=environment(), stderr=subprocess.PIPE)
    while process.poll() is None and not list(dest.glob("_exports/.run-*")):
        time.sleep(0.001)
    return process


def parts_of(dest: Path) -> dict[str, str]:
    found = sorted(dest.glob(DATES))
    return dict(zip((str(path.relative_to(dest)) for path in found), sha256_of(found), strict=True))


def make_case(folder: Path, items: int, files: int) -> Case:
    lines = list(small_lines(items))
    export = write_split_export(folder / "bucket", [lines] * files)
    dest = folder / "measured"
    with start(export, dest) as process:
        begun = time.perf_counter()
        assert process.wait() == 0
        seconds = time.perf_counter() - begun
    case = Case(export, items * files, seconds, parts_of(dest))
    assert len(case.parts) > 2
    return case


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_case(tmp_path_factory.mktemp("small"), 40_000, 4)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_case(tmp_path_factory.mktemp("large"), 400_000, 8)


def watch(dest: Path, pattern: str, until: Callable[[], bool]) -> Iterator[int]:
    """Rows that readers find, one after the other, until it is time.

    A commit renames the parts in a hidden folder, and then this folder: in between, only DATES is promised to be whole.
    """
    turn = 0
    intent = dest / "_exports" / "intent.json"
    while not until():
        turn += 1
        began = intent.exists()
        try:
            rows = READERS[turn % len(READERS)](dest, pattern)
            if pattern == DATES or not (began or intent.exists()):
                yield rows
        except NOTHING as error:
            if "No such file" not in str(error) and "No files" not in str(error) and "expanded paths" not in str(error):
                raise
            yield 0


def kill_at(case: Case, dest: Path, share: float, pattern: str, *options: str) -> tuple[set[int], bool]:
    """Kill a run after this share of its time: the numbers of rows that readers found, and was it killed?"""
    process = start(case.export, dest, *options)
    end = time.perf_counter() + case.seconds * share
    with process:
        seen = set(watch(dest, pattern, lambda: time.perf_counter() >= end or process.poll() is not None))
        killed = process.poll() is None
        process.kill()
        process.wait()
    seen |= set(watch(dest, pattern, iter([False] * len(READERS) + [True]).__next__))
    return seen, killed


def check_whole(case: Case, dest: Path, *options: str) -> None:
    """The next run ends well, with every row once, and without a trace of the one that died."""
    done = ddb_convert("convert", str(case.export.folder), str(dest), *options)
    assert done.returncode == 0, done.stderr
    assert parts_of(dest) == case.parts
    assert {reader(dest, DATES) for reader in READERS} == {case.rows}
    files = {str(path.relative_to(dest)) for path in dest.rglob("*") if path.is_file()}
    assert files - {INDEX} == {*case.parts, f"_exports/{case.export.export_id}.json"}
    check_index(str(dest))
    folders = [path for path in dest.rglob("*") if path.is_dir() and not list(path.iterdir())]
    assert folders == []


def kill_first_runs(case: Case, folder: Path, moments: int) -> None:
    """Runs into an empty destination that die at so many moments, spread evenly over their time."""
    deaths = 0
    for moment in range(moments):
        dest = folder / f"out{moment}"
        seen, killed = kill_at(case, dest, moment / moments, ANYWHERE if moment % 2 else DATES)
        deaths += killed
        assert seen <= {0, case.rows}, f"at {moment} of {moments}"
        check_whole(case, dest)
    assert deaths >= moments // 2


def kill_replacing_runs(case: Case, folder: Path, moments: int) -> None:
    """The same with another export of the same day in the place that the runs replace."""
    facts = ExportFacts(id_suffix="0ddba115")
    old = write_split_export(folder / "old", [list(small_lines(77))], facts=facts)
    deaths = 0
    for moment in range(moments):
        dest = folder / f"out{moment}"
        assert ddb_convert("convert", str(old.folder), str(dest)).returncode == 0
        seen, killed = kill_at(case, dest, (moment + 0.5) / moments, DATES, "--replace")
        deaths += killed
        assert seen <= {0, 77, case.rows}, f"at {moment} of {moments}"
        check_whole(case, dest, "--replace")
    assert deaths >= moments // 2


def test_a_killed_run_shows_no_reader_a_part_and_the_next_one_is_whole(small: Case, tmp_path: Path) -> None:
    kill_first_runs(small, tmp_path, 3)


@pytest.mark.slow
def test_a_killed_replacement_leaves_the_old_or_the_new(small: Case, tmp_path: Path) -> None:
    kill_replacing_runs(small, tmp_path, 2)


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_of_thirty_moments_publishes_all_or_nothing(large: Case, tmp_path: Path) -> None:
    kill_first_runs(large, tmp_path, times(30))


@pytest.mark.slow
def test_a_replacement_that_is_killed_at_any_of_thirty_moments_leaves_the_old_or_the_new(
    large: Case, tmp_path: Path
) -> None:
    kill_replacing_runs(large, tmp_path, times(30))


@pytest.mark.slow
def test_a_run_that_is_killed_while_it_publishes_two_formats_publishes_both_or_none(
    small: Case, tmp_path: Path
) -> None:
    formats = ("--format", "csv,parquet")
    whole = tmp_path / "whole"
    assert ddb_convert("convert", str(small.export.folder), str(whole), *formats).returncode == 0
    expected = {path.relative_to(whole): sha256_of([path]) for path in whole.glob("*/dt=*/**/*.*")}
    assert {path.suffix for path in expected} == {".csv", ".parquet"}
    for moment in range(4):
        dest = tmp_path / f"out{moment}"
        assert ddb_convert("convert", str(small.export.folder), str(dest)).returncode == 0
        seen, _ = kill_at(small, dest, (moment + 0.5) / 4, f"parquet/{DATES}", *formats, "--replace")
        assert seen <= {0, small.rows}
        done = ddb_convert("convert", str(small.export.folder), str(dest), *formats, "--replace")
        assert done.returncode == 0, done.stderr
        files = {path.relative_to(dest): sha256_of([path]) for path in dest.rglob("*") if path.is_file()}
        del files[Path(f"_exports/{small.export.export_id}.json")]
        files.pop(Path(INDEX), None)
        check_index(str(dest))
        assert files == expected
