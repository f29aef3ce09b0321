"""The verb `inspect`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from converter.cli import arguments as common_args
from converter.cli import aws_arguments as aws_args
from converter.cli.messages import Messages
from converter.cli.output import print_json, write_new_file, writing_result
from converter.cli.parse import apply_preset, read_names, read_pairs, without_none

EXAMPLES = (
    "ddb-convert inspect fixtures/orders",
    "ddb-convert inspect fixtures/orders --sample",
    "ddb-convert inspect fixtures/orders --json --quiet",
    "ddb-convert inspect fixtures/orders --write-schema schema.json",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectArguments:
    """Arguments of `inspect`, in the order of its help."""

    source: common_args.Source
    sample: common_args.Sample = False
    for_: common_args.For = None
    numbers: common_args.NumbersOption = common_args.DEFAULTS.numbers
    mixed: common_args.MixedOption = common_args.DEFAULTS.mixed
    key: common_args.Key = None
    cast: common_args.Cast = None
    time: common_args.Time = None
    add_column: common_args.AddColumn = None
    old_image: common_args.OldImage = False
    max_columns: common_args.MaxColumns = common_args.DEFAULTS.max_columns
    names: common_args.NamesOption = None
    rename: common_args.Rename = None
    workers: common_args.Workers = None
    latest: common_args.Latest = False
    export_id: common_args.ExportId = None
    no_verify: common_args.NoVerify = False
    show_values: common_args.ShowValues = False
    write_schema: common_args.WriteSchema = None
    profile: aws_args.Profile = None
    region: aws_args.Region = None
    endpoint_url: aws_args.EndpointUrl = None
    source_role_arn: aws_args.SourceRoleArn = None
    source_bucket_owner: aws_args.SourceBucketOwner = None
    json: common_args.Json = False
    quiet: common_args.Quiet = False
    log_format: common_args.LogFormatOption = "text"

    def given(self) -> dict[str, Any]:
        """Return the options for the library, without unset ones that a preset may set."""
        return {
            "numbers": self.numbers,
            "mixed": self.mixed,
            "key": read_names(self.key, "key"),
            "cast": read_pairs(self.cast, "cast"),
            "time": self.time,
            "add_column": read_pairs(self.add_column, "add-column"),
            "old_image": self.old_image,
            "max_columns": self.max_columns,
            "rename": read_pairs(self.rename, "rename"),
            "workers": self.workers,
            "latest": self.latest,
            "export_id": self.export_id,
            "verify": not self.no_verify,
            "show_values": self.show_values,
            **without_none(names=self.names),
        }


def inspect(arguments: InspectArguments) -> None:
    """Show the contents and the columns of an export.

    Reads every data file and checks it against the manifest. With --sample, only a part of the items is counted, and a
    rare attribute or type may be missing. Memory use depends on --workers and on the number of attributes. The result
    is printed to stdout; the only file written is the schema file of --write-schema. In that file each column is one
    line: change its position, name or type, or write {"attribute": "a", "drop": true}.
    """
    options, _ = apply_preset(arguments.for_, arguments.given())
    aws = aws_args.aws_options(arguments)
    from converter import api
    from converter.cli.progress import show_progress
    from converter.cli.render_inspection import render_inspection
    from converter.schema.schema_file import render_schema_file

    messages = Messages(log_format=arguments.log_format, quiet=arguments.quiet)
    with show_progress(messages) as listener:
        inspection = api.inspect(arguments.source, options, sample=arguments.sample, aws=aws, listener=listener)
    for warning in inspection.warnings:
        messages.warning(warning)
    if arguments.write_schema is not None:
        write_new_file(arguments.write_schema, render_schema_file(inspection.columns))
    if arguments.json:
        print_json(inspection.to_json())
    else:
        with writing_result():
            render_inspection(inspection, sys.stdout)
