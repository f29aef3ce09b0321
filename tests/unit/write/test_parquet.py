"""Parquet parts: types, row groups, compression and statistics."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from converter.decode import tables
from converter.decode.decoder import Decoder
from converter.options import COMPRESSIONS, ConvertOptions
from converter.schema.types import Column, Origin, Schema
from converter.write.parquet import ParquetPart
from tests.unit.decode.decoding import everything, lines_of, make_block, schema_of, write_part

LINES = lines_of(*[{"k": {"N": str(n)}, "s": {"S": f"text {n}"}, "d": {"N": f"{n}.25"}} for n in range(20)])


def test_each_column_has_the_type_of_the_schema(tmp_path: Path) -> None:
    lines = lines_of(
        {"a": {"S": ""}, "b": {"N": "1.5"}, "c": {"BOOL": True}, "d": {"B": ""}, "e": {"L": []}, "f": {"N": "1"}}
    )
    write_part(lines, tmp_path / "part", schema_of(lines), ConvertOptions())
    found = pq.read_schema(tmp_path / "part")
    expected = ["string", "decimal128(38, 2)", "bool", "binary", "string", "int64"]
    assert [str(field.type) for field in found] == expected


@pytest.mark.parametrize("compression", COMPRESSIONS["parquet"])
def test_every_compression_holds_the_same_rows(compression: str, tmp_path: Path) -> None:
    write_part(LINES, tmp_path / "part", schema_of(LINES), ConvertOptions(compression=compression))
    file = pq.ParquetFile(tmp_path / "part")
    used = file.metadata.row_group(0).column(0).compression
    assert used == ("UNCOMPRESSED" if compression == "none" else compression.upper())
    assert file.read().column("k").to_pylist() == list(range(20))


def test_each_batch_is_one_row_group_with_statistics() -> None:
    sink = BytesIO()
    schema = schema_of(LINES)
    writer = ParquetPart(sink, schema, ConvertOptions())
    decoder = Decoder(schema, wants=everything)
    decoder._state[tables.CAPACITY] = 8
    for batch in decoder.decode(make_block(LINES)):
        writer.write(batch)
    for batch in decoder.finish():
        writer.write(batch)
    writer.close()
    assert (writer.rows, writer.bytes) == (20, len(sink.getvalue()))
    assert not sink.closed
    metadata = pq.ParquetFile(BytesIO(sink.getvalue())).metadata
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [8, 8, 4]
    statistics = metadata.row_group(1).column(metadata.schema.names.index("k")).statistics
    assert (statistics.min, statistics.max, statistics.null_count) == (8, 15, 0)


def test_a_part_without_rows_has_its_columns(tmp_path: Path) -> None:
    schema = Schema((Column("a", "a", "decimal128(38, 4)", Origin.NUMBER),))
    write_part(b"\n", tmp_path / "part", schema, ConvertOptions())
    table = pq.ParquetFile(tmp_path / "part").read()
    assert table.num_rows == 0
    assert str(table.schema.field("a").type) == "decimal128(38, 4)"


def test_what_is_null_in_the_buffers_never_reaches_the_file(tmp_path: Path) -> None:
    lines = lines_of({"s": {"S": "secret" * 50}, "n": {"N": "77"}})
    schema = schema_of(lines)
    sink = BytesIO()
    writer = ParquetPart(sink, schema, ConvertOptions(compression="none"))
    decoder = Decoder(schema, wants=everything)
    decoder._state[tables.CAPACITY] = 1
    batches = decoder.decode(make_block(lines + b'{"Item":{}}\n{"Item":{}}\n'))
    next(batches)
    for batch in batches:
        writer.write(batch)
    writer.close()
    assert writer.rows == 1
    assert b"secret" not in sink.getvalue()
