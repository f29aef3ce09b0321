"""A Polars program over all parts of a destination.

The effects of its arguments were observed in Polars:

- Without `schema`, a column that was added later is an error even with `missing_columns="insert"`.
- `scan_csv` does not read the keys of folders, and does not remove quotes from the names in a header: the program reads
  the keys from the paths, and skips the header.
- The default `empty_string_is_null=True` applies to unquoted empty cells: the empty string, which is quoted, is kept.
- `pl.col` reads some names as patterns (`*`, `^…$`); selectors by name do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from converter.recipes.literals import in_comment, literal_glob, python_text
from converter.recipes.published import Published
from converter.schema.column_types import STRING
from converter.schema.columns import Column

_SHOW = ('if __name__ == "__main__":', "    print(frame.head(10).collect())")


def polars_program(published: Published) -> str:
    """Return the program, which creates a LazyFrame called `frame`."""
    head = [
        f"# All days of {in_comment(published.table)} for Polars, with the columns of export"
        f" {in_comment(published.newest)}.",
        "# Create this program again after a column was added.",
        "import polars as pl",
    ]
    body = _parquet(published) if published.format == "parquet" else _csv(published)
    if any("cs.by_name" in line for line in body):
        head.append("import polars.selectors as cs")
    return "\n".join([*head, "", *body, "", *_SHOW, ""])


def _parquet(published: Published) -> list[str]:
    above = published.keys_above("Polars") if published.keys else ()
    keys = [f"{python_text(key)}: pl.String()" for key in above]
    types = ("pl.Date()" if key.is_date else "pl.String()" for key in published.keys)
    keys += [f"{python_text(key.key or '')}: {type_}" for key, type_ in zip(published.keys, types, strict=True)]
    return [
        "frame = pl.scan_parquet(",
        f"    {python_text(published.glob(literal_glob))},",
        "    schema={",
        *_schema_lines(published.columns, csv=False),
        "    },",
        '    missing_columns="insert",',
        f"    hive_schema={{{', '.join(keys)}}}," if keys else "    hive_partitioning=False,",
        f").drop(cs.by_name({', '.join(map(python_text, above))}))" if above else ")",
    ]


def _csv(published: Published) -> list[str]:
    names = {column.name for column in published.columns} | {key.key for key in published.keys}
    path = "path"
    while path in names:
        path += "_"
    steps = [
        f"        cs.by_name({python_text(column.name)}).{'.'.join(map(str, column.type.polars_parse))},"
        for column in published.columns
        if column.type.polars_parse
    ]
    for number, folder in enumerate(published.layout):
        if folder.key is not None:
            date = '.str.to_date("%Y-%m-%d")' if folder.is_date else ""
            value = f"cs.by_name({python_text(path)}).str.extract({python_text(_key_pattern(published, number))}){date}"
            steps.append(f"        {value}.alias({python_text(folder.key)}),")
    return [
        "frame = (",
        "    pl.scan_csv(",
        f"        {python_text(published.glob(literal_glob))},",
        "        has_header=False,",
        "        skip_rows=1,",
        "        schema={",
        *(f"    {line}" for line in _schema_lines(published.columns, csv=True)),
        "        },",
        *(['        missing_columns="insert",'] if published.grown else []),
        *([f"        include_file_paths={python_text(path)},"] if published.keys else []),
        "    )",
        *(["    .with_columns(", *steps, "    )"] if steps else []),
        *([f"    .drop(cs.by_name({python_text(path)}))"] if published.keys else []),
        ")",
    ]


def _schema_lines(columns: Iterable[Column], *, csv: bool) -> list[str]:
    types = [(column.name, STRING if csv and column.type.polars_parse else column.type) for column in columns]
    return [f"        {python_text(name)}: pl.{type_.polars}," for name, type_ in types]


def _key_pattern(published: Published, number: int) -> str:
    """Return a pattern for the value of a layout folder, anchored at the end, because folders above may match too."""
    folder = published.layout[number]
    after = len(published.layout) - number - 1 + 2
    return f"/{re.escape(folder.key or '')}=([^/]*)" + "/[^/]+" * after + "$"
