"""Servers that are not AWS leave members out of their answers: each one is an error that names it, or does no harm."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import converter
from converter import AwsOptions, ConvertOptions, ExportTarget
from converter.errors import ConvertError, StorageError
from tests.cli.command import REPOSITORY
from tests.end_to_end.syncing import DAY, ITEMS, FakeTime, sync_at, target
from tests.servers.dropping import HEADERS, Dropping, Member, drop_members
from tests.servers.dynamodb import PlayedDynamoDb, PlayedTable

ROLE = AwsOptions(source_role_arn="arn:aws:iam::000000000000:role/reader", region="us-east-1")
HARMLESS = "done"
READ_BY_BOTO3 = {*HEADERS, "EncodingType"}
SOURCE = "".join(
    path.read_text("utf-8")
    for folder in ("aws", "storage")
    for path in (REPOSITORY / "converter" / folder).glob("*.py")
)


def is_named(member: Member) -> bool:
    """Whether the program, or boto3 for it, reads such a member somewhere."""
    name = member[1].rpartition(".")[2]
    return name in READ_BY_BOTO3 or f'{name}"' in SOURCE or f"{name}." in SOURCE


def end_of(run: Callable[[], object]) -> str:
    """How a run ends; anything but an error that is meant is a failure of the test."""
    try:
        run()
    except ConvertError as error:
        caught = error
    else:
        return HARMLESS
    assert caught.exit_code != 1, caught
    assert caught.hint, caught
    return str(caught)


def drop_each(dropping: Dropping, run: Callable[[], object]) -> dict[Member, str]:
    """How a run ends that does without each of the members that it gets otherwise."""
    dropping.drop()
    dropping.seen.clear()
    run()
    members = list(dropping.seen)
    unread = {member for member in members if not is_named(member)}
    # What the program does not even name can be left out all at once.
    dropping.drop(*unread)
    run()

    ends = {}
    for member in members:
        if member in unread:
            continue
        dropping.drop(member)
        try:
            ends[member] = end_of(run)
        except Exception as error:
            raise AssertionError(f"without {member}") from error
    dropping.drop()
    return ends


def named(ends: dict[Member, str]) -> set[Member]:
    """The members without which the run ends with an error; each of these names the request and the member."""
    for (operation, member), end in ends.items():
        if end != HARMLESS and f"the response to {operation} has no " not in end:
            assert "is off" not in end, (operation, member, end)
    return {member for member, end in ends.items() if end != HARMLESS}


@pytest.fixture
def table(dynamodb: PlayedDynamoDb) -> PlayedTable:
    dynamodb.polls = 0
    return dynamodb.new_table("id", ITEMS[:3])


@pytest.fixture
def dropping(dynamodb: PlayedDynamoDb, monkeypatch: pytest.MonkeyPatch) -> Any:
    with drop_members(dynamodb.server) as dropping:
        dropping.server.use(monkeypatch)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        yield dropping


@pytest.mark.slow
def test_listing_and_starting_exports_needs_no_more_than_it_uses(
    dropping: Dropping, dynamodb: PlayedDynamoDb, table: PlayedTable
) -> None:
    wanted = target(dynamodb)
    assert named(drop_each(dropping, lambda: converter.start_export(table.name, wanted))) == {
        ("DescribeTable", "Table"),
        ("DescribeTable", "Table.TableArn"),
        ("ExportTableToPointInTime", "ExportDescription"),
        ("ExportTableToPointInTime", "ExportDescription.ExportArn"),
        ("ExportTableToPointInTime", "ExportDescription.ExportStatus"),
        ("ExportTableToPointInTime", "ExportDescription.S3Bucket"),
    }
    assert named(drop_each(dropping, lambda: converter.list_exports(table.name))) == {
        ("DescribeTable", "Table"),
        ("DescribeTable", "Table.TableArn"),
        ("ListExports", "ExportSummaries.ExportArn"),
        ("DescribeExport", "ExportDescription"),
        ("DescribeExport", "ExportDescription.ExportStatus"),
        ("DescribeExport", "ExportDescription.S3Bucket"),
    }


def test_a_table_without_an_id_is_an_error_that_says_so(dropping: Dropping, table: PlayedTable, tmp_path: Path) -> None:
    dropping.drop(("DescribeTable", "Table.TableId"))
    with pytest.raises(StorageError, match=r"the response to DescribeTable has no Table\.TableId") as caught:
        converter.sync(table.name, tmp_path / "out", ExportTarget(bucket="anywhere"))
    assert caught.value.where == table.name
    assert "--endpoint-url" in caught.value.hint


def test_recovery_that_is_not_described_is_left_to_the_service(
    dropping: Dropping, dynamodb: PlayedDynamoDb, table: PlayedTable
) -> None:
    dropping.drop(("DescribeContinuousBackups", "ContinuousBackupsDescription.PointInTimeRecoveryDescription"))
    (warning,) = converter.start_export(table.name, target(dynamodb)).warnings
    assert "has no PointInTimeRecoveryStatus" in warning


@pytest.mark.slow
def test_a_sync_between_buckets_ends_in_order_without_each_member(
    dropping: Dropping, dynamodb: PlayedDynamoDb, table: PlayedTable
) -> None:
    wanted, count = target(dynamodb), iter(range(1000))

    def sync() -> None:
        dest = f"s3://{wanted.bucket}/out-{next(count)}"
        sync_at(FakeTime(datetime.now(UTC)), table, dest, wanted, day=DAY, timeout=600)  # type: ignore[arg-type]
        converter.clean(dest, dry_run=True)

    missed = named(drop_each(dropping, sync))
    assert ("DescribeTable", "Table.TableId") in missed
    assert ("DescribeTable", "Table.KeySchema") in missed
    assert ("CreateMultipartUpload", "UploadId") in missed
    assert ("GetObject", "etag") in missed


@pytest.mark.slow
def test_lists_and_roles_end_in_order_without_each_member(
    dropping: Dropping, dynamodb: PlayedDynamoDb, tmp_path: Path
) -> None:
    bucket = dynamodb.behind.new_bucket()
    client = dynamodb.behind.client()
    for number in range(3):
        client.put_object(Bucket=bucket, Key=f"a/dt=2026-01-0{number + 1}/x", Body=b"x")
    client.create_multipart_upload(Bucket=bucket, Key="a/x")
    ends = drop_each(dropping, lambda: converter.clean(f"s3://{bucket}/a", dry_run=True))
    assert ("ListMultipartUploads", "Upload.UploadId") in named(ends)

    def convert() -> None:
        converter.inspect(f"s3://{bucket}/a", ConvertOptions(), aws=ROLE)

    for member in ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"):
        dropping.drop(("AssumeRole", f"AssumeRoleResult.Credentials.{member}"))
        with pytest.raises(StorageError, match=member):
            convert()
