"""`scan` gives back the rows that were published: of both formats, of several dates, and of nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from converter import convert, scan
from converter.errors import ConvertError
from converter.option_values import Format
from converter.options import ConvertOptions
from converter.testing import ExportFacts
from fixtures.expect import export_folder, work_out
from tests.end_to_end.exports import export_of, line

FORMATS: tuple[Format, ...] = ("parquet", "csv")


def day(number: int) -> ExportFacts:
    return ExportFacts(export_time=datetime(2024, 1, number, 12, tzinfo=UTC))


@pytest.mark.parametrize("name", ["orders", "all-types", "mixed", "order-changes"])
@pytest.mark.parametrize("compression", ["zstd", "none", "gzip"])
def test_a_scan_gives_the_rows_of_the_export(name: str, compression: str, tmp_path: Path) -> None:
    format: Format = "parquet" if compression == "zstd" else "csv"
    convert(str(export_folder(name)), str(tmp_path), ConvertOptions(format=format, compression=compression))
    frame = scan(str(tmp_path)).collect()
    table = work_out(name, {})
    assert frame.columns == [*(column.name for column in table.columns), "dt"]
    assert frame.drop("dt").rows() == [tuple(map(plain, row)) for row in table.rows]


def plain(value: object) -> object:
    """A JsonText as the text that it is."""
    return str(value) if isinstance(value, str) else value


@pytest.mark.parametrize("format", FORMATS)
def test_a_scan_has_the_types_of_the_columns(format: Format, tmp_path: Path) -> None:
    lines = [
        line(s='{"S":"1"}', i='{"N":"7"}', d='{"N":"0.50"}', b='{"B":"AAE="}', flag='{"BOOL":false}', m='{"M":{}}'),
        line(s='{"S":""}', i='{"N":"-9223372036854775808"}', d='{"N":"12345678901234567890123456"}'),
    ]
    convert(str(export_of(tmp_path, lines).folder), str(tmp_path / "out"), ConvertOptions(format=format))
    frame = scan(str(tmp_path / "out")).select("s", "i", "d", "b", "flag", "m").collect()
    assert frame.dtypes == [pl.String, pl.Int64, pl.Decimal(38, 2), pl.Binary, pl.Boolean, pl.String]
    assert frame.rows() == [
        ("1", 7, Decimal("0.5"), b"\x00\x01", False, "{}"),
        ("", -(2**63), Decimal("12345678901234567890123456"), None, None, None),
    ]


@pytest.mark.parametrize("format", FORMATS)
def test_a_scan_of_two_dates_has_all_rows_with_their_dates_oldest_first(format: Format, tmp_path: Path) -> None:
    for number, extra in ((2, {"late": '{"S":"x"}'}), (1, {})):
        lines = [line(id=f'{{"S":"{number}{letter}"}}', **extra) for letter in "ab"]
        export = export_of(tmp_path / str(number), lines, facts=day(number))
        convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format=format))
    assert scan(str(tmp_path / "out")).select("dt", "id", "late").collect().rows() == [
        ("2024-01-01", "1a", None),
        ("2024-01-01", "1b", None),
        ("2024-01-02", "2a", "x"),
        ("2024-01-02", "2b", "x"),
    ]


@pytest.mark.parametrize("folder", ["nowhere", "empty"])
def test_a_scan_of_nothing_says_what_to_do(folder: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConvertError) as error:
        scan(str(tmp_path / folder))
    assert folder in str(error.value)
    assert "ddb-convert convert" in error.value.hint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty"]
