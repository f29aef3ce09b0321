"""The report: its JSON form and the way back."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from converter.errors import StorageError
from converter.publishing.report import ColumnReport, Part, Report
from converter.storage.json_members import Members
from converter.utc import format_utc
from tests.unit.publishing.published import make_export, make_report

PARTS = (Part("dt=1/x/00000.parquet", 2, 5, "ab"), Part("dt=1/x/00001.parquet", 1, 6, "cd"))
REPORT = make_report(make_export(), ("dt=1/x",), PARTS)
LATER = ("unknownAttributes",)
"""Members that earlier versions did not write."""


def test_a_report_survives_its_way_through_json() -> None:
    members = json.loads(json.dumps(REPORT.to_json()))
    assert Report.from_json(Members(members, "x.json"), PARTS) == REPORT


def test_every_fact_is_in_the_json_in_the_order_of_the_class() -> None:
    members = [name.replace("_", "") for name in (field.name for field in fields(Report))]
    # Only of a snapshot there is something to say of a merge.
    # Only of a dry run, of what it has not looked at. Only with --where, of items that are left out.
    assert [*(name.lower() for name in REPORT.to_json()), "merge", "notchecked", "filtered"] == members
    column = REPORT.to_json()["columns"]
    assert isinstance(column, list)
    # Only of a column of times there is something to say of times.
    known = [field.name.replace("_", "") for field in fields(ColumnReport)]
    assert [*(name.lower() for name in column[0]), "times"] == known


def test_members_are_named_as_the_service_names_them() -> None:
    members = REPORT.to_json()
    assert members["exportId"] == "01701065507109-cce6a3f8"
    assert members["bytesJson"] == 3000
    assert members["parts"] == [
        {"path": "dt=1/x/00000.parquet", "rows": 2, "bytes": 5, "sha256": "ab"},
        {"path": "dt=1/x/00001.parquet", "rows": 1, "bytes": 6, "sha256": "cd"},
    ]


def test_the_types_of_a_column_are_in_order_of_their_tags() -> None:
    assert json.dumps(REPORT.columns[0].to_json()["types"]) == '{"N": 1, "NULL": 1}'


def test_rows_are_those_of_all_parts_in_one_format() -> None:
    assert REPORT.rows == 3
    both = (*(replace(part, path=f"{part.path.removesuffix('.parquet')}.csv.gz") for part in PARTS), *PARTS)
    assert replace(REPORT, parts=both).rows == 3
    assert [part.format for part in both] == ["csv", "csv", "parquet", "parquet"]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("status", "done"),
        ("status", None),
        ("items", -1),
        ("items", "3"),
        ("items", True),
        ("seconds", "1"),
        ("warnings", ["a", 1]),
        ("warnings", "a"),
        ("verified", 1),
        ("columns", [1]),
        ("columns", [{}]),
    ],
)
def test_a_member_of_another_type_is_named(member: str, value: object) -> None:
    members = {**REPORT.to_json(), member: value}
    with pytest.raises(StorageError, match=rf"x\.json: the file is damaged: \$\.{member}"):
        Report.from_json(Members(members, "x.json"), PARTS)


def test_members_that_came_later_may_be_missing() -> None:
    report = replace(REPORT, unknown_attributes=("secret",))
    assert Report.from_json(Members(report.to_json(), "x.json"), PARTS) == report
    members = report.to_json()
    for member in LATER:
        del members[member]
    assert Report.from_json(Members(members, "x.json"), PARTS) == REPORT


def test_column_changes_of_a_record_before_version_3_have_another_name() -> None:
    members = REPORT.to_json()
    members["changes"] = members.pop("columnChanges")
    assert REPORT.column_changes
    assert Report.from_json(Members(members, "x.json"), PARTS) == REPORT


@pytest.mark.parametrize("member", [name for name in REPORT.to_json() if name not in ("parts", *LATER)])
def test_a_missing_member_is_named(member: str) -> None:
    members = REPORT.to_json()
    del members[member]
    with pytest.raises(StorageError, match=rf"\$\.{member}: missing"):
        Report.from_json(Members(members, "x.json"), PARTS)


def test_instants_are_written_in_utc_as_the_service_does() -> None:
    assert format_utc(datetime(2023, 11, 27, 6, 11, 47, tzinfo=UTC)) == "2023-11-27T06:11:47.000Z"
    tokyo = timezone(timedelta(hours=9))
    assert format_utc(datetime(2023, 11, 27, 6, 11, 47, 109999, tzinfo=tokyo)) == "2023-11-26T21:11:47.109Z"
