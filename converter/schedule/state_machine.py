"""The state machine that exports a table, waits, converts the export, and notifies a topic of failures.

    Defaults → Read the input → Is the input complete? → Is there an export? → Wait until the time can be exported
    → Start the export → Wait → Describe the export → Is it finished? → Convert → Done
    and from every state → Describe the failure → Notify → Failed

It is written in the Amazon States Language with JSONata. The input of an execution, in which fields with a default in
the definition are optional:

    scheduledTime   the time to export, ISO-8601; by default the start of the execution
    attempt         1; a higher number starts a new export if the token of this time returns a failed one
    exportArn       an existing export, which is converted when it is completed; no export is started
    options         arguments for `ddb-convert convert`
    tableArn, bucket, prefix, destination, cluster, taskDefinition, subnets, securityGroups, assignPublicIp, topicArn

With the trigger `manifest` no export is started; `manifest`, the key of the manifest of an export, replaces
`exportArn`. For changes, the container starts the exports and waits for them, because it knows the state of the
destination:

    Defaults → Read the input → Is the input complete? → List the executions → Is an older execution running?
    → Sync → Done

The input then has `onGap` (`full` starts over if changes can no longer be exported), neither attempt nor exportArn, and
a scheduledTime that is used only in notifications.

The export contains the table as of the scheduled time, and its token is derived from that time. Two executions for the
same time get the same export, and the conversion of a published export changes nothing.

https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from converter.schedule.conversion import conversion_states, first_state
from converter.schedule.execution_queue import FIRST_QUEUE_STATE, queue_states
from converter.schedule.notification import (
    REQUEST_SECONDS,
    SUBJECT,
    TRANSIENT,
    State,
    advice_for,
    catch_failure,
    failure_variables,
    message,
)
from converter.schedule.settings import Schedule
from converter.syncing.windows import SETTLED

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
"""Settings that an execution requires, from the defaults in the definition or from its input."""

# Exports of terabytes take hours, but a run must end before the next daily one starts.
EXECUTION_SECONDS = 24 * 3600
# Each poll has three state transitions, which AWS charges for. An export takes ten minutes or more.
FIRST_POLL_SECONDS = 30
LONGEST_POLL_SECONDS = 300

_ISO = r"/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$/"
_NAMES = ", ".join(f"'{name}'" for name in REQUIRED)
_MISSING = f"[$filter([{_NAMES}], function($name) {{ $not($exists($lookup($settings, $name))) }})]"
_WITHOUT_TIME = "$time = '' ? 'scheduledTime' : []"
_GIVEN = "$states.context.Execution.Input"
_WITHOUT_EXPORT = f"$exportArn = '' ? ($exists({_GIVEN}.manifest) ? 'manifest' : 'exportArn') : []"
# Every writer to the bucket can choose a key. Only the id in the key of a manifest is used.
_MANIFEST = r"/(^|\/)AWSDynamoDB\/[0-9A-Za-z-]+\/manifest-summary\.json$/"
# Inputs for full exports, which have no effect on changes.
_OF_EXPORTS = (
    "[$filter(['attempt', 'exportArn'], function($name) { $exists($lookup($states.context.Execution.Input, $name)) })]"
)


def state_machine(schedule: Schedule, given: Mapping[str, object]) -> dict[str, object]:
    """Return the definition as JSON types.

    given: known settings by name (REQUIRED, logGroup) in addition to those of the schedule. Missing settings must be in
    the input of each execution.
    """
    exports = schedule.trigger == "schedule" and schedule.changes is None
    wrong = _WITHOUT_EXPORT if schedule.trigger == "manifest" else _WITHOUT_TIME
    if schedule.changes is not None:
        wrong = f"$append({wrong}, {_OF_EXPORTS})"
    states: dict[str, State] = {
        "Defaults": _defaults(schedule, given),
        "Read the input": _read_input(schedule),
        "Is the input complete?": _check_input(schedule),
        "Reject the input": {
            "Type": "Pass",
            "Comment": "An error in the input is reported like any other failure.",
            "Assign": failure_variables(
                "Read the input",
                "IncompleteInput",
                f"'missing or not valid: ' & $join($append({_MISSING}, {wrong}), ', ')",
                "$states.context.Execution.Input",
            ),
            "Next": "Describe the failure",
        },
        **(_export(schedule) if exports else {}),
        **(_wait(schedule.partition) if schedule.changes is None else {}),
        **(queue_states(schedule.partition, first_state(schedule)) if schedule.changes is not None else {}),
        **conversion_states(schedule),
        **_notification_states(schedule),
    }
    what = "Converts exports" if schedule.changes is None else "Publishes changes"
    return {
        "Comment": f"{what} of the table {schedule.table.name} with ddb-convert, and notifies a topic of failures.",
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
        "Comment": "Settings of an execution that its input does not override.",
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
        # The id of an export is the name of the folder with its manifest.
        arn = "$merge([$defaults, $states.input]).tableArn & '/export/' & $split($states.input.manifest, '/')[-2]"
        manifest = f"$exists($states.input.manifest) and $contains($string($states.input.manifest), {_MANIFEST})"
        export = export.replace("''", f"{manifest} ? {arn} : ''")
    of_exports: State = {
        "attempt": "{% $exists($states.input.attempt) ? $states.input.attempt : 1 %}",
        "exportArn": f"{{% {export} %}}",
    }
    comment = "The time is in UTC and whole seconds: the folder, the token and the export time are derived from it."
    return {
        "Type": "Pass",
        "Comment": comment
        if schedule.changes is None
        else "The time, in UTC and whole seconds, is used in notifications.",
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
    incomplete: State = {"Condition": f"{{% $count({_MISSING}) > 0 %}}", "Next": "Reject the input"}
    if schedule.changes is not None:
        return {
            "Type": "Choice",
            "Comment": "The container decides what to export.",
            "Choices": [
                incomplete,
                {"Condition": f"{{% $count({_OF_EXPORTS}) > 0 %}}", "Next": "Reject the input"},
                {"Condition": "{% $time != '' %}", "Next": FIRST_QUEUE_STATE},
            ],
            "Default": "Reject the input",
        }
    known: State = {"Condition": "{% $exportArn != '' %}", "Next": "Describe the export"}
    new: State = {"Condition": "{% $time != '' %}", "Next": "Wait until the time can be exported"}
    return {
        "Type": "Choice",
        "Comment": "An existing export is converted when it is completed.",
        "Choices": [incomplete, known, new] if schedule.trigger == "schedule" else [incomplete, known],
        "Default": "Reject the input",
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
            "Comment": "Point-in-time recovery has a delay of some minutes. A time in the past needs no wait.",
            "Timestamp": f"{{% $fromMillis($toMillis($time) + {SETTLED // timedelta(milliseconds=1)}) %}}",
            "Next": "Start the export",
        },
        "Start the export": {
            "Type": "Task",
            "Comment": "The token is derived from the table, the location and the time: within 8 hours, an equal"
            " request returns the existing export. Each day has its own folder.",
            "Resource": f"arn:{schedule.partition}:states:::aws-sdk:dynamodb:exportTableToPointInTime",
            "Arguments": arguments,
            "TimeoutSeconds": REQUEST_SECONDS,
            "Retry": [
                # These are permanent errors.
                {
                    "ErrorEquals": [
                        "DynamoDb.ExportConflictException",
                        "DynamoDb.PointInTimeRecoveryUnavailableException",
                        "DynamoDb.TableNotFoundException",
                    ],
                    "MaxAttempts": 0,
                },
                # The delay of recovery may be longer than usual.
                {
                    "ErrorEquals": ["DynamoDb.InvalidExportTimeException"],
                    "IntervalSeconds": 60,
                    "BackoffRate": 1,
                    "MaxAttempts": 10,
                },
                # Too many concurrent exports: retry until some have finished.
                {
                    "ErrorEquals": ["DynamoDb.LimitExceededException"],
                    "IntervalSeconds": 300,
                    "BackoffRate": 1,
                    "MaxAttempts": 24,
                    "JitterStrategy": "FULL",
                },
                {"ErrorEquals": ["States.ALL"], **TRANSIENT},
            ],
            "Catch": [catch_failure("Start the export", "{'scheduledTime': $time, 'attempt': $attempt}")],
            "Assign": {"exportArn": "{% $states.result.ExportDescription.ExportArn %}"},
            "Next": "Wait",
        },
    }


def _wait(partition: str) -> dict[str, State]:
    return {
        "Wait": {
            "Type": "Wait",
            "Comment": "DynamoDB has no event for a finished export, so the state is polled with growing intervals.",
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
            "Catch": [catch_failure("Describe the export", "{'exportArn': $exportArn}")],
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
            "Comment": "The same token returns this failed export for 8 hours. The next attempt has another token.",
            "Assign": failure_variables(
                "Export",
                "{% $exists($export.FailureCode) ? $export.FailureCode : 'ExportFailed' %}",
                "$exists($export.FailureMessage) ? $export.FailureMessage : 'its status is ' & $export.ExportStatus",
                "{'scheduledTime': $time, 'attempt': $attempt + 1}",
            ),
            "Next": "Describe the failure",
        },
    }


def _notification_states(schedule: Schedule) -> dict[str, State]:
    return {
        "Describe the failure": {
            "Type": "Pass",
            "Assign": {"subject": SUBJECT, "message": message(schedule)},
            "Next": "Notify",
        },
        "Notify": {
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
            "Comment": "The alarm counts this failure, even if the notification failed.",
            "Error": "{% $failure.error %}",
            "Cause": "{% $message %}",
        },
    }
