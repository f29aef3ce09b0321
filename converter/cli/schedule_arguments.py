"""The arguments and options of schedules, each declared once."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from converter.cli import arguments
from converter.options import Buckets, Trigger

option = partial(arguments.option, panel="Options for the schedule")

Dest = Annotated[str, typer.Argument(metavar="DEST", help="Where the task publishes: s3://bucket/folder/.")]
TaskOptions = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[-- OPTIONS]",
        help="Options of convert (or of sync, with --incremental) for the task, checked now.",
        show_default=False,
    ),
]
TriggeredBy = Annotated[
    Trigger, option("trigger", "A schedule starts exports; or others do, and each one's manifest is the sign.")
]
Cron = Annotated[
    str | None,
    option("cron", "When: minutes, hours, day of month, month, day of week, year: '0 2 * * ? *'.", metavar="FIELDS"),
]
Rate = Annotated[str | None, option("rate", "How often: '1 day', '12 hours'.", metavar="RATE")]
Timezone = Annotated[str, option("timezone", "Time zone of --cron.", metavar="ZONE")]
Window = Annotated[int, option("window", "Start within so many minutes; the export's time stays.", metavar="MINUTES")]
CreateBuckets = Annotated[Buckets | None, option("create-buckets", "Buckets that the stack makes.", default="none")]
StackName = Annotated[
    str | None, option("stack", "What the stack is called.", metavar="NAME", default="ddb-convert-TABLE")
]
Asl = Annotated[bool, option("asl", "Only the state machine, as JSON.")]
Policies = Annotated[bool, option("policies", "Only what the owners of buckets and keys must allow, as JSON.")]
OutFile = Annotated[str | None, option("out", "The file to write.", metavar="FILE", default="stdout")]
