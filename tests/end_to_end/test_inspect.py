"""`inspect` foretells what `convert` does, and a sample says that it is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter import convert, inspect
from converter.cli import main
from converter.options import ConvertOptions, Mixed, Numbers, SchemaText
from fixtures.expect import export_folder
from tests.end_to_end.exports import export_of, line, small_lines

FIXTURES = ("orders", "all-types", "mixed")


@pytest.mark.parametrize("name", FIXTURES)
@pytest.mark.parametrize(("numbers", "mixed"), [("exact", "text"), ("double", "json"), ("text", "text")])
def test_inspect_and_convert_agree(name: str, numbers: Numbers, mixed: Mixed, tmp_path: Path) -> None:
    options = ConvertOptions(numbers=numbers, mixed=mixed)
    seen = inspect(str(export_folder(name)), options)
    report = convert(str(export_folder(name)), str(tmp_path / "out"), options)
    assert (seen.items, seen.items_seen, seen.approximate) == (report.items, report.items, False)
    assert (seen.data_files, seen.data_bytes) == (report.data_files, report.bytes_in)
    assert (seen.export_id, seen.export_time, seen.table) == (report.export_id, report.export_time, report.table)
    told = {a.attribute: a for a in seen.attributes if a.column is not None}
    assert set(told) == {column.attribute for column in report.columns}
    for column in report.columns:
        assert column.attribute is not None
        attribute = told[column.attribute]
        assert (attribute.column, attribute.column_type, attribute.origin) == (column.name, column.type, column.origin)
        assert attribute.types == column.types
        assert (attribute.nulls, attribute.absent) == (column.nulls, column.absent)
        assert (attribute.integer_digits, attribute.decimals) == (column.integer_digits, column.decimals)
        assert attribute.longest == column.longest
    # Only a conversion knows how many doubles were rounded.
    assert set(seen.warnings) == {warning for warning in report.warnings if "are rounded" not in warning}


def test_inspect_changes_nothing(tmp_path: Path) -> None:
    export = export_of(tmp_path, small_lines(5))
    before = sorted(tmp_path.rglob("*"))
    inspect(str(export.folder))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_sample_reads_the_first_block_of_each_file_and_says_that_it_is_approximate(tmp_path: Path) -> None:
    late = line(id='{"S":"last"}', late='{"S":"x"}')
    export = export_of(tmp_path, [*small_lines(30_000), late], [*small_lines(3), late])
    sample = inspect(str(export.folder), sample=True)
    assert sample.approximate
    assert (sample.items, sample.data_files) == (30_005, 2)
    assert 4 < sample.items_seen < 30_005
    # Of the second file the first block is all there is.
    assert {attribute.attribute: sum(attribute.types.values()) for attribute in sample.attributes}["late"] == 1


def test_a_sample_spreads_over_the_whole_export(tmp_path: Path) -> None:
    export = export_of(tmp_path, *([line(id=f'{{"S":"{n}"}}', **{f"a{n}": '{"S":"x"}'})] for n in range(40)))
    names = [a.attribute for a in inspect(str(export.folder), sample=True).attributes if a.attribute != "id"]
    assert len(names) == 16
    assert {"a0", "a39"} <= set(names)


def test_the_schema_file_that_is_written_makes_a_conversion_of_the_same_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "schema.json"
    source = str(export_folder("mixed"))
    assert main.run(["inspect", source, "--write-schema", str(file), "--numbers", "text", "--quiet"]) == 0
    report = convert(source, tmp_path / "out", ConvertOptions(schema=SchemaText.read(file)))
    plain = convert(source, tmp_path / "plain", ConvertOptions(numbers="text"))
    assert report.columns == plain.columns
    assert main.run(["inspect", source, "--write-schema", str(file), "--quiet"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main.run(["inspect", source, "--write-schema", str(tmp_path / "no" / "x"), "--quiet"]) == 5
