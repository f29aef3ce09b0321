"""The verbs of `schedule`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import typer

from converter.aws.s3_uri import s3_uri
from converter.cli import arguments as takes
from converter.cli import aws_arguments as in_aws
from converter.cli import export_arguments as of_export
from converter.cli import schedule_arguments as of_schedule
from converter.cli.conversion_arguments import ConversionArguments
from converter.cli.convert import ConvertArguments
from converter.cli.messages import Messages
from converter.cli.output import print_texts, write_texts
from converter.cli.parse import apply_preset, parse_duration
from converter.cli.sync import SyncArguments
from converter.errors import UsageError

if TYPE_CHECKING:
    from converter.syncing.incremental_options import Changes

EXAMPLES = (
    "ddb-convert schedule render Orders s3://lake/orders/ --bucket exports --cron '0 2 * * ? *'",
    "ddb-convert schedule render Orders s3://lake/ --bucket exports --rate '1 day' -- --for athena",
    "ddb-convert schedule render Orders s3://lake/ --bucket exports --rate '1 hour' --incremental",
    "ddb-convert schedule render Orders s3://lake/ --bucket exports --trigger manifest",
)
# What a container in the cloud has none of, or what would make a night publish nothing.
_USELESS = {
    "profile": "a container has no profiles, but the role of its task",
    "endpoint_url": "the task runs in AWS",
    "dry_run": "the task would publish nothing",
}
_USELESS_FOR_CONVERT = _USELESS | {
    "latest": "the task converts one export",
    "export_id": "the task converts one export",
}
_USELESS_FOR_SYNC = _USELESS | {"date": "the task goes on from the last run up to now"}


Given = TypeVar("Given", bound=ConversionArguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderArguments:
    """What `schedule render` takes, in the order of its help."""

    table: of_export.Table
    dest: of_schedule.Dest
    convert_options: of_schedule.TaskOptions = None
    trigger: of_schedule.TriggeredBy = "schedule"
    cron: of_schedule.Cron = None
    rate: of_schedule.Rate = None
    incremental: of_export.Changing = False
    merge: of_export.Merge = False
    view: of_export.ViewOf = None
    on_gap: of_export.OnGapThen = None
    timezone: of_schedule.Timezone = "UTC"
    window: of_schedule.Window = 0
    create_buckets: of_schedule.CreateBuckets = None
    stack: of_schedule.StackName = None
    bucket: of_export.Bucket
    export_prefix: of_export.ExportPrefix = None
    bucket_owner: of_export.BucketOwner = None
    export_format: of_export.ExportFormatAs = "DYNAMODB_JSON"
    export_sse: of_export.ExportSseAs = None
    export_kms_key_id: of_export.ExportKmsKeyId = None
    asl: of_schedule.Asl = False
    policies: of_schedule.Policies = False
    out: of_schedule.OutFile = None
    force: takes.Force = False
    quiet: takes.Quiet = False
    log_format: takes.LogFormatAs = "text"


def render(arguments: RenderArguments) -> None:
    """Write a CloudFormation template that exports TABLE and converts.

    The stack has a state machine that starts the export, waits, converts it in a container on Fargate and tells a topic
    when something failed; a schedule that starts the machine; roles that may do exactly this; alarms and a log. It
    takes no read capacity, and leaves the table alone. Its comments say how to deploy it, and what each thing is for.
    In China and GovCloud give TABLE's ARN.

    With --incremental the stack brings changes instead, several times a day if wanted: the machine only runs the
    container, which exports what has changed since the last run, waits for it and publishes it at DEST/changes/; with
    --merge also all items as they are then, at DEST/snapshot/. See `ddb-convert sync --help`.

    --asl writes the state machine alone: what it is not told here must be in the input of each execution. --policies
    writes what other accounts must allow; it needs TABLE's ARN.
    """
    from converter.schedule.policies import render_policies
    from converter.schedule.settings import Schedule, ScheduledTable
    from converter.schedule.template import render_asl, render_template

    words = tuple(arguments.convert_options or ())
    changes = of_export.read_changes(arguments)
    given: ConvertArguments | SyncArguments
    if changes is None:
        given = read_convert_arguments(arguments.dest, words)
    else:
        given = read_sync_arguments(arguments, changes, words)
    schedule = Schedule(
        table=ScheduledTable.read(arguments.table),
        target=of_export.export_target(arguments),
        dest=arguments.dest,
        options=words,
        aws=in_aws.aws_options(given),
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
        raise UsageError("it can't go with --asl", "--policies", "make them one after the other")
    write = render_asl if arguments.asl else render_policies if arguments.policies else render_template
    text = write(schedule)
    if arguments.out is None:
        print_texts({"": text})
        return
    folder, name = os.path.split(arguments.out)
    write_texts(folder or ".", {name: text}, force=arguments.force, out="file")
    messages = Messages(log_format=arguments.log_format, quiet=arguments.quiet)
    messages.info("schedule", f"wrote {arguments.out}", {"path": arguments.out})


def read_convert_arguments(dest: str, words: Sequence[str]) -> ConvertArguments:
    """What the task's `convert` will be given, read and checked as it will do.

    Raises UsageError and typer.TyperException.
    """
    source = s3_uri("bucket", "manifest-summary.json")
    return _read("convert", ConvertArguments, [source, dest, *words], words, _USELESS_FOR_CONVERT)


def read_sync_arguments(given: RenderArguments, changes: Changes, words: Sequence[str]) -> SyncArguments:
    """What the task's `sync` will be given, likewise."""
    from converter.syncing.incremental_options import check_options

    own = {
        "--bucket": given.bucket,
        "--export-prefix": given.export_prefix,
        "--bucket-owner": given.bucket_owner,
        "--export-format": given.export_format,
        "--export-sse": given.export_sse,
        "--export-kms-key-id": given.export_kms_key_id,
        "--view": given.view,
        "--on-gap": given.on_gap,
    }
    command = [given.table, given.dest, "--incremental"]
    command += ["--merge"] if given.merge else []
    command += [word for option, value in own.items() if value is not None for word in (option, value)]
    read = _read("sync", SyncArguments, [*command, *words], words, _USELESS_FOR_SYNC)
    plain = _read("sync", SyncArguments, command, (), {})
    for option in (*own, "--merge"):
        name = option.removeprefix("--").replace("-", "_")
        if getattr(read, name) != getattr(plain, name):
            raise UsageError("the schedule tells the task", option, "write it before --")
    if read.timeout is not None:
        parse_duration(read.timeout, "timeout")
    options, _ = apply_preset(read.for_, {**read.given(), "old_image": read.old_image})
    check_options(changes, options)
    return read


def _read(
    verb: str,
    arguments: type[Given],
    command: Sequence[str],
    words: Sequence[str],
    useless: Mapping[str, str],
) -> Given:
    """The arguments of a verb from a command, of which `words` are the user's; see read_convert_arguments."""
    read: list[Given] = []

    def keep(arguments: Given) -> None:
        read.append(arguments)

    program = typer.Typer(add_completion=False)
    takes.add_verb(program, arguments, keep, ())
    with _without_own_variables():
        job = typer.main.get_command(program).main(
            list(command), prog_name=f"ddb-convert {verb}", standalone_mode=False
        )
        if not callable(job):
            raise UsageError(f"this asks for help, and does no {verb}", " ".join(words), "leave it out")
        job()
        [given] = read
        for name, reason in useless.items():
            if getattr(given, name):
                raise UsageError(reason, f"--{name.replace('_', '-')}", "leave it out")
        if given.schema not in (None, "new"):
            raise UsageError(
                "the container does not have this file", "--schema", "convert once by hand: DEST keeps its columns"
            )
        apply_preset(given.for_, given.given())
    return given


@contextmanager
def _without_own_variables() -> Iterator[None]:
    """The task has none of this environment's variables for options."""
    own = {name: value for name, value in os.environ.items() if name.startswith(takes.ENV_PREFIX)}
    for name in own:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(own)
