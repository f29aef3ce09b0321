"""The arguments and options about exports that are to be made, each declared once."""

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

Table = Annotated[str, typer.Argument(metavar="TABLE", help="The table's name, or its ARN.")]
Bucket = Annotated[str, option("bucket", "The bucket that the service writes exports to.", metavar="NAME")]
ExportPrefix = Annotated[
    str | None,
    option("export-prefix", "Folders of the bucket to export to, such as dynamodb/orders.", metavar="FOLDERS"),
]
BucketOwner = Annotated[
    str | None,
    option("bucket-owner", "Account of the bucket, if it is not the caller's.", metavar="ACCOUNT"),
]
ExportFormatAs = Annotated[ExportFormat, option("export-format", "What the service writes.")]
ExportSseAs = Annotated[ExportSse | None, option("export-sse", "Encryption of the export's objects.", default="AES256")]
ExportKmsKeyId = Annotated[
    str | None, option("export-kms-key-id", "KMS key for --export-sse KMS.", metavar="KEY", default="AWS' own")
]
Date = Annotated[
    str | None,
    arguments.option("date", "The day, in --timezone, such as 2026-11-27.", metavar="DATE", default="today"),
]
ExportTime = Annotated[
    str | None,
    option(
        "export-time",
        "Export all items as they were then: 2026-11-27T23:59:59Z; without a zone it is UTC.",
        metavar="TIME",
        default="now",
    ),
]
Incremental = Annotated[
    bool, option("incremental", "Export what has changed from --from to --to, in place of all items.")
]
From = Annotated[
    str | None, option("from", "When the changes begin: this moment is the first one exported.", metavar="TIME")
]
To = Annotated[
    str | None,
    option("to", "When the changes end, 15 minutes to 24 hours later: the first moment not exported.", metavar="TIME"),
]
ViewOf = Annotated[
    View | None,
    option("view", "What is said of each change: what the item is now, or what it was, too.", default="new-and-old"),
]
Changing = Annotated[
    bool, changes_option("incremental", "Export what has changed since the last run, instead of the whole table.")
]
Merge = Annotated[
    bool, changes_option("merge", "With --incremental: also publish all items as they are then, each time.")
]
OnGapThen = Annotated[
    OnGap | None,
    changes_option(
        "on-gap", "Where changes can't be had any more: fail, or begin anew with a full export.", default="fail"
    ),
]
ClientToken = Annotated[
    str | None,
    option(
        "client-token",
        "The service starts one export for each token in 8 hours.",
        metavar="TEXT",
        default="made from the table, the other options, and the date (UTC) if it is of now",
    ),
]
Wait = Annotated[bool, option("wait", "Wait until the export is completed.")]
Timeout = Annotated[
    str | None,
    option("timeout", "Wait no longer than this, such as 90m or 2h; exit code 6.", metavar="TIME", default="no limit"),
]
RoleArn = Annotated[
    str | None,
    arguments.option(
        "source-role-arn",
        "Role to assume for making and finding exports.",
        metavar="ARN",
        panel="Options for AWS",
    ),
]
Arn = Annotated[str, typer.Argument(metavar="ARN", help="The export's ARN, as export start prints it.")]
Limit = Annotated[int, option("limit", "Show so many of the newest exports.", metavar="COUNT", minimum=1)]


def read_timeout(given: str | None) -> float | None:
    """Seconds, None without a limit; UsageError for what is no time."""
    return None if given is None else parse_duration(given, "timeout")


def export_target(given: object) -> ExportTarget:
    """What a verb's arguments say; UsageError for what the service would refuse."""
    named = {field: option.removeprefix("--").replace("-", "_") for field, option in OPTIONS.items()}
    return ExportTarget(**{field: getattr(given, name) for field, name in named.items() if hasattr(given, name)})


def read_changes(given: Any) -> Changes | None:
    """Which changes a verb is to bring; None where it is all items. UsageError for what is said of changes alone."""
    if given.incremental:
        from converter.syncing.incremental_options import Changes

        return Changes(view=given.view or "new-and-old", merge=given.merge, on_gap=given.on_gap or "fail")
    for name in ("merge", "view", "on_gap", "old_image"):
        if getattr(given, name, None):
            option_name = f"--{name.replace('_', '-')}"
            raise UsageError("this is for --incremental", option_name, "pass --incremental, or leave it out")
    return None
