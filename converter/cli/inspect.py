"""The verb `inspect`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from converter.cli import arguments as takes
from converter.cli import aws_arguments as in_aws
from converter.cli.messages import Messages
from converter.cli.output import print_json, write_new_file, writing_result
from converter.cli.parse import apply_preset, read_names, read_pairs, without_none
from converter.cli.progress import show_progress

EXAMPLES = (
    "ddb-convert inspect fixtures/orders",
    "ddb-convert inspect fixtures/orders --sample",
    "ddb-convert inspect fixtures/orders --json --quiet",
    "ddb-convert inspect fixtures/orders --write-schema schema.json",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectArguments:
    """What `inspect` takes, in the order of its help."""

    source: takes.Source
    sample: takes.Sample = False
    for_: takes.For = None
    numbers: takes.NumbersAs = takes.DEFAULTS.numbers
    mixed: takes.MixedAs = takes.DEFAULTS.mixed
    key: takes.Key = None
    cast: takes.Cast = None
    time: takes.Time = None
    add_column: takes.AddColumn = None
    old_image: takes.OldImage = False
    max_columns: takes.MaxColumns = takes.DEFAULTS.max_columns
    names: takes.NamesAs = None
    rename: takes.Rename = None
    workers: takes.Workers = None
    latest: takes.Latest = False
    export_id: takes.ExportId = None
    no_verify: takes.NoVerify = False
    show_values: takes.ShowValues = False
    write_schema: takes.WriteSchema = None
    profile: in_aws.Profile = None
    region: in_aws.Region = None
    endpoint_url: in_aws.EndpointUrl = None
    source_role_arn: in_aws.SourceRoleArn = None
    source_bucket_owner: in_aws.SourceBucketOwner = None
    json: takes.Json = False
    quiet: takes.Quiet = False
    log_format: takes.LogFormatAs = "text"

    def given(self) -> dict[str, Any]:
        """The options for the library, without those that a preset may set and that are not there."""
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
    """Show what an export holds and would become.

    Reads every data file, and checks each against the manifest, unless --sample is given: then the counts cover a part
    of the items and a rare attribute or type may be missing. Memory depends on --workers and on how many attributes
    there are. Nothing is written but the schema file that --write-schema asks for; the result goes to stdout. In that
    file a column is one line: change its place, name or type, or write {"attribute": "a", "drop": true}.
    """
    options, _ = apply_preset(arguments.for_, arguments.given())
    aws = in_aws.aws_options(arguments)
    from converter import api
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
