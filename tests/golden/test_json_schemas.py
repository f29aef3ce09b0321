"""Real reports and records follow the schemas of the documentation, and every member is described there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import converter
from converter import ConvertOptions, MergeRules, Report
from converter.testing import ExportFacts, write_export
from fixtures.expect import HERE, export_folder
from tests.golden.json_schemas import SCHEMAS, schema_text
from tests.json_schema import violations

REPORT, RECORD = (json.loads(schema_text(name)) for name in ("report.schema.json", "record.schema.json"))
OPTIONS = {
    "plain": ConvertOptions(),
    "both formats": ConvertOptions(format="csv,parquet", numbers="double", mixed="json"),
    "added": ConvertOptions(add_column=(("exported", "export_time"),), exclude=("gone",), evolve=True),
}


def check_report(report: Report) -> None:
    assert violations(json.loads(json.dumps(report.to_json())), REPORT) == []


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
    assert reports[1].changes
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
