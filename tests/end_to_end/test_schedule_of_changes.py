"""A schedule that brings changes: its machine only runs the container, which has them exported, waits and merges."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.machines import (
    ITEMS,
    YESTERDAY,
    deploy,
    fail_at,
    machine_of,
    next_input,
    render,
    server,
)
from tests.end_to_end.scheduled import Execution, Night
from tests.oracle import assert_equal_to_table, expected_table_of
from tests.servers.dynamodb import play_dynamodb
from tests.servers.s3 import S3Server

pytestmark = pytest.mark.slow

RECORDS = re.compile(r"orders/snapshot/_exports/[^/]+\.json")
CHANGED: list[dict[str, dict[str, Any]]] = [
    {"id": {"S": "o1"}, "price": {"N": "100"}, "open": {"BOOL": True}},
    *ITEMS[3:],
    {"id": {"S": "o99"}, "price": {"N": "9.75"}},
]


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """It waits for tasks 600 seconds of its own: this many of ours."""
    with server(tmp_path_factory.mktemp("patient"), wait_scale="0.1") as running:
        yield running


@pytest.fixture
def night(patient: S3Server, tmp_path: Path) -> Iterator[Night]:
    """A table that was exported whole two hours ago, and has changed since."""
    now = datetime.now(UTC).replace(microsecond=0)
    with play_dynamodb(patient) as service:
        service.polls = 0
        night = Night(patient, tmp_path, CHANGED, service)
        service.history[night.table] = {now - timedelta(hours=3): ITEMS, now - timedelta(hours=1): CHANGED}
        dynamodb = service.server.service("dynamodb")
        dynamodb.update_continuous_backups(
            TableName=night.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        dynamodb.export_table_to_point_in_time(
            TableArn=night.table_arn,
            S3Bucket=night.bucket,
            S3Prefix="dynamodb/orders",
            ExportTime=now - timedelta(hours=2),
            ExportFormat="DYNAMODB_JSON",
            ExportType="FULL_EXPORT",
        )
        yield night


def assert_brought(night: Night) -> dict[str, bytes]:
    """The newest snapshot is the table, and all runs ended well; what is published."""
    assert [done.returncode for done in night.runs] == [0] * len(night.runs), night.runs[-1].stderr
    listing = night.server.listing(night.lake)
    records = [json.loads(text) for key, text in listing.items() if RECORDS.fullmatch(key)]
    [merged] = [record for record in records if record["kind"] == "snapshot"]
    copies = night.parts()
    parts = [copies[f"orders/snapshot/{part['path']}"] for part in merged["parts"]]
    assert_equal_to_table(expected_table_of(CHANGED), parts, "parquet", key="id")
    assert any(key.startswith("orders/changes/dt=") for key in copies)
    return listing


def test_the_machine_brings_what_has_changed_and_then_finds_nothing_new(night: Night) -> None:
    given = night.settings() | {"scheduledTime": YESTERDAY}
    machine = machine_of(night, "--incremental", "--merge", "--", "--part-size", "5MB")
    first = night.execute(machine, given)
    assert first.status == "SUCCEEDED", first
    assert first.output == {"destination": f"s3://{night.lake}/orders/"}
    [run] = night.runs
    assert [word for word in run.args if "://" in word] == [f"s3://{night.lake}/orders/"]
    published = assert_brought(night)
    assert night.service is not None
    exports = list(night.service.exports)

    again = night.execute(machine, given)
    assert (again.status, again.output) == ("SUCCEEDED", first.output)
    assert assert_brought(night) == published
    assert list(night.service.exports) == exports
    assert len(night.runs) == 2


def test_the_stack_is_deployed_and_brings_changes(night: Night) -> None:
    template = render(night, night.table, "--rate", "1 hour", "--incremental", "--merge", "--", "--key", "id")
    found = deploy(night, template, Email="oncall@example.com")
    done = night.execute(found["StateMachine"], {"scheduledTime": YESTERDAY})
    assert done.status == "SUCCEEDED", done
    assert night.runs[0].args[-2:] == ("--key", "id")
    assert_brought(night)


def states_of(night: Night, execution: str) -> list[str]:
    """The states that an execution has been in."""
    events = night.states.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    return [entered["name"] for event in events if (entered := event.get("stateEnteredEventDetails"))]


def start(night: Night, machine: str, last: str, **given: object) -> str:
    """An execution that has come as far as a state."""
    told = json.dumps({"scheduledTime": YESTERDAY, **given})
    execution = str(night.states.start_execution(stateMachineArn=machine, input=told)["executionArn"])
    deadline = time.monotonic() + 60
    while last not in states_of(night, execution):
        assert time.monotonic() < deadline, states_of(night, execution)
        time.sleep(0.05)
    return execution


def test_one_execution_works_at_a_time_and_one_waits_for_it(night: Night) -> None:
    template = render(night, night.table, "--rate", "1 hour", "--incremental", "--merge", "--", "--key", "id")
    machine = deploy(night, template, Email="oncall@example.com")["StateMachine"]
    first = start(night, machine, "Sync")
    second = start(night, machine, "Wait for the older execution")
    third = start(night, machine, "Another execution waits already")
    assert night.states.describe_execution(executionArn=third)["status"] == "SUCCEEDED"
    # What somebody has asked for is done, however many wait.
    asked = start(night, machine, "Wait for the older execution", onGap="full")
    assert night.follow(first).status == "SUCCEEDED"
    assert_brought(night)
    assert len(night.runs) == 1
    for execution in (second, asked):
        done = night.follow(execution)
        assert (done.status, done.states[-2:]) == ("SUCCEEDED", ["Sync", "Done"])
    assert len(night.runs) == 3


def test_an_execution_that_has_died_holds_up_no_other_one(night: Night) -> None:
    template = render(night, night.table, "--rate", "1 hour", "--incremental", "--merge", "--", "--key", "id")
    machine = deploy(night, template, Email="oncall@example.com")["StateMachine"]
    first = start(night, machine, "Sync")
    second = start(night, machine, "Wait for the older execution")
    night.states.stop_execution(executionArn=first)
    assert night.follow(second).status == "SUCCEEDED"
    assert_brought(night)


@pytest.mark.parametrize(("case", "waits"), [("busy", "other run"), ("terminated", "another container")])
def test_a_run_that_can_be_repeated_is(night: Night, case: str, waits: str) -> None:
    machine = machine_of(night, "--incremental", "--merge")
    done = night.execute(machine, night.settings() | {"scheduledTime": YESTERDAY}, case)
    assert done.status == "SUCCEEDED", done
    assert done.states.count("Sync") == 2
    assert [state for state in done.states if waits in state]
    assert done.notices == []
    assert_brought(night)


def fail(night: Night, case: str, **given: object) -> tuple[Execution, str]:
    """Run a case that fails, and give its notice."""
    done, text = fail_at(night, machine_of(night, "--incremental", "--on-gap", "fail"), case, **given)
    assert text.startswith(f"The changes of {night.table_arn} were not published.\n\nTime: {YESTERDAY}\nStep: ")
    assert night.descriptions() == []
    return done, text


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 137])
def test_a_run_that_would_fail_again_is_told_at_once(bad_night: Night, code: int) -> None:
    done, text = fail(bad_night, f"exit-{code}", onGap="fail")
    assert done.states.count("Sync") == 1
    assert f"\nStep: Sync\nError: ExitCode{code}\nCause: Essential container in task exited\n" in text
    assert "The cause says" not in text, "there is advice of its own"
    assert ('"onGap": "full"' in text) == (code == 3)
    # All that the execution was told, but the moment: it goes on from what is published.
    again = next_input(text)
    assert again["onGap"] == "fail"
    assert "scheduledTime" not in again
    assert "exportArn" not in again


def test_a_destination_that_stays_busy_is_told_after_hours(bad_night: Night) -> None:
    done, text = fail(bad_night, "busy-for-hours")
    assert done.states.count("Wait for the other run") == 36
    assert "\nError: ExitCode6\n" in text


def test_a_container_that_never_starts_is_told_after_two_more(bad_night: Night) -> None:
    done, text = fail(bad_night, "never-starts")
    assert done.states.count("Sync") == 3
    assert "\nError: States.TaskFailed\nCause: CannotPullContainerError: not found\n" in text


def test_a_run_that_is_out_of_time_is_told(bad_night: Night) -> None:
    done, text = fail(bad_night, "out-of-time")
    assert done.states.count("Sync") == 1
    assert "\nStep: Sync\nError: States.Timeout\n" in text


@pytest.mark.parametrize("name", ["exportArn", "attempt", "scheduledTime"])
def test_an_input_that_is_for_exports_or_no_time_is_refused_and_told(bad_night: Night, name: str) -> None:
    given = bad_night.settings() | {name: "1"}
    done = bad_night.execute(machine_of(bad_night, "--incremental"), given)
    assert done.states[-4:] == ["Reject the input", "Describe the failure", "Notify", "Failed"]
    assert done.output["Error"] == "IncompleteInput"
    assert f"\nCause: missing or not valid: {name}\n" in done.notices[0]["Message"]
