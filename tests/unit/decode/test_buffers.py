"""The buffers of a batch: allotted, grown without losing a byte, emptied, and handed to Arrow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from converter.decode import buffers as buffers_module
from converter.decode import tables
from converter.decode.buffers import BATCH_BYTES, BATCH_ROWS, Buffers, row_width
from converter.decode.decoder import Decoder
from converter.decode.tables import ROOM
from converter.options import ConvertOptions
from converter.schema.types import Column, Origin
from tests.unit.decode.decoding import cut_blocks, decode_rows, everything, last_batch, lines_of, schema_of

TEXT = Column("s", "s", "string", Origin.TEXT)
INTEGER = Column("i", "i", "int64", Origin.NUMBER)
DECIMAL = Column("d", "d", "decimal128(38, 2)", Origin.NUMBER)
BOOL = Column("b", "b", "bool", Origin.BOOL)
DOUBLE = Column("f", "f", "double", Origin.NUMBER)


def put_text(buffers: Buffers, column: int, row: int, text: bytes) -> None:
    """What the kernels do for a value of a text column."""
    while True:
        facts = buffers.arrays.facts[column]
        start = int(facts[tables.COLUMN_START] + facts[tables.COLUMN_USED])
        if start + len(text) + ROOM <= facts[tables.COLUMN_LIMIT]:
            break
        buffers.grow(column, row)
    buffers.arrays.arena[start : start + len(text)] = np.frombuffer(text, np.uint8)
    buffers.arrays.offsets[column, int(facts[tables.COLUMN_FILLED]) : row + 1] = facts[tables.COLUMN_USED]
    facts[tables.COLUMN_FILLED] = row + 1
    facts[tables.COLUMN_USED] += len(text)
    facts[tables.COLUMN_PRESENT] += 1
    buffers.arrays.validity[column, row >> 3] |= 1 << (row & 7)


@pytest.mark.parametrize(("column", "width"), [(TEXT, 0), (INTEGER, 8), (DECIMAL, 16), (BOOL, 1 / 8), (DOUBLE, 0)])
def test_every_type_has_its_width_in_the_arena(column: Column, width: float) -> None:
    assert row_width(column) == width


def test_slices_are_aligned_and_none_reaches_into_another() -> None:
    buffers = Buffers([TEXT, INTEGER, DECIMAL, BOOL, TEXT], text=False)
    facts = buffers.arrays.facts
    assert (facts[:, tables.COLUMN_START] % 64 == 0).all()
    assert facts[1:, tables.COLUMN_START].tolist() == facts[:-1, tables.COLUMN_LIMIT].tolist()
    room = (facts[:, tables.COLUMN_LIMIT] - facts[:, tables.COLUMN_START]).tolist()
    assert room[2] >= 8 * buffers.rows
    assert room[3] >= 16 * buffers.rows
    assert room[4] * 8 >= buffers.rows
    assert len(buffers.arrays.arena) >= facts[-1, tables.COLUMN_LIMIT] + 64
    assert facts[:, tables.COLUMN_FIXED].tolist() == [0, 0, 1, 1, 1, 0]


@pytest.mark.parametrize("columns", [1, 10, 400, 2000])
def test_the_wider_the_table_the_fewer_rows_a_batch_may_have(columns: int) -> None:
    buffers = Buffers([DECIMAL] * columns, text=False)
    assert 1 <= buffers.rows <= BATCH_ROWS
    assert buffers.rows * columns * 16 <= BATCH_BYTES
    assert buffers.rows == BATCH_ROWS or (buffers.rows + 2) * columns * 16.125 > BATCH_BYTES


def test_in_csv_every_column_is_text() -> None:
    buffers = Buffers([INTEGER, DECIMAL, BOOL], text=True)
    assert buffers.arrays.facts[:, tables.COLUMN_FIXED].tolist() == [0, 0, 0, 0]


def test_growing_one_column_keeps_what_all_columns_hold() -> None:
    buffers = Buffers([TEXT, INTEGER, DECIMAL, BOOL, TEXT], text=False)
    chance = np.random.default_rng(5)
    texts: list[bytes] = []
    for row in range(200):
        arrays = buffers.arrays
        facts = arrays.facts
        for column, width in ((2, 8), (3, 16)):
            start = int(facts[column, tables.COLUMN_START]) + row * width
            arrays.arena[start : start + width] = row
        start = int(facts[4, tables.COLUMN_START])
        arrays.arena[start + (row >> 3)] = row >> 3
        texts.append(bytes(chance.integers(97, 123, int(chance.integers(0, 900))).astype(np.uint8)))
        put_text(buffers, 1, row, texts[-1])
        if row % 3 == 0:
            put_text(buffers, 5, row, texts[-1][::-1])
    buffers.seal(200)
    assert buffers.text(1, 200).to_pylist() == [text.decode() for text in texts]
    others = [text[::-1].decode() if row % 3 == 0 else None for row, text in enumerate(texts)]
    assert buffers.text(5, 200).to_pylist() == others
    arrays, facts = buffers.arrays, buffers.arrays.facts
    for column, width in ((2, 8), (3, 16)):
        start = int(facts[column, tables.COLUMN_START])
        values = arrays.arena[start : start + 200 * width].reshape(200, width)
        assert (values == np.arange(200, dtype=np.uint8)[:, None]).all()
    start = int(facts[4, tables.COLUMN_START])
    assert arrays.arena[start : start + 25].tolist() == list(range(25))


def test_a_column_that_grew_late_has_room_for_what_the_rows_so_far_promise() -> None:
    buffers = Buffers([TEXT, TEXT], text=False)
    for row in range(100):
        put_text(buffers, 1, row, b"x" * 40)
        put_text(buffers, 2, row, b"y")
    buffers.grow(1, 100)
    facts = buffers.arrays.facts
    assert facts[1, tables.COLUMN_LIMIT] - facts[1, tables.COLUMN_START] >= 40 * buffers.rows
    assert buffers.used_bytes(100) >= 4100


def test_an_emptied_batch_holds_nothing_of_the_one_before() -> None:
    buffers = Buffers([TEXT], text=False)
    put_text(buffers, 1, 0, b"one")
    put_text(buffers, 1, 2, b"two")
    buffers.seal(3)
    assert buffers.text(1, 3).to_pylist() == ["one", None, "two"]
    buffers.reset()
    put_text(buffers, 1, 1, b"three")
    buffers.seal(3)
    assert buffers.text(1, 3).to_pylist() == [None, "three", None]


@pytest.mark.parametrize("texts", [["a"], [None], ["", None, "x" * 10_000], [None, "é"]])
def test_other_texts_may_take_the_place_of_a_column(texts: list[str | None]) -> None:
    buffers = Buffers([TEXT, TEXT], text=True)
    for row, text in enumerate(texts):
        put_text(buffers, 2, row, b"beside")
        if text is not None:
            put_text(buffers, 1, row, b"before")
    buffers.seal(len(texts))
    buffers.replace_text(1, pa.array(texts, pa.string()))
    assert buffers.text(1, len(texts)).to_pylist() == texts
    assert buffers.text(2, len(texts)).to_pylist() == ["beside"] * len(texts)


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
        assert batch.buffers.text(2, 4).to_pylist() == ["7", None, None, "7"]
        assert batch.buffers.text(1, 4).to_pylist() == ["é" * 30, "é" * 30, None, "é" * 30]
        return
    rows = decode_rows(lines)
    assert rows[0] == rows[3]
    assert set(rows[2].values()) == {None}
    assert {name for name, value in rows[1].items() if value is not None} == set(sparse)


def test_a_batch_ends_when_it_holds_its_share_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers_module, "BATCH_BYTES", 4000)
    lines = lines_of(*[{"i": {"N": str(n)}, "d": {"N": f"{n}.5"}} for n in range(1000)])
    schema = schema_of(lines)
    decoder = Decoder(schema, wants=ConvertOptions().wants)
    found: list[object] = []
    sizes: list[int] = []
    for block in cut_blocks(lines, 5000):
        for batch in decoder.decode(block):
            sizes.append(batch.rows)
            found.extend(batch.to_arrow().column("i").to_pylist())
    for batch in decoder.finish():
        found.extend(batch.to_arrow().column("i").to_pylist())
    assert found == list(range(1000))
    assert len(sizes) > 3
    assert max(sizes) <= 4000 / 24
