"""What is told when an execution failed: which table and moment, what happened where, and what to do next.

All of it is JSONata over the state machine's variables: settings, advice, time, exportArn, failure and again.
"""

from __future__ import annotations

from typing import Final

from converter.schedule.settings import Schedule

ADVICE: Final = {
    "DynamoDb.ExportConflictException": "This moment was exported with other settings in the last 8 hours: start again"
    ' with a higher "attempt".',
    "DynamoDb.ExportNotFoundException": "There is no such export of this table. Details of exports are kept for 90"
    " days; convert an older one by hand.",
    "DynamoDb.InvalidExportTimeException": "The moment must lie within the table's recovery window: was point-in-time"
    " recovery turned on after it?",
    "DynamoDb.LimitExceededException": "Too many exports are running in this account: start again when they are done.",
    "DynamoDb.PointInTimeRecoveryUnavailableException": "Turn point-in-time recovery on for the table: exports are"
    " made from it.",
    "DynamoDb.TableNotFoundException": "Render the schedule again for the table that there is.",
    "ExitCode1": "Too little memory, or a bug: the container's log says which.",
    "ExitCode2": "The options make no sense together, or the date has another export already: the container's log says"
    " which.",
    "ExitCode3": "The export is damaged or incomplete: the container's log names the file. Export it again with"
    ' another "scheduledTime".',
    "ExitCode4": "The data does not fit the columns: the container's log names attribute, item and the ways out.",
    "ExitCode5": "Grant what the container's log names, to the role of the task.",
    "ExitCode6": "Another run held the destination for hours: look for it, or for what it left with ddb-convert clean.",
    "ExitCode137": "The container was killed, most likely for lack of memory: give the task more.",
    "IncompleteInput": "Correct the input.",
    "S3NoSuchBucket": "Create the bucket, or render the schedule again for another one.",
    "States.Timeout": "See in the execution which step took so long; its log says whether it came forward.",
}
"""What to do next, by the error."""

ADVICE_FOR_CHANGES: Final = {
    "ExitCode2": "What is asked for can't be had, or the options make no sense together: the container's log says"
    " which. Is point-in-time recovery on?",
    "ExitCode3": "An export is damaged, or changes are missing: the container's log says which. Where they can't be had"
    ' any more, start again with "onGap": "full" in the input, to begin anew with a full export.',
    "ExitCode5": "Grant what the container's log names, to the role of the task or the one that it assumes.",
    "ExitCode6": "The container's log says why: another run held the destination for hours (look for it, or for what it"
    " left with ddb-convert clean), exports took longer than --timeout, or too many of them are under way.",
}
"""What is to be done otherwise where changes are brought."""

_OTHERWISE = "The cause says what is missing or wrong. Put it right and start again."

_CONSOLES = (
    "{'aws': 'console.aws.amazon.com', 'aws-cn': 'console.amazonaws.cn', 'aws-us-gov': 'console.amazonaws-us-gov.com'}"
)

SUBJECT: Final = (
    # Subjects have less than 100 characters: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    "{% $substring('ddb-convert failed: '"
    " & ($exists($settings.tableArn) ? $split($settings.tableArn, '/')[1] & ' ' : '')"
    " & $substring($time, 0, 10), 0, 99) %}"
)

# A shell takes all between single quotes for what it is; a quote itself goes between two such texts.
_FOR_SHELL: Final = """\"'\" & $replace({}, \"'\", \"'\\\\''\") & \"'\""""
# What others wrote must not begin a line of the notice. Some line breaks are named, because not every engine has them
# in \s; as escapes, because validators take an expression with line breaks for several lines.
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
    """What to do next, by the errors that this schedule can end with."""
    if schedule.changes is None:
        return dict(ADVICE)
    possible = {error: text for error, text in ADVICE.items() if not error.startswith(("DynamoDb.", "S3"))}
    return possible | ADVICE_FOR_CHANGES


def message(schedule: Schedule) -> str:
    """JSONata for the text of a notice."""
    table = "($exists($settings.tableArn) ? $line($settings.tableArn) : 'a table that is not known')"
    if schedule.changes is None:
        what = f"'The export of ' & {table} & ' was not converted.'"
        export = " 'Export: ' & ($exportArn = '' ? 'none' : $line($exportArn)),"
    else:
        what = f"'The changes of ' & {table} & ' were not brought.'"
        export = ""
    return f"{{% ({_LINE} $join([{what}, '', 'Moment: ' & $time,{export}{_MESSAGE}"


def run_again(changed: str) -> str:
    """The input that does what failed once more: the execution's own, with what `changed`, a JSONata object, says."""
    replaced = "['exportArn', 'manifest', 'scheduledTime', 'attempt']"
    kept = f"$sift($states.context.Execution.Input, function($value, $name) {{ $not($name in {replaced}) }})"
    return f"{{% $merge([{kept}, {changed}]) %}}"
