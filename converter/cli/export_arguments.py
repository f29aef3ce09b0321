"""Arguments and options of exports to start, each declared once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from converter.aws.target import OPTIONS, ExportFormat, ExportSse, ExportTarget, View
from converter.cli import arguments
from converter.cli.parse import parse_duration
from converter.errors import UsageError
from converter.options import OnGap

if TYPE_CHECKING:
    from converter.syncing.incremental_options import Changes

option = partial(arguments.option, panel="Options for the export")
changes_option = partial(arguments.option, panel="Options for changes")

Table = Annotated[str, typer.Argument(metavar="TABLE", help="The name or ARN of the table.")]
Bucket = Annotated[str, option("bucket", "Bucket that DynamoDB exports to.", metavar="NAME")]
ExportPrefix = Annotated[
    str | None,
    option("export-prefix", "Prefix in the bucket to export to, such as dynamodb/orders.", metavar="FOLDERS"),
]
BucketOwner = Annotated[
    str | None,
    option("bucket-owner", "Account that owns the bucket, if it is not the caller's.", metavar="ACCOUNT"),
]
ExportFormatOption = Annotated[ExportFormat, option("export-format", "Format of the export.")]
ExportSseOption = Annotated[
    ExportSse | None, option("export-sse", "Encryption of the export's objects.", default="AES256")
]
ExportKmsKeyId = Annotated[
    str | None,
    option("export-kms-key-id", "KMS key for --export-sse KMS.", metavar="KEY", default="the AWS managed key"),
]
Date = Annotated[
    str | None,
    arguments.option("date", "Day to export, in --timezone, such as 2026-11-27.", metavar="DATE", default="today"),
]
ExportTime = Annotated[
    str | None,
    option(
        "export-time",
        "Export the items as of this time, such as 2026-11-27T23:59:59Z. The default zone is UTC.",
        metavar="TIME",
        default="now",
    ),
]
Incremental = Annotated[bool, option("incremental", "Export the changes between --from and --to instead of all items.")]
From = Annotated[str | None, option("from", "Start of the changes (inclusive).", metavar="TIME")]
To = Annotated[
    str | None,
    option("to", "End of the changes (exclusive), 15 minutes to 24 hours after --from.", metavar="TIME"),
]
ViewOption = Annotated[
    View | None,
    option("view", "Images in each change: only the new item, or the new and the old one.", default="new-and-old"),
]
SyncIncremental = Annotated[
    bool, changes_option("incremental", "Export the changes since the last run instead of the whole table.")
]
Merge = Annotated[
    bool, changes_option("merge", "With --incremental: also publish a snapshot of all items after each run.")
]
OnGapOption = Annotated[
    OnGap | None,
    changes_option(
        "on-gap",
        "If changes can no longer be exported: fail, or start over with a full export.",
        default="fail",
    ),
]
ClientToken = Annotated[
    str | None,
    option(
        "client-token",
        "DynamoDB starts only one export for a token within 8 hours.",
        metavar="TEXT",
        default="derived from the table, the other options and, without --export-time, the date (UTC)",
    ),
]
Wait = Annotated[bool, option("wait", "Wait until the export is completed.")]
Timeout = Annotated[
    str | None,
    option(
        "timeout",
        "Stop waiting after this time, such as 90m or 2h, with exit code 6.",
        metavar="DURATION",
        default="no limit",
    ),
]
RoleArn = Annotated[
    str | None,
    arguments.option(
        "source-role-arn",
        "IAM role to assume to start and find exports.",
        metavar="ARN",
        panel="Options for AWS",
    ),
]
Arn = Annotated[str, typer.Argument(metavar="ARN", help="The ARN of the export, as printed by export start.")]
Limit = Annotated[int, option("limit", "Number of exports to show, newest first.", metavar="COUNT", minimum=1)]


def read_timeout(given: str | None) -> float | None:
    """Return seconds, or None for no limit. Raises UsageError if the text is not a duration."""
    return None if given is None else parse_duration(given, "timeout")


def export_target(given: object) -> ExportTarget:
    """Build the target of an export from a verb's arguments. Raises UsageError if DynamoDB would reject it."""
    named = {field: option.removeprefix("--").replace("-", "_") for field, option in OPTIONS.items()}
    return ExportTarget(**{field: getattr(given, name) for field, name in named.items() if hasattr(given, name)})


def read_changes(given: Any) -> Changes | None:
    """Return the incremental options of a verb, or None for a full export.

    Raises UsageError for options that require --incremental.
    """
    if given.incremental:
        from converter.syncing.incremental_options import Changes

        return Changes(view=given.view or "new-and-old", merge=given.merge, on_gap=given.on_gap or "fail")
    for name in ("merge", "view", "on_gap", "old_image"):
        if getattr(given, name, None):
            option_name = f"--{name.replace('_', '-')}"
            raise UsageError(
                "this option requires --incremental", option_name, "add --incremental, or remove the option"
            )
    return None
