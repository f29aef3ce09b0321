"""Values in YAML, each on one line, so that a text can't be read as anything else: for recipes and templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


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
