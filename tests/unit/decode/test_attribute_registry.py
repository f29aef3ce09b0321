"""The registry of fields: it grows over many of them, and over names of any length and spelling."""

from __future__ import annotations

import re

import numpy as np
import pytest

from converter.decode import attribute_registry
from converter.decode.attribute_registry import AttributeRegistry
from converter.errors import SchemaError
from converter.kernels import layout, value_actions
from converter.kernels.bindings import bind_find_slot
from converter.schema import tags
from tests.unit.decode.decoding import padded


def add(registry: AttributeRegistry, name: bytes, tag: str = "N", quote: bytes = b'"') -> tuple[int, str, int] | None:
    """Register `"name":{"TAG":"` as the kernel would find it."""
    spelling = b'"' + name + b'":{"' + tag.encode() + b'":' + quote
    return registry.add(np.frombuffer(spelling, np.uint8), len(name) + 1, len(name) + 5 + len(tag))


def found(registry: AttributeRegistry, name: bytes, tag: str = "N") -> int:
    """The field that the kernel would look up."""
    spelling = b'"' + name + b'":{"' + tag.encode() + b'":"'
    return int(registry.tables.slots[bind_find_slot()(padded(spelling), 0, len(spelling), registry.tables)])


def test_kinds_are_numbered_from_one_and_know_their_attribute_and_tag() -> None:
    registry = AttributeRegistry()
    assert add(registry, b"a") == (1, "a", tags.N)
    assert add(registry, b"b", "S") == (2, "b", tags.S)
    assert add(registry, b"a", "S") == (3, "a", tags.S)
    assert add(registry, b"m", "M", b"") == (4, "m", tags.M)
    assert registry.each() == [(1, "a", tags.N), (2, "b", tags.S), (3, "a", tags.S), (4, "m", tags.M)]
    assert registry.attributes == ["a", "b", "m"]
    assert [registry.attribute_of(field) for field in (1, 2, 3, 4)] == ["a", "b", "a", "m"]
    assert len(registry) == 5


def test_two_spellings_of_a_name_are_two_kinds_of_one_attribute() -> None:
    registry = AttributeRegistry()
    assert add(registry, b"caf\xc3\xa9") == (1, "café", tags.N)
    assert add(registry, b"caf\\u00e9") == (2, "café", tags.N)
    assert add(registry, b"\\u0063af\\u00E9") == (3, "café", tags.N)
    registry.tables.facts[1:4, layout.FIELD_COUNT] = [1, 2, 3]
    registry.tables.facts[1:4, layout.FIELD_DECIMALS] = [0, 5, 1]
    observation = registry.observation(6)
    assert list(observation.attributes) == ["café"]
    assert observation.attributes["café"].counts[tags.N] == 6
    assert observation.attributes["café"].decimals == 5


def test_thousands_of_kinds_are_all_found_again_and_keep_their_facts() -> None:
    registry = AttributeRegistry(capacity=2)
    for n in range(3000):
        added = add(registry, f"name{n}".encode())
        assert added == (n + 1, f"name{n}", tags.N)
        registry.direct(n + 1, value_actions.INT64, n, n % 28)
        registry.tables.facts[n + 1, layout.FIELD_COUNT] = n + 1
    assert [found(registry, f"name{n}".encode()) for n in range(3000)] == list(range(1, 3001))
    assert found(registry, b"name3000") == 0
    facts = registry.tables.facts[1:3001]
    assert facts[:, layout.FIELD_COLUMN].tolist() == list(range(3000))
    assert facts[:, layout.FIELD_SCALE].tolist() == [n % 28 for n in range(3000)]
    assert registry.observation(1).attributes["name2999"].counts[tags.N] == 3000


@pytest.mark.parametrize("size", [1, 50, 54, 55, 56, 57, 63, 64, 65, 128, 1000, 65_535, 70_000])
def test_names_of_any_length_are_told_apart_to_their_last_byte(size: int) -> None:
    registry = AttributeRegistry(capacity=1)
    names = [b"x" * (size - 1) + last for last in (b"a", b"b")] + [b"x" * size + b"a"]
    for field, name in enumerate(names, 1):
        assert add(registry, name) == (field, name.decode(), tags.N)
    assert [found(registry, name) for name in names] == [1, 2, 3]
    assert found(registry, b"x" * (size - 1) + b"c") == 0


@pytest.mark.parametrize(
    ("name", "tag", "quote"),
    [
        (b"a", "X", b'"'),
        (b"a", "", b'"'),
        (b"a", "BOOLE", b""),
        (b"a", "S", b""),
        (b"a", "N", b""),
        (b"a", "B", b""),
        (b"a", "M", b'"'),
        (b"a", "L", b'"'),
        (b"\xff", "S", b'"'),
        (b"\xed\xa0\xbd\xed\xb8\x80", "S", b'"'),
        (b"\\ud800", "S", b'"'),
        (b"\\ud83d\xed\xb8\x80", "S", b'"'),
        (b"\\x", "S", b'"'),
        (b"\\u12", "S", b'"'),
    ],
)
def test_a_spelling_that_cannot_be_trusted_is_no_kind(name: bytes, tag: str, quote: bytes) -> None:
    registry = AttributeRegistry()
    assert add(registry, name, tag, quote) is None
    assert registry.attributes == []
    assert len(registry) == 1


def test_a_surrogate_pair_in_a_name_is_its_character() -> None:
    assert add(AttributeRegistry(), b"\\ud83d\\ude00") == (1, "😀", tags.N)


def test_beyond_the_limit_of_names_the_run_stops_with_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribute_registry, "NAMES_LIMIT", 3)
    registry = AttributeRegistry()
    for name in (b"a", b"b", b"c"):
        assert add(registry, name)
    assert add(registry, b"a", "S")
    with pytest.raises(SchemaError) as caught:
        add(registry, b"d")
    assert re.search("4 attributes, but .+ is 3", caught.value.what)


def test_beyond_the_limit_of_all_names_together_the_run_stops_with_short_examples(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attribute_registry, "NAMES_BYTES_LIMIT", 100_000)
    registry = AttributeRegistry()
    for letter in (b"a", b"b"):
        for tag in ("N", "S"):
            assert add(registry, letter * 40_000, tag, b'"')
    with pytest.raises(SchemaError, match="the names of 3 attributes have more than") as caught:
        add(registry, b"c" * 40_000)
    assert len(str(caught.value)) < 1000
    assert "'aaaa" in caught.value.what


def test_spellings_of_one_name_are_not_kept_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribute_registry, "NAMES_BYTES_LIMIT", 10_000)
    registry = AttributeRegistry()
    spellings = ["".join("\\u0061" if n >> bit & 1 else "a" for bit in range(10)) for n in range(1000)]

    def add_all() -> None:
        for spelling in spellings:
            assert add(registry, spelling.encode())

    with pytest.raises(SchemaError, match="names"):
        add_all()
    assert registry.attribute_count == 1


def test_a_kind_that_no_whole_item_had_is_not_observed() -> None:
    registry = AttributeRegistry()
    add(registry, b"a")
    assert registry.observation(5).attributes == {}
    assert registry.observation(5).items == 5


def test_attributes_are_observed_in_code_point_order() -> None:
    registry = AttributeRegistry()
    for field, name in enumerate(["b", "é", "a", "\U0001f600", "\uffff", "B"], 1):
        add(registry, name.encode())
        registry.tables.facts[field, layout.FIELD_COUNT] = 1
    assert list(registry.observation(1).attributes) == ["B", "a", "b", "é", "\uffff", "\U0001f600"]
