"""States that run the conversion, or the sync, in a container on Fargate, and that handle its exit.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html
"""

from __future__ import annotations

from dataclasses import dataclass

from converter.aws.s3_uri import SCHEME
from converter.schedule.notification import CAUSE, TRANSIENT, State, failure_variables
from converter.schedule.settings import Schedule
from converter.syncing.incremental_options import Changes

CONTAINER = "convert"
"""The name of the container in the task definition."""

CONVERT_SECONDS = 6 * 3600
# A sync also waits for exports, and the first one of terabytes takes hours. Shorter than the limit of an execution, so
# that a timeout is reported.
SYNC_SECONDS = 20 * 3600
# If another run uses the destination: retry for three hours.
BUSY_SECONDS = 300
BUSY_TIMES = 36
# If the container did not start, or was stopped from outside: restart it.
RESTART_SECONDS = 60
RESTARTS = 2

_EXIT_CODE = r"""/"ExitCode"\s*:\s*([0-9]+)/i"""
_REASON = r"""/"StoppedReason"\s*:\s*"([^"]*)"/i"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """The work of the container in the state `name`.

    command: JSONata, the arguments without the options; again: JSONata, the input that repeats the work (see
    `failure_variables`); output: the output of the execution.
    """

    name: str
    comment: str
    command: str
    seconds: int
    again: str
    output: State


_CONVERT = _Job(
    name="Convert",
    comment="Publishes all of the export or nothing, so it can be repeated.",
    command=f"['convert', '{SCHEME}' & $export.S3Bucket & '/' & $export.ExportManifest, $settings.destination]",
    seconds=CONVERT_SECONDS,
    again="{'exportArn': $exportArn}",
    output={"exportArn": "{% $exportArn %}", "destination": "{% $settings.destination %}"},
)


def first_state(schedule: Schedule) -> str:
    """Return the name of the state that runs the container."""
    return _job(schedule).name


def conversion_states(schedule: Schedule) -> dict[str, State]:
    """Return the states from `Convert`, or `Sync` for changes, to `Done`, or to `Describe the failure`."""
    job = _job(schedule)
    return {
        job.name: _run(job, schedule.partition),
        **_after_a_failed_run(job.name),
        "Done": {"Type": "Succeed"},
    }


def _job(schedule: Schedule) -> _Job:
    return _CONVERT if schedule.changes is None else _sync(schedule, schedule.changes)


def _sync(schedule: Schedule, changes: Changes) -> _Job:
    target = schedule.target
    words = ["'sync'", "$settings.tableArn", "$settings.destination", "'--incremental'"]
    words += ["'--merge'"] if changes.merge else []
    words += ["'--view'", f"'{changes.view}'"]
    words += ["'--on-gap'", "$settings.onGap", "'--bucket'", "$settings.bucket"]
    words += ["'--bucket-owner'", "$settings.bucketOwner"] if target.bucket_owner is not None else []
    words += ["'--export-format'", f"'{target.format}'"] if target.format != "DYNAMODB_JSON" else []
    words += ["'--export-sse'", f"'{target.sse}'"] if target.sse is not None else []
    words += ["'--export-kms-key-id'", "$settings.kmsKeyId"] if target.kms_key_id is not None else []
    prefix = "$exists($settings.prefix) ? ['--export-prefix', $settings.prefix] : []"
    return _Job(
        name="Sync",
        comment="Exports the changes since the last run, waits for the exports, and publishes them. It resumes where"
        " the last run ended, so it can be repeated.",
        command=f"$append([{', '.join(words)}], {prefix})",
        seconds=SYNC_SECONDS,
        again="{}",
        output={"destination": "{% $settings.destination %}"},
    )


def _run(job: _Job, partition: str) -> State:
    reason = f"($found := $match({CAUSE}, {_REASON}); $exists($found) ? $found[0].groups[0] : {CAUSE})"
    command = f"{{% $append({job.command}, $settings.options) %}}"
    return {
        "Type": "Task",
        "Comment": job.comment,
        "Resource": f"arn:{partition}:states:::ecs:runTask.sync",
        "Arguments": {
            "LaunchType": "FARGATE",
            "Cluster": "{% $settings.cluster %}",
            "TaskDefinition": "{% $settings.taskDefinition %}",
            "NetworkConfiguration": {
                "AwsvpcConfiguration": {
                    "Subnets": "{% $settings.subnets %}",
                    "SecurityGroups": "{% $settings.securityGroups %}",
                    "AssignPublicIp": "{% $settings.assignPublicIp %}",
                }
            },
            "Overrides": {"ContainerOverrides": [{"Name": CONTAINER, "Command": command}]},
        },
        "TimeoutSeconds": job.seconds,
        "Retry": [
            # Errors when the task starts. A failed container raises States.TaskFailed, which is caught below.
            {
                "ErrorEquals": [
                    "AmazonECS.Unknown",
                    "ECS.AmazonECSException",
                    "ECS.SdkClientException",
                    "ECS.ServerException",
                    "ECS.ThrottlingException",
                ],
                **TRANSIENT,
            }
        ],
        "Catch": [
            {
                "ErrorEquals": ["States.ALL"],
                "Assign": {
                    # The cause describes the stopped task as JSON, but may be truncated, so it is not parsed.
                    # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Container.html
                    "exitCode": f"{{% ($found := $match({CAUSE}, {_EXIT_CODE});"
                    " $exists($found) ? $number($found[0].groups[0]) : -1) %}",
                    **failure_variables(job.name, "{% $states.errorOutput.Error %}", reason, job.again),
                },
                "Next": "Why did the task end?",
            }
        ],
        "Output": job.output,
        "Next": "Done",
    }


def _after_a_failed_run(again: str) -> dict[str, State]:
    return {
        "Why did the task end?": {
            "Type": "Choice",
            "Comment": "Exit code 6: another run uses the destination. 143 or none: the container was stopped or did"
            " not start. Other exit codes are not retried, because the result would be the same.",
            "Choices": [
                {
                    "Condition": f"{{% $exitCode = 6 and $busy < {BUSY_TIMES} %}}",
                    "Next": "Wait for the other run",
                },
                {
                    "Condition": "{% ($exitCode = -1 or $exitCode = 143) and $failure.error != 'States.Timeout'"
                    f" and $restarts < {RESTARTS} %}}",
                    "Next": "Wait for another container",
                },
            ],
            "Default": "Name the exit code",
        },
        "Wait for the other run": {
            "Type": "Wait",
            "Seconds": BUSY_SECONDS,
            "Assign": {"busy": "{% $busy + 1 %}"},
            "Next": again,
        },
        "Wait for another container": {
            "Type": "Wait",
            "Seconds": RESTART_SECONDS,
            "Assign": {"restarts": "{% $restarts + 1 %}"},
            "Next": again,
        },
        "Name the exit code": {
            "Type": "Pass",
            "Assign": {
                "failure": "{% $exitCode = -1 ? $failure"
                " : $merge([$failure, {'error': 'ExitCode' & $string($exitCode)}]) %}"
            },
            "Next": "Describe the failure",
        },
    }
