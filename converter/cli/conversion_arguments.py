"""Options of every verb that converts, and their conversion to options of the library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from converter.cli import arguments as common_args
from converter.cli import aws_arguments as aws_args
from converter.cli.parse import parse_size, read_names, read_pairs, read_schema, read_time_attribute, without_none


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionArguments:
    """Options of every verb that converts, in the order of its help."""

    for_: common_args.For = None
    format: common_args.OutputFormat = None
    compression: common_args.Compression = None
    encoding: common_args.EncodingOption = common_args.DEFAULTS.encoding
    layout: common_args.Layout = common_args.DEFAULTS.layout
    timezone: common_args.Timezone = common_args.DEFAULTS.timezone
    numbers: common_args.NumbersOption = common_args.DEFAULTS.numbers
    mixed: common_args.MixedOption = common_args.DEFAULTS.mixed
    key: common_args.Key = None
    select: common_args.Select = None
    exclude: common_args.Exclude = None
    max_columns: common_args.MaxColumns = common_args.DEFAULTS.max_columns
    overflow: common_args.Overflow = None
    schema: common_args.Schema = None
    evolve: common_args.Evolve = False
    names: common_args.NamesOption = None
    rename: common_args.Rename = None
    cast: common_args.Cast = None
    time: common_args.Time = None
    time_default: common_args.TimeDefaultOption = None
    on_bad_time: common_args.OnBadTimeOption = common_args.DEFAULTS.on_bad_time
    on_fine_time: common_args.OnFineTimeOption = common_args.DEFAULTS.on_fine_time
    add_column: common_args.AddColumn = None
    nul: common_args.NulOption = common_args.DEFAULTS.nul
    csv_bom: common_args.CsvBom = False
    part_size: common_args.PartSize = common_args.DEFAULT_PART_SIZE
    workers: common_args.Workers = None
    no_verify: common_args.NoVerify = False
    show_values: common_args.ShowValues = False
    replace: common_args.Replace = False
    dry_run: common_args.DryRun = False
    profile: aws_args.Profile = None
    region: aws_args.Region = None
    endpoint_url: aws_args.EndpointUrl = None
    source_role_arn: aws_args.SourceRoleArn = None
    source_bucket_owner: aws_args.SourceBucketOwner = None
    dest_role_arn: aws_args.DestRoleArn = None
    dest_bucket_owner: aws_args.DestBucketOwner = None
    dest_sse: aws_args.DestSse = None
    dest_kms_key_id: aws_args.DestKmsKeyId = None
    acl: aws_args.AclOption = None
    storage_class: aws_args.StorageClass = None
    json: common_args.Json = False
    quiet: common_args.Quiet = False
    log_format: common_args.LogFormatOption = "text"

    def given(self) -> dict[str, Any]:
        """Return the options for the library, without unset ones that a preset may set."""
        return {
            "encoding": self.encoding,
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
            **read_time_attribute(self.time),
            "time_default": self.time_default,
            "on_bad_time": self.on_bad_time,
            "on_fine_time": self.on_fine_time,
            "add_column": read_pairs(self.add_column, "add-column"),
            "nul": self.nul,
            "csv_bom": self.csv_bom,
            "part_size": parse_size(self.part_size, "part-size"),
            "workers": self.workers,
            "verify": not self.no_verify,
            "show_values": self.show_values,
            "replace": self.replace,
            "dry_run": self.dry_run,
            **without_none(format=self.format, compression=self.compression, names=self.names),
        }
