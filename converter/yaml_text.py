"""Strings in YAML, for recipes and for templates of schedules."""

from __future__ import annotations


def yaml_text(text: str) -> str:
    """Return a string in double quotes, which no reader parses as a number, a boolean or null."""
    return '"' + "".join(_character(character) for character in text) + '"'


def _character(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"
