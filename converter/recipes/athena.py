"""Athena: CREATE EXTERNAL TABLE with partition projection on the date, so that partitions need no maintenance.

Sources, all below https://docs.aws.amazon.com/athena/latest/ug/:

- tables-location-format.html: Athena reads all files below a location, including the folder of each export in a
  partition. The records in `_exports/` are outside all partitions.
- partition-projection-supported-types.html: `NOW` is UTC, and can be followed by `+1DAYS`.
- tables-databases-columns-names.html: names are lower-case with at most 255 bytes; others need backticks.
- csv-serde.html: OpenCSVSerDe reads all values as strings, and does not support line breaks in quotes. Its code (copied
  "bug for bug" in Trino's CsvDeserializer) reads null as the empty string, and drops the escape character, which is the
  backslash by default and can't be the quote.

Not checked against a live account.
"""

from __future__ import annotations

import re

from converter.errors import UsageError
from converter.recipes.literals import back_quoted, double_quoted, in_comment, legal_name, sql_text
from converter.recipes.published import Published
from converter.schema.column_types import STRING, TIMESTAMP
from converter.schema.columns import Column

_MOST_BYTES = 255
_DATE_COLUMN = "dt"
_TABLE_NAME = re.compile(r"[a-z0-9_]{1,255}")
_DATABASE_NAME = re.compile(r"[a-z0-9_-]{1,255}")

_CSV_HEAD = """\
-- All columns are strings, because the CSV reader of Athena does not support decimals, or null in numeric columns.
-- It has other limits that Parquet does not have: it reads null and the empty string both as the empty string, ends a
-- row at a line break in a text, and drops the escape character from texts. The escape character can't be the quote; it
-- is set to U+0001, which is rare in texts, instead of the default backslash. This query converts the values:
"""


def athena_table(published: Published, database: str | None, table: str | None) -> str:
    """Return the statement; for CSV, a comment contains a query with casts. Raises UsageError."""
    key, folder = published.dated_folder("${DATE}")
    partition = (key or _DATE_COLUMN).lower()
    _check_columns(published, partition)
    table = table or legal_name(published.table)
    names = (
        ("--table", table, _TABLE_NAME),
        ("--database", database, _DATABASE_NAME),
        ("--layout", partition, _TABLE_NAME),
    )
    for option, name, legal in names:
        if name is not None and not legal.fullmatch(name):
            raise UsageError(f"{name!r} is not a valid name in Athena", option, "use a-z, 0-9 and _")
    name = back_quoted(table) if database is None else f"{back_quoted(database)}.{back_quoted(table)}"
    csv = published.format == "csv"
    columns = [
        f"  {back_quoted(column.name.lower())} {(STRING if csv else column.type).sql.athena}"
        for column in published.columns
    ]
    range_end = "" if published.timezone == "UTC" else "+1DAYS"
    properties = {
        "projection.enabled": "true",
        f"projection.{partition}.type": "date",
        f"projection.{partition}.format": "yyyy-MM-dd",
        f"projection.{partition}.range": f"{published.first_date},NOW{range_end}",
        f"projection.{partition}.interval": "1",
        f"projection.{partition}.interval.unit": "DAYS",
        "storage.location.template": f"{published.location}/{folder.replace('${DATE}', '${' + partition + '}')}",
    }
    if csv:
        properties["skip.header.line.count"] = "1"
    return "\n".join(
        [
            f"-- The DynamoDB table {in_comment(published.table)} in Athena, with the columns of export"
            f" {in_comment(published.newest)}.",
            *_comments(published, partition, range_end),
            *(_casting_query(published, name.replace("`", '"'), partition) if csv else ()),
            f"CREATE EXTERNAL TABLE {name} (",
            ",\n".join(columns),
            ")",
            f"PARTITIONED BY ({back_quoted(partition)} string)",
            _CSV_FORMAT if csv else "STORED AS PARQUET",
            f"LOCATION {sql_text(published.location + '/')}",
            "TBLPROPERTIES (",
            ",\n".join(f"  {sql_text(key)} = {sql_text(value)}" for key, value in properties.items()),
            ");",
            "",
        ]
    )


_CSV_FORMAT = """\
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
WITH SERDEPROPERTIES ('separatorChar' = ',', 'quoteChar' = '"', 'escapeChar' = '\\u0001')
STORED AS TEXTFILE"""


def athena_warnings(published: Published) -> tuple[str, ...]:
    """Return warnings for the user in addition to the comments."""
    if published.format == "csv":
        return ("Athena can't read all texts in CSV: see the comments in the statement, or convert to Parquet",)
    return ()


def _comments(published: Published, partition: str, range_end: str) -> list[str]:
    comments = [
        "-- After a column was added, drop the table and create it again. The data is not changed.",
        f"-- Partitions are projected from the dates since {published.first_date}. To read an earlier date, change the",
        f"-- start of projection.{partition}.range.",
    ]
    if range_end:
        comments.append(f"-- NOW is in UTC. The dates are in {published.timezone} and can be one day later.")
    if published.format == "csv":
        comments += _CSV_HEAD.splitlines()
        return comments
    comments.append(
        "-- Athena detects the compression of these files; parquet.compression applies only to files that it writes."
    )
    if any(column.type == TIMESTAMP for column in published.columns):
        comments.append("-- Athena returns timestamps of such tables in milliseconds; the files have microseconds.")
    return comments


def _casting_query(published: Published, name: str, partition: str) -> list[str]:
    selected = [f"--   {_cast(column)}" for column in published.columns]
    return ["-- SELECT", *(f"{line}," for line in selected), f"--   {double_quoted(partition)}", f"-- FROM {name};"]


def _cast(column: Column) -> str:
    quoted = double_quoted(column.name.lower())
    given = f"NULLIF({quoted}, '')"
    if column.type == STRING:
        return quoted
    parse = column.type.sql_parse.athena or f"CAST({{}} AS {column.type.sql.athena})"
    return f"{parse.format(given)} AS {quoted}"


def _check_columns(published: Published, partition: str) -> None:
    """Check that names are valid: Athena uses lower-case names, and Hive stores them in a comma-separated list."""
    hint = "convert into another DEST with --names snake, or remove the attribute with --exclude"
    seen = {partition: f"the partition key {partition!r}"}
    for column in published.columns:
        name = column.name.lower()
        if name in seen:
            raise UsageError(
                f"Athena can't distinguish {column.name!r} from {seen[name]}, because it converts names to lower case",
                "recipe athena",
                hint,
            )
        seen[name] = f"the column {column.name!r}"
        odd = not name.isprintable() or re.search("[,:;`]", name) or name.startswith(" ")
        if not name or odd or len(name.encode()) > _MOST_BYTES:
            raise UsageError(
                f"{column.name!r} is not a valid column name in Athena: it must be printable, without , : ; ` and"
                f" without a leading space, and have 1 to {_MOST_BYTES} bytes",
                "recipe athena",
                hint,
            )
