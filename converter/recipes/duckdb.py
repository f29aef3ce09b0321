"""A DuckDB query over all parts of a destination.

What its options are for was found by running it:

- `union_by_name` makes columns that came later null in older Parquet files; without it they are an error.
- `allow_quoted_nulls = false` keeps the empty string, which is quoted in our CSV, apart from null, which is not.
- `new_line` is guessed otherwise, and a CR in quotes near the beginning makes DuckDB find no rows, without an error.
- `null_padding` makes columns that came later null in older CSV files. It does not go together with line breaks in
  quotes unless `parallel = false`, so both are there only when some files lack columns.
- `max_line_size` is 2 MB otherwise, and the JSON of one DynamoDB item can be longer: `1E125` becomes 126 digits.
- A folder `key=value` above the destination becomes a column too, and has to be taken out again.
"""

from __future__ import annotations

from collections.abc import Sequence

from converter.errors import UsageError
from converter.export.line_limits import MAX_LINE_BYTES
from converter.recipes.published import Published
from converter.recipes.quoting import double_quoted, in_comment, literal_glob, sql_text
from converter.schema.column_types import STRING
from converter.schema.types import Column


def duckdb_query(published: Published) -> str:
    """The query, as SQL."""
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
            *(["-- Make this query again when a column is added."] if published.format == "csv" else []),
            *_renamed(published.columns),
            f"SELECT {_selected(published)}",
            f"FROM read_{published.format}(",
            ",\n".join(f"    {argument}" for argument in arguments),
            ");",
            "",
        ]
    )


def duckdb_names(columns: Sequence[Column]) -> list[str]:
    """What DuckDB calls the columns: it does not tell capitals from small letters, and numbers names that are alike.

    A column without a name is called after its place.
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
    """DuckDB calls a column without a name after its place, and fails where another column of the file is called so."""
    others = {column.name.lower() for column in columns}
    for place, column in enumerate(columns):
        if not column.name and f"c{place}" in others:
            raise UsageError(
                f"DuckDB would call the column without a name C{place}, as another one is called already",
                "recipe duckdb",
                "convert with --names snake",
            )


def _renamed(columns: Sequence[Column]) -> list[str]:
    renamed = [
        f"{in_comment(column.name) or 'the column without a name'} is {in_comment(name)}"
        for column, name in zip(columns, duckdb_names(columns), strict=True)
        if name != column.name
    ]
    return [f"-- DuckDB does not tell capitals from small letters: {', '.join(renamed)}."] if renamed else []


def _selected(published: Published) -> str:
    above = published.keys_above("DuckDB") if published.keys else ()
    selected = f"* EXCLUDE ({', '.join(map(double_quoted, above))})" if above else "*"
    if published.format == "csv":
        parsed = [
            f"{column.type.duckdb.parse.format(quoted)} AS {quoted}"
            for column, name in zip(published.columns, duckdb_names(published.columns), strict=True)
            if column.type.duckdb.parse and (quoted := double_quoted(name))
        ]
        selected += f" REPLACE ({', '.join(parsed)})" if parsed else ""
    return selected


def _csv_arguments(published: Published) -> list[str]:
    names = duckdb_names(published.columns)
    for name in names:
        if "\0" in name:
            raise UsageError(
                f"DuckDB can't be told the column name {name!r}", "recipe duckdb", "convert with --names snake"
            )
    types = [
        f"        {sql_text(name)}: {sql_text((STRING if column.type.duckdb.parse else column.type).duckdb.name)}"
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
