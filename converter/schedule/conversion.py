"""The states that have an export converted, in a container on Fargate, and that judge how it ended.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html
"""

from __future__ import annotations

from converter.schedule.tasks import CAUSE, TRANSIENT, State, failed

CONTAINER = "convert"
"""The name of the container in the task definition."""

CONVERT_SECONDS = 6 * 3600
# Another run at the destination: look again for three hours.
BUSY_SECONDS = 300
BUSY_TIMES = 36
# A container that did not start, or was stopped from outside.
RESTART_SECONDS = 60
RESTARTS = 2

_EXIT_CODE = r"""/"ExitCode"\s*:\s*([0-9]+)/i"""
_REASON = r"""/"StoppedReason"\s*:\s*"([^"]*)"/i"""


def conversion(partition: str) -> dict[str, State]:
    """From `Convert` to `Done`, or to `Say what happened`."""
    return {"Convert": _convert(partition), **_after_a_failed_conversion(), "Done": {"Type": "Succeed"}}


def _convert(partition: str) -> State:
    reason = f"($found := $match({CAUSE}, {_REASON}); $exists($found) ? $found[0].groups[0] : {CAUSE})"
    command = "['convert', 's3://' & $export.S3Bucket & '/' & $export.ExportManifest, $settings.destination]"
    return {
        "Type": "Task",
        "Comment": "Publishes all of the export or nothing, so that it may run as often as need be.",
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
            "Overrides": {
                "ContainerOverrides": [{"Name": CONTAINER, "Command": f"{{% $append({command}, $settings.options) %}}"}]
            },
        },
        "TimeoutSeconds": CONVERT_SECONDS,
        "Retry": [
            # That the task could not be placed. What its container ended with is States.TaskFailed, and caught.
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
                    # The cause describes the stopped task, as JSON that may be cut off: hence no parser.
                    # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Container.html
                    "exitCode": f"{{% ($found := $match({CAUSE}, {_EXIT_CODE});"
                    " $exists($found) ? $number($found[0].groups[0]) : -1) %}",
                    **failed("Convert", "{% $states.errorOutput.Error %}", reason, "{'exportArn': $exportArn}"),
                },
                "Next": "Why did it end?",
            }
        ],
        "Output": {"exportArn": "{% $exportArn %}", "destination": "{% $settings.destination %}"},
        "Next": "Done",
    }


def _after_a_failed_conversion() -> dict[str, State]:
    return {
        "Why did it end?": {
            "Type": "Choice",
            "Comment": "6: another run holds the destination. 143 or none: the container was stopped or never ran."
            " With any other, the same again would end the same.",
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
            "Next": "Convert",
        },
        "Wait for another container": {
            "Type": "Wait",
            "Seconds": RESTART_SECONDS,
            "Assign": {"restarts": "{% $restarts + 1 %}"},
            "Next": "Convert",
        },
        "Name the exit code": {
            "Type": "Pass",
            "Assign": {
                "failure": "{% $exitCode = -1 ? $failure"
                " : $merge([$failure, {'error': 'ExitCode' & $string($exitCode)}]) %}"
            },
            "Next": "Say what happened",
        },
    }
