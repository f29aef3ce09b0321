"""The report and the record say what happened: every figure is checked against the files themselves."""

from __future__ import annotations

import errno
import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from converter import convert
from converter.errors import UsageError
from converter.option_values import Format
from converter.options import ConvertOptions
from converter.storage.contained_files import ContainedFiles
from converter.storage.paths import INTENT, record_path
from converter.testing import item_line
from tests.end_to_end.exports import export_of, inflated_bytes, line, small_lines, written_parts
from tests.oracle import assert_equal_to_oracle

LINES = [
    line(id='{"S":"a"}', n='{"N":"-12.50"}', d='{"N":"0.12345678901234567"}', mixed='{"S":"äö"}', gone='{"NULL":true}'),
    line(id='{"S":"bcd"}', n='{"NULL":true}', d='{"N":"2"}', mixed='{"N":"5"}', dt='{"S":"x"}'),
    line(id='{"S":"c"}', n='{"N":"1234"}'),
]


def test_the_report_says_what_is_in_the_export_and_in_the_files(tmp_path: Path) -> None:
    export = export_of(tmp_path, LINES[:2], [], LINES[2:])
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(numbers="double"))
    parts = written_parts(tmp_path / "out", report)
    facts = report.to_json()
    told = ("status", "exportId", "table", "kind", "exportTime", "date", "locations")
    assert {name: facts[name] for name in told} == {
        "status": "published",
        "exportId": export.export_id,
        "table": "Orders",
        "kind": "items",
        "exportTime": "2023-11-27T06:11:47.109Z",
        "date": "2023-11-27",
        "locations": [f"dt=2023-11-27/{export.export_id}"],
    }
    assert (report.source, report.destination) == (str(export.folder), str(tmp_path / "out"))
    assert (report.format, report.compression, report.verified) == ("parquet", "zstd", True)
    assert (report.items, report.data_files, report.passes) == (3, 3, 1)
    assert report.bytes_in == sum(path.stat().st_size for path in export.data_files)
    assert report.bytes_json == sum(map(inflated_bytes, export.data_files))
    assert report.bytes_out == sum(path.stat().st_size for path in parts)
    assert report.seconds > 0
    assert [(part.rows, part.bytes, part.sha256) for part in report.parts] == [
        (3, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()) for path in parts
    ]
    columns = {column.name: column for column in report.columns}
    assert list(columns) == ["d", "dt_1", "id", "mixed", "n"]
    assert (columns["dt_1"].attribute, columns["dt_1"].absent) == ("dt", 2)
    assert (columns["n"].types, columns["n"].nulls, columns["n"].absent) == ({"N": 2, "NULL": 1}, 1, 0)
    assert (columns["n"].integer_digits, columns["n"].decimals, columns["n"].changed) == (4, 1, 0)
    assert columns["d"].changed == 1
    assert (columns["id"].longest, columns["mixed"].longest) == (3, 4)
    said = "\n".join(report.warnings)
    assert len(report.warnings) == 4
    for expected in (
        "'dt'",
        "'mixed' has several types (S in 1 item, N in 1 item)",
        "'gone' is only ever NULL",
        "rounded",
    ):
        assert expected in said


def test_the_record_holds_the_report_and_how_it_came_about(tmp_path: Path) -> None:
    export = export_of(tmp_path, LINES)
    options = ConvertOptions(format="csv", key=("id",), exclude=("mixed",), timezone="Asia/Tokyo")
    report = convert(str(export.folder), str(tmp_path / "out"), options)
    record = json.loads((tmp_path / "out" / "_exports" / f"{export.export_id}.json").read_bytes())
    assert record["options"] == options.published()
    assert record["optionsHash"] == options.published_hash()
    assert (record["timezone"], record["layout"], record["verified"]) == ("Asia/Tokyo", "dt={date}", True)
    assert record["parts"] == [asdict(part) for part in report.parts]
    assert [column["name"] for column in record["columns"]] == ["id", "d", "dt_1", "n"]
    reported = {name: value for name, value in report.to_json().items() if name not in ("parts", "seconds")}
    assert {name: value for name, value in record["report"].items() if name != "seconds"} == reported
    assert record["writer"].startswith("ddb-convert ")


def test_what_is_excluded_is_not_warned_of(tmp_path: Path) -> None:
    export = export_of(tmp_path, LINES)
    options = ConvertOptions(exclude=("gone", "mixed", "dt"))
    assert convert(str(export.folder), str(tmp_path / "a"), options).warnings == ()
    assert convert(str(export.folder), str(tmp_path / "b"), ConvertOptions(select=("id", "n"))).warnings == ()


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_an_attribute_may_be_rare_in_the_first_block_and_frequent_behind_it(format: Format, tmp_path: Path) -> None:
    """Of the most frequent attributes it gets a column of its own, of its own type, in the place of another."""
    often = '{"S":"' + "x" * 500 + '"}'
    first = [line(id='{"S":"a"}', often=often), line(id='{"S":"a"}', often=often, late='{"N":"1.5"}')]
    behind = [line(id='{"S":"b"}', late='{"N":"12.25"}'), line(id='{"S":"b"}', rare='{"N":"0.1"}', late='{"N":"7"}')]
    # More lines than the first block has, and not many more: the oracle takes its time for each.
    export = export_of(tmp_path, first * 1_500 + behind * 2_000)
    options = ConvertOptions(format=format, max_columns=3, overflow="_more")
    report = convert(str(export.folder), str(tmp_path / "out"), options)
    assert [(c.name, c.type) for c in report.columns] == [
        ("id", "string"),
        ("late", "decimal128(38, 2)"),
        ("_more", "string"),
    ]
    parts = written_parts(tmp_path / "out", report)
    assert_equal_to_oracle(export.folder, parts, format, max_columns=3, overflow="_more")


def test_the_overflow_column_may_not_have_a_name_that_the_output_needs(tmp_path: Path) -> None:
    export = export_of(tmp_path, LINES)
    for name in ("dt", "DT", "_op"):
        with pytest.raises(UsageError, match="can't be called"):
            convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(max_columns=2, overflow=name))
        assert not (tmp_path / "out").exists()


def test_a_forecast_says_what_a_run_would_do_and_does_nothing(tmp_path: Path) -> None:
    export = export_of(tmp_path, small_lines(3))
    planned = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(dry_run=True))
    assert not (tmp_path / "out").exists()
    assert (planned.status, planned.items, planned.bytes_read, planned.parts) == ("planned", 3, 0, ())
    done = convert(str(export.folder), str(tmp_path / "out"))
    assert (planned.locations, planned.date, planned.bytes_in) == (done.locations, done.date, done.bytes_in)
    with pytest.raises(UsageError, match="already published with other options"):
        convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format="csv", dry_run=True))


@pytest.mark.parametrize("passes", [1, 2])
def test_binary_that_becomes_base64_inside_json_is_told(passes: int, tmp_path: Path) -> None:
    inside = item_line({"id": {"S": "1"}, "list": {"L": [{"B": "AAE="}]}, "top": {"B": "AAE="}})
    first = item_line({"id": {"S": "2"}, "list": {"L": [{"S": "AAE="}]}, "top": {"B": "AAE="}})
    lines = [first, inside] if passes == 1 else [*[first] * 30_000, item_line({"late": {"S": "x"}}), inside]
    export = export_of(tmp_path, lines)
    warnings = convert(str(export.folder), str(tmp_path / "out")).warnings
    assert warnings == ("column 'list' holds binary values inside its JSON: there they are base64 text",)


def test_a_failure_after_all_is_published_is_a_warning_of_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = export_of(tmp_path, LINES)
    plainly = ContainedFiles.sync

    def refuse(inside: ContainedFiles, path: str) -> None:
        record, intent = (tmp_path / "out" / name for name in (record_path(export.export_id), INTENT))
        if record.exists() and not intent.exists():
            raise OSError(errno.EIO, "Input/output error", inside.place(path))
        plainly(inside, path)

    monkeypatch.setattr(ContainedFiles, "sync", refuse)
    report = convert(str(export.folder), str(tmp_path / "out"))
    assert report.status == "published"
    assert [warning for warning in report.warnings if "is published; the next run ends its commit" in warning]
    assert_equal_to_oracle(export.folder, written_parts(tmp_path / "out", report), "parquet")
