"""Writes names and texts so that SQL, Python, YAML and readers' path patterns take them for what they are."""

from __future__ import annotations

import re

from converter.display import printable
from converter.schedule.yaml import yaml_text as yaml_text  # recipes quote as templates do

_ESCAPED = r"['\"\\$;\x00-\x1f\x7f-\x9f\u2028\u2029]"


def double_quoted(name: str) -> str:
    """An identifier of standard SQL, with doubled quotes."""
    return '"' + name.replace('"', '""') + '"'


def back_quoted(name: str) -> str:
    """An identifier of Hive and Spark, with doubled backticks."""
    return "`" + name.replace("`", "``") + "`"


def sql_text(text: str) -> str:
    """A string of standard SQL, where nothing but the quote is special."""
    return "'" + text.replace("'", "''") + "'"


def hive_text(text: str) -> str:
    """A string of Hive and Spark, where backslashes escape; `$` too, because Spark replaces `${variables}`.

    And all that `spark-sql -f` could take for the end of a string, of a statement or of a line.
    """
    return "'" + re.sub(_ESCAPED, lambda match: f"\\u{ord(match[0]):04x}", text) + "'"


def python_text(text: str) -> str:
    """A Python string in double quotes."""
    return '"' + "".join(_python_character(character) for character in text) + '"'


def _python_character(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def literal_glob(text: str) -> str:
    """A path in a pattern of DuckDB or Polars."""
    return re.sub(r"[*?\[]", r"[\g<0>]", text)


def literal_hadoop_glob(text: str) -> str:
    """A path in a pattern of Hadoop, and so of Spark."""
    return re.sub(r"[*?\[\]{}\\^]", r"\\\g<0>", text)


def in_comment(text: str) -> str:
    """A text that does not end the line that it is in."""
    return printable(text)


def legal_name(text: str) -> str:
    """A name of small letters, digits and `_`, as catalogs take it: `Orders.2` becomes `orders_2`."""
    return re.sub(r"[^a-z0-9_]+", "_", text.lower())
