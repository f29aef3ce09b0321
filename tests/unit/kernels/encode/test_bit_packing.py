"""Numbers of Parquet pages: what is packed is unpacked to the same numbers, by a reader written from the format."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.kernels.encode.bit_packing import (
    MINIBLOCK,
    bit_width,
    put_differences,
    put_packed,
    put_reversed,
    put_varint,
    put_zeros,
    reversed_bytes,
)
from converter.kernels.layout import COLUMN_BITS, COLUMN_FACTS, COLUMN_LENGTHS, Columns, Words
from converter.kernels.toolchain.decorators import kernel
from tests.unit.decode.decoding import Bytes

WORDS = st.integers(0, 2**64 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)


@kernel
def varint_put(out: Bytes, value: np.uint64) -> int:
    return put_varint(out, 0, value)


@kernel
def packed_put(numbers: Words, width: int, out: Bytes) -> int:
    return put_packed(numbers, 0, width, out, 0)


@kernel
def differences_put(columns: Columns, begin: int, end: int, numbers: Words, out: Bytes) -> int:
    return put_differences(columns, 1, begin, end, numbers, out, 0)


@kernel
def zeros_put(count: int, out: Bytes) -> int:
    return put_zeros(count, out, 0)


@kernel
def reverse(data: Bytes, out: Bytes) -> tuple[int, int]:
    put_reversed(data, 0, out, 0)
    highest = np.int64(reversed_bytes(np.uint64(data[0])) >> np.uint64(56))
    return bit_width(np.uint64(data[0])), highest  # type: ignore[return-value]


class Reader:
    """Reads DELTA_BINARY_PACKED: https://parquet.apache.org/docs/file-format/data-pages/encodings/."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def zigzag(self) -> int:
        value = self.varint()
        return value >> 1 if value & 1 == 0 else -(value >> 1) - 1

    def packed(self, count: int, width: int) -> list[int]:
        size = count * width // 8
        bits = int.from_bytes(self.data[self.at : self.at + size], "little")
        self.at += size
        return [bits >> k * width & (1 << width) - 1 for k in range(count)]

    def differences(self) -> list[int]:
        block, miniblocks, count = self.varint(), self.varint(), self.varint()
        values = [self.zigzag()]
        while len(values) < count:
            least = self.zigzag()
            widths = self.data[self.at : self.at + miniblocks]
            self.at += miniblocks
            for width in widths:
                if len(values) < count:
                    for number in self.packed(block // miniblocks, width):
                        total = (values[-1] + least + number) % 2**64
                        values.append(total - 2**64 if total >= 2**63 else total)
        return values[:count]


def column_of(values: list[int], *, lengths: bool) -> Columns:
    facts = np.zeros((2, COLUMN_FACTS), np.int64)
    facts[1, COLUMN_BITS] = 0 if lengths else 64
    facts[1, COLUMN_LENGTHS] = 3
    arena = np.zeros(len(values) * 8 + 64, np.uint8)
    sizes = np.zeros(len(values) + 4, np.int32)
    if lengths:
        sizes[3 : 3 + len(values)] = values
    else:
        arena[: len(values) * 8] = np.array(values, np.int64).view(np.uint8)
    return Columns(arena, sizes, np.zeros((2, 8), np.uint8), facts)


def encoded(values: list[int], begin: int, *, lengths: bool) -> bytes:
    out = np.zeros(len(values) * 10 + 512, np.uint8)
    numbers = np.zeros(128, np.uint64)
    return out[: differences_put(column_of(values, lengths=lengths), begin, len(values), numbers, out)].tobytes()


@given(WORDS)
def test_a_varint_is_read_back(value: int) -> None:
    out = np.zeros(16, np.uint8)
    reader = Reader(out[: varint_put(out, np.uint64(value))].tobytes())
    assert (reader.varint(), reader.at) == (value, max((value.bit_length() + 6) // 7, 1))
    assert reader.at <= 10


@pytest.mark.parametrize("width", range(65))
def test_packed_numbers_are_read_back_for_every_width(width: int) -> None:
    chance = np.random.default_rng(width)
    numbers = chance.integers(0, 2**64 - 1, MINIBLOCK, np.uint64, endpoint=True)
    numbers &= np.uint64((1 << width) - 1)
    out = np.full(300, 0xEE, np.uint8)
    end = packed_put(numbers, width, out)
    assert end == MINIBLOCK * width // 8
    assert Reader(out.tobytes()).packed(MINIBLOCK, width) == numbers.tolist()


@given(st.lists(INT64, min_size=1, max_size=300), st.integers(0, 3))
def test_differences_of_integers_are_read_back_even_if_they_overflow(values: list[int], begin: int) -> None:
    begin = min(begin, len(values) - 1)
    reader = Reader(encoded(values, begin, lengths=False))
    assert reader.differences() == values[begin:]
    assert reader.at == len(reader.data)


@pytest.mark.parametrize("count", [1, 2, 32, 33, 34, 128, 129, 130, 257, 1000])
def test_blocks_and_miniblocks_of_every_size_are_read_back(count: int) -> None:
    values = [k * k % 1013 for k in range(count)]
    for lengths in (False, True):
        reader = Reader(encoded(values, 0, lengths=lengths))
        assert reader.differences() == values
        assert reader.at == len(reader.data)


def test_no_values_are_a_header_alone() -> None:
    reader = Reader(encoded([], 0, lengths=False))
    assert [reader.varint() for _ in range(4)] == [128, 4, 0, 0]
    assert reader.at == len(reader.data)


@pytest.mark.parametrize("count", [1, 2, 128, 129, 130, 1000])
def test_zeros_are_read_back_as_zeros(count: int) -> None:
    out = np.full(512, 0xEE, np.uint8)
    reader = Reader(out[: zeros_put(count, out)].tobytes())
    assert reader.differences() == [0] * count
    assert reader.at == len(reader.data)


@given(st.binary(min_size=16, max_size=16))
def test_sixteen_bytes_are_reversed(content: bytes) -> None:
    out = np.zeros(16, np.uint8)
    width, highest = reverse(np.frombuffer(content, np.uint8).copy(), out)
    assert out.tobytes() == content[::-1]
    assert (width, highest) == (content[0].bit_length(), content[0])
