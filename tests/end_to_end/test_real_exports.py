"""Exports that the service wrote become what the oracle says. They are found through SAMPLE_EXPORTS."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter import convert
from converter.option_values import Format
from converter.options import ConvertOptions
from tests.end_to_end.exports import written_parts
from tests.oracle import assert_equal_to_oracle

UNICORNS = "unicorn-activities/AWSDynamoDB/01716790307109-5f9d6aaa"
ALL_TYPES = "all-ten-types/AWSDynamoDB/01715685260608-c488b4e1"
FORMATS: tuple[Format, ...] = ("parquet", "csv")


def check(folder: Path, format: Format, dest: Path) -> None:
    report = convert(str(folder), str(dest), ConvertOptions(format=format))
    assert_equal_to_oracle(folder, written_parts(dest, report), format)
    assert report.passes == 1


@pytest.mark.parametrize("format", FORMATS)
def test_a_real_export_of_all_ten_types_becomes_what_the_oracle_says(
    sample_exports: Path, format: Format, tmp_path: Path
) -> None:
    check(sample_exports / ALL_TYPES, format, tmp_path / "out")


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_a_real_export_of_133199_items_becomes_what_the_oracle_says(
    sample_exports: Path, format: Format, tmp_path: Path
) -> None:
    check(sample_exports / UNICORNS, format, tmp_path / "out")
