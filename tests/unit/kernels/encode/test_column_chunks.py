"""Kernels for column chunks: their structs are those of the definition, and no call of many changes the pages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.kernels import layout
from converter.kernels.bindings import bind_encode_chunks, bind_put_chunk_metadata, bind_put_page_headers
from converter.kernels.encode import states
from converter.kernels.layout import PageScratch
from converter.kernels.scratch import new_secret
from converter.write import column_chunk
from tests.examples import examples
from tests.unit.write.columns import TYPES, Cells, batch_of, cells, column_of_type, parquet_of, plain
from tests.unit.write.reading import pages_of, read_footer
from tests.unit.write.structs import (
    ColumnChunk,
    Statistics,
    chunk_struct,
    data_page_header,
    dictionary_page_header,
)

ANY_SIZE = st.one_of(st.sampled_from([0, 1, 10, 11, 63, 64, 127, 8191, 8192, 2**31 - 1]), st.integers(0, 2**31 - 1))
PLACED = ["string", "int64", "decimal128(38, 7)", "bool", "date", "timestamp", "binary"]


def new_state(**members: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    state = np.zeros(states.PAGE_STATE_SIZE, np.int64)
    state[states.PAGE_SAMPLE] = 8192
    state[states.PAGE_DICTIONARY] = 1 << 12
    for name, value in members.items():
        state[getattr(states, name)] = value
    return state


@given(st.booleans(), st.integers(0, 2**31 - 1), st.sampled_from([0, 3, 5, 7, 8]), ANY_SIZE, ANY_SIZE, st.booleans())
def test_headers_are_the_structs_of_the_definition(
    dictionary: bool, values: int, encoding: int, raw: int, packed: int, last: bool
) -> None:
    pages = np.zeros((2, states.PAGE_FACTS), np.int64)
    chunks = np.zeros((1, states.CHUNK_FACTS), np.int64)
    chunks[0, [states.CHUNK_DICTIONARY, states.CHUNK_DATA]] = states.NONE
    pages[0, [states.PAGE_BEGIN, states.PAGE_END, states.PAGE_PACKED]] = 5, 5 + raw, packed
    pages[0, [states.PAGE_VALUES, states.PAGE_ENCODING]] = values, states.DICTIONARY if dictionary else encoding
    pages[0, states.PAGE_IS_LAST] = last
    state = new_state(PAGE_COUNT=1, PAGE_OFFSET=1 << 40)
    out = np.full(states.HEADER_ROOM + 8, 0xEE, np.uint8)
    size = bind_put_page_headers()(pages, chunks, out, state)
    stored = raw if last and packed >= raw else packed
    expected = (
        dictionary_page_header(values, raw, stored) if dictionary else data_page_header(values, encoding, raw, stored)
    )
    assert out[:size].tobytes() == expected
    assert (out[states.HEADER_ROOM :] == 0xEE).all()
    assert pages[0, states.PAGE_HEADER_END] == size
    assert bool(pages[0, states.PAGE_AS_IT_IS]) == bool(chunks[0, states.CHUNK_AS_IT_IS]) == (last and packed >= raw)
    sizes = chunks[0, [states.CHUNK_RAW, states.CHUNK_PACKED]].tolist()
    assert sizes == [size + raw, size + stored]
    assert state[states.PAGE_OFFSET] == (1 << 40) + size + stored
    places = chunks[0, [states.CHUNK_DICTIONARY, states.CHUNK_DATA]].tolist()
    assert places == ([1 << 40, states.NONE] if dictionary else [states.NONE, 1 << 40])


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("name", ["c", "x" * 300, "\u6f22"])
@settings(max_examples=examples(30))
@given(data=st.data(), as_it_is=st.booleans())
def test_metadata_is_the_struct_of_the_definition(type_: str, name: str, data: st.DataObject, as_it_is: bool) -> None:
    column = column_of_type(type_, name)
    values = data.draw(cells(type_))
    batch = batch_of([column], [values])
    columns = column_chunk._special_column(batch, 1, column) if type_ == "double" else batch.buffers.arrays
    chunks = np.zeros((1, states.CHUNK_FACTS), np.int64)
    state = new_state(PAGE_FIRST=1, PAGE_COLUMN=1, PAGE_LIMIT=500, PAGE_COMPRESSION=6)
    out, pages = np.zeros(1 << 20, np.uint8), np.zeros((4000, states.PAGE_FACTS), np.int64)
    assert bind_encode_chunks()(columns, 2, len(values), scratch_of(len(values)), out, pages, chunks, state) == 0
    sizes = [data.draw(ANY_SIZE) for _ in range(3)]
    dictionary = int(chunks[0, states.CHUNK_ENCODING]) == states.RLE_DICTIONARY
    chunks[0, [states.CHUNK_RAW, states.CHUNK_PACKED, states.CHUNK_DATA]] = sizes
    chunks[0, states.CHUNK_DICTIONARY] = 77 if dictionary else states.NONE
    chunks[0, states.CHUNK_AS_IT_IS] = as_it_is
    present = [value for value in values if value is not None]
    statistics = Statistics(len(values) - len(present))
    if present:
        statistics = Statistics(statistics.nulls, plain(column, min(present)), plain(column, max(present)))
    chunk = ColumnChunk(
        int(chunks[0, states.CHUNK_ENCODING]),
        len(values),
        sizes[0],
        sizes[1],
        77 if dictionary else None,
        sizes[2],
        statistics,
    )
    state[states.PAGE_COLUMN] = 1
    names, ends = column_chunk._names_of((column,))
    written = bind_put_chunk_metadata()(columns, 2, len(values), names, ends, chunks, out, state)
    assert out[:written].tobytes() == chunk_struct(chunk, column, 0 if as_it_is else 6)


def scratch_of(rows: int, entries: int = 64) -> PageScratch:
    return PageScratch(
        new_secret(),
        np.zeros(4 * entries, np.int64),
        np.zeros(entries, np.int64),
        np.zeros(rows, np.int64),
        np.zeros(128, np.uint64),
    )


def all_pages(columns: Any, last: int, rows: int, limit: int, room: int, most: int) -> tuple[list[Any], Any]:
    """(chunk, values, encoding, last, bytes) of all pages, and the facts of the chunks, with this room for a call."""
    encode = bind_encode_chunks()
    chunks = np.full((last - 1, states.CHUNK_FACTS), 99, np.int64)
    state = new_state(PAGE_FIRST=1, PAGE_COLUMN=1, PAGE_LIMIT=limit)
    pages = np.full((most, states.PAGE_FACTS), 99, np.int64)
    scratch, out, found = scratch_of(rows), np.full(room + 200, 0xEE, np.uint8), []
    while True:
        status = encode(columns, last, rows, scratch, out[:room], pages, chunks, state)
        assert (out[room:] == 0xEE).all()
        assert state[states.PAGE_COUNT] <= most
        if status == layout.GROW:
            assert not state[states.PAGE_COUNT]
            room = int(state[states.PAGE_NEEDED])
            out = np.full(room + 200, 0xEE, np.uint8)
        for page in pages[: int(state[states.PAGE_COUNT])]:
            begin, end = page[[states.PAGE_BEGIN, states.PAGE_END]].tolist()
            facts = page[[states.PAGE_CHUNK, states.PAGE_VALUES, states.PAGE_ENCODING, states.PAGE_IS_LAST]].tolist()
            found.append((*facts, out[begin:end].tobytes()))
        if status == layout.DONE:
            return found, chunks


@settings(max_examples=examples(40))
@given(data=st.data(), limit=st.sampled_from([64, 500, 1 << 20]), room=st.sampled_from([9000, 16_000, 1 << 20]))
def test_pages_are_the_same_whatever_fits_in_a_call(data: st.DataObject, limit: int, room: int) -> None:
    rows = data.draw(st.sampled_from([1, 8, 100, 300]))
    values: list[Cells] = [data.draw(cells(type_, rows)) for type_ in PLACED]
    batch = batch_of([column_of_type(type_, f"c{n}") for n, type_ in enumerate(PLACED)], values)
    last = len(PLACED) + 1
    expected, facts = all_pages(batch.buffers.arrays, last, rows, limit, 1 << 22, 4000)
    found, again = all_pages(batch.buffers.arrays, last, rows, limit, room, data.draw(st.sampled_from([2, 3, 50])))
    assert found == expected
    assert (facts == again).all()
    assert [page[0] for page in found if page[3]] == list(range(len(PLACED)))


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd"])
def test_a_chunk_that_compression_makes_no_smaller_is_left_as_it_is(compression: str) -> None:
    columns = [column_of_type("int64", "a"), column_of_type("string", "b"), column_of_type("bool", "c")]
    values: list[Cells] = [[None] * 90, [f"{n % 7} and much that repeats" for n in range(90)], [True] * 90]
    data = parquet_of(columns, values, compression=compression)
    small, large, bits = (chunk[3] for chunk in read_footer(data)[4][0][1])
    assert small[4] == 0
    assert (large[4] == 0) == (compression == "none")
    for chunk in (small, large, bits):
        assert chunk[7] <= chunk[6]
        assert chunk[4] != 0 or chunk[6] == chunk[7]
        assert (chunk[4] == 0) == all(page.uncompressed == len(page.data) for page in pages_of(data, chunk))
