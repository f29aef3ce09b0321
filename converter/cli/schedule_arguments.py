"""Arguments and options of schedules, each declared once."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from converter.cli import arguments
from converter.options import Buckets, Trigger

option = partial(arguments.option, panel="Options for the schedule")

Dest = Annotated[
    str, typer.Argument(metavar="DEST", help="The folder that the task publishes to: s3://bucket/folder/.")
]
TaskOptions = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[-- OPTIONS]",
        help="Options of convert (with --incremental: of sync) for the task. They are checked now.",
        show_default=False,
    ),
]
TriggerOption = Annotated[
    Trigger,
    option(
        "trigger",
        "schedule: the stack starts exports. manifest: it converts each export whose manifest appears in the bucket.",
    ),
]
Cron = Annotated[
    str | None,
    option(
        "cron",
        "Cron expression: minutes, hours, day of month, month, day of week, year; such as '0 2 * * ? *'.",
        metavar="FIELDS",
    ),
]
Rate = Annotated[str | None, option("rate", "Rate expression, such as '1 day' or '12 hours'.", metavar="RATE")]
Timezone = Annotated[str, option("timezone", "Time zone of --cron.", metavar="ZONE")]
Window = Annotated[
    int,
    option(
        "window",
        "Start at any time within this many minutes. The time of the export does not change.",
        metavar="MINUTES",
    ),
]
CreateBuckets = Annotated[Buckets | None, option("create-buckets", "Buckets that the stack creates.", default="none")]
StackName = Annotated[str | None, option("stack", "Name of the stack.", metavar="NAME", default="ddb-convert-TABLE")]
Asl = Annotated[bool, option("asl", "Write only the state machine, as JSON.")]
Policies = Annotated[
    bool, option("policies", "Write only the policies that the owners of buckets and keys must add, as JSON.")
]
OutFile = Annotated[str | None, option("out", "File to write to.", metavar="FILE", default="stdout")]
