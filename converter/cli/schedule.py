"""The verbs of `schedule`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import typer

from converter.cli import arguments as takes
from converter.cli import aws_arguments as in_aws
from converter.cli import export_arguments as of_export
from converter.cli import schedule_arguments as of_schedule
from converter.cli.convert import ConvertArguments
from converter.cli.output import print_texts, write_texts
from converter.cli.parse import apply_preset
from converter.errors import UsageError
from converter.run.messages import Messages

EXAMPLES = (
    "ddb-convert schedule render Orders s3://lake/orders/ --bucket exports --cron '0 2 * * ? *'",
    "ddb-convert schedule render Orders s3://lake/ --bucket exports --rate '1 day' -- --for athena",
    "ddb-convert schedule render Orders s3://lake/ --bucket exports --trigger manifest",
)
# What a container in the cloud has none of, or what would make a night publish nothing.
_USELESS = {
    "latest": "the task converts one export",
    "export_id": "the task converts one export",
    "profile": "a container has no profiles, but the role of its task",
    "endpoint_url": "the task runs in AWS",
    "dry_run": "the task would publish nothing",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderArguments:
    """What `schedule render` takes, in the order of its help."""

    table: of_export.Table
    dest: of_schedule.Dest
    convert_options: of_schedule.TaskOptions = None
    trigger: of_schedule.TriggeredBy = "schedule"
    cron: of_schedule.Cron = None
    rate: of_schedule.Rate = None
    timezone: of_schedule.Timezone = "UTC"
    window: of_schedule.Window = 0
    create_buckets: of_schedule.CreateBuckets = None
    stack: of_schedule.StackName = None
    bucket: of_export.Bucket
    export_prefix: of_export.ExportPrefix = None
    bucket_owner: of_export.BucketOwner = None
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

    --asl writes the state machine alone: what it is not told here must be in the input of each execution. --policies
    writes what other accounts must allow; it needs TABLE's ARN.
    """
    from converter.schedule.policies import render_policies
    from converter.schedule.settings import Schedule, ScheduledTable
    from converter.schedule.template import render_asl, render_template

    words = tuple(arguments.convert_options or ())
    given = read_convert_arguments(arguments.dest, words)
    schedule = Schedule(
        table=ScheduledTable.read(arguments.table),
        target=of_export.export_target(arguments),
        dest=arguments.dest,
        options=words,
        aws=in_aws.aws_options(given),
        replace=given.replace,
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
    write_texts(folder or ".", {name: text}, force=arguments.force)
    messages = Messages(log_format=arguments.log_format, quiet=arguments.quiet)
    messages.info("schedule", f"wrote {arguments.out}", {"path": arguments.out})


def read_convert_arguments(dest: str, words: Sequence[str]) -> ConvertArguments:
    """What the task's `convert` will be given, read and checked as it will do.

    Raises UsageError and typer.TyperException.
    """
    read: list[ConvertArguments] = []

    def convert(arguments: ConvertArguments) -> None:
        read.append(arguments)

    program = typer.Typer(add_completion=False)
    takes.add_verb(program, ConvertArguments, convert, ())
    with _without_own_variables():
        job = typer.main.get_command(program).main(
            ["s3://bucket/manifest-summary.json", dest, *words],
            prog_name="ddb-convert convert",
            standalone_mode=False,
        )
        if not callable(job):
            raise UsageError("this asks for help, and converts nothing", " ".join(words), "leave it out")
        job()
        [arguments] = read
        for name, reason in _USELESS.items():
            if getattr(arguments, name):
                raise UsageError(reason, f"--{name.replace('_', '-')}", "leave it out")
        if arguments.schema not in (None, "new"):
            raise UsageError(
                "the container does not have this file", "--schema", "convert once by hand: DEST keeps its columns"
            )
        apply_preset(arguments.for_, arguments.given())
    return arguments


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
