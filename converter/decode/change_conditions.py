"""Conditions on changes: `_op`, `_write_ts` and `_old` as the facts that lines of changes have."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
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
    Value,
)
from converter.errors import UsageError
from converter.options import RESERVED_COLUMNS
from converter.schema.change_columns import MARK, OLD, OPERATIONS, WRITTEN

_OPERATION, _WRITTEN, _OLD = RESERVED_COLUMNS


def bind_facts(condition: Condition) -> Condition:
    """Return the condition with the facts of changes in the place of their columns. Raises UsageError."""
    if isinstance(condition, And):
        return And(tuple(map(bind_facts, condition.parts)))
    if isinstance(condition, Or):
        return Or(tuple(map(bind_facts, condition.parts)))
    if isinstance(condition, Not):
        return Not(bind_facts(condition.part))
    if isinstance(condition, Call):
        return _bind_call(condition)
    for one, other in ((condition.left, condition.right), (condition.right, condition.left)):
        if _is_column(one, _OPERATION):
            return _bind_operation(condition.comparator, other)
        if _is_column(one, _WRITTEN):
            written = Path((WRITTEN,))
            left = written if one is condition.left else _seconds(other)
            return Comparison(condition.comparator, left, _seconds(other) if left is written else written)
    return Comparison(condition.comparator, _bind_operand(condition.left), _bind_operand(condition.right))


def _is_column(operand: Operand, column: str) -> bool:
    return isinstance(operand, Path) and operand.steps == (column,)


def _bind_operation(comparator: Comparator, value: Operand) -> Condition:
    if comparator is not Comparator.EQUAL or not isinstance(value, Value) or value.text not in OPERATIONS:
        names = ", ".join(map(repr, OPERATIONS))
        raise UsageError(f"{_OPERATION} can only be equal to an operation", "--where", f"the operations are {names}")
    return Call(Function.EXISTS, Path((f"{MARK}{value.text}",)))


def _seconds(value: Operand) -> Value:
    """Return the time that a text spells as the Unix seconds of the line, with microseconds."""
    if isinstance(value, Value) and value.tag == "S":
        try:
            moment = datetime.fromisoformat(value.text)
        except ValueError:
            moment = None
        if moment is not None:
            since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
            micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
            return Value("N", format(Decimal(micros).scaleb(-6).normalize(), "f"))
    raise UsageError(
        f"{_WRITTEN} can only be compared with a time", "--where", f"for example, {_WRITTEN} >= '2026-11-30T06:00:00Z'"
    )


def _bind_call(call: Call) -> Call:
    name = call.path.steps[0]
    if (name == _OPERATION and call.path.steps == (name,)) or name == _WRITTEN:
        raise UsageError(f"{call.function} can't be used with {name}: every change has it", "--where", "compare it")
    return replace(call, path=_bind_path(call.path))


def _bind_operand(operand: Operand) -> Operand:
    if isinstance(operand, Path):
        return _bind_path(operand)
    return Size(_bind_path(operand.path)) if isinstance(operand, Size) else operand


def _bind_path(path: Path) -> Path:
    """`_old.status` is a member of the old image."""
    return Path((OLD, *path.steps[1:])) if path.steps[0] == _OLD else path
