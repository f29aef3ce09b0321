"""Parquet's metadata: what Arrow and a reader by the specification find in headers and footers."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import Any

import pyarrow.parquet as pq
import pytest

from converter.schema.column_types import BOOL, DECIMALS, INT64, TIMESTAMP, Origin, parse_type
from converter.schema.columns import Column
from converter.version import VERSION
from converter.write.parquet_metadata import (
    COMPRESSIONS,
    MAGIC,
    RowGroup,
    encode_footer,
    encode_row_group,
)
from tests.unit.write.reading import read_footer
from tests.unit.write.structs import ColumnChunk, Statistics, chunk_struct

TYPES = ["string", "binary", "int64", "decimal128(38, 4)", "double", "bool", "date", "timestamp"]
COLUMNS = [Column(f"c {n}", f"c {n}", parse_type(type_), Origin.TEXT) for n, type_ in enumerate(TYPES)]
CHUNK = ColumnChunk(5, 7, 300, 200, None, 4, Statistics(2))


def metadata_of(columns: list[Column], groups: list[list[ColumnChunk]], compression: str = "none") -> Any:
    """What Arrow reads in a file of these groups, whose chunks are not there."""
    rows = sum(group[0].rows for group in groups)
    encoded = [encode_row_group(group_of(group, columns, compression)) for group in groups]
    data = MAGIC + bytes(1000) + encode_footer(tuple(columns), rows, encoded)
    read_footer(data)
    return pq.ParquetFile(BytesIO(data)).metadata


def group_of(group: list[ColumnChunk], columns: list[Column], compression: str = "none") -> RowGroup:
    """The row group of these chunks, as the kernel describes them."""
    structs = [
        chunk_struct(chunk, column, COMPRESSIONS[compression]) for chunk, column in zip(group, columns, strict=True)
    ]
    raw, packed = sum(chunk.uncompressed for chunk in group), sum(chunk.compressed for chunk in group)
    first = group[0].data_offset if group[0].dictionary_offset is None else group[0].dictionary_offset
    return RowGroup(len(group), b"".join(structs), group[0].rows, raw, packed, first)


def test_a_footer_has_a_column_of_its_type_for_each_column() -> None:
    metadata = metadata_of(COLUMNS, [])
    found = [metadata.schema.column(n) for n in range(len(COLUMNS))]
    assert [column.name for column in found] == [column.name for column in COLUMNS]
    assert [column.physical_type for column in found] == [
        "BYTE_ARRAY",
        "BYTE_ARRAY",
        "INT64",
        "FIXED_LEN_BYTE_ARRAY",
        "DOUBLE",
        "BOOLEAN",
        "INT32",
        "INT64",
    ]
    assert [column.converted_type for column in found] == [
        *("UTF8", "NONE", "NONE", "DECIMAL", "NONE", "NONE", "DATE", "TIMESTAMP_MICROS")
    ]
    logical = [str(column.logical_type) for column in found]
    assert logical[:-1] == ["String", "None", "None", "Decimal(precision=38, scale=4)", "None", "None", "Date"]
    assert logical[-1].startswith("Timestamp(isAdjustedToUTC=true, timeUnit=microseconds,")
    assert [(column.max_definition_level, column.max_repetition_level) for column in found] == [(1, 0)] * 8
    types = [str(field.type) for field in metadata.schema.to_arrow_schema()]
    assert types == [
        *("string", "binary", "int64", "decimal128(38, 4)", "double", "bool", "date32[day]", "timestamp[us, tz=UTC]")
    ]
    assert all(field.nullable for field in metadata.schema.to_arrow_schema())


@pytest.mark.parametrize("scale", [0, 1, 9, 37, 38])
def test_a_decimal_has_its_scale_for_readers_old_and_new(scale: int) -> None:
    column = Column("d", "d", DECIMALS[scale], Origin.NUMBER)
    metadata = metadata_of([column], [])
    found = metadata.schema.column(0)
    assert (found.length, found.precision, found.scale) == (16, 38, scale)
    assert str(metadata.schema.to_arrow_schema().field(0).type) == f"decimal128(38, {scale})"
    element = read_footer(MAGIC + encode_footer((column,), 0, []))[2][1]
    assert (element[7], element[8], element[10]) == (scale, 38, {5: {1: scale, 2: 38}})


def test_a_timestamp_is_one_in_utc_for_readers_old_and_new() -> None:
    element = read_footer(MAGIC + encode_footer((Column("t", "t", TIMESTAMP, Origin.TIME),), 0, []))[2][1]
    assert (element[1], element[6], element[10]) == (2, 10, {8: {1: True, 2: {2: {}}}})


@pytest.mark.parametrize("name", ["", "é", "a.b", "x" * 70_000, "a\nb", "\U0001f600"])
def test_any_name_may_be_a_columns(name: str) -> None:
    metadata = metadata_of([Column(name, name, INT64, Origin.NUMBER)], [[CHUNK]])
    assert metadata.schema.to_arrow_schema().names == [name]
    assert read_footer(MAGIC + encode_footer((Column(name, name, BOOL, Origin.BOOL),), 0, []))[2][1][4] == name.encode()


def test_a_file_says_who_has_made_it_and_how_many_rows_it_has() -> None:
    metadata = metadata_of(COLUMNS[2:3], [[CHUNK], [replace(CHUNK, rows=3)]])
    assert metadata.created_by == f"ddb-convert version {VERSION}"
    assert (metadata.num_rows, metadata.num_row_groups, metadata.num_columns) == (10, 2, 1)
    assert [metadata.row_group(n).num_rows for n in range(2)] == [7, 3]
    assert metadata.format_version.startswith("2")


def test_a_row_group_tells_of_each_chunk_where_it_is_and_how_it_is_stored() -> None:
    plain = ColumnChunk(7, 7, 300, 200, None, 4, Statistics(0, b"a", b"b"))
    indexed = ColumnChunk(8, 7, 90, 80, 204, 250, Statistics(0, b"a", b"b"))
    groups = [[plain, indexed], [replace(indexed, dictionary_offset=284), plain]]
    metadata = metadata_of(COLUMNS[:2], groups, "zstd")
    first, second = (metadata.row_group(0).column(n) for n in range(2))
    assert (first.path_in_schema, second.path_in_schema) == ("c 0", "c 1")
    assert (first.compression, first.num_values) == ("ZSTD", 7)
    assert (first.has_dictionary_page, second.has_dictionary_page) == (False, True)
    assert (first.data_page_offset, second.data_page_offset) == (4, 250)
    assert second.dictionary_page_offset == 204
    assert (first.total_uncompressed_size, first.total_compressed_size) == (300, 200)
    assert set(first.encodings) == {"DELTA_BYTE_ARRAY", "RLE"}
    assert set(second.encodings) == {"RLE_DICTIONARY", "RLE", "PLAIN"}
    assert metadata.row_group(0).total_byte_size == 390
    encoded = [encode_row_group(group_of(group, COLUMNS[:2])) for group in groups]
    data = MAGIC + encode_footer(tuple(COLUMNS[:2]), 14, encoded)
    read = read_footer(data)[4]
    assert [(group[2], group[3], group[5], group[6]) for group in read] == [(390, 7, 4, 280), (390, 7, 284, 280)]


@pytest.mark.parametrize(
    ("name", "shown"), [("none", "UNCOMPRESSED"), *((n, n.upper()) for n in COMPRESSIONS if n != "none")]
)
def test_every_compression_has_its_number(name: str, shown: str) -> None:
    metadata = metadata_of(COLUMNS[2:3], [[CHUNK]], name)
    assert metadata.row_group(0).column(0).compression == shown


@pytest.mark.parametrize(
    ("column", "least", "greatest", "expected"),
    [
        (COLUMNS[0], b"", "é".encode(), ("", "é")),
        (COLUMNS[1], b"\x00", b"\xff", (b"\x00", b"\xff")),
        (COLUMNS[2], (-(2**63)).to_bytes(8, "little", signed=True), (5).to_bytes(8, "little"), (-(2**63), 5)),
        (COLUMNS[5], b"\x00", b"\x01", (False, True)),
    ],
)
def test_readers_trust_the_statistics(column: Column, least: bytes, greatest: bytes, expected: Any) -> None:
    chunk = replace(CHUNK, encoding=0, statistics=Statistics(3, least, greatest))
    statistics = metadata_of([column], [[chunk]]).row_group(0).column(0).statistics
    assert statistics.has_min_max
    assert (statistics.min, statistics.max) == expected
    assert (statistics.null_count, statistics.num_values) == (3, 4)


def test_statistics_without_values_tell_the_nulls_alone() -> None:
    statistics = metadata_of(COLUMNS[2:3], [[CHUNK]]).row_group(0).column(0).statistics
    assert not statistics.has_min_max
    assert (statistics.has_null_count, statistics.null_count) == (True, 2)


def test_every_column_has_the_order_of_its_type() -> None:
    assert read_footer(MAGIC + encode_footer(tuple(COLUMNS), 0, []))[7] == [{1: {}}] * len(COLUMNS)
