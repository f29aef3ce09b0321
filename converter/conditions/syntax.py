"""The parts of a condition, as its parser makes them.

A condition is true or false for each item, never unknown, as in DynamoDB's condition expressions: a comparison with an
attribute that the item does not have, or that has another type, is false, and its negation is true.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Comparator(StrEnum):
    """The comparisons of two values of one type. Texts are compared by their UTF-8 bytes, numbers by their values."""

    EQUAL = "="
    LESS = "<"
    NOT_ABOVE = "<="
    ABOVE = ">"
    NOT_LESS = ">="


class Function(StrEnum):
    """The functions of DynamoDB's condition expressions that are true or false."""

    EXISTS = "attribute_exists"
    TYPE = "attribute_type"
    BEGINS = "begins_with"
    CONTAINS = "contains"


@dataclass(frozen=True, slots=True)
class Path:
    """The place of a value in an item: names of attributes and of members of maps, and positions in lists."""

    steps: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """`size(path)`: characters of a text, bytes of a binary, elements of a set, a list or a map."""

    path: Path


@dataclass(frozen=True, slots=True)
class Value:
    """A literal. tag: S, N, BOOL or NULL. text: of a text its characters, of a number its plain form."""

    tag: str
    text: str


Operand = Path | Size | Value


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether two operands exist, have the same type, and compare so."""

    comparator: Comparator
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Call:
    """A function of a path. argument: what it begins with or contains, or the tag of its type; None for EXISTS."""

    function: Function
    path: Path
    argument: Value | None = None


@dataclass(frozen=True, slots=True)
class And:
    """Whether all parts are true."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Whether one of the parts is true."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Whether the part is false."""

    part: Condition


Condition = Comparison | Call | And | Or | Not


def attributes_of(condition: Condition) -> tuple[str, ...]:
    """Return the names of the attributes that a condition reads, each once, in their order."""
    return tuple(dict.fromkeys(str(path.steps[0]) for path in _paths(condition)))


def _paths(condition: Condition) -> list[Path]:
    if isinstance(condition, And | Or):
        return [path for part in condition.parts for path in _paths(part)]
    if isinstance(condition, Not):
        return _paths(condition.part)
    if isinstance(condition, Call):
        return [condition.path]
    operands = (condition.left, condition.right)
    return [o.path if isinstance(o, Size) else o for o in operands if isinstance(o, Path | Size)]
