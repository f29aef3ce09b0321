"""The benchmarks on next to no data: every measure runs, every contender's output agrees, every reader reads ours.

No figure of these runs means anything, and none is looked at.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import get_args

import pyarrow.parquet as pq
import pytest

from benchmarks import run
from benchmarks.contenders import DDB_CONVERT, FLOOR, PEERS, ROOT, SPARK_FLAT, Job
from benchmarks.data import DataParameters, prepare_export
from benchmarks.datasets import DATASETS
from benchmarks.measures import MEASURES
from benchmarks.readers import digests
from converter.api import convert
from converter.option_values import Encoding, Format
from converter.options import ConvertOptions

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(run, "keep_result")
    monkeypatch.delattr(run, "write_report")


def run_quick(work: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    code = run.main([*arguments, "--quick", "--work", str(work)])
    said = capsys.readouterr()
    assert said.err == ""
    assert code == 0
    assert list((work / "out").iterdir()) == []
    return said.out


@pytest.mark.parametrize("dataset", PEERS)
def test_all_contenders_for_a_data_set_write_equal_parquet(
    dataset: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = run_quick(tmp_path, capsys, "speed", "--dataset", dataset, "--format", "parquet")
    for contender in (DDB_CONVERT, *PEERS[dataset]):
        assert f"| {contender.name} |" in text or f"- Left out: {contender.name}," in text


# These have all that is special in CSV: NULL beside the empty text, nested values, and quotes, commas and newlines.
@pytest.mark.parametrize("dataset", ["flat", "single", "escapes"])
def test_all_contenders_for_a_data_set_write_equal_csv(
    dataset: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Starting and stopping Spark takes as long as all the others together.
    names = [contender.name for contender in (DDB_CONVERT, *PEERS[dataset]) if contender is not SPARK_FLAT]
    only = (word for name in names for word in ("--only", name))
    text = run_quick(tmp_path, capsys, "speed", "--dataset", dataset, "--format", "csv", *only)
    for name in names:
        assert f"| {name} |" in text


@pytest.mark.parametrize("measure", [name for name in MEASURES if name != "speed"])
def test_every_other_measure_runs(measure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = run_quick(tmp_path, capsys, measure, "--format", "parquet")
    assert text.startswith("## ")
    assert text.count("\n|---") == 1


@pytest.mark.parametrize("fmt", ["parquet", "csv"])
def test_the_floor_writes_the_rows_that_we_write(fmt: Format, tmp_path: Path) -> None:
    made = prepare_export(DataParameters(json_bytes=1_000_000, files=3), tmp_path, processes=1)
    convert(str(made.folder), str(tmp_path / "ours"), ConvertOptions(format=fmt))
    job = Job(made.folder, fmt, 2, tmp_path / "prepared")
    subprocess.run(job.fill(FLOOR.prepare), cwd=ROOT, check=True)
    subprocess.run(job.fill(FLOOR.argv, tmp_path / "floor"), cwd=ROOT, check=True)
    ours, floor = (sorted((tmp_path / out).rglob(f"*.{fmt}")) for out in ("ours", "floor"))
    assert len(ours) == len(floor) > 0
    for our_part, floor_part in zip(ours, floor, strict=True):
        if fmt == "csv":
            assert our_part.read_bytes() == floor_part.read_bytes()
        else:
            assert pq.ParquetFile(our_part).read() == pq.ParquetFile(floor_part).read()


@pytest.fixture(scope="module", params=get_args(Encoding))
def our_files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Parquet files that we wrote of all data sets, in each encoding."""
    folder = tmp_path_factory.mktemp("readers")
    files = []
    for name, dataset in DATASETS.items():
        # Readers work in batches of a few thousand rows: `flat` has several of them in one file.
        json_bytes = 3_000_000 if name == "flat" else max(300_000, 3 * dataset.line_bytes)
        made = prepare_export(DataParameters(dataset=name, json_bytes=json_bytes, files=1), folder, processes=1)
        report = convert(str(made.folder), str(folder / name), ConvertOptions(encoding=request.param))
        assert report.items == made.size.items > 0
        files += sorted((folder / name).rglob("*.parquet"))
    assert len(files) == len(DATASETS)
    return files


def test_duckdb_polars_and_pyarrow_read_equal_values_from_our_files(our_files: list[Path]) -> None:
    expected = digests("pyarrow", our_files)
    assert len(set(expected.values())) == len(DATASETS)
    for reader in ("DuckDB", "Polars"):
        assert digests(reader, our_files) == expected, reader


@pytest.mark.skipif(bool(SPARK_FLAT.missing()), reason="PySpark and Java are needed")
def test_spark_reads_equal_values_from_our_files(our_files: list[Path]) -> None:
    assert digests("Spark", our_files) == digests("pyarrow", our_files)
