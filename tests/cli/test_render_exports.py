"""Exports as people see them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from converter.aws.export_request import Window
from converter.aws.export_state import ExportState
from converter.aws.exports import StartedExport
from converter.cli.export import completed_line, render_exports, started_line

START = datetime(2023, 11, 27, 6, 11, 47, tzinfo=UTC)
TABLE = "arn:aws:dynamodb:eu-central-1:111122223333:table/Orders"
BEGUN = ExportState(
    arn=f"{TABLE}/export/01701065507109-cce6a3f8",
    status="IN_PROGRESS",
    type="FULL_EXPORT",
    table_arn=TABLE,
    bucket="exports",
    format="DYNAMODB_JSON",
    export_time=START,
    start_time=START,
)
DONE = replace(
    BEGUN,
    status="COMPLETED",
    end_time=START + timedelta(minutes=9),
    item_count=12345,
    manifest="AWSDynamoDB/01701065507109-cce6a3f8/manifest-summary.json",
)


def test_what_has_begun_is_told_with_the_next_command() -> None:
    started = StartedExport(state=BEGUN, is_new=True)
    text = "Orders: started export 01701065507109-cce6a3f8 to s3://exports/AWSDynamoDB/01701065507109-cce6a3f8/"
    assert started_line(started, waits=True) == text
    assert started_line(started, waits=False) == f"{text}\nnext: ddb-convert export wait {BEGUN.arn}"


def test_what_was_there_is_told_with_its_status_and_the_way_to_another() -> None:
    text = started_line(StartedExport(state=BEGUN, is_new=False), waits=True)
    assert text.startswith("Orders: the same command already started export 01701065507109-cce6a3f8;")
    assert "it is in progress since 2023-11-27T06:11:47Z, to s3://exports/" in text
    assert "--client-token" in text
    assert "it is completed since" not in started_line(StartedExport(state=DONE, is_new=False), waits=True)


def test_the_end_of_a_wait_says_how_long_it_took_and_how_much_it_is() -> None:
    assert completed_line(DONE) == "export 01701065507109-cce6a3f8 is completed in 9 min 0 s, 12,345 items"
    assert completed_line(replace(DONE, end_time=None, item_count=None, filtered=True)) == (
        "export 01701065507109-cce6a3f8 is completed; it contains only items that match its filter"
    )


def test_a_list_has_a_line_for_each_in_columns() -> None:
    window = Window(from_time=START - timedelta(hours=24), to_time=START)
    changes = replace(BEGUN, type="INCREMENTAL_EXPORT", export_time=None, window=window, prefix="a")
    failed = replace(BEGUN, status="FAILED", failure_code="S3NoSuchBucket", format="ION", filtered=True)
    place = "AWSDynamoDB/01701065507109-cce6a3f8/"
    moment, span = "2023-11-27T06:11:47Z", "2023-11-26T06:11:47Z to 2023-11-27T06:11:47Z"
    rows = [
        ("EXPORT", "STATUS", "KIND", "TIME OR WINDOW", "FORMAT", " ITEMS", "WHERE"),
        (BEGUN.export_id, "IN_PROGRESS", "changes", span, "DYNAMODB_JSON", "", f"s3://exports/a/{place}"),
        (BEGUN.export_id, "COMPLETED", "full", moment, "DYNAMODB_JSON", "12,345", f"s3://exports/{place}"),
        (BEGUN.export_id, "FAILED: S3NoSuchBucket", "full, filtered", moment, "ION", "", f"s3://exports/{place}"),
    ]
    widths = (23, 22, 14, 44, 13, 6, 0)
    expected = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    assert render_exports([changes, DONE, failed]).splitlines() == expected
    assert render_exports([]) == ""
