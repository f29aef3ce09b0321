"""What the states of the machine have in common: how a request is tried again, and how a failure is passed on."""

from __future__ import annotations

from converter.schedule.notice import run_again

State = dict[str, object]

REQUEST_SECONDS = 60
# Backoff with jitter for what may pass: throttling, faults of the service, a lost connection.
TRANSIENT = {"IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 6, "MaxDelaySeconds": 60, "JitterStrategy": "FULL"}
CAUSE = "($exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : '')"
"""JSONata for the cause of a caught error; some have none."""


def catch(step: str, again: str) -> State:
    """Catches what is still wrong after the retries of a step; again: see `failed`."""
    return {
        "ErrorEquals": ["States.ALL"],
        "Assign": failed(step, "{% $states.errorOutput.Error %}", CAUSE, again),
        "Next": "Say what happened",
    }


def failed(step: str, error: str, cause: str, again: str) -> State:
    """Variables that say what failed.

    cause: JSONata; error: a text, or {% JSONata %}. again: a JSONata object, with what the input of an execution that
    does it once more has beside the input of this one.
    """
    return {
        "failure": {"step": step, "error": error, "cause": f"{{% $substring({cause}, 0, 2000) %}}"},
        "again": run_again(again),
    }
