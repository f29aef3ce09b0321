"""Creates the files and warnings of a recipe."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from converter.aws.access import AwsOptions
from converter.aws.s3_uri import SCHEME, is_in_s3
from converter.errors import UsageError
from converter.export.manifest import ExportKind
from converter.options import Consumer, OneFormat
from converter.recipes.athena import athena_table, athena_warnings
from converter.recipes.duckdb import duckdb_query
from converter.recipes.polars import polars_program
from converter.recipes.published import Published, read_published
from converter.recipes.spark import spark_view
from converter.recipes.treasure_data import treasure_data_files, treasure_data_warnings
from converter.schema.change_columns import OLD_COLUMN

_IN_S3 = ("treasure-data", "athena")
_CHANGES = (
    "Each row is a change. _op is insert, update or delete; put means insert or update, if the export does not",
    "say which. _write_ts is the time of the write. The other columns contain the item after the change, or only the",
    "key of a deleted item. An item has one row for each window in which it was written; the row with the last",
    "_write_ts is its current state.",
)
_OPTIONS_OF_CONSUMERS = {"database": ("treasure-data", "athena"), "table": ("treasure-data", "athena", "spark")}
# Only characters without a special meaning in SQL, YAML and the templates of workflows.
_S3_LOCATION = re.compile(rf"{SCHEME}[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9](/[\w .=@+~!()-]+)*")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Text of each file by name, and warnings for the user in addition to the comments in the files."""

    files: Mapping[str, str]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeOptions:
    """Options of a recipe; see converter.api.recipe. Raises UsageError for options of other consumers."""

    consumer: Consumer
    location: str | None = None
    database: str | None = None
    table: str | None = None
    format: OneFormat | None = None

    def __post_init__(self) -> None:
        if self.consumer not in get_args(Consumer):
            known = ", ".join(get_args(Consumer))
            raise UsageError(f"there is no recipe for {self.consumer!r}", "CONSUMER", f"use one of: {known}")
        for option, consumers in _OPTIONS_OF_CONSUMERS.items():
            value = getattr(self, option)
            if value is None:
                continue
            if self.consumer not in consumers:
                raise UsageError(
                    f"this option is not used for {self.consumer}",
                    f"--{option}",
                    f"it is used for {', '.join(consumers)}; remove it",
                )
            if not value:
                raise UsageError(
                    "the name is empty", f"--{option}", "remove the option to use the name of the DynamoDB table"
                )


def make_recipe(dest: str, options: RecipeOptions, aws: AwsOptions) -> Recipe:
    """Create a recipe; see converter.api.recipe."""
    location = options.location
    if options.consumer in _IN_S3:
        if location is None and is_in_s3(dest):
            location = dest
        if location is None or not is_in_s3(location):
            raise UsageError(
                f"{options.consumer} reads from S3, and {location or dest} is not in S3",
                "--location",
                f"pass the location of the copy in S3: --location {SCHEME}bucket/prefix/",
            )
    format = options.format
    if format is None and options.consumer == "treasure-data":
        format = "csv"
    published = read_published(dest, location, format, aws)
    _check_location(published)
    recipe = _make(published, options)
    if published.kind is not ExportKind.CHANGES:
        return recipe
    files = {name: _about_changes(published, name) + text for name, text in recipe.files.items()}
    return Recipe(files, recipe.warnings)


def _make(published: Published, options: RecipeOptions) -> Recipe:
    match options.consumer:
        case "treasure-data":
            files = treasure_data_files(published, options.database, options.table)
            return Recipe(files, treasure_data_warnings(published))
        case "athena":
            statement = athena_table(published, options.database, options.table)
            return Recipe({"athena.sql": statement}, athena_warnings(published))
        case "duckdb":
            return Recipe({"duckdb.sql": duckdb_query(published)})
        case "polars":
            # A file polars.py would be imported instead of Polars.
            return Recipe({"scan_with_polars.py": polars_program(published)})
        case "spark":
            return Recipe({"spark.sql": spark_view(published, options.table)})


def _about_changes(published: Published, file: str) -> str:
    """Return the meaning of the columns of changes, as a comment for the start of a file."""
    lines = list(_CHANGES)
    if any(column.name == OLD_COLUMN for column in published.columns):
        lines.append("_old is the item before the change, as JSON, or null if there was none.")
    mark = "--" if file.endswith(".sql") else "#"
    return "".join(f"{mark} {line}\n" for line in lines)


def _check_location(published: Published) -> None:
    """Raise UsageError for a location in S3 with characters that need quoting."""
    if not is_in_s3(published.location):
        return
    folders = [folder.render(lambda _: "x") for folder in published.layout]
    place = "/".join([published.location, *folders])
    if not _S3_LOCATION.fullmatch(place):
        raise UsageError(
            f"a recipe can't contain the location {place!r}",
            "--location",
            f"use {SCHEME}bucket/prefix/ with letters, digits and . _ - = @ + ~ ! ( ) and spaces in the prefix",
        )
