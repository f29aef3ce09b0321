"""A report's summary says what the report says."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

from converter.cli.render_report import render_report, report_line
from converter.publishing.merge_history import Link, MergeChain, MergeReport
from converter.publishing.report import ColumnReport, Part, Report, SchemaChange
from converter.schema.column_types import Origin


def _column(name: str, type: str, changed: int = 0) -> ColumnReport:
    return ColumnReport(
        name=name,
        attribute=name,
        type=type,
        origin=Origin.NUMBER,
        types={"N": 5},
        nulls=0,
        absent=0,
        integer_digits=3,
        decimals=0,
        longest=0,
        changed=changed,
    )


REPORT = Report(
    status="published",
    export_id="01701065507109-cce6a3f8",
    table="Orders",
    kind="items",
    export_time="2023-11-27T06:11:47.109Z",
    date="2023-11-27",
    source="fixtures/orders",
    destination="out/",
    locations=("dt=2023-11-27/01701065507109-cce6a3f8",),
    format="parquet",
    compression="zstd",
    items=1234,
    data_files=4,
    parts=(Part("a", 1000, 10, ""), Part("b", 234, 10, "")),
    bytes_in=1_000_000,
    bytes_read=2_000_000,
    bytes_json=9_000_000,
    bytes_out=800_000,
    seconds=0.5,
    passes=2,
    columns=(_column("pk", "int64"), _column("price", "double", changed=7), _column("size", "double")),
    column_changes=(),
    warnings=(),
    verified=True,
)


def test_what_has_changed_about_the_columns_is_listed() -> None:
    added = tuple(SchemaChange(f"c{n}", f"c{n}", "added", None, "int64") for n in range(12))
    wider = SchemaChange("price", "price", "widened", "int64", "decimal128(38, 2)")
    unseen = SchemaChange("old", "old", "unseen", "int64", "int64")
    lines = render_report(dataclasses.replace(REPORT, column_changes=(*added, wider, unseen))).splitlines()
    assert lines[4:6] == [
        "  new      c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 and 2 more",
        "  wider    price (int64 → decimal128(38, 2))",
    ]


def test_a_published_export_has_its_figures() -> None:
    assert render_report(REPORT).splitlines() == [
        "published 1,234 items of Orders as 2 parts, 800 kB (parquet, zstd)",
        "  export   01701065507109-cce6a3f8, items, 2023-11-27T06:11:47.109Z",
        "  to       out/dt=2023-11-27/01701065507109-cce6a3f8",
        "  columns  3: 2 double, 1 int64",
        "  rounded  price (7 values)",
        "  checked  md5 and item counts of 4 data files",
        "  read     1.00 MB (9.00 MB of JSON) in 0.50 s, in 2 passes, 18 MB/s of JSON",
    ]


def test_what_was_not_checked_is_said() -> None:
    report = dataclasses.replace(REPORT, verified=False)
    assert "  checked  nothing (--no-verify)" in render_report(report).splitlines()


def test_an_export_that_is_there_already_is_nothing_to_do() -> None:
    report = dataclasses.replace(REPORT, status="unchanged")
    assert report_line(report) == "nothing to do: 1,234 items of Orders are already published with these options"
    assert "checked" not in render_report(report)


def test_a_plan_says_that_nothing_was_written() -> None:
    report = dataclasses.replace(REPORT, status="planned", format="csv", compression="none", parts=(), columns=())
    assert report_line(report) == "would publish 1,234 items of Orders from 4 data files (csv); nothing was written"
    assert render_report(report).splitlines()[1:] == [
        "  export   01701065507109-cce6a3f8, items, 2023-11-27T06:11:47.109Z",
        "  to       out/dt=2023-11-27/01701065507109-cce6a3f8",
    ]


def test_a_plan_of_a_snapshot_says_whose_items_it_counts() -> None:
    moment = datetime(2023, 11, 27, tzinfo=UTC)
    base, after = (Link(name, "", name, moment, moment) for name in ("items", "changes"))
    merge = MergeReport(chain=MergeChain(base, (after,)))
    report = dataclasses.replace(REPORT, status="planned", kind="snapshot", parts=(), columns=(), merge=merge)
    assert report_line(report).startswith(
        f"would publish a snapshot of {REPORT.table}, based on {REPORT.items:,} items, from "
    )


def test_one_of_a_thing_is_singular() -> None:
    report = dataclasses.replace(REPORT, items=1, parts=REPORT.parts[:1], passes=1, data_files=1, seconds=0.0)
    text = render_report(report)
    assert text.startswith("published 1 item of Orders as 1 part, ")
    assert text.endswith("md5 and item counts of 1 data file\n  read     1.00 MB (9.00 MB of JSON) in 0.00 s")


def test_two_formats_have_a_line_for_each_folder_and_their_shares() -> None:
    folders = [f"{name}/dt=2023-11-27/01701065507109-cce6a3f8" for name in ("csv", "parquet")]
    parts = (
        Part(f"{folders[0]}/0.csv", 1234, 500_000, ""),
        Part(f"{folders[1]}/0.parquet", 1000, 200_000, ""),
        Part(f"{folders[1]}/1.parquet", 234, 100_000, ""),
    )
    report = dataclasses.replace(
        REPORT, format="csv,parquet", compression="csv=none,parquet=zstd", locations=tuple(folders), parts=parts
    )
    lines = render_report(report).splitlines()
    assert lines[0] == "published 1,234 items of Orders as 3 parts, 800 kB (csv + parquet, zstd)"
    assert lines[2:5] == [
        f"  to       out/{folders[0]}",
        f"  to       out/{folders[1]}",
        "  parts    1 part of csv, 500 kB, 2 parts of parquet, 300 kB",
    ]
    zipped = dataclasses.replace(report, compression="csv=gzip,parquet=none", status="planned", parts=())
    assert "(csv, gzip + parquet)" in report_line(zipped)
    assert "of them" not in render_report(zipped)
