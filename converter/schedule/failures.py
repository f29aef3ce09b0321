"""Common parts of states: the retries of a request, and the variables that describe a failure."""

from __future__ import annotations

from converter.schedule.notification import run_again

State = dict[str, object]

REQUEST_SECONDS = 60
# Backoff with jitter for temporary errors: throttling, service errors, lost connections.
TRANSIENT = {"IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 6, "MaxDelaySeconds": 60, "JitterStrategy": "FULL"}
CAUSE = "($exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : '')"
"""JSONata for the cause of a caught error, which may be missing."""


def catch_failure(step: str, again: str) -> State:
    """Return a catcher for errors after the retries of a step. again: see `failure_variables`."""
    return {
        "ErrorEquals": ["States.ALL"],
        "Assign": failure_variables(step, "{% $states.errorOutput.Error %}", CAUSE, again),
        "Next": "Describe the failure",
    }


def failure_variables(step: str, error: str, cause: str, again: str) -> State:
    """Return variables that describe a failure.

    error: a text, or {% JSONata %}. cause: JSONata. again: a JSONata object with the additional input of an execution
    that repeats the work.
    """
    return {
        "failure": {"step": step, "error": error, "cause": f"{{% $substring({cause}, 0, 2000) %}}"},
        "again": run_again(again),
    }
