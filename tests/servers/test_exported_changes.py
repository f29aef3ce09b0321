"""Windows of a history, exported by the played service: their files, and what replaying and merging them gives."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

import converter
from converter import ConvertOptions, MergeRules
from converter.testing import OutputFormat
from tests import strategies
from tests.end_to_end.exports import written_parts
from tests.examples import examples
from tests.oracle import assert_equal_to_table, expected_table_of
from tests.oracle_changes import ReadChange, read_changes
from tests.oracle_ion import read_ion_changes
from tests.oracle_merges import key_of, replay_exports
from tests.servers.dynamodb import PlayedDynamoDb, play_dynamodb
from tests.servers.export_files import write_files
from tests.servers.exporting import begin, begin_window, folder_of, poll
from tests.servers.history import changes_within, items_at
from tests.servers.s3 import S3Server

FORMATS: tuple[OutputFormat, ...] = ("DYNAMODB_JSON", "ION")
VIEWS = ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")
KEYS = ("id", "rank")
MORNING = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0) - timedelta(days=3)
Item = dict[str, Any]


def item(name: str, price: str | None = None, rank: str = "1") -> Item:
    image: Item = {"id": {"S": name}, "rank": {"N": rank}}
    return image if price is None else {**image, "price": {"N": price}, "tags": {"SS": ["a", "b"]}, "b": {"B": "/w=="}}


def hour(number: float) -> datetime:
    return MORNING + timedelta(hours=number)


# The window that matters is the one from 1 to 2.
STORY: dict[datetime, list[Item]] = {
    hour(0): [item(name, "1") for name in ("stays", "updated", "deleted", "back", "again", "late", "moved")],
    hour(1): [
        *(item(name, "1") for name in ("stays", "deleted", "late", "moved")),
        *(item(name, "2") for name in ("updated", "back", "at-once", "short")),
    ],
    hour(1.25): [
        *(item(name, "1") for name in ("stays", "back", "again", "late")),
        *(item(name, "3.5") for name in ("updated", "at-once")),
        item("moved", "1", rank="2"),
    ],
    hour(2): [item("late", "2"), item("stays")],
}


def exported(
    service: PlayedDynamoDb, history: dict[datetime, list[Item]], bounds: Sequence[datetime], format: str, view: str
) -> tuple[str, list[dict[str, Any]]]:
    """The bucket and the descriptions of a full export at the first of the bounds, and of each window after it."""
    table, bucket = service.new_table({"id": "S", "rank": "N"}), service.behind.new_bucket()
    service.history[table.name] = history
    service.polls = 0
    client = service.server.service("dynamodb", retries={"total_max_attempts": 1})
    asked = {"TableArn": table.arn, "S3Bucket": bucket, "S3Prefix": "nightly", "ExportFormat": format}
    begun = [begin(client, **asked, ExportTime=bounds[0])]
    begun += [begin_window(client, start, end, view, **asked) for start, end in pairwise(bounds)]
    return bucket, [poll(client, description) for description in begun]


def read(folder: Path, format: str) -> list[ReadChange]:
    return read_ion_changes(folder) if format == "ION" else read_changes(folder)


def in_order(items: Sequence[Item]) -> list[Item]:
    """The items in the order of their keys."""
    return sorted(items, key=lambda image: key_of(image, KEYS))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("format", FORMATS)
def test_a_window_has_one_line_for_each_item_that_was_written_in_it(
    dynamodb: PlayedDynamoDb, tmp_path: Path, format: OutputFormat, view: str
) -> None:
    bucket, (_, _, done, _) = exported(dynamodb, STORY, [hour(0.5), hour(1), hour(2), hour(3)], format, view)
    dynamodb.behind.download(bucket, tmp_path)
    changes = {(c.keys["id"]["S"], c.keys["rank"]["N"]): c for c in read(folder_of(tmp_path, done), format)}
    assert {
        (
            name,
            rank,
            change.micros / 1e6,
            change.old and change.old["price"]["N"],
            change.new and change.new["price"]["N"],
        )
        for (name, rank), change in changes.items()
    } == {
        (name, rank, hour(written).timestamp(), old if view == VIEWS[1] else None, new)
        for name, rank, written, old, new in (
            ("updated", "1", 1.25, "1", "3.5"),
            ("deleted", "1", 1.25, "1", None),
            ("back", "1", 1.25, "1", "1"),
            ("again", "1", 1.25, "1", "1"),
            ("at-once", "1", 1.25, None, "3.5"),
            ("moved", "1", 1.25, "1", None),
            ("moved", "2", 1.25, None, "1"),
        )
    }
    summary = json.loads((tmp_path / done["ExportManifest"]).read_bytes())
    assert (summary["outputFormat"], summary["outputView"], summary["itemCount"]) == (format, view, 7)
    assert (done["ItemCount"], done["BilledSizeBytes"]) == (7, summary["billedSizeBytes"])
    window = done["IncrementalExportSpecification"]
    assert window == {"ExportFromTime": hour(1), "ExportToTime": hour(2), "ExportViewType": view}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("format", FORMATS)
def test_a_table_and_the_windows_after_it_are_merged_by_their_arns(
    dynamodb: PlayedDynamoDb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, format: OutputFormat, view: str
) -> None:
    # A full export at the very moment of a change, windows that end with one, and one in which nothing happens.
    bounds = [hour(1), hour(1.25), hour(1.5), hour(2), hour(2.5)]
    _, (full, *windows) = exported(dynamodb, STORY, bounds, format, view)
    dynamodb.server.use(monkeypatch)
    arns = [window["ExportArn"] for window in windows]
    options = ConvertOptions(workers=1)
    rules = MergeRules(verify=view == VIEWS[1])
    report = converter.merge(full["ExportArn"], arns, tmp_path, options, rules=rules)
    table = expected_table_of(STORY[hour(2)])
    assert_equal_to_table(table, written_parts(tmp_path, report), "parquet", key="id")
    assert report.merge is not None
    # Items that came and went in between: at-once, short, and moved with its second rank.
    assert report.merge.unknown_deletes == 3
    changes = sum(window["ItemCount"] for window in windows)
    assert changes == 5 + 8 + 0 + 7
    # That there is no old image is compared too.
    images = (changes, 0) if rules.verify else (None, None)
    assert (report.merge.old_images, report.merge.different_images) == images


@st.composite
def histories(draw: st.DrawFn) -> dict[datetime, list[Item]]:
    """A few items that come, change and go, often at the very ends of windows."""
    names = draw(st.lists(strategies.texts().filter(bool), min_size=1, max_size=4, unique=True))
    quarters = draw(st.lists(st.integers(0, 40), min_size=1, max_size=6, unique=True))
    few: list[Item] = [{}, {"v": {"N": "1"}}, {"v": {"NULL": True}}]
    values: st.SearchStrategy[Item] = st.sampled_from(few) | strategies.items()
    return {
        hour(quarter / 4): [
            {**draw(values), "id": {"S": name}, "rank": {"N": draw(st.sampled_from(["1", "2.5"]))}}
            for name in names
            if draw(st.booleans())
        ]
        for quarter in quarters
    }


@settings(max_examples=examples(20))
@given(histories(), st.sampled_from(FORMATS), st.sampled_from(VIEWS), st.data())
def test_what_was_exported_of_any_history_is_replayed_to_its_end(
    ministack: S3Server, history: dict[datetime, list[Item]], format: OutputFormat, view: str, data: st.DataObject
) -> None:
    quarters = data.draw(st.lists(st.integers(0, 41), min_size=2, max_size=4, unique=True))
    bounds = [hour(quarter / 4) for quarter in sorted(quarters)]
    with play_dynamodb(ministack) as service, tempfile.TemporaryDirectory() as folder:
        bucket, (full, *windows) = exported(service, history, bounds, format, view)
        ministack.download(bucket, Path(folder))
        base = folder_of(Path(folder), full)
        increments = [folder_of(Path(folder), window) for window in windows]
        for number, bound in enumerate(bounds):
            found = replay_exports(base, increments[:number])
            assert in_order(found) == in_order(table_before(history, bound))
        for increment, (start, end) in zip(increments, pairwise(bounds), strict=True):
            before = {key_of(image, KEYS): image for image in table_before(history, start)}
            for change in read(increment, format):
                assert start.timestamp() * 1e6 <= change.micros < end.timestamp() * 1e6
                assert change.old == (before.get(key_of(change.keys, KEYS)) if view == VIEWS[1] else None)


def table_before(history: dict[datetime, list[Item]], moment: datetime) -> list[Item]:
    """The table as the last write before the moment has left it."""
    return next((history[time] for time in sorted(history, reverse=True) if time < moment), [])


@pytest.mark.parametrize(
    ("begins", "ends", "message"),
    [
        (hour(1), hour(1.25) - timedelta(milliseconds=1), "is less than 15 minutes"),
        (hour(-12), hour(12) + timedelta(milliseconds=1), "is greater than 24 hours"),
        (hour(2), hour(1), "should not be greater or equal"),
        (hour(1), hour(1), "should not be greater or equal"),
        (hour(-13) - timedelta(seconds=1), hour(1), "cannot be less than"),
        (hour(1), hour(13) + timedelta(seconds=1), "cannot be greater than"),
    ],
)
def test_a_window_that_the_service_does_not_take_is_refused(
    dynamodb: PlayedDynamoDb, begins: datetime, ends: datetime, message: str
) -> None:
    table = dynamodb.new_table()
    dynamodb.history[table.name] = {}
    dynamodb.recovery = (hour(-13), hour(13))
    client = dynamodb.server.service("dynamodb", retries={"total_max_attempts": 1})
    with pytest.raises(ClientError, match=f"InvalidExportTimeException.*{message}"):
        begin_window(client, begins, ends, TableArn=table.arn, S3Bucket="any")
    assert dynamodb.exports == {}
    for taken in ((hour(1), hour(1.25)), (hour(-11), hour(13)), (hour(-13), hour(11))):
        assert begin_window(client, *taken, TableArn=table.arn, S3Bucket="any")["ExportStatus"] == "IN_PROGRESS"


WINDOW = {"ExportFromTime": hour(1), "ExportToTime": hour(2)}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"ExportType": "FULL_EXPORT", "IncrementalExportSpecification": WINDOW}, "should not be provided"),
        ({"IncrementalExportSpecification": WINDOW}, "should not be provided"),
        ({"ExportType": "INCREMENTAL_EXPORT"}, "Specification expected"),
        (
            {"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": WINDOW, "ExportTime": hour(2)},
            "Export Time should not",
        ),
        (
            {"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": {"ExportToTime": hour(2)}},
            "ExportFromTime must",
        ),
        (
            {
                "ExportType": "INCREMENTAL_EXPORT",
                "IncrementalExportSpecification": {**WINDOW, "ExportViewType": "OLD_IMAGE"},
            },
            "enum value set: .NEW_IMAGE, NEW_AND_OLD_IMAGES",
        ),
        ({"ExportType": "PARTIAL"}, "enum value set: .FULL_EXPORT, INCREMENTAL_EXPORT"),
    ],
)
def test_a_request_that_contradicts_itself_is_refused(
    dynamodb: PlayedDynamoDb, asked: dict[str, Any], message: str
) -> None:
    table = dynamodb.new_table()
    dynamodb.history[table.name] = {}
    client = dynamodb.server.service("dynamodb", retries={"total_max_attempts": 1})
    with pytest.raises(ClientError, match=f"ValidationException.*{message}"):
        begin(client, TableArn=table.arn, S3Bucket="any", **asked)
    assert dynamodb.exports == {}


def test_a_window_has_the_services_defaults(dynamodb: PlayedDynamoDb) -> None:
    table = dynamodb.new_table()
    dynamodb.history[table.name] = {}
    dynamodb.recovery = (hour(0), hour(3))
    client = dynamodb.server.service("dynamodb")
    window = {"ExportFromTime": hour(1)}
    asked = {"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": window}
    begun = begin(client, TableArn=table.arn, S3Bucket=dynamodb.behind.new_bucket(), **asked)
    assert begun["IncrementalExportSpecification"] == {
        "ExportFromTime": hour(1),
        "ExportToTime": hour(3),
        "ExportViewType": "NEW_AND_OLD_IMAGES",
    }


def test_changes_of_a_table_without_a_history_are_refused(dynamodb: PlayedDynamoDb) -> None:
    table = dynamodb.new_table()
    client = dynamodb.server.service("dynamodb")
    with pytest.raises(ClientError, match=f"gives {table.name} a history"):
        begin_window(client, hour(1), hour(2), TableArn=table.arn, S3Bucket="any")


def test_exports_of_changes_share_a_folder_of_data_files_that_have_their_own_names(
    dynamodb: PlayedDynamoDb, tmp_path: Path
) -> None:
    bucket, windows = exported(dynamodb, STORY, [hour(number) for number in (0, 1, 2, 3)], "ION", VIEWS[1])
    dynamodb.behind.download(bucket, tmp_path)
    data = sorted((tmp_path / "nightly" / "AWSDynamoDB" / "data").iterdir())
    # Two that hold the changes, and an empty one, of each of the three windows.
    assert len(data) == 9
    lines = [line for path in data for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert len(lines) == sum(window["ItemCount"] for window in windows[1:])
    assert all(path.name.endswith(".ion.gz") for path in data)
    assert all(line.startswith(b" $ion_1_0 {Record:{Keys:{") for line in lines)


def test_exports_that_begin_at_once_have_data_files_of_their_own(dynamodb: PlayedDynamoDb, tmp_path: Path) -> None:
    _, (_, *windows) = exported(dynamodb, STORY, [hour(0), hour(1), hour(2)], "DYNAMODB_JSON", VIEWS[1])
    one, other = ({**window, "StartTime": MORNING.timestamp(), "EndTime": hour(1).timestamp()} for window in windows)
    for window in (one, other):
        window["IncrementalExportSpecification"] = {
            "ExportFromTime": hour(1).timestamp(),
            "ExportToTime": hour(2).timestamp(),
            "ExportViewType": VIEWS[1],
        }
    names = [path.name for window in (one, other) for path in write_files(tmp_path, window, (), ()).data_files]
    assert len(set(names)) == len(names) == 6


def test_a_history_whose_items_can_not_be_told_apart_is_refused() -> None:
    for items, message in (
        ([{"id": {"S": "a"}}], "lacks one of its keys, id, rank"),
        ([item("a", "1"), item("a", "2")], "two items of one moment with the same keys"),
    ):
        with pytest.raises(ValueError, match=message):
            changes_within({hour(1): items}, KEYS, hour(1), hour(2))


def test_a_table_at_a_moment_is_without_what_is_written_then() -> None:
    assert items_at(STORY, hour(0)) == ()
    assert items_at(STORY, hour(1)) == STORY[hour(0)]
    assert items_at(STORY, hour(1) + timedelta(microseconds=1)) == STORY[hour(1)]
