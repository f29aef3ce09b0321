"""A destination keeps its columns from day to day: what doesn't fit is refused, or made wider on request."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from converter import convert, recipe, scan
from converter.errors import SchemaError, UsageError
from converter.option_values import Format
from converter.options import ConvertOptions, SchemaText
from converter.publishing.report import Report
from converter.testing import ExportFacts
from tests.end_to_end.exports import export_of, line, written_parts

FORMATS: tuple[Format, ...] = ("parquet", "csv")
INTEGERS = [line(id='{"S":"a"}', price='{"N":"12"}'), line(id='{"S":"b"}', price='{"N":"7"}')]
DECIMALS = [
    line(id='{"S":"c"}', price='{"N":"3"}'),
    line(id='{"S":"d"}', price='{"N":"12.5"}', colour='{"S":"red"}'),
]
TEXTS = [line(id='{"S":"e"}', price='{"N":"1"}'), line(id='{"S":"f"}', price='{"S":"on request"}')]
DAYS = (INTEGERS, DECIMALS, TEXTS)


class Table:
    """A table whose exports are published at one destination, one a day."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dest = folder / "out"

    def publish(self, day: int, lines: Iterable[bytes], **options: object) -> Report:
        facts = ExportFacts(export_time=datetime(2024, 1, day, 12, tzinfo=UTC), seed=day)
        bucket = self.folder / f"day{day}"
        if not bucket.exists():
            export_of(bucket, lines, facts=facts)
        return convert(bucket, self.dest, ConvertOptions(**options))  # type: ignore[arg-type]

    def columns(self, report: Report) -> list[str]:
        """The columns of the first part, as its readers see them."""
        part = written_parts(self.dest, report)[0]
        if part.suffix == ".parquet":
            return [f"{f.name} {f.type}" for f in pq.ParquetFile(part).schema_arrow]
        with part.open(encoding="utf-8", newline="") as file:
            return next(csv.reader(file))

    def records(self) -> int:
        return len(list((self.dest / "_exports").glob("*.json")))


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path)


@pytest.mark.parametrize("format", FORMATS)
def test_a_number_with_decimals_is_refused_where_integers_are_promised(table: Table, format: Format) -> None:
    table.publish(1, INTEGERS, format=format)
    with pytest.raises(SchemaError) as caught:
        table.publish(2, DECIMALS, format=format)
    error = caught.value
    assert "attribute 'price'" in error.what
    assert "which is int64: it needs decimal128(38, 2)" in error.what
    assert "line 2 (byte 44): $.Item.price.N" in error.where
    assert "--evolve" in error.hint
    assert table.records() == 1
    assert not list(table.dest.glob("dt=2024-01-02"))


@pytest.mark.parametrize("format", FORMATS)
def test_a_text_among_numbers_is_refused_by_its_place(table: Table, format: Format) -> None:
    table.publish(1, INTEGERS, format=format)
    with pytest.raises(SchemaError) as caught:
        table.publish(3, TEXTS, format=format)
    assert "it needs string (mixed as text)" in caught.value.what
    assert "line 2 (byte 44): $.Item.price.S" in caught.value.where
    assert table.records() == 1


def test_a_bad_line_among_values_that_do_not_fit_is_no_bug(table: Table) -> None:
    table.publish(1, INTEGERS)
    with pytest.raises(SchemaError, match="price") as caught:
        table.publish(2, [*DECIMALS, b'{"Item":{"price":{"N":"x"}}}'])
    assert "line 2 " in caught.value.where


def test_a_value_that_comes_late_in_the_export_is_found_too(table: Table) -> None:
    many = [line(id=f'{{"S":"{n}"}}', price=f'{{"N":"{n}"}}') for n in range(60_000)]
    table.publish(1, INTEGERS)
    with pytest.raises(SchemaError, match=r"with up to 5 integer digits and 1 decimals") as caught:
        table.publish(2, [*many, DECIMALS[1]])
    assert "line 60001 (byte " in caught.value.where
    assert caught.value.where.endswith(": $.Item.price.N")
    assert table.records() == 1


@pytest.mark.parametrize("format", FORMATS)
def test_evolve_widens_the_column_in_its_place_and_names_the_dates_that_differ(table: Table, format: Format) -> None:
    table.publish(1, INTEGERS, format=format)
    second = table.publish(2, DECIMALS, format=format, evolve=True)
    third = table.publish(3, TEXTS, format=format, evolve=True)
    assert [(c.column, c.change, c.before, c.after) for c in second.column_changes] == [
        ("price", "widened", "int64", "decimal128(38, 2)"),
        ("colour", "added", None, "string (text)"),
    ]
    assert [(c.column, c.change) for c in third.column_changes] == [("price", "widened"), ("colour", "unseen")]
    assert any("together with 2024-01-01, unless" in warning for warning in second.warnings)
    assert any("together with 2024-01-01, 2024-01-02, unless" in warning for warning in third.warnings)
    if format == "csv":
        assert table.columns(third) == ["id", "price", "colour"]
    else:
        assert table.columns(third) == ["id string", "price string", "colour string"]


def test_older_dates_that_are_published_again_get_the_wider_column(table: Table) -> None:
    table.publish(1, INTEGERS)
    assert table.publish(1, INTEGERS, replace=True).status == "unchanged"
    table.publish(2, DECIMALS, evolve=True)
    assert table.publish(1, INTEGERS).status == "unchanged"
    again = table.publish(1, INTEGERS, replace=True)
    assert (again.status, table.columns(again)) == (
        "published",
        ["id string", "price decimal128(38, 2)", "colour string"],
    )
    for day, lines in ((1, INTEGERS), (2, DECIMALS)):
        assert table.publish(day, lines, replace=True).status == "unchanged"
    prices = scan(table.dest).sort("id").collect()["price"]
    assert (prices.dtype, prices.to_list()) == (pl.Decimal(38, 2), [Decimal(text) for text in ("12", "7", "3", "12.5")])
    recipe("duckdb", table.dest)


def test_new_attributes_come_last_and_old_ones_stay_in_place(table: Table) -> None:
    table.publish(1, [line(m='{"S":"1"}', z='{"N":"1"}')])
    second = table.publish(2, [line(a='{"S":"1"}', b='{"BOOL":true}', z='{"N":"2"}')])
    third = table.publish(3, [line(c='{"S":"1"}', b='{"BOOL":true}')])
    assert table.columns(second) == ["m string", "z int64", "a string", "b bool"]
    assert table.columns(third) == ["m string", "z int64", "a string", "b bool", "c string"]
    frame = scan(table.dest).collect()
    assert frame.columns == ["m", "z", "a", "b", "c", "dt"]
    assert frame["z"].to_list() == [1, 2, None]


def test_a_day_that_is_filled_in_later_keeps_the_columns_of_the_run_before_it(table: Table) -> None:
    table.publish(3, [line(id='{"S":"1"}')])
    table.publish(1, [line(id='{"S":"1"}', old='{"S":"x"}')])
    report = table.publish(4, [line(id='{"S":"1"}', fresh='{"S":"y"}')])
    assert table.columns(report) == ["id string", "old string", "fresh string"]


def test_integers_fit_a_decimal_column_and_keep_its_type(table: Table) -> None:
    table.publish(2, DECIMALS)
    report = table.publish(3, INTEGERS)
    assert table.columns(report)[2] == "price decimal128(38, 2)"
    assert scan(table.dest).select(pl.col("price").sum()).collect().item() == Decimal("34.5")


def test_texts_of_numbers_take_every_number_without_a_question(table: Table) -> None:
    for day, lines in enumerate(DAYS[:2], 1):
        table.publish(day, lines, numbers="text")
    frame = scan(table.dest).sort("id").collect()
    assert frame["price"].to_list() == ["12", "7", "3", "12.5"]


def test_asking_for_another_form_of_numbers_breaks_the_promise_too(table: Table) -> None:
    table.publish(1, INTEGERS)
    for numbers in ("text", "double"):
        with pytest.raises(SchemaError, match="price"):
            table.publish(2, INTEGERS, numbers=numbers)


@pytest.mark.parametrize("format", FORMATS)
def test_a_schema_file_makes_room_for_what_is_to_come(table: Table, format: Format) -> None:
    text = json.dumps({"version": 1, "columns": [{"attribute": "price", "name": "cost", "type": "string"}]})
    for day, lines in enumerate(DAYS, 1):
        report = table.publish(day, lines, format=format, schema=SchemaText("schema.json", text))
        names = [name.split()[0] for name in table.columns(report)]
        assert names == ["cost", "id", "colour"][: 2 if day == 1 else 3]
    frame = scan(table.dest).sort("id").collect()
    assert frame["cost"].to_list() == ["12", "7", "3", "12.5", "1", "on request"]


def test_a_schema_file_drops_attributes_and_says_numbers_one_by_one(table: Table) -> None:
    columns = [{"attribute": "price", "numbers": "double"}, {"attribute": "colour", "drop": True}]
    text = SchemaText("schema.json", json.dumps({"version": 1, "columns": columns}))
    report = table.publish(1, [*DECIMALS, line(id='{"S":"x"}', other='{"N":"1"}')], schema=text)
    assert table.columns(report) == ["price double", "id string", "other int64"]


def test_a_schema_file_that_contradicts_the_record_is_refused_unless_columns_may_evolve(table: Table) -> None:
    table.publish(1, INTEGERS)
    text = json.dumps({"version": 1, "columns": [{"attribute": "price", "type": "decimal128(38, 4)"}]})
    schema = SchemaText("schema.json", text)
    with pytest.raises(SchemaError, match=r"price.*int64.*schema\.json makes it decimal128\(38, 4\)"):
        table.publish(2, INTEGERS, schema=schema)
    report = table.publish(2, INTEGERS, schema=schema, evolve=True)
    assert table.columns(report) == ["id string", "price decimal128(38, 4)"]


def test_a_column_keeps_its_name_whatever_a_schema_file_says(table: Table) -> None:
    table.publish(1, INTEGERS)
    text = json.dumps({"version": 1, "columns": [{"attribute": "price", "name": "cost"}]})
    with pytest.raises(SchemaError, match="keeps its name"):
        table.publish(2, INTEGERS, schema=SchemaText("schema.json", text), evolve=True)


def test_a_new_schema_forgets_all(table: Table) -> None:
    table.publish(1, INTEGERS)
    report = table.publish(3, TEXTS, schema="new")
    assert table.columns(report) == ["id string", "price string"]
    assert report.column_changes == ()


def test_an_export_without_items_has_a_part_with_the_known_columns(table: Table) -> None:
    first = table.publish(1, [])
    assert first.parts == ()
    table.publish(2, INTEGERS)
    report = table.publish(3, [])
    assert [part.rows for part in report.parts] == [0]
    assert table.columns(report) == ["id string", "price int64"]
    assert scan(table.dest).collect().height == 2


def test_an_excluded_attribute_keeps_its_column_without_values(table: Table) -> None:
    table.publish(1, INTEGERS)
    report = table.publish(2, INTEGERS, exclude=("price",))
    assert table.columns(report) == ["id string", "price int64"]
    assert pq.read_table(written_parts(table.dest, report)[0])["price"].to_pylist() == [None, None]


def test_what_has_no_column_goes_to_the_promised_overflow_column(table: Table) -> None:
    first = [line(a='{"S":"1"}', b='{"S":"2"}', c='{"S":"3"}', d='{"S":"4"}'), line(a='{"S":"0"}', b='{"S":"0"}')]
    table.publish(1, first, max_columns=3, overflow="_more")
    report = table.publish(2, [line(a='{"S":"1"}', c='{"S":"3"}', z='{"N":"5"}')])
    assert table.columns(report) == ["a string", "b string", "_more string"]
    part = pq.read_table(written_parts(table.dest, report)[0])
    assert part["_more"].to_pylist() == ['{"c":"3","z":5}']


def test_replacing_the_only_export_is_bound_by_nothing(table: Table) -> None:
    table.publish(1, INTEGERS)
    report = table.publish(1, INTEGERS, numbers="text", replace=True)
    assert table.columns(report) == ["id string", "price string"]


def test_a_key_that_has_a_column_need_not_occur_every_day(table: Table) -> None:
    table.publish(1, INTEGERS, key=("id",))
    report = table.publish(2, [line(price='{"N":"1"}')], key=("id",))
    assert table.columns(report) == ["id string", "price int64"]
    third = table.publish(3, INTEGERS, key=("nobody",))
    assert table.columns(third) == ["id string", "price int64"]
    assert third.warnings == ("no item has an attribute 'nobody' (--key)",)


def test_casts_times_and_added_columns_are_remembered_without_being_said_again(table: Table) -> None:
    at, seen = '{"S":"2024-01-01T00:00:00Z"}', '{"N":"1704067200"}'
    first = [line(id='{"S":"1"}', at=at, seen=seen)]
    added = (("exported", "date"), ("number", "unix_time"))
    table.publish(1, first, cast=(("at", "timestamp"),), time="seen", add_column=added)
    report = table.publish(2, [line(id='{"S":"2"}', seen=seen, early='{"S":"x"}')])
    assert table.columns(report) == [
        *("at timestamp[us, tz=UTC]", "id string", "time int64", "exported string", "number int64", "early string")
    ]
    rows = scan(table.dest).sort("id").select("time", "exported", "number").collect().rows()
    assert rows == [(1_704_067_200, "2024-01-01", 1_704_110_400), (1_704_067_200, "2024-01-02", 1_704_196_800)]
    with pytest.raises(SchemaError, match="not a timestamp"):
        table.publish(3, [line(id='{"S":"3"}', at='{"S":"yesterday"}')])
    with pytest.raises(SchemaError, match="'time' holds attribute 'seen'"):
        table.publish(4, first, time="at")


def test_a_text_column_cannot_become_a_time_from_one_day_to_the_next(table: Table) -> None:
    lines = [line(id='{"S":"1"}', at='{"S":"2024-01-01T00:00:00Z"}')]
    table.publish(1, lines)
    with pytest.raises(SchemaError, match=r"'at'.*string \(text\): it needs timestamp"):
        table.publish(2, lines, cast=(("at", "timestamp"),))
    evolved = table.publish(2, lines, cast=(("at", "timestamp"),), evolve=True)
    assert table.columns(evolved) == ["at timestamp[us, tz=UTC]", "id string"]
    with pytest.raises(UsageError, match="keeps its name"):
        table.publish(3, lines, time="id")


def test_the_limit_of_columns_does_not_count_added_ones_twice(table: Table) -> None:
    lines = [line(a='{"S":"1"}', b='{"S":"1"}')]
    for day in (1, 2):
        report = table.publish(day, lines, max_columns=2, add_column=(("day", "date"),))
        assert table.columns(report) == ["a string", "b string", "day string"]


def test_both_formats_at_once_are_each_as_alone_with_times_added_columns_and_nothing_in_them(tmp_path: Path) -> None:
    lines = [
        line(id='{"S":"1"}', at='{"S":"1969-12-31T23:59:59.999999Z"}', seen='{"N":"1704067200.5"}', b='{"B":"AAE="}'),
        line(id='{"S":"2"}', n='{"N":"-12.50"}', flag='{"BOOL":false}', m='{"M":{"a":{"N":"1"}}}'),
    ]
    added = (("exported", "export_time"), ("day", "date"), ("unix", "unix_time"))
    both, alone = Table(tmp_path / "both"), {format: Table(tmp_path / format) for format in FORMATS}
    for day, items in ((1, lines), (2, [])):
        options = {"cast": (("at", "timestamp"),), "time": "seen", "add_column": added, "workers": 2}
        options |= {} if day == 1 else {"cast": (), "time": None}
        report = both.publish(day, items, format="csv,parquet", **options)
        single = [alone[format].publish(day, items, format=format, **options) for format in ("csv", "parquet")]
        assert [part.sha256 for part in report.parts] == [part.sha256 for one in single for part in one.parts]
        assert [part.rows for part in report.parts] == [len(items)] * 2
