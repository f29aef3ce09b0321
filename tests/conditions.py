"""Hypothesis strategies for conditions on given items: paths and values that occur in them, and others."""

from __future__ import annotations

from hypothesis import strategies as st

from converter.conditions.numbers import plain_number
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
from converter.schema.tags import TAGS
from tests import strategies


def paths_in(items: list[strategies.Item]) -> list[tuple[Path, strategies.Value]]:
    """Each path that leads to a value in one of the items, and the value."""
    found: list[tuple[Path, strategies.Value]] = []

    def walk(steps: tuple[str | int, ...], value: strategies.Value) -> None:
        found.append((Path(steps), value))
        ((tag, content),) = value.items()
        if tag == "M":
            for name, member in content.items():
                walk((*steps, name), member)
        elif tag == "L":
            for number, member in enumerate(content):
                walk((*steps, number), member)

    for item in items:
        for name, value in item.items():
            walk((name,), value)
    return found


def _value_of(typed: strategies.Value) -> Value | None:
    ((tag, content),) = typed.items()
    if tag in ("SS", "NS", "L") and content:
        return _value_of(content[0]) if tag == "L" else Value(tag[0], content[0])
    if tag in ("S", "N"):
        number = plain_number(content) if tag == "N" else content
        return None if number is None else Value(tag, number)
    if tag in ("BOOL", "NULL"):
        return Value(tag, "null" if tag == "NULL" else str(content).lower())
    return None


def conditions(items: list[strategies.Item], *, compiled: bool) -> st.SearchStrategy[Condition]:
    """Conditions that are often true for some of the items. compiled: only those that the kernel decides."""
    found = paths_in(items)
    near = st.sampled_from([path for path, _ in found]) if found else st.nothing()
    far = st.builds(lambda name, more: Path((name, *more)), strategies.names(), st.lists(st.one_of(_NAMES, _NUMBERS)))
    extended = near.flatmap(lambda p: st.one_of(_NAMES, _NUMBERS).map(lambda step: Path((*p.steps, step))))
    path = st.one_of(near, near, near, far, extended)
    seen = [value for _, typed in found if (value := _value_of(typed)) is not None]
    literal = st.one_of(st.sampled_from(seen), _LITERALS) if seen else _LITERALS

    def comparison(left: Operand, right: Operand, comparator: Comparator) -> Condition:
        return Comparison(comparator, left, right)

    text = literal.filter(lambda value: value.tag == "S").flatmap(_pieces)
    leaf = st.one_of(
        st.builds(comparison, path, literal, st.sampled_from(Comparator)),
        st.builds(comparison, literal, path, st.sampled_from(Comparator)),
        st.builds(Call, st.just(Function.EXISTS), path),
        st.builds(Call, st.just(Function.TYPE), path, st.sampled_from(TAGS).map(lambda tag: Value("S", tag))),
        st.builds(Call, st.just(Function.BEGINS), path, text),
        st.builds(Call, st.just(Function.CONTAINS), path, st.one_of(text, literal)),
    )
    if not compiled:
        leaf = leaf | st.builds(comparison, path.map(Size), st.integers(0, 9).map(lambda n: Value("N", str(n))), _ANY)
        leaf = leaf | st.builds(comparison, path, path, _ANY)
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: And(tuple(parts))),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: Or(tuple(parts))),
            inner.map(Not),
        ),
        max_leaves=6,
    )


def _pieces(value: Value) -> st.SearchStrategy[Value]:
    """The text, its beginnings, and other parts of it."""
    end = st.integers(0, min(len(value.text), 80))
    return st.builds(lambda a, b: Value("S", value.text[min(a, b) : max(a, b)] if a != b else value.text), end, end)


_NAMES = strategies.names()
_NUMBERS = st.integers(0, 4)
_ANY = st.sampled_from(Comparator)
_LITERALS = st.one_of(
    strategies.texts().map(lambda text: Value("S", text)),
    st.one_of(strategies.numbers(), strategies.small_numbers()).map(lambda number: Value("N", number)),
    st.sampled_from([Value("BOOL", "true"), Value("BOOL", "false"), Value("NULL", "null")]),
)
