"""Parquet's metadata: page headers and the footer, by https://github.com/apache/parquet-format (parquet.thrift)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from converter.schema.column_types import Fields
from converter.schema.columns import Column
from converter.version import VERSION
from converter.write.thrift import I64, Struct, encode_struct

MAGIC = b"PAR1"
_VERSION = 2
_OPTIONAL = 1
_NOTHING = encode_struct(())
# Values are ordered by their types. Without this statement readers do not trust statistics.
_TYPE_ORDER = encode_struct([(1, _NOTHING)])


class Encoding(IntEnum):
    """Encodings of the values of a page."""

    PLAIN = 0
    RLE = 3
    DELTA_BINARY_PACKED = 5
    DELTA_BYTE_ARRAY = 7
    RLE_DICTIONARY = 8


COMPRESSIONS = {"none": 0, "snappy": 1, "gzip": 2, "zstd": 6}
"""Parquet's numbers of the compressions."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Nulls of a column chunk, and its least and greatest value in the form of PLAIN, None if not known."""

    nulls: int
    least: bytes | None = None
    greatest: bytes | None = None


@dataclass(frozen=True, slots=True)
class ColumnChunk:
    """One column of one row group. Sizes are bytes with headers, offsets are in the file; dictionary may be None."""

    encoding: Encoding
    rows: int
    uncompressed: int
    compressed: int
    dictionary_offset: int | None
    data_offset: int
    statistics: Statistics


def data_page_header(rows: int, encoding: Encoding, uncompressed: int, compressed: int) -> bytes:
    """The header of a data page; sizes are bytes of the page without it."""
    page = encode_struct([(1, rows), (2, encoding), (3, Encoding.RLE), (4, Encoding.RLE)])
    return encode_struct([(1, 0), (2, uncompressed), (3, compressed), (5, page)])


def dictionary_page_header(entries: int, uncompressed: int, compressed: int) -> bytes:
    """The header of a dictionary page."""
    page = encode_struct([(1, entries), (2, Encoding.PLAIN)])
    return encode_struct([(1, 2), (2, uncompressed), (3, compressed), (7, page)])


def encode_row_group(chunks: Sequence[ColumnChunk], columns: Sequence[Column], compression: int) -> Struct:
    """A row group in the footer: its column chunks, in the order of the columns."""
    encoded = [
        encode_struct([(2, I64(0)), (3, _column_metadata(chunk, column, compression))])
        for chunk, column in zip(chunks, columns, strict=True)
    ]
    uncompressed = I64(sum(chunk.uncompressed for chunk in chunks))
    compressed = I64(sum(chunk.compressed for chunk in chunks))
    first = chunks[0]
    offset = I64(first.data_offset if first.dictionary_offset is None else first.dictionary_offset)
    return encode_struct([(1, encoded), (2, uncompressed), (3, I64(first.rows)), (5, offset), (6, compressed)])


def encode_footer(columns: Sequence[Column], rows: int, groups: Sequence[Struct]) -> bytes:
    """The end of a file: metadata, its length, and the magic."""
    root = encode_struct([(4, "schema"), (5, len(columns))])
    data = encode_struct(
        [
            (1, _VERSION),
            (2, [root, *map(_schema_element, columns)]),
            (3, I64(rows)),
            (4, groups),
            (6, f"ddb-convert version {VERSION}"),
            (7, [_TYPE_ORDER] * len(columns)),
        ]
    )
    return data + len(data).to_bytes(4, "little") + MAGIC


def _schema_element(column: Column) -> Struct:
    stored = column.type.parquet
    is_decimal = column.type.digits > 0
    return encode_struct(
        [
            (1, stored.physical),
            (2, stored.size),
            (3, _OPTIONAL),
            (4, column.name),
            (6, stored.converted),
            (7, column.type.scale if is_decimal else None),
            (8, column.type.digits if is_decimal else None),
            (10, _logical(stored.logical) if stored.logical else None),
        ]
    )


def _logical(fields: Fields) -> Struct:
    return encode_struct((number, _logical(value) if isinstance(value, tuple) else value) for number, value in fields)


def _column_metadata(chunk: ColumnChunk, column: Column, compression: int) -> Struct:
    seen = chunk.statistics
    exact = True if seen.least is not None else None
    statistics = encode_struct([(3, I64(seen.nulls)), (5, seen.greatest), (6, seen.least), (7, exact), (8, exact)])
    encodings = {chunk.encoding, Encoding.RLE}
    if chunk.dictionary_offset is not None:
        encodings.add(Encoding.PLAIN)
    return encode_struct(
        [
            (1, column.type.parquet.physical),
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
    )
