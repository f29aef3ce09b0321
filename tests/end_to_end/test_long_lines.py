"""Items of 400 KB whose lines are longer than 16 MiB, in every format of exports, on every way through the program."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from converter import ConvertOptions, MergeRules, convert, inspect, merge
from converter.errors import BadLineError
from converter.export.line_limits import ITEM_BYTES, MAX_LINE_BYTES
from converter.publishing.report import Report
from converter.testing import Change, ExportFacts, OutputFormat, WindowFacts, write_export, write_incremental_export
from tests.end_to_end.exports import export_of, written_parts

MORNING = datetime(2026, 11, 27, 6, tzinfo=UTC)


def largest(name: str) -> dict[str, Any]:
    """An item of 400 KB, by DynamoDB's rules, whose line has 17 MB."""
    numbers: list[str] = []
    for shift in range(20):
        for digits in range(1001, 10_000):
            if digits % 10:
                numbers += [f"0.{'0' * (129 - shift)}{digits}", f"{digits}{'0' * (122 - shift)}"]
    # Three bytes for each number, and those of the names and the key.
    return {"id": {"S": name}, "n": {"NS": numbers[: (ITEM_BYTES - 50) // 3]}}


ITEM = largest("a")


def read_numbers(dest: Path, report: Report, column: str = "n") -> list[object]:
    (part,) = written_parts(dest, report)
    if part.suffix == ".parquet":
        return [json.loads(text, parse_int=str, parse_float=str) for text in pq.read_table(part)[column].to_pylist()]
    table = pa_csv.read_csv(
        part,
        read_options=pa_csv.ReadOptions(block_size=MAX_LINE_BYTES),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
    )
    return [json.loads(text, parse_int=str, parse_float=str) for text in table[column].to_pylist()]


@pytest.mark.parametrize(
    ("output_format", "format"),
    [
        ("DYNAMODB_JSON", "parquet"),
        pytest.param("DYNAMODB_JSON", "csv", marks=pytest.mark.slow),
        pytest.param("ION", "parquet", marks=pytest.mark.slow),
    ],
)
def test_the_largest_item_is_converted_whatever_its_line_takes(
    tmp_path: Path, output_format: OutputFormat, format: Any
) -> None:
    small = {"id": {"S": "b"}, "n": {"NS": ["1"]}}
    facts = ExportFacts(output_format=output_format)
    folder = write_export(tmp_path / "bucket", [small, ITEM, small], facts=facts).folder
    report = convert(folder, tmp_path / "out", ConvertOptions(format=format, workers=1))
    assert read_numbers(tmp_path / "out", report) == [["1"], ITEM["n"]["NS"], ["1"]]
    assert inspect(folder, sample=True).items == 3


@pytest.mark.slow
def test_a_change_of_the_largest_item_has_two_images_and_is_converted_and_merged(tmp_path: Path) -> None:
    after = ITEM | {"n": {"NS": ITEM["n"]["NS"][1:]}}
    full = write_export(tmp_path / "full", [ITEM], facts=ExportFacts(export_time=MORNING)).folder
    about = WindowFacts(from_time=MORNING, to_time=MORNING + timedelta(hours=1))
    change = Change(keys={"id": "a"}, old=ITEM, new=after, written=MORNING)
    window = write_incremental_export(tmp_path / "window", [change], facts=about).folder
    report = convert(window, tmp_path / "changes", ConvertOptions(old_image=True, workers=1))
    assert read_numbers(tmp_path / "changes", report) == [after["n"]["NS"]]
    for verify in (False, True):
        dest = tmp_path / f"merged-{verify}"
        merged = merge(full, [window], dest, ConvertOptions(workers=1), rules=MergeRules(verify=verify))
        assert read_numbers(dest, merged) == [after["n"]["NS"]]


def test_a_set_of_a_million_numbers_with_exponents_is_refused_before_it_is_expanded(tmp_path: Path) -> None:
    numbers = ",".join(['"1E-130"'] * 1_000_000)
    folder = export_of(tmp_path / "bucket", [f'{{"Item":{{"n":{{"NS":[{numbers}]}}}}}}'.encode()]).folder
    for run in (inspect, lambda source: convert(source, tmp_path / "out")):
        with pytest.raises(BadLineError, match="more than 835,584 commas"):
            run(folder)
