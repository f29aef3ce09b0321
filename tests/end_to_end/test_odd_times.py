"""Values that are not times, times that are too fine, and items without a time: refused, or counted with places."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from converter import convert, inspect, merge, scan
from converter.errors import SchemaError
from converter.option_values import Format
from converter.options import ConvertOptions
from converter.publishing.report import Report
from converter.publishing.times_report import TimesReport
from converter.testing import Change, ExportFacts, ExportPaths, WindowFacts, write_export, write_incremental_export
from tests.end_to_end.exports import export_of, line
from tests.times import EPOCH

FORMATS: tuple[Format, ...] = ("parquet", "csv", "csv,parquet")
CAST = (("at", "timestamp"),)
MOMENT = EPOCH + timedelta(microseconds=1_701_065_507_109_000)
GOOD = '{"S":"2023-11-27T06:11:47.109Z"}'
OTHERS = [
    '{"S":""}', '{"BOOL":true}', '{"M":{"a":{"S":"x"}}}', '{"L":[]}', '{"S":"so \\"on\\""}', '{"NS":["1"]}',
    '{"B":"AQID"}', '{"S":"2023-02-29"}', '{"S":"2023"}', '{"N":"1E+40"}', '{"SS":["x"]}', '{"BS":["AQID"]}',
]  # fmt: skip


def export_with(tmp_path: Path, values: list[str | None]) -> ExportPaths:
    lines = [line(id=f'{{"N":"{n}"}}', **({} if value is None else {"at": value})) for n, value in enumerate(values, 1)]
    return export_of(tmp_path / "bucket", lines)


def times_of(report: Report, name: str = "at") -> TimesReport:
    (times,) = (column.times for column in report.columns if column.name == name)
    assert times is not None
    return times


def column_of(tmp_path: Path, name: str) -> list[Any]:
    return scan(tmp_path / "out").collect().sort("id")[name].to_list()


@pytest.mark.parametrize("format", FORMATS)
def test_values_that_are_not_times_become_null_and_are_counted_with_their_places(
    format: Format, tmp_path: Path
) -> None:
    export = export_with(tmp_path, [GOOD, *OTHERS, GOOD, None])
    with pytest.raises(SchemaError, match="not a timestamp") as caught:
        convert(export.folder, tmp_path / "out", ConvertOptions(cast=CAST, format=format))
    assert "--on-bad-time null" in caught.value.hint
    options = ConvertOptions(cast=CAST, on_bad_time="null", format=format)
    report = convert(export.folder, tmp_path / "out", options)
    assert column_of(tmp_path, "at") == [MOMENT, *[None] * len(OTHERS), MOMENT, None]
    times = times_of(report)
    assert times.bad == len(OTHERS)
    assert len(times.bad_places) == 5
    assert " line 2 (byte " in times.bad_places[0]
    assert times.bad_places[0].partition("$.Item.at.S (")[2].startswith("it is not in ISO-8601 form")
    assert [warning for warning in report.warnings if f"{len(OTHERS)} values are not times and became null" in warning]
    record = json.loads(next((tmp_path / "out" / "_exports").glob("*.json")).read_text())
    (column,) = (column for column in record["report"]["columns"] if column["name"] == "at")
    assert (column["times"]["bad"], column["times"]["badPlaces"]) == (len(OTHERS), list(times.bad_places))
    assert convert(export.folder, tmp_path / "out", options).columns == report.columns


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("surprise", [None, 100, 59_000])
def test_bad_times_are_counted_once_whatever_the_workers_and_surprises(
    workers: int, surprise: int | None, tmp_path: Path
) -> None:
    lines = [line(id=f'{{"N":"{n}"}}', at='{"S":""}' if n % 1000 == 7 else GOOD) for n in range(60_000)]
    if surprise is not None:
        lines[surprise] = line(id='{"S":"text"}', at='{"S": "no"}')
    export = export_of(tmp_path / "bucket", lines[:24_000], lines[24_000:])
    report = convert(export.folder, tmp_path / "out", ConvertOptions(cast=CAST, on_bad_time="null", workers=workers))
    times = times_of(report)
    assert times.bad == 60 + (surprise is not None)
    expected = sorted({*range(7, 60_000, 1000), *([surprise] if surprise is not None else [])})[:5]
    assert [f" line {n + 1} (" in place for n, place in zip(expected, times.bad_places, strict=True)] == [True] * 5


@pytest.mark.parametrize("format", FORMATS)
def test_finer_times_are_cut_to_the_microsecond_below_and_counted(format: Format, tmp_path: Path) -> None:
    values = [
        '{"S":"2023-11-27T06:11:47.1090009Z"}',
        '{"N":"1701065507.1090009"}',
        '{"S":"1701065507.1090009"}',
        '{"S":"1969-12-31T23:59:59.9999999Z"}',
        '{"N":"-0.0000001"}',
        '{"S":"2023-11-27T06:11:47.109000000Z"}',
    ]
    export = export_with(tmp_path, [*values])
    with pytest.raises(SchemaError, match="finer") as caught:
        convert(export.folder, tmp_path / "out", ConvertOptions(cast=CAST, format=format))
    assert "--on-fine-time truncate" in caught.value.hint
    report = convert(export.folder, tmp_path / "out", ConvertOptions(cast=CAST, on_fine_time="truncate", format=format))
    below = EPOCH - timedelta(microseconds=1)
    assert column_of(tmp_path, "at") == [MOMENT, MOMENT, MOMENT, below, below, MOMENT]
    times = times_of(report)
    assert (times.cut, len(times.cut_places), times.bad) == (5, 5, 0)
    assert times.cut_places[0].endswith("line 1 (byte 0): $.Item.at.S")
    assert [warning for warning in report.warnings if "5 times are cut to the microsecond below" in warning]


@pytest.mark.parametrize("format", FORMATS)
def test_the_column_time_takes_any_number_of_digits(format: Format, tmp_path: Path) -> None:
    values = ['{"S":"2023-11-27T06:11:47.123456789Z"}', '{"N":"1701065507.1090009"}', '{"N":"1701065507"}']
    export = export_with(tmp_path, [*values])
    report = convert(export.folder, tmp_path / "out", ConvertOptions(time="at", format=format))
    assert column_of(tmp_path, "time") == [1_701_065_507] * 3
    (column,) = (column for column in report.columns if column.name == "time")
    assert column.changed == 2


@pytest.mark.parametrize("format", FORMATS)
def test_items_without_a_time_are_counted_and_take_the_exports_time_on_request(format: Format, tmp_path: Path) -> None:
    values = [GOOD, None, '{"NULL":true}', GOOD, '{"S":"soon"}']
    export = export_with(tmp_path, [*values])
    options: dict[str, Any] = {"time": "at", "on_bad_time": "null", "format": format}
    report = convert(export.folder, tmp_path / "out", ConvertOptions(**options))
    assert column_of(tmp_path, "time") == [1_701_065_507, None, None, 1_701_065_507, None]
    times = times_of(report, "time")
    assert (times.untimed, times.untimed_deletes, times.bad, times.default) == (3, 0, 1, None)
    assert times.untimed_place is not None
    assert " line 2 (byte " in times.untimed_place
    (warning,) = (warning for warning in report.warnings if "3 items have no time of their own" in warning)
    assert "time of the upload" in warning
    seconds = int(datetime.fromisoformat(report.export_time).timestamp())
    report = convert(
        export.folder, tmp_path / "out", ConvertOptions(**options, time_default="export_time", replace=True)
    )
    assert column_of(tmp_path, "time") == [1_701_065_507, seconds, seconds, 1_701_065_507, seconds]
    assert times_of(report, "time").default == seconds
    with pytest.raises(SchemaError, match="no value for the column time") as caught:
        convert(export.folder, tmp_path / "out", ConvertOptions(**options, time_default="fail", replace=True))
    assert caught.value.exit_code == 4
    assert " line 2 (byte " in caught.value.where
    assert caught.value.where.endswith("$.Item")


@pytest.mark.parametrize("format", FORMATS)
def test_many_rows_take_the_default_whether_any_has_a_time_or_not(format: Format, tmp_path: Path) -> None:
    values = ['{"S":"2023-11-27T06:11:47Z"}' if n % 97 == 5 else None for n in range(30_000)]
    nothing: list[str | None] = [None] * 3000
    for number, some in enumerate((values, nothing)):
        export = export_with(tmp_path / str(number), [*some])
        options = ConvertOptions(time="at", time_default="export_time", format=format)
        report = convert(export.folder, tmp_path / str(number) / "out", options)
        seconds = int(datetime.fromisoformat(report.export_time).timestamp())
        expected = [seconds if value is None else 1_701_065_507 for value in some]
        assert column_of(tmp_path / str(number), "time") == expected
        assert times_of(report, "time").untimed == some.count(None)


def test_an_empty_item_has_no_time_either(tmp_path: Path) -> None:
    export = export_of(tmp_path / "bucket", [line(at=GOOD), line(), line(at=GOOD)])
    report = convert(export.folder, tmp_path / "out", ConvertOptions(time="at", time_default="export_time"))
    assert times_of(report, "time").untimed == 1
    with pytest.raises(SchemaError, match="no value for the column time") as caught:
        convert(export.folder, tmp_path / "other", ConvertOptions(time="at", time_default="fail"))
    assert " line 2 (byte " in caught.value.where


def test_deletes_are_counted_apart_and_never_fail_the_run(tmp_path: Path) -> None:
    window = WindowFacts()
    changes = [
        Change(keys={"id": "a"}, old=None, new={"id": "a", "at": 1_700_000_000}, written=window.from_time),
        Change(keys={"id": "b"}, old={"id": "b", "at": 1_600_000_000}, new=None, written=window.from_time),
    ]
    export = write_incremental_export(tmp_path / "bucket", changes, facts=window)
    report = convert(export.folder, tmp_path / "out", ConvertOptions(time="at", time_default="fail"))
    assert column_of(tmp_path, "time") == [1_700_000_000, None]
    times = times_of(report, "time")
    assert (times.untimed, times.untimed_deletes) == (0, 1)
    assert [warning for warning in report.warnings if "1 deletes have only keys, and no time" in warning]
    options = ConvertOptions(time="at", time_default="export_time", replace=True)
    convert(export.folder, tmp_path / "out", options)
    instant = int(datetime.fromisoformat(report.export_time).astimezone(UTC).timestamp())
    assert column_of(tmp_path, "time") == [1_700_000_000, instant]


def test_an_inspection_counts_odd_times(tmp_path: Path) -> None:
    export = export_with(tmp_path, [GOOD, '{"S":""}', None])
    found = inspect(export.folder, ConvertOptions(time="at", on_bad_time="null"))
    assert [warning for warning in found.warnings if "1 values are not times" in warning]
    assert [warning for warning in found.warnings if "2 items have no time" in warning]


@pytest.mark.parametrize("format", ["parquet", "csv,parquet"])
def test_rows_of_a_base_without_a_time_are_counted_and_filled_too(format: Format, tmp_path: Path) -> None:
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    items: list[dict[str, Any]] = [{"id": "a", "at": 1_600_000_000}, {"id": "b"}, {"id": "c"}]
    full = write_export(tmp_path / "bucket", items, facts=ExportFacts(export_time=begin)).folder

    def increment(hours: int, name: str) -> Path:
        start = begin + timedelta(hours=hours)
        change = Change(keys={"id": name}, old=None, new={"id": name, "at": 1_700_000_000}, written=start)
        facts = WindowFacts(from_time=start, to_time=start + timedelta(hours=1))
        return write_incremental_export(tmp_path / str(len([*tmp_path.iterdir()])), [change], facts=facts).folder

    def merged(base: Path, hours: int, name: str, **given: Any) -> Report:
        options = ConvertOptions(time="at", format=format, replace=True, **given)
        return merge(base, [increment(hours, name)], tmp_path / "out", options)

    assert times_of(merged(full, 0, "d"), "time").untimed == 2
    report = merged(tmp_path / "out", 1, "e")
    assert times_of(report, "time").untimed == 2
    assert [warning for warning in report.warnings if "2 items have no time of their own" in warning]
    with pytest.raises(SchemaError, match="a row of the base has no value"):
        merged(tmp_path / "out", 2, "f", time_default="fail")
    report = merged(tmp_path / "out", 2, "f", time_default="export_time")
    last = int(datetime.fromisoformat(report.export_time).timestamp())
    expected = [1_600_000_000, last, last, 1_700_000_000, 1_700_000_000, 1_700_000_000]
    assert column_of(tmp_path, "time") == expected
    assert times_of(report, "time").untimed == 2
    report = merged(tmp_path / "out", 3, "g", time_default="export_time")
    assert column_of(tmp_path, "time") == [*expected, 1_700_000_000]
    assert times_of(report, "time").untimed == 0
