"""YAML for recipes and schedules: values on one line, which can't be read as anything else, and templates of files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

# No line breaks, no quotes, and no start of a comment or a variable.
_PLAIN = re.compile(r"[\w .,:;()/=-]*", re.ASCII)


def yaml_text(text: str) -> str:
    """Return a string in double quotes, which no reader parses as a number, a boolean or null."""
    return '"' + "".join(_character(character) for character in text) + '"'


def _character(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"


@dataclass(frozen=True, slots=True)
class Sub:
    """A text with variables `${…}` for CloudFormation."""

    text: str


def to_yaml(value: object) -> str:
    """Convert a value to the flow style of YAML: texts in double quotes, lists and mappings in brackets."""
    if isinstance(value, str):
        return yaml_text(value)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Sub):
        return f"!Sub {yaml_text(value.text)}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{to_yaml(key)}: {to_yaml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(to_yaml, value)) + "]"
    raise TypeError(f"{type(value).__name__} can't be converted to YAML")


@cache
def yaml_environment(room: str) -> Environment:
    """Return the environment of the templates in a folder of this package; it keeps compiled templates.

    Each value of `<< … >>` becomes YAML. Only words that the filter `plain` has checked, and other `Markup`, are
    written without quotes.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # The default delimiters of Jinja, such as {%, are also those of other languages in the templates.
    environment = Environment(
        loader=PackageLoader("converter", room),
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=True,
        finalize=_serialized,
    )
    environment.filters["plain"] = _plain
    return environment


def _serialized(value: object) -> Markup:
    """Convert a value of the template to YAML. `Markup`, such as the result of a macro, is YAML already."""
    from markupsafe import Markup

    return value if isinstance(value, Markup) else Markup(to_yaml(value))


def _plain(text: str) -> Markup:
    """Return a text unchanged for comments, keys and parts of texts. Raises ValueError if it could end one of these."""
    from markupsafe import Markup

    if _PLAIN.fullmatch(text) is None:
        raise ValueError(f"{text!r} can't be in the template without quotes")
    return Markup(text)
