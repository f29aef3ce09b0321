"""Decoders: what surprises them and what doesn't, and what they do from then on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from converter.decode import buffers as buffers_module
from converter.decode.actions import choose_action
from converter.decode.batch import Batch
from converter.decode.decoder import Decoder
from converter.options import ConvertOptions
from converter.schema import tags
from converter.schema.column_types import Origin, parse_type
from converter.schema.columns import Column, Schema
from converter.testing import item_line
from tests.unit.decode.decoding import (
    column_of,
    cut_blocks,
    decode_rows,
    everything,
    last_batch,
    limit_rows,
    lines_of,
    make_block,
    observe,
    rows_of,
    schema_of,
    texts_of,
)

INT64 = Column("a", "a", parse_type("int64"), Origin.NUMBER)


def decoder_for(column: Column, *, text: bool = False) -> Decoder:
    return Decoder(Schema((column,)), text=text, wants=everything)


def surprise(column: Column, value: dict[str, Any], *, text: bool = False) -> str:
    """What a decoder of this one column says of the value."""
    decoder = decoder_for(column, text=text)
    list(decoder.decode(make_block(lines_of({"a": value}))))
    assert bool(decoder.surprise) == decoder.observing
    return decoder.surprise


def column(type_: str, origin: Origin) -> Column:
    return Column("a", "a", parse_type(type_), origin)


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (INT64, {"N": "0.5"}),
        (INT64, {"N": "5E-1"}),
        (INT64, {"N": "9223372036854775808"}),
        (INT64, {"N": "-9223372036854775809"}),
        (INT64, {"N": "1" + "0" * 19}),
        (INT64, {"N": "9" * 38}),
        (column("decimal128(38, 2)", Origin.NUMBER), {"N": "0.125"}),
        (column("decimal128(38, 2)", Origin.NUMBER), {"N": "1" + "0" * 36}),
        (column("decimal128(38, 28)", Origin.NUMBER), {"N": "12345678901"}),
        (column("decimal128(38, 38)", Origin.NUMBER), {"N": "1"}),
    ],
)
def test_a_number_that_its_column_cannot_hold_is_a_surprise_but_not_in_csv(made: Column, value: dict[str, Any]) -> None:
    assert surprise(made, value) == "a number in 'a' is wider than those before"
    assert surprise(made, value, text=True) == ""


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (INT64, {"N": "9223372036854775807"}),
        (INT64, {"N": "-9223372036854775808"}),
        (INT64, {"N": "100E-2"}),
        (column("decimal128(38, 2)", Origin.NUMBER), {"N": "9" * 36 + ".99"}),
        (column("decimal128(38, 38)", Origin.NUMBER), {"N": "-0." + "9" * 38}),
        (column("string", Origin.NUMBER_TEXT), {"N": "9" * 38 + "0" * 88}),
        (column("double", Origin.NUMBER), {"N": "1E125"}),
        (column("string", Origin.JSON), {"SS": ["x"]}),
        (column("string", Origin.MIXED_TEXT), {"BS": ["AA=="]}),
        (column("string", Origin.MIXED_JSON), {"NULL": True}),
        (INT64, {"NULL": True}),
    ],
)
@pytest.mark.parametrize("text", [False, True])
def test_a_value_that_its_column_holds_is_no_surprise(made: Column, value: dict[str, Any], text: bool) -> None:
    assert surprise(made, value, text=text) == ""


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize(
    ("origin", "type_", "fitting"),
    [
        (Origin.TEXT, "string", {"S"}),
        (Origin.NUMBER, "int64", {"N"}),
        (Origin.NUMBER_TEXT, "string", {"N"}),
        (Origin.BINARY, "binary", {"B"}),
        (Origin.BOOL, "bool", {"BOOL"}),
        (Origin.JSON, "string", {"M", "L", "SS", "NS", "BS"}),
        (Origin.MIXED_TEXT, "string", set(tags.TAGS)),
        (Origin.MIXED_JSON, "string", set(tags.TAGS)),
        (Origin.OVERFLOW, "string", set(tags.TAGS)),
        # The kernel refuses the tags that no timestamp has, with their place.
        (Origin.TIME, "timestamp", set(tags.TAGS)),
        (Origin.TIME, "int64", set(tags.TAGS)),
    ],
)
def test_a_type_that_its_column_never_had_has_no_place_in_it(
    origin: Origin, type_: str, fitting: set[str], text: bool
) -> None:
    for tag, name in enumerate(tags.TAGS):
        action = choose_action(column(type_, origin), tag, text=text)
        assert (action is not None) == (name in fitting or name == "NULL")


def test_an_attribute_without_a_column_is_a_surprise_only_if_it_has_a_value_and_is_wanted() -> None:
    def after(value: dict[str, Any], wants: Any) -> str:
        decoder = Decoder(Schema((INT64,)), wants=wants)
        list(decoder.decode(make_block(lines_of({"a": {"N": "1"}, "new": value}))))
        return decoder.surprise

    assert after({"S": "x"}, everything) == "attribute 'new' is new"
    assert after({"NULL": True}, everything) == ""
    assert after({"S": "x"}, lambda name: name == "a") == ""


def test_a_type_that_the_column_did_not_have_is_a_surprise() -> None:
    assert surprise(INT64, {"S": "x"}) == "attribute 'a' has a type it didn't have before"


@pytest.mark.parametrize(
    ("name", "value", "path"),
    [
        ("price", {"N": "0.5"}, "$.Item.price.N"),
        ("unit price", {"N": "0.5"}, '$.Item["unit price"].N'),
        ("a.b", {"S": "x"}, '$.Item["a.b"].S'),
    ],
)
def test_the_place_of_a_surprise_is_written_as_that_of_a_bad_value(name: str, value: dict[str, Any], path: str) -> None:
    decoder = decoder_for(Column(name, name, parse_type("int64"), Origin.NUMBER))
    first = lines_of({name: {"N": "1"}})
    list(decoder.decode(make_block(first + lines_of({name: value}))))
    assert decoder.surprise_place == (len(first), path)


@pytest.mark.parametrize("block_bytes", [1, 1 << 20])
def test_after_a_surprise_everything_is_observed_and_no_row_is_given(block_bytes: int) -> None:
    items: list[dict[str, object]] = [{"a": {"N": str(n)}, "s": {"S": "x" * n}} for n in range(50)]
    items[20] = {"s": {"S": "y"}, "a": {"N": "0.5"}, "z": {"L": []}}
    sample, lines = lines_of(*items[:10]), lines_of(*items)
    decoder = Decoder(schema_of(sample), wants=everything)
    for block in cut_blocks(lines, block_bytes):
        assert list(decoder.decode(block)) == []
    assert list(decoder.finish()) == []
    assert decoder.observing
    assert decoder.surprise == "a number in 'a' is wider than those before"
    assert decoder.items == 50
    assert decoder.observation() == observe(lines)


def test_a_decoder_told_to_observe_drops_its_rows_and_counts_on() -> None:
    items = lines_of(*[{"a": {"N": str(n)}, "t": {"BOOL": True}} for n in range(30)])
    decoder = Decoder(schema_of(items), wants=everything)
    list(decoder.decode(make_block(items)))
    decoder.observe_only()
    assert decoder.observing
    assert decoder.surprise == ""
    assert list(decoder.decode(make_block(items + lines_of({"new": {"S": "x"}})))) == []
    assert list(decoder.finish()) == []
    assert decoder.items == 61
    assert decoder.attributes == ["a", "t", "new"]
    assert decoder.observation() == observe(items + items + lines_of({"new": {"S": "x"}}))


def test_the_first_surprise_is_the_one_that_is_told() -> None:
    decoder = decoder_for(INT64)
    list(decoder.decode(make_block(lines_of({"a": {"S": "x"}}, {"b": {"S": "x"}}))))
    assert decoder.surprise == "attribute 'a' has a type it didn't have before"
    decoder.observe_only("another")
    assert decoder.surprise == "attribute 'a' has a type it didn't have before"


@pytest.mark.parametrize("capacity", [1, 2, 7, 8, 9, 63])
def test_a_batch_that_is_full_goes_out_and_the_next_begins_empty(capacity: int) -> None:
    items: list[dict[str, object]] = [
        {"a": {"N": str(n)}, "s": {"S": f"text {n}"}, "t": {"BOOL": n % 3 == 0}, "d": {"N": f"{n}.25"}}
        for n in range(40)
    ]
    items[::5] = [{}] * 8
    lines = lines_of(*items)
    lines = lines.replace(b'"text 7"', b' "text 7" ')
    schema = schema_of(lines)
    decoder = Decoder(schema, wants=everything)
    limit_rows(decoder, capacity)
    rows: list[dict[str, object]] = []
    for block in cut_blocks(lines, 600):
        for batch in decoder.decode(block):
            assert batch.rows == capacity
            rows.extend(rows_of(schema, [batch]))
    for batch in decoder.finish():
        assert 0 < batch.rows <= capacity
        rows.extend(rows_of(schema, [batch]))
    assert list(decoder.finish()) == []
    assert rows == decode_rows(lines)


def test_a_line_that_is_read_twice_may_be_the_last_of_a_batch_and_make_a_column_grow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(buffers_module, "BATCH_ROWS", 8)
    sizes = [5000 if n == 7 else n for n in range(9)]
    items = [{"n": {"N": str(n)}, "s": {"S": "x" * size}, "t": {"S": f"t{n}"}} for n, size in enumerate(sizes)]
    lines = lines_of(*items).replace(b'"t7"', b' "t7"')
    schema = schema_of(lines)
    decoder = Decoder(schema, wants=everything)
    rows: list[dict[str, object]] = []
    for batches in (decoder.decode(make_block(lines)), decoder.finish()):
        for batch in batches:
            rows.extend(rows_of(schema, [batch]))
    assert decoder.surprise == ""
    assert rows == [{"n": n, "s": "x" * size, "t": f"t{n}"} for n, size in enumerate(sizes)]


def test_a_batch_that_is_kept_stays_as_it_is_until_the_next_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers_module, "BATCH_ROWS", 3)
    data = lines_of(*({"a": {"S": "x" * n}, "n": {"N": str(n)}} for n in range(20)))
    schema = schema_of(data)
    decoder = Decoder(schema, wants=everything)
    seen: list[dict[str, object]] = []
    kept: list[Batch] = []
    for batch in (*[decoder.decode(make_block(data))], decoder.finish()):
        for given in batch:
            # By now the decoder has filled the next batch with the rows behind.
            seen += rows_of(schema, kept)
            kept, given.kept = [given], True
    assert seen + rows_of(schema, kept) == [{"a": "x" * n, "n": n} for n in range(20)]


def test_a_decoder_without_items_gives_no_batch() -> None:
    decoder = decoder_for(INT64)
    assert list(decoder.decode(make_block(b"\n{}\n"))) == []
    assert list(decoder.finish()) == []
    assert (decoder.items, decoder.empty_objects) == (0, 1)


def test_a_column_that_is_only_known_from_elsewhere_is_null() -> None:
    schema = Schema((INT64, Column("b", "b", parse_type("string"), Origin.TEXT)))
    decoder = Decoder(schema, wants=everything)
    list(decoder.decode(make_block(b'{"Item":{}}\n{"Item":{"a":{"NULL":true}}}\n')))
    batch = last_batch(decoder)
    assert [batch.buffers.present(index) for index in (1, 2)] == [0, 0]
    assert rows_of(schema, [batch]) == [{"a": None, "b": None}] * 2


DOUBLES = ["0.1", "0.3333333333333333", "12345678901234567890", "9007199254740993", "0.10000000000000000001", "1E-130"]


def test_doubles_count_the_values_that_they_change() -> None:
    lines = lines_of(*[{"a": {"N": number}} for number in DOUBLES], {"a": {"NULL": True}}, {})
    schema = schema_of(lines, numbers="double")
    decoder = Decoder(schema, wants=everything)
    list(decoder.decode(make_block(lines)))
    batch = last_batch(decoder)
    assert batch.doubles(1).tolist() == list(map(float, DOUBLES))
    changed = sum(Decimal(repr(float(number))) != Decimal(number) for number in DOUBLES)
    assert changed == 3
    assert decoder.changed == {"a": 3}


def test_csv_shows_what_a_double_holds_and_counts_the_same_changes() -> None:
    lines = lines_of(*[{"a": {"N": number}, "b": {"S": "x"}} for number in DOUBLES], {"b": {"S": "y"}})
    decoder = Decoder(schema_of(lines, numbers="double"), text=True, wants=everything)
    list(decoder.decode(make_block(lines)))
    batch = last_batch(decoder)
    batch.to_text()
    shown = texts_of(batch.buffers, 1, batch.rows)
    assert shown.pop() is None
    assert [float(text or "") for text in shown] == list(map(float, DOUBLES))
    assert all("e" not in (text or "").lower() for text in shown)
    assert decoder.changed == {"a": 3}
    assert texts_of(batch.buffers, 2, batch.rows) == ["x"] * len(DOUBLES) + ["y"]


def test_a_column_of_doubles_that_all_hold_counts_as_unchanged() -> None:
    lines = lines_of({"a": {"N": "0.5"}})
    decoder = Decoder(schema_of(lines, numbers="double"), wants=everything)
    list(decoder.decode(make_block(lines)))
    batch = last_batch(decoder)
    assert batch.doubles(1).tolist() == [0.5]
    assert decoder.changed == {"a": 0}


def test_the_overflow_column_holds_one_object_of_what_has_no_column() -> None:
    lines = lines_of(
        {"a": {"N": "1"}, "x": {"S": 'q"'}, "y": {"N": "1.5"}},
        {"x": {"B": "AQID"}, "a": {"N": "2"}},
        {"a": {"N": "3"}},
        {"a": {"N": "4"}, "x": {"NULL": True}, "é": {"M": {"k": {"SS": ["v"]}}}, "y": {"BOOL": False}},
    )
    options: dict[str, Any] = {"max_columns": 2, "overflow": "_more"}
    expected = ['{"x":"q\\"","y":1.5}', '{"x":"AQID"}', None, '{"x":null,"é":{"k":["v"]},"y":false}']
    assert column_of(lines, "_more", **options) == expected
    assert column_of(lines.replace(b'},"', b'}, "'), "_more", **options) == expected
    assert column_of(lines, "a", **options) == [1, 2, 3, 4]


def test_the_overflow_column_takes_attributes_that_it_has_never_seen_but_not_unwanted_ones() -> None:
    options = ConvertOptions(max_columns=2, overflow="_more", exclude=("z",))
    schema = schema_of(
        lines_of({"a": {"N": "1"}, "b": {"N": "1"}, "c": {"N": "1"}}, {"a": {"N": "1"}}),
        max_columns=2,
        overflow="_more",
    )
    decoder = Decoder(schema, wants=options.wants)
    list(decoder.decode(make_block(lines_of({"a": {"N": "1"}, "z": {"N": "1"}, "new": {"L": []}}))))
    batch = last_batch(decoder)
    assert rows_of(schema, [batch]) == [{"a": 1, "_more": '{"new":[]}'}]
    assert not decoder.observing


@pytest.mark.parametrize("size", [3900, 4000, 4050, 4096, 50_000])
def test_an_overflow_column_that_grows_in_the_middle_of_an_item_loses_nothing(size: int) -> None:
    item: dict[str, object] = {"a": {"N": "1"}, "b": {"S": "x" * size}, "c": {"N": "7"}, "d": {"S": "y" * size}}
    lines = lines_of(item, {"a": {"N": "1"}}, item)
    text = f'{{"b":"{"x" * size}","c":7,"d":"{"y" * size}"}}'
    assert column_of(lines, "_more", max_columns=2, overflow="_more") == [text, None, text]


def test_an_item_taken_back_leaves_nothing_in_the_overflow_column() -> None:
    item = {"a": {"N": "1"}, "b": {"S": "x"}, "c": {"N": "7"}}
    spaced = item_line(item).replace(b'"7"', b' "7"')
    lines = lines_of(item) + spaced + lines_of({"a": {"N": "1"}}) + spaced
    assert column_of(lines, "_more", max_columns=2, overflow="_more") == ['{"b":"x","c":7}'] * 2 + [
        None,
        '{"b":"x","c":7}',
    ]
