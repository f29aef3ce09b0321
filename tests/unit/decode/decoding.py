"""What the tests of decoding share: blocks as BlockReader gives them, and whole conversions of lines in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converter.decode.decoder import Batch, Decoder
from converter.export.blocks import PADDING, Block
from converter.options import ConvertOptions
from converter.schema.derive import derive_schema
from converter.schema.observe import Observation
from converter.schema.types import Schema
from converter.testing import item_line
from converter.write.formats import open_part

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


def observe(data: bytes, block_bytes: int = 1 << 20) -> Observation:
    """What a decoder without a schema observes in these lines."""
    decoder = Decoder(None, wants=everything)
    for block in cut_blocks(data, block_bytes):
        assert list(decoder.decode(block)) == []
    return decoder.observation()


def schema_of(data: bytes, **options: Any) -> Schema:
    """The schema that follows from these lines."""
    return derive_schema(observe(data), ConvertOptions(**options))


def decode_rows(data: bytes, block_bytes: int = 1 << 20, **options: Any) -> list[dict[str, object]]:
    """These lines' rows as Parquet would hold them, converted with the schema that follows from all of them."""
    chosen = ConvertOptions(**options)
    schema = derive_schema(observe(data), chosen)
    decoder = Decoder(schema, wants=chosen.wants)
    rows: list[dict[str, object]] = []
    for block in cut_blocks(data, block_bytes):
        for batch in decoder.decode(block):
            rows.extend(batch.to_arrow().to_pylist())
    for batch in decoder.finish():
        rows.extend(batch.to_arrow().to_pylist())
    assert not decoder.observing, decoder.surprise
    return rows


def column_of(data: bytes, name: str, **options: Any) -> list[object]:
    """One column of `decode_rows`."""
    return [row[name] for row in decode_rows(data, **options)]


def write_part(data: bytes, path: Path, schema: Schema, options: ConvertOptions, block_bytes: int = 1 << 20) -> Decoder:
    """Convert these lines to one part at `path` and give the decoder that did it."""
    decoder = Decoder(schema, text=options.format == "csv", wants=options.wants)
    with path.open("wb") as sink:
        writer = open_part(sink, schema, options)
        for batch in _batches(decoder, cut_blocks(data, block_bytes)):
            writer.write(batch)
        writer.close()
    return decoder


def last_batch(decoder: Decoder) -> Batch:
    """The rows that a decoder still holds. Its generator must not go on: the batch would be emptied."""
    return next(decoder.finish())


def _batches(decoder: Decoder, blocks: Iterable[Block]) -> Iterator[Batch]:
    for block in blocks:
        yield from decoder.decode(block)
    yield from decoder.finish()
