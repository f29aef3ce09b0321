"""Exports begun, waited for and listed over HTTP: with the service as tests play it, in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import converter
from converter import AwsOptions, ExportTarget, Window
from converter.aws.export_state import state_of
from converter.aws.export_wait import FIRST_PAUSE, LONGEST_PAUSE, LONGEST_TROUBLE, wait_for_export
from converter.aws.exports import list_exports
from converter.errors import BusyError, ConvertError, ExportError, StorageError, UsageError
from tests.servers.dynamodb import PlayedDynamoDb, PlayedTable
from tests.servers.faults import Answer, Fault, Reset
from tests.servers.history import Items
from tests.servers.proxy import start_proxy
from tests.servers.s3 import S3Server

ACCESS = AwsOptions().for_source()
ITEMS: Items = [{"id": {"S": "a"}, "b": {"B": b"\x00"}}, {"id": {"S": "b"}, "n": {"N": "1.5"}}]
ARN = "arn:aws:dynamodb:eu-central-1:111122223333:table/Orders/export/01701065507109-cce6a3f8"


@pytest.fixture(autouse=True)
def _service(dynamodb: PlayedDynamoDb, monkeypatch: pytest.MonkeyPatch) -> None:
    dynamodb.server.use(monkeypatch)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


@pytest.fixture
def table(dynamodb: PlayedDynamoDb) -> PlayedTable:
    return dynamodb.new_table("id", ITEMS)


@pytest.fixture
def target(ministack: S3Server) -> ExportTarget:
    return ExportTarget(bucket=ministack.new_bucket(), prefix="nightly/orders")


class Clock:
    """Time that goes by in sleeps alone."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def wait(self, arn: str, **arguments: Any) -> converter.ExportState:
        return wait_for_export(arn, ACCESS, sleep=self.sleep, clock=lambda: self.now, **arguments)


def long_ago(dynamodb: PlayedDynamoDb, export_arn: str) -> None:
    """The export has begun an hour earlier than it has."""
    dynamodb.exports[export_arn].description["StartTime"] -= 3600


def test_an_export_is_begun_once_however_often_the_call_is_repeated(
    dynamodb: PlayedDynamoDb, table: PlayedTable, target: ExportTarget
) -> None:
    first = converter.start_export(table.name, target)
    assert (first.is_new, first.state.status, first.warnings) == (True, "IN_PROGRESS", ())
    long_ago(dynamodb, first.state.arn)
    for name in (table.name, table.arn):
        again = converter.start_export(name, target)
        assert (again.state.arn, again.is_new) == (first.state.arn, False)
    assert len(dynamodb.exports) == 1
    assert len(set(dynamodb.tokens())) == 1


def test_another_token_another_target_another_time_and_a_new_table_begin_another_export(
    dynamodb: PlayedDynamoDb, table: PlayedTable, target: ExportTarget
) -> None:
    hour_ago = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    window = Window(from_time=hour_ago - timedelta(hours=1), to_time=hour_ago)
    dynamodb.history[table.name] = {}
    calls: list[dict[str, Any]] = [{}, {"client_token": table.name}, {"time": hour_ago}, {"window": window}]
    for number, arguments in enumerate(calls, 1):
        assert converter.start_export(table.arn, target, **arguments).is_new
        assert len(dynamodb.exports) == number
    converter.start_export(table.arn, ExportTarget(bucket=target.bucket))
    assert len(dynamodb.exports) == len(calls) + 1


def test_after_eight_hours_the_same_call_begins_another_export(
    dynamodb: PlayedDynamoDb, table: PlayedTable, target: ExportTarget
) -> None:
    converter.start_export(table.arn, target)
    dynamodb.forget_tokens()
    assert converter.start_export(table.arn, target).is_new
    assert len(dynamodb.exports) == 2


def test_one_token_for_two_requests_is_told(table: PlayedTable, target: ExportTarget) -> None:
    converter.start_export(table.arn, target, client_token=table.name)
    with pytest.raises(UsageError, match="another request in the last 8 hours used this client token"):
        converter.start_export(table.arn, ExportTarget(bucket=target.bucket), client_token=table.name)


def test_after_a_failure_the_same_call_begins_a_new_export_and_is_repeated_as_any(
    dynamodb: PlayedDynamoDb, table: PlayedTable, target: ExportTarget
) -> None:
    dynamodb.polls = 0
    arns = []
    for _ in range(2):
        dynamodb.fail_next("AccessDenied", "Access Denied")
        arns.append(converter.start_export(table.arn, target).state.arn)
        long_ago(dynamodb, arns[-1])
        with pytest.raises(ExportError, match="Access Denied"):
            converter.wait_for_export(arns[-1])
    started = converter.start_export(table.arn, target)
    assert started.is_new
    assert converter.start_export(table.arn, target).state.arn == started.state.arn
    assert len({*arns, started.state.arn}) == len(dynamodb.exports) == 3


def test_a_failed_export_with_a_token_of_its_own_needs_another_one(
    dynamodb: PlayedDynamoDb, table: PlayedTable, target: ExportTarget
) -> None:
    dynamodb.polls = 0
    dynamodb.fail_next("AccessDenied", "Access Denied")
    arn = converter.start_export(table.arn, target, client_token=table.name).state.arn
    long_ago(dynamodb, arn)
    with pytest.raises(ExportError):
        converter.wait_for_export(arn)
    with pytest.raises(ExportError, match="with another --client-token") as refused:
        converter.start_export(table.arn, target, client_token=table.name)
    assert refused.value.where == arn
    assert len(dynamodb.exports) == 1


def test_the_service_gets_a_request_exactly_as_it_was_given(
    dynamodb: PlayedDynamoDb, table: PlayedTable, ministack: S3Server
) -> None:
    bucket = ministack.new_bucket()
    target = ExportTarget(
        bucket=bucket, prefix="a/b", bucket_owner="111122223333", format="ION", sse="KMS", kms_key_id="alias/x"
    )
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    window = Window(from_time=end - timedelta(minutes=15), to_time=end, view="new")
    dynamodb.history[table.name] = {}
    state = converter.start_export(table.name, target, window=window, client_token=f"{table.name} 2").state
    assert dynamodb.calls[-1] == (
        "ExportTableToPointInTime",
        {
            "TableArn": table.arn,
            "ClientToken": f"{table.name} 2",
            "S3Bucket": bucket,
            "S3BucketOwner": "111122223333",
            "S3Prefix": "a/b",
            "S3SseAlgorithm": "KMS",
            "S3SseKmsKeyId": "alias/x",
            "ExportFormat": "ION",
            "ExportType": "INCREMENTAL_EXPORT",
            "IncrementalExportSpecification": {
                "ExportFromTime": (end - timedelta(minutes=15)).timestamp(),
                "ExportToTime": end.timestamp(),
                "ExportViewType": "NEW_IMAGE",
            },
        },
    )
    assert (state.window, state.type, state.format) == (window, "INCREMENTAL_EXPORT", "ION")


def test_what_can_not_be_exported_is_refused_before_the_service_is_asked_to(
    dynamodb: PlayedDynamoDb, table: PlayedTable, target: ExportTarget
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    dynamodb.recovery = (now - timedelta(hours=3), now - timedelta(hours=1))
    for hours, what in (
        (4, "before the earliest time of point-in-time recovery"),
        (0.5, "after the latest time"),
        (-1, "future"),
    ):
        with pytest.raises(UsageError, match=what):
            converter.start_export(table.arn, target, time=now - timedelta(hours=hours))
    without = dynamodb.new_table(recovers=False)
    with pytest.raises(UsageError, match="point-in-time recovery is disabled"):
        converter.start_export(without.arn, target)
    for name in ("no", "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/stream/1", "a b c"):
        with pytest.raises(UsageError):
            converter.start_export(name, target)
    with pytest.raises(UsageError, match="the table does not exist"):
        converter.start_export("NotThere", target)
    assert dynamodb.tokens() == []


def test_where_recovery_can_not_be_looked_up_the_service_judges(
    dynamodb: PlayedDynamoDb, table: PlayedTable, target: ExportTarget
) -> None:
    dynamodb.refuse_next("DescribeContinuousBackups", "AccessDeniedException", times=2)
    warnings = converter.start_export(table.arn, target).warnings
    assert ["can't check point-in-time recovery" in warning for warning in warnings] == [True]
    with pytest.raises(UsageError, match="as of this time: Export Time is invalid"):
        converter.start_export(table.arn, target, time=datetime(2020, 1, 1, tzinfo=UTC))


def test_an_answer_that_gets_lost_makes_no_second_export(
    dynamodb: PlayedDynamoDb, table: PlayedTable, target: ExportTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    dynamodb.lose_next("ExportTableToPointInTime")
    with pytest.raises(StorageError):
        converter.start_export(table.arn, target)
    assert converter.start_export(table.arn, target).state.arn in dynamodb.exports
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    dynamodb.lose_next("ExportTableToPointInTime")
    converter.start_export(table.arn, target)
    assert len(dynamodb.exports) == 1


def test_too_many_exports_are_a_reason_to_try_later(
    dynamodb: PlayedDynamoDb, table: PlayedTable, target: ExportTarget
) -> None:
    dynamodb.refuse_next("ExportTableToPointInTime", "LimitExceededException")
    with pytest.raises(BusyError, match="300 exports"):
        converter.start_export(table.arn, target)
    assert converter.start_export(table.arn, target).is_new


def test_a_wait_ends_with_the_export_and_its_files_can_be_converted(
    dynamodb: PlayedDynamoDb, table: PlayedTable, target: ExportTarget, tmp_path: Path
) -> None:
    dynamodb.polls = 3
    clock, polled = Clock(), list[str]()
    arn = converter.start_export(table.arn, target).state.arn
    state = clock.wait(arn, on_poll=lambda state: polled.append(state.status))
    assert polled == ["IN_PROGRESS"] * 3 + ["COMPLETED"]
    assert (state.item_count, state.table_id, state.filtered) == (2, table.table_id, False)
    assert state.folder == f"s3://{target.bucket}/nightly/orders/AWSDynamoDB/{state.export_id}"
    inspection = converter.inspect(arn)
    assert inspection.to_json()["exportId"] == state.export_id
    report = converter.convert(state.folder, tmp_path / "out")
    assert (report.items, report.status) == (2, "published")


def test_pauses_grow_from_five_seconds_to_a_minute(
    dynamodb: PlayedDynamoDb, table: PlayedTable, target: ExportTarget
) -> None:
    dynamodb.polls = 12
    clock = Clock()
    clock.wait(converter.start_export(table.arn, target).state.arn)
    assert 0.8 * FIRST_PAUSE <= clock.pauses[0] <= FIRST_PAUSE
    assert all(0.8 * LONGEST_PAUSE <= pause <= LONGEST_PAUSE for pause in clock.pauses[-4:])
    assert len(clock.pauses) == 12


def test_a_wait_has_no_end_of_its_own_and_ends_with_its_timeout(
    dynamodb: PlayedDynamoDb, table: PlayedTable, target: ExportTarget
) -> None:
    dynamodb.polls = None
    clock = Clock()
    arn = converter.start_export(table.arn, target).state.arn
    with pytest.raises(BusyError, match="not finished after waiting for 10 min 0 s") as over:
        clock.wait(arn, timeout=600)
    assert sum(clock.pauses) == pytest.approx(600)
    assert f"ddb-convert export wait {arn}" in over.value.hint
    with pytest.raises(BusyError):
        clock.wait(arn, timeout=0)
    dynamodb.finish(arn)
    assert clock.wait(arn, timeout=0).status == "COMPLETED"


def test_a_wait_outlasts_polls_that_fail_for_a_while(
    dynamodb: PlayedDynamoDb, table: PlayedTable, target: ExportTarget
) -> None:
    clock, troubles = Clock(), list[ConvertError]()
    arn = converter.start_export(table.arn, target).state.arn

    def after_the_first(_: converter.ExportState) -> None:
        if not troubles:
            dynamodb.refuse_next("DescribeExport", "ThrottlingException", times=1)
            dynamodb.refuse_next("DescribeExport", "InternalServerError", status=500, times=1)
            dynamodb.refuse_next("DescribeExport", "LimitExceededException", times=1)
            dynamodb.lose_next("DescribeExport")

    assert clock.wait(arn, on_poll=after_the_first, on_trouble=troubles.append).status == "COMPLETED"
    assert [type(error) for error in troubles] == [StorageError, StorageError, BusyError, StorageError]


def test_a_service_that_stays_away_ends_the_wait(
    dynamodb: PlayedDynamoDb, table: PlayedTable, target: ExportTarget
) -> None:
    clock = Clock()
    arn = converter.start_export(table.arn, target).state.arn
    away: Callable[[object], None] = lambda _: dynamodb.refuse_next("DescribeExport", "Throttling", times=1000)  # noqa: E731
    with pytest.raises(StorageError, match="throttled"):
        clock.wait(arn, on_poll=away)
    assert LONGEST_TROUBLE < sum(clock.pauses) < LONGEST_TROUBLE + 2 * LONGEST_PAUSE


@pytest.mark.parametrize("code", ["AccessDeniedException", "ExpiredTokenException", "ExportNotFoundException"])
def test_what_no_later_poll_would_change_ends_the_wait_at_once(
    code: str, dynamodb: PlayedDynamoDb, table: PlayedTable, target: ExportTarget
) -> None:
    dynamodb.polls = None
    clock = Clock()
    arn = converter.start_export(table.arn, target).state.arn
    with pytest.raises(ConvertError):
        clock.wait(arn, on_poll=lambda _: dynamodb.refuse_next("DescribeExport", code))
    assert len(clock.pauses) == 1


@pytest.mark.parametrize("owner", [None, "000000000000"])
def test_an_export_to_a_bucket_that_does_not_exist_is_not_begun(
    owner: str | None, dynamodb: PlayedDynamoDb, table: PlayedTable, tmp_path: Path
) -> None:
    nowhere = ExportTarget(bucket="there-is-no-such-bucket", bucket_owner=owner)
    with pytest.raises(UsageError, match=r"the bucket .* does not exist, and nothing was exported") as refused:
        converter.start_export(table.arn, nowhere)
    assert (refused.value.where, refused.value.exit_code) == ("--bucket", 2)
    with pytest.raises(UsageError, match="does not exist"):
        converter.sync(table.arn, tmp_path, nowhere, day=datetime.now(UTC).date() - timedelta(days=2))
    with pytest.raises(UsageError, match="does not exist"):
        converter.sync_changes(table.arn, tmp_path, nowhere)
    assert not dynamodb.exports


@pytest.mark.parametrize("refusal", [Answer(403, "AccessDenied"), Answer(500, "InternalError"), Reset()])
def test_an_export_is_begun_if_the_bucket_may_not_be_looked_at(
    refusal: Fault,
    dynamodb: PlayedDynamoDb,
    table: PlayedTable,
    target: ExportTarget,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    with start_proxy(dynamodb.server, lambda request: refusal if request.operation == "HeadBucket" else None) as proxy:
        proxy.server.use(monkeypatch)
        started = converter.start_export(table.arn, target)
        assert (started.is_new, started.warnings) == (True, ())
        assert "HeadBucket" in proxy.operations()


def test_a_bucket_that_is_removed_meanwhile_fails_the_export(
    ministack: S3Server, table: PlayedTable, target: ExportTarget
) -> None:
    arn = converter.start_export(table.arn, target).state.arn
    ministack.client().delete_bucket(Bucket=target.bucket)
    with pytest.raises(ExportError, match="S3NoSuchBucket: The specified bucket does not exist") as failed:
        Clock().wait(arn)
    assert (failed.value.where, "--bucket" in failed.value.hint) == (arn, True)


def test_all_exports_are_listed_beyond_the_first_page_and_the_newest_are_described(
    dynamodb: PlayedDynamoDb, table: PlayedTable, target: ExportTarget
) -> None:
    client = dynamodb.server.service("dynamodb")
    for _ in range(26):
        client.export_table_to_point_in_time(TableArn=table.arn, S3Bucket=target.bucket)
    newest_first = sorted(dynamodb.exports, reverse=True)
    other = dynamodb.new_table()
    assert converter.list_exports(other.name).exports == ()
    elsewhere = converter.start_export(other.arn, target).state.arn
    listing = converter.list_exports(table.name, limit=3)
    assert ([state.arn for state in listing.exports], listing.more) == (newest_first[:3], 23)
    assert [state.bucket for state in listing.exports] == [target.bucket] * 3
    everything = converter.list_exports(table.arn, limit=None)
    assert ([state.arn for state in everything.exports], everything.more) == (newest_first, 0)
    assert {*newest_first, elsewhere} <= {found.arn for found in list_exports(None, ACCESS)}


def test_an_export_that_is_forgotten_while_the_list_is_made_is_left_out(
    dynamodb: PlayedDynamoDb, table: PlayedTable, target: ExportTarget
) -> None:
    converter.start_export(table.arn, target)
    dynamodb.refuse_next("DescribeExport", "ExportNotFoundException")
    assert converter.list_exports(table.arn).exports == ()
    dynamodb.refuse_next("DescribeExport", "AccessDeniedException")
    with pytest.raises(StorageError, match="dynamodb:DescribeExport is not allowed"):
        converter.list_exports(table.arn)


def test_the_region_of_an_arn_is_the_one_that_is_asked(dynamodb: PlayedDynamoDb, target: ExportTarget) -> None:
    there = replace(dynamodb.behind, region="eu-central-1")
    table = PlayedDynamoDb(there, there).new_table()
    # The option is for S3, whose bucket may be elsewhere.
    elsewhere = AwsOptions(region="us-east-1")
    assert converter.start_export(table.arn, target, aws=elsewhere).state.table_arn == table.arn
    with pytest.raises(UsageError, match="the table does not exist"):
        converter.start_export(table.name, target, aws=elsewhere)


def test_a_short_description_is_enough_for_a_state() -> None:
    state = state_of({"ExportDescription": {"ExportStatus": "FAILED", "S3Bucket": "exports"}}, "DescribeExport", ARN)
    assert (state.table_arn, state.type, state.format) == (ARN.partition("/export/")[0], "FULL_EXPORT", "DYNAMODB_JSON")
    assert state.to_json() == {
        "exportArn": ARN,
        "exportId": "01701065507109-cce6a3f8",
        "status": "FAILED",
        "type": "FULL_EXPORT",
        "tableArn": ARN.partition("/export/")[0],
        "folder": "s3://exports/AWSDynamoDB/01701065507109-cce6a3f8",
        "bucket": "exports",
        "format": "DYNAMODB_JSON",
        "filtered": False,
    }


@pytest.mark.parametrize(
    ("specification", "filtered"),
    [({}, False), ({"FilterExpression": "a = :b"}, True), ({"ProjectionExpression": "a"}, True)],
)
def test_an_export_of_a_part_of_the_items_says_so(specification: dict[str, str], filtered: bool) -> None:
    described = {"ExportStatus": "COMPLETED", "S3Bucket": "exports", "FilterSpecification": specification}
    assert state_of({"ExportDescription": described}, "DescribeExport", ARN).filtered == filtered
