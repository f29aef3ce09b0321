"""Column chunks: every reader finds the values, statistics are those that Python computes, pages have their size."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.option_values import Encoding
from converter.options import ConvertOptions
from converter.schema.column_types import Origin, parse_type
from converter.schema.columns import Column, Schema
from converter.write import column_chunk
from converter.write.parquet import ParquetPart
from tests.examples import examples
from tests.times import EPOCH
from tests.unit.write.columns import (
    ENCODINGS,
    ROW_COUNTS,
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

PLAIN, DICTIONARY = 0, 8
OTHER_ENCODINGS = {"string": 7, "binary": 7, "int64": 5, "bool": PLAIN, "double": PLAIN, "decimal128(38, 7)": PLAIN}


def chunks_of(data: bytes, column: int = 0) -> list[dict[int, Any]]:
    """The metadata of one column's chunks."""
    return [group[1][column][3] for group in read_footer(data)[4]]


def assert_read(data: bytes, *columns: Cells) -> None:
    """Every reader finds these columns."""
    for reader, found in read_by_all(data).items():
        assert found == list(columns), reader


def assert_statistics(column: Column, values: Cells, chunk: dict[int, Any]) -> None:
    """The chunk's statistics are those of the values."""
    statistics = chunk[12]
    present = [value for value in values if value is not None]
    assert chunk[5] == len(values)
    assert statistics[3] == len(values) - len(present)
    if not present:
        assert statistics.keys() == {3}
        return
    # Python orders texts by code point, as UTF-8 does.
    assert statistics[5] == plain(column, max(present))
    assert statistics[6] == plain(column, min(present))
    assert statistics[7] is statistics[8] is True


@pytest.mark.parametrize("type_", TYPES)
@settings(max_examples=examples(40))
@given(data=st.data(), page=st.sampled_from([64, 500, 1 << 20]), encoding=st.sampled_from(ENCODINGS))
def test_every_reader_finds_the_values_and_statistics_are_theirs(
    type_: str, data: st.DataObject, page: int, encoding: Encoding
) -> None:
    column = column_of_type(type_)
    values = data.draw(cells(type_))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(column_chunk, "_PAGE_BYTES", page)
        file = parquet_of([column], [values], encoding=encoding)
    assert_read(file, values)
    (chunk,) = chunks_of(file)
    assert_statistics(column, values, chunk)
    pages = pages_of(file, chunk)
    assert sum(page.values for page in pages if page.kind == 0) == len(values)


@settings(max_examples=examples(40))
@given(
    data=st.data(),
    rows=st.sampled_from(ROW_COUNTS),
    compression=st.sampled_from(["none", "snappy", "gzip", "zstd"]),
    encoding=st.sampled_from(ENCODINGS),
)
def test_columns_of_all_types_stand_side_by_side_in_every_compression(
    data: st.DataObject, rows: int, compression: str, encoding: Encoding
) -> None:
    columns = [column_of_type(type_, f"c{n}") for n, type_ in enumerate(TYPES)]
    values = [data.draw(cells(type_, rows)) for type_ in TYPES]
    file = parquet_of(columns, values, compression=compression, encoding=encoding)
    assert_read(file, *values)
    for index, column in enumerate(columns):
        (chunk,) = chunks_of(file, index)
        assert_statistics(column, values[index], chunk)


ADDED: list[tuple[str, int | str]] = [
    ("string", ""),
    ("string", "01701065507109-cce6a3f8"),
    ("string", "é" * 40),
    ("int64", -(2**63)),
    ("int64", 1701065507),
    ("timestamp", 1701065507109000),
]


@pytest.mark.parametrize(
    ("rows", "compression"),
    [*product([1, 7, 64, 127, 128, 8191], ["none", "snappy", "gzip", "zstd"]), (100_000, "gzip")],
)
def test_an_added_column_has_its_value_in_every_row_and_takes_next_to_nothing(rows: int, compression: str) -> None:
    columns = [Column(f"c{n}", None, parse_type(type_), Origin.ADDED) for n, (type_, _) in enumerate(ADDED)]
    first = column_of_type("bool", "first")
    sink = BytesIO()
    part = ParquetPart(sink, Schema((first, *columns)), ConvertOptions(compression=compression))
    batch = batch_of([first, *columns], [[True] * rows, *([None] * rows for _ in columns)])
    part.write(replace(batch, added={column.name: value for column, (_, value) in zip(columns, ADDED, strict=True)}))
    part.close()
    data = sink.getvalue()
    values: Cells = [
        EPOCH + timedelta(microseconds=value) if type_ == "timestamp" and isinstance(value, int) else value
        for type_, value in ADDED
    ]
    assert_read(data, [True] * rows, *([value] * rows for value in values))
    for index, (column, value) in enumerate(zip(columns, values, strict=True), 1):
        (chunk,) = chunks_of(data, index)
        assert_statistics(column, [value] * rows, chunk)
        assert [page.kind for page in pages_of(data, chunk)] == [2, 0]
    assert len(data) < 16_000


@pytest.mark.parametrize("scale", range(39))
def test_decimals_of_every_scale_are_exact_to_their_last_digit(scale: int) -> None:
    column = column_of_type(f"decimal128(38, {scale})")
    digits = ["9" * 38, "1" + "0" * 37, "1", "12345678901234567890", "18446744073709551616", "9223372036854775808"]
    values: Cells = [Decimal(f"{sign}{number}E-{scale}") for number in digits for sign in ("", "-")]
    values += [None, Decimal(f"0E-{scale}")]
    file = parquet_of([column], [values])
    assert_read(file, values)
    assert_statistics(column, values, chunks_of(file)[0])


@pytest.mark.parametrize("rows", ROW_COUNTS)
@pytest.mark.parametrize("step", [1, 2**40, 2**63 - 1, -(2**62)])
def test_integers_are_exact_whatever_lies_between_them(rows: int, step: int) -> None:
    values: Cells = [(number * step + 2**63) % 2**64 - 2**63 for number in range(rows)]
    file = parquet_of([column_of_type("int64")], [values])
    assert_read(file, values)


@pytest.mark.parametrize("nulls", ["none", "half"])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("type_", OTHER_ENCODINGS)
def test_values_that_repeat_have_a_dictionary_and_others_none(type_: str, encoding: Encoding, nulls: str) -> None:
    column = column_of_type(type_)
    makers: dict[str, Any] = {
        "string": str,
        "binary": lambda number: bytes([number % 256, number // 256]),
        "decimal128(38, 7)": lambda number: Decimal(-number).scaleb(-7),
        "double": float,
        "bool": lambda number: number % 3 == 0,
    }
    make = makers.get(type_, int)
    many: Cells = [make(number) for number in range(2000)]
    few: Cells = [make(number % 150) for number in range(2000)]
    if nulls == "half":
        many[::2] = few[::2] = [None] * 1000
    for values, repeats in ((many, False), (few, type_ not in ("bool", "double"))):
        file = parquet_of([column], [values], encoding=encoding)
        assert_read(file, values)
        (chunk,) = chunks_of(file)
        assert (11 in chunk) == repeats
        pages = pages_of(file, chunk)
        assert [page.kind for page in pages] == ([2, 0] if repeats else [0])
        other = PLAIN if encoding == "compatible" else OTHER_ENCODINGS[type_]
        assert pages[-1].encoding == (DICTIONARY if repeats else other)
        if repeats:
            different = {plain(column, value) for value in values if value is not None}
            assert (pages[0].values, pages[0].encoding) == (len(different), PLAIN)
            assert all(pages[0].data.count(value) for value in different)
        assert_statistics(column, values, chunk)


def test_a_column_of_one_value_has_a_dictionary_of_one() -> None:
    for values in (["x"] * 500, [7] * 500, ["x", None] * 250, [7]):
        column = column_of_type("int64" if 7 in values else "string")
        file = parquet_of([column], [list(values)])
        assert_read(file, list(values))
        pages = pages_of(file, chunks_of(file)[0])
        assert [(page.kind, page.values) for page in pages] == [(2, 1), (0, len(values))]


def test_values_that_stop_repeating_too_late_to_be_foreseen_lose_their_dictionary() -> None:
    entries = column_chunk._MOST_ENTRIES
    values: Cells = ["same"] * 10_000 + [f"text {number}" for number in range(entries)]
    file = parquet_of([column_of_type("string")], [values])
    assert_read(file, values)
    (chunk,) = chunks_of(file)
    assert 11 not in chunk
    assert_statistics(column_of_type("string"), values, chunk)
    file = parquet_of([column_of_type("string")], [values[:-1]])
    assert_read(file, values[:-1])
    assert pages_of(file, chunks_of(file)[0])[0].values == entries


def test_a_dictionary_that_would_be_too_large_is_none() -> None:
    values: Cells = [str(number % 20) * 100_000 for number in range(400)]
    file = parquet_of([column_of_type("string")], [values])
    assert 11 not in chunks_of(file)[0]
    assert_read(file, values)


@pytest.mark.parametrize("type_", [type_ for type_ in TYPES if type_ != "bool"])
def test_a_chunk_has_as_many_pages_as_its_values_fill(type_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_chunk, "_PAGE_BYTES", 1000)
    makers: dict[str, Any] = {
        "string": "{:016}".format,
        "binary": lambda n: b"%016d" % n,
        "int64": int,
        "timestamp": lambda n: EPOCH + timedelta(microseconds=n),
        "date": lambda n: date.fromordinal(n + 1),
        "double": float,
    }
    values: Cells = [makers.get(type_, lambda n: Decimal(n).scaleb(-38))(number) for number in range(1000)]
    if type_.startswith("decimal128"):
        values = [Decimal(number).scaleb(-parse_type(type_).scale) for number in range(1000)]
    values[500:700] = [None] * 200
    file = parquet_of([column_of_type(type_)], [values])
    assert_read(file, values)
    pages = pages_of(file, chunks_of(file)[0])
    assert all(page.kind == 0 for page in pages)
    size = 8 if type_ in ("int64", "timestamp", "double") else 4 if type_ == "date" else 16
    assert len(pages) == -(-800 * size // 1024)
    assert sum(page.values for page in pages) == 1000
    assert_statistics(column_of_type(type_), values, chunks_of(file)[0])


@pytest.mark.parametrize("type_", ["string", "binary"])
@pytest.mark.parametrize("size", [999, 1000, 5000, 300_000])
def test_values_longer_than_a_page_are_whole(type_: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_chunk, "_PAGE_BYTES", 1000)
    texts: Cells = ["", "a" * size, None, "", *(str(number) * size for number in range(20)), "z"]
    values = texts if type_ == "string" else [text if text is None else text.encode() for text in texts]
    file = parquet_of([column_of_type(type_)], [values])
    assert_read(file, values)


@pytest.mark.parametrize("values", [[""], ["", None], ["", "a"], [""] * 200, [None, ""] * 100, ["a", ""] * 3])
def test_empty_texts_are_no_nulls(values: Cells) -> None:
    file = parquet_of([column_of_type("string")], [values])
    assert_read(file, values)
    assert_statistics(column_of_type("string"), values, chunks_of(file)[0])


@pytest.mark.parametrize(
    ("type_", "rows"), [*(("string", rows) for rows in ROW_COUNTS), *((type_, 33) for type_ in TYPES[1:])]
)
def test_a_column_without_values_is_null(type_: str, rows: int) -> None:
    file = parquet_of([column_of_type(type_)], [[None] * rows])
    assert_read(file, [None] * rows)
    (chunk,) = chunks_of(file)
    assert chunk[12] == {3: rows}
    assert chunk[7] < 60


@pytest.mark.parametrize("long", ["least", "greatest", "neither"])
@pytest.mark.parametrize("repeats", [False, True])
def test_texts_over_4096_bytes_are_no_statistics(long: str, repeats: bool) -> None:
    texts: Cells = ["b" * 4096, "é" * 2048, "m"] * (20 if repeats else 1)
    if long != "neither":
        texts.append("A" * 4097 if long == "least" else "漢" * 1366)
    file = parquet_of([column_of_type("string")], [texts])
    (chunk,) = chunks_of(file)
    assert (11 in chunk) == repeats
    if long == "neither":
        assert_statistics(column_of_type("string"), texts, chunk)
    else:
        assert chunk[12] == {3: 0}
    assert_read(file, texts)


@pytest.mark.parametrize("at", range(20))
def test_texts_that_begin_alike_are_ordered_by_their_first_difference(at: int) -> None:
    base = "x" * 20
    texts: Cells = [
        base,
        base[:at],
        base[:at] + "\x00" + base[at:],
        base[:at] + "\xff",
        base[:at] + "\U0001f600",
        base[1:],
    ]
    for values in (texts, texts[::-1], [*texts[3:], *texts[:3]]):
        file = parquet_of([column_of_type("string")], [values])
        assert_statistics(column_of_type("string"), values, chunks_of(file)[0])


@given(st.lists(st.binary(max_size=12).map(lambda data: b"x" * 6 + data), min_size=1, max_size=40))
def test_binaries_are_ordered_byte_by_byte(values: list[bytes]) -> None:
    file = parquet_of([column_of_type("binary")], [list(values)])
    assert_statistics(column_of_type("binary"), list(values), chunks_of(file)[0])
