"""States that let only one execution run at a time, because a second one would wait for the same exports.

    List the executions → Is an older execution running? → Sync
                        ↑                                → Wait for the older execution ↰
                                                         → Another execution waits already

Step Functions itself lists the running executions, so a dead one does not block others. The list may be seconds old:
two executions that start at the same time may both continue. That only costs money, because runs lock the destination.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
"""

from __future__ import annotations

from converter.schedule.notification import REQUEST_SECONDS, TRANSIENT, State

FIRST_QUEUE_STATE = "List the executions"
"""The name of the first of these states."""
_WAIT_SECONDS = 120

_SELF = "$states.context.Execution.Id"
# Times are texts on AWS. If two executions have the same start, the one with the smaller ARN is older.
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


def queue_states(partition: str, following: str) -> dict[str, State]:
    """Return the states from `List the executions` to `following`, or to the end if another execution waits already."""
    return {
        FIRST_QUEUE_STATE: {
            "Type": "Task",
            "Comment": "Lists the running executions. If this fails, the execution continues.",
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
            "Next": "Is an older execution running?",
        },
        "Is an older execution running?": {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $older = 0 %}", "Next": following},
                {"Condition": f"{{% $older > 1 and {_IS_SCHEDULED} %}}", "Next": "Another execution waits already"},
            ],
            "Default": "Wait for the older execution",
        },
        "Wait for the older execution": {
            "Type": "Wait",
            "Seconds": _WAIT_SECONDS,
            "Next": FIRST_QUEUE_STATE,
        },
        "Another execution waits already": {
            "Type": "Succeed",
            "Comment": "That execution will publish the same changes.",
            "Output": {"destination": "{% $settings.destination %}", "leftTo": "the execution that waits already"},
        },
    }
