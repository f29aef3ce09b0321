"""The states that let one execution of the machine work at a time: a second one would pay for the same wait.

    List the executions → Is an older one running? → Sync
                        ↑                          → Wait for the older one ↰
                                                   → Another one waits already

The service itself says which executions run, so one that has died holds up no other one. Its list may be seconds old:
two that start at once may both go on. That costs money and nothing else, because a run holds the destination.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
"""

from __future__ import annotations

from converter.schedule.tasks import REQUEST_SECONDS, TRANSIENT, State

FIRST_TURN = "List the executions"
"""The name of the first of these states."""
_WAIT_SECONDS = 120

_SELF = "$states.context.Execution.Id"
# Times are texts on AWS; the older of two that began at once is the one whose ARN is less.
_OLDER = (
    "($time := function($date) { $type($date) = 'string' ? $toMillis($date) : $date };"
    f" $own := $states.result.Executions[ExecutionArn = {_SELF}];"
    " $isOlder := function($one) { $not($exists($own)) or $time($one.StartDate) < $time($own.StartDate)"
    f" or ($time($one.StartDate) = $time($own.StartDate) and $one.ExecutionArn < {_SELF}) }};"
    f" $count($states.result.Executions[ExecutionArn != {_SELF} and $isOlder($)]))"
)
_IS_SCHEDULED = (
    "$count($filter($keys($states.context.Execution.Input), function($name) { $name != 'scheduledTime' })) = 0"
)


def turns(partition: str, following: str) -> dict[str, State]:
    """From `List the executions` to `following`, or to an end where another execution will do the same."""
    return {
        FIRST_TURN: {
            "Type": "Task",
            "Comment": "Which executions of this machine run. It goes on if they can't be listed.",
            "Resource": f"arn:{partition}:states:::aws-sdk:sfn:listExecutions",
            "Arguments": {
                "StateMachineArn": "{% $states.context.StateMachine.Id %}",
                "StatusFilter": "RUNNING",
            },
            "TimeoutSeconds": REQUEST_SECONDS,
            "Retry": [
                {"ErrorEquals": ["States.QueryEvaluationError", "Sfn.AccessDeniedException"], "MaxAttempts": 0},
                {"ErrorEquals": ["States.ALL"], **TRANSIENT},
            ],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": following}],
            "Assign": {"older": f"{{% {_OLDER} %}}"},
            "Next": "Is an older one running?",
        },
        "Is an older one running?": {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $older = 0 %}", "Next": following},
                {"Condition": f"{{% $older > 1 and {_IS_SCHEDULED} %}}", "Next": "Another one waits already"},
            ],
            "Default": "Wait for the older one",
        },
        "Wait for the older one": {
            "Type": "Wait",
            "Seconds": _WAIT_SECONDS,
            "Next": FIRST_TURN,
        },
        "Another one waits already": {
            "Type": "Succeed",
            "Comment": "It will bring all that this one could.",
            "Output": {"destination": "{% $settings.destination %}", "leftTo": "the execution that waits already"},
        },
    }
