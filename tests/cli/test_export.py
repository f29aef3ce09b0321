"""`export start`, `export wait` and `export list` as processes, in front of the service as tests play it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.command import REPOSITORY, environment
from tests.cli.failures import check_failure
from tests.cli.forking import ForkedCommands
from tests.servers.dynamodb import PlayedDynamoDb, PlayedTable
from tests.servers.history import Items
from tests.servers.s3 import S3Server

Run = Callable[..., "subprocess.CompletedProcess[str]"]

ITEMS: Items = [{"id": {"S": "a"}}, {"id": {"S": "b"}}]


@pytest.fixture
def run(forked: ForkedCommands, dynamodb: PlayedDynamoDb, tmp_path: Path) -> Run:
    env = {**dynamodb.server.environment(), "AWS_MAX_ATTEMPTS": "1"}
    return lambda *arguments: forked.run(*arguments, cwd=tmp_path, **env)


@pytest.fixture
def table(dynamodb: PlayedDynamoDb) -> PlayedTable:
    return dynamodb.new_table("id", ITEMS)


@pytest.fixture
def bucket(ministack: S3Server) -> str:
    return ministack.new_bucket()


def test_started_twice_it_is_one_export_and_stdout_is_its_arn(
    dynamodb: PlayedDynamoDb, run: Run, table: PlayedTable, bucket: str
) -> None:
    options = ("--bucket", bucket, "--export-prefix", "nightly")
    first = run("export", "start", table.name, *options)
    assert first.returncode == 0, first.stderr
    (arn,) = dynamodb.exports
    assert first.stdout == f"{arn}\n"
    assert (
        f"{table.name}: started export {arn.rpartition('/')[2]} to s3://{bucket}/nightly/AWSDynamoDB/" in first.stderr
    )
    assert f"next: ddb-convert export wait {arn}\n" in first.stderr
    dynamodb.exports[arn].description["StartTime"] -= 60
    again = run("export", "start", table.arn, *options)
    assert (again.returncode, again.stdout) == (0, first.stdout)
    assert "the same command already started export" in again.stderr
    facts = json.loads(run("export", "start", table.arn, *options, "--json").stdout)
    assert (facts["exportArn"], facts["isNew"], facts["status"]) == (arn, False, "IN_PROGRESS")
    assert len(dynamodb.exports) == 1


def test_what_wait_prints_is_a_source_for_convert(
    dynamodb: PlayedDynamoDb, run: Run, table: PlayedTable, bucket: str
) -> None:
    dynamodb.polls = 0
    arn = run("export", "start", table.name, "--bucket", bucket, "--quiet").stdout.strip()
    waited = run("export", "wait", arn)
    assert waited.returncode == 0, waited.stderr
    assert waited.stdout == f"s3://{bucket}/AWSDynamoDB/{arn.rpartition('/')[2]}/\n"
    assert "is completed in" in waited.stderr
    assert ", 2 items" in waited.stderr
    done = run("convert", waited.stdout.strip(), "out", "--json")
    assert json.loads(done.stdout)["items"] == 2
    facts = json.loads(run("export", "wait", arn, "--json", "--quiet").stdout)
    assert (facts["status"], facts["itemCount"]) == ("COMPLETED", 2)
    assert facts["manifest"].endswith("/manifest-summary.json")


@pytest.mark.slow  # a poll is five seconds after the one before
def test_start_waits_across_polls_when_it_is_told_to(
    dynamodb: PlayedDynamoDb, run: Run, table: PlayedTable, bucket: str
) -> None:
    dynamodb.polls = 2
    done = run("export", "start", table.name, "--bucket", bucket, "--wait", "--timeout", "5m", "--log-format", "json")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [event["event"] for event in events] == ["export", "waiting", "export"]
    assert [event["export"]["status"] for event in events] == ["IN_PROGRESS", "IN_PROGRESS", "COMPLETED"]
    assert done.stdout == f"{next(iter(dynamodb.exports))}\n"


def test_changes_are_asked_for_exactly_as_given(
    dynamodb: PlayedDynamoDb, run: Run, table: PlayedTable, bucket: str
) -> None:
    day = (datetime.now(UTC) - timedelta(days=2)).date()
    window = ("--from", f"{day}T06:00:00+02:00", "--to", f"{day}T05:00")
    dynamodb.history[table.name] = {}
    done = run("export", "start", table.name, "--bucket", bucket, "--incremental", *window, "--view", "new")
    assert done.returncode == 0, done.stderr
    (export,) = dynamodb.exports.values()
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    assert export.asked["ExportType"] == "INCREMENTAL_EXPORT"
    assert export.asked["IncrementalExportSpecification"] == {
        "ExportFromTime": midnight + 4 * 3600,
        "ExportToTime": midnight + 5 * 3600,
        "ExportViewType": "NEW_IMAGE",
    }
    listed = run("export", "list", table.name).stdout
    assert f"IN_PROGRESS  changes  {day}T04:00:00Z to {day}T05:00:00Z" in listed


def test_a_time_that_is_over_ends_with_6_and_a_failure_with_3(
    dynamodb: PlayedDynamoDb, run: Run, table: PlayedTable, bucket: str
) -> None:
    dynamodb.polls = None
    arn = run("export", "start", table.name, "--bucket", bucket, "--quiet").stdout.strip()
    check_failure(run("export", "wait", arn, "--timeout", "0s"), 6, "not finished", f"ddb-convert export wait {arn}")
    check_failure(run("convert", arn, "out"), 6, f"ddb-convert export wait {arn}")
    dynamodb.exports[arn].failure = ("KMSAccessDenied", "no")
    dynamodb.finish(arn)
    check_failure(run("export", "wait", arn), 3, arn, "the export failed: KMSAccessDenied: no", "the KMS key")
    assert "FAILED: KMSAccessDenied" in run("export", "list", table.name).stdout


def test_what_the_service_refuses_is_told_with_a_next_step(
    dynamodb: PlayedDynamoDb, run: Run, table: PlayedTable, bucket: str
) -> None:
    without = dynamodb.new_table(recovers=False)
    start = ("export", "start", table.name, "--bucket", bucket)
    check_failure(
        run("export", "start", without.name, "--bucket", bucket), 2, "update-continuous-backups", without.name
    )
    check_failure(run("export", "start", "NotThere", "--bucket", bucket), 2, "NotThere: the table does not exist")
    check_failure(
        run(*start, "--export-time", "2020-01-01"),
        2,
        "before the earliest time of point-in-time recovery",
        "--export-time",
    )
    dynamodb.refuse_next("ExportTableToPointInTime", "AccessDeniedException")
    check_failure(run(*start), 5, f"dynamodb:ExportTableToPointInTime is not allowed on {table.arn}", "s3:PutObjectAcl")
    dynamodb.refuse_next("ExportTableToPointInTime", "LimitExceededException")
    check_failure(run(*start), 6, "limit of concurrent exports is reached")
    arn = f"{table.arn}/export/01701065507109-cce6a3f8"
    check_failure(run("export", "wait", arn), 3, "has no such export", f"ddb-convert export list {table.arn}")
    assert dynamodb.exports == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("start T-1 --bucket B_", "not a valid name of a bucket"),
        ("start T-1", "--bucket"),
        ("start T --bucket exports", "not a valid name of a table"),
        ("start T-1 --bucket exports --incremental", "add --from and --to"),
        ("start T-1 --bucket exports --from 2026-01-01", "--from: this option requires --incremental"),
        ("start T-1 --bucket exports --view new", "--view: this option requires --incremental"),
        ("start T-1 --bucket exports --timeout 5m", "--timeout: this option requires --wait"),
        ("start T-1 --bucket exports --wait --timeout soon", "'soon' is not a valid duration"),
        ("start T-1 --bucket exports --export-time noon", "'noon' is not a valid time"),
        ("start T-1 --bucket exports --client-token a$b", "--client-token"),
        ("wait T-1", "not the ARN of an export"),
        ("list T-1 --limit 0", "--limit"),
        ("stop T-1", "stop"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused_without_a_request(
    dynamodb: PlayedDynamoDb, run: Run, arguments: str, said: str
) -> None:
    table = dynamodb.new_table().name
    check_failure(run("export", *(table if word == "T-1" else word for word in arguments.split())), 2, said)
    assert "ExportTableToPointInTime" not in [operation for operation, _ in dynamodb.calls]


def test_a_list_shows_the_newest_first_and_says_when_there_are_more(
    dynamodb: PlayedDynamoDb, run: Run, table: PlayedTable, bucket: str
) -> None:
    none = run("export", "list", table.name)
    assert (none.returncode, none.stdout) == (0, "")
    assert "has no exports in the last 90 days" in none.stderr
    dynamodb.polls = 0
    arns = []
    for token in ("1", "2", "3"):
        done = run(
            "export", "start", table.name, "--bucket", bucket, "--client-token", f"{table.name}-{token}", "--wait"
        )
        arns.append(done.stdout.strip())
    listed = run("export", "list", table.name, "--limit", "2")
    heading, *rows = listed.stdout.splitlines()
    assert heading.split() == ["EXPORT", "STATUS", "KIND", "TIME", "OR", "WINDOW", "FORMAT", "ITEMS", "WHERE"]
    assert [row.split()[0] for row in rows] == [arn.rpartition("/")[2] for arn in arns[:0:-1]]
    assert all(row.index("s3://") == heading.index("WHERE") for row in rows)
    assert "one older export is not shown" in listed.stderr
    shown = json.loads(run("export", "list", table.arn, "--json").stdout)
    assert [facts["exportArn"] for facts in shown] == arns[::-1]
    assert all(facts["itemCount"] == 2 for facts in shown)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_an_interrupted_wait_says_that_the_export_goes_on(
    dynamodb: PlayedDynamoDb, table: PlayedTable, bucket: str, number: signal.Signals, code: int
) -> None:
    dynamodb.polls = None
    command = [sys.executable, str(REPOSITORY / "cli.py"), "export", "start", table.name, "--bucket", bucket, "--wait"]
    with subprocess.Popen(
        command,
        env=environment(**dynamodb.server.environment()),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        while "is in progress" not in process.stderr.readline():
            pass
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    (arn,) = dynamodb.exports
    assert (process.returncode, out) == (code, f"{arn}\n")
    assert f"the export continues in DynamoDB; to wait for it again: ddb-convert export wait {arn}" in err
