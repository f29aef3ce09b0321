"""Kernels for pages: each encoding read back by its specification, and outputs of which no byte is left to chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from converter.decode.buffers import Buffers
from converter.kernels import layout
from converter.kernels.bindings import bind_encode_dictionary, bind_encode_indices, bind_encode_page
from converter.kernels.encode import states
from converter.kernels.layout import PageScratch
from converter.kernels.scratch import new_secret
from converter.schema.column_types import BOOL, Origin, parse_type
from converter.schema.columns import Column
from tests.examples import examples
from tests.unit.decode.decoding import put_value
from tests.unit.write.reading import read_varint

Value = bytes | int | None

TYPES = ["string", "int64", "decimal128(38, 2)", "bool"]
ENDLESS = 1 << 40
SPARE = 200
ROWS = st.one_of(st.sampled_from([1, 7, 8, 9, 31, 32, 33, 127, 128, 129, 130, 300]), st.integers(1, 400))


@dataclass
class Encoded:
    """One page, and where the kernel stood behind it."""

    data: bytes
    row: int
    value: int
    needed: int


def buffers_of(type_: str, cells: Sequence[Value]) -> Buffers:
    buffers = Buffers([Column("a", "a", parse_type(type_), Origin.TEXT)], text=False)
    buffers.arrays.arena[:] = 0xA5
    for row, value in enumerate(cells):
        if value is not None:
            put_value(buffers, 1, row, value)
    return buffers


def new_state(*, compatible: bool = False) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    state = np.zeros(states.PAGE_STATE_SIZE, np.int64)
    state[states.MIN_AT] = states.NONE
    state[states.PAGE_COMPATIBLE] = compatible
    return state


def pages_of(
    buffers: Buffers, rows: int, limit: int = ENDLESS, fill: int = 0xEE, *, compatible: bool = False
) -> list[Encoded]:
    """The pages of the column, each written to an output that is just large enough, and once to one that isn't."""
    encode = bind_encode_page()
    state = new_state(compatible=compatible)
    numbers = np.zeros(128, np.uint64)
    pages = []
    while state[states.PAGE_ROW] < rows:
        before = state.copy()
        nothing = np.full(1, fill, np.uint8)
        encode(buffers.arrays, 1, rows, limit, numbers, nothing[:0], 0, state)
        needed = int(state[states.PAGE_NEEDED])
        memory = np.full(needed + SPARE, fill, np.uint8)
        encode(buffers.arrays, 1, rows, limit, numbers, memory[: needed - 1], 0, state)
        assert (memory == fill).all()
        assert nothing[0] == fill
        assert (state[states.PAGE_WRITTEN], state[states.PAGE_NEEDED]) == (0, needed)
        before[[states.PAGE_WRITTEN, states.PAGE_NEEDED]] = 0, needed
        assert (state == before).all()
        encode(buffers.arrays, 1, rows, limit, numbers, memory[:needed], 0, state)
        written = int(state[states.PAGE_WRITTEN])
        assert 0 < written <= needed
        # What is copied 64 bytes at a time may end behind the page, but never behind the output.
        assert (memory[min(written + 64, needed) :] == fill).all()
        row, value = int(state[states.PAGE_ROW]), int(state[states.PAGE_VALUE])
        pages.append(Encoded(memory[:written].tobytes(), row, value, needed))
    return pages


def unpack(data: bytes, width: int, count: int) -> list[int]:
    """Numbers of `width` bits, lowest bits first."""
    whole = int.from_bytes(data[: -(-width * count // 8)], "little")
    return [whole >> (width * k) & ((1 << width) - 1) for k in range(count)]


def read_runs(data: bytes, width: int, count: int) -> list[int]:
    """The RLE and bit-packing hybrid: `count` numbers, and no byte more than they take."""
    found: list[int] = []
    at = 0
    while at < len(data):
        header, at = read_varint(data, at)
        if header & 1:
            assert header >> 1, "an empty run"
            found += unpack(data[at:], width, (header >> 1) * 8)
            at += (header >> 1) * width
        else:
            size = -(-width // 8)
            found += [int.from_bytes(data[at : at + size], "little")] * (header >> 1)
            at += size
    assert at == len(data)
    assert count <= len(found)
    assert not any(found[count:])
    return found[:count]


def read_levels(page: bytes, rows: int) -> tuple[list[int], int]:
    """(1 for each row that has a value, where the values begin)."""
    end = 4 + int.from_bytes(page[:4], "little")
    return read_runs(page[4:end], 1, rows), end


def read_differences(data: bytes, at: int, bits: int = 64) -> tuple[list[int], list[int], int]:
    """DELTA_BINARY_PACKED by its specification: (signed numbers, widths of the miniblocks, position behind)."""
    block, at = read_varint(data, at)
    miniblocks, at = read_varint(data, at)
    count, at = read_varint(data, at)
    number, at = read_varint(data, at)
    size = block // miniblocks
    assert block % 128 == 0
    assert size % 32 == 0
    numbers = [number >> 1 ^ -(number & 1)]
    widths: list[int] = []
    while len(numbers) < count:
        least, at = read_varint(data, at)
        least = least >> 1 ^ -(least & 1)
        each = data[at : at + miniblocks]
        at += miniblocks
        for width in each:
            if len(numbers) == count:
                break
            assert width <= bits
            widths.append(width)
            for packed in unpack(data[at:], width, size)[: count - len(numbers)]:
                following = numbers[-1] + least + packed
                numbers.append((following + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1))
            assert at + size * width // 8 <= len(data)
            at += size * width // 8
    return numbers[:count], widths, at


def read_texts(data: bytes, at: int) -> list[bytes]:
    """DELTA_BYTE_ARRAY by its specification."""
    prefixes, _, at = read_differences(data, at, 32)
    lengths, _, at = read_differences(data, at, 32)
    assert len(prefixes) == len(lengths)
    texts: list[bytes] = []
    for prefix, length in zip(prefixes, lengths, strict=True):
        assert length >= 0
        texts.append((texts[-1] if texts else b"")[:prefix] + data[at : at + length])
        at += length
    assert at == len(data)
    return texts


def read_plain_texts(data: bytes, at: int) -> list[bytes]:
    """PLAIN by its specification."""
    texts = []
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "little")
        assert end <= len(data)
        texts.append(data[at + 4 : end])
        at = end
    return texts


def read_values(type_: str, page: Encoded, rows: int, *, compatible: bool = False) -> list[Value]:
    """A page's cells."""
    levels, at = read_levels(page.data, rows)
    present = sum(levels)
    found: list[Value] = []
    if compatible and type_ == "string":
        found.extend(read_plain_texts(page.data, at))
    elif compatible and type_ == "int64":
        assert len(page.data) - at == 8 * present
        starts = range(at, len(page.data), 8)
        found.extend(int.from_bytes(page.data[k : k + 8], "little", signed=True) for k in starts)
    elif type_ == "string":
        found.extend(read_texts(page.data, at))
    elif type_ == "int64":
        numbers, _, end = read_differences(page.data, at)
        assert end == len(page.data)
        found.extend(numbers)
    elif type_ == "bool":
        assert len(page.data) - at == -(-present // 8)
        found.extend(unpack(page.data[at:], 1, present))
    else:
        assert len(page.data) - at == 16 * present
        starts = range(at, len(page.data), 16)
        found.extend(int.from_bytes(page.data[k : k + 16], "big", signed=True) for k in starts)
    assert len(found) == present
    values = iter(found)
    return [next(values) if level else None for level in levels]


def values_of(type_: str) -> st.SearchStrategy[Value]:
    if type_ == "string":
        return st.one_of(st.binary(max_size=9), st.integers(0, 300).map(lambda size: b"y" * size))
    if type_ == "bool":
        return st.integers(0, 1)
    bits = 63 if type_ == "int64" else 127
    return st.one_of(st.integers(-(2**bits), 2**bits - 1), st.integers(-9, 9))


@st.composite
def cells(draw: st.DrawFn, type_: str) -> list[Value]:
    """Cells with nulls one by one or in long runs."""
    rows = draw(ROWS)
    few = draw(st.lists(values_of(type_), min_size=1, max_size=8))
    chance = Random(draw(st.integers(0, 2**32)))
    found: list[Value] = [chance.choice(few) for _ in range(rows)]
    at = 0
    sizes = draw(st.sampled_from([[1], [1, 2, 8, 40], [8, 32, 64, 128], [1000]]))
    while at < rows:
        end = at + chance.choice(sizes)
        if chance.random() < 0.5:
            found[at:end] = [None] * len(found[at:end])
        at = end
    return found


@pytest.mark.parametrize("compatible", [False, True], ids=["compact", "compatible"])
@pytest.mark.parametrize("type_", TYPES)
@settings(max_examples=examples(80))
@given(data=st.data(), limit=st.sampled_from([1, 50, 300, ENDLESS]))
def test_pages_hold_the_cells_in_their_order(type_: str, compatible: bool, data: st.DataObject, limit: int) -> None:
    values = data.draw(cells(type_))
    pages = pages_of(buffers_of(type_, values), len(values), limit, compatible=compatible)
    row = 0
    for page in pages:
        assert page.row > row
        assert read_values(type_, page, page.row - row, compatible=compatible) == values[row : page.row]
        assert page.value == sum(value is not None for value in values[: page.row])
        row = page.row
    assert row == len(values)
    assert limit < ENDLESS or len(pages) == 1


@pytest.mark.parametrize("compatible", [False, True], ids=["compact", "compatible"])
@pytest.mark.parametrize("type_", TYPES)
@settings(max_examples=examples(30))
@given(data=st.data())
def test_every_byte_of_a_page_is_written_whatever_the_output_held(
    type_: str, compatible: bool, data: st.DataObject
) -> None:
    values = data.draw(cells(type_))
    buffers = buffers_of(type_, values)
    one, two = (pages_of(buffers, len(values), 200, fill, compatible=compatible) for fill in (0x00, 0xFF))
    assert one == two


@pytest.mark.parametrize("type_", ["string", "int64", "decimal128(38, 2)"])
@settings(max_examples=examples(40))
@given(data=st.data())
def test_the_state_knows_the_least_and_the_greatest_value(type_: str, data: st.DataObject) -> None:
    values = data.draw(cells(type_))
    buffers = buffers_of(type_, values)
    state = new_state()
    out, numbers = np.zeros(1 << 20, np.uint8), np.zeros(128, np.uint64)
    encode = bind_encode_page()
    while state[states.PAGE_ROW] < len(values):
        encode(buffers.arrays, 1, len(values), 100, numbers, out, 0, state)
    assert_extremes(values, buffers, state)


def assert_extremes(
    values: Sequence[Value], buffers: Buffers, state: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> None:
    present = [value for value in values if value is not None]
    if not present:
        assert state[states.MIN_AT] == states.NONE
        return
    whole = buffers.values(1).tobytes()
    for at, size, expected in (
        (states.MIN_AT, states.MIN_SIZE, min(present)),
        (states.MAX_AT, states.MAX_SIZE, max(present)),
    ):
        found = whole[int(state[at]) : int(state[at] + state[size])]
        assert (found if isinstance(expected, bytes) else int.from_bytes(found, "little", signed=True)) == expected


@pytest.mark.parametrize("count", [2, 33, 130, 300])
def test_differences_of_every_width_are_packed_and_read_back(count: int) -> None:
    for width in range(65):
        chance = Random(width)
        number = chance.randrange(-(2**63), 2**63)
        numbers: list[int] = [number]
        for k in range(1, count):
            # Each block has a difference of 0 and one of all `width` bits.
            step = ((1 << width) - 1) * (k % 32 != 2) if k % 32 < 3 else chance.randrange(1 << width)
            numbers.append((numbers[-1] + step + 2**63) % 2**64 - 2**63)
        (page,) = pages_of(buffers_of("int64", numbers), count)
        found, widths, end = read_differences(page.data, read_levels(page.data, count)[1])
        assert found == numbers, width
        assert end == len(page.data), width
        assert len(widths) == -(-(count - 1) // 32)
        assert max(widths) <= width if 0 < width < 64 and count > 32 else max(widths) <= 64
        assert width != 0 or not any(widths)


@pytest.mark.parametrize("width", range(64))
def test_a_miniblock_has_just_the_bits_that_it_needs(width: int) -> None:
    numbers = [0, 0, *[(1 << width) - 1] * 31]
    (page,) = pages_of(buffers_of("int64", numbers), len(numbers))
    found, widths, _ = read_differences(page.data, read_levels(page.data, len(numbers))[1])
    assert found == numbers
    assert widths == [width]


EDGES = [-(2**63), 2**63 - 1, 0, -1, 1, 2**62, -(2**62)]


@given(st.lists(st.one_of(st.sampled_from(EDGES), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=300))
def test_differences_beyond_int64_wrap_and_are_read_back(numbers: list[int]) -> None:
    (page,) = pages_of(buffers_of("int64", numbers), len(numbers))
    found, _, end = read_differences(page.data, read_levels(page.data, len(numbers))[1])
    assert (found, end) == (numbers, len(page.data))


@pytest.mark.parametrize("count", [0, 1, 2, 128, 129, 130, 257, 1000])
@pytest.mark.parametrize("size", [0, 1, 300, 70_000])
def test_texts_have_their_lengths_apart_and_no_prefix(count: int, size: int) -> None:
    count = min(count, 130) if size == 70_000 else count
    texts: list[Value] = [b"%d" % (k % 10) * (size * (k % 3 > 0)) for k in range(count)]
    (page,) = pages_of(buffers_of("string", [*texts, None]), count + 1)
    levels, at = read_levels(page.data, count + 1)
    assert levels == [1] * count + [0]
    prefixes, _, behind = read_differences(page.data, at, 32)
    assert prefixes == [0] * count
    assert behind < at + 12 + count / 20
    assert read_texts(page.data, at) == texts


@pytest.mark.parametrize("rows", [1, 8, 100, 1000, 100_000])
@pytest.mark.parametrize("value", [None, 5])
def test_levels_that_are_all_alike_take_one_run(rows: int, value: int | None) -> None:
    buffers = Buffers([Column("a", "a", BOOL, Origin.BOOL)], text=False)
    if value is not None:
        buffers.grow(0)
        while buffers.arrays.facts[1, layout.COLUMN_ROOM] < rows:
            buffers.arrays.facts[1, layout.COLUMN_PRESENT] = buffers.arrays.facts[1, layout.COLUMN_ROOM]
            buffers.grow(0)
        buffers.arrays.facts[1, layout.COLUMN_PRESENT] = rows
        bits = np.packbits(np.ones(rows, np.uint8), bitorder="little")
        buffers.arrays.validity[1, : len(bits)] = bits
    (page,) = pages_of(buffers, rows)
    levels, at = read_levels(page.data, rows)
    assert levels == [int(value is not None)] * rows
    assert at <= 4 + 4


@pytest.mark.parametrize("rows", [64, 1000, 100_000])
def test_levels_of_a_column_that_is_nearly_always_null_take_next_to_nothing(rows: int) -> None:
    values: list[Value] = [None] * rows
    values[rows // 3] = values[rows // 2] = 7
    (page,) = pages_of(buffers_of("int64", values), rows)
    levels, at = read_levels(page.data, rows)
    assert [row for row, level in enumerate(levels) if level] == [rows // 3, rows // 2]
    assert at <= 4 + 5 * 4


def dictionary_of(
    buffers: Buffers, rows: int, *, judged: int = 100, most: int = 64, room: int = 1 << 16
) -> tuple[bytes, bytes, int] | None:
    """(dictionary page, data page, entries), or None where a dictionary isn't worth it."""
    present = buffers.present(1)
    out = np.full(room + SPARE, 0xEE, np.uint8)
    state, indices = new_state(), np.full(present + 10, -1, np.int64)
    slots, entries = np.zeros(2 * most, np.int64), np.full(most, -1, np.int64)
    state[states.PAGE_SAMPLE] = judged
    numbers = np.zeros(128, np.uint64)
    scratch = PageScratch(new_secret(), slots, entries, indices, numbers)
    count = bind_encode_dictionary()(buffers.arrays, 1, scratch, out[:room], 0, room, state)
    assert (out[room:] == 0xEE).all()
    if count < 0:
        return None
    assert (indices[present:] == -1).all()
    written = int(state[states.PAGE_WRITTEN])
    assert (out[min(written + 64, room) :] == 0xEE).all()
    dictionary = out[:written].tobytes()
    encode = bind_encode_indices()
    encode(buffers.arrays, 1, rows, count, scratch, out[:0], 0, state)
    needed = int(state[states.PAGE_NEEDED])
    pages = []
    for fill in (0x00, 0xFF):
        memory = np.full(needed + SPARE, fill, np.uint8)
        encode(buffers.arrays, 1, rows, count, scratch, memory[: needed - 1], 0, state)
        assert (state[states.PAGE_WRITTEN], state[states.PAGE_NEEDED]) == (0, needed)
        assert (memory == fill).all()
        encode(buffers.arrays, 1, rows, count, scratch, memory[:needed], 0, state)
        written = int(state[states.PAGE_WRITTEN])
        assert (memory[min(written + 8, needed) :] == fill).all()
        pages.append(memory[:written].tobytes())
    assert pages[0] == pages[1]
    return dictionary, pages[0], count


def read_dictionary(type_: str, data: bytes) -> list[Value]:
    """PLAIN values."""
    found: list[Value] = []
    at = 0
    while at < len(data):
        size = {"int64": 8, "decimal128(38, 2)": 16}.get(type_, 0)
        if not size:
            size = int.from_bytes(data[at : at + 4], "little")
            at += 4
        value = data[at : at + size]
        order = "little" if type_ == "int64" else "big"
        found.append(value if type_ == "string" else int.from_bytes(value, order, signed=True))  # type: ignore[arg-type]
        at += size
    assert at == len(data)
    return found


@pytest.mark.parametrize("type_", ["string", "int64", "decimal128(38, 2)"])
@settings(max_examples=examples(60))
@given(data=st.data(), repeats=st.integers(1, 40))
def test_a_dictionary_and_its_numbers_are_the_cells(type_: str, data: st.DataObject, repeats: int) -> None:
    values = data.draw(cells(type_)) * repeats
    buffers = buffers_of(type_, values)
    present = [value for value in values if value is not None]
    assume(present)
    encoded = dictionary_of(buffers, len(values))
    if encoded is None:
        assert len(set(present[:100])) * 10 > min(len(present), 100)
        return
    dictionary, page, count = encoded
    entries = read_dictionary(type_, dictionary)
    assert entries == list(dict.fromkeys(present))
    assert count == len(entries)
    levels, at = read_levels(page, len(values))
    width = page[at]
    assert width == (count - 1).bit_length()
    numbers = iter(read_runs(page[at + 1 :], width, len(present)))
    assert [entries[next(numbers)] if level else None for level in levels] == values


@pytest.mark.parametrize("different", [1, 2, 3, 4, 5, 16, 17, 32, 33, 64])
def test_numbers_of_entries_take_the_bits_that_they_need(different: int) -> None:
    values: list[Value] = [number % different for number in range(different * 11)]
    encoded = dictionary_of(buffers_of("int64", values), len(values), judged=1 << 20)
    assert encoded is not None
    _, page, count = encoded
    _, at = read_levels(page, len(values))
    assert (count, page[at]) == (different, (different - 1).bit_length())
    assert read_runs(page[at + 1 :], page[at], len(values)) == values


@pytest.mark.parametrize("type_", ["string", "int64", "decimal128(38, 2)"])
def test_more_entries_than_may_be_or_more_bytes_than_fit_are_no_dictionary(type_: str) -> None:
    numbers = [number % 65 for number in range(2000)]
    values: list[Value] = [b"%020d" % number for number in numbers] if type_ == "string" else [*numbers]
    assert dictionary_of(buffers_of(type_, values), 2000, judged=1 << 20) is None
    assert dictionary_of(buffers_of(type_, values), 2000, judged=1 << 20, most=128) is not None
    assert dictionary_of(buffers_of(type_, values), 2000, judged=1 << 20, most=128, room=400) is None


def test_texts_that_differ_in_their_length_or_one_byte_alone_are_different_entries() -> None:
    texts = [b"", b"\x00", b"\x00\x00", b"x" * 64, b"x" * 65, b"x" * 63 + b"y", b"y" + b"x" * 63]
    values: list[Value] = [*texts * 12]
    encoded = dictionary_of(buffers_of("string", values), len(values), judged=1 << 20)
    assert encoded is not None
    assert read_dictionary("string", encoded[0]) == texts
