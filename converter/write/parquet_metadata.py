"""Parquet's metadata: the footer, by https://github.com/apache/parquet-format (parquet.thrift)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from converter.schema.column_types import Fields
from converter.schema.columns import Column
from converter.version import VERSION
from converter.write.thrift import I64, Struct, Structs, encode_struct

MAGIC = b"PAR1"
_VERSION = 2
_OPTIONAL = 1
_NOTHING = encode_struct(())
# Values are ordered by their types. Without this statement readers do not trust statistics.
_TYPE_ORDER = encode_struct([(1, _NOTHING)])


COMPRESSIONS = {"none": 0, "snappy": 1, "gzip": 2, "zstd": 6}
"""Parquet's numbers of the compressions."""


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A row group. columns: structs ColumnChunk, one after the other. Sizes are bytes with headers."""

    column_count: int
    columns: bytes
    rows: int
    uncompressed: int
    compressed: int
    offset: int


def encode_row_group(group: RowGroup) -> Struct:
    """A row group in the footer."""
    return encode_struct(
        [
            (1, Structs(group.column_count, group.columns)),
            (2, I64(group.uncompressed)),
            (3, I64(group.rows)),
            (5, I64(group.offset)),
            (6, I64(group.compressed)),
        ]
    )


def encode_footer(columns: tuple[Column, ...], rows: int, groups: Sequence[Struct]) -> bytes:
    """The end of a file: metadata, its length, and the magic."""
    root = encode_struct([(4, "schema"), (5, len(columns))])
    data = encode_struct(
        [
            (1, _VERSION),
            (2, Structs(len(columns) + 1, root + _schema_elements(columns))),
            (3, I64(rows)),
            (4, groups),
            (6, f"ddb-convert version {VERSION}"),
            (7, Structs(len(columns), _TYPE_ORDER * len(columns))),
        ]
    )
    return data + len(data).to_bytes(4, "little") + MAGIC


@lru_cache(maxsize=4)
def _schema_elements(columns: tuple[Column, ...]) -> bytes:
    """The columns in the schema, the same in each part of a conversion."""
    return b"".join(map(_schema_element, columns))


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
