"""The buffers of a batch: allotted, grown without losing a byte, emptied, and filled with values only."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from converter.decode import buffers as buffers_module
from converter.decode import decoder as decoder_module
from converter.decode.buffers import BATCH_BYTES, BATCH_ROWS, Buffers, value_bits
from converter.decode.decoder import Decoder
from converter.kernels import layout
from converter.schema.column_types import Origin, parse_type
from converter.schema.columns import Column
from tests.unit.decode.decoding import (
    cut_blocks,
    decode_rows,
    everything,
    last_batch,
    lines_of,
    put_value,
    rows_of,
    schema_of,
    texts_of,
)

TEXT = Column("s", "s", parse_type("string"), Origin.TEXT)
INTEGER = Column("i", "i", parse_type("int64"), Origin.NUMBER)
DECIMAL = Column("d", "d", parse_type("decimal128(38, 2)"), Origin.NUMBER)
BOOL = Column("b", "b", parse_type("bool"), Origin.BOOL)
DOUBLE = Column("f", "f", parse_type("double"), Origin.NUMBER)
EVERY_TYPE = [TEXT, INTEGER, DECIMAL, BOOL, TEXT]


def slices_of(buffers: Buffers) -> list[tuple[int, int]]:
    """Where each column's values may be in the arena, by the bytes that it is promised."""
    facts = buffers.arrays.facts
    rooms = facts[:, layout.COLUMN_ROOM] * facts[:, layout.COLUMN_BITS]
    starts, limits = facts[:, layout.COLUMN_START].tolist(), facts[:, layout.COLUMN_LIMIT].tolist()
    for start, limit, room in zip(starts, limits, rooms.tolist(), strict=True):
        assert room <= 8 * (limit - start)
    return list(zip(starts, limits, strict=True))


def assert_apart(buffers: Buffers) -> None:
    """No two columns share a byte of the arena or a length."""
    slices = slices_of(buffers)
    assert all(before[1] <= after[0] for before, after in pairwise(slices))
    assert slices[-1][1] + layout.ROOM <= len(buffers.arrays.arena)
    facts = buffers.arrays.facts
    texts = facts[facts[:, layout.COLUMN_BITS] == 0]
    begins = texts[:, layout.COLUMN_LENGTHS]
    ends = begins + texts[:, layout.COLUMN_ROOM]
    assert (ends[:-1] <= begins[1:]).all()
    assert ends[-1] <= len(buffers.arrays.lengths)


TIME = Column("t", "t", parse_type("timestamp"), Origin.TIME)
DAY = Column("d", "d", parse_type("date"), Origin.TIME)
ADDED = Column("a", None, parse_type("string"), Origin.ADDED)


@pytest.mark.parametrize(
    ("column", "bits"), [(TEXT, 0), (INTEGER, 64), (DECIMAL, 128), (BOOL, 1), (DOUBLE, 0), (TIME, 64), (DAY, 32)]
)
def test_every_type_has_its_width_in_the_arena(column: Column, bits: int) -> None:
    assert value_bits(column) == bits
    assert Buffers([column], text=False).arrays.facts[1, layout.COLUMN_BITS] == bits


def test_slices_are_aligned_and_none_reaches_into_another() -> None:
    buffers = Buffers(EVERY_TYPE, text=False)
    assert all(start % 64 == 0 for start, _ in slices_of(buffers))
    assert_apart(buffers)
    assert (buffers.arrays.facts[:, layout.COLUMN_ROOM] > 0).all()
    assert buffers.arrays.facts[:, layout.COLUMN_BITS].tolist() == [0, 0, 64, 128, 1, 0]
    assert buffers.arrays.validity.shape[1] * 8 >= buffers.rows


@pytest.mark.parametrize("columns", [1, 10, 400, 2000, 5000])
def test_the_wider_the_table_the_fewer_rows_a_batch_may_have(columns: int) -> None:
    buffers = Buffers([DECIMAL] * columns, text=False)
    assert 1 <= buffers.rows <= BATCH_ROWS
    assert buffers.rows * columns / 8 <= BATCH_BYTES
    assert buffers.rows == BATCH_ROWS or columns > 1000
    assert columns < 5000 or buffers.rows < BATCH_ROWS
    assert len(buffers.arrays.arena) < BATCH_BYTES


def test_a_table_of_more_columns_than_bytes_still_has_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers_module, "BATCH_BYTES", 100)
    assert Buffers([TEXT] * 500, text=False).rows == 8


def test_in_csv_every_column_is_text() -> None:
    buffers = Buffers([INTEGER, DECIMAL, BOOL], text=True)
    assert buffers.arrays.facts[:, layout.COLUMN_BITS].tolist() == [0, 0, 0, 0]
    assert_apart(buffers)


def test_growing_one_column_keeps_what_all_columns_hold() -> None:
    buffers = Buffers(EVERY_TYPE, text=False)
    chance = np.random.default_rng(5)
    texts: list[bytes] = []
    numbers = [int(number) for number in chance.integers(-(2**63), 2**63, 700)]
    for row, number in enumerate(numbers):
        texts.append(bytes(chance.integers(97, 123, int(chance.integers(0, 300))).astype(np.uint8)))
        put_value(buffers, 1, row, texts[-1])
        put_value(buffers, 2, row, number)
        put_value(buffers, 3, row, number * 10**18)
        put_value(buffers, 4, row, number % 3 == 0)
        if row % 3 == 0:
            put_value(buffers, 5, row, texts[-1][::-1])
    assert_apart(buffers)
    assert texts_of(buffers, 1, 700) == [text.decode() for text in texts]
    others = [text[::-1].decode() if row % 3 == 0 else None for row, text in enumerate(texts)]
    assert texts_of(buffers, 5, 700) == others
    assert buffers.values(2).view(np.int64).tolist() == numbers
    whole = buffers.values(3).tobytes()
    decimals = [int.from_bytes(whole[at : at + 16], "little", signed=True) for at in range(0, len(whole), 16)]
    assert decimals == [number * 10**18 for number in numbers]
    bits = np.unpackbits(buffers.values(4), count=700, bitorder="little")
    assert bits.tolist() == [number % 3 == 0 for number in numbers]


@pytest.mark.parametrize("column", [0, 1, 5])
@pytest.mark.parametrize("rows", [0, 100])
def test_a_text_column_that_is_full_gets_more_bytes(column: int, rows: int) -> None:
    buffers = Buffers(EVERY_TYPE, text=False)
    before = slices_of(buffers)[column]
    buffers.grow(rows, column)
    after = slices_of(buffers)[column]
    assert after[1] - after[0] >= 2 * (before[1] - before[0]) or rows
    assert after[1] - after[0] > before[1] - before[0]
    assert_apart(buffers)


def test_rows_go_on_until_a_column_might_be_full_and_growing_makes_room_for_more() -> None:
    buffers = Buffers(EVERY_TYPE, text=False)
    first = buffers.capacity(0)
    assert 0 < first < buffers.rows
    for row in range(0, first, 2):
        put_value(buffers, 3, row, row)
    assert buffers.capacity(first) == first + first // 2
    for row in range(first, first + first // 2):
        put_value(buffers, 3, row, row)
    full = first + first // 2
    assert buffers.capacity(full) == full
    buffers.grow(full)
    assert buffers.capacity(full) > full
    assert_apart(buffers)


def test_room_for_values_never_exceeds_the_rows_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers_module, "BATCH_ROWS", 700)
    buffers = Buffers([INTEGER, TEXT], text=False)
    for row in range(700):
        put_value(buffers, 1, row, row)
        put_value(buffers, 2, row, b"x")
    assert buffers.arrays.facts[1:, layout.COLUMN_ROOM].tolist() == [700, 700]
    assert buffers.capacity(700) == 700
    assert buffers.values(1).view(np.int64).tolist() == list(range(700))


def test_a_column_that_grew_late_has_room_for_what_the_rows_so_far_promise() -> None:
    buffers = Buffers([TEXT, TEXT, INTEGER], text=False)
    for row in range(100):
        put_value(buffers, 1, row, b"x" * 40)
        put_value(buffers, 2, row, b"y")
        if row % 10 == 0:
            put_value(buffers, 3, row, row)
    buffers.grow(100, 1)
    facts = buffers.arrays.facts
    assert facts[1, layout.COLUMN_LIMIT] - facts[1, layout.COLUMN_START] >= 40 * buffers.rows
    assert facts[1:3, layout.COLUMN_ROOM].tolist() == [buffers.rows] * 2
    assert buffers.rows / 10 <= facts[3, layout.COLUMN_ROOM] < buffers.rows / 5
    assert buffers.used_bytes(100) >= 100 * 41 + 10 * 8
    assert texts_of(buffers, 1, 100) == ["x" * 40] * 100


def test_absent_values_take_a_bit_each() -> None:
    buffers = Buffers([TEXT, INTEGER, DECIMAL, BOOL], text=False)
    assert buffers.used_bytes(1000) == 1000 * 4 / 8


def test_an_emptied_batch_holds_nothing_of_the_one_before() -> None:
    buffers = Buffers([TEXT], text=False)
    put_value(buffers, 1, 0, b"one")
    put_value(buffers, 1, 2, b"two")
    assert texts_of(buffers, 1, 3) == ["one", None, "two"]
    assert buffers.present(1) == 2
    buffers.reset()
    assert (buffers.present(1), buffers.values(1).size, buffers.lengths(1).size) == (0, 0, 0)
    put_value(buffers, 1, 1, b"three")
    assert texts_of(buffers, 1, 3) == [None, "three", None]


def test_an_empty_copy_has_the_same_room() -> None:
    buffers = Buffers(EVERY_TYPE, text=False)
    for row in range(1000):
        put_value(buffers, 1, row, b"x" * row)
        put_value(buffers, 2, row, row)
    copy = buffers.empty_copy()
    ours, theirs = buffers.arrays.facts, copy.arrays.facts
    same = [layout.COLUMN_ROOM, layout.COLUMN_BITS]
    assert theirs[:, same].tolist() == ours[:, same].tolist()
    rooms = [facts[:, layout.COLUMN_LIMIT] - facts[:, layout.COLUMN_START] for facts in (ours, theirs)]
    assert (rooms[1] >= rooms[0]).all()
    assert [copy.present(column) for column in range(1, 6)] == [0] * 5
    assert_apart(copy)
    put_value(copy, 1, 0, b"other")
    assert texts_of(copy, 1, 1) == ["other"]
    assert texts_of(buffers, 1, 1000) == ["x" * row for row in range(1000)]


@pytest.mark.parametrize("texts", [["a"], [None], ["", None, "x" * 10_000], [None, "é"]])
def test_other_texts_may_take_the_place_of_a_column(texts: list[str | None]) -> None:
    buffers = Buffers([TEXT, TEXT], text=True)
    for row, text in enumerate(texts):
        put_value(buffers, 2, row, b"beside")
        if text is not None:
            put_value(buffers, 1, row, b"before")
    parts = [text.encode() for text in texts if text is not None]
    values = np.frombuffer(b"".join(parts), np.uint8)
    buffers.replace_text(1, values, np.array([len(part) for part in parts], np.int32))
    assert texts_of(buffers, 1, len(texts)) == texts
    assert texts_of(buffers, 2, len(texts)) == ["beside"] * len(texts)


@pytest.mark.parametrize("text", [False, True])
def test_many_columns_of_every_type_are_decoded_side_by_side(text: bool) -> None:
    kinds: list[dict[str, Any]] = [{"S": "é" * 30}, {"N": "7"}, {"N": "0.25"}, {"B": "AQID"}, {"BOOL": True}]
    item = {f"c{n:04}": kinds[n % 5] for n in range(1500)}
    sparse = {name: value for n, (name, value) in enumerate(item.items()) if n % 7 == 0}
    lines = lines_of(item, sparse, {}, item)
    if text:
        decoder = Decoder(schema_of(lines), text=True, wants=everything)
        for block in cut_blocks(lines):
            assert list(decoder.decode(block)) == []
        batch = last_batch(decoder)
        assert batch.rows == 4
        assert texts_of(batch.buffers, 2, 4) == ["7", None, None, "7"]
        assert texts_of(batch.buffers, 1, 4) == ["é" * 30, "é" * 30, None, "é" * 30]
        return
    rows = decode_rows(lines)
    assert rows[0] == rows[3]
    assert set(rows[2].values()) == {None}
    assert {name for name, value in rows[1].items() if value is not None} == set(sparse)


def test_a_batch_ends_when_it_holds_its_share_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers_module, "BATCH_BYTES", 4000)
    monkeypatch.setattr(decoder_module, "BATCH_BYTES", 4000)
    monkeypatch.setattr(decoder_module, "_WEIGHED_BYTES", 1)
    lines = lines_of(*[{"i": {"N": str(n)}, "d": {"N": f"{n}.5"}} for n in range(1000)])
    schema = schema_of(lines)
    decoder = Decoder(schema, wants=everything)
    found: list[object] = []
    sizes: list[int] = []
    for block in cut_blocks(lines, 5000):
        for batch in decoder.decode(block):
            sizes.append(batch.buffers.used_bytes(batch.rows))
            found.extend(row["i"] for row in rows_of(schema, [batch]))
    for batch in decoder.finish():
        found.extend(row["i"] for row in rows_of(schema, [batch]))
    assert found == list(range(1000))
    assert len(sizes) > 3
    # A batch ends with a block, whose items take less as values than as lines.
    assert all(4000 <= size < 4000 + 5000 for size in sizes)


@pytest.mark.parametrize("size", [0, 1, 5000])
def test_a_text_that_fills_a_column_is_there_once_and_stands_in_every_row(size: int) -> None:
    buffers = Buffers([TEXT, ADDED, TEXT], text=True)
    for row in range(100):
        put_value(buffers, 1, row, b"one %d" % row)
        put_value(buffers, 3, row, b"three %d" % row)
    value = b"x" * size
    buffers.fill_text(2, value, 100)
    assert_apart(buffers)
    assert buffers.values(2).tobytes() == value
    assert np.unpackbits(buffers.arrays.validity[2], bitorder="little")[:100].all()
    assert texts_of(buffers, 1, 100) == [f"one {row}" for row in range(100)]
    assert texts_of(buffers, 3, 100) == [f"three {row}" for row in range(100)]
    buffers.reset()
    buffers.fill_text(2, b"other", 1)
    assert buffers.values(2).tobytes() == b"other"


def test_a_column_that_is_not_decoded_never_ends_a_batch() -> None:
    alone, beside = Buffers([INTEGER], text=False), Buffers([INTEGER, ADDED], text=False)
    for buffers in (alone, beside):
        buffers.grow(20_000)
        for row in range(20_000):
            put_value(buffers, 1, row, row)
    assert alone.capacity(20_000) == beside.capacity(20_000) > 20_000
