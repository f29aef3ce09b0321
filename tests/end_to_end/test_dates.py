"""`--cast NAME=date`: dates in every reader and format, in later runs, merges, and schema files."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from converter import ConvertOptions, convert, inspect, merge, scan
from converter.errors import SchemaError, UsageError
from converter.option_values import Format
from converter.options import SchemaText
from converter.schema.schema_file import render_schema_file
from converter.testing import write_export
from tests.cli.command import ddb_convert
from tests.end_to_end.exports import export_of, line, written_parts
from tests.end_to_end.test_merge import base, change, increment
from tests.end_to_end.test_remembered_times import described, publish

FORMATS: tuple[Format, ...] = ("parquet", "csv")
CAST = (("day", "date"),)
COLUMN = ("day", "date", "time")
TEXTS = ["0001-01-01", "1582-10-10", "1969-12-31", "1970-01-01", "2024-02-29", "9999-12-31"]
DAYS = [date.fromisoformat(text) for text in TEXTS]
LINES = [*(line(day=f'{{"S":"{text}"}}') for text in TEXTS), line(day='{"NULL":true}'), line(id='{"S":"x"}')]


def on(day: str) -> bytes:
    return line(day=f'{{"S":"{day}"}}')


@pytest.mark.parametrize("encoding", ["compact", "compatible"])
def test_every_reader_of_parquet_finds_dates(encoding: Any, tmp_path: Path) -> None:
    report = publish(tmp_path, 1, *LINES, cast=CAST, encoding=encoding)
    (part,) = written_parts(tmp_path / "out", report)
    opened = pq.ParquetFile(part)
    assert str(opened.schema_arrow.field("day").type) == "date32[day]"
    stored = opened.schema.column(opened.schema.names.index("day"))
    assert (stored.physical_type, stored.converted_type, str(stored.logical_type)) == ("INT32", "DATE", "Date")
    expected = [*DAYS, None, None]
    assert opened.read()["day"].to_pylist() == expected
    frame = pl.read_parquet(part)
    assert (frame.schema["day"], frame["day"].to_list()) == (pl.Date(), expected)
    with duckdb.connect() as connection:
        rows = connection.execute("select typeof(day), day from read_parquet(?)", [str(part)]).fetchall()
    assert rows == [("DATE", day) for day in expected]
    found = opened.metadata.row_group(0).column(opened.schema.names.index("day")).statistics
    assert (found.min, found.max, found.null_count) == (DAYS[0], DAYS[-1], 2)


@pytest.mark.parametrize("count", [10, 20_000])
def test_dates_that_repeat_take_a_dictionary_and_others_differences(count: int, tmp_path: Path) -> None:
    days = [date.fromordinal(700_000 + n % count) for n in range(20_000)]
    report = publish(tmp_path, 1, *(on(str(day)) for day in days), cast=CAST, encoding="compact")
    (part,) = written_parts(tmp_path / "out", report)
    opened = pq.ParquetFile(part)
    assert opened.read()["day"].to_pylist() == days
    encoding = "RLE_DICTIONARY" if count == 10 else "DELTA_BINARY_PACKED"
    assert encoding in opened.metadata.row_group(0).column(0).encodings


def test_csv_has_the_same_dates_alone_and_beside_parquet(tmp_path: Path) -> None:
    expected = [*TEXTS, "", ""]
    for number, format in ((1, "csv"), (2, "csv,parquet")):
        report = publish(tmp_path / format, number, *LINES, cast=CAST, format=format)
        part = next(part for part in written_parts(tmp_path / format / "out", report) if part.suffix == ".csv")
        assert [row.split(",")[0] for row in part.read_text().splitlines()[1:]] == expected


@pytest.mark.parametrize("format", FORMATS)
def test_a_scan_finds_dates(format: Format, tmp_path: Path) -> None:
    publish(tmp_path, 1, *LINES, cast=CAST, format=format)
    frame = scan(tmp_path / "out").collect()
    assert frame.schema["day"] == pl.Date()
    assert frame["day"].to_list() == [*DAYS, None, None]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ('{"S":"2024-02-30"}', "there is no such day"),
        ('{"S":"2024-01-01T00:00:00Z"}', "it is not in the form YYYY-MM-DD"),
        ('{"N":"1704067200"}', "only text can be a date"),
        ('{"M":{}}', "only text can be a date"),
    ],
)
def test_a_value_that_is_not_a_date_ends_the_run_with_its_place(
    value: str, reason: str, format: Format, tmp_path: Path
) -> None:
    with pytest.raises(SchemaError) as caught:
        publish(tmp_path, 1, on("2024-01-01"), line(day=value), cast=CAST, format=format)
    error = caught.value
    assert error.what == f"the value is not a date: {reason}"
    assert f" line 2 (byte {len(on('2024-01-01')) + 1}): $.Item.day." in error.where
    assert "--on-bad-time null" in error.hint
    assert "has it as a date" in error.hint
    assert not list((tmp_path / "out").glob("dt=*"))


@pytest.mark.parametrize("format", FORMATS)
def test_values_that_are_not_dates_become_null_where_that_is_wanted(format: Format, tmp_path: Path) -> None:
    values = ['{"S":"2024-02-29"}', '{"S":"2023-02-29"}', '{"N":"7"}', '{"BOOL":true}', '{"S":"soon"}']
    lines = [line(id='{"S":"x"}', day=value) for value in values]
    report = publish(tmp_path, 1, *lines, cast=CAST, on_bad_time="null", format=format)
    column = report.columns[0]
    assert column.times is not None
    assert (column.type, column.times.bad, len(column.times.bad_places)) == ("date", 4, 4)
    assert "4 values are not dates and became null" in report.warnings[0]
    assert column.times.to_json()["unit"] is None
    assert scan(tmp_path / "out").collect()["day"].to_list() == [date(2024, 2, 29), *[None] * 4]


@pytest.mark.parametrize("format", FORMATS)
def test_a_cast_is_remembered_with_and_without_the_option(format: Format, tmp_path: Path) -> None:
    for number, options in enumerate(({"cast": CAST}, {}, {"cast": CAST}), 1):
        assert described(publish(tmp_path, number, on(f"2024-01-0{number}"), format=format, **options)) == [COLUMN]
    assert scan(tmp_path / "out").collect()["day"].to_list() == [date(2024, 1, n) for n in (1, 2, 3)]
    with pytest.raises(SchemaError, match="not a date"):
        publish(tmp_path, 4, on("soon"), format=format)
    report = publish(tmp_path, 5, line(id='{"S":"x"}'), format=format)
    assert described(report) == [COLUMN, ("id", "string", "text")]


@pytest.mark.parametrize(
    ("first", "then", "value"),
    [
        ((), CAST, '{"S":"2024-01-01"}'),
        ((("day", "timestamp"),), CAST, '{"S":"2024-01-01"}'),
        ((("day", "timestamp(ms)"),), CAST, '{"S":"2024-01-01"}'),
        (CAST, (("day", "timestamp"),), '{"S":"2024-01-01"}'),
        (CAST, (("day", "timestamp(s)"),), '{"S":"2024-01-01"}'),
    ],
)
def test_another_cast_than_before_needs_evolve(
    first: tuple[tuple[str, str], ...], then: tuple[tuple[str, str], ...], value: str, tmp_path: Path
) -> None:
    publish(tmp_path, 1, line(day=value), cast=first)
    with pytest.raises(SchemaError, match="it needs"):
        publish(tmp_path, 2, line(day=value), cast=then)
    report = publish(tmp_path, 2, line(day=value), cast=then, evolve=True)
    assert report.columns[0].type == then[0][1].partition("(")[0]
    assert [change.change for change in report.column_changes] == ["widened"]
    assert described(publish(tmp_path, 3, line(day=value))) == described(report)


def test_a_column_of_dates_becomes_text_by_a_schema_file_with_evolve(tmp_path: Path) -> None:
    publish(tmp_path, 1, on("2024-01-01"), cast=CAST)
    file = SchemaText("schema.json", '{"version": 1, "columns": [{"attribute": "day", "type": "string"}]}')
    with pytest.raises(SchemaError, match="is date"):
        publish(tmp_path, 2, on("soon"), schema=file)
    report = publish(tmp_path, 2, on("soon"), schema=file, evolve=True)
    assert described(report) == [("day", "string", "mixed as text")]


def test_inspect_writes_a_schema_file_that_gives_dates(tmp_path: Path) -> None:
    export = export_of(tmp_path / "bucket", LINES)
    inspection = inspect(export.folder, ConvertOptions(cast=CAST))
    assert [(a.column, a.column_type, a.unit) for a in inspection.attributes][:1] == [("day", "date", None)]
    file = SchemaText("schema.json", render_schema_file(inspection.columns))
    assert json.loads(file.content)["columns"][0]["type"] == "date"
    report = convert(export.folder, tmp_path / "out", ConvertOptions(schema=file))
    assert described(report)[0] == COLUMN
    shown = ddb_convert("inspect", str(export.folder), "--cast", "day=date").stdout
    assert [row.split()[-1] for row in shown.splitlines() if row.startswith("day")] == ["date"]


def test_an_unknown_cast_is_answered_with_the_ones_that_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        ConvertOptions(cast=(("day", "dates"),))
    assert "date" in str(caught.value)
    with pytest.raises(UsageError):
        ConvertOptions(cast=(("day", "date(s)"),))


@pytest.mark.parametrize("format", ["parquet", "csv,parquet"])
def test_a_merge_with_a_snapshot_gives_what_one_merge_gives(format: Format, tmp_path: Path) -> None:
    items = [{"id": f"i-{n}", "day": text} for n, text in enumerate(TEXTS)]
    full = base(tmp_path / "b", items)
    first = increment(
        tmp_path / "b", 0, 1, change("i-1", None, {"day": "2000-02-29"}), change("i-2", {"day": TEXTS[2]}, None)
    )
    second = increment(tmp_path / "b", 1, 2, change("z", None, {"day": "0400-02-29"}), change("y", None, {"n": 1}))
    options = ConvertOptions(format=format, cast=CAST)
    merge(full, [first, second], tmp_path / "once", options)
    merge(full, [first], tmp_path / "half", options)
    merge(tmp_path / "half", [second], tmp_path / "twice", options)
    frames = [scan(tmp_path / name).collect().select("id", "day").sort("id") for name in ("once", "twice")]
    assert frames[0].equals(frames[1])
    assert frames[0]["day"].to_list() == [
        *(DAYS[0], date(2000, 2, 29), *DAYS[3:]),
        *(None, date(400, 2, 29)),
    ]


def test_the_text_of_a_date_in_a_snapshot_is_not_guessed(tmp_path: Path) -> None:
    full = base(tmp_path / "b", [{"id": "a", "day": "2024-01-01"}])
    convert(full, tmp_path / "items", ConvertOptions(cast=CAST))
    after = increment(tmp_path / "b", 0, 1, change("z", None, {"day": "soon"}))
    file = SchemaText("schema.json", '{"version": 1, "columns": [{"attribute": "day", "type": "string"}]}')
    with pytest.raises((SchemaError, UsageError)):
        merge(tmp_path / "items", [after], tmp_path / "out", ConvertOptions(schema=file, evolve=True))


def test_dates_go_through_a_large_export_in_several_batches_and_workers(tmp_path: Path) -> None:
    days = [date.fromordinal(1 + (n * 7919) % date.max.toordinal()) for n in range(120_000)]
    items = [{"id": {"N": str(n)}, **({"day": {"S": str(day)}} if n % 3 else {})} for n, day in enumerate(days)]
    export = write_export(tmp_path / "bucket", items)
    convert(export.folder, tmp_path / "out", ConvertOptions(cast=CAST, workers=2))
    frame = scan(tmp_path / "out").collect().sort("id")
    assert frame["day"].to_list() == [day if n % 3 else None for n, day in enumerate(days)]
