"""Literals: names and texts quoted for SQL, Python, comments and the path patterns of readers."""

from __future__ import annotations

import re

from converter.display import printable

_ESCAPED = r"['\"\\$;\x00-\x1f\x7f-\x9f\u2028\u2029]"


def double_quoted(name: str) -> str:
    """Quote an identifier of standard SQL, with doubled quotes."""
    return '"' + name.replace('"', '""') + '"'


def back_quoted(name: str) -> str:
    """Quote an identifier of Hive and Spark, with doubled backticks."""
    return "`" + name.replace("`", "``") + "`"


def sql_text(text: str) -> str:
    """Quote a string of standard SQL, in which only the quote is special."""
    return "'" + text.replace("'", "''") + "'"


def hive_text(text: str) -> str:
    """Quote a string of Hive and Spark, with backslash escapes, also for `$`, because Spark replaces `${variables}`.

    Also escapes characters that `spark-sql -f` could read as the end of a string, a statement or a line.
    """
    return "'" + re.sub(_ESCAPED, lambda match: f"\\u{ord(match[0]):04x}", text) + "'"


def python_text(text: str) -> str:
    """Quote a Python string."""
    return '"' + "".join(_python_character(character) for character in text) + '"'


def _python_character(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def literal_glob(text: str) -> str:
    """Escape a path in a pattern of DuckDB or Polars."""
    return re.sub(r"[*?\[]", r"[\g<0>]", text)


def literal_hadoop_glob(text: str) -> str:
    """Escape a path in a pattern of Hadoop, which Spark uses."""
    return re.sub(r"[*?\[\]{}\\^]", r"\\\g<0>", text)


def in_comment(text: str) -> str:
    """Return a text without line breaks for a comment."""
    return printable(text)


def legal_name(text: str) -> str:
    """Return a valid name of a catalog, with lower-case letters, digits and `_`: `Orders.2` becomes `orders_2`."""
    return re.sub(r"[^a-z0-9_]+", "_", text.lower())
