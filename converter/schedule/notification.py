"""Failures of an execution: retries, the variables that describe one, and the notification of what to do next.

All texts are JSONata over the variables of the state machine: settings, advice, time, exportArn, failure and again.
"""

from __future__ import annotations

from typing import Final

from converter.schedule.settings import Schedule

State = dict[str, object]

REQUEST_SECONDS = 60
# Backoff with jitter for temporary errors: throttling, service errors, lost connections.
TRANSIENT = {"IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 6, "MaxDelaySeconds": 60, "JitterStrategy": "FULL"}
CAUSE = "($exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : '')"
"""JSONata for the cause of a caught error, which may be missing."""

ADVICE: Final = {
    "DynamoDb.ExportConflictException": "Within the last 8 hours, an export of this time had other settings: start"
    ' the execution again with a higher "attempt".',
    "DynamoDb.ExportNotFoundException": "This export of the table does not exist. DynamoDB keeps the details of exports"
    " for 90 days; convert an older one by hand.",
    "DynamoDb.InvalidExportTimeException": "The time must be within the recovery window of the table. Check when"
    " point-in-time recovery was enabled.",
    "DynamoDb.LimitExceededException": "The account's limit of concurrent exports is reached: start again when some"
    " have finished.",
    "DynamoDb.PointInTimeRecoveryUnavailableException": "Enable point-in-time recovery for the table:"
    " exports require it.",
    "DynamoDb.TableNotFoundException": "The table does not exist. Render the schedule again for an existing table.",
    "ExitCode1": "Not enough memory, or a bug: see the log of the container.",
    "ExitCode2": "The options are not valid, or another export is already published for this date: see the log of the"
    " container.",
    "ExitCode3": "The export is damaged or incomplete: see the log of the container for the file. Export again with"
    ' another "scheduledTime".',
    "ExitCode4": "The data does not fit the columns: see the log of the container for the attribute, the item and the"
    " options.",
    "ExitCode5": "Grant the role of the task the permission named in the log of the container.",
    "ExitCode6": "Another run used the destination for hours: find it, or remove its leftovers with ddb-convert clean.",
    "ExitCode137": "The container was killed, probably because of too little memory: raise the memory of the task.",
    "IncompleteInput": "Correct the input.",
    "S3NoSuchBucket": "Create the bucket, or render the schedule again for another bucket.",
    "States.Timeout": "See the execution for the step that took too long, and its log for the progress.",
}
"""Advice for each error."""

ADVICE_FOR_CHANGES: Final = {
    "ExitCode2": "The request can't be met, or the options are not valid: see the log of the container. Check that"
    " point-in-time recovery is enabled.",
    "ExitCode3": "An export is damaged, or changes are missing: see the log of the container. If the changes can no"
    ' longer be exported, start again with "onGap": "full" in the input, which starts over with a full export.',
    "ExitCode5": "Grant the role of the task, or the role that it assumes, the permission named in the log of the"
    " container.",
    "ExitCode6": "See the log of the container: another run used the destination for hours (find it, or remove its"
    " leftovers with ddb-convert clean), exports took longer than --timeout, or too many exports are in progress.",
}
"""Different advice for a schedule of changes."""

_OTHERWISE = "See the cause, correct the problem and start again."

_CONSOLES = (
    "{'aws': 'console.aws.amazon.com', 'aws-cn': 'console.amazonaws.cn', 'aws-us-gov': 'console.amazonaws-us-gov.com'}"
)

SUBJECT: Final = (
    # Subjects have less than 100 characters: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    "{% $substring('ddb-convert failed: '"
    " & ($exists($settings.tableArn) ? $split($settings.tableArn, '/')[1] & ' ' : '')"
    " & $substring($time, 0, 10), 0, 99) %}"
)

# A shell reads text between single quotes literally. A quote itself ends one text and begins another.
_FOR_SHELL: Final = """\"'\" & $replace({}, \"'\", \"'\\\\''\") & \"'\""""
# External text must not start a line of the notification. Some line breaks are listed, because not every engine has
# them in \s; they are escaped, because validators split an expression at line breaks.
_LINE: Final = "$line := function($text) { $replace($string($text), /[\\s\\u0085\\u2028\\u2029]+/, ' ') };"

_MESSAGE: Final = (
    " 'Step: ' & $failure.step,"
    " 'Error: ' & $line($failure.error),"
    " 'Cause: ' & $line($failure.cause),"
    " $exists($settings.logGroup) ? 'Log group of the container: ' & $line($settings.logGroup),"
    " '',"
    " 'What to do: '"
    f" & ($exists($lookup($advice, $failure.error)) ? $lookup($advice, $failure.error) : '{_OTHERWISE}'),"
    " 'Execution: https://' & $split($states.context.Execution.Id, ':')[3]"
    f" & '.' & $lookup({_CONSOLES}, $split($states.context.Execution.Id, ':')[1])"
    " & '/states/home?region=' & $split($states.context.Execution.Id, ':')[3]"
    " & '#/v2/executions/details/' & $states.context.Execution.Id,"
    " 'Start again: aws stepfunctions start-execution --state-machine-arn ' & $states.context.StateMachine.Id"
    f" & ' --input ' & {_FOR_SHELL.format('$string($again)')}"
    "], '\\n')) %}"
)


def advice_for(schedule: Schedule) -> dict[str, str]:
    """Return the advice for each error that this schedule can end with."""
    if schedule.changes is None:
        return dict(ADVICE)
    possible = {error: text for error, text in ADVICE.items() if not error.startswith(("DynamoDb.", "S3"))}
    return possible | ADVICE_FOR_CHANGES


def message(schedule: Schedule) -> str:
    """Return JSONata for the text of the notification."""
    table = "($exists($settings.tableArn) ? $line($settings.tableArn) : 'an unknown table')"
    if schedule.changes is None:
        what = f"'The export of ' & {table} & ' was not converted.'"
        export = " 'Export: ' & ($exportArn = '' ? 'none' : $line($exportArn)),"
    else:
        what = f"'The changes of ' & {table} & ' were not published.'"
        export = ""
    return f"{{% ({_LINE} $join([{what}, '', 'Time: ' & $time,{export}{_MESSAGE}"


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
    replaced = "['exportArn', 'manifest', 'scheduledTime', 'attempt']"
    kept = f"$sift($states.context.Execution.Input, function($value, $name) {{ $not($name in {replaced}) }})"
    return {
        "failure": {"step": step, "error": error, "cause": f"{{% $substring({cause}, 0, 2000) %}}"},
        "again": f"{{% $merge([{kept}, {again}]) %}}",
    }
