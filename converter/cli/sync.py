"""The verb `sync`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from converter.cli import arguments as takes
from converter.cli import aws_arguments as in_aws
from converter.cli import export_arguments as of_export
from converter.cli.conversion_arguments import ConversionArguments
from converter.cli.messages import Messages
from converter.cli.output import PUBLISHED, print_json
from converter.cli.parse import apply_preset, parse_date
from converter.cli.progress import show_progress

if TYPE_CHECKING:
    from converter.syncing.daily import SyncReport
    from converter.syncing.incremental_report import ChangesReport

EXAMPLES = (
    "ddb-convert sync Orders s3://lake/orders/ --bucket exports --export-prefix dynamodb/orders",
    "ddb-convert sync Orders s3://lake/orders/ --bucket exports --date 2026-11-27",
    "ddb-convert sync Orders out --bucket exports --for treasure-data --timeout 2h",
    "ddb-convert sync Orders s3://lake/orders/ --bucket exports --incremental --merge",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncArguments(ConversionArguments):
    """What `sync` takes, in the order of its help."""

    table: of_export.Table
    dest: takes.Dest
    date: of_export.Date = None
    incremental: of_export.Changing = False
    merge: of_export.Merge = False
    view: of_export.ViewOf = None
    on_gap: of_export.OnGapThen = None
    old_image: takes.OldImage = False
    bucket: of_export.Bucket
    export_prefix: of_export.ExportPrefix = None
    bucket_owner: of_export.BucketOwner = None
    export_format: of_export.ExportFormatAs = "DYNAMODB_JSON"
    export_sse: of_export.ExportSseAs = None
    export_kms_key_id: of_export.ExportKmsKeyId = None
    timeout: of_export.Timeout = None


def sync(arguments: SyncArguments) -> None:
    """Export a table, wait, and convert: a day's work in one step.

    The day is --date in --timezone, or today. Of a day that is over, the table is exported as it was in the day's last
    second; of today, as it is now. A running or finished export of exactly this table, day and place is used instead of
    a new one, whoever started it; one that has failed, or whose files are gone, is not.

    With --incremental it is not the whole table that is exported, but what has changed since the last run, up to the
    last quarter of an hour, or to the end of --date: at DEST/changes/, window by window, however many runs were missed.
    The first run puts all items at DEST/snapshot/; --merge brings what is there up to date, each time. Less than 15
    minutes wait for the next run. What is at DEST says how far it is, and nothing else.

    The same command after any failure goes on where it ended, and makes no second export while the first can be used;
    when the day is published, it does nothing. What --replace publishes anew comes from the export that there is.
    """
    changes = of_export.read_changes(arguments)
    given = {**arguments.given(), "old_image": arguments.old_image}
    options, preset = apply_preset(arguments.for_, given)
    aws = in_aws.aws_options(arguments)
    target = of_export.export_target(arguments)
    day = None if arguments.date is None else parse_date(arguments.date, "date")
    timeout = of_export.read_timeout(arguments.timeout)
    from converter import api
    from converter.cli import render_sync as render

    messages = Messages(log_format=arguments.log_format, quiet=arguments.quiet)
    if preset:
        messages.info("preset", preset)
    table, dest, in_json = arguments.table, arguments.dest, messages.log_format == "json"
    done: SyncReport | ChangesReport
    with show_progress(messages) as listener:
        if changes is None:
            done = api.sync(table, dest, target, options, day=day, timeout=timeout, aws=aws, listener=listener)
            outcome = render.sync_line(done) if in_json else render.render_sync(done)
        else:
            changes = replace(changes, day=day)
            done = api.sync_changes(
                table, dest, target, options, changes=changes, timeout=timeout, aws=aws, listener=listener
            )
            outcome = render.changes_line(done) if in_json else render.render_changes(done)
    for warning in done.warnings:
        messages.warning(warning)
    facts = done.to_json()
    messages.info("sync", outcome, {"sync": facts})
    if arguments.json:
        print_json(facts, PUBLISHED)
