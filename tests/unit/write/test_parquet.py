"""Parquet parts: types, row groups, compression and statistics."""

from __future__ import annotations

import gc
import weakref
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.decode.decoder import Decoder
from converter.kernels import layout
from converter.option_values import COMPRESSIONS, Encoding
from converter.options import ConvertOptions
from converter.schema.column_types import DECIMALS, Origin, parse_type
from converter.schema.columns import Column, Schema
from converter.write.parquet import ParquetPart
from tests.examples import examples
from tests.times import EPOCH
from tests.unit.decode.decoding import everything, limit_rows, lines_of, make_block, schema_of, write_part
from tests.unit.write.columns import (
    ENCODINGS,
    TYPES,
    Cells,
    batch_of,
    cells,
    column_of_type,
    parquet_of,
    plain,
    read_by_all,
)
from tests.unit.write.reading import pages_of, read_footer

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
    limit_rows(decoder, 8)
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
    schema = Schema((Column("a", "a", DECIMALS[4], Origin.NUMBER),))
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
    limit_rows(decoder, 1)
    batches = decoder.decode(make_block(lines + b'{"Item":{}}\n{"Item":{}}\n'))
    next(batches)
    for batch in batches:
        writer.write(batch)
    writer.close()
    assert writer.rows == 1
    assert b"secret" not in sink.getvalue()


GROUPS = st.lists(st.integers(1, 200), min_size=1, max_size=4)


@pytest.mark.slow
@settings(max_examples=examples(30))
@given(
    data=st.data(),
    sizes=GROUPS,
    compression=st.sampled_from(COMPRESSIONS["parquet"]),
    encoding=st.sampled_from(ENCODINGS),
)
def test_every_reader_finds_the_rows_of_all_row_groups(
    data: st.DataObject, sizes: list[int], compression: str, encoding: Encoding
) -> None:
    columns = [column_of_type(type_, f"c{n}") for n, type_ in enumerate(TYPES)]
    groups = [[data.draw(cells(type_, rows)) for type_ in TYPES] for rows in sizes]
    file = parquet_of(columns, *groups, compression=compression, encoding=encoding)
    whole: list[Cells] = [[] for _ in columns]
    for group in groups:
        for column, values in zip(whole, group, strict=True):
            column.extend(values)
    for reader, found in read_by_all(file).items():
        assert found == whole, reader
    metadata = pq.ParquetFile(BytesIO(file)).metadata
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == sizes


@pytest.mark.parametrize("type_", TYPES)
def test_each_row_group_has_the_statistics_of_its_own_rows(type_: str) -> None:
    first, second, third = (column_values(type_, number) for number in (500, 3, 40))
    file = parquet_of([column_of_type(type_)], [first], [second], [[None] * 9], [third])
    chunks = [group[1][0][3] for group in read_footer(file)[4]]
    for chunk, values in zip(chunks, (first, second, [], third), strict=True):
        edges = [plain(column_of_type(type_), edge(values)) for edge in (max, min) if values]
        assert [chunk[12][field] for field in (5, 6) if field in chunk[12]] == edges


def column_values(type_: str, count: int) -> Cells:
    """Values of this type that are different, as far as there are so many."""
    makers: dict[str, Any] = {
        "string": str,
        "binary": lambda number: number.to_bytes(3, "big"),
        "int64": lambda number: number - 20,
        "timestamp": lambda number: EPOCH + timedelta(microseconds=number - 20),
        "date": lambda number: date(1970, 1, 1) + timedelta(days=number - 20),
        "bool": lambda number: number == 400,
        "double": lambda number: number - 0.5,
    }
    scale = parse_type(type_).scale
    return [makers.get(type_, lambda n: Decimal(n - 20).scaleb(-scale))(number) for number in range(count)]


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("rows", [1, 3, 8, 9])
def test_nothing_of_an_earlier_batch_is_in_a_row_group(type_: str, rows: int) -> None:
    column = column_of_type(type_)
    earlier: Cells = [True] * 24 if type_ == "bool" else column_values(type_, 60)[-24:]
    later: Cells = [False] * rows if type_ == "bool" else column_values(type_, rows)
    alone, behind = parquet_of([column], [later]), parquet_of([column], [earlier], [later])
    pages = [pages_of(data, read_footer(data)[4][-1][1][0][3]) for data in (alone, behind)]
    assert pages[0] == pages[1]
    if type_ == "bool":
        # Length of the levels, a run of ones, then a bit for each value and none set beside them.
        assert pages[1][0].data[4 + 2 :] == bytes(-(-rows // 8))


@pytest.mark.parametrize("numbers", ["exact", "double"])
def test_the_same_rows_have_the_same_bytes_whatever_the_buffers_held_before(numbers: str) -> None:
    item = {"b": {"BOOL": False}, "n": {"N": "7"}, "s": {"S": "x"}, "d": {"N": "0.5"}, "j": {"L": []}}
    other = {"b": {"BOOL": True}, "n": {"N": "-1"}, "s": {"S": "secret"}, "d": {"N": "-0.1"}, "j": {"L": [{"N": "1"}]}}
    schema = schema_of(lines_of(item, other), numbers=numbers)
    files = []
    for before in ([], [other] * 40):
        decoder = Decoder(schema, wants=everything)
        limit_rows(decoder, 40)
        for _ in decoder.decode(make_block(lines_of(*before, {"n": {"N": "1"}}))):
            pass
        decoder._buffers.reset()
        decoder._state[layout.ROW] = 0
        sink = BytesIO()
        writer = ParquetPart(sink, schema, ConvertOptions(compression="none"))
        list(decoder.decode(make_block(lines_of(item, item, item))))
        for batch in decoder.finish():
            writer.write(batch)
        writer.close()
        files.append(sink.getvalue())
    assert files[0] == files[1]


@pytest.mark.parametrize("type_", TYPES)
def test_readers_that_skip_row_groups_by_their_statistics_find_every_row(type_: str, tmp_path: Path) -> None:
    values = column_values(type_, 60)
    groups = [values[:20], values[20:40], [None] * 5, values[40:], [None, *values[::7]]]
    data = parquet_of([column_of_type(type_)], *([group] for group in groups))
    (tmp_path / "part").write_bytes(data)
    whole = [value for group in groups for value in group if value is not None]
    for value in (values[0], values[25], values[59]):
        equal, beyond = (sorted(filter(keep, whole)) for keep in (value.__eq__, value.__lt__))
        for condition, expected in (("=", equal), (">", beyond)):
            query = f"select a from read_parquet(?) where a {condition} ?"
            with duckdb.connect() as connection:
                connection.execute("set TimeZone = 'UTC'")
                rows = connection.execute(query, [str(tmp_path / "part"), value]).fetchall()
            assert sorted(row[0] for row in rows) == expected
            frame = pl.scan_parquet(tmp_path / "part")
            found = frame.filter(pl.col("a") == value if condition == "=" else pl.col("a") > value).collect()
            assert sorted(found["a"].to_list()) == expected
            table = pq.read_table(tmp_path / "part", filters=[("a", condition, value)])
            assert sorted(table.column("a").to_pylist()) == expected


def test_a_part_of_no_rows_is_read_by_all() -> None:
    for found in read_by_all(parquet_of([column_of_type(type_, type_) for type_ in TYPES])).values():
        assert all(column == [] for column in found)


def test_a_part_counts_its_bytes_as_it_goes() -> None:
    columns = [column_of_type("string")]
    sink = BytesIO()
    part = ParquetPart(sink, Schema(tuple(columns)), ConvertOptions())
    assert (part.rows, part.bytes, sink.getvalue()) == (0, 0, b"")
    for number in range(1, 4):
        part.write(batch_of(columns, [["x", None]]))
        assert (part.rows, part.bytes) == (2 * number, len(sink.getvalue()))
    part.close()
    assert part.bytes == len(sink.getvalue())


def test_hundreds_of_columns_that_hardly_have_values_take_little() -> None:
    columns = [column_of_type(TYPES[n % len(TYPES)], f"c{n}") for n in range(400)]
    values: list[Cells] = [[None] * 1000 for _ in columns]
    for number, column in enumerate(values):
        column[number] = column_values(TYPES[number % len(TYPES)], 1)[0]
    file = parquet_of(columns, values)
    for reader, found in read_by_all(file).items():
        assert found == values, reader
    chunks = [chunk[3] for chunk in read_footer(file)[4][0][1]]
    assert max(chunk[7] for chunk in chunks) < 150


def test_a_part_that_is_done_with_lets_go_of_its_memory_at_once() -> None:
    # The command collects cycles rarely: held until then, the buffers of all shards so far would add up.
    gc.disable()
    try:
        decoder = Decoder(schema_of(LINES), wants=everything)
        list(decoder.decode(make_block(LINES)))
        writer = ParquetPart(BytesIO(), schema_of(LINES), ConvertOptions())
        for batch in decoder.finish():
            writer.write(batch)
            buffers = weakref.ref(batch.buffers.arrays.arena)
        writer.close()
        del batch, decoder, writer
        assert buffers() is None
    finally:
        gc.enable()
