"""The verb `merge`."""

from __future__ import annotations

from dataclasses import dataclass

from converter.cli.arguments import argument, option
from converter.cli.conversion_arguments import ConversionArguments, read_options
from converter.errors import UsageError

EXAMPLES = (
    "ddb-convert merge fixtures/orders fixtures/order-changes out-merged",
    "ddb-convert merge out-orders exports/monday exports/tuesday out-orders",
    "ddb-convert merge s3://exports/AWSDynamoDB/01764223200000-6ddcf8cf exports/monday s3://lake/",
)


@dataclass(frozen=True, kw_only=True)
class MergeArguments(ConversionArguments):
    """Arguments of `merge`, in the order of its help."""

    base: str = argument(
        "BASE", "A full export, as SOURCE of convert; or a destination with items; or a record of one."
    )
    increments_and_dest: list[str] = argument(
        "INCREMENT... DEST",
        "Incremental exports of the table, in any order, then the folder or s3://bucket/prefix/ to publish to.",
    )
    allow_gap: bool = option("Merge even if the increments do not cover all of the time.", False)
    allow_overlap: bool = option("Merge even if a window begins before the previous one ends.", False)
    allow_filtered: bool = option("Merge increments even if DynamoDB reports that they were filtered.", False)
    verify: bool = option("Compare the old image of each change with the item before it, by value.", False)


def merge(arguments: MergeArguments) -> None:
    """Merge incremental exports into a full export.

    Publishes a snapshot of all items at the end of the last window. It equals a converted full export of that
    time, except for the order of rows.

    The windows must follow each other without a gap, starting at the time of the base. Overlapping windows are an
    error too: an item that was created in the overlap and deleted after it could remain in the snapshot. Duplicate
    increments, and increments that others contain, are skipped.

    BASE can be a destination of snapshots or items; its latest record is used, or the record that you name. Its parts
    must be in Parquet and contain the key attributes. The new snapshot keeps its columns, with their positions, names
    and types. A value that does not fit its column is an error, unless --evolve widens the column.

    Don't merge filtered increments: an item that stops matching the filter disappears from them, and the snapshot would
    keep its old state. The manifest does not record a filter; it is detected only if an increment is given by its ARN.

    Memory use depends on --workers and on the number of changed keys, not on the size of the base. Running the same
    merge again changes nothing.
    """
    *increments, dest = arguments.increments_and_dest
    if not increments:
        raise UsageError("an increment is missing", "INCREMENT", "run ddb-convert merge BASE INCREMENT... DEST")
    options, preset = read_options(arguments)
    aws = arguments.aws_options()
    from converter import api
    from converter.cli.publish import run_and_report
    from converter.cli.render_report import render_report, report_line
    from converter.merging.increment_chain import MergeRules

    rules = MergeRules(
        allow_gap=arguments.allow_gap,
        allow_overlap=arguments.allow_overlap,
        allow_filtered=arguments.allow_filtered,
        verify=arguments.verify,
    )
    run_and_report(
        arguments,
        preset,
        lambda listener: api.merge(arguments.base, increments, dest, options, rules=rules, aws=aws, listener=listener),
        event="report",
        line=report_line,
        text=render_report,
    )
