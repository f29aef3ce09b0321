"""`scan` gives back the rows that were published: of both formats, of several dates, and of nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from converter import convert, scan
from converter.errors import ConvertError, SchemaError
from converter.option_values import Format
from converter.options import ConvertOptions
from converter.testing import ExportFacts, write_export
from fixtures.expect import export_folder, work_out
from tests.end_to_end.exports import export_of, line, small_lines

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


@pytest.mark.parametrize("format", FORMATS)
def test_a_scan_of_a_date_without_items_is_that_of_the_others(format: Format, tmp_path: Path) -> None:
    for number, count in ((1, 3), (2, 0), (3, 2)):
        export = export_of(tmp_path / str(number), small_lines(count), facts=day(number))
        convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format=format))
    assert scan(str(tmp_path / "out")).group_by("dt").len().sort("dt").collect().rows() == [
        ("2024-01-01", 3),
        ("2024-01-03", 2),
    ]


def test_a_scan_of_both_formats_in_one_destination_has_the_rows_of_both(tmp_path: Path) -> None:
    for number, format in enumerate(FORMATS, 1):
        export = export_of(tmp_path / format, small_lines(2), facts=day(number))
        convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format=format))
    assert scan(str(tmp_path / "out")).select("id", "n", "dt").collect().rows() == [
        ("i0000000", 0, "2024-01-01"),
        ("i0000001", 1, "2024-01-01"),
        ("i0000000", 0, "2024-01-02"),
        ("i0000001", 1, "2024-01-02"),
    ]


def test_a_scan_reads_no_file_that_no_record_names(tmp_path: Path) -> None:
    report = convert(str(export_of(tmp_path, small_lines(2)).folder), str(tmp_path / "out"))
    part = tmp_path / "out" / report.parts[0].path
    (part.parent / "stray.parquet").write_bytes(part.read_bytes())
    assert scan(str(tmp_path / "out")).collect().height == 2


@pytest.mark.parametrize("folder", ["nowhere", "empty"])
def test_a_scan_of_nothing_says_what_to_do(folder: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConvertError) as error:
        scan(str(tmp_path / folder))
    assert folder in str(error.value)
    assert "ddb-convert convert" in error.value.hint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty"]


def _scan_days(tmp_path: Path, *days: dict[str, object]) -> pl.DataFrame:
    for number, item in enumerate(days):
        facts = ExportFacts(export_time=datetime(2024, 1, 1 + number, tzinfo=UTC))
        export = write_export(tmp_path / str(number), [item], facts=facts)
        convert(export.folder, tmp_path / "out", ConvertOptions(evolve=True))
    return scan(tmp_path / "out").collect()


def test_numbers_of_several_dates_keep_all_their_digits(tmp_path: Path) -> None:
    frame = _scan_days(tmp_path, {"n": Decimal("12.75")}, {"n": 7}, {"n": Decimal("5.1234567")})
    assert frame["n"].to_list() == [Decimal("12.75"), Decimal(7), Decimal("5.1234567")]


def test_columns_of_older_dates_are_kept(tmp_path: Path) -> None:
    frame = _scan_days(tmp_path, {"id": "a", "old": "x"}, {"id": "b"})
    assert frame.select("id", "old").rows() == [("a", "x"), ("b", None)]


def test_a_column_that_means_another_thing_on_another_date_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="column 'n' is bool"):
        _scan_days(tmp_path, {"n": True}, {"n": 1})
