"""A condition as the tests that the kernel runs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np

from converter.conditions.syntax import (
    And,
    Call,
    Comparator,
    Comparison,
    Condition,
    Function,
    Not,
    Or,
    Path,
    Value,
)
from converter.kernels import condition_tests as tests
from converter.kernels.condition_tests import ConditionTests
from converter.schema import tags

_CALLS = {
    Function.EXISTS: tests.TEST_EXISTS,
    Function.TYPE: tests.TEST_TYPE,
    Function.BEGINS: tests.TEST_BEGINS,
    Function.CONTAINS: tests.TEST_CONTAINS,
}
_FLIPPED = {
    Comparator.EQUAL: Comparator.EQUAL,
    Comparator.LESS: Comparator.ABOVE,
    Comparator.ABOVE: Comparator.LESS,
    Comparator.NOT_ABOVE: Comparator.NOT_LESS,
    Comparator.NOT_LESS: Comparator.NOT_ABOVE,
}


@dataclass(frozen=True, slots=True)
class CompiledCondition:
    """A condition for the kernel. entry: the first test. roots: the attribute that each path begins with."""

    tables: ConditionTests
    entry: int
    roots: tuple[str, ...]


def compile_condition(condition: Condition) -> CompiledCondition:
    """Return the tests of a condition."""
    compiler = _Compiler()
    entry = compiler.add(condition, tests.KEEP, tests.DROP)
    return CompiledCondition(compiler.tables(), entry, tuple(str(path.steps[0]) for path in compiler.paths))


@dataclass(slots=True)
class _Compiler:
    texts: bytearray = field(default_factory=bytearray)
    steps: list[tuple[int, int, int]] = field(default_factory=list)
    tests: list[tuple[int, ...]] = field(default_factory=list)
    paths: dict[Path, tuple[int, int, int]] = field(default_factory=dict)
    """The number of each path, its first step, and the number of its steps."""

    def tables(self) -> ConditionTests:
        """The tables of what was added."""
        return ConditionTests(
            np.frombuffer(bytes(self.texts), np.uint8),
            np.array(self.steps or [(0,) * tests.STEP_FACTS], np.int64),
            np.array(self.tests, np.int64),
            np.zeros((max(len(self.paths), 1), tests.PLACE_FACTS), np.int64),
        )

    def add(self, condition: Condition, then: int, other: int) -> int:
        """Add the tests of a condition, which are followed by `then` or `other`; gives the first one."""
        if isinstance(condition, Not):
            return self.add(condition.part, other, then)
        if isinstance(condition, And | Or):
            entry = then if isinstance(condition, And) else other
            for part in reversed(condition.parts):
                entry = self.add(part, entry, other) if isinstance(condition, And) else self.add(part, then, entry)
            return entry
        if isinstance(condition, Call):
            return self._call(condition, then, other)
        return self._comparison(condition, then, other)

    def _call(self, call: Call, then: int, other: int) -> int:
        if call.function is Function.TYPE and call.argument is not None:
            return self._test(tests.TEST_TYPE, call.path, tags.TAGS.index(call.argument.text), "", then, other)
        return self._literal(_CALLS[call.function], call.path, call.argument, then, other)

    def _comparison(self, comparison: Comparison, then: int, other: int) -> int:
        comparator, left, right = comparison.comparator, comparison.left, comparison.right
        if isinstance(left, Value):
            comparator, left, right = _FLIPPED[comparator], right, left
        if not isinstance(left, Path) or not isinstance(right, Value):
            return self._test(tests.TEST_PYTHON, None, 0, "", then, other)
        if comparator is Comparator.EQUAL:
            return self._literal(tests.TEST_EQUAL, left, right, then, other)
        if comparator in (Comparator.LESS, Comparator.NOT_ABOVE):
            kind = tests.TEST_LESS if comparator is Comparator.LESS else tests.TEST_NOT_ABOVE
            return self._literal(kind, left, right, then, other)
        # Not below: of the same type, but not less.
        kind = tests.TEST_LESS if comparator is Comparator.NOT_LESS else tests.TEST_NOT_ABOVE
        opposite = self._literal(kind, left, right, other, then)
        return self._test(tests.TEST_TYPE, left, tags.TAGS.index(right.tag), "", opposite, other)

    def _literal(self, kind: int, path: Path, value: Value | None, then: int, other: int) -> int:
        if value is None:
            return self._test(kind, path, 0, "", then, other)
        text = value.text if value.tag in ("S", "N") else "1" * (value.text == "true")
        return self._test(kind, path, tags.TAGS.index(value.tag), text, then, other)

    def _test(self, kind: int, path: Path | None, tag: int, text: str, then: int, other: int) -> int:
        number, step, steps = (0, 0, 0) if path is None else self._add_path(path)
        start, size = self._add_text(text.encode())
        self.tests.append((kind, number, step, steps, tag, start, size, then, other))
        return len(self.tests) - 1

    def _add_path(self, path: Path) -> tuple[int, int, int]:
        if path not in self.paths:
            first = len(self.steps)
            for name in path.steps:
                if isinstance(name, int):
                    self.steps.append((name, 0, 0))
                    continue
                start, size = self._add_text(
                    f"{json.dumps(name, ensure_ascii=False)}:".encode(errors="surrogateescape")
                )
                self.steps.append((start, size, (1 << size) - 1 if size < 64 else -1))
            self.paths[path] = len(self.paths), first, len(path.steps)
        return self.paths[path]

    def _add_text(self, text: bytes) -> tuple[int, int]:
        start = len(self.texts)
        self.texts += text + bytes(64)
        return start, len(text)
