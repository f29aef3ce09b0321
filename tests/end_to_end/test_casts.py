"""`--cast` and `--time`: timestamps in every reader, and the first item without one ends the run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter import convert, inspect, scan
from converter.errors import BadLineError, DataFileError, SchemaError
from converter.option_values import Format
from converter.options import ConvertOptions
from converter.testing import item_line, write_split_export
from converter.time_options import UNITS, Unit
from tests.end_to_end.exports import export_of, line, sha256_of, small_lines, written_parts
from tests.examples import examples
from tests.times import EPOCH, epoch_numbers, iso_texts, moment_of_number, moment_of_text, text_of, unix_texts

FORMATS: tuple[Format, ...] = ("parquet", "csv")
CAST = (("at", "timestamp"),)
SECONDS = (("at", "timestamp(s)"),)
MOMENT = datetime(2023, 11, 27, 6, 11, 47, 109_000, UTC)
LINES = [
    line(id='{"S":"a"}', at='{"S":"2023-11-27T06:11:47.109Z"}', time='{"S":"x"}'),
    line(id='{"S":"b"}', at='{"N":"1701065507109"}'),
    line(id='{"S":"c"}', at='{"S":"1701065507109.000"}'),
    line(id='{"S":"d"}', at='{"S":"2023-11-27 07:11:47.109000000+0100"}'),
    line(id='{"S":"e"}', at='{"NULL":true}'),
    line(id='{"S":"f"}'),
]
MOMENTS = [MOMENT, MOMENT, MOMENT, MOMENT, None, None]


def one_part(tmp_path: Path, lines: list[bytes], **options: Any) -> Path:
    export = export_of(tmp_path / "bucket", lines)
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(**options))
    (part,) = written_parts(tmp_path / "out", report)
    return part


def test_every_reader_of_parquet_finds_timestamps_in_utc(tmp_path: Path) -> None:
    part = one_part(tmp_path, LINES, cast=CAST)
    assert str(pq.ParquetFile(part).schema_arrow.field("at").type) == "timestamp[us, tz=UTC]"
    assert pq.ParquetFile(part).schema.column(0).converted_type == "TIMESTAMP_MICROS"
    assert pq.read_table(part)["at"].to_pylist() == MOMENTS
    frame = pl.read_parquet(part)
    assert frame.schema["at"] == pl.Datetime("us", "UTC")
    assert frame["at"].to_list() == MOMENTS
    with duckdb.connect() as connection:
        rows = connection.execute('select typeof("at"), epoch_us("at") from read_parquet(?)', [str(part)]).fetchall()
    assert rows[0] == ("TIMESTAMP WITH TIME ZONE", 1701065507109000)
    assert [micros for _, micros in rows] == [1701065507109000] * 4 + [None] * 2


def test_every_reader_of_csv_parses_the_one_form_that_is_written(tmp_path: Path) -> None:
    part = one_part(tmp_path, LINES, cast=CAST, format="csv")
    assert part.read_text().splitlines()[1:3] == ["2023-11-27T06:11:47.109000Z,a,x", "2023-11-27T06:11:47.109000Z,b,"]
    frame = pl.read_csv(part).with_columns(pl.col("at").str.to_datetime("%Y-%m-%dT%H:%M:%S%.6fZ", time_zone="UTC"))
    assert frame["at"].to_list() == MOMENTS
    assert pl.read_csv(part, try_parse_dates=True)["at"].to_list() == MOMENTS
    assert pa_csv.read_csv(part)["at"].to_pylist() == MOMENTS
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select epoch_us(\"at\") from read_csv(?, types={'at': 'TIMESTAMPTZ'})", [str(part)]
        ).fetchall()
    assert [micros for (micros,) in rows] == [1701065507109000] * 4 + [None] * 2


@pytest.mark.parametrize("format", FORMATS)
def test_a_scan_has_timestamps_whatever_the_format(format: Format, tmp_path: Path) -> None:
    one_part(tmp_path, LINES, cast=CAST, format=format)
    frame = scan(tmp_path / "out").collect()
    assert frame.schema["at"] == pl.Datetime("us", "UTC")
    assert frame["at"].to_list() == MOMENTS


@pytest.mark.parametrize("format", FORMATS)
def test_the_first_and_the_last_moment_of_the_calendar_survive(format: Format, tmp_path: Path) -> None:
    texts = ["0001-01-01", "9999-12-31T23:59:59.999999"]
    lines = [line(id='{"S":"a"}', at=f'{{"S":"{text}"}}') for text in texts]
    one_part(tmp_path, lines, cast=CAST, format=format)
    expected = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in texts]
    assert scan(tmp_path / "out").collect()["at"].to_list() == expected


@pytest.mark.parametrize("format", FORMATS)
def test_the_column_time_has_unix_seconds_and_the_report_says_what_was_cut(format: Format, tmp_path: Path) -> None:
    export = export_of(tmp_path / "bucket", [*LINES, line(id='{"S":"g"}', at='{"S":"1969-12-31T23:59:59.5Z"}')])
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(time="at", format=format))
    frame = scan(tmp_path / "out").collect()
    assert frame.columns == ["time", "id", "time_1", "dt"]
    assert frame["time"].to_list() == [1701065507] * 4 + [None] * 2 + [-1]
    assert frame.schema["time"] == pl.Int64
    assert frame["time_1"].to_list() == ["x"] + [None] * 6
    (column,) = (c for c in report.columns if c.name == "time")
    assert (column.attribute, column.type, column.origin, column.changed) == ("at", "int64", "time", 5)
    assert column.types == {"S": 4, "N": 1, "NULL": 1}
    assert [warning for warning in report.warnings if "5 times are cut to the second below" in warning]


def test_an_attribute_called_time_may_be_the_column_time(tmp_path: Path) -> None:
    part = one_part(tmp_path, [line(time='{"N":"5"}', Time='{"S":"x"}')], time="time", time_unit="s")
    assert pq.read_table(part).to_pylist() == [{"Time_1": "x", "time": 5}]


def test_whole_seconds_are_not_cut(tmp_path: Path) -> None:
    export = export_of(tmp_path / "bucket", [line(at='{"N":"5"}')])
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(time="at", time_unit="s"))
    assert (report.columns[0].changed, report.warnings) == (0, ())


def many(*bad: tuple[int, str]) -> list[list[bytes]]:
    """Three data files, each a shard of its own, of 24,000 items with timestamps, but for these."""
    wrong = dict(bad)
    numbers = [range(start, start + 24_000) for start in range(0, 72_000, 24_000)]
    return [[line(id=f'{{"N":"{n}"}}', at=wrong.get(n, f'{{"N":"{n}"}}')) for n in part] for part in numbers]


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("surprise", [None, 23_000, 70_000])
@pytest.mark.parametrize("format", FORMATS)
def test_the_lowest_file_and_line_is_named_whatever_the_workers_and_surprises(
    workers: int, surprise: int | None, format: Format, tmp_path: Path
) -> None:
    files = many((40_000, '{"S":"no"}'), (40_001, '{"BOOL":true}'), (48_010, '{"S":"never"}'))
    if surprise:
        files[surprise // 24_000][surprise % 24_000] = line(id='{"S":"text"}', at='{"N":"1"}')
    export = export_of(tmp_path / "bucket", *files)
    options = ConvertOptions(cast=SECONDS, workers=workers, format=format)
    with pytest.raises(SchemaError) as caught:
        convert(str(export.folder), str(tmp_path / "out"), options)
    assert caught.value.exit_code == 4
    byte = sum(len(each) + 1 for each in files[1][:16_000])
    assert caught.value.where == f"{export.data_files[1]} line 16001 (byte {byte}): $.Item.at.S"
    assert "--show-values" in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_values_are_shown_only_when_asked_for(tmp_path: Path) -> None:
    export = export_of(tmp_path / "bucket", [line(id='{"S":"a"}', at='{"S":"5ecret"}')])
    for show in (False, True):
        with pytest.raises(SchemaError) as caught:
            convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(time="at", show_values=show))
        assert ("5ecret" in str(caught.value)) is show


def test_a_bad_line_and_a_damaged_file_are_worse_than_a_value_that_is_no_timestamp(tmp_path: Path) -> None:
    export = export_of(tmp_path / "bucket", [line(at='{"S":"no"}', n='{"N":"007"}')])
    with pytest.raises(BadLineError):
        convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(cast=CAST))
    export = export_of(tmp_path / "other", [line(at='{"S":"no"}')])
    other = export_of(tmp_path / "third", [line(at='{"S":"on"}')])
    export.data_files[0].write_bytes(other.data_files[0].read_bytes())
    with pytest.raises(DataFileError, match="md5"):
        convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(cast=CAST))


def test_an_inspection_shows_the_column_and_refuses_the_same_values(tmp_path: Path) -> None:
    export = export_of(tmp_path / "bucket", LINES)
    found = {
        a.attribute: (a.column, a.column_type) for a in inspect(export.folder, ConvertOptions(cast=CAST)).attributes
    }
    assert found["at"] == ("at", "timestamp")
    found = {
        a.attribute: (a.column, a.column_type) for a in inspect(export.folder, ConvertOptions(time="at")).attributes
    }
    assert (found["at"], found["time"]) == (("time", "int64"), ("time_1", "string"))
    for sample in (False, True):
        with pytest.raises(SchemaError, match="not a timestamp"):
            inspect(export.folder, ConvertOptions(cast=(("id", "timestamp"),)), sample=sample)


@pytest.mark.parametrize(("option", "given"), [("cast", (("created", "timestamp"),)), ("time", "created")])
def test_a_name_that_no_item_has_is_a_warning_with_the_nearest(option: str, given: Any, tmp_path: Path) -> None:
    export = export_of(tmp_path, [line(id='{"S":"a"}', created_at='{"N":"1"}')])
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(**{option: given}))
    warning = f"no item has an attribute 'created' (--{option}): did you mean 'created_at'?"
    assert f"{warning} The corrected command needs --replace for this date" in report.warnings


def test_a_cast_attribute_never_goes_to_the_overflow_column(tmp_path: Path) -> None:
    lines = [line(a='{"S":"x"}', b='{"S":"y"}', c='{"S":"z"}'), line(a='{"S":"x"}', b='{"S":"y"}', at='{"N":"0"}')]
    part = one_part(tmp_path, lines, cast=CAST, max_columns=3, overflow="_more")
    assert pq.read_table(part).to_pylist() == [
        {"a": "x", "at": None, "_more": '{"b":"y","c":"z"}'},
        {"a": "x", "at": EPOCH, "_more": '{"b":"y"}'},
    ]


def test_mixed_fail_and_number_options_leave_a_cast_alone(tmp_path: Path) -> None:
    part = one_part(tmp_path, LINES, cast=CAST, mixed="fail", numbers="double")
    assert pq.read_table(part)["at"].to_pylist() == MOMENTS


def test_texts_and_numbers_on_other_dates_are_one_column_in_a_scan(tmp_path: Path) -> None:
    from tests.end_to_end.test_scan import day

    for number, value in ((1, '{"S":"1970-01-01"}'), (2, '{"N":"1"}')):
        export = export_of(tmp_path / str(number), [line(at=value)], facts=day(number))
        convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(cast=SECONDS))
    assert scan(tmp_path / "out").collect()["at"].to_list() == [EPOCH, EPOCH + timedelta(seconds=1)]


@pytest.mark.parametrize("format", FORMATS)
def test_the_number_of_workers_changes_no_byte(format: Format, tmp_path: Path) -> None:
    export = export_of(tmp_path / "bucket", *many((71_999, '{"S":"1969-12-31T23:59:59.999999"}')))
    outcomes = []
    for workers in (1, 4):
        options = ConvertOptions(cast=SECONDS, workers=workers, format=format)
        report = convert(str(export.folder), str(tmp_path / f"out{workers}"), options)
        # Text turns up in the last line of all: it is read like the numbers before it.
        assert report.passes == 1
        outcomes.append(sha256_of(written_parts(tmp_path / f"out{workers}", report)))
    assert outcomes[0] == outcomes[1]


@settings(max_examples=examples(60), deadline=None)
@given(st.data(), st.sampled_from(FORMATS), st.sampled_from(UNITS))
def test_an_export_is_what_python_makes_of_its_timestamps_or_is_refused_at_the_first_that_is_none(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, format: Format, unit: Unit
) -> None:
    texts = st.builds(lambda text: {"S": text}, st.one_of(iso_texts(), unix_texts(unit)))
    numbers = st.builds(lambda text: {"N": text}, epoch_numbers(unit))
    values = data.draw(st.lists(st.one_of(texts, numbers), max_size=12))
    folder = tmp_path_factory.mktemp("export")
    lines = [item_line({"id": {"S": "x"}, "at": value})[:-1] for value in values]
    export = write_split_export(folder / "bucket", [[line(id='{"S":"first"}', at='{"N":"0"}')], lines])
    moments = [
        moment_of_text(value["S"], unit) if "S" in value else moment_of_number(value["N"], unit) for value in values
    ]
    options = ConvertOptions(cast=(("at", f"timestamp({unit})"),), format=format)
    bad = [moment is None or not moment.exact for moment in moments]
    if any(bad):
        with pytest.raises(SchemaError) as caught:
            convert(export.folder, folder / "out", options)
        assert f"{export.data_files[1]} line {bad.index(True) + 1} (" in caught.value.where
        options = replace(options, on_bad_time="null", on_fine_time="truncate")
    report = convert(export.folder, folder / "out", options)
    expected = [0, *(None if moment is None else moment.micros for moment in moments)]
    found = scan(folder / "out").collect()["at"].to_list()
    assert found == [None if micros is None else EPOCH + timedelta(microseconds=micros) for micros in expected]
    (times,) = (column.times for column in report.columns if column.name == "at")
    assert times is not None
    assert (times.unit, times.bad, times.cut) == (
        unit,
        moments.count(None),
        sum(moment is not None and not moment.exact for moment in moments),
    )
    if format == "csv":
        text = "".join(part.read_text() for part in written_parts(folder / "out", report))
        assert [row.split(",")[0] for row in text.splitlines() if not row.startswith("at")] == [
            "" if micros is None else text_of(micros) for micros in expected
        ]


def test_an_empty_export_knows_no_attribute_to_miss(tmp_path: Path) -> None:
    export = export_of(tmp_path / "bucket", [])
    report = convert(export.folder, tmp_path / "out", ConvertOptions(cast=CAST, time="u"))
    assert (report.items, report.columns) == (0, ())


def test_an_attribute_that_is_only_null_has_no_column_and_is_no_error(tmp_path: Path) -> None:
    export = export_of(tmp_path / "bucket", [*small_lines(2), line(id='{"S":"x"}', at='{"NULL":true}')])
    report = convert(export.folder, tmp_path / "out", ConvertOptions(cast=CAST))
    assert [column.name for column in report.columns] == ["id", "n"]
    assert [warning for warning in report.warnings if "'at' is only ever NULL" in warning]
