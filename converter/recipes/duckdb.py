"""A DuckDB query over all parts of a destination.

The effects of its options were observed in DuckDB:

- `union_by_name` reads columns that were added later as null in older Parquet files. Without it they are an error.
- `allow_quoted_nulls = false` distinguishes the empty string, which is quoted in the CSV, from null, which is not.
- `new_line` is detected by default, and after a CR in quotes near the start DuckDB finds no rows, without an error.
- `null_padding` reads columns that were added later as null in older CSV files. With line breaks in quotes it requires
  `parallel = false`, so both are used only if some files lack columns.
- `max_line_size` is 2 MB by default, and the JSON of a DynamoDB item can be longer: `1E125` has 126 digits.
- A folder `key=value` above the destination also becomes a column, which the query excludes.
"""

from __future__ import annotations

from collections.abc import Sequence

from converter.errors import UsageError
from converter.export.line_limits import MAX_LINE_BYTES
from converter.recipes.literals import double_quoted, in_comment, literal_glob, sql_text
from converter.recipes.published import Published
from converter.schema.column_types import STRING
from converter.schema.columns import Column


def duckdb_query(published: Published) -> str:
    """Return the query as SQL."""
    arguments = [sql_text(published.glob(literal_glob))]
    if published.format == "parquet":
        _check_unnamed(published.columns)
        arguments += ["union_by_name = true"]
    else:
        arguments += _csv_arguments(published)
    if published.keys:
        types = [f"{sql_text(key.key or '')}: {'DATE' if key.is_date else 'VARCHAR'}" for key in published.keys]
        arguments += ["hive_partitioning = true", f"hive_types = {{{', '.join(types)}}}"]
    else:
        arguments += ["hive_partitioning = false"]
    return "\n".join(
        [
            f"-- All days of {in_comment(published.table)} for DuckDB, with the columns of export"
            f" {in_comment(published.newest)}.",
            *(["-- Create this query again after a column was added."] if published.format == "csv" else []),
            *_renamed(published.columns),
            f"SELECT {_selected(published)}",
            f"FROM read_{published.format}(",
            ",\n".join(f"    {argument}" for argument in arguments),
            ");",
            "",
        ]
    )


def duckdb_names(columns: Sequence[Column]) -> list[str]:
    """Return the names of the columns in DuckDB, which ignores case and numbers equal names.

    The name of a column without a name is its position.
    """
    taken: set[str] = set()
    names = []
    for place, column in enumerate(columns):
        given = column.name or f"C{place}"
        name, number = given, 0
        while name.lower() in taken:
            number += 1
            name = f"{given}_{number}"
        taken.add(name.lower())
        names.append(name)
    return names


def _check_unnamed(columns: Sequence[Column]) -> None:
    """Check that the name that DuckDB gives to a column without a name is not the name of another column."""
    others = {column.name.lower() for column in columns}
    for place, column in enumerate(columns):
        if not column.name and f"c{place}" in others:
            raise UsageError(
                f"DuckDB names the column without a name C{place}, which is the name of another column",
                "recipe duckdb",
                "convert with --names snake",
            )


def _renamed(columns: Sequence[Column]) -> list[str]:
    renamed = [
        f"{in_comment(column.name) or 'the column without a name'} is called {in_comment(name)}"
        for column, name in zip(columns, duckdb_names(columns), strict=True)
        if name != column.name
    ]
    return [f"-- DuckDB ignores the case of names: {', '.join(renamed)}."] if renamed else []


def _selected(published: Published) -> str:
    above = published.keys_above("DuckDB") if published.keys else ()
    selected = f"* EXCLUDE ({', '.join(map(double_quoted, above))})" if above else "*"
    if published.format == "csv":
        parsed = [
            f"{column.type.sql_parse.duckdb.format(quoted)} AS {quoted}"
            for column, name in zip(published.columns, duckdb_names(published.columns), strict=True)
            if column.type.sql_parse.duckdb and (quoted := double_quoted(name))
        ]
        selected += f" REPLACE ({', '.join(parsed)})" if parsed else ""
    return selected


def _csv_arguments(published: Published) -> list[str]:
    names = duckdb_names(published.columns)
    for name in names:
        if "\0" in name:
            raise UsageError(
                f"a query for DuckDB can't contain the column name {name!r}",
                "recipe duckdb",
                "convert with --names snake",
            )
    types = [
        f"        {sql_text(name)}: {sql_text((STRING if column.type.sql_parse.duckdb else column.type).sql.duckdb)}"
        for column, name in zip(published.columns, names, strict=True)
    ]
    arguments = [
        "auto_detect = false",
        "header = true",
        "delim = ','",
        "quote = '\"'",
        "escape = '\"'",
        "new_line = '\\n'",
        "nullstr = ''",
        "allow_quoted_nulls = false",
        f"max_line_size = {MAX_LINE_BYTES}",
        "columns = {\n" + ",\n".join(types) + "\n    }",
    ]
    return [*arguments, "null_padding = true", "parallel = false"] if published.grown else arguments
