"""`--add-column`: every row says which export it is from, in every reader and next to any other column."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from converter import convert, scan
from converter.errors import UsageError
from converter.option_values import Format
from converter.options import SMALLEST_PART, ConvertOptions
from converter.testing import ExportFacts
from tests.end_to_end.exports import export_of, line, small_lines, written_parts

FORMATS: tuple[Format, ...] = ("parquet", "csv")
ALL = (("when", "export_time"), ("which", "export_id"), ("day", "date"), ("seconds", "unix_time"))
MOMENT = datetime(2023, 11, 27, 23, 11, 47, 109_000, UTC)
FACTS = ExportFacts(export_time=MOMENT)
SECONDS = int(MOMENT.timestamp())


def rows_of(tmp_path: Path, *files: list[bytes], **options: Any) -> tuple[str, list[dict[str, Any]]]:
    """The export's id, and the rows without the folder's key."""
    export = export_of(tmp_path / "bucket", *files, facts=FACTS)
    convert(export.folder, tmp_path / "out", ConvertOptions(**{"add_column": ALL, **options}))
    return export.export_id, scan(tmp_path / "out").drop("dt").collect().to_dicts()


@pytest.mark.parametrize("compression", ["plain", "compressed"])
@pytest.mark.parametrize("format", FORMATS)
def test_every_row_has_the_exports_facts_also_one_without_any_value(
    format: Format, compression: str, tmp_path: Path
) -> None:
    files = [[line(id='{"S":"a"}'), line(), line(id='{"NULL":true}')], [line(id='{"S":"b"}')]]
    compression = "none" if compression == "plain" else {"parquet": "zstd", "csv": "gzip"}[format]
    export_id, rows = rows_of(tmp_path, *files, format=format, compression=compression)
    facts = {"when": MOMENT, "which": export_id, "day": "2023-11-27", "seconds": SECONDS}
    assert rows == [{"id": name} | facts for name in ("a", None, None, "b")]


def test_the_date_is_that_of_the_time_zone(tmp_path: Path) -> None:
    _, rows = rows_of(tmp_path, [line(id='{"S":"a"}')], timezone="Asia/Tokyo")
    assert (rows[0]["day"], rows[0]["when"]) == ("2023-11-28", MOMENT)


def test_every_reader_of_parquet_finds_the_types_and_values(tmp_path: Path) -> None:
    export = export_of(tmp_path / "bucket", list(small_lines(1000)), facts=FACTS)
    report = convert(export.folder, tmp_path / "out", ConvertOptions(add_column=ALL))
    (part,) = written_parts(tmp_path / "out", report)
    expected = (MOMENT, export.export_id, "2023-11-27", SECONDS)
    table = pq.read_table(part)
    assert [str(table.schema.field(name).type) for name, _ in ALL] == [
        "timestamp[us, tz=UTC]",
        "string",
        "string",
        "int64",
    ]
    assert {tuple(row.values()) for row in table.select([name for name, _ in ALL]).to_pylist()} == {expected}
    assert pl.read_parquet(part).select(name for name, _ in ALL).unique().rows() == [expected]
    with duckdb.connect() as connection:
        rows = connection.execute(
            'select epoch_us("when"), which, day, seconds, count(*) from read_parquet(?) group by all', [str(part)]
        ).fetchall()
    assert rows == [(SECONDS * 1_000_000 + 109_000, *expected[1:], 1000)]
    statistics = pq.ParquetFile(part).metadata.row_group(0).column(5).statistics
    assert (statistics.min, statistics.max, statistics.null_count) == (SECONDS, SECONDS, 0)


@pytest.mark.parametrize("format", FORMATS)
def test_many_batches_and_parts_have_the_same_in_every_row(format: Format, tmp_path: Path) -> None:
    files = [list(small_lines(130_000)), list(small_lines(7, start=130_000))]
    export = export_of(tmp_path / "bucket", *files, facts=FACTS)
    options = ConvertOptions(add_column=ALL, format=format, part_size=SMALLEST_PART)
    report = convert(export.folder, tmp_path / "out", options)
    assert len(report.parts) > 1
    frame = scan(tmp_path / "out").collect()
    assert frame["id"].n_unique() == 130_007
    assert frame.select(name for name, _ in ALL).unique().rows() == [(MOMENT, export.export_id, "2023-11-27", SECONDS)]


@pytest.mark.parametrize("format", FORMATS)
def test_they_stand_behind_the_overflow_column_which_goes_with_the_attributes(format: Format, tmp_path: Path) -> None:
    lines = [line(a='{"S":"x"}', b='{"S":"y"}'), line(a='{"S":"x"}', c='{"N":"1"}')]
    _, rows = rows_of(tmp_path, lines, format=format, max_columns=2, overflow="_more", add_column=ALL[2:])
    added = {"day": "2023-11-27", "seconds": SECONDS}
    assert rows == [{"a": "x", "_more": '{"b":"y"}'} | added, {"a": "x", "_more": '{"c":1}'} | added]
    assert list(rows[0]) == ["a", "_more", "day", "seconds"]


def test_an_attribute_of_the_same_name_is_renamed(tmp_path: Path) -> None:
    _, rows = rows_of(tmp_path, [line(Day='{"S":"a"}', day_1='{"S":"b"}')], add_column=(("day", "date"),))
    assert rows == [{"Day_2": "a", "day_1": "b", "day": "2023-11-27"}]


def test_a_csv_row_whose_attribute_is_null_is_no_empty_line_beside_an_added_column(tmp_path: Path) -> None:
    _, rows = rows_of(tmp_path, [line(a='{"S":"x"}'), line()], format="csv", add_column=(("day", "date"),))
    assert rows == [{"a": "x", "day": "2023-11-27"}, {"a": None, "day": "2023-11-27"}]


@pytest.mark.parametrize("format", FORMATS)
def test_added_columns_alone_are_no_schema_of_an_export_without_items(format: Format, tmp_path: Path) -> None:
    # An empty day before the first filled one would otherwise give them the first places, for ever.
    export = export_of(tmp_path / "bucket", [], facts=FACTS)
    report = convert(export.folder, tmp_path / "out", ConvertOptions(add_column=ALL, format=format))
    assert (report.items, report.parts, report.columns) == (0, (), ())


@pytest.mark.parametrize("format", FORMATS)
def test_a_surprise_changes_nothing_of_them(format: Format, tmp_path: Path) -> None:
    lines = [*small_lines(30_000), line(late='{"S":"x"}')]
    export = export_of(tmp_path / "bucket", lines, facts=FACTS)
    report = convert(export.folder, tmp_path / "out", ConvertOptions(add_column=ALL[2:], format=format))
    assert report.passes == 2
    frame = scan(tmp_path / "out").collect()
    assert frame.columns == ["id", "late", "n", "day", "seconds", "dt"]
    assert frame.select("day", "seconds").unique().rows() == [("2023-11-27", SECONDS)]
    assert frame.height == 30_001


@pytest.mark.parametrize("name", ["_op", "_WRITE_TS"])
def test_a_name_of_ours_is_refused(name: str, tmp_path: Path) -> None:
    export = export_of(tmp_path / "bucket", list(small_lines(1)))
    with pytest.raises(UsageError, match="the name is reserved") as caught:
        convert(export.folder, tmp_path / "out", ConvertOptions(add_column=((name, "date"),)))
    assert caught.value.where == "--add-column"
