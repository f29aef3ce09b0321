"""Makes the recipe that a user asks for: which files, and what there is to warn of."""

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
from converter.schema.changes import OLD_COLUMN

_IN_S3 = ("treasure-data", "athena")
_CHANGES = (
    "A row is a change: _op is insert, update or delete (put: insert or update, which the export does not tell),",
    "and _write_ts is when it was written. The other columns are the item after it, of a deleted one the keys alone.",
    "An item has a row for each window that it was written in, and the last by _write_ts says how it is now.",
)
_TAKES = {"database": ("treasure-data", "athena"), "table": ("treasure-data", "athena", "spark")}
# Nothing that SQL, YAML or a workflow's templates would have to be told about.
_S3_LOCATION = re.compile(rf"{SCHEME}[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9](/[\w .=@+~!()-]+)*")


@dataclass(frozen=True, slots=True)
class Recipe:
    """files: text by name. warnings: what the user should know beyond the files' comments."""

    files: Mapping[str, str]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeOptions:
    """What a recipe may be told; see converter.api.recipe. Raises UsageError for what the consumer has no use for."""

    consumer: Consumer
    location: str | None = None
    database: str | None = None
    table: str | None = None
    format: OneFormat | None = None

    def __post_init__(self) -> None:
        if self.consumer not in get_args(Consumer):
            known = ", ".join(get_args(Consumer))
            raise UsageError(f"there is no recipe for {self.consumer!r}", "CONSUMER", f"use one of: {known}")
        for option, consumers in _TAKES.items():
            value = getattr(self, option)
            if value is None:
                continue
            if self.consumer not in consumers:
                raise UsageError(
                    f"a recipe for {self.consumer} has none", f"--{option}", f"it is for {', '.join(consumers)}"
                )
            if not value:
                raise UsageError("the name is empty", f"--{option}", "leave it out to take the DynamoDB table's name")


def make_recipe(dest: str, options: RecipeOptions, aws: AwsOptions) -> Recipe:
    """See converter.api.recipe."""
    location = options.location
    if options.consumer in _IN_S3:
        if location is None and is_in_s3(dest):
            location = dest
        if location is None or not is_in_s3(location):
            raise UsageError(
                f"{options.consumer} reads from S3, and {location or dest} is not there",
                "--location",
                f"say where the destination is or will be copied to: --location {SCHEME}bucket/prefix/",
            )
    format = options.format
    if format is None and options.consumer == "treasure-data":
        format = "csv"
    published = read_published(dest, location, format, aws)
    _check_place(published)
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
            # Not polars.py, which would be imported in place of Polars.
            return Recipe({"scan_with_polars.py": polars_program(published)})
        case "spark":
            return Recipe({"spark.sql": spark_view(published, options.table)})


def _about_changes(published: Published, file: str) -> str:
    """What the columns of changes mean, as a comment at the beginning of a file."""
    lines = list(_CHANGES)
    if any(column.name == OLD_COLUMN for column in published.columns):
        lines.append("_old is the item before the change, as JSON, and null where there was none.")
    mark = "--" if file.endswith(".sql") else "#"
    return "".join(f"{mark} {line}\n" for line in lines)


def _check_place(published: Published) -> None:
    """Raises UsageError for a place in S3 that would have to be quoted differently in each language."""
    if not is_in_s3(published.location):
        return
    folders = [folder.render(lambda _: "x") for folder in published.layout]
    place = "/".join([published.location, *folders])
    if not _S3_LOCATION.fullmatch(place):
        raise UsageError(
            f"{place!r} is not a place in S3 that a recipe can name",
            "--location",
            f"use {SCHEME}bucket/prefix/ with letters, digits and . _ - = @ + ~ ! ( ) and spaces in the prefix",
        )
