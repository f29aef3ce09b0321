"""Attributes that options name and that an export lacks: the run goes on, with the columns that were promised."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from converter import ConvertOptions, Report, convert, inspect, merge
from converter.errors import SchemaError, UsageError
from converter.option_values import Format
from converter.options import SchemaText
from converter.testing import ExportFacts
from tests.cli.command import ddb_convert
from tests.end_to_end.exports import export_of, line, written_parts
from tests.end_to_end.nights import BEGIN, HOUR, Nights
from tests.end_to_end.test_memory import Table
from tests.end_to_end.test_merge import base, change, increment
from tests.servers.dynamodb import PlayedDynamoDb

BOTH: tuple[Format, ...] = ("parquet", "csv")
AT = '{"S":"2024-01-01T00:00:00Z"}'
CORRECTION = " The corrected command needs --replace for this date"
WITH = [line(id='{"S":"a"}', v='{"N":"1"}', secret='{"S":"x"}', at=AT)]
WITHOUT = [line(id='{"S":"b"}', v='{"N":"2"}')]
DROP = SchemaText("columns.json", '{"version": 1, "columns": [{"attribute": "secret", "drop": true}]}')
OPTIONS: list[dict[str, Any]] = [
    {"exclude": ("secret",)},
    {"cast": (("at", "timestamp"),)},
    {"time": "at", "time_default": "export_time"},
    {"rename": (("secret", "s"),)},
    {"select": ("id", "secret")},
    {"key": ("secret", "id")},
    {"schema": DROP},
]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path)


def absent(warnings: Iterable[str]) -> list[str]:
    """Those that name attributes which no item has; what the column `time` lacks is another matter."""
    return [warning for warning in warnings if warning.startswith("no item has")]


def rows(dest: Path, report: Report) -> list[dict[str, Any]]:
    """Those of the parts, whatever they are; CSV has texts."""
    found: list[dict[str, Any]] = []
    for part in written_parts(dest, report):
        if part.suffix == ".parquet":
            found += pq.read_table(part, partitioning=None).to_pylist()
        else:
            with part.open(encoding="utf-8", newline="") as file:
                found += csv.DictReader(file)
    return found


@pytest.mark.parametrize("format", BOTH)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: next(iter(options)))
def test_a_day_without_the_attribute_has_the_columns_of_the_day_before(
    table: Table, options: dict[str, Any], format: Format
) -> None:
    first = table.publish(1, WITH, format=format, **options)
    second = table.publish(2, WITHOUT, format=format, **options)
    assert absent(second.warnings) == []
    assert table.columns(second) == table.columns(first)
    third = table.publish(3, WITH, format=format, **options)
    assert table.columns(third) == table.columns(first)


@pytest.mark.parametrize(
    "options", [options for options in OPTIONS if "key" not in options], ids=lambda o: next(iter(o))
)
def test_a_first_day_without_the_attribute_warns_once_and_takes_it_later(table: Table, options: dict[str, Any]) -> None:
    first = table.publish(1, WITHOUT, **options)
    (name,) = {"secret", "at"} & {*first.unknown_attributes}
    place = "columns.json" if "schema" in options else f"--{next(iter(options))}"
    assert absent(first.warnings) == [f"no item has an attribute {name!r} ({place})"]
    assert json.loads(next((table.dest / "_exports").glob("*.json")).read_text())["report"]["warnings"] == [
        *first.warnings
    ]
    assert absent(table.publish(2, WITHOUT, **options).warnings) == []
    columns = table.columns(table.publish(3, WITH, **options))
    alone = Table(table.folder / "alone")
    assert sorted(columns) == sorted(alone.columns(alone.publish(4, WITH, **options)))


def test_a_typing_error_shows_every_day(table: Table) -> None:
    for day in (1, 2, 3):
        report = table.publish(day, WITH, exclude=("secrt",))
        assert report.warnings == (f"no item has an attribute 'secrt' (--exclude): did you mean 'secret'?{CORRECTION}",)


def test_an_export_of_several_files_warns_once(tmp_path: Path) -> None:
    export = export_of(tmp_path, WITHOUT, WITHOUT, WITHOUT)
    ran = ddb_convert("convert", str(export.folder), str(tmp_path / "out"), "--exclude", "secret", "--workers", "2")
    assert (ran.returncode, ran.stderr.count("no item has an attribute 'secret'")) == (0, 1)
    looked = ddb_convert("inspect", str(export.folder), "--cast", "att=timestamp", "--sample")
    assert (looked.returncode, looked.stderr.count("no item has an attribute 'att' (--cast)")) == (0, 1)


def test_a_key_of_a_first_export_must_be_there_but_not_of_an_empty_one(table: Table) -> None:
    with pytest.raises(UsageError, match="no item has an attribute 'ids'") as caught:
        table.publish(1, WITH, key=("ids",))
    assert (caught.value.where, caught.value.hint) == ("--key", "did you mean 'id'?")
    assert not table.dest.exists()
    assert table.publish(2, [], key=("ids",)).warnings == ()
    assert table.publish(3, WITH, key=("ids",)).warnings == (
        f"no item has an attribute 'ids' (--key): did you mean 'id'?{CORRECTION}",
    )


def test_selected_columns_are_null_on_a_day_that_has_none_of_them(table: Table) -> None:
    table.publish(1, WITH, select=("secret", "at"))
    second = table.publish(2, WITHOUT, select=("secret", "at"))
    assert (second.items, rows(table.dest, second)) == (1, [{"at": None, "secret": None}])


def test_a_first_export_with_nothing_that_is_selected_says_which_names_it_lacks(table: Table) -> None:
    with pytest.raises(SchemaError, match="there is no column to write") as caught:
        table.publish(1, WITH, select=("secrets",))
    assert "no item has an attribute 'secrets' (--select): did you mean 'secret'?" in caught.value.hint


@pytest.mark.parametrize("format", BOTH)
def test_the_column_time_is_there_before_its_attribute_is(table: Table, format: Format) -> None:
    first = table.publish(1, WITHOUT, time="at", format=format)
    second = table.publish(2, WITH, time="at", format=format)
    assert table.columns(first) == table.columns(second)[: len(first.columns)]
    assert [str(row["time"] or "") for row in rows(table.dest, first)] == [""]
    assert [int(row["time"]) for row in rows(table.dest, second)] == [1704067200]


def test_an_attribute_that_is_cast_has_its_column_although_others_overflow(table: Table) -> None:
    options = {"cast": (("at", "timestamp"),), "max_columns": 2, "overflow": "_more"}
    wide = [line(id='{"S":"b"}', v='{"N":"2"}', w='{"N":"3"}')]
    table.publish(1, wide, **options)
    table.publish(2, wide, **options)
    third = table.publish(3, WITH, **options)
    assert table.columns(third)[-1] == "at timestamp[us, tz=UTC]"
    assert json.loads(rows(table.dest, third)[0]["_more"]) == {"secret": "x", "v": 1}
    # What was in the overflow column stays there.
    with pytest.raises(UsageError, match="'secret' has no column of its own: the overflow column takes it"):
        table.publish(4, WITH, **options | {"cast": (("secret", "timestamp"),)})


def test_the_name_of_a_renamed_attribute_is_kept_for_it_while_it_is_absent(table: Table) -> None:
    first = table.publish(1, WITHOUT, rename=(("secret", "v"),))
    assert "attribute 'v' is in column 'v_1': 'v' is kept for 'secret'" in first.warnings
    second = table.publish(2, WITH, rename=(("secret", "v"),))
    assert [(column.attribute, column.name) for column in second.columns] == [
        ("id", "id"),
        ("v", "v_1"),
        ("at", "at"),
        ("secret", "v"),
    ]


def test_a_misspelt_attribute_of_a_schema_file_is_no_silent_empty_column(table: Table) -> None:
    schema = SchemaText("columns.json", '{"version": 1, "columns": [{"attribute": "secrt", "type": "string"}]}')
    report = table.publish(1, WITH, schema=schema)
    assert report.warnings == (f"no item has an attribute 'secrt' (columns.json): did you mean 'secret'?{CORRECTION}",)
    assert table.publish(2, WITH, schema=schema).warnings == report.warnings


def test_a_column_that_is_null_alone_today_is_not_said_to_be_none(table: Table) -> None:
    table.publish(1, WITH)
    assert table.publish(2, [line(id='{"S":"b"}', secret='{"NULL":true}')]).warnings == ()


@pytest.mark.parametrize("output_format", ["DYNAMODB_JSON", "ION"])
def test_inspect_warns_too(tmp_path: Path, output_format: str) -> None:
    if output_format == "ION":
        from converter.testing import write_export

        source = write_export(tmp_path, [{"id": {"S": "a"}}], facts=ExportFacts(output_format="ION")).folder
    else:
        source = export_of(tmp_path, [line(id='{"S":"a"}')]).folder
    for sample in (False, True):
        found = inspect(source, ConvertOptions(key=("ids",), cast=(("at", "timestamp"),)), sample=sample)
        assert found.warnings == (
            "no item has an attribute 'ids' (--key): did you mean 'id'?",
            "no item has an attribute 'at' (--cast)",
        )


@pytest.mark.parametrize("options", [{"exclude": ("secret",)}, {"schema": DROP}], ids=["exclude", "schema"])
def test_a_merge_goes_on_though_neither_base_nor_changes_have_what_is_left_out(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    chosen = ConvertOptions(**options)
    full = base(tmp_path / "b", [{"id": "a", "secret": "s", "v": 1}, {"id": "b", "v": 2}])
    first = increment(tmp_path / "b", 0, 1, change("b", None, {"v": 3}))
    second = increment(tmp_path / "b", 1, 30, change("b", None, {"v": 4}))
    out = tmp_path / "out"
    convert(full, out, chosen)
    assert merge(out, [first], out, ConvertOptions(replace=True, **options)).warnings == ()
    report = merge(out, [second], out, chosen)
    assert (report.warnings, rows(out, report)) == ((), [{"id": "a", "v": 1}, {"id": "b", "v": 4}])
    alone = merge(full, [first, second], tmp_path / "alone", ConvertOptions(exclude=("nobody", "secret")))
    assert alone.warnings == ("no item has an attribute 'nobody' (--exclude)",)


def test_a_merge_may_exclude_what_its_base_has_not(tmp_path: Path) -> None:
    full = base(tmp_path / "b", [{"id": "a", "v": 1}, {"id": "b", "v": 2}])
    after = increment(tmp_path / "b", 0, 1, change("b", None, {"v": 3, "secret": "s"}))
    convert(full, tmp_path / "out")
    chosen = ConvertOptions(exclude=("secret",), replace=True)
    report = merge(tmp_path / "out", [after], tmp_path / "out", chosen)
    assert rows(tmp_path / "out", report) == [{"id": "a", "v": 1}, {"id": "b", "v": 3}]
    later = increment(tmp_path / "b", 1, 2, change("b", None, {"v": 4, "secret": "s"}))
    # The rows have it no longer, and a column of them can't be left out.
    for other in ((), ("secret", "v")):
        with pytest.raises(UsageError, match="the base was published with another --exclude"):
            merge(tmp_path / "out", [later], tmp_path / "out", ConvertOptions(exclude=other, replace=True))
    convert(full, tmp_path / "wide", ConvertOptions(key=("id",), max_columns=1, overflow="_more"))
    with pytest.raises(UsageError, match="the base was published with another --exclude"):
        merge(tmp_path / "wide", [after], tmp_path / "new", ConvertOptions(exclude=("secret",)))


def test_what_a_base_may_have_in_its_overflow_column_is_not_said_to_be_absent(tmp_path: Path) -> None:
    full = base(tmp_path / "b", [{"id": "a", "v": 1, "at": "2024-01-01"}, {"id": "b", "v": 2}])
    first = increment(tmp_path / "b", 0, 1, change("b", None, {"v": 3}))
    second = increment(tmp_path / "b", 1, 30, change("b", None, {"v": 4, "at": "2024-01-01"}))
    out = tmp_path / "out"
    options: dict[str, Any] = {"key": ("id",), "max_columns": 2, "overflow": "_more"}
    convert(full, out, ConvertOptions(**options))
    cast = ConvertOptions(replace=True, cast=(("at", "timestamp"),), **options)
    report = merge(out, [first], out, cast)
    assert (report.warnings[1:], report.unknown_attributes) == ((), ())
    with pytest.raises(UsageError, match="'at' has no column of its own: the overflow column takes it"):
        merge(out, [second], out, cast)


def test_an_attribute_that_a_base_never_had_gets_its_column_beside_the_overflow_column(tmp_path: Path) -> None:
    full = base(tmp_path / "b", [{"id": "a", "v": 1}, {"id": "b", "v": 2, "w": 1}])
    first = increment(tmp_path / "b", 0, 1, change("b", None, {"v": 3}))
    second = increment(tmp_path / "b", 1, 30, change("b", None, {"v": 4, "at": "2024-01-01"}))
    out = tmp_path / "out"
    options: dict[str, Any] = {"key": ("id",), "max_columns": 2, "overflow": "_more"}
    cast = ConvertOptions(replace=True, cast=(("at", "timestamp"),), **options)
    convert(full, out, cast)
    merge(out, [first], out, cast)
    report = merge(out, [second], out, cast)
    assert [(row["id"], row["at"] is None) for row in rows(out, report)] == [("a", True), ("b", False)]


def test_a_first_window_of_deletes_alone_is_published(tmp_path: Path) -> None:
    window = increment(tmp_path / "b", 0, 1, change("b", {"v": 3}, None))
    options = ConvertOptions(
        key=("id", "v"), exclude=("secret",), time="at", cast=(("seen", "timestamp"),), rename=(("v", "value"),)
    )
    report = convert(window, tmp_path / "out", options)
    assert report.unknown_attributes == ("v", "secret", "seen", "at")
    assert [column.name for column in report.columns] == ["_op", "_write_ts", "id", "time"]
    assert len(absent(report.warnings)) == 4
    assert "1 deletes have only keys, and no time" in report.warnings[0]


def test_every_hour_of_a_table_is_brought_though_some_lack_the_attribute(
    service: PlayedDynamoDb, tmp_path: Path
) -> None:
    nights = Nights(service, tmp_path / "out")
    secret = {"secret": {"S": "x"}, "at": {"S": "2024-01-01T00:00:00Z"}}
    service.history[nights.table.name] = {
        BEGIN - HOUR / 2: [{"id": {"S": "a"}, "v": {"N": "1"}, **secret}, {"id": {"S": "b"}, "v": {"N": "1"}}],
        BEGIN + HOUR / 2: [{"id": {"S": "a"}, "v": {"N": "2"}, **secret}, {"id": {"S": "b"}, "v": {"N": "1"}}],
        BEGIN + 3 * HOUR / 2: [{"id": {"S": "a"}, "v": {"N": "2"}, **secret}, {"id": {"S": "b"}, "v": {"N": "5"}}],
        BEGIN + 5 * HOUR / 2: [{"id": {"S": "b"}, "v": {"N": "5"}}],
    }
    options = ConvertOptions(exclude=("secret",), time="at", time_default="export_time", rename=(("v", "value"),))
    for hour in range(4):
        done = nights.run(hour, options, merge=True)
        assert (done.through, absent(done.warnings)) == (BEGIN + hour * HOUR, [])
    (part,) = nights.snapshot()
    # The item was last written in the second window; later snapshots copy its row.
    last = int((BEGIN + 2 * HOUR).timestamp()) - 1
    assert pq.read_table(part, partitioning=None).to_pylist() == [{"id": "b", "time": last, "value": 5}]


def test_a_type_of_a_schema_file_that_the_first_export_breaks_is_to_be_changed_in_the_file(table: Table) -> None:
    schema = SchemaText("columns.json", '{"version": 1, "columns": [{"attribute": "secret", "type": "bool"}]}')
    with pytest.raises(SchemaError, match="does not fit its column 'secret'") as caught:
        table.publish(1, WITH, schema=schema)
    assert caught.value.hint == "change the type of 'secret' in columns.json"
