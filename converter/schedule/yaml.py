"""Conversion of values to YAML, each on one line, so that a text can't be read as anything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from converter.yaml_text import yaml_text


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
