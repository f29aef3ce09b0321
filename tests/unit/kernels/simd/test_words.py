"""The two forms of the 64-byte kernels agree, and both do what their names say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from converter.kernels.simd import scalar_words, vector_words
from converter.kernels.simd.words import (
    byte,
    copy_range,
    equal_range,
    find_newline,
    put,
    starts_with,
    structure,
)
from converter.kernels.toolchain.decorators import kernel
from tests.unit.decode.decoding import Bytes, padded

SIZE = 64
Masks = NDArray[np.uint64]
MASKS = ("special", "high", "csv", "equal")


@kernel
def vector_masks(data: Bytes, other: Bytes, at: int, shift: int, masks: Masks) -> None:
    masks[0] = vector_words.special_mask(data, at)
    masks[1] = vector_words.high_mask(data, at)
    masks[2] = vector_words.csv_mask(data, at)
    masks[3] = vector_words.equal_mask(data, at, other, at + shift)
    masks[4] = vector_words.byte_mask(data, at, byte(other, at + shift))
    masks[5] = vector_words.word(data, at)
    masks[18] = vector_words.above_mask(data, at, shift - 100)
    for k in range(6):
        masks[6 + k] = vector_words.lowest_bit(masks[k])
        masks[12 + k] = vector_words.count_bits(masks[k])


@kernel
def plain_masks(data: Bytes, other: Bytes, at: int, shift: int, masks: Masks) -> None:
    masks[0] = scalar_words.special_mask(data, at)
    masks[1] = scalar_words.high_mask(data, at)
    masks[2] = scalar_words.csv_mask(data, at)
    masks[3] = scalar_words.equal_mask(data, at, other, at + shift)
    masks[4] = scalar_words.byte_mask(data, at, byte(other, at + shift))
    masks[5] = scalar_words.word(data, at)
    masks[18] = scalar_words.above_mask(data, at, shift - 100)
    for k in range(6):
        masks[6 + k] = scalar_words.lowest_bit(masks[k])
        masks[12 + k] = scalar_words.count_bits(masks[k])


@kernel
def vector_puts(target: Bytes, source: Bytes, at: int, value: int, parts: Masks, negative: int) -> None:
    vector_words.copy64(target, at, source, at + 1)
    vector_words.put_int64(target, at + 70, value)
    vector_words.put_int128(target, at + 80, parts[0], parts[1], parts[2], negative)


@kernel
def plain_puts(target: Bytes, source: Bytes, at: int, value: int, parts: Masks, negative: int) -> None:
    scalar_words.copy64(target, at, source, at + 1)
    scalar_words.put_int64(target, at + 70, value)
    scalar_words.put_int128(target, at + 80, parts[0], parts[1], parts[2], negative)


@kernel
def rewrite(data: Bytes, at: int) -> int:
    before = byte(data, at)
    put(data, at, before + 1)
    return before


@kernel
def structures(data: Bytes, count: int, masks: Masks) -> None:
    inside = escaped = np.uint64(0)
    for k in range(count):
        quotes, strings, opened, closed, inside, escaped = structure(data, 64 * k, inside, escaped)
        masks[4 * k] = quotes
        masks[4 * k + 1] = strings
        masks[4 * k + 2] = opened
        masks[4 * k + 3] = closed


@kernel
def ranges(left: Bytes, i: int, right: Bytes, j: int, size: int, target: Bytes) -> tuple[bool, bool, int, int]:
    mask = np.uint64(0xFFFFFFFFFFFFFFFF)
    if size < 64:
        mask = (np.uint64(1) << np.uint64(size)) - np.uint64(1)
    end = copy_range(target, 3, left, i, i + size)
    return equal_range(left, i, right, j, size), starts_with(left, i, right, j, size, mask), end, find_newline(left, i)


def buffers() -> list[tuple[Bytes, Bytes]]:
    """Random bytes, bytes that mean something, and constant ones, each with a near copy."""
    chance = np.random.default_rng(7)
    meaningful = np.frombuffer(b'",\\\n\r\x1f\x20\x00\x7f\x80\xffaaaaa', np.uint8)
    made: list[tuple[Bytes, Bytes]] = []
    for number in range(60):
        if number % 3 == 0:
            data = chance.integers(0, 256, 200).astype(np.uint8)
        elif number % 3 == 1:
            data = chance.choice(meaningful, 200)
        else:
            data = np.full(200, number, np.uint8)
        other = np.where(chance.random(200) < 0.1, chance.integers(0, 256, 200), data).astype(np.uint8)
        made.append((data, other))
    return made


def expected_masks(data: Bytes, other: Bytes, at: int, shift: int) -> list[int]:
    values = data[at : at + SIZE].tolist()
    others = other[at + shift : at + shift + SIZE].tolist()
    masks = [
        sum(1 << k for k, c in enumerate(values) if c < 0x20 or c in b'"\\'),
        sum(1 << k for k, c in enumerate(values) if c >= 0x80),
        sum(1 << k for k, c in enumerate(values) if c in b'",\r\n\0'),
        sum(1 << k for k, (c, d) in enumerate(zip(values, others, strict=True)) if c == d),
        sum(1 << k for k, c in enumerate(values) if c == others[0]),
        int.from_bytes(bytes(values[:8]), "little"),
    ]
    lowest = [(mask & -mask).bit_length() - 1 if mask else 64 for mask in masks]
    above = sum(1 << k for k, c in enumerate(values) if (c if c < 128 else c - 256) > shift - 100)
    return [*masks, *lowest, *(mask.bit_count() for mask in masks), above]


def test_both_forms_give_the_masks_that_their_names_promise() -> None:
    for data, other in buffers():
        for at, shift in ((0, 0), (1, 0), (17, 3), (63, 1), (130, 6)):
            one, two = np.zeros(19, np.uint64), np.zeros(19, np.uint64)
            vector_masks(data, other, at, shift, one)
            plain_masks(data, other, at, shift, two)
            assert one.tolist() == two.tolist() == expected_masks(data, other, at, shift)


def test_every_byte_has_the_same_bits_in_both_forms() -> None:
    for c in range(256):
        for k in (0, 1, 31, 62, 63):
            data = np.full(SIZE, ord("a"), np.uint8)
            data[k] = c
            one, two = np.zeros(19, np.uint64), np.zeros(19, np.uint64)
            vector_masks(data, data, 0, 0, one)
            plain_masks(data, data, 0, 0, two)
            assert one.tolist() == two.tolist() == expected_masks(data, data, 0, 0)


@pytest.mark.parametrize(
    "parts",
    [
        (0, 0, 0),
        (1, 1, 0),
        (0, 0, 2**64 - 1),
        (10**19 - 1, 10**19, 10**19 - 1),
        (2**63 - 1, 2**64 - 1, 2**63),
        (2**32, 2**32, 2**64 - 1),
        (2**32 - 1, 2**32 + 1, 1),
        (123456789012345678, 10**19, 8901234567890123456),
    ],
)
@pytest.mark.parametrize("negative", [0, 1])
@pytest.mark.parametrize("value", [0, 1, -1, 2**63 - 1, -(2**63)])
def test_both_forms_store_the_same_integers_and_touch_nothing_else(
    parts: tuple[int, int, int], negative: int, value: int
) -> None:
    source = np.arange(200, dtype=np.uint8)
    one, two = np.full(200, 0xEE, np.uint8), np.full(200, 0xEE, np.uint8)
    arguments = (source, 5, value, np.array(parts, np.uint64), negative)
    vector_puts(one, *arguments)
    plain_puts(two, *arguments)
    assert one.tobytes() == two.tobytes()
    total = (parts[0] * parts[1] + parts[2]) * (-1 if negative else 1)
    expected = bytearray(b"\xee" * 200)
    expected[5:69] = bytes(range(6, 70))
    expected[75:83] = value.to_bytes(8, "little", signed=True)
    expected[85:101] = total.to_bytes(16, "little", signed=True)
    assert one.tobytes() == bytes(expected)


def test_both_forms_store_random_128_bit_integers_alike() -> None:
    chance = np.random.default_rng(11)
    source = np.zeros(200, np.uint8)
    for _ in range(300):
        parts = chance.integers(0, 2**63, 3, dtype=np.uint64) >> chance.integers(0, 64, 3, dtype=np.uint64)
        one, two = np.zeros(200, np.uint8), np.zeros(200, np.uint8)
        vector_puts(one, source, 0, 0, parts, 1)
        plain_puts(two, source, 0, 0, parts, 1)
        assert one.tobytes() == two.tobytes()
        high, unit, low = (int(part) for part in parts)
        assert int.from_bytes(one[80:96].tobytes(), "little", signed=True) == -(high * unit + low)


def test_a_byte_is_read_as_a_signed_number_and_written_back_in_its_place() -> None:
    data = np.array([1, 254, 3], np.uint8)
    assert rewrite(data, 1) == 254
    assert data.tolist() == [1, 255, 3]


def expected_structure(text: bytes) -> list[int]:
    """The masks of `structure` for each 64 bytes, by a state machine that reads one byte after the other."""
    masks = [0] * (4 * -(-len(text) // 64))
    inside = escaped = False
    for at, c in enumerate(text):
        quotes, strings, opened, closed = range(at // 64 * 4, at // 64 * 4 + 4)
        bit = 1 << at % 64
        if c == ord('"') and not escaped:
            inside = not inside
            masks[quotes] |= bit
        if inside:
            masks[strings] |= bit
        elif c in b"{}":
            masks[opened if c == ord("{") else closed] |= bit
        escaped = c == ord("\\") and not escaped
    return masks


@pytest.mark.parametrize("letters", [b'"\\{}a', b'"\\', b'"\\' + b"a" * 60, b'"{}' + b"a" * 20])
def test_strings_and_braces_are_found_across_words(letters: bytes) -> None:
    chance = np.random.default_rng(13)
    for _ in range(50):
        data = chance.choice(np.frombuffer(letters, np.uint8), 320).tobytes()
        masks = np.zeros(20, np.uint64)
        structures(padded(data), 5, masks)
        assert masks.tolist() == expected_structure(data)


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 127, 128, 129, 200])
def test_ranges_are_copied_and_compared_to_their_last_byte_and_no_further(size: int) -> None:
    left = np.random.default_rng(size).integers(11, 256, 400).astype(np.uint8)
    left[5 + size] = 10
    right = np.concatenate([left[5 : 5 + size], np.zeros(100, np.uint8)])
    target = np.full(400, 0xEE, np.uint8)
    assert ranges(left, 5, right, 0, size, target) == (True, True, 3 + size, 5 + size)
    assert target[3 : 3 + size].tobytes() == right[:size].tobytes()
    for k in range(size):
        right[k] ^= 1
        assert ranges(left, 5, right, 0, size, target)[:2] == (False, False)
        right[k] ^= 1
