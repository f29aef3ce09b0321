"""Treasure Data: load.yml for the importer `s3_v2`, and the workflow load.dig that loads each day with `td_load>`.

Sources: the page of the importer (https://docs.treasuredata.com/int/amazon-s3-import-integration-v2), the options of
embulk-parser-csv, on which it is based, and the page of the operator (https://docs.digdag.io/operators/td_load.html).
Not checked against a live account. The operator replaces all variables in load.yml before it parses the YAML, so a
comment there must not contain a variable.
"""

from __future__ import annotations

import re

from converter.aws.s3_uri import s3_uri, split_s3_uri
from converter.errors import UsageError
from converter.recipes.literals import in_comment, legal_name
from converter.recipes.published import Published
from converter.schema.column_types import INT64, Origin
from converter.schema.columns import Column
from converter.yaml_text import yaml_text

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,127}")
_CATALOG_NAME = re.compile(r"[a-z0-9_]{3,128}")
# Treasure Data reserves these; `time` is allowed, as Unix seconds.
_RESERVED = ("v",)
# An item has up to 400 KB, and numbers and control characters are longer in CSV: `1E125` has 126 digits.
_LONGEST_CELL = 64 << 20
_DATE = "${moment(session_time).format('YYYY-MM-DD')}"

_LOAD = """\
# Loads one day of the DynamoDB table {table} into Treasure Data.
# Created for the columns of export {newest}. Create it again after a column was added.
in:
  type: s3_v2
  # td wf secrets --project PROJECT --set s3.access_key_id --set s3.secret_access_key
  access_key_id: ${{secret:s3.access_key_id}}
  secret_access_key: ${{secret:s3.secret_access_key}}
  bucket: {bucket}
  # The folder of one date, not the destination, which also contains the records in _exports/. The workflow inserts the
  # date of its session; for `td connector:issue`, write a date instead.
  path_prefix: {path_prefix}
  # With `incremental: true`, only keys after `last_path` in alphabetical order would be loaded, so a date that is
  # replaced or back-filled would be skipped. To load a date again, delete its rows, then start a session of this date.
  incremental: false
{decoders}\
  parser:
    type: csv
    charset: UTF-8
    # The defaults change line breaks in texts, and end a row at a CR in a text. (A text with a NUL can't be loaded: the
    # load stops there.)
    newline: LF
    line_delimiter_recognized: LF
    delimiter: ","
    quote: "\\""
    # Quotes in the files are doubled. The default, a backslash, would change texts that contain one.
    escape: "\\""
    # An empty cell is null, and "" is the empty string. With a `null_string` they could not be distinguished.
    trim_if_not_quoted: false
    # The default, 131072, skips rows with longer texts. An item has up to 400 KB, and some values are longer in JSON: a
    # control character has six characters, and 1E125 has 126 digits.
    max_quoted_size_limit: {longest}
    # By default, rows that can't be parsed are skipped, and the load succeeds without them.
    stop_on_invalid_record: true
    skip_header_lines: 1
    # Rows with more columns than listed below show that this file is outdated. This must be an error.
    allow_extra_columns: false
{optional}\
    # Columns are matched by position; the header is not read. Types that Treasure Data can't store exactly are strings:
    # decimals, numbers beyond int64, binaries (base64), timestamps, dates, and JSON (numbers in the type json are
    # doubles).
    columns:
{columns}
{filters}\
out:
  # A second load of the same date adds its rows again.
  mode: append
"""

_ALL_COLUMNS = """\
    allow_optional_columns: false
"""
_OPTIONAL_COLUMNS = """\
    # Files of older dates do not have the last columns, which are null there.
    allow_optional_columns: true
"""
_GZIP = """\
  decoders:
  - {type: gzip}
"""
_HAS_TIME = """\
# The files contain the column `time`: {what}.
filters: []
"""
_ADD_TIME = """\
# The files have no column `time`, so each row gets the time of its upload. A column in the files is better: with the
# upload time, a date that is loaded late or again gets the wrong time, daily snapshots in one table can't be
# distinguished, and the rows of one date can't be deleted. `ddb-convert convert --for treasure-data` adds the column.
filters:
- type: add_time
  from_value: {mode: upload_time}
  to_column: {name: time}
"""

_WORKFLOW = """\
# Loads the DynamoDB table {table} into Treasure Data each day, with load.yml.
# The time zone of the dates in folder names.
timezone: {timezone}

schedule:
  # Choose a time when the export of the date is converted: after `ddb-convert convert` ended with exit code 0.
  daily>: 06:00:00

+tables:
  td_ddl>:
  create_databases: [{database}]
  create_tables: [{into}]
  database: {database}

# No _retry: after a failure, check which rows were loaded, because `mode: append` would load them again.
+load:
  td_load>: load.yml
  database: {database}
  table: {into}

# The load of a date without files succeeds, so the number of rows is checked.
+check:
  if>: ${{td.last_job.num_records == 0}}
  _do:
    fail>: {nothing}
"""


def treasure_data_files(published: Published, database: str | None, table: str | None) -> dict[str, str]:
    """Return load.yml and load.dig. Raises UsageError for names and formats that Treasure Data does not support."""
    _check(published)
    bucket, prefix = split_s3_uri(published.location)
    path_prefix = "/".join(filter(None, (prefix, published.dated_folder(_DATE)[1])))
    into = table or _default_name(published)
    names = {"--database": database or _default_name(published), "--table": into}
    for option, name in names.items():
        if not _CATALOG_NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} is not a valid name in Treasure Data", option, "use 3 to 128 characters of a-z, 0-9 and _"
            )
    load = _LOAD.format(
        table=_in_comment(published.table),
        newest=_in_comment(published.newest),
        bucket=yaml_text(bucket),
        path_prefix=yaml_text(path_prefix),
        decoders=_GZIP if published.suffixes == (".csv.gz",) else "",
        longest=_LONGEST_CELL,
        optional=_OPTIONAL_COLUMNS if published.grown else _ALL_COLUMNS,
        columns="\n".join(
            f"    - {{name: {yaml_text(column.name)}, type: {column.type.sql.treasure_data}}}"
            for column in published.columns
        ),
        filters=_filters(published),
    )
    workflow = _WORKFLOW.format(
        table=_in_comment(published.table),
        timezone=yaml_text(published.timezone),
        database=yaml_text(names["--database"]),
        into=yaml_text(into),
        nothing=yaml_text(f"no rows in {s3_uri(bucket, path_prefix)}"),
    )
    return {"load.yml": load, "load.dig": workflow}


def treasure_data_warnings(published: Published) -> tuple[str, ...]:
    """Return warnings for the user in addition to the comments."""
    time = _time(published)
    if time is None:
        return ("there is no column time, so rows get the time of their upload; see the end of load.yml",)
    if time.origin is Origin.NUMBER:
        return (f"the attribute {time.attribute!r} is the time in Treasure Data: its numbers must be Unix seconds",)
    return ()


def _time(published: Published) -> Column | None:
    return next((column for column in published.columns if column.name == "time"), None)


def _filters(published: Published) -> str:
    time = _time(published)
    if time is None:
        return _ADD_TIME
    what = "Unix seconds"
    if time.origin is Origin.NUMBER:
        what = f"the attribute {_in_comment(repr(time.attribute))}, whose numbers must be Unix seconds"
    return _HAS_TIME.format(what=what)


def _in_comment(text: str) -> str:
    """Return a text for a comment, without variables, because `td_load>` replaces them in comments too."""
    return in_comment(text).replace("$", "\\x24")


def _default_name(published: Published) -> str:
    return legal_name(published.table)[:128].ljust(3, "_")


def _check(published: Published) -> None:
    if published.format != "csv":
        raise UsageError(
            "the importer s3_v2 reads only CSV, and the destination has Parquet",
            "recipe treasure-data",
            "convert into another DEST with --format csv",
        )
    if len(published.suffixes) > 1:
        raise UsageError(
            "some parts are compressed and others are not, but a load reads only one kind",
            "recipe treasure-data",
            "publish the exports of one kind again with --replace and the --compression of the other kind",
        )
    hint = "convert into another DEST with --names treasure-data, or remove the attribute with --exclude"
    for column in published.columns:
        if not _NAME.fullmatch(column.name):
            raise UsageError(
                f"{column.name!r} is not a valid column name in Treasure Data: it must match [a-z_][a-z0-9_]* and have"
                " at most 128 characters",
                "recipe treasure-data",
                hint,
            )
        if column.name in _RESERVED:
            raise UsageError(f"Treasure Data reserves the column name {column.name!r}", "recipe treasure-data", hint)
        if column.name == "time" and column.type != INT64:
            raise UsageError(
                f"the time in Treasure Data must be an integer of Unix seconds, but the column time is {column.type}"
                f" ({column.origin})",
                "recipe treasure-data",
                hint,
            )
