"""The verb `recipe`."""

from __future__ import annotations

import os
from dataclasses import dataclass

from converter.cli import arguments as common_args
from converter.cli import aws_arguments as aws_args
from converter.cli.messages import Messages
from converter.cli.output import print_texts, write_texts

EXAMPLES = (
    "ddb-convert recipe treasure-data out-csv --location s3://lake/orders/ --database shop",
    "ddb-convert recipe athena out --location s3://lake/orders/ --database lake --table orders",
    "ddb-convert recipe duckdb out",
    "ddb-convert recipe polars out --out programs",
    "ddb-convert recipe spark out --location s3://lake/orders/ --table orders",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeArguments:
    """Arguments of `recipe`, in the order of its help."""

    consumer: common_args.ConsumerArgument
    dest: common_args.PublishedDest
    location: common_args.Location = None
    database: common_args.Database = None
    table: common_args.Table = None
    format: common_args.RecipeFormat = None
    out: common_args.Out = None
    force: common_args.Force = False
    profile: aws_args.Profile = None
    region: aws_args.Region = None
    endpoint_url: aws_args.EndpointUrl = None
    dest_role_arn: aws_args.DestRoleArn = None
    dest_bucket_owner: aws_args.DestBucketOwner = None
    quiet: common_args.Quiet = False
    log_format: common_args.LogFormatOption = "text"


def recipe(arguments: RecipeArguments) -> None:
    """Write files that load DEST into another system.

    treasure-data: load.yml for the importer s3_v2, and the workflow load.dig that loads each day. athena: a CREATE
    EXTERNAL TABLE with partition projection. duckdb, spark: SQL, and polars: a program, for all days.

    Columns that were added later are null on older days, null and the empty string stay distinct, and numbers keep
    their digits wherever the consumer supports it; comments in the files state the exceptions. Write the recipe again
    after a column was added. Exports that can't be read together end the command with exit code 4.
    """
    from converter import api

    made = api.recipe(
        arguments.consumer,
        arguments.dest,
        location=arguments.location,
        database=arguments.database,
        table=arguments.table,
        format=arguments.format,
        aws=aws_args.aws_options(arguments),
    )
    messages = Messages(log_format=arguments.log_format, quiet=arguments.quiet)
    for warning in made.warnings:
        messages.warning(warning)
    folder = arguments.out or ("." if arguments.consumer == "treasure-data" else "-")
    if folder == "-":
        print_texts(made.files)
        return
    write_texts(folder, made.files, force=arguments.force, out="folder")
    for name in made.files:
        path = os.path.join(folder, name)
        messages.info("recipe", f"wrote {path}", {"path": path})
