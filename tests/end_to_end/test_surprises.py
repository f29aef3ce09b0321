"""What shows only in the last line of the last data file is in the output, and costs one more pass and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter import convert
from converter.conversion.run_plan import plan_shards
from converter.export.manifest import read_export
from converter.option_values import Format
from converter.options import ConvertOptions
from converter.storage import open_source
from converter.testing import ExportPaths
from tests.end_to_end.exports import (
    MIB,
    export_of,
    incompressible_lines,
    inflated_bytes,
    line,
    sha256_of,
    written_parts,
)
from tests.oracle import assert_equal_to_oracle

FORMATS: tuple[Format, ...] = ("parquet", "csv")
FIRST_BLOCKS = 3 * MIB
"""No more than this is read of three data files for their first blocks."""

LAST_LINES = {
    "an attribute": (line(id='{"S":"last"}', late='{"B":"AAE="}'), "late", "binary"),
    "a wider number": (line(id='{"S":"last"}', n='{"N":"-12345678901234567890.5"}'), "n", "decimal128(38, 2)"),
    "a number beyond decimals": (line(id='{"S":"last"}', n='{"N":"1' + "0" * 90 + '"}'), "n", "string"),
    "another type": (line(id='{"S":"last"}', n='{"S":"text"}'), "n", "string"),
    "a document": (line(id='{"S":"last"}', n='{"L":[{"N":"1.50"}]}'), "n", "string"),
}


def three_shards(bucket: Path, last: bytes | None = None) -> ExportPaths:
    """Three data files, each more than a block and a shard of its own, whose last line may be given."""
    # As few lines as two neighbors need so as not to share a shard: the oracle reads all of them.
    files = []
    for first, count, characters in ((0, 3_000, 400), (3_000, 22_100, 30), (25_100, 3_000, 400)):
        text = f'{{"S":"{"x" * characters}"}}'
        numbers = range(first, first + count)
        files.append([line(id=f'{{"S":"{n:07}"}}', n=f'{{"N":"{n % 997}"}}', text=text) for n in numbers])
    assert all(sum(map(len, lines)) > MIB for lines in files)
    if last is not None:
        files[-1].append(last)
    export = export_of(bucket, *files)
    assert len(plan_shards(read_export(open_source(str(export.folder))).files)) == 3
    return export


def large_files(bucket: Path, last: bytes | None = None) -> ExportPaths:
    """Three data files that are much longer than their first blocks, compressed too."""
    files = [list(incompressible_lines(2500, start=number * 2500)) for number in range(3)]
    if last is not None:
        files[-1].append(last)
    return export_of(bucket, *files)


@pytest.mark.parametrize(
    ("format", "surprise"),
    [*(("parquet", surprise) for surprise in LAST_LINES), ("csv", "an attribute"), ("csv", "a wider number")],
)
def test_what_first_appears_in_the_very_last_line_is_in_the_output(
    format: Format, surprise: str, tmp_path: Path
) -> None:
    last, column, type_ = LAST_LINES[surprise]
    export = three_shards(tmp_path, last)
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format=format))
    assert_equal_to_oracle(export.folder, written_parts(tmp_path / "out", report), format)
    assert {c.name: c.type for c in report.columns}[column] == type_
    # In CSV a wider number is more digits in the same column, which nothing has to be written again for.
    assert report.passes == (1 if (format, surprise) == ("csv", "a wider number") else 2)


def test_a_surprise_costs_one_more_reading_of_the_export(tmp_path: Path) -> None:
    export = large_files(tmp_path, LAST_LINES["an attribute"][0])
    report = convert(str(export.folder), str(tmp_path / "out"))
    assert report.passes == 2
    assert 2 * report.bytes_in < report.bytes_read <= 2 * report.bytes_in + FIRST_BLOCKS < 3 * report.bytes_in


def test_an_export_without_surprises_is_read_once(tmp_path: Path) -> None:
    export = large_files(tmp_path)
    report = convert(str(export.folder), str(tmp_path / "out"))
    assert report.passes == 1
    assert report.bytes_in == sum(path.stat().st_size for path in export.data_files)
    assert report.bytes_in < report.bytes_read <= report.bytes_in + FIRST_BLOCKS < 2 * report.bytes_in
    assert report.bytes_json == sum(map(inflated_bytes, export.data_files))


@pytest.mark.parametrize("surprise", [None, "an attribute"])
@pytest.mark.parametrize("format", FORMATS)
def test_the_number_of_workers_changes_no_byte(surprise: str | None, format: Format, tmp_path: Path) -> None:
    export = three_shards(tmp_path, LAST_LINES[surprise][0] if surprise else None)
    outcomes = []
    for workers in (1, 4):
        dest = tmp_path / f"out{workers}"
        report = convert(str(export.folder), str(dest), ConvertOptions(workers=workers, format=format))
        outcomes.append((report.parts, report.columns, report.items, sha256_of(written_parts(dest, report))))
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0][0]) == 3
    assert [part.sha256 for part in outcomes[0][0]] == outcomes[0][3]
