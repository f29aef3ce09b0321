"""The verb `convert`."""

from __future__ import annotations

from dataclasses import dataclass

from converter.cli import arguments as takes
from converter.cli import aws_arguments as in_aws
from converter.cli.conversion_arguments import ConversionArguments
from converter.cli.messages import Messages
from converter.cli.output import PUBLISHED, print_json
from converter.cli.parse import apply_preset
from converter.cli.progress import show_progress

EXAMPLES = (
    "ddb-convert convert fixtures/orders out",
    "ddb-convert convert fixtures/orders out-csv --format csv --compression gzip",
    "ddb-convert convert fixtures/orders out-td --for treasure-data",
    "ddb-convert convert fixtures/orders out --dry-run --json",
    "ddb-convert convert s3://exports/AWSDynamoDB/ s3://lake/orders/ --latest",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertArguments(ConversionArguments):
    """What `convert` takes, in the order of its help."""

    source: takes.Source
    dest: takes.Dest
    latest: takes.Latest = False
    export_id: takes.ExportId = None
    old_image: takes.OldImage = False


def convert(arguments: ConvertArguments) -> None:
    """Convert a finished export and publish it below DEST.

    Every item of the export, or every change of an incremental one, is in the output once, with all digits of its
    numbers, or nothing is published. Each data file is checked against the manifest while it is read. A second run of
    the same export changes nothing.

    Memory depends on --workers, not on the size of the export. The data is read once, and once more if an attribute or
    a type turns up that the beginnings of the data files did not show. --key, --select, --exclude, --rename, --cast and
    --add-column may be repeated and take names, or pairs such as a=b, separated by commas; write \\, for a comma in a
    name and \\= for an equals sign.
    """
    own = {"latest": arguments.latest, "export_id": arguments.export_id, "old_image": arguments.old_image}
    options, preset = apply_preset(arguments.for_, {**arguments.given(), **own})
    aws = in_aws.aws_options(arguments)
    from converter import api
    from converter.cli.render_report import render_report, report_line

    messages = Messages(log_format=arguments.log_format, quiet=arguments.quiet)
    if preset:
        messages.info("preset", preset)
    with show_progress(messages) as listener:
        report = api.convert(arguments.source, arguments.dest, options, aws=aws, listener=listener)
    for warning in report.warnings:
        messages.warning(warning)
    facts = report.to_json()
    outcome = report_line(report) if messages.log_format == "json" else render_report(report)
    messages.info("report", outcome, {"report": facts})
    if arguments.json:
        print_json(facts, PUBLISHED)
