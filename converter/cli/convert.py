"""The verb `convert`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from converter.cli import arguments as takes
from converter.cli import aws_arguments as in_aws
from converter.cli.output import print_json
from converter.cli.parse import apply_preset, parse_size, read_names, read_pairs, read_schema, without_none
from converter.run.messages import Messages
from converter.run.progress import show_progress

EXAMPLES = (
    "ddb-convert convert fixtures/orders out",
    "ddb-convert convert fixtures/orders out-csv --format csv --compression gzip",
    "ddb-convert convert fixtures/orders out-td --for treasure-data",
    "ddb-convert convert fixtures/orders out --dry-run --json",
    "ddb-convert convert s3://exports/AWSDynamoDB/ s3://lake/orders/ --latest",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertArguments:
    """What `convert` takes, in the order of its help."""

    source: takes.Source
    dest: takes.Dest
    for_: takes.For = None
    format: takes.OutputFormat = None
    compression: takes.Compression = None
    layout: takes.Layout = takes.DEFAULTS.layout
    timezone: takes.Timezone = takes.DEFAULTS.timezone
    numbers: takes.NumbersAs = takes.DEFAULTS.numbers
    mixed: takes.MixedAs = takes.DEFAULTS.mixed
    key: takes.Key = None
    select: takes.Select = None
    exclude: takes.Exclude = None
    max_columns: takes.MaxColumns = takes.DEFAULTS.max_columns
    overflow: takes.Overflow = None
    schema: takes.Schema = None
    evolve: takes.Evolve = False
    names: takes.NamesAs = None
    rename: takes.Rename = None
    cast: takes.Cast = None
    time: takes.Time = None
    add_column: takes.AddColumn = None
    part_size: takes.PartSize = takes.DEFAULT_PART_SIZE
    workers: takes.Workers = 0
    latest: takes.Latest = False
    export_id: takes.ExportId = None
    no_verify: takes.NoVerify = False
    show_values: takes.ShowValues = False
    replace: takes.Replace = False
    dry_run: takes.DryRun = False
    profile: in_aws.Profile = None
    region: in_aws.Region = None
    endpoint_url: in_aws.EndpointUrl = None
    source_role_arn: in_aws.SourceRoleArn = None
    source_bucket_owner: in_aws.SourceBucketOwner = None
    dest_role_arn: in_aws.DestRoleArn = None
    dest_bucket_owner: in_aws.DestBucketOwner = None
    dest_sse: in_aws.DestSse = None
    dest_kms_key_id: in_aws.DestKmsKeyId = None
    acl: in_aws.AclOf = None
    storage_class: in_aws.StorageClass = None
    json: takes.Json = False
    quiet: takes.Quiet = False
    log_format: takes.LogFormatAs = "text"

    def given(self) -> dict[str, Any]:
        """The options for the library, without those that a preset may set and that are not there."""
        return {
            "layout": self.layout,
            "timezone": self.timezone,
            "numbers": self.numbers,
            "mixed": self.mixed,
            "key": read_names(self.key, "key"),
            "select": read_names(self.select, "select"),
            "exclude": read_names(self.exclude, "exclude"),
            "max_columns": self.max_columns,
            "overflow": self.overflow,
            "schema": read_schema(self.schema),
            "evolve": self.evolve,
            "rename": read_pairs(self.rename, "rename"),
            "cast": read_pairs(self.cast, "cast"),
            "time": self.time,
            "add_column": read_pairs(self.add_column, "add-column"),
            "part_size": parse_size(self.part_size, "part-size"),
            "workers": self.workers,
            "latest": self.latest,
            "export_id": self.export_id,
            "verify": not self.no_verify,
            "show_values": self.show_values,
            "replace": self.replace,
            "dry_run": self.dry_run,
            **without_none(format=self.format, compression=self.compression, names=self.names),
        }


def convert(arguments: ConvertArguments) -> None:
    """Convert a finished export and publish it below DEST.

    Every item of the export is in the output once, with all digits of its numbers, or nothing is published. Each data
    file is checked against the manifest while it is read. A second run of the same export changes nothing.

    Memory depends on --workers, not on the size of the export. The data is read once, and once more if an attribute or
    a type turns up that the beginnings of the data files did not show. --key, --select, --exclude, --rename, --cast and
    --add-column may be repeated and take names, or pairs such as a=b, separated by commas; write \\, for a comma in a
    name and \\= for an equals sign.
    """
    options, preset = apply_preset(arguments.for_, arguments.given())
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
        print_json(facts)
