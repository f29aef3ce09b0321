"""The record: its JSON form, what is refused when it is read back, and the folder that a layout means."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest

from converter.errors import StorageError, UsageError
from converter.options import ConvertOptions
from converter.publishing.record import Record, export_date, make_record, render_layout
from converter.version import VERSION
from tests.unit.publishing.published import (
    COLUMNS,
    EXPORT_ID,
    make_example_record,
    make_export,
    make_report,
    make_window,
)

PLACE = f"out/_exports/{EXPORT_ID}.json"
RECORD = make_example_record()
WINDOW = make_window(datetime(2024, 5, 26, 0, 0, 0, 999000, tzinfo=UTC), datetime(2024, 5, 27, 0, 0, tzinfo=UTC))


def members_of(record: Record) -> dict[str, object]:
    members = json.loads(record.to_json())
    assert isinstance(members, dict)
    return members


def test_a_record_survives_its_way_through_json() -> None:
    assert Record.from_json(RECORD.to_json(), PLACE) == RECORD


def test_a_record_without_parts_and_columns_survives_too() -> None:
    export = make_export()
    record = make_record(export, ConvertOptions(), (), make_report(export, ("dt=1/x",), ()), 1)
    assert Record.from_json(record.to_json(), PLACE) == record
    assert record.locations == ()


def test_a_record_has_these_members_in_this_order() -> None:
    assert list(members_of(RECORD)) == [
        *("version", "exportId", "exportArn", "tableArn", "tableId", "kind", "sequence", "exportTime", "date"),
        *("timezone", "layout", "source", "parts", "columns", "options", "optionsHash", "verified", "writer", "report"),
    ]


def test_a_record_says_what_was_published_and_how() -> None:
    options = ConvertOptions(timezone="Asia/Tokyo", key=("id",), workers=3)
    export = make_export(time=datetime(2023, 11, 27, 15, 0, tzinfo=UTC))
    members = members_of(make_example_record(options, export))
    assert members["version"] == 3
    assert members["exportTime"] == "2023-11-27T15:00:00.000Z"
    assert members["date"] == "2023-11-28"
    assert members["timezone"] == "Asia/Tokyo"
    assert members["options"] == options.published()
    assert members["optionsHash"] == options.published_hash()
    assert members["writer"] == f"ddb-convert {VERSION}"
    assert members["columns"] == [
        {"name": "id", "attribute": "id", "type": "string", "origin": "text"},
        {"name": "price", "attribute": "price", "type": "decimal128(38, 2)", "origin": "number"},
        {"name": "_more", "attribute": None, "type": "string", "origin": "overflow"},
    ]
    assert members["parts"] == [asdict(part) for part in RECORD.parts]


def test_the_parts_are_not_written_twice() -> None:
    report = members_of(RECORD)["report"]
    assert isinstance(report, dict)
    assert "parts" not in report


def test_the_location_is_the_folder_of_the_parts() -> None:
    assert RECORD.locations == (f"dt=2023-11-27/{EXPORT_ID}",)


def test_a_record_of_both_formats_has_a_folder_for_each() -> None:
    members = members_of(RECORD)
    folders = {"csv": f"csv/dt=1/{EXPORT_ID}", "parquet": f"parquet/dt=1/{EXPORT_ID}"}
    members["parts"] = [
        {"path": f"{folder}/{number}.{name}", "rows": 1, "bytes": 1, "sha256": "ab" * 32}
        for name, folder in folders.items()
        for number in range(2)
    ]
    record = Record.from_json(json.dumps(members).encode(), PLACE)
    assert record.locations == tuple(folders.values())
    for name, folder in folders.items():
        assert [part.path for part in record.parts_of(name)] == [f"{folder}/{number}.{name}" for number in range(2)]
    assert Record.from_json(record.to_json(), PLACE) == record


def test_a_record_of_the_first_version_which_was_never_released_is_refused() -> None:
    members = members_of(RECORD)
    del members["sequence"]
    with pytest.raises(StorageError, match="sequence: missing"):
        Record.from_json(json.dumps({**members, "version": 1}).encode(), PLACE)


def test_unknown_members_are_left_alone() -> None:
    members = {**members_of(RECORD), "futureMember": [1]}
    assert Record.from_json(json.dumps(members).encode(), PLACE) == RECORD


def test_a_record_of_a_newer_version_names_the_file_and_the_way_out() -> None:
    members = {**members_of(RECORD), "version": 4}
    with pytest.raises(UsageError, match="version 4") as caught:
        Record.from_json(json.dumps(members).encode(), PLACE)
    assert caught.value.where == PLACE
    assert "newer" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"version": "1"}', b"[" * 100_000])
def test_a_damaged_record_names_the_file(content: bytes) -> None:
    with pytest.raises(StorageError, match="damaged") as caught:
        Record.from_json(content, PLACE)
    assert caught.value.where == PLACE


@pytest.mark.parametrize("member", list(members_of(RECORD)))
def test_a_missing_member_is_named(member: str) -> None:
    members = members_of(RECORD)
    del members[member]
    with pytest.raises(StorageError, match=rf"\$\.{member}: missing"):
        Record.from_json(json.dumps(members).encode(), PLACE)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("exportTime", "yesterday"),
        ("exportTime", "2023-11-27T06:11:47"),
        ("columns", [{"name": "a", "attribute": "a", "type": "string", "origin": "unheard of"}]),
        ("columns", [{"name": "a", "attribute": 1, "type": "string", "origin": "text"}]),
        ("columns", {}),
        ("options", []),
        ("verified", "yes"),
        ("date", 20231127),
        ("exportId", "01701065507110-aaaaaaaa"),
        ("parts", [{"path": f"a/{EXPORT_ID}/x", "rows": 1.5, "bytes": 1, "sha256": "ab" * 32}]),
    ],
)
def test_a_member_that_cannot_be_right_is_named(member: str, value: object) -> None:
    members = {**members_of(RECORD), member: value}
    with pytest.raises(StorageError, match=rf"\$\.{member}"):
        Record.from_json(json.dumps(members).encode(), PLACE)


@pytest.mark.parametrize(
    "paths",
    [
        [f"../{EXPORT_ID}/0.parquet"],
        [f"/tmp/{EXPORT_ID}/0.parquet"],
        ["dt=1/0.parquet"],
        ["0.parquet"],
        [f"_exports/{EXPORT_ID}/0.parquet"],
        [f"dt=1/{EXPORT_ID}/0.parquet", f"dt=2/{EXPORT_ID}/0.parquet"],
        [f"dt=1/{EXPORT_ID}/0.csv", f"dt=2/{EXPORT_ID}/0.csv.gz"],
        [f"dt=1/{EXPORT_ID}/0.csv", f"dt=1/{EXPORT_ID}/0.parquet"],
        [f"dt=1/{EXPORT_ID}/../x/{EXPORT_ID}/0.parquet"],
    ],
)
def test_parts_outside_of_the_exports_own_folder_are_refused(paths: list[str]) -> None:
    members = members_of(RECORD)
    members["parts"] = [{"path": path, "rows": 1, "bytes": 1, "sha256": "ab" * 32} for path in paths]
    with pytest.raises(StorageError, match="own folder"):
        Record.from_json(json.dumps(members).encode(), PLACE)


@pytest.mark.parametrize(("year", "timezone"), [(9999, "Asia/Tokyo"), (1, "America/New_York")])
def test_at_the_ends_of_the_calendar_a_date_is_the_one_in_utc(year: int, timezone: str) -> None:
    instant = datetime.max.replace(tzinfo=UTC) if year == 9999 else datetime.min.replace(tzinfo=UTC)
    assert export_date(make_export(time=instant), timezone) == instant.date().isoformat()


@pytest.mark.parametrize(
    ("layout", "timezone", "folder"),
    [
        ("dt={date}", "UTC", "dt=2023-11-27"),
        ("dt={date}", "America/Los_Angeles", "dt=2023-11-26"),
        ("{table}/year={date}/", "UTC", "orders/year=2023-11-27"),
        ("a{{b}}", "UTC", "a{b}"),
        ("", "UTC", ""),
        ("fix", "UTC", "fix"),
    ],
)
def test_a_layout_renders_to_a_folder(layout: str, timezone: str, folder: str) -> None:
    assert render_layout(layout, make_export(), timezone) == folder


def test_a_window_renders_its_ends_in_utc_without_colons() -> None:
    folder = render_layout("w={from}_{to}", WINDOW, "Asia/Tokyo")
    assert folder == "w=2024-05-26T00-00-00Z_2024-05-27T00-00-00Z"


def test_the_date_of_a_window_is_that_of_its_last_instant() -> None:
    assert render_layout("dt={date}", WINDOW, "UTC") == "dt=2024-05-26"


@pytest.mark.parametrize("field", ["from", "to"])
def test_a_full_export_has_no_window(field: str) -> None:
    with pytest.raises(UsageError, match=f"no {{{field}}}") as caught:
        render_layout(f"w={{{field}}}", make_export(), "UTC")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("layout", ["{date:%Y}", "{date!r}", "a/./b", "a\nb", "x" * 256, "é" * 128])
def test_a_layout_that_makes_no_usable_folder_is_a_usage_error(layout: str) -> None:
    with pytest.raises(UsageError):
        render_layout(layout, make_export(), "UTC")


@pytest.mark.parametrize("table", ["_exports", ".hidden"])
def test_a_table_whose_folder_readers_would_skip_is_a_usage_error(table: str) -> None:
    with pytest.raises(UsageError, match="readers skip"):
        render_layout("{table}", replace(make_export(), table=table), "UTC")
    assert render_layout("table={table}", replace(make_export(), table=table), "UTC") == f"table={table}"


def test_a_record_keeps_columns_of_every_origin() -> None:
    assert Record.from_json(RECORD.to_json(), PLACE).columns == COLUMNS
