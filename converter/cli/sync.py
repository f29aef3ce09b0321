"""The verb `sync`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from converter.cli.arguments import option, same_option
from converter.cli.conversion_arguments import ConversionArguments, read_options
from converter.cli.convert import ConvertArguments
from converter.cli.export_arguments import ChangesArguments, TargetArguments, TimeoutArguments, table_argument
from converter.cli.parse import parse_date

EXAMPLES = (
    "ddb-convert sync Orders s3://lake/orders/ --bucket exports --export-prefix dynamodb/orders",
    "ddb-convert sync Orders s3://lake/orders/ --bucket exports --date 2026-11-27",
    "ddb-convert sync Orders out --bucket exports --for treasure-data --timeout 2h",
    "ddb-convert sync Orders s3://lake/orders/ --bucket exports --incremental --merge",
)


@dataclass(frozen=True, kw_only=True)
class SyncArguments(ChangesArguments, TargetArguments, TimeoutArguments, ConversionArguments):
    """Arguments of `sync`, in the order of its help."""

    table: str = table_argument()
    dest: str = same_option(ConvertArguments, "dest")
    date: str | None = option("Day to export, in --timezone, such as 2026-11-27.", metavar="DATE", show_default="today")
    old_image: bool = same_option(ConvertArguments, "old_image")


def sync(arguments: SyncArguments) -> None:
    """Export a table, wait, and convert, in one step.

    --date names the day, in the time zone of --timezone; the default is today. For a past day, the table is exported as
    of the last second of the day; for today, as of the current time. A running or finished export of the same table,
    day and location is used instead of a new one, whoever started it, unless it failed or its files are gone.

    With --incremental, only the changes since the last run are exported, up to the last full quarter of an hour, or to
    the end of --date. They are published at DEST/changes/, window by window, even after missed runs. The first run
    publishes all items at DEST/snapshot/; --merge updates this snapshot in each run. If fewer than 15
    minutes have passed since the end of the last window, their changes are left for the next run. The state is stored
    only in DEST.

    After a failure, the same command resumes, and does not start a second export while the first can be used. Once the
    day is published, running the command again changes nothing. --replace publishes the day again if something is
    different, such as an option or a missing part: from an existing export if one can be used, and otherwise from a new
    one, which AWS charges for. --replace cannot be combined with --incremental.
    """
    changes = arguments.changes()
    options, preset = read_options(arguments)
    aws = arguments.aws_options()
    target = arguments.target()
    day = None if arguments.date is None else parse_date(arguments.date, "date")
    timeout = arguments.timeout_seconds()
    from converter import api
    from converter.cli import render_sync as render
    from converter.cli.publish import run_and_report

    table, dest = arguments.table, arguments.dest
    if changes is None:
        run_and_report(
            arguments,
            preset,
            lambda listener: api.sync(
                table, dest, target, options, day=day, timeout=timeout, aws=aws, listener=listener
            ),
            event="sync",
            line=render.sync_line,
            text=render.render_sync,
        )
        return
    of_day = replace(changes, day=day)
    run_and_report(
        arguments,
        preset,
        lambda listener: api.sync_changes(
            table, dest, target, options, changes=of_day, timeout=timeout, aws=aws, listener=listener
        ),
        event="sync",
        line=render.changes_line,
        text=render.render_changes,
    )
