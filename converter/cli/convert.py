"""The verb `convert`."""

from __future__ import annotations

from dataclasses import dataclass

from converter.cli.arguments import argument, option
from converter.cli.conversion_arguments import ConversionArguments, read_options

EXAMPLES = (
    "ddb-convert convert fixtures/orders out",
    "ddb-convert convert fixtures/orders out-csv --format csv --compression gzip",
    "ddb-convert convert fixtures/orders out-td --for treasure-data",
    "ddb-convert convert fixtures/orders out --dry-run --json",
    "ddb-convert convert s3://exports/AWSDynamoDB/ s3://lake/orders/ --latest",
)


@dataclass(frozen=True, kw_only=True)
class ConvertArguments(ConversionArguments):
    """Arguments of `convert`, in the order of its help."""

    source: str = argument(
        "SOURCE",
        "The export: its folder, its manifest-summary.json, a folder of exports (local or s3://), or its ARN.",
    )
    dest: str = argument("DEST", "The folder or s3://bucket/prefix/ to publish to.")
    latest: bool = option("If SOURCE has several exports, use the newest.", False)
    export_id: str | None = option("If SOURCE has several exports, use the one with this ID.", metavar="ID")
    where: str | None = option(
        "Convert only the items that satisfy a condition, such as \"status = 'paid' AND price >= 12.5\".",
        metavar="CONDITION",
        show_default="all items",
    )
    old_image: bool = option(
        "Incremental exports: add the column _old with the item before the change, as plain JSON.", False
    )


def convert(arguments: ConvertArguments) -> None:
    """Convert a finished export and publish it below DEST.

    The output contains every item of the export (or every change of an incremental export) exactly once, with all
    digits of its numbers; otherwise nothing is published. Each data file is checked against the manifest as it is read.
    A second run for the same export changes nothing.

    Memory use depends on --workers, not on the size of the export. The data is read once, or twice if it has an
    attribute or a type that does not occur at the beginning of the data files. --key, --select, --exclude, --rename,
    --cast and --add-column can be repeated and take names, or pairs such as a=b, separated by commas. Write \\, for a
    comma in a name and \\= for an equals sign.
    """
    options, preset = read_options(arguments)
    aws = arguments.aws_options()
    from converter import api
    from converter.cli.publish import run_and_report
    from converter.cli.render_report import render_report, report_line

    run_and_report(
        arguments,
        preset,
        lambda listener: api.convert(arguments.source, arguments.dest, options, aws=aws, listener=listener),
        event="report",
        line=report_line,
        text=render_report,
    )
