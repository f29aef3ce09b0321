"""Units of Unix times: given, decided by all numbers of a column, or refused; and remembered by a destination."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from converter import MergeRules, convert, inspect, merge, scan
from converter.errors import SchemaError
from converter.option_values import Format
from converter.options import ConvertOptions, SchemaText
from converter.publishing.report import ColumnReport, Report
from converter.schema.schema_file import render_schema_file
from converter.testing import Change, ExportFacts, OutputFormat, WindowFacts, write_export, write_incremental_export
from converter.time_options import UNITS, Unit
from tests.end_to_end.exports import export_of, line
from tests.times import EPOCH, PER_SECOND

FORMATS: tuple[Format, ...] = ("parquet", "csv")
CAST = (("at", "timestamp"),)
LATEST = 253_402_300_799
"""9999-12-31T23:59:59Z in seconds, the greatest TTL."""


def number(value: int | str) -> bytes:
    return line(id='{"S":"x"}', at=f'{{"N":"{value}"}}')


def publish(folder: Path, day: int, *lines: bytes, **options: Any) -> Report:
    facts = ExportFacts(export_time=datetime(2024, 1, day, 12, tzinfo=UTC))
    shutil.rmtree(folder / str(day), ignore_errors=True)
    export = export_of(folder / str(day), lines, facts=facts)
    return convert(export.folder, folder / "out", ConvertOptions(**{"cast": CAST, **options}))


def seconds_of(folder: Path, column: str = "at") -> list[int | None]:
    found = scan(folder / "out").collect()[column].to_list()
    return [None if at is None else (at - EPOCH) // timedelta(seconds=1) for at in found]


def column_of(report: Report, name: str = "at") -> ColumnReport:
    return next(column for column in report.columns if column.name == name)


def unit_of(report: Report, name: str = "at") -> str | None:
    times = column_of(report, name).times
    assert times is not None
    return times.unit


@pytest.mark.parametrize("format", FORMATS)
def test_the_greatest_ttl_is_in_seconds_like_the_others(format: Format, tmp_path: Path) -> None:
    report = publish(tmp_path, 1, number(LATEST), number(1_767_225_600), number(0), format=format)
    assert seconds_of(tmp_path) == [LATEST, 1_767_225_600, 0]
    assert unit_of(report) == "s"


@pytest.mark.parametrize("format", FORMATS)
def test_milliseconds_near_1970_are_milliseconds_like_the_others(format: Format, tmp_path: Path) -> None:
    report = publish(tmp_path, 1, *map(number, (86_400_000, -86_400_000, 631_152_000_000)), format=format)
    assert seconds_of(tmp_path) == [86_400, -86_400, 631_152_000]
    assert unit_of(report) == "ms"


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("format", FORMATS)
def test_each_unit_is_told_by_its_numbers_or_given(unit: Unit, format: Format, tmp_path: Path) -> None:
    numbers = [second * PER_SECOND[unit] for second in (1_700_000_000, -1_700_000_000, 0)]
    for folder, cast in ((tmp_path / "a", CAST), (tmp_path / "b", (("at", f"timestamp({unit})"),))):
        report = publish(folder, 1, *map(number, numbers), cast=cast, format=format)
        assert seconds_of(folder) == [1_700_000_000, -1_700_000_000, 0]
        assert unit_of(report) == unit
    times: dict[str, Any] = {"cast": (), "time": "at", "time_unit": unit}
    publish(tmp_path / "c", 1, *map(number, numbers), **times, format=format)
    assert scan(tmp_path / "c" / "out").collect()["time"].to_list() == [1_700_000_000, -1_700_000_000, 0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([86_400_000, -86_400_000], "may be seconds, milliseconds, microseconds or nanoseconds"),
        ([LATEST], "may be seconds or milliseconds"),
        ([LATEST * 1000], "may be milliseconds or microseconds"),
        ([1_767_225_600, 1_767_225_600_000], "can't all be in one unit"),
        ([1_000_000_000, 631_152_000_000], "can't all be in one unit"),
    ],
)
@pytest.mark.parametrize("workers", [1, 3])
def test_numbers_that_may_be_in_no_unit_or_in_several_end_the_run(
    values: list[int], message: str, workers: int, tmp_path: Path
) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        publish(tmp_path, 1, *map(number, values), workers=workers)
    assert caught.value.exit_code == 4
    assert "--cast 'at=timestamp(UNIT)'" in caught.value.hint
    if len(values) > 1 and "one unit" in message:
        assert "line 2 (byte" in caught.value.where
        assert "line 1 (byte" in caught.value.where
    assert not (tmp_path / "out").exists()


def test_the_option_that_gives_the_unit_of_the_column_time_is_named(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="is not known") as caught:
        publish(tmp_path, 1, number(5), cast=(), time="at")
    assert "--time at=UNIT" in caught.value.hint


def test_a_given_unit_takes_what_would_be_another_one_by_its_size(tmp_path: Path) -> None:
    publish(tmp_path, 1, number(1_767_225_600), number(5), cast=(("at", "timestamp(ms)"),))
    assert seconds_of(tmp_path) == [1_767_225, 0]
    with pytest.raises(SchemaError, match="years 1 to 9999"):
        publish(tmp_path / "other", 1, number(1_767_225_600_000), cast=(("at", "timestamp(s)"),))


def test_nanoseconds_are_exact_to_the_microsecond_or_too_fine(tmp_path: Path) -> None:
    report = publish(tmp_path, 1, number(1_701_065_507_109_000_000), number("1701065507109001000"))
    assert unit_of(report) == "ns"
    with pytest.raises(SchemaError, match="finer"):
        publish(tmp_path, 2, number(1_701_065_507_109_000_001))
    publish(tmp_path, 2, number(1_701_065_507_109_000_001), number(-1), on_fine_time="truncate")
    assert scan(tmp_path / "out").filter(dt="2024-01-02").collect()["at"].to_list() == [
        EPOCH + timedelta(microseconds=1_701_065_507_109_000),
        EPOCH - timedelta(microseconds=1),
    ]


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("place", [0, 20_000, 59_999])
def test_the_unit_is_that_of_all_numbers_wherever_the_telling_one_is(workers: int, place: int, tmp_path: Path) -> None:
    lines = [line(id=f'{{"N":"{n}"}}', at=f'{{"N":"{n * 1000}"}}') for n in range(60_000)]
    lines[place] = number(1_700_000_000_000)
    export = export_of(tmp_path / "bucket", lines[:24_000], lines[24_000:])
    options = ConvertOptions(cast=CAST, workers=workers, exclude=("id",))
    report = convert(export.folder, tmp_path / "out", options)
    assert unit_of(report) == "ms"
    expected = [1_700_000_000 if n == place else n for n in range(60_000)]
    assert seconds_of(tmp_path) == expected


def test_texts_and_numbers_have_one_unit(tmp_path: Path) -> None:
    texts = [line(at=f'{{"S":"{text}"}}') for text in ("1701065507109", "2023-11-27T06:11:47Z", "0")]
    report = publish(tmp_path, 1, *texts, number(86_400_000))
    assert unit_of(report) == "ms"
    assert seconds_of(tmp_path) == [1_701_065_507, 1_701_065_507, 0, 86_400]


@pytest.mark.parametrize("format", FORMATS)
def test_a_destination_remembers_the_unit(format: Format, tmp_path: Path) -> None:
    publish(tmp_path, 1, number(1_700_000_000_000), format=format)
    assert unit_of(publish(tmp_path, 2, number(5), number(86_400_000), format=format)) == "ms"
    assert unit_of(publish(tmp_path, 3, line(at='{"S":"2023-11-27"}'), cast=(), format=format)) == "ms"
    with pytest.raises(SchemaError, match="can't be milliseconds, as those of its column 'at'") as caught:
        publish(tmp_path, 4, number(86_400_000), number(1_700_000_000), format=format)
    assert "line 2 (byte" in caught.value.where
    assert "--evolve" in caught.value.hint
    with pytest.raises(SchemaError, match="can't be milliseconds"):
        publish(tmp_path, 4, number(1_700_000_000), format=format, evolve=True)
    with pytest.raises(SchemaError, match="milliseconds, and the options say seconds"):
        publish(tmp_path, 4, number(1_700_000_000), format=format, cast=(("at", "timestamp(s)"),))
    report = publish(tmp_path, 4, number(1_700_000_000), format=format, cast=(("at", "timestamp(s)"),), evolve=True)
    assert unit_of(report) == "s"
    assert report.warnings == ("column 'at': numbers are seconds from this export on, and were milliseconds before",)
    assert seconds_of(tmp_path) == [1_700_000_000, 0, 86_400, 1_701_043_200, 1_700_000_000]


def test_the_column_time_remembers_its_unit_too(tmp_path: Path) -> None:
    publish(tmp_path, 1, number(1_700_000_000_000), cast=(), time="at")
    assert unit_of(publish(tmp_path, 2, number(86_400_000), cast=()), "time") == "ms"
    with pytest.raises(SchemaError, match="can't be milliseconds"):
        publish(tmp_path, 3, number(1_700_000_000), cast=(), time="at")
    with pytest.raises(SchemaError, match="the options say seconds"):
        publish(tmp_path, 3, number(1_700_000_000), cast=(), time="at", time_unit="s")


def test_texts_of_one_day_leave_the_unit_open_for_the_next(tmp_path: Path) -> None:
    assert unit_of(publish(tmp_path, 1, line(at='{"S":"2023-11-27"}'), number(0))) is None
    assert unit_of(publish(tmp_path, 2, number(1_700_000_000))) == "s"
    with pytest.raises(SchemaError, match="can't be seconds"):
        publish(tmp_path, 3, number(1_700_000_000_000))


def test_a_schema_file_gives_the_unit_and_inspect_writes_it(tmp_path: Path) -> None:
    export = export_of(tmp_path / "bucket", [line(at='{"N":"1700000000000"}', of='{"N":"1700000000000000"}')])
    found = inspect(export.folder, ConvertOptions(cast=CAST, time="of"))
    shown = [(a.column, a.column_type, a.unit) for a in found.attributes]
    assert shown == [("at", "timestamp", "ms"), ("time", "int64", "us")]
    file = SchemaText("schema.json", render_schema_file(found.columns))
    assert '"type": "timestamp(ms)"' in file.content
    assert '"unit": "us"' in file.content
    small = line(at='{"N":"86400000"}', of='{"N":"5000000"}')
    report = publish(tmp_path, 1, small, cast=(), schema=file)
    assert (unit_of(report), unit_of(report, "time")) == ("ms", "us")
    assert seconds_of(tmp_path) == [86_400]
    assert scan(tmp_path / "out").collect()["time"].to_list() == [5]
    other = SchemaText("schema.json", file.content.replace("(ms)", "(s)"))
    with pytest.raises(SchemaError, match=r"timestamp in milliseconds .* makes it timestamp in seconds"):
        publish(tmp_path, 2, small, cast=(), schema=other)


def test_an_inspection_shows_a_column_whose_unit_is_open(tmp_path: Path) -> None:
    export = export_of(tmp_path / "bucket", [number(5)])
    found = inspect(export.folder, ConvertOptions(cast=CAST))
    assert [(a.column, a.column_type) for a in found.attributes] == [("at", "timestamp"), ("id", "string")]
    assert [warning for warning in found.warnings if "is not known" in warning]


@pytest.mark.parametrize("output_format", ["DYNAMODB_JSON", "ION"])
def test_merges_and_changes_have_the_unit_of_all_their_numbers(output_format: OutputFormat, tmp_path: Path) -> None:
    def item(name: int, at: int) -> dict[str, Any]:
        return {"id": str(name), "at": at}

    def increment(begin: int, old: dict[str, Any] | None, new: dict[str, Any]) -> Path:
        window = WindowFacts(from_time=hour(begin), to_time=hour(begin + 1), output_format=output_format)
        change = Change(keys={"id": new["id"]}, old=old, new=new, written=hour(begin))
        return write_incremental_export(tmp_path / "bucket", [change], facts=window).folder

    def hour(number: int) -> datetime:
        return datetime(2024, 1, 1, number, tzinfo=UTC)

    items = [item(n, 1_700_000_000_000 + n) for n in range(3)]
    facts = ExportFacts(export_time=hour(0), output_format=output_format)
    full = write_export(tmp_path / "bucket", items, facts=facts).folder
    first, second = increment(0, items[1], item(1, 86_400_000)), increment(1, items[2], item(2, 1000))
    rules, options = MergeRules(), ConvertOptions(cast=CAST, replace=True)
    assert unit_of(merge(full, [first], tmp_path / "out", options, rules=rules)) == "ms"
    assert sorted(map(str, seconds_of(tmp_path))) == ["1700000000", "1700000000", "86400"]
    # The snapshot knows the unit that the increment alone does not show.
    assert unit_of(merge(tmp_path / "out", [second], tmp_path / "out", options, rules=rules)) == "ms"
    assert sorted(map(str, seconds_of(tmp_path))) == ["1", "1700000000", "86400"]
    third = increment(2, item(2, 1000), item(2, 1_700_000_000))
    with pytest.raises(SchemaError, match="can't be milliseconds"):
        merge(tmp_path / "out", [third], tmp_path / "out", options, rules=rules)
    with pytest.raises(SchemaError, match="is not known"):
        convert(second, tmp_path / "changes", ConvertOptions(cast=CAST))
