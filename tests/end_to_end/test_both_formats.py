"""Both formats in one pass: each exactly as it is alone, with one record, which scans read once."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter import convert, scan
from converter.decode import buffers, decoder
from converter.errors import ConvertError, UsageError
from converter.option_values import Format
from converter.options import SMALLEST_PART, ConvertOptions, Mixed, Numbers
from converter.publishing.report import Report
from converter.testing import item_line, write_export
from converter.write import csv
from fixtures.expect import HERE, export_folder
from tests import strategies
from tests.end_to_end.exports import export_of, line, sha256_of, small_lines, written_parts
from tests.examples import examples

ALONE: tuple[Format, ...] = ("csv", "parquet")
FIXTURES = sorted({path.relative_to(HERE).parts[0] for path in HERE.rglob("manifest-summary.json")})
Facts = list[tuple[str, int, int, str]]


def facts_of(report: Report, folder: str = "") -> Facts:
    """Of each part, in a folder of DEST: its path there, rows, bytes and hash."""
    return [
        (part.path.removeprefix(folder), part.rows, part.bytes, part.sha256)
        for part in report.parts
        if part.path.startswith(folder)
    ]


def check_as_alone(export: Path | str, folder: Path, **options: Any) -> Report:
    """Convert to both formats and to each alone: the same parts, warnings and columns; gives the report of both."""
    both = convert(str(export), str(folder / "both"), ConvertOptions(format="csv,parquet", **options))
    for format in ALONE:
        alone = convert(str(export), str(folder / format), ConvertOptions(format=format, **options))
        assert facts_of(both, f"{format}/") == facts_of(alone)
        assert both.warnings == alone.warnings
        if format == "parquet":
            assert (both.columns, both.passes) == (alone.columns, alone.passes)
    assert sha256_of(written_parts(folder / "both", both)) == [part.sha256 for part in both.parts]
    return both


@pytest.mark.parametrize("numbers", ["exact", "double", "text"])
@pytest.mark.parametrize("name", FIXTURES)
def test_each_format_of_a_fixture_is_byte_for_byte_what_it_is_alone(
    name: str, numbers: Numbers, tmp_path: Path
) -> None:
    check_as_alone(export_folder(name), tmp_path, numbers=numbers)


@settings(max_examples=examples(40))
@given(
    st.booleans().flatmap(lambda mixed: strategies.item_lists(mixed=mixed)),
    st.sampled_from(["exact", "double", "text"]),
    st.sampled_from(["text", "json"]),
    st.sampled_from([None, "_more"]),
)
def test_each_format_of_any_items_is_byte_for_byte_what_it_is_alone(
    items: list[strategies.Item], numbers: Numbers, mixed: Mixed, overflow: str | None
) -> None:
    options: dict[str, Any] = {"numbers": numbers, "mixed": mixed, "overflow": overflow, "workers": 2}
    if overflow:
        options["max_columns"] = 2
    with tempfile.TemporaryDirectory() as folder:
        export = write_export(Path(folder, "bucket"), items, files=2)
        refusals = []
        for formats in (("csv,parquet",), ALONE):
            try:
                for format in formats:
                    chosen = ConvertOptions(format=format, **options)
                    convert(str(export.folder), str(Path(folder, "tried", format)), chosen)
            except ConvertError as error:
                refusals.append(str(error))
        if not refusals:
            check_as_alone(export.folder, Path(folder), **options)
        else:
            # What one of the two refuses, both do, with the same words, and publish nothing.
            assert refusals == [refusals[0]] * 2
            assert not list(Path(folder, "tried", "csv,parquet").glob("*/**/*.*"))


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("numbers", ["exact", "double"])
def test_part_boundaries_are_those_of_each_format_alone(
    workers: int, numbers: Numbers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffers, "BATCH_ROWS", 70)
    monkeypatch.setattr(csv, "_OUT_BYTES", 1000)
    lines = [
        item_line({"id": {"S": "x" * (n % 90)}, "n": {"N": f"{n}.{n:017}"}, "b": {"B": "AAE="}}) for n in range(2000)
    ]
    export = export_of(tmp_path, lines[:1500], lines[1500:])
    report = check_as_alone(export.folder, tmp_path, part_size=SMALLEST_PART, workers=workers, numbers=numbers)
    counts = [sum(part.format == format for part in report.parts) for format in ALONE]
    assert min(counts) > 2
    assert counts[0] != counts[1]


def test_large_values_that_end_batches_early_move_no_boundary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Text and typed columns have different sizes, so alone the formats would end their batches at different rows.
    monkeypatch.setattr(decoder, "BATCH_BYTES", 1 << 20)
    lines = [
        item_line({"id": {"S": str(n)}, "n": {"N": str(10**18 + n)}, "text": {"S": "x" * 1000}}) for n in range(9000)
    ]
    export = export_of(tmp_path, lines)
    report = check_as_alone(export.folder, tmp_path, part_size=3 << 20)
    assert sum(part.format == "csv" for part in report.parts) > 2


@pytest.mark.parametrize("late", ["1.5", "12345678901234567890", "1E+125"])
def test_a_number_that_the_first_columns_cannot_hold_is_in_both_formats(late: str, tmp_path: Path) -> None:
    lines = [*small_lines(30_000), line(id='{"S":"late"}', n=f'{{"N":"{late}"}}')]
    export = export_of(tmp_path, lines)
    report = check_as_alone(export.folder, tmp_path)
    assert report.passes == 2
    [text] = (part for part in written_parts(tmp_path / "both", report) if part.suffix == ".csv")
    last = text.read_text().splitlines()[-1]
    assert last == {"1E+125": f"late,1{'0' * 125}"}.get(late, f"late,{late}")


def test_each_format_has_its_compression(tmp_path: Path) -> None:
    export = export_of(tmp_path, small_lines(5000))
    options = ConvertOptions(format="csv,parquet", compression="parquet=snappy,csv=gzip")
    report = convert(str(export.folder), str(tmp_path / "both"), options)
    assert report.compression == "csv=gzip,parquet=snappy"
    for format, compression in (("csv", "gzip"), ("parquet", "snappy")):
        alone = ConvertOptions(format=format, compression=compression)  # type: ignore[arg-type]
        expected = convert(str(export.folder), str(tmp_path / format), alone)
        assert facts_of(report, f"{format}/") == facts_of(expected)


def test_one_record_tells_of_both_and_the_same_again_is_nothing_to_do(tmp_path: Path) -> None:
    export = export_of(tmp_path, small_lines(10))
    options = ConvertOptions(format="csv,parquet")
    first = convert(str(export.folder), str(tmp_path / "out"), options)
    second = convert(str(export.folder), str(tmp_path / "out"), options)
    folder = f"dt=2023-11-27/{export.export_id}"
    assert first.locations == (f"csv/{folder}", f"parquet/{folder}")
    assert (first.rows, first.items, len(first.parts)) == (10, 10, 2)
    assert (second.status, second.parts, second.locations) == ("unchanged", first.parts, first.locations)
    files = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert files == {*(part.path for part in first.parts), f"_exports/{export.export_id}.json", "_exports/index"}
    written_parts(tmp_path / "out", first)[0].unlink()
    third = convert(str(export.folder), str(tmp_path / "out"), options)
    assert (third.status, third.parts) == ("published", first.parts)
    assert "1 is missing" in third.warnings[0]


def test_one_format_becomes_two_and_one_again_only_when_told_to(tmp_path: Path) -> None:
    export = export_of(tmp_path, small_lines(10))
    out = str(tmp_path / "out")
    for before, after in (("csv", "csv,parquet"), ("csv,parquet", "parquet")):
        convert(str(export.folder), out, ConvertOptions(format=before, replace=True))  # type: ignore[arg-type]
        with pytest.raises(UsageError, match=f"format: {before} → {after}"):
            convert(str(export.folder), out, ConvertOptions(format=after))  # type: ignore[arg-type]
        report = convert(str(export.folder), out, ConvertOptions(format=after, replace=True))  # type: ignore[arg-type]
        files = {str(path.relative_to(out)) for path in Path(out).rglob("*") if path.is_file()}
        assert files == {*(part.path for part in report.parts), f"_exports/{export.export_id}.json", "_exports/index"}


def test_a_scan_has_each_item_once(tmp_path: Path) -> None:
    export = export_of(tmp_path, small_lines(10))
    for format in ("csv,parquet", "parquet"):
        convert(str(export.folder), str(tmp_path / format), ConvertOptions(format=format))
    both, alone = (scan(str(tmp_path / format)).collect() for format in ("csv,parquet", "parquet"))
    assert both.rows() == alone.rows()
    assert both.schema == alone.schema


def test_an_export_without_items_has_a_record_and_no_folder(tmp_path: Path) -> None:
    export = export_of(tmp_path, [])
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format="csv,parquet"))
    assert (report.parts, report.rows, report.status) == ((), 0, "published")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"_exports"}
    assert (
        convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format="csv,parquet")).status == "unchanged"
    )
