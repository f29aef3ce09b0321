"""What is observed depends on the lines alone: not on the columns that are written meanwhile, nor on the shards."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.decode.decoder import Decoder
from converter.options import ConvertOptions
from converter.schema.derive import derive_schema
from converter.schema.observe import Observation, merge_observations
from tests import strategies
from tests.examples import examples
from tests.unit.decode.decoding import cut_blocks, lines_of, observe

ITEM_LISTS = st.booleans().flatmap(lambda mixed: strategies.item_lists(mixed=mixed))


def without_longest(observation: Observation) -> Observation:
    """The part of an observation that types follow from."""
    return replace(observation, attributes={n: replace(s, longest=0) for n, s in observation.attributes.items()})


def observe_while_writing(lines: bytes, sample: bytes, *, text: bool, block_bytes: int = 1 << 20) -> Observation:
    """What a decoder observes that writes the columns which follow from the sample."""
    return observe_with(lines, sample, ConvertOptions(), text=text, block_bytes=block_bytes)


def observe_with(
    lines: bytes, sample: bytes, options: ConvertOptions, *, text: bool, block_bytes: int = 1 << 20
) -> Observation:
    schema = derive_schema(observe(sample) if sample else Observation(), options)
    decoder = Decoder(schema, text=text, wants=options.wants)
    for block in cut_blocks(lines, block_bytes):
        for _ in decoder.decode(block):
            pass
    for _ in decoder.finish():
        pass
    return decoder.observation()


@settings(max_examples=examples(100))
@given(ITEM_LISTS, st.data())
def test_a_decoder_that_writes_observes_what_one_without_columns_does(
    items: list[strategies.Item], data: st.DataObject
) -> None:
    if not items:
        return
    sample = lines_of(*items[: data.draw(st.integers(0, len(items)))])
    lines = lines_of(*items)
    found = observe_while_writing(
        lines, sample, text=data.draw(st.booleans()), block_bytes=data.draw(st.integers(1, 300))
    )
    assert without_longest(found) == without_longest(observe(lines))


@pytest.mark.parametrize(
    ("options", "text"),
    [({}, True), ({"max_columns": 1, "overflow": "_more"}, False), ({"mixed": "json"}, False)],
)
def test_the_longest_value_does_not_depend_on_how_it_is_written(options: dict[str, Any], text: bool) -> None:
    lines = lines_of({"b": {"S": 'quo"te'}, "t": {"BOOL": False}}, {"b": {"L": [{"N": "1"}]}})
    found = observe_with(lines, lines, ConvertOptions(**options), text=text)
    expected = observe(lines)
    assert {n: s.longest for n, s in found.attributes.items()} == {n: s.longest for n, s in expected.attributes.items()}


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("options", [{"max_columns": 1, "overflow": "_more"}, {"mixed": "json"}])
def test_numbers_in_columns_of_json_are_observed_as_in_any_other(options: dict[str, Any], text: bool) -> None:
    lines = lines_of(
        {"a": {"N": "1.25"}, "b": {"S": "x"}, "m": {"N": "9223372036854775808"}},
        {"a": {"N": "-17"}, "b": {"S": 'quo"te'}, "m": {"S": "longer"}},
    )
    found = observe_with(lines, lines, ConvertOptions(**options), text=text)
    assert without_longest(found) == without_longest(observe(lines))


@settings(max_examples=examples(60))
@given(ITEM_LISTS, st.integers(0, 12))
def test_what_two_decoders_observe_merges_to_what_one_observes(items: list[strategies.Item], cut: int) -> None:
    halves = [half for half in (items[:cut], items[cut:]) if half]
    whole = observe(lines_of(*items)) if items else Observation()
    assert merge_observations(observe(lines_of(*half)) for half in halves) == whole


@settings(max_examples=examples(60))
@given(ITEM_LISTS)
def test_counts_are_the_items_that_hold_each_type(items: list[strategies.Item]) -> None:
    if not items:
        return
    observation = observe(lines_of(*items))
    assert observation.items == len(items)
    for name, seen in observation.attributes.items():
        tags = [next(iter(item[name])) for item in items if name in item]
        assert sum(seen.counts) == len(tags)
        assert seen.nulls == tags.count("NULL")
    assert set(observation.attributes) == {name for item in items for name in item}
