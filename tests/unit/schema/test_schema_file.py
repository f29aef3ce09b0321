"""The schema file: what a person may write, and the line that is named for what makes no sense."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.errors import UsageError
from converter.options import ConvertOptions, SchemaText
from converter.schema.column_types import INT64, STRING, Origin, parse_type
from converter.schema.columns import Column
from converter.schema.contract import Promise
from converter.schema.schema_file import SchemaFile, read_schema_file, render_schema_file

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
PAIRS = [
    ("string", Origin.TEXT),
    ("string", Origin.JSON),
    ("string", Origin.NUMBER_TEXT),
    ("string", Origin.MIXED_TEXT),
    ("string", Origin.MIXED_JSON),
    ("int64", Origin.NUMBER),
    ("double", Origin.NUMBER),
    ("decimal128(38, 6)", Origin.NUMBER),
    ("binary", Origin.BINARY),
    ("bool", Origin.BOOL),
]


def read(content: str, **options: str) -> SchemaFile:
    return read_schema_file(SchemaText("schema.json", content), ConvertOptions(**options))  # type: ignore[arg-type]


def of(*columns: dict[str, object]) -> SchemaFile:
    return read(json.dumps({"version": 1, "columns": columns}))


@given(st.lists(st.tuples(NAMES, st.sampled_from(PAIRS)), unique_by=lambda pair: pair[0].casefold(), max_size=8))
def test_what_is_written_is_read_back(found: list[tuple[str, tuple[str, Origin]]]) -> None:
    columns = [Column(f"c{n}", name, parse_type(type_), origin) for n, (name, (type_, origin)) in enumerate(found)]
    promises = read(render_schema_file(columns)).contract.promises
    assert [promise.column for promise in promises] == columns


def test_a_column_is_one_line_of_the_file() -> None:
    columns = [Column("a", "a", INT64, Origin.NUMBER), Column("_more", None, STRING, Origin.OVERFLOW)]
    line = '  {"attribute": "a", "name": "a", "type": "int64", "origin": "number"}'
    assert render_schema_file([columns[0], *columns]).splitlines()[2:] == [' "columns": [', f"{line},", line, " ]", "}"]


def test_only_the_attribute_is_needed() -> None:
    promises = of({"attribute": "a"}, {"attribute": "b", "numbers": "double"}, {"attribute": "c", "name": "C"})
    assert promises.contract.promises == (
        Promise("a", None),
        Promise("b", None, numbers="double"),
        Promise("c", "C"),
    )
    assert promises.contract.promises[0].column is None


def test_a_string_without_an_origin_takes_values_of_every_type() -> None:
    (promise,) = of({"attribute": "a", "type": "string"}).contract.promises
    assert promise.origin is Origin.MIXED_TEXT


@pytest.mark.parametrize("spelled", ["decimal(38,2)", "decimal128(38, 2)", "decimal128( 38 ,2 )"])
def test_a_decimal_may_be_spelled_in_several_ways(spelled: str) -> None:
    (promise,) = of({"attribute": "a", "type": spelled}).contract.promises
    assert str(promise.type) == "decimal128(38, 2)"


def test_what_is_dropped_is_no_column() -> None:
    file = of({"attribute": "a"}, {"attribute": "b", "drop": True}, {"attribute": "c", "drop": False})
    assert file.dropped == ("b",)
    assert [promise.attribute for promise in file.contract.promises] == ["a", "c"]


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        ('{"name": "x"}', 'the column has no "attribute"'),
        ('{"attribute": 5}', '"attribute" must be text'),
        ('{"attribute": "x", "name": ""}', "a column needs a name"),
        ('{"attribute": "x", "nam": "y"}', "did you mean 'name'?"),
        ('{"attribute": "x", "zzzzzz": "y"}', "members are attribute, name, type"),
        ('{"attribute": "x", "type": "varchar"}', "'varchar' is not a type: types are int64, double"),
        ('{"attribute": "x", "type": "decimal(38, 39)"}', "is not a type"),
        ('{"attribute": "x", "type": "decimal(10, 2)"}', "is not a type"),
        ('{"attribute": "x", "type": "int64", "origin": "text"}', "can't have origin 'text', only 'number'"),
        ('{"attribute": "x", "origin": "text"}', '"origin" needs a "type"'),
        ('{"attribute": "x", "numbers": "float"}', '"numbers" must be one of exact, double, text'),
        ('{"attribute": "x", "numbers": "text", "type": "string"}', '"type" has decided'),
        ('{"attribute": "x", "drop": "yes"}', '"drop" must be true or false'),
        ('{"attribute": "x", "drop": true, "name": "y"}', "has nothing else"),
        ('{"attribute": "a"}', "attribute 'a' is in line 4 too"),
        ('{"attribute": "x", "name": "A"}', "the column of line 4 is called 'A' too"),
        ('{"attribute": "x", "name": "DT"}', "'DT' is the name of a folder key or a reserved column"),
        ('{"attribute": "x", "name": "_op"}', "is the name of a folder key"),
        ('{"attribute": "x", "attribute": "y"}', "'attribute' is there twice"),
        ("7", "expected an object { … }"),
    ],
)
def test_what_makes_no_sense_is_named_with_its_line(column: str, problem: str) -> None:
    content = f'{{\n "version": 1,\n "columns": [\n  {{"attribute": "a", "name": "A"}},\n\n  {column}\n ]\n}}\n'
    with pytest.raises(UsageError) as caught:
        read(content)
    assert problem in caught.value.what
    assert caught.value.where == "schema.json line 6"


def test_a_members_own_line_is_named() -> None:
    content = '{"version": 1, "columns": [\n{"attribute": "a",\n"type":\n"int"}]}'
    with pytest.raises(UsageError) as caught:
        read(content)
    assert caught.value.where == "schema.json line 4"


@pytest.mark.parametrize(
    ("content", "where", "problem"),
    [
        ("", "schema.json line 1", "not JSON: Expecting value"),
        ('{"version": 1,\n"columns": [}', "schema.json line 2", "not JSON"),
        ("[]", "schema.json line 1", "an object"),
        ('{"columns": []}', "schema.json line 1", '"version" must be 1'),
        ('{\n"version": 2, "columns": []}', "schema.json line 2", '"version" must be 1'),
        ('{"version": 1}', "schema.json line 1", '"columns" must be a list'),
        ('{"version": 1,\n"columns": {}}', "schema.json line 2", '"columns" must be a list'),
        ('{"version": 1,\n"columns": [],\n"colums": []}', "schema.json line 3", "there is no member 'colums'"),
        ("[" * 100_000, "schema.json line 1", ""),
    ],
)
def test_a_file_that_is_none_is_refused(content: str, where: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(content)
    assert caught.value.where == where
    assert problem in caught.value.what


def test_a_byte_order_mark_and_the_layouts_own_keys_are_known() -> None:
    assert read('\ufeff{"version": 1, "columns": []}').contract.promises == ()
    content = '{"version": 1, "columns": [{"attribute": "dt", "name": "dt"}]}'
    assert read(content, layout="day={date}").contract.promises == (Promise("dt", "dt"),)


def test_a_name_must_be_one_that_the_policy_allows() -> None:
    content = '{"version": 1, "columns": [{"attribute": "a", "name": "A b"}]}'
    assert read(content).contract.promises == (Promise("a", "A b"),)
    with pytest.raises(UsageError, match="can't be called 'A b' with --names snake: only a-z"):
        read(content, names="snake")
