"""Decoders that begin with the fields and buffers of another one: no result depends on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.decode import attribute_registry, buffers
from converter.decode.attribute_registry import AttributeRegistry
from converter.decode.decoder import Decoder
from converter.decode.time_rules import TimeRules
from converter.errors import SchemaError
from converter.kernels import layout
from converter.options import ConvertOptions
from converter.schema.columns import Schema
from converter.schema.derive import derive_schema
from tests.unit.decode.decoding import cut_blocks, everything, lines_of, observe, rows_of, schema_of

Item = Mapping[str, object]

VALUES = st.one_of(
    st.text(max_size=8).map(lambda text: {"S": text}),
    st.integers(-(10**20), 10**20).map(lambda number: {"N": str(number)}),
    st.just({"N": "0.125"}),
    st.just({"NULL": True}),
    st.booleans().map(lambda value: {"BOOL": value}),
    st.just({"M": {"inner": {"B": "AQID"}}}),
)
ITEMS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "c", "d", "é", 'q"']), VALUES, max_size=5), max_size=6)


def outcome(decoder: Decoder, items: Sequence[Item]) -> object:
    """All that a shard's result is made of."""
    rows, sizes = [], []
    for block in cut_blocks(lines_of(*items), 300):
        for batch in decoder.decode(block):
            rows += rows_of(batch.schema, [batch])
            sizes.append(batch.rows)
    for batch in decoder.finish():
        rows += rows_of(batch.schema, [batch])
        sizes.append(batch.rows)
    seen = decoder.observation()
    return rows, sizes, seen, list(seen.attributes), decoder.surprise, decoder.surprise_place, decoder.attribute_count


def wants(name: str) -> bool:
    return name != "d"


def new(schema: Schema) -> Decoder:
    return Decoder(schema, wants=wants)


def after(schema: Schema, shards: Sequence[Sequence[Item]]) -> Decoder:
    """A decoder that begins with what the decoders of these shards have learned, if they have."""
    learned = None
    for items in shards:
        decoder = new(schema)
        if learned is not None:
            decoder.begin_with(learned)
        outcome(decoder, items)
        learned = decoder.learned() or learned if not decoder.observing else None
    decoder = new(schema)
    if learned is not None:
        decoder.begin_with(learned)
    return decoder


@given(ITEMS, ITEMS, ITEMS, st.booleans())
def test_a_shard_gives_the_same_whichever_shard_was_decoded_before(
    first: list[Item], second: list[Item], known: list[Item], overflow: bool
) -> None:
    # Items that only some shards have surprise a schema of the others.
    options = ConvertOptions(overflow="rest", max_columns=2) if overflow else ConvertOptions()
    schema = derive_schema(observe(lines_of(*known, *first)), options)
    for shards in ([first, second], [second, first], [first, first, second], [known, second]):
        for last in shards:
            assert outcome(after(schema, shards), last) == outcome(new(schema), last)


def test_fields_and_room_are_handed_on() -> None:
    items = [{f"a{n}": {"S": "x" * 50}, "b": {"N": "1"}} for n in range(300)]
    decoder = new(schema_of(lines_of(*items)))
    outcome(decoder, items * 10)
    learned = decoder.learned()
    assert learned is not None
    registry, arena = learned.registry, learned.buffers[0].arrays.arena
    again = after(schema_of(lines_of(*items)), [])
    again.begin_with(learned)
    assert again.attribute_count == 0
    outcome(again, items[:7])
    assert again.attribute_count == 8
    handed = again.learned()
    assert handed is not None
    assert handed.registry is registry
    assert len(registry) == 302
    assert handed.buffers[0].arrays.arena is arena


def test_an_attribute_that_an_earlier_shard_had_is_not_observed() -> None:
    schema = schema_of(lines_of({"a": {"S": "x"}, "b": {"N": "1"}}))
    decoder = after(schema, [[{"a": {"S": "x" * 99}, "b": {"N": "123"}, "d": {"S": "unwanted"}}]])
    assert outcome(decoder, [{"b": {"N": "1"}}]) == outcome(new(schema), [{"b": {"N": "1"}}])
    assert list(decoder.observation().attributes) == ["b"]


def test_a_decoder_that_was_surprised_or_must_report_times_hands_on_nothing() -> None:
    schema = schema_of(lines_of({"a": {"S": "x"}}))
    surprised = new(schema)
    outcome(surprised, [{"new": {"S": "x"}}])
    assert surprised.observing
    assert surprised.learned() is None
    options = ConvertOptions(cast=(("a", "timestamp"),), on_bad_time="null")
    data = lines_of({"a": {"S": "2024-01-01T00:00:00Z"}})
    timed = Decoder(derive_schema(observe(data), options), wants=everything, times=TimeRules.of(options, None))
    assert timed.learned() is None


def test_too_many_fields_and_too_large_buffers_are_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = schema_of(lines_of({"a": {"S": "x"}}))
    monkeypatch.setattr(buffers, "BATCH_BYTES", 1000)
    learned = new(schema).learned()
    assert learned is not None
    assert learned.buffers == ()
    assert outcome(after(schema, [[{"a": {"S": "y"}}]]), [{"a": {"S": "z"}}])
    monkeypatch.setattr(attribute_registry, "_MOST_KEPT", 0)
    decoder = new(schema)
    outcome(decoder, [{"a": {"S": "y"}}])
    assert decoder.learned() is None


def test_only_names_of_this_shard_count_toward_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribute_registry, "NAMES_LIMIT", 3)
    registry = AttributeRegistry()

    def add(name: str) -> None:
        spelling = f'"{name}":{{"N":"'.encode()
        registry.add(np.frombuffer(spelling, np.uint8), len(name) + 1, len(name) + 6)

    for name in "abc":
        add(name)
    registry.forget_items()
    registry.tables.facts[1, layout.FIELD_SEEN] = 1
    add("d")
    add("e")
    with pytest.raises(SchemaError) as error:
        add("f")
    assert "3" in str(error.value)
