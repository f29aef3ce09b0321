"""The state machine that exports a table, waits, has the export converted, and tells when something of that failed.

    Defaults → Read the input → Is the input complete? → Is there an export? → Wait until the time can be exported
    → Start the export → Wait → Describe the export → Is it finished? → Convert → Done
    and from anywhere → Say what happened → Tell → Failed

It is written in the Amazon States Language with JSONata. The execution's input, all of it optional where the
definition has defaults:

    scheduledTime   the moment to export, ISO-8601; the start of the execution if it is not given
    attempt         1; a higher one makes an export anew where the token of this moment gives one that failed
    exportArn       an export that is there: it is waited for and converted, and none is started
    options         words for `ddb-convert convert`
    tableArn, bucket, prefix, destination, cluster, taskDefinition, subnets, securityGroups, assignPublicIp, topicArn

With the trigger `manifest` nothing is exported; `manifest`, the key of an export's manifest, stands for `exportArn`.
Where changes are brought, the container has them exported and waits itself, for it knows how far the destination is:

    Defaults → Read the input → Is the input complete? → List the executions → Is an older one running? → Sync → Done

The input then has `onGap` (`full` begins anew where changes can't be had any more), neither attempt nor exportArn, and
a scheduledTime that is only told.

The export is of the table as it was at the scheduled moment, and its token is made of that moment: whatever starts the
machine twice for the same one gets the same export, and the conversion of an export that is published changes nothing.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
"""

from __future__ import annotations

from collections.abc import Mapping

from converter.schedule.conversion import conversion, first_state
from converter.schedule.notice import SUBJECT, advice_for, message
from converter.schedule.settings import Schedule
from converter.schedule.tasks import REQUEST_SECONDS, TRANSIENT, State, catch, failed
from converter.schedule.turns import FIRST_TURN, turns

REQUIRED = (
    "tableArn",
    "bucket",
    "destination",
    "cluster",
    "taskDefinition",
    "subnets",
    "securityGroups",
    "assignPublicIp",
    "topicArn",
)
"""What an execution can't do without: from the definition's defaults, or from its input."""

# Exports of terabytes take hours, and a night must be over before the next one begins.
EXECUTION_SECONDS = 24 * 3600
# Point-in-time recovery reaches to about five minutes ago: later times are refused.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
BEHIND_SECONDS = 6 * 60
# Each poll is three state transitions, which AWS charges for; an export takes ten minutes or more.
FIRST_POLL_SECONDS = 30
LONGEST_POLL_SECONDS = 300

_ISO = r"/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$/"
_NAMES = ", ".join(f"'{name}'" for name in REQUIRED)
_MISSING = f"[$filter([{_NAMES}], function($name) {{ $not($exists($lookup($settings, $name))) }})]"
_WITHOUT_TIME = "$time = '' ? 'scheduledTime' : []"
_GIVEN = "$states.context.Execution.Input"
_WITHOUT_EXPORT = f"$exportArn = '' ? ($exists({_GIVEN}.manifest) ? 'manifest' : 'exportArn') : []"
# Whoever may put an object into the bucket chooses its key. Of one that an export has, only the id is used.
_MANIFEST = r"/(^|\/)AWSDynamoDB\/[0-9A-Za-z-]+\/manifest-summary\.json$/"
# Inputs for exports, which would change nothing where changes are brought.
_OF_EXPORTS = (
    "[$filter(['attempt', 'exportArn'], function($name) { $exists($lookup($states.context.Execution.Input, $name)) })]"
)


def state_machine(schedule: Schedule, given: Mapping[str, object]) -> dict[str, object]:
    """The definition, as JSON types.

    given: settings by name (REQUIRED, logGroup) that are known beside those of the schedule; what is missing must be
    in the input of each execution.
    """
    exports = schedule.trigger == "schedule" and schedule.changes is None
    wrong = _WITHOUT_EXPORT if schedule.trigger == "manifest" else _WITHOUT_TIME
    if schedule.changes is not None:
        wrong = f"$append({wrong}, {_OF_EXPORTS})"
    states: dict[str, State] = {
        "Defaults": _defaults(schedule, given),
        "Read the input": _read_input(schedule),
        "Is the input complete?": _check_input(schedule),
        "Refuse the input": {
            "Type": "Pass",
            "Comment": "A typo in an input must be told like any other failure.",
            "Assign": failed(
                "Read the input",
                "IncompleteInput",
                f"'missing, or not as it must be: ' & $join($append({_MISSING}, {wrong}), ', ')",
                "$states.context.Execution.Input",
            ),
            "Next": "Say what happened",
        },
        **(_export(schedule) if exports else {}),
        **(_wait(schedule.partition) if schedule.changes is None else {}),
        **(turns(schedule.partition, first_state(schedule)) if schedule.changes is not None else {}),
        **conversion(schedule),
        **_tell(schedule),
    }
    what = "Converts exports" if schedule.changes is None else "Brings the changes"
    return {
        "Comment": f"{what} of the table {schedule.table.name} with ddb-convert, and tells when that failed.",
        "QueryLanguage": "JSONata",
        "TimeoutSeconds": EXECUTION_SECONDS,
        "StartAt": "Defaults",
        "States": states,
    }


def _defaults(schedule: Schedule, given: Mapping[str, object]) -> State:
    target = schedule.target
    known = {
        "tableArn": schedule.table.arn,
        "bucket": target.bucket,
        "prefix": target.prefix,
        "bucketOwner": target.bucket_owner,
        "kmsKeyId": target.kms_key_id,
        "onGap": None if schedule.changes is None else schedule.changes.on_gap,
        "destination": schedule.dest,
        "options": list(schedule.container_options()),
        **given,
    }
    polls: State = {"pollSeconds": FIRST_POLL_SECONDS} if schedule.changes is None else {}
    return {
        "Type": "Pass",
        "Comment": "What an execution uses where its input says nothing else.",
        "Assign": {
            "defaults": {name: value for name, value in known.items() if value is not None},
            "advice": advice_for(schedule),
            **polls,
            "busy": 0,
            "restarts": 0,
        },
        "Next": "Read the input",
    }


def _read_input(schedule: Schedule) -> State:
    export = "$exists($states.input.exportArn) ? $states.input.exportArn : ''"
    if schedule.trigger == "manifest":
        # The id is the name of the folder that the manifest lies in.
        arn = "$merge([$defaults, $states.input]).tableArn & '/export/' & $split($states.input.manifest, '/')[-2]"
        manifest = f"$exists($states.input.manifest) and $contains($string($states.input.manifest), {_MANIFEST})"
        export = export.replace("''", f"{manifest} ? {arn} : ''")
    of_exports: State = {
        "attempt": "{% $exists($states.input.attempt) ? $states.input.attempt : 1 %}",
        "exportArn": f"{{% {export} %}}",
    }
    comment = "The moment is in UTC and whole seconds: folder, token and the export's time are made of it."
    return {
        "Type": "Pass",
        "Comment": comment if schedule.changes is None else "The moment, in UTC and whole seconds, is for notices.",
        "Assign": {
            "settings": "{% $merge([$defaults, $states.input]) %}",
            "time": "{% ($given := $exists($states.input.scheduledTime) ? $states.input.scheduledTime"
            " : $states.context.Execution.StartTime;"
            f" $contains($given, {_ISO}) ? $substring($fromMillis($toMillis($given)), 0, 19) & 'Z' : '') %}}",
            **(of_exports if schedule.changes is None else {}),
        },
        "Next": "Is the input complete?",
    }


def _check_input(schedule: Schedule) -> State:
    incomplete: State = {"Condition": f"{{% $count({_MISSING}) > 0 %}}", "Next": "Refuse the input"}
    if schedule.changes is not None:
        return {
            "Type": "Choice",
            "Comment": "What is exported is for the container to decide.",
            "Choices": [
                incomplete,
                {"Condition": f"{{% $count({_OF_EXPORTS}) > 0 %}}", "Next": "Refuse the input"},
                {"Condition": "{% $time != '' %}", "Next": FIRST_TURN},
            ],
            "Default": "Refuse the input",
        }
    known: State = {"Condition": "{% $exportArn != '' %}", "Next": "Describe the export"}
    new: State = {"Condition": "{% $time != '' %}", "Next": "Wait until the time can be exported"}
    return {
        "Type": "Choice",
        "Comment": "An export that is named is only waited for and converted.",
        "Choices": [incomplete, known, new] if schedule.trigger == "schedule" else [incomplete, known],
        "Default": "Refuse the input",
    }


def _export(schedule: Schedule) -> dict[str, State]:
    target = schedule.target
    arguments: State = {
        "TableArn": "{% $settings.tableArn %}",
        "S3Bucket": "{% $settings.bucket %}",
        "S3Prefix": "{% ($exists($settings.prefix) ? $settings.prefix & '/' : '') & $substring($time, 0, 10) %}",
        "ExportTime": "{% $time %}",
        "ExportType": "FULL_EXPORT",
        "ExportFormat": target.format,
        "ClientToken": "{% $substring($hash($join([$settings.tableArn, $settings.bucket,"
        " $exists($settings.prefix) ? $settings.prefix : '', $time, $string($attempt)], ' '), 'SHA-256'), 0, 36) %}",
    }
    if target.bucket_owner is not None:
        arguments["S3BucketOwner"] = "{% $settings.bucketOwner %}"
    if target.sse is not None:
        arguments["S3SseAlgorithm"] = target.sse
    if target.kms_key_id is not None:
        arguments["S3SseKmsKeyId"] = "{% $settings.kmsKeyId %}"
    return {
        "Wait until the time can be exported": {
            "Type": "Wait",
            "Comment": "Point-in-time recovery is some minutes behind. What is past is not waited for.",
            "Timestamp": f"{{% $fromMillis($toMillis($time) + {BEHIND_SECONDS * 1000}) %}}",
            "Next": "Start the export",
        },
        "Start the export": {
            "Type": "Task",
            "Comment": "The token is of the table, the place and the moment: within 8 hours, whoever asks for the same"
            " gets the export that there is. Each day has its own folder.",
            "Resource": f"arn:{schedule.partition}:states:::aws-sdk:dynamodb:exportTableToPointInTime",
            "Arguments": arguments,
            "TimeoutSeconds": REQUEST_SECONDS,
            "Retry": [
                # Asking again changes nothing about these.
                {
                    "ErrorEquals": [
                        "DynamoDb.ExportConflictException",
                        "DynamoDb.PointInTimeRecoveryUnavailableException",
                        "DynamoDb.TableNotFoundException",
                    ],
                    "MaxAttempts": 0,
                },
                # Recovery may be further behind than it usually is.
                {
                    "ErrorEquals": ["DynamoDb.InvalidExportTimeException"],
                    "IntervalSeconds": 60,
                    "BackoffRate": 1,
                    "MaxAttempts": 10,
                },
                # Too many exports at once: until some of them are done.
                {
                    "ErrorEquals": ["DynamoDb.LimitExceededException"],
                    "IntervalSeconds": 300,
                    "BackoffRate": 1,
                    "MaxAttempts": 24,
                    "JitterStrategy": "FULL",
                },
                {"ErrorEquals": ["States.ALL"], **TRANSIENT},
            ],
            "Catch": [catch("Start the export", "{'scheduledTime': $time, 'attempt': $attempt}")],
            "Assign": {"exportArn": "{% $states.result.ExportDescription.ExportArn %}"},
            "Next": "Wait",
        },
    }


def _wait(partition: str) -> dict[str, State]:
    return {
        "Wait": {
            "Type": "Wait",
            "Comment": "The service has no event for a finished export, so it is asked, less and less often.",
            "Seconds": "{% $pollSeconds %}",
            "Assign": {"pollSeconds": f"{{% $min([$pollSeconds * 2, {LONGEST_POLL_SECONDS}]) %}}"},
            "Next": "Describe the export",
        },
        "Describe the export": {
            "Type": "Task",
            "Resource": f"arn:{partition}:states:::aws-sdk:dynamodb:describeExport",
            "Arguments": {"ExportArn": "{% $exportArn %}"},
            "TimeoutSeconds": REQUEST_SECONDS,
            "Retry": [
                {"ErrorEquals": ["DynamoDb.ExportNotFoundException"], "MaxAttempts": 0},
                {"ErrorEquals": ["States.ALL"], **TRANSIENT},
            ],
            "Catch": [catch("Describe the export", "{'exportArn': $exportArn}")],
            "Assign": {"export": "{% $states.result.ExportDescription %}"},
            "Next": "Is it finished?",
        },
        "Is it finished?": {
            "Type": "Choice",
            "Choices": [
                {"Condition": "{% $export.ExportStatus = 'COMPLETED' %}", "Next": "Convert"},
                {"Condition": "{% $export.ExportStatus = 'IN_PROGRESS' %}", "Next": "Wait"},
            ],
            "Default": "The export failed",
        },
        "The export failed": {
            "Type": "Pass",
            "Comment": "The same token would give this failed export for 8 hours; the next attempt has another one.",
            "Assign": failed(
                "Export",
                "{% $exists($export.FailureCode) ? $export.FailureCode : 'ExportFailed' %}",
                "$exists($export.FailureMessage) ? $export.FailureMessage : 'its status is ' & $export.ExportStatus",
                "{'scheduledTime': $time, 'attempt': $attempt + 1}",
            ),
            "Next": "Say what happened",
        },
    }


def _tell(schedule: Schedule) -> dict[str, State]:
    return {
        "Say what happened": {
            "Type": "Pass",
            "Assign": {"subject": SUBJECT, "message": message(schedule)},
            "Next": "Tell",
        },
        "Tell": {
            "Type": "Task",
            "Resource": f"arn:{schedule.partition}:states:::sns:publish",
            "Arguments": {
                "TopicArn": "{% $settings.topicArn %}",
                "Subject": "{% $subject %}",
                "Message": "{% $message %}",
            },
            "TimeoutSeconds": REQUEST_SECONDS,
            "Retry": [
                {"ErrorEquals": ["States.QueryEvaluationError"], "MaxAttempts": 0},
                {"ErrorEquals": ["States.ALL"], **TRANSIENT},
            ],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
            "Next": "Failed",
        },
        "Failed": {
            "Type": "Fail",
            "Comment": "The alarm counts this, even if nobody could be told.",
            "Error": "{% $failure.error %}",
            "Cause": "{% $message %}",
        },
    }
