"""The verb `merge`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from converter.cli import arguments as takes
from converter.cli import aws_arguments as in_aws
from converter.cli.conversion_arguments import ConversionArguments
from converter.cli.messages import Messages
from converter.cli.output import PUBLISHED, print_json
from converter.cli.parse import apply_preset
from converter.cli.progress import show_progress
from converter.errors import UsageError

EXAMPLES = (
    "ddb-convert merge fixtures/orders fixtures/order-changes out-merged",
    "ddb-convert merge out-orders exports/monday exports/tuesday out-orders",
    "ddb-convert merge s3://exports/AWSDynamoDB/01764223200000-6ddcf8cf exports/monday s3://lake/",
)

Base = Annotated[
    str,
    typer.Argument(
        metavar="BASE",
        help="A full export, as SOURCE of convert; or a destination with items, or one of its records.",
    ),
]
IncrementsAndDest = Annotated[
    list[str],
    typer.Argument(
        metavar="INCREMENT... DEST",
        help="Incremental exports of the same table, in any order; and the folder or s3://bucket/prefix/ to write to.",
    ),
]
AllowGap = Annotated[bool, takes.option("allow-gap", "Merge all the same where no increment holds a part of the time.")]
AllowOverlap = Annotated[
    bool, takes.option("allow-overlap", "Merge all the same where a window begins before the one before ends.")
]
AllowFiltered = Annotated[
    bool, takes.option("allow-filtered", "Merge increments that the service says were made with a filter, too.")
]
Verify = Annotated[
    bool, takes.option("verify", "Compare the old images of all changes with the items before, by value.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeArguments(ConversionArguments):
    """What `merge` takes, in the order of its help."""

    base: Base
    increments_and_dest: IncrementsAndDest
    allow_gap: AllowGap = False
    allow_overlap: AllowOverlap = False
    allow_filtered: AllowFiltered = False
    verify: Verify = False


def merge(arguments: MergeArguments) -> None:
    """Apply incremental exports to a full one: a snapshot.

    The result is what converting a full export of the last window's end would give, but for the order of rows.

    The windows must follow each other from the base's time on: a gap ends the run, and so does a window that begins
    before the one before ends, because an item that was put before that and deleted after it would stay for ever.
    Increments that are given twice, or say nothing more than others, are passed over.

    BASE may be a destination of snapshots or items: its latest record, or the record's file that is named. Its parts
    must be there as Parquet and have the keys, and its columns stay: what they can't hold ends the run, unless --evolve
    makes them wider.

    The manifest of an increment that was made with a filter does not say so; only for an ARN the service is asked.
    Items that stop matching just disappear, and a snapshot would keep them as they were: don't merge such increments.

    Memory depends on --workers and on the number of keys that the increments touch, not on the size of the base. The
    same merge again changes nothing.
    """
    *increments, dest = arguments.increments_and_dest
    if not increments:
        raise UsageError("there is no increment", "INCREMENT", "write ddb-convert merge BASE INCREMENT... DEST")
    options, preset = apply_preset(arguments.for_, arguments.given())
    aws = in_aws.aws_options(arguments)
    from converter import api
    from converter.cli.render_report import render_report, report_line
    from converter.export.windows import MergeRules

    rules = MergeRules(
        allow_gap=arguments.allow_gap,
        allow_overlap=arguments.allow_overlap,
        allow_filtered=arguments.allow_filtered,
        verify=arguments.verify,
    )
    messages = Messages(log_format=arguments.log_format, quiet=arguments.quiet)
    if preset:
        messages.info("preset", preset)
    with show_progress(messages) as listener:
        report = api.merge(arguments.base, increments, dest, options, rules=rules, aws=aws, listener=listener)
    for warning in report.warnings:
        messages.warning(warning)
    facts = report.to_json()
    outcome = report_line(report) if messages.log_format == "json" else render_report(report)
    messages.info("report", outcome, {"report": facts})
    if arguments.json:
        print_json(facts, PUBLISHED)
