"""The meaning of a condition: whether an item in DynamoDB JSON satisfies it.

The kernel in kernels/parse/conditions.py decides almost all lines. This module decides the others, and is what the
kernel is tested against.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from decimal import Decimal

from converter.conditions.syntax import (
    And,
    Call,
    Comparator,
    Comparison,
    Condition,
    Function,
    Not,
    Operand,
    Or,
    Path,
    Size,
)

_SETS = {"SS": "S", "NS": "N", "BS": "B"}

Item = Mapping[str, object]
"""Typed values by the names of attributes: {"price": {"N": "12.5"}}."""


def satisfies(item: Item, condition: Condition) -> bool:
    """Return whether the condition is true for an item. Numbers may be spelled in any way."""
    if isinstance(condition, And):
        return all(satisfies(item, part) for part in condition.parts)
    if isinstance(condition, Or):
        return any(satisfies(item, part) for part in condition.parts)
    if isinstance(condition, Not):
        return not satisfies(item, condition.part)
    if isinstance(condition, Call):
        return _call(item, condition)
    return _compare(_operand(item, condition.left), _operand(item, condition.right), condition)


def _find(item: Item, path: Path) -> tuple[str, object] | None:
    """Return (tag, content) of the value at a path, or None if there is none."""
    name, *steps = path.steps
    value = item.get(str(name))
    for step in steps:
        if not isinstance(value, dict):
            return None
        ((tag, content),) = value.items()
        if isinstance(step, str):
            value = content.get(step) if tag == "M" else None
        else:
            value = content[step] if tag == "L" and step < len(content) else None
    if not isinstance(value, dict):
        return None
    ((tag, content),) = value.items()
    return tag, content


def _operand(item: Item, operand: Operand) -> tuple[str, object] | None:
    """Return (tag, content) of an operand, or None if it has no value."""
    if isinstance(operand, Path):
        return _find(item, operand)
    if isinstance(operand, Size):
        found = _find(item, operand.path)
        size = None if found is None else _size(*found)
        return None if size is None else ("N", str(size))
    return operand.tag, operand.text if operand.tag in ("S", "N") else operand.text == "true"


def _size(tag: str, content: object) -> int | None:
    if tag == "B" and isinstance(content, str):
        return len(base64.b64decode(content))
    if tag in ("N", "BOOL", "NULL") or not isinstance(content, str | list | dict):
        return None
    return len(content)


def _compare(left: tuple[str, object] | None, right: tuple[str, object] | None, comparison: Comparison) -> bool:
    if left is None or right is None or left[0] != right[0]:
        return False
    tag, comparator = left[0], comparison.comparator
    if tag == "NULL":
        return comparator is Comparator.EQUAL
    if comparator is Comparator.EQUAL:
        return _normal(*left) == _normal(*right)
    if tag not in ("S", "N", "B"):
        return False
    order = _order(tag, str(left[1]), str(right[1]))
    return {
        Comparator.LESS: order < 0,
        Comparator.NOT_ABOVE: order <= 0,
        Comparator.ABOVE: order > 0,
        Comparator.NOT_LESS: order >= 0,
    }[comparator]


def _order(tag: str, left: str, right: str) -> int:
    """Return a number below, at or above 0 as the left value is less than, equal to, or greater than the right one."""
    if tag == "N":
        return (Decimal(left) > Decimal(right)) - (Decimal(left) < Decimal(right))
    one, other = (base64.b64decode(text) if tag == "B" else text.encode() for text in (left, right))
    return (one > other) - (one < other)


def _normal(tag: str, content: object) -> object:
    """Return a value that equals those of equal typed values: numbers by their values, sets without an order."""
    if tag == "N":
        return Decimal(str(content))
    if tag in _SETS and isinstance(content, list):
        return frozenset(_normal(_SETS[tag], member) for member in content)
    if tag == "L" and isinstance(content, list):
        return [_typed(member) for member in content]
    if tag == "M" and isinstance(content, dict):
        return {name: _typed(member) for name, member in content.items()}
    return content


def _typed(value: dict[str, object]) -> tuple[str, object]:
    ((tag, content),) = value.items()
    return tag, _normal(tag, content)


def _call(item: Item, call: Call) -> bool:
    found = _find(item, call.path)
    if found is None or call.argument is None:
        return found is not None
    tag, content = found
    wanted, text = call.argument.tag, call.argument.text
    if call.function is Function.TYPE:
        return tag == text
    if call.function is Function.BEGINS:
        return tag == "S" and str(content).startswith(text)
    if tag == "S":
        return wanted == "S" and text in str(content)
    operand = _operand(item, call.argument)
    assert operand is not None
    expected = _normal(*operand)
    if tag in _SETS and isinstance(content, list):
        return wanted == _SETS[tag] and any(_normal(wanted, member) == expected for member in content)
    if tag == "L" and isinstance(content, list):
        return any(_typed(member) == (wanted, expected) for member in content)
    return False
