"""The verb `sync`."""

from __future__ import annotations

from dataclasses import dataclass

from converter.cli import arguments as takes
from converter.cli import aws_arguments as in_aws
from converter.cli import export_arguments as of_export
from converter.cli.conversion_arguments import ConversionArguments
from converter.cli.output import print_json
from converter.cli.parse import apply_preset, parse_date
from converter.run.messages import Messages
from converter.run.progress import show_progress

EXAMPLES = (
    "ddb-convert sync Orders s3://lake/orders/ --bucket exports --export-prefix dynamodb/orders",
    "ddb-convert sync Orders s3://lake/orders/ --bucket exports --date 2026-11-27",
    "ddb-convert sync Orders out --bucket exports --for treasure-data --timeout 2h",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncArguments(ConversionArguments):
    """What `sync` takes, in the order of its help."""

    table: of_export.Table
    dest: takes.Dest
    date: of_export.Date = None
    bucket: of_export.Bucket
    export_prefix: of_export.ExportPrefix = None
    bucket_owner: of_export.BucketOwner = None
    export_sse: of_export.ExportSseAs = None
    export_kms_key_id: of_export.ExportKmsKeyId = None
    timeout: of_export.Timeout = None


def sync(arguments: SyncArguments) -> None:
    """Export a table, wait, and convert: a day's work in one step.

    The day is --date in --timezone, or today. Of a day that is over, the table is exported as it was in the day's last
    second; of today, as it is now. A running or finished export of exactly this table, day and place is used instead of
    a new one, whoever started it; one that has failed, or whose files are gone, is not.

    The same command after any failure goes on where it ended, and makes no second export while the first can be used;
    when the day is published, it does nothing. What --replace publishes anew comes from the export that there is.
    """
    options, preset = apply_preset(arguments.for_, arguments.given())
    aws = in_aws.aws_options(arguments)
    target = of_export.export_target(arguments)
    day = None if arguments.date is None else parse_date(arguments.date, "date")
    timeout = of_export.read_timeout(arguments.timeout)
    from converter import api
    from converter.cli.render_sync import render_sync, sync_line

    messages = Messages(log_format=arguments.log_format, quiet=arguments.quiet)
    if preset:
        messages.info("preset", preset)
    with show_progress(messages) as listener:
        done = api.sync(
            arguments.table, arguments.dest, target, options, day=day, timeout=timeout, aws=aws, listener=listener
        )
    for warning in done.warnings:
        messages.warning(warning)
    facts = done.to_json()
    outcome = sync_line(done) if messages.log_format == "json" else render_sync(done)
    messages.info("sync", outcome, {"sync": facts})
    if arguments.json:
        print_json(facts)
