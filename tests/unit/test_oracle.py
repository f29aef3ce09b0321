from __future__ import annotations

import gzip
import json
import os
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings

from converter.testing import item_line, to_dynamodb, write_split_export
from tests import oracle, strategies
from tests.examples import examples
from tests.oracle import ExpectedTable, JsonText, Options
from tests.oracle_output import is_compact_json

REAL = "unicorn-activities/AWSDynamoDB/01716790307109-5f9d6aaa"


def table(*items: dict[str, object], **options: object) -> ExpectedTable:
    read = oracle.read_lines(b"".join(item_line(item) for item in items))
    given_options: Options = options  # type: ignore[assignment]
    return oracle.expected_table_of(read, **given_options)


def types(*values: object, **options: object) -> str:
    (column,) = table(*({"a": value} for value in values), **options).columns
    return f"{column.type}, {column.origin}"


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["x"], "string, text"),
        (["x", None], "string, text"),
        ([b"x"], "binary, binary"),
        ([True], "bool, bool"),
        ([{1}, ["x"], to_dynamodb({}), {"s"}, {b"b"}], "string, json"),
        ([0, 2**63 - 1, -(2**63)], "int64, number"),
        ([2**63], "decimal128(38, 0), number"),
        ([-(2**63) - 1], "decimal128(38, 0), number"),
        ([Decimal("1.00")], "int64, number"),
        ([Decimal("0.1")], "decimal128(38, 2), number"),
        ([Decimal("0.123"), 5], "decimal128(38, 4), number"),
        ([Decimal("1.12345")], "decimal128(38, 6), number"),
        ([Decimal("1.1234567")], "decimal128(38, 9), number"),
        ([Decimal("1.1234567890")], "decimal128(38, 9), number"),
        ([Decimal("1.12345678901")], "decimal128(38, 18), number"),
        ([Decimal("1." + "1" * 19)], "decimal128(38, 28), number"),
        ([Decimal("1." + "1" * 28)], "decimal128(38, 28), number"),
        ([Decimal("1." + "1" * 29)], "decimal128(38, 29), number"),
        ([Decimal("0." + "1" * 38)], "decimal128(38, 38), number"),
        ([Decimal("0." + "1" * 38), 1], "string, number as text"),
        ([int("1" * 37), Decimal("0.1")], "decimal128(38, 1), number"),
        ([int("1" * 38), Decimal("0.1")], "string, number as text"),
        ([int("1" * 29), Decimal("0." + "1" * 9)], "decimal128(38, 9), number"),
        ([int("1" * 30), Decimal("0." + "1" * 9)], "string, number as text"),
        ([int("1" * 30), Decimal("0." + "1" * 7)], "decimal128(38, 7), number"),
        ([10**38], "string, number as text"),
        ([Decimal("1E-39")], "string, number as text"),
        (["x", 1], "string, mixed as text"),
        ([True, b"x"], "string, mixed as text"),
        ([[], "x"], "string, mixed as text"),
    ],
)
def test_types_follow_from_all_values(values: list[object], type_: str) -> None:
    assert types(*values) == type_
    assert types(*reversed(values)) == type_


@pytest.mark.parametrize(("numbers", "type_"), [("double", "double, number"), ("text", "string, number as text")])
def test_the_numbers_option_replaces_the_type_of_all_numbers(numbers: str, type_: str) -> None:
    assert types(1, 2, numbers=numbers) == type_
    assert types(Decimal("0.1"), numbers=numbers) == type_
    assert types("x", 1, numbers=numbers) == "string, mixed as text"


def test_an_attribute_that_is_only_null_has_no_column() -> None:
    assert table({"a": None, "b": 1}).columns == [("b", "b", "int64", "number")]


def test_mixed_types_can_be_refused() -> None:
    with pytest.raises(oracle.MixedTypesError, match="'a'"):
        types("x", 1, mixed="fail")
    assert types({"s"}, [], None, mixed="fail") == "string, json"


def test_values_are_python_values_in_rows_and_text_in_cells() -> None:
    item = {"S": "é", "N": 5, "D": Decimal("1.50"), "B": b"\xff", "T": True, "F": False, "L": [1, "x", None]}
    made = table(item, {"S": "", "B": b"", "N": None})
    assert [column.name for column in made.columns] == ["B", "D", "F", "L", "N", "S", "T"]
    assert made.rows[0] == (b"\xff", Decimal("1.5"), False, '[1,"x",null]', 5, "é", True)
    assert made.rows[1] == (b"", None, None, None, None, "", None)
    assert oracle.expected_csv_cells(made)[0] == ("/w==", "1.5", "false", '[1,"x",null]', "5", "é", "true")
    assert oracle.expected_csv_cells(made)[1] == ("", None, None, None, None, "", None)


def test_doubles_are_floats_in_rows() -> None:
    assert table({"a": Decimal("0.1")}, {"a": 10**30}, numbers="double").rows == [(0.1,), (1e30,)]


def test_numbers_keep_all_their_digits() -> None:
    value = Decimal("0." + "1234567890" * 3 + "12345678")
    assert table({"a": value}).rows == [(value,)]
    assert table({"a": [value]}).rows == [(f"[{value}]",)]


def test_nested_values_become_plain_json() -> None:
    value = to_dynamodb(
        {"z": 1, "a": [b"\xff", True, None, {"M": {"S": "x"}}], 'q"': {"b", "a"}, "n": {2, Decimal("0.5")}}
    )
    expected = '{"z":1,"a":["/w==",true,null,{"M":{"S":"x"}}],"q\\"":["a","b"],"n":[0.5,2]}'
    assert table({"v": value}).rows == [(expected,)]


def test_mixed_values_become_text() -> None:
    values: list[object] = ["x", 5, Decimal("0.50"), True, b"\xff", None, to_dynamodb({"a": 1}), {"s"}]
    rows = table(*({"v": value} for value in values)).rows
    assert [row[0] for row in rows] == ["x", "5", "0.5", "true", "/w==", None, '{"a":1}', '["s"]']


def test_mixed_values_become_dynamodb_json_that_loses_nothing() -> None:
    values: list[object] = ["x", {"N": "5.0"}, True, b"\xff", None, to_dynamodb({"a": {1}})]
    rows = table(*({"v": value} for value in values), {}, mixed="json").rows
    expected = [
        '{"S":"x"}',
        '{"N":"5"}',
        '{"BOOL":true}',
        '{"B":"/w=="}',
        '{"NULL":true}',
        '{"M":{"a":{"NS":["1"]}}}',
        None,
    ]
    assert [row[0] for row in rows] == expected


def test_only_mixed_columns_become_dynamodb_json() -> None:
    assert table({"a": 1, "b": None, "c": [1]}, {"b": "x"}, mixed="json").rows == [(1, None, "[1]"), (None, "x", None)]


def names(made: ExpectedTable) -> list[str]:
    return [column.name for column in made.columns]


def test_columns_are_ordered_by_code_points_after_the_keys() -> None:
    item: dict[str, object] = dict.fromkeys(("b", "é", "B", "a", "😀", "\uffff", "Z"), 1)
    assert names(table(item)) == ["B", "Z", "a", "b", "é", "\uffff", "😀"]
    assert names(table(item, key=["b", "a"]))[:3] == ["b", "a", "B"]


def test_select_and_exclude_choose_the_attributes() -> None:
    item: dict[str, object] = {"a": 1, "b": 2, "c": 3}
    assert names(table(item, select=["c", "a"])) == ["a", "c"]
    assert names(table(item, exclude=["b"])) == ["a", "c"]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (["dt"], ["dt_1"]),
        (["DT", "dt", "dt_1"], ["DT_2", "dt_3", "dt_1"]),
        (["_OP", "_old", "_write_ts"], ["_OP_1", "_old_1", "_write_ts_1"]),
        (["City", "city"], ["City", "city"]),
        (["dt_1", "dt_2"], ["dt_1", "dt_2"]),
        (["_more"], ["_more"]),
    ],
)
def test_a_name_of_ours_gets_the_next_free_number(attributes: list[str], expected: list[str]) -> None:
    assert list(oracle.column_names(attributes).values()) == expected


def test_the_overflow_column_and_the_layouts_keys_are_names_of_ours() -> None:
    assert oracle.column_names(["_MORE", "year", "dt"], "_more", "year={date}/t-{table}") == {
        "_MORE": "_MORE_1",
        "year": "year_1",
        "dt": "dt",
    }


def test_too_many_columns_are_refused_without_an_overflow_column() -> None:
    item: dict[str, object] = {"a": 1, "b": 2, "c": 3, "d": None}
    assert len(table(item, max_columns=3).columns) == 3
    with pytest.raises(oracle.TooManyColumnsError):
        table(item, max_columns=2)


def test_the_overflow_column_takes_the_least_frequent_attributes() -> None:
    items: list[dict[str, object]] = [
        {"rare": [1], "k": "1", "often": 1, "b": "x", "a": None, "only null": None},
        {"often": 2, "b": "y", "a": "z"},
        {"often": 3, "k": "3"},
    ]
    made = table(*items, max_columns=3, overflow="_more", key=["k"])
    assert made.columns[-1] == ("_more", None, "string", "overflow")
    assert names(made) == ["k", "often", "_more"]
    overflows = ['{"rare":[1],"b":"x","a":null,"only null":null}', '{"b":"y","a":"z"}', None]
    assert [row[-1] for row in made.rows] == overflows


def test_ties_of_frequency_go_by_name_and_keys_are_always_kept() -> None:
    item: dict[str, object] = {"c": 1, "b": 1, "a": 1, "z": 1}
    assert names(table(item, max_columns=3, overflow="_more")) == ["a", "b", "_more"]
    assert names(table(item, max_columns=1, overflow="_more", key=["z", "c"])) == ["z", "c", "_more"]


def test_no_overflow_column_is_made_without_need() -> None:
    assert names(table({"a": 1, "b": 2}, max_columns=2, overflow="_more")) == ["a", "b"]


@given(strategies.values())
def test_plain_json_of_any_value_is_compact_and_valid(value: strategies.Value) -> None:
    text = oracle.plain_json(value)
    json.loads(text)
    assert is_compact_json(text)


ITEMS: list[dict[str, object]] = [
    {"s": "x", "n": 5, "d": Decimal("1.5"), "j": ["é"], "b": b"\x01"},
    {"s": "", "d": Decimal("0.25"), "n": -1},
]
COLUMNS: dict[str, tuple[pa.DataType, list[object]]] = {
    "b": (pa.binary(), [b"\x01", None]),
    "d": (pa.decimal128(38, 2), [Decimal("1.50"), Decimal("0.25")]),
    "j": (pa.string(), ['["\\u00e9"]', None]),
    "n": (pa.int64(), [5, -1]),
    "s": (pa.string(), ["x", ""]),
}
CSV = 'b,d,j,n,s\nAQ==,1.5,"[""é""]",5,x\n,0.25,,-1,""\n'


def write_parquet(path: Path, **changed: tuple[pa.DataType, list[object]]) -> Path:
    columns = {**COLUMNS, **changed}
    arrays = [pa.array(values, type_) for type_, values in columns.values()]
    pyarrow.parquet.write_table(pa.table(arrays, names=list(columns)), path)
    return path


def test_parquet_parts_that_are_right_pass(tmp_path: Path) -> None:
    export = write_split_export(tmp_path, [ITEMS])
    oracle.assert_equal_to_oracle(export.folder, [write_parquet(tmp_path / "0.parquet")], "parquet")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"s": (pa.string(), ["x", None])}, "row 1 of 2, column 's'"),
        ({"s": (pa.binary(), [b"x", b""])}, "columns differ at 4"),
        ({"n": (pa.int64(), [5, 1])}, "row 1 of 2, column 'n'"),
        ({"d": (pa.decimal128(38, 4), [Decimal("1.5"), Decimal("0.25")])}, "columns differ at 1"),
        ({"j": (pa.string(), ['[ "é"]', None])}, "row 0 of 2, column 'j'"),
        ({"j": (pa.string(), ["é", None])}, "row 0 of 2, column 'j'"),
        ({"z": (pa.string(), [None, None])}, "columns differ at 5"),
        ({name: (type_, values[:1]) for name, (type_, values) in COLUMNS.items()}, "1 rows were written, 2 expected"),
        ({name: (type_, values * 2) for name, (type_, values) in COLUMNS.items()}, "4 rows were written, 2 expected"),
    ],
)
def test_parquet_parts_that_are_wrong_fail_with_the_first_difference(
    tmp_path: Path, changed: dict[str, tuple[pa.DataType, list[object]]], message: str
) -> None:
    export = write_split_export(tmp_path, [ITEMS])
    part = write_parquet(tmp_path / "0.parquet", **changed)
    with pytest.raises(AssertionError, match=message):
        oracle.assert_equal_to_oracle(export.folder, [part], "parquet")


@pytest.mark.parametrize("compressed", [False, True])
def test_csv_parts_that_are_right_pass(tmp_path: Path, compressed: bool) -> None:
    export = write_split_export(tmp_path, [ITEMS])
    part = tmp_path / ("0.csv.gz" if compressed else "0.csv")
    part.write_bytes(gzip.compress(CSV.encode()) if compressed else CSV.encode())
    oracle.assert_equal_to_oracle(export.folder, [part], "csv")


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        (',""\n', ",\n", "row 1 of 2, column 's'"),
        (",1.5,", ",1.50,", "row 0 of 2, column 'd'"),
        ("AQ==", "AQ=", "row 0 of 2, column 'b'"),
        (",,-1", ',"",-1', "row 1 of 2, column 'j'"),
        ("b,d,j", "B,d,j", "columns differ at 0"),
    ],
)
def test_csv_parts_that_are_wrong_fail_with_the_first_difference(
    tmp_path: Path, right: str, wrong: str, message: str
) -> None:
    export = write_split_export(tmp_path, [ITEMS])
    assert right in CSV
    part = tmp_path / "0.csv"
    part.write_bytes(CSV.replace(right, wrong).encode())
    with pytest.raises(AssertionError, match=message):
        oracle.assert_equal_to_oracle(export.folder, [part], "csv")


def test_doubles_in_csv_are_compared_as_numbers(tmp_path: Path) -> None:
    export = write_split_export(tmp_path, [[{"a": 10**20}, {"a": Decimal("0.5")}]])
    part = tmp_path / "0.csv"
    part.write_bytes(b"a\n1e20\n5E-1\n")
    oracle.assert_equal_to_oracle(export.folder, [part], "csv", numbers="double")
    part.write_bytes(b"a\n1e20\n0.51\n")
    with pytest.raises(AssertionError, match="row 1 of 2"):
        oracle.assert_equal_to_oracle(export.folder, [part], "csv", numbers="double")


@settings(max_examples=examples(50))
@given(strategies.item_lists(mixed=False))
def test_item_lists_without_mixed_types_have_none(items: list[strategies.Item]) -> None:
    made = oracle.expected_table_of(items, mixed="fail")
    assert len(made.rows) == len(items)


@pytest.mark.slow
def test_a_real_export_becomes_a_table_of_all_its_items() -> None:
    samples = os.environ.get("SAMPLE_EXPORTS")
    if not samples:
        pytest.skip("SAMPLE_EXPORTS names no folder of real exports")
    made = oracle.expected_table(Path(samples) / REAL, key=["name"])
    assert made.columns == [("name", "name", "string", "text"), ("activities", "activities", "string", "json")]
    assert len(made.rows) == 133_199
    assert all(isinstance(row[1], JsonText) for row in made.rows)
