"""A Spark view of all parts of a destination, as Spark SQL.

What its options are for was found by running it:

- `basePath` makes columns of the layout's keys and of no folder above; the schema says their types.
- `datetimeRebaseMode` says that timestamps before 1900, and dates before 1582-10-15, are of today's calendar;
  otherwise they are an error.
- In CSV, Spark turns a cell into null when it equals `nullValue`, quoted or not, and the default is the empty string.
  A lone surrogate is in no text that was read from UTF-8, so that only what is empty and unquoted is null.
- `charToEscapeQuoteEscaping` is NUL otherwise, and eats a NUL before a quote.
- `lineSep` keeps a CR before LF in a text; `multiLine` takes line breaks in quotes.
- `mode` FAILFAST refuses what is no value of its type, but rows without the columns that came later as well.
"""

from __future__ import annotations

import re

from converter.errors import UsageError
from converter.recipes.published import Published
from converter.recipes.quoting import back_quoted, hive_text, in_comment, legal_name, literal_hadoop_glob
from converter.schema.column_types import CAST_TYPES, STRING

_MOST_COLUMNS = 20480
_NEVER = r"'\uD800'"
# What `spark-sql -f` splits, drops or replaces, also between backticks; and what breaks a line.
_AWKWARD = re.compile(r"[;'\"\\\x00-\x1f\x7f-\x9f\u2028\u2029]|--|/\*|\*/|\$\{")
_ABOUT_NAMES = {
    "csv": "-- Some columns have names that `spark-sql -f` would split: they are given as texts.\n",
    "parquet": """\
-- Some columns have names that `spark-sql -f` would split: they are given as texts, and the types are read from all
-- files. This needs Spark 3.4 or later.
""",
}


def spark_view(published: Published, view: str | None) -> str:
    """Statements that make a temporary view called `view`, by default like the table."""
    _check_keys(published)
    view = view or legal_name(published.table)
    for name in (view, *(key.key or "" for key in published.keys)):
        if not _is_plain(name):
            raise UsageError(
                f"the name {name!r} can't be in a file of statements for Spark",
                "recipe spark",
                "use letters, digits and spaces in --table, and in the keys of --layout",
            )
    names = [column.name.lower() for column in published.columns]
    plain = all(_is_plain(column.name) for column in published.columns)
    parsed = published.format == "csv" and any(column.type.spark.parse for column in published.columns)
    head = [
        f"-- All days of {in_comment(published.table)} for Spark SQL, with the columns of export"
        f" {in_comment(published.newest)}.",
        "-- Make these statements again when a column is added.\n",
    ]
    if len(set(names)) < len(names):
        head.append("SET spark.sql.caseSensitive = true;\n")
    if plain and not parsed:
        return "\n".join([*head, _create(published, view)])
    files = f"{view}_text" if published.format == "csv" else f"{view}_files"
    if plain:
        return "\n".join([*head, _create(published, files), _parse(published, view, files)])
    head.insert(2, _ABOUT_NAMES[published.format])
    return "\n".join([*head, _create(published, files, named=False), _name(published, view, files)])


def _is_plain(name: str) -> bool:
    """Does `spark-sql -f`, which splits a file at semicolons, take the name between backticks for nothing else?"""
    return _AWKWARD.search(name) is None


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


def _create(published: Published, view: str, *, named: bool = True) -> str:
    """The view of the files. named: with the columns' names; otherwise, as no name may be there, by number in CSV, and
    in Parquet as the files have them.
    """
    csv = published.format == "csv"
    columns = [
        f"  {back_quoted(column.name if named else f'c{number}')}"
        f" {(STRING if csv and column.type.spark.parse else column.type).spark.name}"
        for number, column in enumerate(published.columns)
    ]
    columns += [f"  {back_quoted(key.key or '')} {'DATE' if key.is_date else 'STRING'}" for key in published.keys]
    options = [
        f"path {hive_text(published.glob(literal_hadoop_glob))}",
        f"basePath {hive_text(published.location)}",
        *(_csv_options(published) if csv else _parquet_options(published)),
        *(() if csv or named else ("mergeSchema 'true'",)),
    ]
    schema = " (\n" + ",\n".join(columns) + "\n)" if csv or named else ""
    return "\n".join(
        [
            f"CREATE OR REPLACE TEMPORARY VIEW {back_quoted(view)}{schema} USING {published.format} OPTIONS (",
            ",\n".join(f"  {option}" for option in options),
            ");\n",
        ]
    )


def _parquet_options(published: Published) -> list[str]:
    has_times = any(column.type in CAST_TYPES for column in published.columns)
    return ["datetimeRebaseMode 'CORRECTED'"] if has_times else []


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


def _parse(published: Published, view: str, files: str) -> str:
    selected = [
        f"  {column.type.spark.parse.format(quoted)} AS {quoted}" if column.type.spark.parse else f"  {quoted}"
        for column in published.columns
        if (quoted := back_quoted(column.name))
    ]
    selected += [f"  {back_quoted(key.key or '')}" for key in published.keys]
    return "\n".join(
        [
            f"CREATE OR REPLACE TEMPORARY VIEW {back_quoted(view)} AS SELECT",
            ",\n".join(selected),
            f"FROM {back_quoted(files)};\n",
        ]
    )


def _name(published: Published, view: str, files: str) -> str:
    """The view whose columns get their names from texts, in which every character can be escaped."""
    fields = []
    for number, column in enumerate(published.columns):
        if published.format == "parquet":
            value = f"IDENTIFIER({hive_text(back_quoted(column.name))})"
        else:
            value = (column.type.spark.parse or "{}").format(back_quoted(f"c{number}"))
        fields.append(f"    {hive_text(column.name)}, {value}")
    keys = "".join(f", {back_quoted(key.key or '')}" for key in published.keys)
    return "\n".join(
        [
            f"CREATE OR REPLACE TEMPORARY VIEW {back_quoted(view)} AS SELECT item.*{keys} FROM (",
            "  SELECT named_struct(",
            ",\n".join(fields),
            f"  ) AS item{keys}",
            f"  FROM {back_quoted(files)}",
            ");\n",
        ]
    )
