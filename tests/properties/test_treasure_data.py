"""Whatever the items, Treasure Data's parser skips no row of the CSV parts, and reads what the oracle expects."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.errors import EmptyLineError
from converter.options import SMALLEST_PART
from tests import days, oracle, strategies
from tests.examples import examples
from tests.oracle import ExpectedTable, JsonText, same_json
from tests.strategies import Item
from tests.treasure_data import LOAD, Column, InvalidRecordError, Loaded, Settings, load_files

# All others are strings: no type of Treasure Data holds decimals, and its JSON holds few numbers exactly.
TYPES = {"int64": "long", "bool": "boolean", "double": "double"}
COMPRESSIONS = st.sampled_from(["none", "gzip"])


def publish_csv(folder: Path, chosen: Sequence[Sequence[Item]], **options: Any) -> list[ExpectedTable]:
    return days.publish(folder, chosen, format="csv", **options)


def columns_of(record: dict[str, Any]) -> tuple[Column, ...]:
    """What a load says of the columns of a record."""
    return tuple(Column(column["name"], TYPES.get(column["type"], "string")) for column in record["columns"])


def load_settings(columns: Sequence[Column]) -> Settings:
    """The settings to load these columns; a name that holds a newline makes the header longer."""
    newlines = sum(len(re.findall(r"(?<!\r)\n", column.name)) for column in columns)
    return replace(Settings(columns=tuple(columns), **LOAD), skip_header_lines=1 + newlines)


def load_parts(folder: Path, records: Sequence[dict[str, Any]], settings: Settings) -> Loaded:
    """All parts of these records, as one load."""
    return load_files([folder / "out" / part["path"] for record in records for part in record["parts"]], settings)


def assert_loaded(loaded: Loaded, tables: Sequence[ExpectedTable], columns: Sequence[Column]) -> None:
    """Fail unless exactly the rows of the tables were loaded, with the values of the columns' types."""
    assert loaded.skipped == []
    expected = [row for table in tables for row in table.texts]
    assert len(loaded.rows) == len(expected)
    for number, (found, texts) in enumerate(zip(loaded.rows, expected, strict=True)):
        for value, text, column in zip(found, texts, columns, strict=True):
            assert same_value(value, text, column.type), f"row {number}, {column}: {value!r} instead of {text!r}"


def same_value(value: object, text: str | None, type_: str) -> bool:
    if text is None or value is None:
        return value is text
    if isinstance(text, JsonText):
        return same_json(str(value), text)
    return value == VALUES[type_](text)


VALUES: dict[str, Callable[[str], object]] = {
    "long": int,
    "double": float,
    "boolean": {"true": True, "false": False}.__getitem__,
    "string": str,
}


def without_nul(items: list[Item]) -> list[Item]:
    """The items with another character for each NUL that would reach a cell: the parser ends a line there."""
    return [{name: _without_nul(value) for name, value in item.items()} for item in items]


def _without_nul(value: strategies.Value) -> strategies.Value:
    return {"S": value["S"].replace("\0", "\x01")} if "S" in value else value


ITEMS = st.booleans().flatmap(lambda mixed: strategies.item_lists(mixed=mixed)).map(without_nul)
OPTIONS = st.fixed_dictionaries(
    {
        "numbers": st.sampled_from(["exact", "exact", "double", "text"]),
        "mixed": st.sampled_from(["text", "json"]),
        "compression": COMPRESSIONS,
    },
    optional={"part_size": st.just(SMALLEST_PART)},
)


@settings(max_examples=examples(40))
@given(ITEMS, OPTIONS)
def test_every_row_is_loaded_with_the_values_of_its_item(items: list[Item], options: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            # Without the first item there might be no column at all.
            tables = publish_csv(folder, [[{"pk": {"S": '",\r\n'}}, *items]], **options)
        except EmptyLineError:
            # The parser would pass over an empty line.
            return
        records = days.read_records(folder)
        columns = columns_of(records[0])
        assert_loaded(load_parts(folder, records, load_settings(columns)), tables, columns)


@settings(max_examples=examples(15))
@given(st.lists(days.items().map(without_nul), min_size=2, max_size=3), COMPRESSIONS)
def test_the_parts_of_several_days_are_loaded_by_one_list_of_columns(
    chosen: list[list[Item]], compression: str
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables = publish_csv(folder, chosen, compression=compression)
        records = days.read_records(folder)
        columns = columns_of(records[-1])
        assert [column.type for column in columns] == [*["string"] * 2, "boolean", *["string"] * 4, "long", "string"]
        assert_loaded(load_parts(folder, records, load_settings(columns)), tables, columns)


def test_a_column_that_came_later_is_null_in_the_days_before_when_columns_may_be_missing(tmp_path: Path) -> None:
    # The name is the last one, by the order of names as by that of their first days.
    both: list[list[Item]] = [days.ANCHORS, [*days.ANCHORS, {"id": {"S": ""}, "zz_new": {"S": ""}}]]
    tables = publish_csv(tmp_path, both)
    records = days.read_records(tmp_path)
    before, after = map(columns_of, records)
    assert after == (*before, Column("zz_new", "string"))
    filled = ExpectedTable(tables[0].columns, [], [(*texts, None) for texts in tables[0].texts])
    loaded = load_parts(tmp_path, records, replace(load_settings(after), allow_optional_columns=True))
    assert_loaded(loaded, [filled, tables[1]], after)
    for parts, columns in ((records[:1], after), (records[1:], before)):
        with pytest.raises(InvalidRecordError, match=r"too (few|many) columns"):
            load_parts(tmp_path, parts, load_settings(columns))


HARD = "".join(strategies.HARD_TEXTS).replace("\0", "") + "\r\n\t\\'"


@pytest.mark.parametrize(
    "value",
    [
        {"S": "x" * 400_000},
        {"S": ("x" * 99 + ",") * 4_000},
        {"S": '"' * 400_000},
        {"S": "\n" * 400_000},
        {"S": "\r\n" * 200_000},
        {"S": HARD * (400_000 // len(HARD.encode()))},
        {"S": "😀" * 100_000},
        {"B": "AAEC" * 133_000},
        # In JSON each of these characters becomes six.
        {"M": {"text": {"S": "\x01" * 400_000}}},
        {"L": [{"N": "1" + "0" * 125}] * 50_000},
    ],
    ids=lambda value: repr(value)[:24],
)
def test_the_largest_values_are_loaded_whole(value: strategies.Value, tmp_path: Path) -> None:
    items: list[Item] = [{"a": value, "b": {"S": "behind"}}, {"b": {"S": ""}}, {"a": value}]
    tables = publish_csv(tmp_path, [items])
    records = days.read_records(tmp_path)
    columns = columns_of(records[0])
    assert_loaded(load_parts(tmp_path, records, load_settings(columns)), tables, columns)


@settings(max_examples=examples(25))
@given(st.lists(strategies.texts().map(lambda text: {"only": {"S": text}}), min_size=1, max_size=8).map(without_nul))
def test_a_table_of_one_column_is_loaded(items: list[Item]) -> None:
    with tempfile.TemporaryDirectory() as name:
        tables = publish_csv(Path(name), [items])
        records = days.read_records(Path(name))
        columns = (Column("only", "string"),)
        assert_loaded(load_parts(Path(name), records, load_settings(columns)), tables, columns)


@settings(max_examples=examples(25))
@given(st.lists(strategies.values_of("M") | strategies.values_of("L"), min_size=1, max_size=6))
def test_a_document_is_valid_for_a_json_column_unless_it_holds_integers_beyond_64_bits(
    documents: list[strategies.Value],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (table,) = publish_csv(folder, [[{"id": {"N": str(n)}, "doc": one} for n, one in enumerate(documents)]])
        settings = replace(load_settings([Column("doc", "json"), Column("id", "long")]), stop_on_invalid_record=False)
        loaded = load_parts(folder, days.read_records(folder), settings)
        expected = [
            (json.loads(text), int(number))
            for text, number in table.texts
            if text is not None and number is not None and has_only_longs(text)
        ]
        assert loaded.rows == expected
        assert len(loaded.skipped) == len(documents) - len(expected)


def has_only_longs(text: str) -> bool:
    """Whether all integers of a JSON text are within 64 bits."""
    integers: list[str] = []
    json.loads(text, parse_int=integers.append)
    return all(-(2**63) <= int(digits) < 2**63 for digits in integers)


@pytest.mark.parametrize("text", ["\0", "a\0b", 'a,"\0"'])
def test_a_text_with_a_nul_is_written_as_it_is_and_stops_the_load(text: str, tmp_path: Path) -> None:
    part, columns = publish_nul(tmp_path, {"a": {"S": text}, "b": {"S": "behind"}})
    assert oracle.read_csv_rows([part])[1] == [(text, "behind")]
    with pytest.raises(InvalidRecordError):
        load_files([part], load_settings(columns))


def test_a_text_with_a_nul_in_the_last_column_stops_the_load_too(tmp_path: Path) -> None:
    """Unquoted, what is behind the NUL would be lost without a word."""
    part, columns = publish_nul(tmp_path, {"a": {"S": "before"}, "b": {"S": "a\0b"}})
    assert oracle.read_csv_rows([part])[1] == [("before", "a\0b")]
    with pytest.raises(InvalidRecordError):
        load_files([part], load_settings(columns))
    part.write_bytes(part.read_bytes().replace(b'"', b""))
    assert load_files([part], load_settings(columns)) == Loaded([("before", "a\0")], [])


def publish_nul(folder: Path, item: Item) -> tuple[Path, tuple[Column, ...]]:
    """The part that holds this item, and its columns."""
    publish_csv(folder, [[item]])
    (record,) = days.read_records(folder)
    return folder / "out" / record["parts"][0]["path"], columns_of(record)
