"""Column chunks: the pages of the columns of a batch, encoded by the kernels, compressed and written."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate, groupby

import numpy as np

from converter.decode.batch import Batch
from converter.kernels import layout, scratch
from converter.kernels.bindings import bind_encode_chunks, bind_put_chunk_metadata, bind_put_page_headers
from converter.kernels.encode import states
from converter.kernels.layout import Bytes, Columns, PageScratch, State
from converter.schema.added_columns import AddedValue
from converter.schema.column_types import DOUBLE, Origin
from converter.schema.columns import Column
from converter.write.parquet_metadata import RowGroup, encode_row_group
from converter.write.thrift import Struct

Put = Callable[[bytes | memoryview], None]

_PAGE_BYTES = 1 << 20
_JUDGED_VALUES = 8192
_MOST_ENTRIES = 1 << 14
_DICTIONARY_BYTES = 1 << 20
_MOST_PAGES = 1024
"""Pages of one call. Usually it ends when an eighth of the output is full, which is still in the cache."""
_FEW_PIECES = 8
"""Pieces of more pages are written as one."""


class ChunkEncoder:
    """Encodes the row groups of one file. Keeps the working memory of the kernels.

    compression: Parquet's number of the compression of `compress`; None compresses nothing. compatible: use only the
    encodings that every reader of Parquet knows: PLAIN and dictionaries.
    """

    def __init__(
        self,
        columns: tuple[Column, ...],
        compress: Callable[[memoryview], bytes] | None,
        compression: int,
        *,
        compatible: bool = False,
    ) -> None:
        self._columns = columns
        self._compress = compress
        self._encode_chunks = bind_encode_chunks()
        self._put_page_headers = bind_put_page_headers()
        self._put_chunk_metadata = bind_put_chunk_metadata()
        self._state = np.zeros(states.PAGE_STATE_SIZE, np.int64)
        self._state[states.PAGE_COMPATIBLE] = compatible
        self._state[states.PAGE_COMPRESSION] = compression
        self._state[states.PAGE_LIMIT] = _PAGE_BYTES
        self._state[states.PAGE_SAMPLE] = _JUDGED_VALUES
        self._state[states.PAGE_DICTIONARY] = _DICTIONARY_BYTES
        self._scratch = PageScratch(
            secret=scratch.new_secret(),
            slots=np.zeros(4 * _MOST_ENTRIES, np.int64),
            entries=np.zeros(_MOST_ENTRIES, np.int64),
            indices=np.zeros(0, np.int64),
            numbers=np.zeros(128, np.uint64),
        )
        self._out = np.zeros(3 * max(_PAGE_BYTES, _DICTIONARY_BYTES), np.uint8)
        self._pages = np.zeros((_MOST_PAGES, states.PAGE_FACTS), np.int64)
        self._headers = np.zeros(_MOST_PAGES * states.HEADER_ROOM, np.uint8)
        self._metadata = np.zeros(0, np.uint8)
        self._chunks = np.zeros((len(columns), states.CHUNK_FACTS), np.int64)

    def write_row_group(self, batch: Batch, offset: int, put: Put) -> Struct:
        """Give `put` all columns of the batch, for this offset of the file on; return the row group for the footer."""
        self._state[states.PAGE_OFFSET] = offset
        if self._scratch.indices.size < batch.rows:
            self._scratch = self._scratch._replace(indices=np.zeros(batch.rows, np.int64))
        encoded = []
        for special, run in groupby(enumerate(self._columns, 1), lambda place: _is_special(place[1])):
            if special:
                for i, column in run:
                    encoded.append(self._write(_special_column(batch, i, column), 1, 2, 2 - i, batch.rows, put))
            else:
                places = [i for i, _ in run]
                encoded.append(self._write(batch.buffers.arrays, places[0], places[-1] + 1, 1, batch.rows, put))
        raw, packed = self._chunks[:, [states.CHUNK_RAW, states.CHUNK_PACKED]].sum(axis=0).tolist()
        return encode_row_group(RowGroup(len(self._columns), b"".join(encoded), batch.rows, raw, packed, offset))

    def _write(self, columns: Columns, begin: int, end: int, first: int, rows: int, put: Put) -> bytes:
        """Write the columns [begin, end) of `columns`, of which `first` would be the first of the file's.

        Returns their metadata.
        """
        state = self._state
        state[states.PAGE_FIRST] = first
        state[states.PAGE_COLUMN] = begin
        state[states.PAGE_STAGE] = states.CHUNK_BEGINS
        status = layout.FULL
        while status != layout.DONE:
            status = self._encode_chunks(columns, end, rows, self._scratch, self._out, self._pages, self._chunks, state)
            if status == layout.GROW:
                self._out = np.zeros(int(state[states.PAGE_NEEDED]), np.uint8)
            else:
                self._write_pages(put)
        return self._metadata_of(columns, begin, end, rows)

    def _write_pages(self, put: Put) -> None:
        """Compress and write the pages in the output."""
        pages, out = self._pages[: int(self._state[states.PAGE_COUNT])], self._out.data
        places = pages[:, [states.PAGE_BEGIN, states.PAGE_END, states.PAGE_AS_IT_IS]].tolist()
        compress = self._compress
        packed: list[bytes | memoryview] = [
            out[begin:end] if as_it_is or compress is None else compress(out[begin:end])
            for begin, end, as_it_is in places
        ]
        pages[:, states.PAGE_PACKED] = list(map(len, packed))
        headers = self._headers[: self._put_page_headers(self._pages, self._chunks, self._headers, self._state)].data
        stored = pages[:, [states.PAGE_HEADER_END, states.PAGE_AS_IT_IS]].tolist()
        pieces: list[bytes | memoryview] = []
        at = 0
        for (begin, end, _), page, (header_end, as_it_is) in zip(places, packed, stored, strict=True):
            pieces += (headers[at:header_end], out[begin:end] if as_it_is else page)
            at = header_end
        for piece in [b"".join(pieces)] if len(pieces) > _FEW_PIECES else pieces:
            put(piece)

    def _metadata_of(self, columns: Columns, begin: int, end: int, rows: int) -> bytes:
        """The structs ColumnChunk of the columns [begin, end) of `columns`."""
        self._state[states.PAGE_COLUMN] = begin
        first = int(self._state[states.PAGE_FIRST])
        names, ends = _names_of(self._columns)
        sizes = self._chunks[begin - first : end - first, [states.CHUNK_MIN_SIZE, states.CHUNK_MAX_SIZE]]
        needed = (end - begin) * states.METADATA_ROOM + names.size + int(sizes[sizes <= states.LONGEST_STATISTIC].sum())
        if self._metadata.size < needed:
            self._metadata = np.zeros(needed, np.uint8)
        size = self._put_chunk_metadata(columns, end, rows, names, ends, self._chunks, self._metadata, self._state)
        return self._metadata[:size].tobytes()


@lru_cache(maxsize=4)
def _names_of(columns: tuple[Column, ...]) -> tuple[Bytes, State]:
    """The names of the columns, one after the other, and where each ends."""
    names = [column.name.encode() for column in columns]
    data = np.frombuffer(b"".join(names) + bytes(layout.ROOM), np.uint8)
    return data, np.array(list(accumulate(map(len, names))), np.int64)


def _is_special(column: Column) -> bool:
    """Return whether the values of a column are not in the buffers of a batch as pages need them."""
    return column.origin is Origin.ADDED or column.type == DOUBLE


def _special_column(batch: Batch, index: int, column: Column) -> Columns:
    """Columns with the values of such a column in number 1."""
    if column.origin is Origin.ADDED:
        return _constant(batch.added[column.name], batch.rows)
    doubles = batch.doubles(index).view(np.uint8)
    present = batch.buffers.present(index)
    return _column_of(doubles, batch.buffers.arrays.validity[index], bits=64, present=present, plain=True)


def _column_of(data: Bytes, validity: Bytes, *, bits: int, present: int, plain: bool = False, step: int = 1) -> Columns:
    """Columns with these values in number 1; plain: they go into pages as they are."""
    facts = np.zeros((2, layout.COLUMN_FACTS), np.int64)
    facts[1, [layout.COLUMN_BITS, layout.COLUMN_PRESENT, layout.COLUMN_PLAIN]] = bits, present, plain
    facts[1, [layout.COLUMN_USED, layout.COLUMN_STEP]] = data.size, step
    arena = np.zeros(data.size + layout.ROOM, np.uint8)
    arena[: data.size] = data
    return Columns(arena, np.array([data.size], np.int32), np.stack((np.zeros_like(validity), validity)), facts)


def _constant(value: AddedValue, rows: int) -> Columns:
    """Columns with only this value in number 1, for all rows."""
    data = value.encode() if isinstance(value, str) else value.to_bytes(8, "little", signed=True)
    bits = 0 if isinstance(value, str) else 64
    # The levels of a column that is never null are not read.
    return _column_of(np.frombuffer(data, np.uint8), np.ones(1, np.uint8), bits=bits, present=rows, step=0)
