"""The hash of keys, values and names: what it is, and that nobody can make many of them collide without its secret."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from converter.decode.attribute_registry import AttributeRegistry
from converter.kernels import layout
from converter.kernels.bindings import bind_encode_dictionary, record_key
from converter.kernels.hashes import hash_bytes
from converter.kernels.layout import PageScratch, Words
from converter.kernels.merge import key_table
from converter.kernels.merge.changed_keys import hash_key
from converter.kernels.merge.key_table import Key
from converter.kernels.scratch import new_scratch, new_secret
from converter.kernels.simd.words import Bytes
from converter.kernels.toolchain.decorators import kernel
from converter.merging.changed_keys_builder import ChangedKeysBuilder
from tests.unit.decode.decoding import padded
from tests.unit.kernels.encode.test_parquet_pages import buffers_of, new_state

MASK = (1 << 64) - 1
MANY = 4000
PRINTABLE = np.frombuffer(bytes(range(0x23, 0x5C)) + bytes(range(0x5D, 0x7F)), np.uint8)


def words_of(secret: Words) -> tuple[int, int]:
    return int(secret[0]), int(secret[1])


def reference(secret: Words, *values: bytes) -> int:
    """The same hash in whole numbers."""
    first, value = words_of(secret)
    for data in values:
        value ^= len(data)
        for piece in [data[at : at + 16] for at in range(0, len(data), 16)] or [b""]:
            low, high = (rest(piece[at : at + 8]) for at in (0, 8))
            value = folded(low ^ first, high ^ value)
    return folded(value ^ first, words_of(secret)[1])


def folded(one: int, other: int) -> int:
    """The halves of the product of two words, one XORed with the other."""
    return one * other & MASK ^ one * other >> 64


def rest(piece: bytes) -> int:
    """A word of up to eight bytes; missing ones are zeros in its low end."""
    return int.from_bytes(piece, "little") << 8 * (8 - len(piece)) & MASK if piece else 0


@kernel
def _hash(data: Bytes, at: int, size: int, secret: Words) -> np.uint64:
    return hash_bytes(data, at, size, secret)


@kernel
def _hash_of_two(data: Bytes, first_size: int, size: int, secret: Words) -> np.uint64:
    return hash_key(Key(data, 0, first_size, first_size, size), secret)


@given(st.binary(max_size=70), st.binary(max_size=5), st.binary(min_size=16, max_size=16))
def test_the_hash_is_of_these_bytes_and_the_secret_alone(data: bytes, before: bytes, secret: bytes) -> None:
    words = np.frombuffer(secret, np.uint64).copy()
    memory = padded(before + data + b"what follows")
    assert int(_hash(memory, len(before), len(data), words)) == reference(words, data)


@given(st.binary(max_size=40), st.binary(min_size=1, max_size=40))
def test_the_hash_of_two_values_is_of_both_and_of_where_the_second_begins(first: bytes, second: bytes) -> None:
    secret = new_secret()
    found = int(_hash_of_two(padded(first + second), len(first), len(first + second), secret))
    assert found == reference(secret, first, second)


def made_for_the_old_hash(count: int) -> list[bytes]:
    """Keys of 16 printable characters that collided when the hash was `value = (value ^ word) * M`, with no secret."""
    multiplier, target = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x5A5A5A5A5B793F3D)
    random = np.random.default_rng(1)
    printable = np.zeros(256, bool)
    printable[PRINTABLE] = True
    found: list[bytes] = []
    with np.errstate(over="ignore"):
        while len(found) < count:
            first = PRINTABLE[random.integers(0, len(PRINTABLE), (1 << 19, 8))].view(np.uint64)[:, 0]
            value = (np.uint64(16) * multiplier ^ first) * multiplier
            second = value ^ value >> np.uint64(32) ^ target
            good = printable[second.view(np.uint8).reshape(-1, 8)].all(axis=1)
            found += [row.tobytes() for row in np.stack([first[good], second[good]], axis=1)]
    return list(dict.fromkeys(found))[:count]


def made_for_a_secret(count: int, secret: Words) -> list[bytes]:
    """Values that collide with this secret: a factor of the first product is zero, so the other one does not matter."""
    zero = words_of(secret)[0].to_bytes(8, "little")
    return [zero + number.to_bytes(8, "big") for number in range(count)]


def differing_in_high_bits(count: int) -> list[bytes]:
    """Values that differ in the highest bits of their words, which a product passes on to few others."""
    return [
        b"".join(b"begin!!" + bytes([0x40 ^ (number >> 4 * k & 15) << 4]) for k in range(4)) for number in range(count)
    ]


SECRET = new_secret()
FAMILIES: dict[str, Callable[[], list[bytes]]] = {
    "made for the old hash": lambda: made_for_the_old_hash(MANY),
    "made for another secret": lambda: made_for_a_secret(MANY, SECRET),
    "in high bits": lambda: differing_in_high_bits(MANY),
    "counting": lambda: [b"%016d" % number for number in range(MANY)],
    "counting in binary": lambda: [number.to_bytes(8, "little") for number in range(MANY)],
    "random": lambda: [os.urandom(16) for _ in range(MANY)],
}


@cache
def family(name: str) -> list[bytes]:
    """That many different values."""
    return FAMILIES[name]()


@pytest.fixture(params=FAMILIES)
def values(request: pytest.FixtureRequest) -> list[bytes]:
    return family(request.param)


def probes(homes: Iterable[int], slots: NDArray[np.int64]) -> int:
    """How many slots all values are away from the one that they are looked for in first. homes: of values 1, 2, …."""
    places = {int(number): int(slot) for slot, number in enumerate(slots) if number}
    return sum((places[number] - home) % slots.size for number, home in enumerate(homes, start=1))


def test_no_two_values_have_one_hash(values: list[bytes]) -> None:
    """Of names in a map, two with one hash would have the map read slowly."""
    secret = new_secret()
    assert len({int(_hash(padded(value), 0, len(value), secret)) for value in values}) == MANY


def test_whoever_knows_the_secret_can_make_all_of_them_collide() -> None:
    values = made_for_a_secret(MANY, SECRET)
    assert len({int(_hash(padded(value), 0, len(value), SECRET)) for value in values}) == 1
    assert probes_in_dictionary(values[:500], SECRET) == sum(range(500))


def test_the_values_of_a_dictionary_are_found_after_few_probes(values: list[bytes]) -> None:
    assert probes_in_dictionary(values, new_secret()) < MANY


def probes_in_dictionary(values: list[bytes], secret: Words) -> int:
    buffers = buffers_of("string", values)
    state, indices = new_state(), np.zeros(len(values) + 10, np.int64)
    slots = np.zeros(1 << (2 * len(values)).bit_length(), np.int64)
    entries, out = np.zeros(len(values), np.int64), np.zeros(1 << 20, np.uint8)
    encode = bind_encode_dictionary()
    scratch = PageScratch(secret, slots, entries, indices, np.zeros(128, np.uint64))
    count = encode(buffers.arrays, 1, scratch, out, 0, out.size, state)
    assert count == len(values)
    return probes([reference(secret, value) >> 20 & slots.size - 1 for value in values], slots)


def test_the_keys_of_a_merge_are_found_after_few_probes(values: list[bytes]) -> None:
    builder = ChangedKeysBuilder((("id", "S"),))
    for time, key in enumerate(values):
        builder._state[key_table.MERGE_TIME] = time
        data = padded(key)
        while (status := record_key(data, len(key), len(key), builder._table, builder._state)) == layout.GROW:
            builder._grow(len(key))
        assert status == layout.DONE
    changed = builder.build()
    slots, secret = changed.table.slots, changed.table.secret
    assert changed.count == MANY
    assert probes([reference(secret, key) & slots.size - 1 for key in values], slots) < MANY
    assert all(changed.has((key,)) for key in values[:100])
    assert not changed.has((b"another",))


@pytest.mark.parametrize("name", ["made for the old hash", "counting"])
def test_the_attributes_of_items_are_found_after_few_probes(name: str) -> None:
    registry = AttributeRegistry()
    spellings = [b'"' + value.replace(b"\\", b"/") + b'":{"S":"' for value in family(name)]
    for spelling in spellings:
        name_end, tag_end = spelling.index(b'":'), spelling.rindex(b'":')
        assert registry.add(np.frombuffer(spelling, np.uint8), name_end, tag_end) is not None
    table, secret = registry.tables.slots, registry.tables.secret
    homes = [reference(secret, spelling) >> 20 & table.size - 1 for spelling in spellings]
    assert probes(homes, table) < MANY


def test_every_table_has_a_secret_of_its_own() -> None:
    keys, more_keys = (ChangedKeysBuilder((("id", "S"),)).build().table.secret for _ in range(2))
    secrets = {*map(words_of, (keys, more_keys, AttributeRegistry().tables.secret, new_scratch(0).secret))}
    assert len(secrets) == 4
    registry = AttributeRegistry(2)
    before = words_of(registry.tables.secret)
    for number in range(10):
        spelling = b'"%d":{"S":"' % number
        registry.add(np.frombuffer(spelling, np.uint8), 2, 7)
    assert words_of(registry.tables.secret) == before
