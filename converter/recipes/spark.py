"""A Spark view of all parts of a destination, as Spark SQL.

What its options are for was found by running it:

- `basePath` makes columns of the layout's keys and of no folder above; the schema says their types.
- `datetimeRebaseMode` says that timestamps before 1900 are of today's calendar; otherwise they are an error.
- In CSV, Spark turns a cell into null when it equals `nullValue`, quoted or not, and the default is the empty string.
  A lone surrogate is in no text that was read from UTF-8, so that only what is empty and unquoted is null.
- `charToEscapeQuoteEscaping` is NUL otherwise, and eats a NUL before a quote.
- `lineSep` keeps a CR before LF in a text; `multiLine` takes line breaks in quotes.
- `mode` FAILFAST refuses what is no value of its type, but rows without the columns that came later as well.
"""

from __future__ import annotations

from converter.errors import UsageError
from converter.recipes.published import Published
from converter.recipes.quoting import back_quoted, hive_text, in_comment, legal_name, literal_hadoop_glob
from converter.schema.types import Column

_MOST_COLUMNS = 20480
_NEVER = r"'\uD800'"


def spark_view(published: Published, view: str | None) -> str:
    """Statements that make a temporary view called `view`, by default like the table."""
    _check_keys(published)
    view = view or legal_name(published.table)
    for name in (view, *(column.name for column in published.columns), *(key.key or "" for key in published.keys)):
        if "${" in name:
            raise UsageError(f"Spark would take {name!r} for a variable", "recipe spark", "convert with --names snake")
    names = [column.name.lower() for column in published.columns]
    parsed = [column for column in published.columns if published.format == "csv" and column.type in _PARSES]
    statements = [_create(published, f"{view}_text" if parsed else view)]
    if len(set(names)) < len(names):
        statements.insert(0, "SET spark.sql.caseSensitive = true;\n")
    if parsed:
        statements.append(_parse(published, view))
    head = [
        f"-- All days of {in_comment(published.table)} for Spark SQL, with the columns of export {published.newest}.",
        "-- Make these statements anew when a column is added.\n",
    ]
    return "\n".join([*head, *statements])


def _check_keys(published: Published) -> None:
    """Going up from the parts, Spark stops at the first folder without a key that is above one with a key."""
    first = next((number for number, folder in enumerate(published.layout) if folder.key is not None), 0)
    last = max((number for number, folder in enumerate(published.layout) if folder.key is not None), default=0)
    for folder in published.layout[first:last]:
        if folder.key is None:
            raise UsageError(
                f"Spark does not find the key {published.layout[first].key!r} above the folder {folder.value!r}",
                "recipe spark",
                "use a --layout with all its keys side by side, or read the destination with converter.scan(DEST)",
            )


def _create(published: Published, view: str) -> str:
    csv = published.format == "csv"
    columns = [
        f"  {back_quoted(column.name)} {'STRING' if csv and column.type in _PARSES else _type(column)}"
        for column in published.columns
    ]
    columns += [f"  {back_quoted(key.key or '')} {'DATE' if key.is_date else 'STRING'}" for key in published.keys]
    options = [
        f"path {hive_text(published.glob(literal_hadoop_glob))}",
        f"basePath {hive_text(published.location)}",
        *(_csv_options(published) if csv else _parquet_options(published)),
    ]
    return "\n".join(
        [
            f"CREATE OR REPLACE TEMPORARY VIEW {back_quoted(view)} (",
            ",\n".join(columns),
            f") USING {published.format} OPTIONS (",
            ",\n".join(f"  {option}" for option in options),
            ");\n",
        ]
    )


def _parquet_options(published: Published) -> list[str]:
    timestamps = any(column.type == "timestamp" for column in published.columns)
    return ["datetimeRebaseMode 'CORRECTED'"] if timestamps else []


def _csv_options(published: Published) -> list[str]:
    options = [
        "header 'true'",
        "multiLine 'true'",
        r"lineSep '\n'",
        "escape '\"'",
        f"charToEscapeQuoteEscaping {_NEVER}",
        f"nullValue {_NEVER}",
        f"mode '{'PERMISSIVE' if published.grown else 'FAILFAST'}'",
    ]
    if len(published.columns) > _MOST_COLUMNS:
        options.append(f"maxColumns '{len(published.columns)}'")
    return options


def _parse(published: Published, view: str) -> str:
    selected = [
        f"  {_PARSES[column.type].format(quoted)} AS {quoted}" if column.type in _PARSES else f"  {quoted}"
        for column in published.columns
        if (quoted := back_quoted(column.name))
    ]
    selected += [f"  {back_quoted(key.key or '')}" for key in published.keys]
    return "\n".join(
        [
            f"CREATE OR REPLACE TEMPORARY VIEW {back_quoted(view)} AS SELECT",
            ",\n".join(selected),
            f"FROM {back_quoted(f'{view}_text')};\n",
        ]
    )


_PARSES = {"binary": "unbase64({})", "timestamp": "CAST({} AS TIMESTAMP)"}


def _type(column: Column) -> str:
    if column.type.startswith("decimal128"):
        return f"DECIMAL(38, {column.scale})"
    return {
        "string": "STRING",
        "int64": "BIGINT",
        "double": "DOUBLE",
        "binary": "BINARY",
        "bool": "BOOLEAN",
        "timestamp": "TIMESTAMP",
    }[column.type]
