"""The verb `recipe`."""

from __future__ import annotations

import os
from dataclasses import dataclass

from converter.cli.arguments import MessageArguments, argument, option
from converter.cli.aws_arguments import AwsArguments, DestArguments
from converter.cli.output import print_texts, write_texts
from converter.options import Consumer, OneFormat

EXAMPLES = (
    "ddb-convert recipe treasure-data out-csv --location s3://lake/orders/ --database shop",
    "ddb-convert recipe athena out --location s3://lake/orders/ --database lake --table orders",
    "ddb-convert recipe duckdb out",
    "ddb-convert recipe polars out --out programs",
    "ddb-convert recipe spark out --location s3://lake/orders/ --table orders",
)


@dataclass(frozen=True, kw_only=True)
class RecipeArguments(AwsArguments, DestArguments, MessageArguments):
    """Arguments of `recipe`, in the order of its help."""

    consumer: Consumer = argument(
        "CONSUMER", "The system to load into: treasure-data, athena, duckdb, polars or spark."
    )
    dest: str = argument("DEST", "The folder that exports are published to, local or s3://.")
    location: str | None = option(
        "Where the consumer reads DEST, if it is copied elsewhere.", metavar="PLACE", show_default="DEST"
    )
    database: str | None = option(
        "Database in Treasure Data or Athena.",
        metavar="NAME",
        show_default="the table's name; for Athena, the session's database",
    )
    table: str | None = option(
        "Table, or Spark view, to create.", metavar="NAME", show_default="the DynamoDB table's name, adapted"
    )
    format: OneFormat | None = option(
        "The format to load, if DEST has both.", show_default="parquet; for Treasure Data, csv"
    )
    out: str | None = option(
        "Folder to write the files to. - prints them.",
        metavar="FOLDER",
        show_default=". for treasure-data, - for the others",
    )
    force: bool = option("Overwrite existing files.", False)


def recipe(arguments: RecipeArguments) -> None:
    """Write files that load DEST into another system.

    treasure-data: load.yml for the importer s3_v2, and the workflow load.dig that loads each day. athena: a CREATE
    EXTERNAL TABLE with partition projection. duckdb and spark: SQL. polars: a program. Each
    covers all days.

    Columns that were added later are null on older days, null and the empty string stay distinct, and numbers keep
    their digits wherever the consumer supports it; comments in the files state the exceptions. Write the recipe again
    after a column was added. If exports can't be read together, the command fails with exit code 4.
    """
    from converter import api

    made = api.recipe(
        arguments.consumer,
        arguments.dest,
        location=arguments.location,
        database=arguments.database,
        table=arguments.table,
        format=arguments.format,
        aws=arguments.aws_options(),
    )
    messages = arguments.messages()
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
