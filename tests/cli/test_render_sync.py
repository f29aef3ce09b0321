"""What people read of a sync of changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from converter.cli.render_sync import changes_line, render_changes
from converter.schema.column_types import INT64, STRING, Origin
from converter.schema.columns import Column
from converter.syncing.incremental_report import ChangesReport, WindowReport
from tests.unit.publishing.published import make_export, make_report

BEGIN = datetime(2026, 11, 28, 22, tzinfo=UTC)
DAY = timedelta(days=1)
PUBLISHED = make_report(make_export(), ("dt=2023-11-27",), ())
NOTHING = ChangesReport(table="Orders", through=BEGIN, gap="", full=None, windows=(), snapshot=None)
ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders/export/01701065507109-cce6a3f8"
PLANNED = WindowReport(begin=BEGIN, end=BEGIN + DAY, export="none", export_arn=None, report=None)
DONE = WindowReport(begin=BEGIN, end=BEGIN + DAY, export="started", export_arn=ARN, report=PUBLISHED)
ALL = replace(DONE, begin=BEGIN, end=BEGIN)


def test_nothing_to_do_is_said() -> None:
    assert changes_line(NOTHING) == (
        "nothing to do: Orders is published through 2026-11-28T22:00:00Z; a window has at least 15 minutes"
    )


def test_a_dry_run_says_what_it_would_bring() -> None:
    waits = replace(PLANNED, begin=BEGIN + DAY, end=BEGIN + 2 * DAY, export="found", export_arn=ARN)
    planned_columns = (Column("id", "id", STRING, Origin.TEXT), Column("v", "v", INT64, Origin.NUMBER))
    windows = tuple(replace(window, columns=planned_columns) for window in (PLANNED, waits))
    assert render_changes(replace(NOTHING, windows=windows)).splitlines() == [
        "would publish 2 windows of changes; nothing was started or written",
        "  changes   2026-11-28T22:00:00Z to 2026-11-29T22:00:00Z: would export it",
        f"  changes   2026-11-29T22:00:00Z to 2026-11-30T22:00:00Z: would wait for {ARN}",
        "  columns   2 expected: id string, v int64",
        "  not checked: the data (bad lines, values that do not fit their columns, and new columns)",
        "  not checked: write access to DEST",
    ]
    planned = replace(PUBLISHED, status="planned")
    assert changes_line(replace(NOTHING, snapshot=planned)).startswith("would publish a snapshot")


def test_each_step_has_its_line_and_the_snapshot_its_figures() -> None:
    lines = render_changes(replace(NOTHING, full=ALL, windows=(DONE,), snapshot=PUBLISHED)).splitlines()
    assert lines[0] == (
        "Orders is published through 2026-11-28T22:00:00Z: published all items and 1 window of changes and a snapshot"
    )
    assert lines[1].startswith("  all items as of 2026-11-28T22:00:00Z: 3 items, 0 parts")
    assert lines[2].startswith("  changes   2026-11-28T22:00:00Z to 2026-11-29T22:00:00Z: 3 items, 0 parts")
    assert lines[3].startswith("  snapshot  published 3 items")
    assert lines[4].startswith("    export   01701065507109-cce6a3f8")
