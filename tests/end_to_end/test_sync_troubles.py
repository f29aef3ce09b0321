"""`sync` beside others and after damage: never a second export for a day, never a day that is not the one asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import converter
from converter import ConvertOptions
from converter.conversion.progress import SilentListener
from converter.errors import BusyError, DataFileError, ExportError, UsageError
from converter.options import SchemaText
from tests.end_to_end.syncing import DAY, ITEMS, assert_holds, begun, published, target
from tests.servers.dynamodb import PlayedDynamoDb

MIDNIGHT = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) + timedelta(days=1)


def test_damaged_parts_are_published_anew_from_their_own_export_however_many_others_there_are(
    service: PlayedDynamoDb, tmp_path: Path
) -> None:
    table, place, out = service.new_table(items=ITEMS), target(service), tmp_path / "out"
    first = converter.sync(table.name, out, place)
    converter.wait_for_export(converter.start_export(table.name, place, client_token="a-later-one").state.arn)
    ((_, parts),) = published(out).items()
    parts[0].unlink()
    done = converter.sync(table.name, out, place)
    assert done.report is not None
    assert (done.export_arn, done.report.status) == (first.export_arn, "published")
    ((_, parts),) = published(out).items()
    assert_holds(parts, ITEMS)
    assert begun(service) == 2


def test_damaged_parts_whose_export_is_gone_are_told_before_another_export_is_made(
    service: PlayedDynamoDb, tmp_path: Path
) -> None:
    table, place, out = service.new_table(items=ITEMS), target(service), tmp_path / "out"
    converter.sync(table.name, out, place, day=DAY)
    published(out)[str(DAY)][0].unlink()
    service.behind.delete(place.bucket)
    with pytest.raises(ExportError, match="pass --replace"):
        converter.sync(table.name, out, place, day=DAY)
    assert begun(service) == 1
    done = converter.sync(table.name, out, place, ConvertOptions(replace=True), day=DAY)
    assert done.export == "started"
    assert_holds(published(out)[str(DAY)], ITEMS)
    assert converter.sync(table.name, out, place, day=DAY).export == "published"


def test_a_day_that_another_run_publishes_meanwhile_from_another_export_is_done(
    service: PlayedDynamoDb, tmp_path: Path
) -> None:
    table, place, out = service.new_table(items=ITEMS), target(service), tmp_path / "out"
    other: list[str] = []

    class Meanwhile(SilentListener):
        def phase(self, text: str) -> None:
            if text.startswith("started") and not other:
                state = converter.start_export(table.name, place, client_token="theirs").state
                other.append(converter.wait_for_export(state.arn).arn)
                converter.convert(state.arn, out)

    done = converter.sync(table.name, out, place, listener=Meanwhile())
    assert done.report is not None
    assert (done.export, done.export_arn, done.report.status) == ("published", other[0], "unchanged")


def test_an_export_that_has_the_dates_token_from_another_time_zone_is_not_the_days(
    service: PlayedDynamoDb, tmp_path: Path
) -> None:
    table, place = service.new_table(items=ITEMS), target(service)
    converter.sync(table.name, tmp_path / "first", place)
    # As if it had begun where this date was earlier.
    (theirs,) = service.exports.values()
    theirs.description["StartTime"] -= 86400
    theirs.description["ExportTime"] -= 86400
    done = converter.sync(table.name, tmp_path / "out", place)
    assert (done.export, begun(service)) == ("started", 2)
    assert done.export_arn != theirs.arn
    assert converter.sync(table.name, tmp_path / "again", place).export_arn == done.export_arn


def test_a_day_that_was_published_before_it_was_over_stays_and_is_told(service: PlayedDynamoDb, tmp_path: Path) -> None:
    table, place, out = service.new_table(items=ITEMS[:7]), target(service), tmp_path / "out"
    noon = MIDNIGHT - timedelta(hours=12)
    service.history[table.name] = {noon - timedelta(hours=1): ITEMS[:3], MIDNIGHT - timedelta(minutes=1): ITEMS}
    early = converter.start_export(table.name, place, time=noon).state
    converter.wait_for_export(early.arn)
    converter.convert(early.arn, out)
    done = converter.sync(table.name, out, place, day=DAY)
    assert done.export == "published"
    assert "before it was over; pass --replace" in done.warnings[0]
    assert begun(service) == 1
    done = converter.sync(table.name, out, place, ConvertOptions(replace=True), day=DAY)
    assert done.export == "started"
    assert_holds(published(out)[str(DAY)], ITEMS)
    assert converter.sync(table.name, out, place, day=DAY).warnings == ()


def test_an_export_with_a_damaged_data_file_ends_the_run_with_a_way_out(
    service: PlayedDynamoDb, tmp_path: Path
) -> None:
    table, place = service.new_table(items=ITEMS), target(service)
    converter.wait_for_export(converter.start_export(table.name, place).state.arn)
    client = service.behind.client()
    for key, content in service.behind.listing(place.bucket).items():
        if key.endswith(".json.gz"):
            client.put_object(Bucket=place.bucket, Key=key, Body=content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DataFileError, match=r"delete this export's manifest-summary\.json"):
        converter.sync(table.name, tmp_path / "out", place)
    service.behind.delete(place.bucket, "manifest-summary.json")
    assert converter.sync(table.name, tmp_path / "out", place).export == "started"
    ((_, parts),) = published(tmp_path / "out").items()
    assert_holds(parts, ITEMS)


def test_what_can_be_known_to_fail_is_refused_before_an_export_is_made(service: PlayedDynamoDb, tmp_path: Path) -> None:
    table, place, out = service.new_table(items=ITEMS), target(service), tmp_path / "out"
    with pytest.raises(UsageError, match="--layout"):
        converter.sync(table.name, out, place, ConvertOptions(layout="dt={from}"))
    with pytest.raises(UsageError, match=r"columns\.json"):
        converter.sync(table.name, out, place, ConvertOptions(schema=SchemaText("columns.json", "{")))
    with pytest.raises(UsageError, match="--export-id"):
        converter.sync(table.name, out, place, ConvertOptions(export_id="01701065507109-cce6a3f8"))
    with pytest.raises(UsageError, match="has a time of day"):
        converter.sync(table.name, out, place, day=MIDNIGHT)
    for option in (ConvertOptions(), ConvertOptions(dry_run=True)):
        with pytest.raises(UsageError, match="--date: 0001-01-01 can't be exported any more"):
            converter.sync(table.name, out, place, option, day=datetime.min.date())
        with pytest.raises(UsageError, match="point-in-time recovery is disabled"):
            converter.sync(service.new_table(recovers=False).name, out, place, option)
    assert begun(service) == 0


def test_a_day_that_recovery_has_not_come_to_is_left_for_later(service: PlayedDynamoDb, tmp_path: Path) -> None:
    table = service.new_table(items=ITEMS)
    service.recovery = (MIDNIGHT - timedelta(days=30), MIDNIGHT - timedelta(minutes=1))
    with pytest.raises(BusyError, match="can't be exported yet"):
        converter.sync(table.name, tmp_path / "out", target(service), day=DAY)
    assert begun(service) == 0
