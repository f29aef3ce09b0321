"""The options of every verb that converts, and what they say to the library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from converter.cli import arguments as takes
from converter.cli import aws_arguments as in_aws
from converter.cli.parse import parse_size, read_names, read_pairs, read_schema, read_time_attribute, without_none


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionArguments:
    """What every verb takes that converts, in the order of its help."""

    for_: takes.For = None
    format: takes.OutputFormat = None
    compression: takes.Compression = None
    encoding: takes.EncodingAs = takes.DEFAULTS.encoding
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
    time_default: takes.TimeDefaultOf = None
    on_bad_time: takes.OnBadTimeDo = takes.DEFAULTS.on_bad_time
    on_fine_time: takes.OnFineTimeDo = takes.DEFAULTS.on_fine_time
    add_column: takes.AddColumn = None
    nul: takes.NulAs = takes.DEFAULTS.nul
    csv_bom: takes.CsvBom = False
    part_size: takes.PartSize = takes.DEFAULT_PART_SIZE
    workers: takes.Workers = None
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
