"""The verb `recipe`: what goes to stdout, what into files, and what is never written over unasked."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from converter import convert, recipe
from converter.options import ConvertOptions
from converter.testing import ExportFacts, write_export
from tests.cli.command import ddb_convert
from tests.cli.failures import check_failure

PLACE = ("--location", "s3://lake/orders")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a destination of Parquet, `out`, and one of CSV, `csv`."""
    export = write_export(tmp_path / "export", [{"id": "a", "n": 1}])
    convert(export.folder, tmp_path / "out")
    convert(export.folder, tmp_path / "csv", ConvertOptions(format="csv"))
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return ddb_convert("recipe", *arguments, cwd=folder)


@pytest.mark.parametrize("consumer", ["duckdb", "polars", "spark", "athena"])
def test_one_text_goes_to_stdout(consumer: str, folder: Path) -> None:
    place = PLACE if consumer == "athena" else ()
    done = run(folder, consumer, "out", *place)
    assert (done.returncode, done.stderr) == (0, "")
    location = "s3://lake/orders" if place else None
    made = recipe(consumer, folder / "out", location=location)  # type: ignore[arg-type]
    assert [done.stdout] == list(made.files.values())


def test_files_for_treasure_data_go_into_the_current_folder(folder: Path) -> None:
    done = run(folder, "treasure-data", "csv", *PLACE)
    assert (done.returncode, done.stdout) == (0, "")
    assert "wrote ./load.yml\nwrote ./load.dig\n" in done.stderr
    assert "warning: there is no column time" in done.stderr
    files = recipe("treasure-data", folder / "csv", location="s3://lake/orders").files
    assert {name: (folder / name).read_text("utf-8") for name in files} == files


def test_files_go_into_the_folder_that_out_names(folder: Path) -> None:
    done = run(folder, "polars", "out", "--out", "a/b", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (folder / "a/b/scan_with_polars.py").is_file()


def test_several_files_are_printed_below_their_names(folder: Path) -> None:
    done = run(folder, "treasure-data", "csv", *PLACE, "--out", "-")
    assert done.returncode == 0
    assert done.stdout.startswith("# load.yml\n# Loads one day")
    assert "\n# load.dig\n# Loads the DynamoDB table" in done.stdout
    assert not (folder / "load.yml").exists()


def test_a_file_that_says_something_else_is_written_over_only_by_force(folder: Path) -> None:
    (folder / "load.dig").write_text("mine")
    check_failure(run(folder, "treasure-data", "csv", *PLACE, "--quiet"), 2, "./load.dig", "--force")
    assert (folder / "load.dig").read_text() == "mine"
    assert not (folder / "load.yml").exists()
    assert run(folder, "treasure-data", "csv", *PLACE, "--force").returncode == 0
    assert (folder / "load.dig").read_text("utf-8").startswith("# Loads the DynamoDB table")


def test_a_file_that_says_the_same_is_no_obstacle(folder: Path) -> None:
    assert [run(folder, "treasure-data", "csv", *PLACE).returncode for _ in range(2)] == [0, 0]


def test_a_folder_that_can_not_be_written_is_named(folder: Path) -> None:
    (folder / "file").write_text("")
    check_failure(run(folder, "duckdb", "out", "--out", "file/x"), 5, "file")


def test_nothing_published_is_exit_code_5(folder: Path) -> None:
    check_failure(run(folder, "duckdb", "nowhere"), 5, "no items are published here", "ddb-convert convert")


def test_parquet_for_treasure_data_is_exit_code_2(folder: Path) -> None:
    check_failure(run(folder, "treasure-data", "out", *PLACE), 2, "--format csv")


def test_what_can_not_be_read_together_is_exit_code_4(folder: Path) -> None:
    later = ExportFacts(export_time=datetime(2024, 1, 1, tzinfo=UTC))
    export = write_export(folder / "later", [{"id": "a", "n": "text"}], facts=later)
    done = ddb_convert("convert", str(export.folder), "out", "--evolve", cwd=folder)
    assert done.returncode == 0
    check_failure(run(folder, "duckdb", "out"), 4, "column 'n' is int64")
