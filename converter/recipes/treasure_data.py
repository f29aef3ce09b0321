"""Treasure Data: load.yml for the importer `s3_v2`, and the workflow load.dig that loads each day with `td_load>`.

Sources: the page of the importer (https://docs.treasuredata.com/int/amazon-s3-import-integration-v2), the options of
embulk-parser-csv, on which it is based, and the page of the operator (https://docs.digdag.io/operators/td_load.html).
Not checked against a live account. The operator replaces all variables in load.yml before it parses the YAML, so a
comment there must not contain a variable.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from converter.aws.s3_uri import s3_uri, split_s3_uri
from converter.errors import UsageError
from converter.recipes.literals import in_comment, legal_name
from converter.recipes.published import Published
from converter.schema.column_types import INT64, Origin
from converter.schema.columns import Column
from converter.yaml_text import yaml_environment

if TYPE_CHECKING:
    from markupsafe import Markup

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,127}")
_CATALOG_NAME = re.compile(r"[a-z0-9_]{3,128}")
# Treasure Data reserves these; `time` is allowed, as Unix seconds.
_RESERVED = ("v",)
# An item has up to 400 KB, and numbers and control characters are longer in CSV: `1E125` has 126 digits.
_LONGEST_CELL = 64 << 20
_DATE = "${moment(session_time).format('YYYY-MM-DD')}"


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
    environment = yaml_environment("recipes")
    environment.filters["comment"] = _comment
    facts = {
        "published": published,
        "bucket": bucket,
        "path_prefix": path_prefix,
        "longest": _LONGEST_CELL,
        "time": _time(published),
        "time_values": _time_values(published),
        "database": names["--database"],
        "table": into,
        "nothing": f"no rows in {s3_uri(bucket, path_prefix)}",
    }
    return {name: environment.get_template(f"{name}.jinja").render(facts) for name in ("load.yml", "load.dig")}


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


def _time_values(published: Published) -> str:
    """Describe the values of the column `time`."""
    time = _time(published)
    if time is not None and time.origin is Origin.NUMBER:
        return f"the attribute {time.attribute!r}, whose numbers must be Unix seconds"
    return "Unix seconds"


def _comment(text: str) -> Markup:
    """Return a text for a comment, without variables, because `td_load>` replaces them in comments too."""
    from markupsafe import Markup

    return Markup(in_comment(text).replace("$", "\\x24"))


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
