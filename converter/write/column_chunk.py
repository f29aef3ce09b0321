"""Column chunks: the pages of one column of one batch, encoded by the kernels, compressed and written."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from converter.decode.batch import Batch
from converter.kernels import layout, scratch
from converter.kernels.bindings import bind_encode_dictionary, bind_encode_indices, bind_encode_page
from converter.kernels.encode import states
from converter.kernels.layout import Bytes, Columns
from converter.schema.added_columns import AddedValue
from converter.schema.column_types import Origin, PhysicalType
from converter.schema.columns import Column
from converter.write.parquet_metadata import ColumnChunk, Encoding, Statistics, data_page_header, dictionary_page_header

_PAGE_BYTES = 1 << 20
_JUDGED_VALUES = 8192
_MOST_ENTRIES = 1 << 14
_DICTIONARY_BYTES = 1 << 20
_LONGEST_STATISTIC = 4096
"""Bytes of the longest text in statistics, as in Arrow. Longer ones are left out."""

_ENCODINGS = {
    PhysicalType.BOOLEAN: Encoding.PLAIN,
    PhysicalType.INT32: Encoding.DELTA_BINARY_PACKED,
    PhysicalType.INT64: Encoding.DELTA_BINARY_PACKED,
    PhysicalType.DOUBLE: Encoding.PLAIN,
    PhysicalType.BYTE_ARRAY: Encoding.DELTA_BYTE_ARRAY,
    PhysicalType.FIXED_LEN_BYTE_ARRAY: Encoding.PLAIN,
}
"""Encodings of values without a dictionary; the compatible ones are all PLAIN."""


class ChunkEncoder:
    """Makes column chunks, compressed by `compress` if there is one. Keeps the working memory of the kernels.

    compatible: use only the encodings that every reader of Parquet knows: PLAIN and dictionaries.
    """

    def __init__(self, compress: Callable[[Bytes], bytes] | None, *, compatible: bool = False) -> None:
        self._compress = compress
        self._compatible = compatible
        self._encode_page = bind_encode_page()
        self._encode_dictionary = bind_encode_dictionary()
        self._encode_indices = bind_encode_indices()
        self._state = np.zeros(states.PAGE_STATE_SIZE, np.int64)
        self._numbers = np.zeros(128, np.uint64)
        self._out = np.zeros(2 * _PAGE_BYTES, np.uint8)
        self._slots = np.zeros(4 * _MOST_ENTRIES, np.int64)
        self._entries = np.zeros(_MOST_ENTRIES, np.int64)
        self._indices = np.zeros(0, np.int64)
        self._secret = scratch.new_secret()
        self._pieces: list[bytes] = []
        self._uncompressed = self._compressed = 0

    def encode(self, batch: Batch, index: int, column: Column, offset: int) -> tuple[ColumnChunk, list[bytes]]:
        """Column number `index`, from 1, of the batch, and its bytes for this offset of the file."""
        self._pieces = []
        self._uncompressed = self._compressed = 0
        self._reset_state()
        kind = column.type.parquet.physical
        columns, place, present = batch.buffers.arrays, index, batch.buffers.present(index)
        if kind is PhysicalType.DOUBLE:
            doubles = batch.doubles(index).view(np.uint8)
            columns = _column_of(doubles, columns.validity[index], bits=64, present=present, plain=True)
            place = 1
        elif column.origin is Origin.ADDED:
            columns, place, present = _constant(batch.added[column.name]), 1, batch.rows
        entries = 0
        if present and kind not in (PhysicalType.BOOLEAN, PhysicalType.DOUBLE):
            entries = self._write_dictionary(columns, place, present)
        if column.origin is Origin.ADDED:
            # Each row has the one value of the dictionary.
            columns.facts[place, layout.COLUMN_PRESENT] = present
            self._indices[:present] = 0
        dictionary_size = self._compressed
        if entries:
            encoding = Encoding.RLE_DICTIONARY
            self._write_indices(columns, place, batch.rows, entries)
        else:
            encoding = Encoding.PLAIN if self._compatible else _ENCODINGS[kind]
            self._write_values(columns, place, batch.rows, encoding)
        chunk = ColumnChunk(
            encoding=encoding,
            rows=batch.rows,
            uncompressed=self._uncompressed,
            compressed=self._compressed,
            dictionary_offset=offset if entries else None,
            data_offset=offset + dictionary_size,
            statistics=Statistics(batch.rows - present, *self._extremes(columns, place, kind)),
        )
        return chunk, self._pieces

    def _reset_state(self) -> None:
        self._state[:] = 0
        self._state[states.MIN_AT] = states.NONE
        self._state[states.PAGE_COMPATIBLE] = self._compatible
        self._state[states.PAGE_SAMPLE] = _JUDGED_VALUES

    def _write_dictionary(self, columns: Columns, place: int, present: int) -> int:
        """Write a dictionary page if it saves bytes; return the number of its entries, or 0."""
        out = self._out[:_DICTIONARY_BYTES]
        slots = self._slots[: 1 << (2 * min(present, _MOST_ENTRIES)).bit_length()]
        slots[:] = 0
        if len(self._indices) < present:
            self._indices = np.zeros(present, np.int64)
        entries = self._encode_dictionary(
            columns, place, self._secret, slots, self._entries, self._indices, out, self._state
        )
        if entries < 0:
            self._reset_state()
            return 0
        self._add_page(int(self._state[states.PAGE_WRITTEN]), partial(dictionary_page_header, entries))
        return entries

    def _write_indices(self, columns: Columns, place: int, rows: int, entries: int) -> None:
        def encode() -> None:
            self._encode_indices(columns, place, rows, entries, self._indices, self._numbers, self._out, self._state)

        self._add_page(self._encode(encode), partial(data_page_header, rows, Encoding.RLE_DICTIONARY))

    def _write_values(self, columns: Columns, place: int, rows: int, encoding: Encoding) -> None:
        def encode() -> None:
            self._encode_page(columns, place, rows, _PAGE_BYTES, self._numbers, self._out, self._state)

        while (row := int(self._state[states.PAGE_ROW])) < rows:
            size = self._encode(encode)
            count = int(self._state[states.PAGE_ROW]) - row
            self._add_page(size, partial(data_page_header, count, encoding))

    def _encode(self, encode: Callable[[], None]) -> int:
        """Encode a page, into a larger output as needed; return the number of its bytes."""
        encode()
        if not self._state[states.PAGE_WRITTEN]:
            self._out = np.zeros(int(self._state[states.PAGE_NEEDED]), np.uint8)
            encode()
        return int(self._state[states.PAGE_WRITTEN])

    def _add_page(self, size: int, header: Callable[[int, int], bytes]) -> None:
        """Compress and keep the first `size` bytes of the output, after the header for these two sizes."""
        page = self._out[:size].tobytes() if self._compress is None else self._compress(self._out[:size])
        before = header(size, len(page))
        self._pieces += (before, page)
        self._uncompressed += len(before) + size
        self._compressed += len(before) + len(page)

    def _extremes(self, columns: Columns, place: int, kind: PhysicalType) -> tuple[bytes | None, bytes | None]:
        """Least and greatest value of the column at hand, in the form of PLAIN."""
        start = int(columns.facts[place, layout.COLUMN_START])
        present = int(columns.facts[place, layout.COLUMN_PRESENT])
        if not present:
            return None, None
        if kind is PhysicalType.BOOLEAN:
            packed = columns.arena[start : start + -(-present // 8)]
            bits = np.unpackbits(packed, count=present, bitorder="little")
            return bits.min().tobytes(), bits.max().tobytes()
        if kind is PhysicalType.DOUBLE:
            doubles = columns.arena[start : start + 8 * present].view(np.float64)
            return doubles.min().tobytes(), doubles.max().tobytes()
        found = []
        for at, size in ((states.MIN_AT, states.MIN_SIZE), (states.MAX_AT, states.MAX_SIZE)):
            begin = start + int(self._state[at])
            value = columns.arena[begin : begin + int(self._state[size])].tobytes()
            found.append(value[::-1] if kind is PhysicalType.FIXED_LEN_BYTE_ARRAY else value)
        if max(map(len, found)) > _LONGEST_STATISTIC:
            return None, None
        return found[0], found[1]


def _column_of(data: Bytes, validity: Bytes, *, bits: int, present: int, plain: bool = False) -> Columns:
    """Columns with these values in number 1; plain: they go into pages as they are."""
    facts = np.zeros((2, layout.COLUMN_FACTS), np.int64)
    facts[1, [layout.COLUMN_BITS, layout.COLUMN_PRESENT, layout.COLUMN_PLAIN]] = bits, present, plain
    arena = np.zeros(data.size + layout.ROOM, np.uint8)
    arena[: data.size] = data
    return Columns(arena, np.array([data.size], np.int32), np.stack((np.zeros_like(validity), validity)), facts)


def _constant(value: AddedValue) -> Columns:
    """Columns with only this value in number 1."""
    is_text = isinstance(value, str)
    data = value.encode() if isinstance(value, str) else value.to_bytes(8, "little", signed=True)
    validity = np.ones(1, np.uint8)
    return _column_of(np.frombuffer(data, np.uint8), validity, bits=0 if is_text else 64, present=1)
