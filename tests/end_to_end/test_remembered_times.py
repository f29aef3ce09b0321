"""Timestamps and added columns of a destination: the next run keeps them, or says why it can't."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from converter import convert, scan
from converter.errors import SchemaError, UsageError
from converter.option_values import Format
from converter.options import ConvertOptions, SchemaText
from converter.publishing.report import Report
from converter.testing import ExportFacts
from tests.end_to_end.exports import export_of, line, written_parts
from tests.times import EPOCH

FORMATS: tuple[Format, ...] = ("parquet", "csv")
CAST = (("at", "timestamp"),)
DAY = (("day", "date"),)


def publish(tmp_path: Path, number: int, *lines: bytes, **options: Any) -> Report:
    """Publish these lines as the export of a day."""
    facts = ExportFacts(export_time=datetime(2024, 1, number, 12, tzinfo=UTC))
    shutil.rmtree(tmp_path / str(number), ignore_errors=True)
    export = export_of(tmp_path / str(number), list(lines), facts=facts)
    return convert(export.folder, tmp_path / "out", ConvertOptions(**options))


def described(report: Report) -> list[tuple[str, str, str]]:
    return [(column.name, column.type, column.origin.value) for column in report.columns]


@pytest.mark.parametrize("format", FORMATS)
def test_a_cast_is_remembered_with_and_without_the_option(format: Format, tmp_path: Path) -> None:
    columns = [("at", "timestamp", "time")]
    assert described(publish(tmp_path, 1, line(at='{"S":"1970-01-01"}'), cast=CAST, format=format)) == columns
    assert described(publish(tmp_path, 2, line(at='{"N":"0"}'), format=format)) == columns
    assert described(publish(tmp_path, 3, line(at='{"S":"1970-01-01T00:00Z"}'), cast=CAST, format=format)) == columns
    assert scan(tmp_path / "out").collect()["at"].to_list() == [EPOCH] * 3


@pytest.mark.parametrize("value", ['{"S":"soon"}', '{"BOOL":true}', '{"L":[]}'])
@pytest.mark.parametrize("evolve", [False, True])
def test_what_is_no_timestamp_is_refused_by_a_remembered_cast(value: str, evolve: bool, tmp_path: Path) -> None:
    publish(tmp_path, 1, line(at='{"S":"1970-01-01"}'), cast=CAST)
    with pytest.raises(SchemaError, match="not a timestamp") as caught:
        publish(tmp_path, 2, line(at='{"N":"0"}'), line(at=value), evolve=evolve)
    assert " line 2 (byte " in caught.value.where
    assert "--schema FILE" in caught.value.hint
    assert not (tmp_path / "out" / "dt=2024-01-02").exists()
    # The ways out.
    assert publish(tmp_path, 3, line(at=value), line(id='{"S":"x"}'), exclude=("at",)).items == 2
    file = SchemaText("schema.json", '{"version": 1, "columns": [{"attribute": "at", "type": "string"}]}')
    assert described(publish(tmp_path, 4, line(at=value), schema=file, evolve=True))[0] == (
        "at",
        "string",
        "mixed as text",
    )


def test_a_column_of_text_becomes_one_of_timestamps_only_if_it_may(tmp_path: Path) -> None:
    publish(tmp_path, 1, line(at='{"S":"1970-01-01"}'))
    with pytest.raises(SchemaError, match="it needs timestamp"):
        publish(tmp_path, 2, line(at='{"S":"1970-01-01"}'), cast=CAST)
    report = publish(tmp_path, 2, line(at='{"S":"1970-01-01"}'), cast=CAST, evolve=True)
    assert [(change.column, change.change, change.after) for change in report.column_changes] == [
        ("at", "widened", "timestamp")
    ]


@pytest.mark.parametrize("names", ["preserve", "treasure-data", "snake"])
def test_the_column_time_is_remembered_whatever_the_names(names: str, tmp_path: Path) -> None:
    lines = [line(createdAt='{"N":"1700000005.5"}', time='{"S":"x"}', time_1='{"S":"y"}')]
    first = publish(tmp_path, 1, *lines, time="createdAt", time_unit="s", names=names)
    second = publish(tmp_path, 2, *lines, names=names)
    assert described(first) == described(second)
    assert {column.attribute: column.name for column in first.columns} == {
        "createdAt": "time",
        "time": "time_2",
        "time_1": "time_1",
    }
    assert [column.changed for column in second.columns if column.name == "time"] == [1]
    assert scan(tmp_path / "out").collect()["time"].to_list() == [1700000005, 1700000005]


def test_the_column_time_stays_with_its_attribute(tmp_path: Path) -> None:
    both = line(a='{"N":"1700000001"}', b='{"N":"1700000002"}')
    publish(tmp_path, 1, both, time="a")
    for number, wrong in ((2, "b"), (3, "c")):
        with pytest.raises(SchemaError, match="holds attribute 'a'"):
            publish(tmp_path, number, both, line(c='{"N":"1700000003"}'), time=wrong)
    publish(tmp_path / "other", 1, both)
    with pytest.raises(UsageError, match="is in column 'a'"):
        publish(tmp_path / "other", 2, both, time="a")


def test_a_cast_can_not_take_an_attribute_out_of_the_overflow_column(tmp_path: Path) -> None:
    lines = [line(a='{"S":"x"}', at='{"N":"1"}', c='{"N":"1"}'), line(a='{"S":"x"}')]
    publish(tmp_path, 1, *lines, max_columns=2, overflow="_more")
    with pytest.raises(UsageError, match="overflow column takes it") as caught:
        publish(tmp_path, 2, *lines, max_columns=2, overflow="_more", cast=CAST)
    assert caught.value.where == "--cast"


@pytest.mark.parametrize("format", FORMATS)
def test_added_columns_keep_their_place_and_new_attributes_come_behind(format: Format, tmp_path: Path) -> None:
    added = (*DAY, ("when", "export_time"))
    publish(tmp_path, 1, line(b='{"S":"x"}'), add_column=added, format=format)
    report = publish(tmp_path, 2, line(a='{"S":"y"}'), add_column=(*added, ("id", "export_id")), format=format)
    assert [name for name, _, _ in described(report)] == ["b", "day", "when", "a", "id"]
    part = written_parts(tmp_path / "out", report)[0]
    if format == "csv":
        moment = "2024-01-02T12:00:00.000000Z"
        assert part.read_text() == f"b,day,when,a,id\n,2024-01-02,{moment},y,{report.export_id}\n"
    assert scan(tmp_path / "out").collect()["day"].to_list() == ["2024-01-01", "2024-01-02"]


@pytest.mark.parametrize("format", FORMATS)
def test_an_added_column_goes_on_with_its_fact_and_no_other(format: Format, tmp_path: Path) -> None:
    publish(tmp_path, 1, line(b='{"S":"x"}'), add_column=(*DAY, ("s", "unix_time")), format=format)
    report = publish(tmp_path, 2, line(b='{"S":"x"}'), format=format)
    assert report.column_changes == ()
    seconds = int(datetime(2024, 1, 2, 12, tzinfo=UTC).timestamp())
    assert scan(tmp_path / "out").collect().select("b", "day", "s").row(1) == ("x", "2024-01-02", seconds)
    with pytest.raises(UsageError, match="holds date"):
        publish(tmp_path, 3, line(b='{"S":"x"}'), add_column=(("day", "export_id"),), format=format)


@pytest.mark.parametrize("fact", ["date", "unix_time"])
def test_an_added_column_never_takes_the_place_of_another(fact: str, tmp_path: Path) -> None:
    publish(tmp_path, 1, line(Day='{"S":"x"}'))
    with pytest.raises(UsageError, match="attribute 'Day'") as caught:
        publish(tmp_path, 2, line(Day='{"S":"x"}'), add_column=(("day", fact),))
    assert caught.value.where == "--add-column"


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_without_items_has_a_part_of_the_known_columns_and_the_added_ones(
    format: Format, tmp_path: Path
) -> None:
    publish(tmp_path, 1, line(at='{"N":"0"}'), cast=CAST, add_column=DAY, format=format)
    report = publish(tmp_path, 2, cast=CAST, add_column=(*DAY, ("when", "export_time")), format=format)
    (part,) = written_parts(tmp_path / "out", report)
    if format == "csv":
        assert part.read_text() == "at,day,when\n"
    else:
        assert [(f.name, str(f.type)) for f in pq.read_schema(part)] == [
            ("at", "timestamp[us, tz=UTC]"),
            ("day", "string"),
            ("when", "timestamp[us, tz=UTC]"),
        ]


def test_treasure_datas_time_may_be_the_exports(tmp_path: Path) -> None:
    report = publish(tmp_path, 1, line(time='{"S":"x"}'), names="treasure-data", add_column=(("time", "unix_time"),))
    assert described(report) == [("time_1", "string", "text"), ("time", "int64", "added")]
    with pytest.raises(UsageError, match="--time"):
        publish(tmp_path, 2, line(a='{"N":"1"}'), time="a", add_column=(("time", "unix_time"),))


def test_a_schema_file_makes_timestamps_too(tmp_path: Path) -> None:
    columns = [
        {"attribute": "a", "type": "timestamp"},
        {"attribute": "b", "name": "time", "type": "int64", "origin": "time"},
    ]
    file = SchemaText("schema.json", json.dumps({"version": 1, "columns": columns}))
    item = line(a='{"S":"1970-01-01"}', b='{"S":"1970-01-01T00:00:01.5"}')
    report = publish(tmp_path, 1, item, schema=file, names="treasure-data")
    assert described(report) == [("a", "timestamp", "time"), ("time", "int64", "time")]
    assert scan(tmp_path / "out").collect().select("a", "time").rows() == [(EPOCH, 1)]
    assert [warning for warning in report.warnings if "1 times are cut" in warning]
    with pytest.raises(SchemaError, match="not a timestamp"):
        publish(tmp_path, 2, line(a='{"S":"x"}'), schema=file, names="treasure-data")
