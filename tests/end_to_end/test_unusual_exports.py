"""Exports that hold nothing, or next to nothing, or lines that are no items: all of them end well or clearly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from converter import convert
from converter.errors import ConvertError, SchemaError, UsageError
from converter.option_values import Format
from converter.options import ConvertOptions
from tests.end_to_end.exports import export_of, line, small_lines, written_parts
from tests.oracle import assert_equal_to_oracle

FORMATS: tuple[Format, ...] = ("parquet", "csv")


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "data_files",
    [[], [[]], [[], [], []], [[b"", b"{}", b"", b"   "]], [[b"{}"], [], [b"\t"]]],
    ids=["no file", "an empty file", "empty files", "blank lines and empty objects", "all of these"],
)
def test_an_export_without_items_is_published_as_a_record(
    data_files: Sequence[Sequence[bytes]], format: Format, tmp_path: Path
) -> None:
    export = export_of(tmp_path, *data_files)
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format=format))
    assert (report.status, report.items, report.parts, report.columns) == ("published", 0, (), ())
    record = json.loads((tmp_path / "out" / "_exports" / f"{export.export_id}.json").read_bytes())
    assert (record["exportId"], record["parts"]) == (export.export_id, [])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["_exports"]
    again = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format=format))
    assert again.status == "unchanged"


def test_a_key_is_no_mistake_only_because_the_table_is_empty_today(tmp_path: Path) -> None:
    export = export_of(tmp_path, [])
    assert convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(key=("id",))).items == 0


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("counted", [0, 1, 2])
def test_blank_lines_and_empty_objects_are_no_rows(format: Format, counted: int, tmp_path: Path) -> None:
    lines = [b"", b"{}", *small_lines(3), b"  ", b"{}", b"\t\r", *small_lines(2, start=3), b""]
    export = export_of(tmp_path, lines)
    for path in (export.files, export.summary):
        path.write_text(path.read_text().replace('"itemCount":5', f'"itemCount":{5 + counted}'))
    export.files.with_suffix(".md5").unlink()
    export.summary.with_suffix(".md5").unlink()
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format=format))
    assert_equal_to_oracle(export.folder, written_parts(tmp_path / "out", report), format)
    assert report.items == 5


@pytest.mark.parametrize("format", FORMATS)
def test_items_without_any_attribute_are_rows_of_nulls(format: Format, tmp_path: Path) -> None:
    lines = [line(), line(id='{"S":"a"}', n='{"N":"1"}'), line(), line(id='{"NULL":true}')]
    export = export_of(tmp_path, lines)
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format=format))
    assert_equal_to_oracle(export.folder, written_parts(tmp_path / "out", report), format)
    assert report.items == 4


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("lines", [[line(), line()], [line(id='{"NULL":true}'), line()]], ids=["empty", "null"])
def test_items_without_any_value_have_no_column_to_write(
    format: Format, lines: Sequence[bytes], tmp_path: Path
) -> None:
    export = export_of(tmp_path, lines)
    with pytest.raises(SchemaError, match="no column to write: no item of 2 has a value in any selected attribute"):
        convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format=format))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("second", [line(), line(only='{"NULL":true}')])
def test_a_csv_row_that_would_be_an_empty_line_is_refused(second: bytes, tmp_path: Path) -> None:
    export = export_of(tmp_path, [line(only='{"S":"a"}'), second])
    with pytest.raises(UsageError, match="empty line") as error:
        convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format="csv"))
    assert "second column" in error.value.hint
    assert not (tmp_path / "out").exists()
    assert convert(str(export.folder), str(tmp_path / "out")).items == 2


def test_an_empty_text_in_the_only_csv_column_is_a_row(tmp_path: Path) -> None:
    export = export_of(tmp_path, [line(only='{"S":""}')])
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format="csv"))
    assert written_parts(tmp_path / "out", report)[0].read_bytes() == b'only\n""\n'


@pytest.mark.parametrize("ending", [b"", b"\n\n\n", b"\n{}"])
def test_the_end_of_a_data_file_may_lack_its_newline(ending: bytes, tmp_path: Path) -> None:
    # The maker adds the last newline: a line that ends in others stands for files that others have made.
    export = export_of(tmp_path, [line(id='{"S":"a"}') + ending])
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(verify=False))
    assert_equal_to_oracle(export.folder, written_parts(tmp_path / "out", report), "parquet")


@pytest.mark.parametrize(("option", "code"), [("key", 2), ("select", 4)])
def test_a_name_without_which_nothing_can_be_written_is_refused_with_the_nearest(
    option: str, code: int, tmp_path: Path
) -> None:
    export = export_of(tmp_path, small_lines(2), [line(order_id='{"S":"a"}')])
    names = {option: ("order_ids",)}
    with pytest.raises(ConvertError, match="'order_ids'") as error:
        convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(**names))  # type: ignore[arg-type]
    assert error.value.exit_code == code
    assert "'order_id'" in error.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("format", FORMATS)
def test_the_first_value_may_come_long_after_the_first_block(format: Format, tmp_path: Path) -> None:
    lines = [line()] * 90_000
    export = export_of(tmp_path, [*lines, line(id='{"S":"a"}', n='{"N":"1"}')])
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format=format))
    assert (report.passes, report.items) == (2, 90_001)
    assert_equal_to_oracle(export.folder, written_parts(tmp_path / "out", report), format)
