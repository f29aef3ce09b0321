"""How a schema file that is not the one of a record is told from it."""

from __future__ import annotations

from dataclasses import replace

from converter.options import ConvertOptions, SchemaText
from converter.publishing.schema_difference import describe_schema_difference
from tests.unit.publishing.published import make_example_record


def schema(*columns: str) -> ConvertOptions:
    return ConvertOptions(schema=SchemaText("columns.json", f'{{"version": 1, "columns": [{", ".join(columns)}]}}'))


BEFORE = make_example_record(schema('{"attribute": "id"}'))


def test_the_first_differences_are_told_in_words() -> None:
    options = schema(
        '{"attribute": "id", "name": "order_id"}',
        '{"attribute": "price", "type": "string"}',
        '{"attribute": "new", "type": "bool"}',
        '{"attribute": "other"}',
        '{"attribute": "newer", "type": "bool"}',
    )
    assert describe_schema_difference(BEFORE, options) == (
        "a schema file of other content → columns.json: attribute 'id' was column 'id' and would be 'order_id';"
        " column 'price' was decimal128(38, 2) and would be string (mixed as text); attribute 'new' had no column;"
        " and 1 more"
    )
    assert "attribute 'price' was column 'price' and would be dropped" in describe_schema_difference(
        BEFORE, schema('{"attribute": "price", "drop": true}')
    )


def test_a_difference_that_the_columns_do_not_show_is_said_to_be_one() -> None:
    assert describe_schema_difference(BEFORE, schema('{"attribute": "id", "numbers": "text"}')) == (
        "a schema file of other content → columns.json: the same columns, in another order or with other drops"
    )


def test_one_file_may_be_missing() -> None:
    assert describe_schema_difference(BEFORE, ConvertOptions()) == "a schema file → none"
    assert describe_schema_difference(BEFORE, ConvertOptions(schema="new")) == "a schema file → none"
    without = make_example_record()
    assert describe_schema_difference(without, schema()) == "none → columns.json"
    older = replace(without, options={})
    assert describe_schema_difference(older, schema()) == "none → columns.json"
