"""The service that tests play: it does over HTTP what they count on, and passes on everything else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from converter.export.locate import open_export
from tests.oracle_input import read_items
from tests.servers.dynamodb import PlayedDynamoDb
from tests.servers.exporting import begin, poll
from tests.servers.history import Items
from tests.servers.s3 import S3Server

NUMBERS = [{"id": {"S": str(number)}, "b": {"B": b"\xff"}, "n": {"N": "10.0"}} for number in range(5)]


@pytest.fixture
def client(dynamodb: PlayedDynamoDb) -> Any:
    return dynamodb.server.service("dynamodb", retries={"total_max_attempts": 1})


def test_an_export_ends_with_the_files_that_the_service_writes(
    dynamodb: PlayedDynamoDb, client: Any, ministack: S3Server, tmp_path: Path
) -> None:
    table, bucket = dynamodb.new_table("id", NUMBERS), ministack.new_bucket()
    begun = begin(client, TableArn=table.arn, S3Bucket=bucket, S3Prefix="nightly/a", ClientToken=table.name)
    client.put_item(TableName=table.name, Item={"id": {"S": "later"}})
    assert poll(client, begun)["ExportStatus"] == "IN_PROGRESS"
    assert ministack.listing(bucket) == {}
    done = poll(client, begun)
    ministack.download(bucket, tmp_path)
    export_id = begun["ExportArn"].rpartition("/")[2]
    folder = tmp_path / "nightly" / "a" / "AWSDynamoDB" / export_id
    assert done["ExportManifest"] == f"nightly/a/AWSDynamoDB/{export_id}/manifest-summary.json"
    _, export = open_export(str(folder))
    assert (export.export_arn, export.table_id, export.items) == (begun["ExportArn"], table.table_id, done["ItemCount"])
    assert export.export_time is not None
    assert abs(export.export_time - begun["ExportTime"]) <= timedelta(milliseconds=1)
    assert (export.s3_prefix, export.billed_size_bytes) == ("nightly/a", done["BilledSizeBytes"])
    items = sorted(read_items(folder), key=lambda item: str(item["id"]["S"]))
    assert items == [{"id": {"S": str(number)}, "b": {"B": "/w=="}, "n": {"N": "10"}} for number in range(5)]


def test_of_an_earlier_time_the_export_has_the_items_of_then(
    dynamodb: PlayedDynamoDb, client: Any, ministack: S3Server, tmp_path: Path
) -> None:
    table, bucket = dynamodb.new_table(), ministack.new_bucket()
    now = datetime.now(UTC).replace(microsecond=0)
    days: dict[datetime, Items] = {now - timedelta(days=day): [{"id": {"S": str(day)}}] for day in (1, 2, 3)}
    dynamodb.history[table.name] = days
    dynamodb.polls = 0
    for hours, expected in ((80, []), (71, ["3"]), (48, ["3"]), (47, ["2"]), (2, ["1"])):
        begun = begin(client, TableArn=table.arn, S3Bucket=bucket, ExportTime=now - timedelta(hours=hours))
        assert poll(client, begun)["ExportStatus"] == "COMPLETED"
        ministack.download(bucket, tmp_path)
        folder = tmp_path / "AWSDynamoDB" / begun["ExportArn"].rpartition("/")[2]
        assert [item["id"]["S"] for item in read_items(folder)] == expected
        assert open_export(str(folder))[1].export_time == now - timedelta(hours=hours)


def test_a_token_is_one_export_until_it_is_forgotten(
    dynamodb: PlayedDynamoDb, client: Any, ministack: S3Server
) -> None:
    asked = {"TableArn": dynamodb.new_table().arn, "S3Bucket": ministack.new_bucket(), "ClientToken": "again"}
    first = begin(client, **asked)
    assert begin(client, **asked) == first
    with pytest.raises(ClientError, match="ExportConflictException"):
        begin(client, **asked, S3Prefix="another")
    dynamodb.forget_tokens()
    second = begin(client, **asked)
    assert second["ExportArn"] != first["ExportArn"]
    assert second["ClientToken"] == "again"
    assert dynamodb.tokens() == ["again"] * 4


def test_what_the_service_refuses_is_refused(dynamodb: PlayedDynamoDb, client: Any, ministack: S3Server) -> None:
    bucket, table = ministack.new_bucket(), dynamodb.new_table()
    with pytest.raises(ClientError, match="PointInTimeRecoveryUnavailableException"):
        begin(client, TableArn=dynamodb.new_table(recovers=False).arn, S3Bucket=bucket)
    with pytest.raises(ClientError, match="TableNotFoundException"):
        begin(client, TableArn=f"{table.arn}x", S3Bucket=bucket)
    now = datetime.now(UTC).replace(microsecond=0)
    dynamodb.recovery = (now - timedelta(hours=2), now - timedelta(hours=1))
    recovery = client.describe_continuous_backups(TableName=table.name)["ContinuousBackupsDescription"]
    said = recovery["PointInTimeRecoveryDescription"]
    assert (said["EarliestRestorableDateTime"], said["LatestRestorableDateTime"]) == dynamodb.recovery
    for minutes in (121, 59):
        with pytest.raises(ClientError, match="InvalidExportTimeException"):
            begin(client, TableArn=table.arn, S3Bucket=bucket, ExportTime=now - timedelta(minutes=minutes))
    assert dynamodb.exports == {}


def test_an_export_fails_for_want_of_a_bucket_or_when_it_is_told_to(
    dynamodb: PlayedDynamoDb, client: Any, ministack: S3Server
) -> None:
    table, bucket = dynamodb.new_table(), ministack.new_bucket()
    dynamodb.polls = 0
    missing = poll(client, begin(client, TableArn=table.arn, S3Bucket="there-is-none"))
    assert (missing["ExportStatus"], missing["FailureCode"]) == ("FAILED", "S3NoSuchBucket")
    dynamodb.fail_next("AccessDenied", "Access Denied")
    denied = poll(client, begin(client, TableArn=table.arn, S3Bucket=bucket))
    assert (denied["ExportStatus"], denied["FailureMessage"]) == ("FAILED", "Access Denied")
    assert ministack.listing(bucket) == {}
    assert poll(client, begin(client, TableArn=table.arn, S3Bucket=bucket))["ExportStatus"] == "COMPLETED"
    statuses = [found["ExportStatus"] for found in client.list_exports(TableArn=table.arn)["ExportSummaries"]]
    assert sorted(statuses) == ["COMPLETED", "FAILED", "FAILED"]


def test_answers_are_refused_and_lost_as_often_as_a_test_says(dynamodb: PlayedDynamoDb, client: Any) -> None:
    table = dynamodb.new_table()
    dynamodb.refuse_next("DescribeTable", "ThrottlingException", times=2)
    for _ in range(2):
        with pytest.raises(ClientError, match="ThrottlingException"):
            client.describe_table(TableName=table.name)
    dynamodb.lose_next("PutItem")
    with pytest.raises(ConnectionClosedError):
        client.put_item(TableName=table.name, Item={"id": {"S": "a"}})
    assert client.get_item(TableName=table.name, Key={"id": {"S": "a"}})["Item"] == {"id": {"S": "a"}}
    assert [operation for operation, _ in dynamodb.calls] == ["DescribeTable"] * 2 + ["PutItem", "GetItem"]


def test_an_export_that_is_held_goes_on_when_it_is_told_to(
    dynamodb: PlayedDynamoDb, client: Any, ministack: S3Server
) -> None:
    dynamodb.polls = None
    begun = begin(client, TableArn=dynamodb.new_table().arn, S3Bucket=ministack.new_bucket())
    assert {poll(client, begun)["ExportStatus"] for _ in range(5)} == {"IN_PROGRESS"}
    dynamodb.finish(begun["ExportArn"])
    assert poll(client, begun)["ExportStatus"] == "COMPLETED"
