"""The verbs of `schedule`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import typer

from converter.aws.s3_uri import s3_uri
from converter.cli import arguments as common
from converter.cli.conversion_arguments import ConversionArguments, read_options
from converter.cli.convert import ConvertArguments
from converter.cli.export_arguments import ChangesArguments, TargetArguments, table_argument
from converter.cli.output import print_texts, write_texts
from converter.cli.recipe import RecipeArguments
from converter.cli.sync import SyncArguments
from converter.errors import UsageError
from converter.options import Buckets, Trigger, option_name

if TYPE_CHECKING:
    from converter.syncing.incremental_options import Changes

EXAMPLES = (
    "ddb-convert schedule render Orders s3://lake/orders/ --bucket exports --cron '0 2 * * ? *'",
    "ddb-convert schedule render Orders s3://lake/ --bucket exports --rate '1 day' -- --for athena",
    "ddb-convert schedule render Orders s3://lake/ --bucket exports --rate '1 hour' --incremental",
    "ddb-convert schedule render Orders s3://lake/ --bucket exports --trigger manifest",
)
# Options that the task on Fargate can't use, or that would make it publish nothing. The values are the reasons.
_UNSUPPORTED = {
    "profile": "the container has the role of its task, and no profiles",
    "endpoint_url": "the task runs in AWS",
    "dry_run": "the task would publish nothing",
}
_UNSUPPORTED_FOR_CONVERT = _UNSUPPORTED | {
    "latest": "the task converts one export",
    "export_id": "the task converts one export",
}
_UNSUPPORTED_FOR_SYNC = _UNSUPPORTED | {"date": "the task continues from the last run up to the current time"}

Given = TypeVar("Given", bound=ConversionArguments)

_option = partial(common.option, panel="Options for the schedule")


@dataclass(frozen=True, kw_only=True)
class RenderArguments(ChangesArguments, TargetArguments, common.MessageArguments):
    """Arguments of `schedule render`, in the order of its help."""

    table: str = table_argument()
    dest: str = common.argument("DEST", "The folder that the task publishes to: s3://bucket/folder/.")
    convert_options: list[str] | None = common.argument(
        "[-- OPTIONS]",
        "Options of convert (with --incremental: of sync) for the task. They are checked now.",
        default=None,
    )
    trigger: Trigger = _option(
        "schedule: the stack starts exports. manifest: it converts each export whose manifest appears in the bucket.",
        "schedule",
    )
    cron: str | None = _option(
        "Cron expression: minutes, hours, day of month, month, day of week, year; such as '0 2 * * ? *'.",
        metavar="FIELDS",
    )
    rate: str | None = _option("Rate expression, such as '1 day' or '12 hours'.", metavar="RATE")
    timezone: str = _option("Time zone of --cron.", "UTC", metavar="ZONE")
    window: int = _option(
        "Start at any time within this many minutes. The time of the export does not change.", 0, metavar="MINUTES"
    )
    create_buckets: Buckets | None = _option("Buckets that the stack creates.", show_default="none")
    stack: str | None = _option("Name of the stack.", metavar="NAME", show_default="ddb-convert-TABLE")
    asl: bool = _option("Write only the state machine, as JSON.", False)
    policies: bool = _option("Write only the policies that the owners of buckets and keys must add, as JSON.", False)
    out: str | None = _option("File to write to.", metavar="FILE", show_default="stdout")
    force: bool = common.same_option(RecipeArguments, "force")


def render(arguments: RenderArguments) -> None:
    """Write a CloudFormation template for scheduled exports.

    The stack exports and converts TABLE. It has a state machine that starts the export, waits for it, converts it in a
    container on Fargate, and notifies a topic of failures; a schedule that starts the state machine; roles with exactly
    the needed permissions; alarms; and a log. It does not use read capacity or change the table. Comments in the
    template explain how to deploy it, and the purpose of each resource. In China and GovCloud, pass the ARN of TABLE.

    With --incremental, the stack publishes changes instead, and can run several times a day: the state machine only
    runs the container, which exports the changes since the last run, waits for the export, and publishes it at
    DEST/changes/.
    With --merge it also publishes a snapshot of all items at DEST/snapshot/. See `ddb-convert sync --help`.

    --asl writes only the state machine: settings that are missing here must be in the input of each execution.
    --policies writes the permissions that other accounts must grant; it requires the ARN of TABLE.
    """
    from converter.schedule.policies import render_policies
    from converter.schedule.settings import Schedule, ScheduledTable
    from converter.schedule.template import render_asl, render_template

    words = tuple(arguments.convert_options or ())
    changes = arguments.changes()
    given: ConvertArguments | SyncArguments
    if changes is None:
        given = read_convert_arguments(arguments.dest, words)
    else:
        given = read_sync_arguments(arguments, changes, words)
    schedule = Schedule(
        table=ScheduledTable.read(arguments.table),
        target=arguments.target(),
        dest=arguments.dest,
        options=words,
        aws=given.aws_options(),
        replace=given.replace,
        changes=changes,
        trigger=arguments.trigger,
        cron=arguments.cron,
        rate=arguments.rate,
        timezone=arguments.timezone,
        window=arguments.window,
        create=arguments.create_buckets,
        stack=arguments.stack,
    )
    if arguments.asl and arguments.policies:
        raise UsageError("--asl and --policies cannot be used together", "--policies", "run the command once for each")
    write = render_asl if arguments.asl else render_policies if arguments.policies else render_template
    text = write(schedule)
    if arguments.out is None:
        print_texts({"": text})
        return
    folder, name = os.path.split(arguments.out)
    write_texts(folder or ".", {name: text}, force=arguments.force, out="file")
    arguments.messages().info("schedule", f"wrote {arguments.out}", {"path": arguments.out})


def read_convert_arguments(dest: str, words: Sequence[str]) -> ConvertArguments:
    """Parse and check the arguments of the task's `convert` as the task will.

    Raises UsageError and typer.TyperException.
    """
    source = s3_uri("bucket", "manifest-summary.json")
    return _read("convert", ConvertArguments, [source, dest, *words], words, _UNSUPPORTED_FOR_CONVERT)


def read_sync_arguments(given: RenderArguments, changes: Changes, words: Sequence[str]) -> SyncArguments:
    """Parse and check the arguments of the task's `sync`, likewise."""
    from converter.syncing.incremental_options import check_options

    names = [*(field.name for field in fields(TargetArguments)), "view", "on_gap"]
    command = [given.table, given.dest, "--incremental"]
    command += ["--merge"] if given.merge else []
    for name in names:
        value = getattr(given, name)
        command += [] if value is None else [option_name(name), value]
    read = _read("sync", SyncArguments, [*command, *words], words, _UNSUPPORTED_FOR_SYNC)
    plain = _read("sync", SyncArguments, command, (), {})
    for name in (*names, "merge"):
        if getattr(read, name) != getattr(plain, name):
            raise UsageError("the schedule sets this option of the task", option_name(name), "write it before --")
    read.timeout_seconds()
    options, _ = read_options(read)
    check_options(changes, options)
    return read


def _read(
    verb: str,
    arguments: type[Given],
    command: Sequence[str],
    words: Sequence[str],
    unsupported: Mapping[str, str],
) -> Given:
    """Parse the arguments of a verb. `words` are the user's part of the command; see read_convert_arguments."""
    read: list[Given] = []

    def keep(arguments: Given) -> None:
        read.append(arguments)

    program = typer.Typer(add_completion=False)
    common.add_verb(program, arguments, keep, ())
    with _without_own_variables():
        job = typer.main.get_command(program).main(
            list(command), prog_name=f"ddb-convert {verb}", standalone_mode=False
        )
        if not callable(job):
            raise UsageError("this option only prints help", " ".join(words), "remove it")
        job()
        [given] = read
        for name, reason in unsupported.items():
            if getattr(given, name):
                raise UsageError(reason, option_name(name), "remove the option")
        if given.schema not in (None, "new"):
            raise UsageError(
                "the container does not have this file",
                "--schema",
                "convert once by hand with this file: later runs keep the columns in DEST",
            )
        read_options(given)
    return given


@contextmanager
def _without_own_variables() -> Iterator[None]:
    """Hide the variables for options in this environment, which the task does not have."""
    own = {name: value for name, value in os.environ.items() if name.startswith(common.ENV_PREFIX)}
    for name in own:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(own)
