"""Athena: CREATE EXTERNAL TABLE whose partitions are projected from the dates, so that none is ever added by hand.

Sources, all below https://docs.aws.amazon.com/athena/latest/ug/:

- tables-location-format.html: Athena reads all data below a location, so the exports' own folders in a partition are
  read; and what must not be read must not be there. `_exports/` is beside the partitions, in none of them.
- partition-projection-supported-types.html: `NOW` is UTC, and may be followed by `+1DAYS`.
- tables-databases-columns-names.html: names are lower-case, of 255 bytes at most; backticks take the others.
- csv-serde.html: OpenCSVSerDe makes strings of everything, and takes no line breaks in quotes. Its code (Trino's
  CsvDeserializer is made alike, "bug for bug") gives the empty string for a null, and drops the escape character, which
  is the backslash by default and can't be the quote.

Not checked against a live account.
"""

from __future__ import annotations

import re

from converter.errors import UsageError
from converter.recipes.published import Published
from converter.recipes.quoting import back_quoted, double_quoted, in_comment, legal_name, sql_text
from converter.schema.column_types import STRING, TIMESTAMP
from converter.schema.types import Column

_MOST_BYTES = 255
_DATE_COLUMN = "dt"
_TABLE_NAME = re.compile(r"[a-z0-9_]{1,255}")
_DATABASE_NAME = re.compile(r"[a-z0-9_-]{1,255}")

_CSV_HEAD = """\
-- All columns are strings: Athena's CSV reader knows no decimals, and takes no null in a column of numbers.
-- What it can't do, and Parquet can: it makes null and the empty string both the empty string, breaks a row at a line
-- break in a text, and drops the escape character from texts. That is a backslash by default and can't be the quote, so
-- it is U+0001, which texts hardly have. This query gives the values their types:
"""


def athena_table(published: Published, database: str | None, table: str | None) -> str:
    """The statement; for CSV with a query that casts, as a comment. Raises UsageError."""
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
            raise UsageError(f"Athena does not take the name {name!r}", option, "use a to z, 0 to 9 and _")
    name = back_quoted(table) if database is None else f"{back_quoted(database)}.{back_quoted(table)}"
    csv = published.format == "csv"
    columns = [
        f"  {back_quoted(column.name.lower())} {STRING.athena.name if csv else column.type.athena.name}"
        for column in published.columns
    ]
    ahead = "" if published.timezone == "UTC" else "+1DAYS"
    properties = {
        "projection.enabled": "true",
        f"projection.{partition}.type": "date",
        f"projection.{partition}.format": "yyyy-MM-dd",
        f"projection.{partition}.range": f"{published.first_date},NOW{ahead}",
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
            *_comments(published, partition, ahead),
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
    """What the user should know beyond the comments."""
    if published.format == "csv":
        return ("Athena can't read every CSV text: see the beginning of the statement, or convert to Parquet",)
    return ()


def _comments(published: Published, partition: str, ahead: str) -> list[str]:
    comments = [
        "-- When a column is added, drop the table and make it again: the data stays.",
        f"-- Partitions follow from the dates, from {published.first_date} on: an earlier date that is back-filled is",
        f"-- not seen before projection.{partition}.range begins with it.",
    ]
    if ahead:
        comments.append(f"-- NOW is UTC, and the dates are of {published.timezone}, which may be a day ahead.")
    if published.format == "csv":
        comments += _CSV_HEAD.splitlines()
        return comments
    comments.append("-- parquet.compression is for what Athena writes; it finds out how to read these files by itself.")
    if any(column.type == TIMESTAMP for column in published.columns):
        comments.append("-- Athena shows timestamps of such tables in milliseconds; the files have microseconds.")
    return comments


def _casting_query(published: Published, name: str, partition: str) -> list[str]:
    selected = [f"--   {_cast(column)}" for column in published.columns]
    return [
        "-- SELECT",
        *(f"{line}," for line in selected),
        f"--   {double_quoted(partition)}",
        f"-- FROM {name};",
    ]


def _cast(column: Column) -> str:
    quoted = double_quoted(column.name.lower())
    given = f"NULLIF({quoted}, '')"
    if column.type == STRING:
        return quoted
    athena = column.type.athena
    return f"{(athena.parse or f'CAST({{}} AS {athena.name})').format(given)} AS {quoted}"


def _check_columns(published: Published, partition: str) -> None:
    """Athena knows columns by their lower-case names, and Hive keeps them in one list between commas."""
    hint = "convert into another DEST with --names snake, or leave the attribute out with --exclude"
    seen = {partition: f"the partition key {partition!r}"}
    for column in published.columns:
        name = column.name.lower()
        if name in seen:
            raise UsageError(
                f"Athena does not tell {column.name!r} from {seen[name]}: it makes all names lower-case",
                "recipe athena",
                hint,
            )
        seen[name] = f"the column {column.name!r}"
        odd = not name.isprintable() or re.search("[,:;`]", name) or name.startswith(" ")
        if not name or odd or len(name.encode()) > _MOST_BYTES:
            raise UsageError(
                f"Athena does not take the column name {column.name!r}: it has to be printable, without , : ; ` and"
                f" a space in front, and to have 1 to {_MOST_BYTES} bytes",
                "recipe athena",
                hint,
            )
