"""A Spark view of all parts of a destination, as Spark SQL.

The effects of its options were observed in Spark:

- `basePath` creates columns for the keys of the layout, and not for folders above. The schema has their types.
- `datetimeRebaseMode` reads timestamps before 1900, and dates before 1582-10-15, in the current calendar; by default
  they are an error.
- In CSV, a cell that equals `nullValue`, quoted or not, is null, and the default is the empty string. With a lone
  surrogate, which does not occur in UTF-8, only unquoted empty cells are null.
- `charToEscapeQuoteEscaping` is NUL by default, and drops a NUL before a quote.
- `lineSep` keeps a CR before LF in a text; `multiLine` supports line breaks in quotes.
- `mode` FAILFAST rejects values that do not have the type of their column, but also rows without later columns.
"""

from __future__ import annotations

import re

from converter.errors import UsageError
from converter.recipes.literals import back_quoted, hive_text, in_comment, legal_name, literal_hadoop_glob
from converter.recipes.published import Published
from converter.schema.column_types import CAST_TYPES, STRING

_MOST_COLUMNS = 20480
_NEVER = r"'\uD800'"
# Characters that `spark-sql -f` splits, drops or replaces, also between backticks, and line breaks.
_AWKWARD = re.compile(r"[;'\"\\\x00-\x1f\x7f-\x9f\u2028\u2029]|--|/\*|\*/|\$\{")
_ABOUT_NAMES = {
    "csv": "-- `spark-sql -f` would split the names of some columns, so they are written as texts.\n",
    "parquet": """\
-- `spark-sql -f` would split the names of some columns, so they are written as texts, and the types are read from all
-- files. This requires Spark 3.4 or later.
""",
}


def spark_view(published: Published, view: str | None) -> str:
    """Return statements that create a temporary view called `view`, by default the name of the table."""
    _check_keys(published)
    view = view or legal_name(published.table)
    for name in (view, *(key.key or "" for key in published.keys)):
        if not _is_plain(name):
            raise UsageError(
                f"a file of statements for Spark can't contain the name {name!r}",
                "recipe spark",
                "use only letters, digits and spaces in --table and in the keys of --layout",
            )
    names = [column.name.lower() for column in published.columns]
    plain = all(_is_plain(column.name) for column in published.columns)
    parsed = published.format == "csv" and any(column.type.sql_parse.spark for column in published.columns)
    head = [
        f"-- All days of {in_comment(published.table)} for Spark SQL, with the columns of export"
        f" {in_comment(published.newest)}.",
        "-- Create these statements again after a column was added.\n",
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
    """Return whether `spark-sql -f`, which splits a file at semicolons, reads the name between backticks correctly."""
    return _AWKWARD.search(name) is None


def _check_keys(published: Published) -> None:
    """Raise UsageError if Spark would not find a key: it stops at a folder without a key above one with a key."""
    first = next((number for number, folder in enumerate(published.layout) if folder.key is not None), 0)
    last = max((number for number, folder in enumerate(published.layout) if folder.key is not None), default=0)
    for folder in published.layout[first:last]:
        if folder.key is None:
            raise UsageError(
                f"Spark can't find the key {published.layout[first].key!r} above the folder {folder.value!r}",
                "recipe spark",
                "use a --layout with adjacent keys, or read the destination with converter.scan(DEST)",
            )


def _create(published: Published, view: str, *, named: bool = True) -> str:
    """Return the statement for the view of the files.

    named: use the names of the columns; otherwise the columns have numbers in CSV, and the file's names in Parquet.
    """
    csv = published.format == "csv"
    columns = [
        f"  {back_quoted(column.name if named else f'c{number}')}"
        f" {(STRING if csv and column.type.sql_parse.spark else column.type).sql.spark}"
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
        f"  {column.type.sql_parse.spark.format(quoted)} AS {quoted}" if column.type.sql_parse.spark else f"  {quoted}"
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
    """Return the statement for a view with column names from texts, in which every character can be escaped."""
    fields = []
    for number, column in enumerate(published.columns):
        if published.format == "parquet":
            value = f"IDENTIFIER({hive_text(back_quoted(column.name))})"
        else:
            value = (column.type.sql_parse.spark or "{}").format(back_quoted(f"c{number}"))
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
