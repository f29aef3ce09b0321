"""A rendered schedule does what it says: its stack is deployed, its state machine is executed along every path."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.machines import (
    ITEMS,
    YESTERDAY,
    deploy,
    executions,
    fail_at,
    machine_of,
    next_input,
    render,
    server,
    wait_for,
)
from tests.end_to_end.scheduled import Execution, Night
from tests.oracle import assert_equal_to_oracle
from tests.servers.s3 import S3Server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """It waits for tasks 600 seconds of its own: this many of ours."""
    with server(tmp_path_factory.mktemp("patient"), wait_scale="0.02") as running:
        yield running


@pytest.fixture
def night(patient: S3Server, tmp_path: Path) -> Night:
    """A night with a conversion."""
    return Night(patient, tmp_path, ITEMS)


def assert_converted(night: Night, nights: int) -> None:
    """As many exports are published, each exactly as the oracle says."""
    assert len(night.exports) == nights
    assert [done.returncode for done in night.runs] == [0] * len(night.runs), night.runs[-1].stderr
    parts = night.parts()
    for arn, folder in night.exports.items():
        own = [path for key, path in parts.items() if f"/{arn.rsplit('/', 1)[1]}/" in key]
        assert_equal_to_oracle(folder, own, "parquet")
    assert len(parts) == nights


def test_the_machine_exports_and_converts_a_night_and_a_second_trigger_for_it_changes_nothing(night: Night) -> None:
    given = night.settings() | {"scheduledTime": YESTERDAY}
    machine = machine_of(night, "--", "--for", "athena", "--part-size", "5MB")
    first = night.execute(machine, given)
    assert first.status == "SUCCEEDED", first
    [export] = night.descriptions()
    assert first.output == {"exportArn": export["ExportArn"], "destination": f"s3://{night.lake}/orders/"}
    # Neither swapped, nor always the same folder, nor without its id.
    assert (export["TableArn"], export["S3Bucket"]) == (night.table_arn, night.bucket)
    assert export["S3Prefix"] == f"dynamodb/orders/{YESTERDAY[:10]}"
    assert export["ExportArn"].rsplit("/", 1)[1] in night.runs[0].args[1]
    assert night.runs[0].args[-4:] == ("--for", "athena", "--part-size", "5MB")
    assert_converted(night, 1)
    published = night.server.listing(night.lake)

    again = night.execute(machine, given)
    assert (again.status, again.output) == ("SUCCEEDED", first.output)
    assert len(night.descriptions()) == 1
    assert night.server.listing(night.lake) == published
    assert len(night.runs) == 2


def test_each_night_has_its_export_and_its_folder(night: Night) -> None:
    given = night.settings()
    machine = machine_of(night)
    for scheduled in ("2026-03-28T23:30:00+01:00", "2026-03-29T22:30:00.999Z", "2026-03-29T22:30:00Z"):
        assert night.execute(machine, given | {"scheduledTime": scheduled}).status == "SUCCEEDED"
    exports = {export["S3Prefix"]: export["ClientToken"] for export in night.descriptions()}
    assert list(exports) == ["dynamodb/orders/2026-03-28", "dynamodb/orders/2026-03-29"]
    assert len(set(exports.values())) == 2
    assert_converted(night, 2)


def test_a_start_by_hand_exports_the_moment_of_the_start(night: Night) -> None:
    given = night.settings()
    done = night.execute(machine_of(night), given)
    assert done.status == "SUCCEEDED", done
    [export] = night.descriptions()
    assert abs(export["ExportTime"] - datetime.now(UTC)) < timedelta(minutes=1)
    # Then point-in-time recovery reaches that moment.
    assert "Wait until the time can be exported" in done.states
    assert_converted(night, 1)


def test_a_higher_attempt_makes_an_export_anew(night: Night) -> None:
    given = night.settings() | {"scheduledTime": YESTERDAY}
    machine = machine_of(night)
    night.execute(machine, given)
    night.execute(machine, given | {"attempt": 2})
    assert len(night.descriptions()) == 2


def test_an_export_that_is_named_is_converted_and_none_is_made(night: Night) -> None:
    given = night.settings()
    dynamodb = night.server.service("dynamodb")
    made = dynamodb.export_table_to_point_in_time(TableArn=night.table_arn, S3Bucket=night.bucket)
    arn = made["ExportDescription"]["ExportArn"]
    done = night.execute(machine_of(night), given | {"exportArn": arn})
    assert (done.status, done.output["exportArn"]) == ("SUCCEEDED", arn)
    assert len(night.descriptions()) == 1
    assert_converted(night, 1)


def test_an_export_in_progress_is_asked_for_again(night: Night) -> None:
    done = night.execute(machine_of(night), night.settings() | {"scheduledTime": YESTERDAY}, "in-progress")
    assert done.status == "SUCCEEDED", done
    assert done.states.count("Wait") == done.states.count("Describe the export") == 2
    assert_converted(night, 1)


def test_a_busy_destination_is_tried_again(night: Night) -> None:
    done = night.execute(machine_of(night), night.settings() | {"scheduledTime": YESTERDAY}, "busy")
    assert done.status == "SUCCEEDED", done
    assert done.states.count("Wait for the other run") == 1
    assert done.states.count("Convert") == 2
    assert done.notices == []
    assert_converted(night, 1)


def test_a_container_that_was_terminated_is_replaced(night: Night) -> None:
    done = night.execute(machine_of(night), night.settings() | {"scheduledTime": YESTERDAY}, "terminated")
    assert done.status == "SUCCEEDED", done
    assert done.states.count("Wait for another container") == 1
    assert_converted(night, 1)


def fail(night: Night, case: str, **given: object) -> tuple[Execution, str]:
    """Run a case that fails, and give its notice."""
    done, text = fail_at(night, machine_of(night), case, **given)
    assert text == done.output["Cause"]
    assert f"The export of {night.table_arn} was not converted." in text
    assert f"Time: {YESTERDAY}\n" in text
    assert (
        f"Execution: https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/{done.arn}\n"
        in text
    )
    assert night.runs == []
    assert night.server.listing(night.lake) == {}
    return done, text


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 137])
def test_a_conversion_that_would_fail_again_is_told_at_once(bad_night: Night, code: int) -> None:
    done, text = fail(bad_night, f"exit-{code}")
    assert done.states.count("Convert") == 1
    assert f"\nError: ExitCode{code}\nCause: Essential container in task exited\n" in text
    assert "The cause says" not in text, "there is advice of its own"
    # The export is there and paid for.
    [export] = bad_night.descriptions()
    assert next_input(text)["exportArn"] == export["ExportArn"]
    assert "scheduledTime" not in next_input(text)


def test_a_destination_that_stays_busy_is_told_after_hours(bad_night: Night) -> None:
    done, text = fail(bad_night, "busy-for-hours")
    assert done.states.count("Wait for the other run") == 36
    assert "\nError: ExitCode6\n" in text


def test_a_container_that_never_starts_is_told_after_two_more(bad_night: Night) -> None:
    done, text = fail(bad_night, "never-starts")
    assert done.states.count("Convert") == 3
    assert "\nError: States.TaskFailed\nCause: CannotPullContainerError: not found\n" in text


def test_a_conversion_that_is_out_of_time_is_told(bad_night: Night) -> None:
    done, text = fail(bad_night, "out-of-time")
    assert done.states.count("Convert") == 1
    assert "\nStep: Convert\nError: States.Timeout\n" in text


def test_a_failed_export_is_told_with_its_code_and_the_next_attempt(bad_night: Night) -> None:
    _, text = fail(bad_night, "failed")
    assert "\nStep: Export\nError: S3NoSuchBucket\nCause: The bucket does not exist.\n" in text
    assert next_input(text) | {"attempt": 2, "scheduledTime": YESTERDAY} == next_input(text)


def test_a_throttled_start_is_tried_again_before_it_is_told(bad_night: Night) -> None:
    done, text = fail(bad_night, "throttled")
    assert done.attempts == 7
    assert "\nStep: Start the export\n" in text
    assert "Rate exceeded" in text
    assert next_input(text)["scheduledTime"] == YESTERDAY
    assert bad_night.descriptions() == []


def test_a_table_without_recovery_is_told_at_once(bad_night: Night) -> None:
    done, text = fail(bad_night, "no-recovery")
    assert done.attempts == 1
    assert "What to do: Enable point-in-time recovery" in text


def test_an_export_that_cannot_be_described_is_tried_again_before_it_is_told(bad_night: Night) -> None:
    done, text = fail(bad_night, "describe-fails")
    assert done.attempts == 7
    assert next_input(text)["exportArn"].startswith(bad_night.table_arn)


def test_an_execution_that_cannot_tell_fails_all_the_same(bad_night: Night) -> None:
    given = bad_night.settings() | {"scheduledTime": YESTERDAY}
    done = bad_night.execute(machine_of(bad_night), given, "denied")
    assert (done.status, done.output["Error"], done.notices) == ("FAILED", "ExitCode4", [])


@pytest.mark.parametrize(
    ("changed", "named"),
    [({"scheduledTime": "yesterday"}, "scheduledTime"), ({"cluster": None, "subnets": None}, "cluster, subnets")],
)
def test_an_input_that_lacks_something_is_refused_and_told(
    bad_night: Night, changed: dict[str, Any], named: str
) -> None:
    given = {name: value for name, value in (bad_night.settings() | changed).items() if value is not None}
    done = bad_night.execute(machine_of(bad_night), given)
    assert done.states[-4:] == ["Reject the input", "Describe the failure", "Notify", "Failed"]
    assert done.output["Error"] == "IncompleteInput"
    assert f"\nCause: missing or not valid: {named}\n" in done.notices[0]["Message"]


def test_a_manifest_whose_key_no_export_has_is_refused_and_told_in_a_command_that_does_nothing_else(
    bad_night: Night,
) -> None:
    machine = machine_of(bad_night, "--trigger", "manifest")
    evil = "AWSDynamoDB/x'; echo PWNED >&2; echo '/manifest-summary.json"
    done = bad_night.execute(machine, bad_night.settings() | {"manifest": evil})
    assert done.states[-4:] == ["Reject the input", "Describe the failure", "Notify", "Failed"]
    message = done.notices[0]["Message"]
    assert "\nCause: missing or not valid: manifest\n" in message
    command = message.split("\nStart again: ")[1]
    run = subprocess.run(["bash", "-c", f"aws() {{ :; }}\n{command}"], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert json.loads(shlex.split(command)[-1])["manifest"] == evil


def test_the_stack_is_deployed_and_exports_and_converts(night: Night) -> None:
    template = render(night, night.table, "--cron", "0 2 * * ? *", "--", "--key", "id")
    found = deploy(night, template, Email="oncall@example.com")
    done = night.execute(found["StateMachine"], {"scheduledTime": YESTERDAY})
    assert done.status == "SUCCEEDED", done
    [export] = night.descriptions()
    assert (export["TableArn"], export["S3Prefix"]) == (night.table_arn, f"dynamodb/orders/{YESTERDAY[:10]}")
    assert night.runs[0].args[-2:] == ("--key", "id")
    assert_converted(night, 1)


def test_the_schedule_starts_the_machine_with_its_moment(night: Night) -> None:
    found = deploy(night, render(night, night.table, "--cron", "0 2 * * ? *"))
    scheduler = night.server.service("scheduler")
    own = scheduler.get_schedule(Name=found["Schedule"].rsplit("/", 1)[-1])
    assert own["ScheduleExpression"] == "cron(0 2 * * ? *)"
    # Now instead of at two o'clock; all else stays.
    kept = {name: own[name] for name in ("Name", "FlexibleTimeWindow", "Target", "State")}
    scheduler.update_schedule(ScheduleExpression="at(2026-01-01T00:00:00)", **kept)
    done = night.follow(wait_for(lambda: executions(night, found["StateMachine"]))[0])
    # The server leaves the scheduler's keyword as it is, which is no time.
    started = night.states.describe_execution(executionArn=done.arn)
    assert json.loads(started["input"]) == {"scheduledTime": "<aws.scheduler.scheduled-time>"}
    assert "scheduledTime" in done.notices[0]["Message"]


def test_a_manifest_that_arrives_starts_the_conversion(night: Night) -> None:
    found = deploy(night, render(night, night.table, "--trigger", "manifest"))
    s3, dynamodb = night.server.client(), night.server.service("dynamodb")
    s3.put_bucket_notification_configuration(
        Bucket=night.bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    made = dynamodb.export_table_to_point_in_time(TableArn=night.table_arn, S3Bucket=night.bucket)
    arn = made["ExportDescription"]["ExportArn"]
    for key in ("elsewhere/AWSDynamoDB/x/manifest-summary.json", "dynamodb/orders/AWSDynamoDB/x/manifest-files.json"):
        s3.put_object(Bucket=night.bucket, Key=key, Body=b"{}")
    night.write_export(arn, f"dynamodb/orders/2026/AWSDynamoDB/{arn.rsplit('/', 1)[1]}/")
    night.write_export(arn, f"AWSDynamoDB/{arn.rsplit('/', 1)[1]}/")
    done = night.follow(wait_for(lambda: executions(night, found["StateMachine"]))[0])
    assert (done.status, done.output["exportArn"]) == ("SUCCEEDED", arn)
    assert executions(night, found["StateMachine"]) == [done.arn]
    assert_converted(night, 1)
