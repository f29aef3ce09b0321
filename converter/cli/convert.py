"""The verb `convert`."""

from __future__ import annotations

from dataclasses import dataclass

from converter.cli import arguments as common_args
from converter.cli import aws_arguments as aws_args
from converter.cli.conversion_arguments import ConversionArguments
from converter.cli.parse import apply_preset

EXAMPLES = (
    "ddb-convert convert fixtures/orders out",
    "ddb-convert convert fixtures/orders out-csv --format csv --compression gzip",
    "ddb-convert convert fixtures/orders out-td --for treasure-data",
    "ddb-convert convert fixtures/orders out --dry-run --json",
    "ddb-convert convert s3://exports/AWSDynamoDB/ s3://lake/orders/ --latest",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertArguments(ConversionArguments):
    """Arguments of `convert`, in the order of its help."""

    source: common_args.Source
    dest: common_args.Dest
    latest: common_args.Latest = False
    export_id: common_args.ExportId = None
    old_image: common_args.OldImage = False


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
    own = {"latest": arguments.latest, "export_id": arguments.export_id, "old_image": arguments.old_image}
    options, preset = apply_preset(arguments.for_, {**arguments.given(), **own})
    aws = aws_args.aws_options(arguments)
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
