"""A filter keeps exactly the lines of the items that satisfy a condition, however they are spelled."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.conditions.evaluate import satisfies
from converter.conditions.syntax import Condition
from converter.decode.filtered_lines import FilteredLines
from converter.decode.strict_lines import LineProblem
from converter.decode.unknown_members import ItemLines
from converter.testing import item_line
from tests import strategies
from tests.conditions import conditions
from tests.examples import examples
from tests.unit.decode.decoding import cut_blocks

# Hypothesis would like shorter texts in its examples.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")

ITEMS = st.lists(strategies.items(), min_size=1, max_size=6)


def filter_lines(data: bytes, condition: Condition, block_bytes: int = 1 << 20) -> tuple[list[bytes], FilteredLines]:
    """The lines that are left and not blank, and the filter."""
    lines = FilteredLines(ItemLines(), condition)
    left = []
    for block in cut_blocks(data, block_bytes):
        position = 0
        for kept in lines.translate(block):
            text = kept.data[: kept.size].tobytes()
            left += [line + b"\n" for line in text.split(b"\n") if line.strip()]
            position += kept.size
        assert position == block.size
    return left, lines


@settings(max_examples=examples(120))
@given(st.data(), ITEMS, st.booleans())
def test_the_kernel_keeps_the_items_that_satisfy_a_condition(
    data: st.DataObject, items: list[strategies.Item], compiled: bool
) -> None:
    condition = data.draw(st.none().flatmap(lambda _: conditions(items, compiled=compiled)))
    lines = [item_line(item) for item in items]
    kept = [line for line, item in zip(lines, items, strict=True) if satisfies(item, condition)]
    left, source = filter_lines(b"".join(lines), condition, data.draw(st.sampled_from([1, 300, 1 << 20])))
    assert left == kept
    assert source.filtered.lines == len(items) - len(kept)


@settings(max_examples=examples(60))
@given(st.data(), ITEMS)
def test_the_spelling_of_lines_does_not_matter(data: st.DataObject, items: list[strategies.Item]) -> None:
    condition = data.draw(st.none().flatmap(lambda _: conditions(items, compiled=True)))
    lines = [data.draw(strategies.lines(item)) + b"\n" for item in items]
    kept = [line for line, item in zip(lines, items, strict=True) if satisfies(item, condition)]
    left, _ = filter_lines(b"".join(lines), condition)
    assert left == kept


@settings(max_examples=examples(60))
@given(st.data(), ITEMS)
def test_a_damaged_line_is_never_dropped(data: st.DataObject, items: list[strategies.Item]) -> None:
    condition = data.draw(st.none().flatmap(lambda _: conditions(items, compiled=True)))
    line = item_line(data.draw(st.sampled_from(items)))
    at = data.draw(st.integers(0, len(line) - 2))
    damaged = (
        line[:at] + data.draw(st.sampled_from([b"", b'"', b"{", b"}", b"\xff", b"\\", b"\x01", b"x"])) + line[at + 1 :]
    )
    try:
        strict = ItemLines().compact(damaged, 0)
    except LineProblem:
        strict = None
    try:
        left, _ = filter_lines(damaged, condition)
    except LineProblem:
        assert strict is None
        return
    if strict is None:
        assert left == [damaged]
    else:
        assert (left == [damaged]) == satisfies(json.loads(strict[0].decode())["Item"], condition)


@pytest.mark.parametrize("count", [1, 100, 20_000])
def test_a_list_is_searched_in_linear_time(count: int) -> None:
    """A list of many elements is walked once, not once for each element."""
    from converter.conditions.parse import parse_condition

    item = {"tags": {"L": [{"N": str(number)} for number in range(count)]}}
    condition = parse_condition(
        f"contains(tags, {count - 1}) AND NOT contains(tags, {count}) AND tags[{count - 1}] >= 0"
    )
    left, source = filter_lines(item_line(item), condition)
    assert len(left) == 1
    assert source.filtered.lines == 0
