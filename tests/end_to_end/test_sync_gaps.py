"""`sync --incremental` where something is lost: it says what, and how to go on; and then snapshots equal the table."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import converter
from converter import ConvertOptions
from converter.errors import BusyError, DataFileError, ExportError, StorageError, UsageError
from converter.options import SchemaText
from tests.end_to_end.nights import BEGIN, HOUR, Nights, items_at
from tests.end_to_end.syncing import assert_holds
from tests.servers.dynamodb import PlayedDynamoDb


@pytest.fixture
def nights(service: PlayedDynamoDb, tmp_path: Path) -> Nights:
    return Nights(service, tmp_path / "out")


def test_changes_before_what_recovery_reaches_are_a_gap(nights: Nights) -> None:
    nights.run(0, merge=True)
    nights.service.recovery = (BEGIN + 2 * HOUR, BEGIN)
    with pytest.raises(ExportError, match="reaches back to") as error:
        nights.run(4, merge=True)
    assert "--on-gap full" in str(error.value.hint)
    assert len(nights.service.exports) == 1
    done = nights.run(4, merge=True, on_gap="full")
    assert done.full is not None
    assert done.gap
    assert any("exported again" in warning for warning in done.warnings)
    assert_holds(nights.snapshot(), items_at(4))
    nights.run(6, merge=True)
    assert_holds(nights.snapshot(), items_at(6))


def test_what_the_service_begins_no_export_of_is_busy_after_the_rest_is_published(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    nights.run(0, merge=True)
    nights.service.refuse_next("DescribeExport", "AccessDeniedException")
    with pytest.raises(StorageError):
        nights.run(20, merge=True)
    nights.service.refuse_next("ExportTableToPointInTime", "LimitExceededException")
    with pytest.raises(BusyError) as error:
        nights.run(30, merge=True)
    assert f"is current through {BEGIN + 20 * HOUR:%Y-%m-%dT%H:00:00Z}" in error.value.what
    done = nights.run(30, merge=True)
    assert [(window.begin, window.end) for window in done.windows] == [(BEGIN + 20 * HOUR, BEGIN + 30 * HOUR)]
    assert_holds(nights.snapshot(), items_at(30))


@pytest.mark.slow
def test_a_table_that_was_made_anew_is_a_gap(nights: Nights) -> None:
    nights.run(0, merge=True)
    client = nights.service.behind.service("dynamodb")
    client.delete_table(TableName=nights.table.name)
    client.create_table(
        TableName=nights.table.name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    on = {"PointInTimeRecoveryEnabled": True}
    client.update_continuous_backups(TableName=nights.table.name, PointInTimeRecoverySpecification=on)
    with pytest.raises(ExportError, match="deleted and re-created"):
        nights.run(4, merge=True)
    nights.run(4, merge=True, on_gap="full")
    nights.run(8, merge=True)
    assert_holds(nights.snapshot(), items_at(8))


def test_increments_that_are_gone_before_they_were_merged_are_a_gap_of_the_snapshot(nights: Nights) -> None:
    nights.run(0)
    nights.run(3)
    nights.service.behind.delete(nights.place.bucket)
    with pytest.raises(ExportError, match="can't be merged any more"):
        nights.run(6, merge=True)
    done = nights.run(6, merge=True, on_gap="full")
    assert done.gap
    assert_holds(nights.snapshot(), items_at(6))


@pytest.mark.slow
def test_a_snapshot_that_was_removed_is_a_gap_and_not_passed_over(nights: Nights) -> None:
    nights.run(0, merge=True)
    nights.run(3, merge=True)
    shutil.rmtree(Path(nights.dest) / "snapshot")
    with pytest.raises(ExportError, match="there is no snapshot"):
        nights.run(6, merge=True)
    nights.run(6, merge=True, on_gap="full")
    nights.run(8, merge=True)
    assert_holds(nights.snapshot(), items_at(8))


@pytest.mark.slow
def test_changes_that_do_not_follow_the_snapshot_are_a_gap(nights: Nights) -> None:
    nights.run(0)
    nights.run(5)
    inside = converter.start_export(nights.table.name, nights.place, time=BEGIN + 2 * HOUR).state.arn
    converter.wait_for_export(inside)
    converter.convert(inside, Path(nights.dest) / "snapshot", ConvertOptions(replace=True))
    with pytest.raises(ExportError, match="don't follow the snapshot"):
        nights.run(8, merge=True)
    nights.run(8, merge=True, on_gap="full")
    nights.run(9, merge=True)
    assert_holds(nights.snapshot(), items_at(9))


def test_a_snapshot_with_other_columns_is_told_of_before_an_export_is_made(nights: Nights) -> None:
    without = ConvertOptions(exclude=("id",))
    nights.run(0, without)
    nights.run(3, without)
    with pytest.raises(UsageError, match=r"another --exclude: \['id'\]") as error:
        nights.run(6, merge=True)
    assert "--on-gap full" in error.value.hint
    assert len(nights.service.exports) == 2
    done = nights.run(6, merge=True, on_gap="full")
    assert [(window.begin, window.end) for window in done.windows] == [(BEGIN + 3 * HOUR, BEGIN + 6 * HOUR)]
    nights.run(9, merge=True)
    assert_holds(nights.snapshot(), items_at(9))
    content = '{"version": 1, "columns": [{"attribute": "price", "drop": true}]}'
    with pytest.raises(UsageError, match="'price', which the schema file drops"):
        nights.run(12, ConvertOptions(schema=SchemaText("schema.json", content)), merge=True)
    assert len(nights.service.exports) == 5


@pytest.mark.slow
def test_a_part_that_is_missing_and_increments_that_are_damaged_name_the_way_on(nights: Nights) -> None:
    nights.run(0, merge=True)
    nights.run(24, merge=True)
    nights.snapshot()[0].unlink()
    with pytest.raises(DataFileError, match="missing") as error:
        nights.run(27, merge=True)
    newest = max((Path(nights.dest) / "snapshot" / "_exports").glob("*.json"), key=lambda path: path.stat().st_mtime)
    assert f"delete {newest}" in error.value.hint
    newest.unlink()
    nights.run(27, merge=True)
    assert_holds(nights.snapshot(), items_at(27))

    increment = nights.run(30).windows[0].export_arn
    assert increment is not None
    behind, bucket = nights.service.behind, nights.place.bucket
    manifest = str(nights.service.exports[increment].description["ExportManifest"])
    files = behind.client().get_object(Bucket=bucket, Key=manifest.replace("-summary", "-files"))["Body"].read()
    data = json.loads(files.splitlines()[0])["dataFileS3Key"]
    size = behind.client().head_object(Bucket=bucket, Key=data)["ContentLength"]
    behind.client().put_object(Bucket=bucket, Key=data, Body=b"x" * size)
    with pytest.raises(DataFileError, match="md5") as error:
        nights.run(33, merge=True)
    assert "delete this export's manifest-summary.json" in error.value.hint
    behind.client().delete_object(Bucket=bucket, Key=manifest)
    nights.run(33, merge=True, on_gap="full")
    assert_holds(nights.snapshot(), items_at(33))
