"""Treasure Data: load.yml for the importer `s3_v2`, and the workflow load.dig that loads each day with `td_load>`.

Sources: the importer's page (https://docs.treasuredata.com/int/amazon-s3-import-integration-v2), the options of
embulk-parser-csv, which it is made of, and the operator's page (https://docs.digdag.io/operators/td_load.html). Not
checked against a live account. The operator puts values in place of all variables in load.yml before it reads it as
YAML, so no comment there may look like one.
"""

from __future__ import annotations

import re

from converter.aws.s3_uri import s3_uri, split_s3_uri
from converter.errors import UsageError
from converter.recipes.published import Published
from converter.recipes.quoting import in_comment, legal_name, yaml_text
from converter.schema.column_types import INT64, Origin
from converter.schema.types import Column

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,127}")
_CATALOG_NAME = re.compile(r"[a-z0-9_]{3,128}")
# Treasure Data keeps these for itself; `time` may be given, as Unix seconds.
_RESERVED = ("v",)
# One item has 400 KB, and numbers and control characters become longer in CSV: `1E125` has 126 digits.
_LONGEST_CELL = 64 << 20
_DATE = "${moment(session_time).format('YYYY-MM-DD')}"

_LOAD = """\
# Loads one day of the DynamoDB table {table} into Treasure Data.
# Made for the columns of export {newest}; make it again when a column is added.
in:
  type: s3_v2
  # td wf secrets --project PROJECT --set s3.access_key_id --set s3.secret_access_key
  access_key_id: ${{secret:s3.access_key_id}}
  secret_access_key: ${{secret:s3.secret_access_key}}
  bucket: {bucket}
  # The folder of a date, never the destination itself: that holds the records in _exports/, too. The workflow puts in
  # the date of its session; for `td connector:issue`, write a date instead.
  path_prefix: {path_prefix}
  # With `incremental: true`, only keys behind `last_path` in the alphabet are loaded, for ever: a date that is replaced
  # or back-filled never would be. To load one again, delete its rows, then start a session of its date.
  incremental: false
{decoders}\
  parser:
    type: csv
    charset: UTF-8
    # The defaults would change line breaks inside of texts, and end a row at a CR in one. (A text with a NUL can't be
    # loaded: the load stops there.)
    newline: LF
    line_delimiter_recognized: LF
    delimiter: ","
    quote: "\\""
    # The files double quotes. The default, a backslash, would change texts that have one.
    escape: "\\""
    # An empty cell is null, and "" the empty string; both would be lost with a `null_string`.
    trim_if_not_quoted: false
    # The default, 131072, skips rows with longer texts. An item has up to 400 KB, and some grow as JSON: control
    # characters to six times as much, 1E125 to 126 digits.
    max_quoted_size_limit: {longest}
    # The default skips rows that it can't read, and the load succeeds without them.
    stop_on_invalid_record: true
    skip_header_lines: 1
    # Rows with more columns than below mean that this file is old: better an error than rows without them.
    allow_extra_columns: false
{optional}\
    # By position: the header is not read. What Treasure Data can't hold exactly is a string: decimals, numbers beyond
    # int64, binaries (base64), timestamps, dates, and JSON, whose numbers the type json would make doubles.
    columns:
{columns}
{filters}\
out:
  # A second load of the same date would add its rows once more.
  mode: append
"""

_ALL_COLUMNS = """\
    allow_optional_columns: false
"""
_OPTIONAL_COLUMNS = """\
    # Files of older dates lack the last columns, which are null there.
    allow_optional_columns: true
"""
_GZIP = """\
  decoders:
  - {type: gzip}
"""
_HAS_TIME = """\
# The column `time` is in the files: {what}.
filters: []
"""
_ADD_TIME = """\
# No column is called `time`, so each row gets the time of its upload. That is worse than a column of the files: a date
# that is loaded late or again gets the wrong time, daily snapshots in one table can't be told apart, and rows of one
# date can't be deleted. `ddb-convert convert --for treasure-data` writes the export's time.
filters:
- type: add_time
  from_value: {mode: upload_time}
  to_column: {name: time}
"""

_WORKFLOW = """\
# Loads the DynamoDB table {table} into Treasure Data each day, with load.yml.
# The dates in the folders' names are of this time zone.
timezone: {timezone}

schedule:
  # Late enough that the date's export is converted: a load begins when `ddb-convert convert` has ended with 0.
  daily>: 06:00:00

+tables:
  td_ddl>:
  create_databases: [{database}]
  create_tables: [{into}]
  database: {database}

# No _retry: after a failure in the middle, look at what was loaded first, because `mode: append` loads twice.
+load:
  td_load>: load.yml
  database: {database}
  table: {into}

# A date without files is loaded without an error.
+check:
  if>: ${{td.last_job.num_records == 0}}
  _do:
    fail>: {nothing}
"""


def treasure_data_files(published: Published, database: str | None, table: str | None) -> dict[str, str]:
    """load.yml and load.dig. Raises UsageError for what Treasure Data does not take."""
    _check(published)
    bucket, prefix = split_s3_uri(published.location)
    path_prefix = "/".join(filter(None, (prefix, published.dated_folder(_DATE)[1])))
    into = table or _default_name(published)
    names = {"--database": database or _default_name(published), "--table": into}
    for option, name in names.items():
        if not _CATALOG_NAME.fullmatch(name):
            raise UsageError(
                f"Treasure Data does not take the name {name!r}", option, "use 3 to 128 of a to z, 0 to 9 and _"
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
            f"    - {{name: {yaml_text(column.name)}, type: {column.type.treasure_data}}}"
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
    """What the user should know beyond the comments."""
    time = _time(published)
    if time is None:
        return ("no column is called time: rows get the time of their upload; see the end of load.yml",)
    if time.origin is Origin.NUMBER:
        return (f"the attribute {time.attribute!r} is Treasure Data's time: its numbers must be Unix seconds",)
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
    """As in_comment, and without variables: `td_load>` puts values in their place in comments too."""
    return in_comment(text).replace("$", "\\x24")


def _default_name(published: Published) -> str:
    return legal_name(published.table)[:128].ljust(3, "_")


def _check(published: Published) -> None:
    if published.format != "csv":
        raise UsageError(
            "the importer s3_v2 reads CSV, and the destination is Parquet",
            "recipe treasure-data",
            "convert into another DEST with --format csv",
        )
    if len(published.suffixes) > 1:
        raise UsageError(
            "some parts are compressed and some are not, and one load reads only one kind",
            "recipe treasure-data",
            "publish one kind again with --replace and the --compression of the other",
        )
    hint = "convert into another DEST with --names treasure-data, or leave the attribute out with --exclude"
    for column in published.columns:
        if not _NAME.fullmatch(column.name):
            raise UsageError(
                f"Treasure Data does not take the column name {column.name!r}: it has to match [a-z_][a-z0-9_]* and to"
                " have at most 128 characters",
                "recipe treasure-data",
                hint,
            )
        if column.name in _RESERVED:
            raise UsageError(
                f"Treasure Data keeps the column name {column.name!r} for itself", "recipe treasure-data", hint
            )
        if column.name == "time" and column.type != INT64:
            raise UsageError(
                f"Treasure Data's time is an integer of Unix seconds, and the column time is {column.type}"
                f" ({column.origin})",
                "recipe treasure-data",
                hint,
            )
