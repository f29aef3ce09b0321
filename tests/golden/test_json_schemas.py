"""Real reports and records follow the schemas of the documentation, and every member is described there."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import converter
from converter import ChangesReport, ConvertOptions, MergeRules, Report, SyncReport
from converter.schema.column_types import STRING, Origin
from converter.schema.columns import Column
from converter.syncing.incremental_report import WindowReport
from converter.syncing.pending_exports import ExportOrigin
from converter.testing import ExportFacts, write_export
from fixtures.expect import HERE, export_folder
from tests.golden.json_schemas import SCHEMAS, schema_text
from tests.json_schema import violations

REPORT, RECORD, INSPECTION, SYNC, CHANGES = (
    json.loads(schema_text(f"{name}.schema.json"))
    for name in ("report", "record", "inspection", "sync", "incremental-sync")
)
MOMENT = datetime(2023, 11, 27, 6, 30, tzinfo=UTC)
OPTIONS = {
    "plain": ConvertOptions(),
    "both formats": ConvertOptions(format="csv,parquet", numbers="double", mixed="json"),
    "added": ConvertOptions(add_column=(("exported", "export_time"),), exclude=("gone",), evolve=True),
}


def check(members: dict[str, object], schema: dict[str, Any]) -> None:
    assert violations(json.loads(json.dumps(members)), schema) == []


def check_report(report: Report) -> None:
    check(report.to_json(), REPORT)


def check_destination(dest: Path) -> None:
    records = sorted((dest / "_exports").glob("[0-9]*.json"))
    assert records
    for path in records:
        assert violations(json.loads(path.read_bytes()), RECORD) == [], path


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
@pytest.mark.parametrize("name", ["orders", "all-types", "mixed", "order-changes"])
def test_fixtures(name: str, options: ConvertOptions, tmp_path: Path) -> None:
    planned = converter.convert(export_folder(name), tmp_path, replace(options, dry_run=True))
    assert (planned.status, bool(planned.not_checked)) == ("planned", True)
    check_report(planned)
    check_report(converter.convert(export_folder(name), tmp_path, options))
    check_report(converter.convert(export_folder(name), tmp_path, options))
    check_destination(tmp_path)


@pytest.mark.parametrize("name", ["orders", "all-types", "mixed", "order-changes"])
@pytest.mark.parametrize("sample", [False, True])
def test_inspections(name: str, sample: bool) -> None:
    check(converter.inspect(export_folder(name), sample=sample).to_json(), INSPECTION)


def test_results_of_sync(tmp_path: Path) -> None:
    report = converter.convert(HERE / "orders", tmp_path)
    column = Column("id", "id", STRING, Origin.TEXT)
    runs: list[tuple[ExportOrigin, str | None, Report | None, tuple[Column, ...]]] = [
        ("started", "arn", report, ()),
        ("none", None, None, (column,)),
    ]
    for export, arn, found, columns in runs:
        check(
            SyncReport(date="2023-11-27", export=export, export_arn=arn, report=found, columns=columns).to_json(), SYNC
        )
        window = WindowReport(begin=MOMENT, end=MOMENT, export=export, export_arn=arn, report=found, columns=columns)
        for full, through, gap in ((window, MOMENT, "point-in-time recovery was off"), (None, None, "")):
            result = ChangesReport(
                table="Orders", through=through, gap=gap, full=full, windows=(window,), snapshot=found
            )
            check(result.to_json(), CHANGES)


def test_a_snapshot(tmp_path: Path) -> None:
    base, increment = HERE / "orders", HERE / "order-changes"
    check_report(converter.merge(base, [increment], tmp_path, ConvertOptions(dry_run=True)))
    check_report(converter.merge(base, [increment], tmp_path, rules=MergeRules(verify=True)))
    check_destination(tmp_path)


def test_odd_times_and_changed_columns(tmp_path: Path) -> None:
    times = ["2023-11-27", "2023-11-27T06:11:47.1234567Z", "never"]
    first = write_export(tmp_path / "a", [{"id": str(n), "t": t, "u": t} for n, t in enumerate(times)])
    facts = ExportFacts(seed=2, export_time=ExportFacts().export_time.replace(day=28))
    second = write_export(tmp_path / "b", [{"id": 1, "more": 1}, {"id": "1"}], facts=facts)
    options = ConvertOptions(
        cast=(("u", "timestamp"),),
        time="t",
        time_default="export_time",
        on_bad_time="null",
        on_fine_time="truncate",
        evolve=True,
    )
    reports = [converter.convert(export.folder, tmp_path / "out", options) for export in (first, second)]
    for report in reports:
        check_report(report)
    assert reports[1].column_changes
    check_destination(tmp_path / "out")


@pytest.mark.parametrize(
    "change",
    [
        {"items": -1},
        {"items": "1"},
        {"items": True},
        {"status": "done"},
        {"more": 1},
        {"exportTime": "2023-11-27"},
        {"parts": [{}]},
        {"merge": {"base": None}},
    ],
)
def test_a_report_that_is_not_valid_is_found(change: dict[str, Any], tmp_path: Path) -> None:
    report = converter.convert(HERE / "orders", tmp_path).to_json()
    assert violations(json.loads(json.dumps({**report, **change})), REPORT)
    del report["status"]
    assert violations(json.loads(json.dumps(report)), REPORT)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_member_is_described(name: str) -> None:
    for described in SCHEMAS[name]:
        for member in described.members:
            assert len(member.text) > 3, f"{described.name}.{member.name}"
