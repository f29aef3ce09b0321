"""Parts: how many there are, in which order, how they are compressed, and what Parquet says of their contents."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from converter import Report, convert
from converter.decode import buffers
from converter.decode.buffers import BATCH_ROWS
from converter.errors import EmptyLineError, UsageError
from converter.option_values import Format
from converter.options import SMALLEST_PART, ConvertOptions, Numbers
from converter.testing import ExportPaths, item_line
from converter.write import csv
from fixtures.expect import export_folder
from tests.end_to_end.exports import MIB, export_of, line, small_lines, written_parts
from tests.oracle import assert_equal_to_oracle, read_csv_rows

ROWS = 2 * BATCH_ROWS + 17
FORMATS: tuple[Format, ...] = ("parquet", "csv")
BOTH: tuple[Format, ...] = (*FORMATS, "csv,parquet")


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> ExportPaths:
    """One data file with items for two full row groups and some."""
    return export_of(tmp_path_factory.mktemp("long"), small_lines(ROWS))


def ids_in(parts: list[Path]) -> list[str]:
    if parts[0].suffix == ".parquet":
        return [value for part in parts for value in pq.ParquetFile(part).read(["id"])["id"].to_pylist()]
    return [text.split(",")[0] for part in parts for text in part.read_text().splitlines()[1:]]


@pytest.mark.parametrize("format", FORMATS)
def test_a_part_is_closed_once_it_has_the_part_size(format: Format, long_file: ExportPaths, tmp_path: Path) -> None:
    report = convert(str(long_file.folder), str(tmp_path), ConvertOptions(format=format, part_size=SMALLEST_PART))
    parts = written_parts(tmp_path, report)
    if format == "parquet":
        assert [part.rows for part in report.parts] == [BATCH_ROWS, BATCH_ROWS, 17]
    else:
        assert [part.bytes // MIB for part in report.parts] == [1, 1, 0]
    assert all(part.bytes >= SMALLEST_PART for part in report.parts[:-1])
    assert [part.stat().st_size for part in parts] == [part.bytes for part in report.parts]
    # Who sorts the names has the rows in the manifest's order.
    assert parts == sorted(parts)
    assert parts == sorted(tmp_path.glob("dt=*/**/*.*"))
    assert ids_in(parts) == [f"i{number:07}" for number in range(ROWS)]


@pytest.mark.parametrize("numbers", ["exact", "double"])
@pytest.mark.parametrize("format", BOTH)
def test_threads_without_a_file_of_their_own_help_and_change_nothing(
    format: Format, numbers: Numbers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffers, "BATCH_ROWS", 50)
    monkeypatch.setattr(csv, "_OUT_BYTES", 1000)
    values = (f"{number}.{number:017}" for number in range(2000))
    export = export_of(
        tmp_path, [item_line({"id": {"S": "x" * (n % 70)}, "n": {"N": v}}) for n, v in enumerate(values)]
    )
    reports = []
    for workers in (1, 2, 5):
        options = ConvertOptions(format=format, numbers=numbers, part_size=SMALLEST_PART, workers=workers)
        reports.append(convert(str(export.folder), str(tmp_path / str(workers)), options))
    alone, *helped = reports
    assert len(alone.parts) > 1
    for report in helped:
        assert report.parts == alone.parts
        assert report.warnings == alone.warnings


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("format", ["csv", "csv,parquet"])
def test_an_empty_row_found_by_a_helping_thread_is_an_error_all_the_same(
    workers: int, format: Format, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffers, "BATCH_ROWS", 50)
    lines = [item_line({"only": {"S": "x"}} if number < 390 else {}) for number in range(400)]
    export = export_of(tmp_path, lines)
    with pytest.raises(EmptyLineError, match="select a second column"):
        convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format=format, workers=workers))
    assert not list(tmp_path.glob("out/**/*.csv*"))
    assert not list(tmp_path.glob("out/**/*.parquet*"))


@pytest.mark.parametrize("format", FORMATS)
def test_without_a_part_size_one_data_file_is_one_part(format: Format, long_file: ExportPaths, tmp_path: Path) -> None:
    report = convert(str(long_file.folder), str(tmp_path), ConvertOptions(format=format))
    assert [part.rows for part in report.parts] == [ROWS]
    assert ids_in(written_parts(tmp_path, report)) == [f"i{number:07}" for number in range(ROWS)]


@pytest.mark.parametrize("format", FORMATS)
def test_many_small_data_files_are_packed_into_one_part(format: Format, tmp_path: Path) -> None:
    export = export_of(tmp_path, *(list(small_lines(3, start=3 * number)) for number in range(40)), [], [])
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format=format))
    assert [part.rows for part in report.parts] == [120]
    assert_equal_to_oracle(export.folder, written_parts(tmp_path / "out", report), format)


@pytest.mark.parametrize("name", ["all-types", "orders"])
def test_the_compatible_encoding_has_the_same_rows_in_plain_values_and_dictionaries(name: str, tmp_path: Path) -> None:
    tables = {}
    for encoding in ("compact", "compatible"):
        options = ConvertOptions(encoding=encoding)
        report = convert(str(export_folder(name)), str(tmp_path / encoding), options)
        files = [pq.ParquetFile(part) for part in written_parts(tmp_path / encoding, report)]
        tables[encoding] = [file.read() for file in files]
        groups = [file.metadata.row_group(i) for file in files for i in range(file.metadata.num_row_groups)]
        chunks = [group.column(i) for group in groups for i in range(group.num_columns)]
        names = {encoding for chunk in chunks for encoding in chunk.encodings}
        assert (names <= {"PLAIN", "RLE", "RLE_DICTIONARY"}) == (encoding == "compatible")
    assert tables["compact"] == tables["compatible"]


@pytest.mark.parametrize("compression", ["zstd", "snappy", "gzip", "none"])
def test_parquet_is_compressed_as_asked_and_reads_back(compression: str, tmp_path: Path) -> None:
    export = export_of(tmp_path, small_lines(500))
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(compression=compression))
    [part] = written_parts(tmp_path / "out", report)
    group = pq.ParquetFile(part).metadata.row_group(0)
    expected = {"none": "UNCOMPRESSED"}.get(compression, compression.upper())
    assert {group.column(i).compression for i in range(group.num_columns)} == {expected}
    assert_equal_to_oracle(export.folder, [part], "parquet")


def test_parquet_is_compressed_with_zstd_unless_told_otherwise(tmp_path: Path) -> None:
    export = export_of(tmp_path, small_lines(5))
    report = convert(str(export.folder), str(tmp_path / "out"))
    [part] = written_parts(tmp_path / "out", report)
    assert pq.ParquetFile(part).metadata.row_group(0).column(0).compression == "ZSTD"
    assert report.compression == "zstd"


def test_row_groups_have_statistics_for_readers_to_skip_by(long_file: ExportPaths, tmp_path: Path) -> None:
    report = convert(str(long_file.folder), str(tmp_path))
    [part] = written_parts(tmp_path, report)
    metadata = pq.ParquetFile(part).metadata
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    assert [group.num_rows for group in groups] == [BATCH_ROWS, BATCH_ROWS, 17]
    first, second, third = [group.column(0).statistics for group in groups]
    assert (first.min, first.max, first.null_count) == ("i0000000", f"i{BATCH_ROWS - 1:07}", 0)
    assert (second.min, third.max) == (f"i{BATCH_ROWS:07}", f"i{ROWS - 1:07}")
    assert all(group.column(i).is_stats_set for group in groups for i in range(2))


def test_gzipped_csv_is_the_plain_csv_compressed(long_file: ExportPaths, tmp_path: Path) -> None:
    found = {}
    for compression in ("none", "gzip"):
        dest = tmp_path / compression
        report = convert(str(long_file.folder), str(dest), ConvertOptions(format="csv", compression=compression))
        [found[compression]] = written_parts(dest, report)
    assert [path.name.partition(".")[2] for path in found.values()] == ["csv", "csv.gz"]
    plain = found["none"].read_bytes()
    assert gzip.decompress(found["gzip"].read_bytes()) == plain
    assert found["gzip"].stat().st_size < len(plain) / 3


def test_every_csv_part_begins_with_the_header(long_file: ExportPaths, tmp_path: Path) -> None:
    report = convert(str(long_file.folder), str(tmp_path), ConvertOptions(format="csv", part_size=SMALLEST_PART))
    parts = written_parts(tmp_path, report)
    assert len(parts) == 3
    assert {part.read_bytes().split(b"\n", 1)[0] for part in parts} == {b"id,n"}


def test_another_part_size_is_no_other_output_unless_it_is_to_be_replaced(
    long_file: ExportPaths, tmp_path: Path
) -> None:
    def run(**options: Any) -> Report:
        return convert(long_file.folder, tmp_path, ConvertOptions(format="csv", **options))

    assert len(run(part_size=SMALLEST_PART).parts) == 3
    (path,) = (tmp_path / "_exports").glob("*.json")
    record = json.loads(path.read_text())
    assert record["options"]["part_size"] == SMALLEST_PART
    # A version that compared part sizes had them in the hash.
    record["optionsHash"] = "0" * 64
    path.write_text(json.dumps(record))
    for options in ({}, {"part_size": SMALLEST_PART}, {"part_size": MIB, "dry_run": True}):
        report = run(**options)
        assert (report.status, len(report.parts)) == ("unchanged", 3)
    with pytest.raises(UsageError) as caught:
        run(numbers="text", part_size=MIB)
    assert "(--numbers: exact → text)" in caught.value.what
    assert len(run(replace=True).parts) == 1
    assert run(replace=True).status == "unchanged"


def test_equal_runs_write_equal_bytes_at_other_places_and_times(tmp_path: Path) -> None:
    export = export_of(tmp_path, small_lines(700), small_lines(5))
    for options in (ConvertOptions(), ConvertOptions(format="csv", compression="gzip")):
        reports = [convert(str(export.folder), str(tmp_path / f"{options.format}{n}"), options) for n in range(2)]
        assert reports[0].parts == reports[1].parts


def test_a_csv_cell_keeps_what_a_reader_could_trip_over(tmp_path: Path) -> None:
    texts = {'"a,b"': "a,b", '"say \\"hi\\""': 'say "hi"', '"two\\nlines"': "two\nlines", '""': "", '"\\r"': "\r"}
    lines = [line(id=f'{{"S":"{number}"}}', text=f'{{"S":{text}}}') for number, text in enumerate(texts)]
    export = export_of(tmp_path, [*lines, line(id='{"S":"null"}', text='{"NULL":true}')])
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format="csv"))
    _, rows = read_csv_rows(written_parts(tmp_path / "out", report))
    assert [row[1] for row in rows] == [*texts.values(), None]
