"""What a snapshot is made of, on its way through JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from converter.errors import StorageError
from converter.publishing.merge_history import Link, MergeChain, MergeReport
from converter.publishing.report import Report
from converter.storage.json_members import Members
from tests.unit.publishing.test_report import PARTS, REPORT

MOMENT = datetime(2026, 11, 27, 6, 11, 47, 109_000, tzinfo=UTC)
ARN = "arn:aws:dynamodb:eu-central-1:111122223333:table/Orders/export/"


def link(number: int, kind: str = "changes") -> Link:
    begin = MOMENT + timedelta(hours=number)
    end = begin + timedelta(hours=1) if kind == "changes" else begin
    return Link(f"{number:014}-0000000a", f"{ARN}{number:014}-0000000a", kind, begin, end)


CHAIN = MergeChain(link(0, "items"), (link(0), link(1)))
MERGE = MergeReport(chain=CHAIN, inserted=1, updated=2, deleted=3, unknown_deletes=0)


@pytest.mark.parametrize("merge", [MERGE, MergeReport(chain=CHAIN), replace(MERGE, old_images=6, different_images=1)])
def test_a_merge_survives_its_way_through_json_inside_of_its_report(merge: MergeReport) -> None:
    report = replace(REPORT, kind="snapshot", merge=merge)
    members = json.loads(json.dumps(report.to_json()))
    assert members["merge"]["through"] == "2026-11-27T08:11:47.109Z"
    assert Report.from_json(Members(members, "x.json"), PARTS) == report


def test_a_chain_tells_what_it_is_made_of() -> None:
    assert CHAIN.through == MOMENT + timedelta(hours=2)
    assert CHAIN.described == "00000000000000-0000000a and 2 increments"
    assert MergeChain(CHAIN.base, CHAIN.increments[:1]).described == "00000000000000-0000000a and 1 increment"


def test_a_damaged_record_of_a_merge_is_refused() -> None:
    members = MERGE.to_json() | {"increments": []}
    with pytest.raises(StorageError, match="increments: there are none"):
        MergeReport.from_json(Members(members, "x.json"))
