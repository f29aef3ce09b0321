"""The columns that a run keeps: those of the newest record and of the schema file, and what contradicts them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from converter.errors import SchemaError, UsageError
from converter.options import ConvertOptions, SchemaText
from converter.publishing.destination_records import DestinationRecords
from converter.publishing.prior_schema import (
    PriorSchema,
    evolution_warnings,
    find_column_changes,
    read_prior_schema,
    unit_warnings,
)
from converter.publishing.record import Record, make_record
from converter.publishing.report import SchemaChange
from converter.schema.change_columns import OLD_COLUMN
from converter.schema.column_types import DECIMALS, INT64, STRING, TIMESTAMP, Origin
from converter.schema.columns import Column, Schema
from converter.schema.observe import AttributeObservation, Observation
from converter.schema.tags import NULL, TAGS, S
from converter.storage.local import LocalDestination
from converter.storage.stored_files import UNKNOWN_VERSION
from tests.unit.publishing.published import TIME, make_export, make_report

ID = Column("id", "id", STRING, Origin.TEXT)
PRICE = Column("price", "price", INT64, Origin.NUMBER)
EXACT_PRICE = replace(PRICE, type=DECIMALS[2])
AT = Column("at", "at", TIMESTAMP, Origin.TIME, "s")
UNIX_TIME = Column("time", "made", INT64, Origin.TIME, "s")
DATE = Column("day", None, STRING, Origin.ADDED)
MORE = Column("_more", None, STRING, Origin.OVERFLOW)
DEFAULTS = ConvertOptions()
EVOLVE = ConvertOptions(evolve=True)
ADDS_DATE = ConvertOptions(add_column=(("day", "date"),))
CASTS_MILLISECONDS = ConvertOptions(cast=(("at", "timestamp(ms)"),))


def record(
    *columns: Column,
    sequence: int = 1,
    day: int = 0,
    digits: tuple[int, int] = (0, 0),
    options: ConvertOptions = DEFAULTS,
) -> Record:
    """A record of an export, some days after TIME. digits: of the numbers in the column `price`."""
    export = make_export(f"0170106550{day:04}-cce6a3f8", TIME + timedelta(days=day))
    report = make_report(export, (), ())
    price = replace(report.columns[0], integer_digits=digits[0], decimals=digits[1])
    return make_record(export, options, columns, replace(report, columns=(price,)), sequence)


def published(*records: Record) -> DestinationRecords:
    """The records of a destination."""
    found = DestinationRecords(LocalDestination("out"))
    for each in records:
        found = found.published(each, UNKNOWN_VERSION, ())
    return found


def read(*records: Record, options: ConvertOptions = DEFAULTS) -> PriorSchema:
    destination = published(*records)
    return read_prior_schema(destination.entries, options, destination)


def names(prior: PriorSchema) -> list[str | None]:
    return [promise.name for promise in prior.contract.promises]


def file(*columns: dict[str, object]) -> SchemaText:
    return SchemaText("schema.json", json.dumps({"version": 1, "columns": columns}))


def test_nothing_is_kept_from_an_empty_destination() -> None:
    prior = read()
    assert (prior.columns, prior.record, prior.contract.promises, prior.options) == ((), None, (), DEFAULTS)


def test_the_record_that_was_published_last_is_kept_whatever_its_export_is_of() -> None:
    prior = read(record(ID, PRICE, sequence=2, day=0), record(ID, sequence=1, day=5))
    assert names(prior) == ["id", "price"]
    assert prior.columns == (ID, PRICE)
    assert prior.contract.where == "out/_exports/01701065500000-cce6a3f8.json"


def test_the_digits_of_all_exports_are_promised_not_only_those_of_the_newest() -> None:
    prior = read(record(PRICE, day=0, digits=(12, 1)), record(PRICE, sequence=2, day=1, digits=(3, 4)))
    [promise] = prior.contract.promises
    assert (promise.integer_digits, promise.decimals) == (12, 4)
    [promise] = read(record(ID)).contract.promises
    assert (promise.integer_digits, promise.decimals) == (0, 0)


def test_a_new_schema_keeps_neither_columns_nor_what_they_need() -> None:
    prior = read(record(ID, AT, DATE, options=ADDS_DATE), options=ConvertOptions(schema="new"))
    assert (prior.record, prior.contract.promises) == (None, ())
    assert (prior.options.cast, prior.options.add_column) == ((), ())


def test_a_base_counts_only_while_the_destination_has_no_record() -> None:
    base = record(ID, PRICE)
    prior = read_prior_schema((), DEFAULTS, published(), (base, "base.json"))
    assert (prior.record, prior.contract.where) == (base, "base.json")
    own = published(record(ID, day=1))
    prior = read_prior_schema(own.entries, DEFAULTS, own, (base, "base.json"))
    assert prior.columns == (ID,)


def test_an_attribute_that_no_export_had_is_not_in_an_overflow_column() -> None:
    earlier = record(ID, MORE, options=ConvertOptions(overflow="_more"))
    earlier = replace(earlier, report=replace(earlier.report, unknown_attributes=("absent",)))
    options = ConvertOptions(key=("id",), select=("id", "absent", "seen"), overflow="_more")
    assert read(earlier, options=options).contract.never_overflowed == {"absent"}
    prior = read_prior_schema((), options, None, (earlier, "base.json"))
    assert prior.named.known == {"id", "seen"}


def test_casts_times_added_columns_and_old_images_are_made_again_without_their_options() -> None:
    old = Column(OLD_COLUMN, None, STRING, Origin.CHANGE)
    prior = read(record(PRICE, AT, UNIX_TIME, DATE, old, options=ADDS_DATE))
    options = prior.options
    assert options.cast == (("at", "timestamp"),)
    assert (options.time, options.time_unit) == ("made", None)
    assert options.add_column == (("day", "date"),)
    assert options.old_image


def test_options_are_as_given_where_the_destination_says_nothing() -> None:
    options = ConvertOptions(time="sent", time_unit="ms", cast=(("at", "date"),), old_image=True)
    assert read(options=options).options == options
    cast = ConvertOptions(cast=(("at", "date"), ("price", "timestamp(ms)")))
    prior = read(record(PRICE, AT), options=cast)
    assert prior.options == cast
    assert [promise.column for promise in prior.contract.promises] == [PRICE, AT]


def test_what_the_options_leave_out_is_not_made_again() -> None:
    options = read(record(ID, AT, UNIX_TIME), options=ConvertOptions(exclude=("at", "made"))).options
    assert (options.cast, options.time) == ((), None)


def test_a_new_added_column_comes_after_the_earlier_ones() -> None:
    options = ConvertOptions(add_column=(("export", "export_id"), ("day", "date")))
    assert read(record(ID, DATE, options=ADDS_DATE), options=options).options.add_column == options.add_column
    options = ConvertOptions(add_column=(("export", "export_id"),))
    both = read(record(ID, DATE, options=ADDS_DATE), options=options).options.add_column
    assert both == (("day", "date"), ("export", "export_id"))


def test_an_added_column_never_holds_another_fact_than_in_any_earlier_export() -> None:
    adds_id = ConvertOptions(add_column=(("day", "export_id"),))
    older, newer = record(ID, DATE, options=ADDS_DATE), record(ID, sequence=2, day=1)
    with pytest.raises(UsageError, match="'day' holds date of export 01701065500000-cce6a3f8") as refused:
        read(older, newer, options=adds_id)
    assert refused.value.where == "--add-column"


def test_the_column_time_keeps_its_attribute() -> None:
    with pytest.raises(SchemaError, match="'time' holds attribute 'made' at this destination, and not 'sent'"):
        read(record(ID, UNIX_TIME), options=ConvertOptions(time="sent"))
    assert read(record(ID, UNIX_TIME), options=ConvertOptions(time="made")).options.time == "made"


def test_another_unit_than_was_published_is_taken_only_with_evolve() -> None:
    with pytest.raises(SchemaError, match="column 'at' are seconds, and the options say milliseconds") as refused:
        read(record(ID, AT), options=CASTS_MILLISECONDS)
    assert refused.value.where == "out/_exports/01701065500000-cce6a3f8.json"
    assert "--evolve" in refused.value.hint
    [_, at] = read(record(ID, AT), options=replace(CASTS_MILLISECONDS, evolve=True)).contract.promises
    assert (at.unit, at.is_unit_given) == ("ms", True)


def test_a_unit_that_no_number_has_shown_yet_may_be_given() -> None:
    prior = read(record(ID, replace(AT, unit=None)), options=CASTS_MILLISECONDS)
    assert prior.contract.promises[1].unit == "ms"
    assert prior.options.cast == CASTS_MILLISECONDS.cast


def test_a_unit_of_the_schema_file_is_not_overruled_by_an_option() -> None:
    schema = file({"attribute": "at", "name": "at", "type": "timestamp(s)"})
    prior = read(options=ConvertOptions(schema=schema))
    assert (prior.options.cast, prior.contract.where) == ((("at", "timestamp(s)"),), "schema.json")
    with pytest.raises(SchemaError, match="the options say milliseconds"):
        read(options=replace(CASTS_MILLISECONDS, schema=schema, evolve=True))


def test_the_unit_of_the_column_time_is_that_of_the_schema_file() -> None:
    schema = file({"attribute": "made", "name": "time", "type": "int64", "origin": "time", "unit": "ms"})
    options = read(options=ConvertOptions(schema=schema)).options
    assert (options.time, options.time_unit) == ("made", "ms")


def test_columns_of_the_schema_file_come_after_those_of_the_record() -> None:
    schema = file({"attribute": "new"}, {"attribute": "price", "type": "int64"}, {"attribute": "secret", "drop": True})
    prior = read(record(ID, PRICE, MORE), options=ConvertOptions(schema=schema, exclude=("other",)))
    assert [promise.attribute for promise in prior.contract.promises] == ["id", "price", None, "new"]
    assert prior.options.exclude == ("other", "secret")
    assert prior.contract.where == "out/_exports/01701065500000-cce6a3f8.json and schema.json"


def test_a_column_of_the_destination_never_gets_another_name_from_the_schema_file() -> None:
    schema = file({"attribute": "price", "name": "cost"})
    with pytest.raises(SchemaError, match=r"'price' is in column 'price' .* and schema.json calls it 'cost'"):
        read(record(ID, PRICE), options=replace(EVOLVE, schema=schema))


@pytest.mark.parametrize(
    ("column", "wanted", "evolved", "message"),
    [
        (
            PRICE,
            {"type": "decimal(38, 2)"},
            EXACT_PRICE,
            r"is int64 \(number\) .* makes it decimal128\(38, 2\) \(number\)",
        ),
        (
            ID,
            {"type": "string", "origin": "json"},
            replace(ID, origin=Origin.JSON),
            r"is string \(text\) .* makes it string \(json\)",
        ),
        (
            AT,
            {"type": "string", "origin": "text"},
            Column("at", "at", STRING, Origin.TEXT),
            r"is timestamp in seconds \(time\) .* makes it string \(text\)",
        ),
        (
            AT,
            {"type": "timestamp(ms)"},
            replace(AT, unit="ms"),
            r"is timestamp in seconds \(time\) .* timestamp in milliseconds",
        ),
    ],
)
def test_another_type_origin_or_unit_in_the_schema_file_takes_evolve(
    column: Column, wanted: dict[str, object], evolved: Column, message: str
) -> None:
    schema = file({"attribute": column.attribute, **wanted})
    with pytest.raises(SchemaError, match=message) as refused:
        read(record(column), options=ConvertOptions(schema=schema))
    assert "--evolve" in refused.value.hint
    [promise] = read(record(column), options=replace(EVOLVE, schema=schema)).contract.promises
    assert (promise.column, promise.is_unit_given) == (evolved, evolved.unit is not None)


def test_a_schema_file_that_agrees_needs_no_evolve() -> None:
    schema = file(
        {"attribute": "id", "type": "string", "origin": "text"},
        {"attribute": "price", "name": "price", "numbers": "double"},
        {"attribute": "at", "type": "timestamp(s)"},
        {"attribute": "sent", "type": "timestamp"},
    )
    sent = Column("sent", "sent", TIMESTAMP, Origin.TIME, "s")
    prior = read(record(PRICE, AT, sent, ID), options=ConvertOptions(schema=schema))
    assert [promise.column for promise in prior.contract.promises] == [PRICE, AT, sent, ID]
    assert prior.contract.promises[0].numbers == "double"


def seen(tag: int) -> AttributeObservation:
    return AttributeObservation(counts=tuple(int(each == tag) for each in range(len(TAGS))))


def changes(before: tuple[Column, ...], *columns: Column, **attributes: AttributeObservation) -> list[tuple[str, str]]:
    found = find_column_changes(before, Schema(columns), Observation(1, attributes))
    return [(each.column, each.change) for each in found]


def test_a_first_export_changes_no_column() -> None:
    assert changes((), ID, PRICE, id=seen(S)) == []


def test_columns_are_added_widened_or_unseen() -> None:
    assert changes((ID, PRICE, MORE), ID, EXACT_PRICE, MORE, AT, id=seen(S), price=seen(S), at=seen(S)) == [
        ("price", "widened"),
        ("at", "added"),
    ]
    assert changes((ID, PRICE), ID, PRICE, price=seen(NULL)) == [("id", "unseen"), ("price", "unseen")]


WIDENED = SchemaChange("price", "price", "widened", "int64", "decimal128(38, 2)")


def test_a_wider_column_is_warned_of_with_the_dates_that_are_not_published_with_it() -> None:
    earlier = [record(ID, PRICE), record(ID, EXACT_PRICE, day=1), record(ID, day=2), record(PRICE, day=3)]
    [warning] = evolution_warnings([WIDENED], published(*earlier).entries)
    assert warning.startswith("column 'price' is decimal128(38, 2) from now on, and was int64")
    assert "together with 2023-11-27, 2023-11-30, unless" in warning


def test_of_many_dates_the_first_three_and_the_last_are_listed() -> None:
    [warning] = evolution_warnings([WIDENED], published(*(record(PRICE, day=day) for day in range(5))).entries)
    assert "2023-11-27, 2023-11-28, 2023-11-29 … 2023-12-01 (5 dates)" in warning
    [warning] = evolution_warnings([WIDENED], published(*(record(PRICE, day=day) for day in range(4))).entries)
    assert "2023-11-27, 2023-11-28, 2023-11-29 … 2023-11-30 (4 dates)" in warning
    [warning] = evolution_warnings([WIDENED], published(*(record(PRICE, day=day) for day in range(3))).entries)
    assert "2023-11-27, 2023-11-28, 2023-11-29, unless" in warning


def test_other_changes_and_a_column_from_another_place_are_not_warned_of() -> None:
    added = SchemaChange("price", "price", "added", None, "decimal128(38, 2)")
    assert evolution_warnings([added], published(record(PRICE)).entries) == []
    assert evolution_warnings([WIDENED], published(record(ID)).entries) == []


def test_numbers_that_count_something_else_than_before_are_warned_of() -> None:
    milliseconds = replace(AT, unit="ms")
    [warning] = unit_warnings((ID, AT), Schema((ID, milliseconds)))
    assert warning == "column 'at': numbers are milliseconds from this export on, and were seconds before"
    unknown = replace(AT, unit=None)
    for before, now in ((AT, AT), (AT, unknown), (unknown, AT)):
        assert unit_warnings((before,), Schema((now,))) == []
    assert unit_warnings((ID,), Schema((AT,))) == []
