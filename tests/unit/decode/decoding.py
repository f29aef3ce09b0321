"""What the tests of decoding share: blocks as BlockReader gives them, and whole conversions of lines in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from converter.decode.batch import Batch
from converter.decode.buffers import Buffers
from converter.decode.change_translation import ChangeLines
from converter.decode.decoder import Decoder
from converter.decode.line_source import LineSource
from converter.decode.strict_changes import ChangeForm
from converter.decode.unknown_members import ItemLines
from converter.export.blocks import PADDING, Block
from converter.kernels import layout
from converter.options import ConvertOptions
from converter.schema.columns import Schema
from converter.schema.derive import derive_schema
from converter.schema.observe import Observation
from converter.testing import item_line
from converter.write.formats import open_part
from converter.write.parquet import ParquetPart
from converter.write.part import PartWriter

Bytes = NDArray[np.uint8]


def padded(data: bytes, padding: int = PADDING) -> Bytes:
    """The bytes with zeros behind them, as a block has them."""
    array = np.zeros(len(data) + padding, np.uint8)
    array[: len(data)] = np.frombuffer(data, np.uint8)
    return array


def make_block(data: bytes, byte: int = 0) -> Block:
    """A block of whole lines, with as many zeros behind it as BlockReader guarantees and not one more."""
    assert data.endswith(b"\n")
    return Block(padded(data), len(data), byte)


def cut_blocks(data: bytes, block_bytes: int = 1 << 20) -> Iterator[Block]:
    """Blocks of at most so many bytes, more only for a longer line."""
    begin = 0
    while begin < len(data):
        end = data.rfind(b"\n", begin, begin + block_bytes) + 1 or data.index(b"\n", begin) + 1
        yield make_block(data[begin:end], begin)
        begin = end


def lines_of(*items: Mapping[str, object]) -> bytes:
    """The items as the service writes them."""
    return b"".join(item_line(item) for item in items)


def everything(_: str) -> bool:
    """What a user without --select and --exclude wants."""
    return True


def lines_for(form: ChangeForm | None) -> LineSource:
    """The source of lines of an export."""
    return ItemLines() if form is None else ChangeLines(form)


def observe(data: bytes, block_bytes: int = 1 << 20, changes: ChangeForm | None = None) -> Observation:
    """What a decoder without a schema observes in these lines."""
    decoder = Decoder(None, wants=everything, lines=lines_for(changes))
    for block in cut_blocks(data, block_bytes):
        assert list(decoder.decode(block)) == []
    return decoder.observation()


def schema_of(data: bytes, **options: Any) -> Schema:
    """The schema that follows from these lines."""
    return derive_schema(observe(data), ConvertOptions(**options))


def decode_rows(data: bytes, block_bytes: int = 1 << 20, **options: Any) -> list[dict[str, object]]:
    """These lines' rows as Parquet holds them, converted with the schema that follows from all of them."""
    chosen = ConvertOptions(**options)
    schema = derive_schema(observe(data), chosen)
    decoder = Decoder(schema, wants=chosen.wants)
    rows = rows_of(schema, _batches(decoder, cut_blocks(data, block_bytes)))
    assert not decoder.observing, decoder.surprise
    return rows


def rows_of(schema: Schema, batches: Iterable[Batch]) -> list[dict[str, object]]:
    """The rows of these batches, written as Parquet and read back by Arrow."""
    sink = BytesIO()
    writer = ParquetPart(sink, schema, ConvertOptions(compression="none"))
    for batch in batches:
        writer.write(batch)
    writer.close()
    rows: list[dict[str, object]] = pq.ParquetFile(BytesIO(sink.getvalue())).read().to_pylist()
    return rows


def column_of(data: bytes, name: str, **options: Any) -> list[object]:
    """One column of `decode_rows`."""
    return [row[name] for row in decode_rows(data, **options)]


def write_part(
    data: bytes,
    path: Path,
    schema: Schema,
    options: ConvertOptions,
    block_bytes: int = 1 << 20,
    changes: ChangeForm | None = None,
) -> Decoder:
    """Convert these lines to one part at `path` and give the decoder that did it."""
    decoder = Decoder(schema, text=options.text, wants=options.wants, lines=lines_for(changes))
    with path.open("wb") as sink:
        writer = open_part(sink, schema, options)
        for batch in _batches(decoder, cut_blocks(data, block_bytes)):
            write_batch(writer, batch)
        writer.close()
    return decoder


def write_batch(writer: PartWriter, batch: Batch) -> None:
    """All rows of the batch, to one part."""
    row = 0
    while row < batch.rows:
        row = writer.write(batch, row)


def limit_rows(decoder: Decoder, rows: int) -> None:
    """Have the decoder make batches of so many rows."""
    decoder._batch_rows = rows
    decoder._state[layout.CAPACITY] = rows


def last_batch(decoder: Decoder) -> Batch:
    """The rows that a decoder still holds. Its generator must not go on: the batch would be emptied."""
    return next(decoder.finish())


def put_value(buffers: Buffers, column: int, row: int, value: bytes | int) -> None:
    """What the kernels do for a value: text, an integer (of a decimal its digits) or a bool."""
    while True:
        facts = buffers.arrays.facts[column]
        present, bits = int(facts[layout.COLUMN_PRESENT]), int(facts[layout.COLUMN_BITS])
        text = value if isinstance(value, bytes) else b""
        start = int(facts[layout.COLUMN_START] + facts[layout.COLUMN_USED])
        if present == facts[layout.COLUMN_ROOM]:
            buffers.grow(row)
        elif start + len(text) + layout.ROOM > facts[layout.COLUMN_LIMIT]:
            buffers.grow(row, column)
        else:
            break
    arena = buffers.arrays.arena
    if isinstance(value, bytes):
        assert not bits
        arena[start : start + len(text)] = np.frombuffer(text, np.uint8)
        buffers.arrays.lengths[int(facts[layout.COLUMN_LENGTHS]) + present] = len(text)
        facts[layout.COLUMN_USED] += len(text)
    elif bits == 1:
        at = start + (present >> 3)
        arena[at] = int(arena[at]) & ~(1 << (present & 7)) | value << (present & 7)
    else:
        at = start + present * bits // 8
        arena[at : at + bits // 8] = np.frombuffer(value.to_bytes(bits // 8, "little", signed=True), np.uint8)
    facts[layout.COLUMN_PRESENT] += 1
    buffers.arrays.validity[column, row >> 3] |= 1 << (row & 7)


def texts_of(buffers: Buffers, column: int, rows: int) -> list[str | None]:
    """A text column as its rows have it."""
    data = buffers.values(column).tobytes()
    ends = np.cumsum(buffers.lengths(column)).tolist()
    assert len(data) == (ends[-1] if ends else 0)
    texts = iter(data[begin:end].decode() for begin, end in zip([0, *ends], ends, strict=False))
    bits = np.unpackbits(buffers.arrays.validity[column], bitorder="little")
    assert not bits[rows:].any()
    found = [next(texts) if bit else None for bit in bits[:rows]]
    assert next(texts, None) is None
    return found


def _batches(decoder: Decoder, blocks: Iterable[Block]) -> Iterator[Batch]:
    for block in blocks:
        yield from decoder.decode(block)
    yield from decoder.finish()
