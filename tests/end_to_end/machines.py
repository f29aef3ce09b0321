"""Schedules on MiniStack: what it plays of the services that it does not have, and how stacks get there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.cli.command import ddb_convert
from tests.end_to_end.scheduled import LONGEST_SECONDS, Execution, Night
from tests.servers.ministack import start_ministack
from tests.servers.s3 import S3Server

MACHINE = "played"
ITEMS: list[dict[str, dict[str, Any]]] = [
    {"id": {"S": f"o{number}"}, "price": {"N": f"{number}.50"}, "open": {"BOOL": number % 2 == 0}}
    for number in range(7)
]
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT02:00:00Z")
ARN = "arn:aws:dynamodb:us-east-1:000000000000:table/Orders/export/01701065507109-cce6a3f8"


def stopped(exit_code: int | None, reason: str = "Essential container in task exited") -> str:
    """A stopped task, as Step Functions gives it for the cause of States.TaskFailed."""
    container: dict[str, object] = {
        "ContainerArn": "arn:aws:ecs:us-east-1:000000000000:container/c/t/1",
        "LastStatus": "STOPPED",
        "Name": "convert",
    }
    if exit_code is not None:
        container["ExitCode"] = exit_code
    command = ["convert", "s3://exports/manifest-summary.json", "s3://lake/", "--rename", '"ExitCode": 99=x']
    return json.dumps(
        {
            "Attachments": [],
            "Containers": [container],
            "LastStatus": "STOPPED",
            "Overrides": {"ContainerOverrides": [{"Command": command, "Name": "convert"}]},
            "StopCode": "EssentialContainerExited",
            "StoppedReason": reason,
        }
    )


def throw(error: str, cause: str) -> dict[str, Any]:
    return {"Throw": {"Error": error, "Cause": cause}}


def describes(**facts: str) -> dict[str, Any]:
    return {"Return": {"ExportDescription": {"ExportArn": ARN, **facts}}}


CONTAINER_FAILS = {f"exit-{code}": {"0": throw("States.TaskFailed", stopped(code))} for code in (1, 2, 3, 4, 5, 137)}
PLAYED = {
    **CONTAINER_FAILS,
    "busy": {"0": throw("States.TaskFailed", stopped(6))},
    "busy-for-hours": {"0-99": throw("States.TaskFailed", stopped(6))},
    "terminated": {"0": throw("States.TaskFailed", stopped(143))},
    "never-starts": {"0-99": throw("States.TaskFailed", stopped(None, "CannotPullContainerError: not found"))},
    "out-of-time": {"0": throw("States.Timeout", "")},
    "throttled": {"0": throw("DynamoDb.DynamoDbException", "Rate exceeded (Service: DynamoDb, Status Code: 400)")},
    "no-recovery": {"0": throw("DynamoDb.PointInTimeRecoveryUnavailableException", "it is off")},
    "describe-fails": {"0": throw("DynamoDb.InternalServerErrorException", "internal error")},
    "in-progress": {"0": describes(ExportStatus="IN_PROGRESS")},
    "failed": {
        "0": describes(ExportStatus="FAILED", FailureCode="S3NoSuchBucket", FailureMessage="The bucket does not exist.")
    },
    "denied": {"0": throw("SNS.AuthorizationErrorException", "not allowed")},
}
STATES = {
    "throttled": "Start the export",
    "no-recovery": "Start the export",
    "describe-fails": "Describe the export",
    "in-progress": "Describe the export",
    "failed": "Describe the export",
}
# The container runs in one of two states; a machine has the one or the other.
CASES: dict[str, dict[str, str]] = {
    name: {STATES[name]: name} if name in STATES else {"Convert": name, "Sync": name} for name in PLAYED
}
CASES["denied"] = {"Convert": "exit-4", "Notify": "denied"}


@contextmanager
def server(folder: Path, wait_scale: str) -> Iterator[S3Server]:
    """A server whose waits are short, and which plays what the tests can't do to it."""
    played = {"StateMachines": {MACHINE: {"TestCases": CASES}}, "MockedResponses": PLAYED}
    (folder / "played.json").write_text(json.dumps(played))
    settings = {"SFN_MOCK_CONFIG": str(folder / "played.json"), "SFN_WAIT_SCALE": wait_scale}
    with start_ministack(folder, MINISTACK_DDB_EXPORT_COMPLETE_AFTER_SEC="0", **settings) as running:
        yield running


def render(night: Night, table: str, *options: str) -> str:
    """What the command writes."""
    place = ("--bucket", night.bucket, "--export-prefix", "dynamodb/orders")
    done = ddb_convert("schedule", "render", table, f"s3://{night.lake}/orders", *place, *options)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def machine_of(night: Night, *options: str) -> str:
    return night.create_machine(render(night, night.table_arn, "--asl", *options), MACHINE)


def next_input(text: str) -> Any:
    """What the notice says to start again with."""
    command = text.split("\nStart again: ")[1]
    return json.loads(command.split(" --input '")[1].removesuffix("'"))


def fail_at(night: Night, machine: str, case: str, **given: object) -> tuple[Execution, str]:
    """Run a case that fails; the execution, and the text of its one notice."""
    done = night.execute(machine, night.settings() | {"scheduledTime": YESTERDAY} | given, case)
    assert done.status == "FAILED", done
    assert done.states[-3:] == ["Describe the failure", "Notify", "Failed"]
    [notice] = done.notices
    assert notice["Subject"] == f"ddb-convert failed: {night.table} {YESTERDAY[:10]}"
    return done, notice["Message"]


def deploy(night: Night, template: str, **parameters: str) -> dict[str, str]:
    """Deploy a template; the physical ids by the logical ones."""
    cloudformation = night.server.service("cloudformation")
    given = {"Image": "ddb-convert", "Subnets": "subnet-1,subnet-2", "SecurityGroups": "sg-1", **parameters}
    cloudformation.create_stack(
        StackName=night.table,
        TemplateBody=template,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
    )
    events = wait_for(lambda: stack_events(cloudformation, night.table))
    assert [event for event in events if "FAILED" in event] == []
    listed = cloudformation.list_stack_resources(StackName=night.table)["StackResourceSummaries"]
    found = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in listed}
    night.cluster = found["Cluster"]
    night.subscribe(found["Topic"])
    return found


def stack_events(cloudformation: Any, stack: str) -> list[str]:
    """What has happened to a stack's resources, once all of it has."""
    [described] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    if not described["StackStatus"].endswith("_COMPLETE"):
        return []
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    return [f"{e['LogicalResourceId']} {e['ResourceStatus']} {e.get('ResourceStatusReason', '')}" for e in events]


def executions(night: Night, machine: str) -> list[str]:
    return [one["executionArn"] for one in night.states.list_executions(stateMachineArn=machine)["executions"]]


def wait_for(found: Callable[[], list[str]]) -> list[str]:
    """What is found, once there is something."""
    end = time.monotonic() + LONGEST_SECONDS
    while not (result := found()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return result
