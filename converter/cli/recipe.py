"""The verb `recipe`."""

from __future__ import annotations

import os
from dataclasses import dataclass

from converter.cli import arguments as takes
from converter.cli import aws_arguments as in_aws
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
    """What `recipe` takes, in the order of its help."""

    consumer: takes.ConsumerOf
    dest: takes.PublishedAt
    location: takes.Location = None
    database: takes.Database = None
    table: takes.Table = None
    format: takes.RecipeFormat = None
    out: takes.Out = None
    force: takes.Force = False
    profile: in_aws.Profile = None
    region: in_aws.Region = None
    endpoint_url: in_aws.EndpointUrl = None
    dest_role_arn: in_aws.DestRoleArn = None
    dest_bucket_owner: in_aws.DestBucketOwner = None
    quiet: takes.Quiet = False
    log_format: takes.LogFormatAs = "text"


def recipe(arguments: RecipeArguments) -> None:
    """Write what loads DEST into another system.

    treasure-data: load.yml for the importer s3_v2, and the workflow load.dig that loads each day. athena: a CREATE
    EXTERNAL TABLE that needs no partitions to be added. duckdb, spark: SQL, and polars: a program, over all days.

    Columns that came later are null on older days, null and the empty string stay apart, and numbers keep their digits
    wherever the consumer can do that; the files' comments say what it can't. Make a recipe anew when a column is added.
    What can't be read together ends with exit code 4.
    """
    from converter import api

    made = api.recipe(
        arguments.consumer,
        arguments.dest,
        location=arguments.location,
        database=arguments.database,
        table=arguments.table,
        format=arguments.format,
        aws=in_aws.aws_options(arguments),
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
