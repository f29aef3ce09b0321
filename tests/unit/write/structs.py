"""Structs of Parquet's metadata, made field by field: the kernels write the same bytes."""

from __future__ import annotations

from dataclasses import dataclass

from converter.schema.columns import Column
from converter.write.thrift import I64, Struct, ThriftValue, encode_struct

PLAIN, RLE = 0, 3


@dataclass(frozen=True)
class Statistics:
    """Nulls of a column chunk, and its least and greatest value in the form of PLAIN, None if not known."""

    nulls: int
    least: bytes | None = None
    greatest: bytes | None = None


@dataclass(frozen=True)
class ColumnChunk:
    """One column of one row group. Sizes are bytes with headers, offsets are in the file; dictionary may be None."""

    encoding: int
    rows: int
    uncompressed: int
    compressed: int
    dictionary_offset: int | None
    data_offset: int
    statistics: Statistics


def data_page_header(rows: int, encoding: int, uncompressed: int, compressed: int) -> bytes:
    """The header of a data page."""
    page = encode_struct([(1, rows), (2, encoding), (3, RLE), (4, RLE)])
    return encode_struct([(1, 0), (2, uncompressed), (3, compressed), (5, page)])


def dictionary_page_header(entries: int, uncompressed: int, compressed: int) -> bytes:
    """The header of a dictionary page."""
    page = encode_struct([(1, entries), (2, PLAIN)])
    return encode_struct([(1, 2), (2, uncompressed), (3, compressed), (7, page)])


def chunk_struct(chunk: ColumnChunk, column: Column, compression: int) -> Struct:
    """The struct ColumnChunk."""
    seen = chunk.statistics
    exact = True if seen.least is not None else None
    statistics = encode_struct([(3, I64(seen.nulls)), (5, seen.greatest), (6, seen.least), (7, exact), (8, exact)])
    encodings = {chunk.encoding, RLE}
    if chunk.dictionary_offset is not None:
        encodings.add(PLAIN)
    fields: list[tuple[int, ThriftValue | None]] = [
        (1, int(column.type.parquet.physical)),
        (2, sorted(encodings)),
        (3, [column.name]),
        (4, compression),
        (5, I64(chunk.rows)),
        (6, I64(chunk.uncompressed)),
        (7, I64(chunk.compressed)),
        (9, I64(chunk.data_offset)),
        (11, None if chunk.dictionary_offset is None else I64(chunk.dictionary_offset)),
        (12, statistics),
    ]
    return encode_struct([(2, I64(0)), (3, encode_struct(fields))])
