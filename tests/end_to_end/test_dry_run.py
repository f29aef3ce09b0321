"""A dry run answers as the run would, as far as manifests and the destination's records tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import converter
from converter import ConvertOptions, merge
from converter.errors import BusyError, ConvertError, SchemaError, UsageError
from converter.options import SchemaText
from converter.storage import open_destination
from tests.cli.command import ddb_convert
from tests.end_to_end.exports import line
from tests.end_to_end.nights import Nights
from tests.end_to_end.syncing import ITEMS, target
from tests.end_to_end.test_memory import Table
from tests.end_to_end.test_merge import base, change, increment
from tests.servers.dynamodb import PlayedDynamoDb

LINES = [
    line(id='{"S":"a"}', price='{"N":"1.5"}', tag='{"S":"x"}'),
    line(id='{"S":"b"}', price='{"N":"2"}', old='{"N":"1"}'),
]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path)


def schema(column: str) -> SchemaText:
    return SchemaText("columns.json", f'{{"version": 1, "columns": [{column}]}}')


def test_what_is_published_already_is_unchanged_and_not_published_again(table: Table) -> None:
    table.publish(1, LINES)
    done, planned = table.publish(1, LINES), table.publish(1, LINES, dry_run=True)
    assert (planned.status, planned.warnings, planned.columns) == (done.status, done.warnings, done.columns)
    said = ddb_convert("convert", str(table.folder / "day1"), str(table.dest), "--dry-run", "--json")
    assert (said.returncode, json.loads(said.stdout)["status"]) == (0, "unchanged")
    assert "nothing to do" in said.stderr
    assert table.publish(1, LINES, dry_run=True, numbers="text", replace=True).status == "planned"


@pytest.mark.parametrize(
    "options",
    [
        {"cast": (("price", "timestamp"),)},
        {"cast": (("tag", "timestamp"),)},
        {"numbers": "double"},
        {"numbers": "text"},
        {"rename": (("price", "cost"),)},
        {"rename": (("new", "price"),)},
        {"time": "price"},
        {"layout": "price={date}"},
        {"add_column": (("price", "date"),)},
        {"schema": schema('{"attribute": "price", "name": "cost"}')},
        {"schema": schema('{"attribute": "price", "type": "string"}')},
        {"schema": schema('{"attribute": "price", "typ": "string"}')},
    ],
    ids=str,
)
def test_what_the_run_refuses_because_of_earlier_columns_is_refused(table: Table, options: dict[str, Any]) -> None:
    table.publish(1, LINES)
    before = {path: path.read_bytes() for path in table.dest.rglob("*") if path.is_file()}
    raised = []
    for dry_run in (True, False):
        with pytest.raises(ConvertError) as caught:
            table.publish(2, LINES, dry_run=dry_run, **options)
        raised.append(caught.value)
    assert type(raised[0]) is type(raised[1])
    assert isinstance(raised[0], UsageError | SchemaError)
    assert {path: path.read_bytes() for path in table.dest.rglob("*") if path.is_file()} == before


def test_what_depends_on_the_data_is_not_refused(table: Table) -> None:
    table.publish(1, [*LINES, line(tag='{"N":"1"}')])
    assert table.publish(2, LINES, dry_run=True, mixed="fail").status == "planned"
    assert table.publish(2, LINES, dry_run=True, cast=(("other", "timestamp"),)).status == "planned"
    wide = table.publish(2, LINES, dry_run=True, numbers="double", evolve=True)
    assert ("price", "double") in [(column.name, column.type) for column in wide.columns]


def test_the_columns_that_are_promised_and_what_was_not_looked_at_are_said(table: Table) -> None:
    first = table.publish(1, LINES)
    table.publish(2, LINES, dry_run=True)
    said = ddb_convert("convert", str(table.folder / "day2"), str(table.dest), "--dry-run", "--json")
    report = json.loads(said.stdout)
    assert [(column["name"], column["type"]) for column in report["columns"]] == [
        (column.name, column.type) for column in first.columns
    ]
    assert "columns  4 expected: id string, old int64, price decimal128(38, 2), tag string" in said.stderr
    assert "not checked: the data (bad lines" in said.stderr
    assert report["notChecked"][1] == "write access to DEST"


def test_of_a_first_export_the_columns_of_a_schema_file_are_said(table: Table) -> None:
    planned = table.publish(1, LINES, dry_run=True, schema=schema('{"attribute": "price", "type": "double"}'))
    assert [(column.name, column.type) for column in planned.columns] == [("price", "double")]


def test_a_destination_that_is_held_is_exit_code_6_and_stays_as_it_is(table: Table) -> None:
    table.publish(1, LINES)
    with open_destination(str(table.dest), converter.AwsOptions()).lease():
        before = sorted(table.dest.rglob("*"))
        for options in ({}, {"numbers": "text"}):
            with pytest.raises(BusyError, match="another run holds the destination: process"):
                table.publish(1, LINES, dry_run=True, **options)
        said = ddb_convert("convert", str(table.folder / "day1"), str(table.dest), "--dry-run")
        assert said.returncode == 6
        assert sorted(table.dest.rglob("*")) == before
    assert table.publish(1, LINES, dry_run=True).status == "unchanged"


def test_a_merge_answers_as_it_would(tmp_path: Path) -> None:
    full = base(tmp_path / "b", [{"id": "a", "v": 1}, {"id": "b", "v": 2}])
    first = increment(tmp_path / "b", 0, 1, change("b", None, {"v": 3}))
    second = increment(tmp_path / "b", 1, 30, change("b", None, {"v": 4}))
    out, dry = tmp_path / "out", ConvertOptions(dry_run=True)
    assert merge(full, [first], out, dry).columns == ()
    merge(full, [first], out)
    assert merge(full, [first], out, dry).status == "unchanged"
    planned = merge(out, [second], tmp_path / "new", dry)
    assert (planned.status, [column.name for column in planned.columns]) == ("planned", ["id", "v"])
    text = ConvertOptions(cast=(("v", "timestamp"),))
    for options in (text, ConvertOptions(cast=text.cast, dry_run=True)):
        with pytest.raises(SchemaError, match="column 'v'"):
            merge(out, [second], tmp_path / "new", options)
    with open_destination(str(out), converter.AwsOptions()).lease(), pytest.raises(BusyError):
        merge(out, [second], out, dry)
    assert not (tmp_path / "new").exists()


def test_a_sync_answers_as_it_would_before_there_is_an_export(service: PlayedDynamoDb, tmp_path: Path) -> None:
    table, place = service.new_table(items=ITEMS), target(service)
    out, dry = tmp_path / "out", ConvertOptions(dry_run=True)
    converter.sync(table.name, out, place)
    unchanged = converter.sync(table.name, out, place, dry)
    assert unchanged.report is not None
    assert (unchanged.export, unchanged.report.status) == ("published", "unchanged")
    with pytest.raises(UsageError, match="with other options"):
        converter.sync(table.name, out, place, ConvertOptions(dry_run=True, numbers="text"))
    # Another destination whose newest record is of another day, for which there is no export yet.
    command = ["sync", table.name, str(out), "--bucket", place.bucket, "--dry-run", "--replace", "--json"]
    for export in list(service.exports):
        del service.exports[export]
    said = ddb_convert(*command)
    assert said.returncode == 0, said.stderr
    report = json.loads(said.stdout)
    assert (report["export"], report["report"], len(report["notChecked"])) == ("none", None, 2)
    assert "not checked" in said.stderr
    with open_destination(str(out), converter.AwsOptions()).lease():
        assert ddb_convert(*command).returncode == 6


def test_a_sync_of_changes_answers_as_it_would(nights: Nights) -> None:
    dry = ConvertOptions(dry_run=True)
    nights.run(0)
    nights.run(1)
    planned = nights.run(3, dry, merge=True)
    (window,) = planned.windows
    assert (window.report, [column.name for column in window.columns]) == (
        None,
        ["_op", "_write_ts", "id", "hour", "price"],
    )
    with pytest.raises(SchemaError, match="column 'price' is decimal"):
        nights.run(3, ConvertOptions(dry_run=True, cast=(("price", "timestamp"),)))
    for folder in ("changes", "snapshot"):
        with (
            open_destination(f"{nights.dest}/{folder}", converter.AwsOptions()).lease(),
            pytest.raises(BusyError, match="another run holds the destination"),
        ):
            nights.run(3, dry, merge=True)
    # The export is there, and its run has died: what a manifest says is known.
    nights.service.refuse_next("DescribeExport", "AccessDeniedException")
    with pytest.raises(converter.errors.StorageError):
        nights.run(3)
    found = nights.run(3, dry).windows[0]
    assert found.report is None or found.report.status == "planned"


@pytest.fixture
def nights(service: PlayedDynamoDb, tmp_path: Path) -> Nights:
    return Nights(service, tmp_path / "out")
