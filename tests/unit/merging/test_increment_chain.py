"""Chains of windows: which increments count, in which order, and what is no chain."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.errors import ExportError
from converter.merging.increment_chain import ExportWindow, MergeRules, chain_windows

BEGIN = datetime(2026, 11, 27, tzinfo=UTC)
ANYTHING = MergeRules(allow_gap=True, allow_overlap=True)


def at(hours: float) -> datetime:
    return BEGIN + timedelta(hours=hours)


def windows(*bounds: tuple[float, float]) -> list[ExportWindow]:
    return [ExportWindow(f"export-{n}", at(begin), at(end), f"place-{n}") for n, (begin, end) in enumerate(bounds)]


@pytest.mark.parametrize(
    ("bounds", "applied"),
    [
        ([(0, 1)], [0]),
        ([(1, 2), (0, 1), (2, 3)], [1, 0, 2]),
        ([(0, 1), (0, 1), (1, 2)], [0, 2]),
        ([(-1, 0), (0, 1)], [1]),
        ([(-2, -1), (-3, 0)], []),
        ([(0, 1), (1, 2), (0, 2)], [2]),
        # The longer one leads nowhere.
        ([(0, 2), (0, 1), (1, 3)], [1, 2]),
        # The longer one begins before the base, and the other one says all the rest.
        ([(-1, 2), (0, 2)], [1]),
        ([(0, 3), (1, 2), (0.5, 2.5)], [0]),
        ([], []),
    ],
)
def test_the_fewest_windows_that_follow_each_other_are_applied(
    bounds: list[tuple[float, float]], applied: list[int]
) -> None:
    chain = chain_windows(BEGIN, windows(*bounds))
    assert list(chain.applied) == applied
    assert len(chain.warnings) == len(bounds) - len(applied)


@pytest.mark.parametrize(
    ("bounds", "message", "applied"),
    [
        ([(0.001, 1)], "from 2026-11-27T00:00:00.000Z, the end of the base, to 2026-11-27T00:00:03.600Z", [0]),
        ([(0, 1), (2, 3), (5, 6)], "the end of increment export-0, to 2026-11-27T02:00:00.000Z", [0, 1, 2]),
        ([(-1, 1)], "begins at 2026-11-26T23:00:00.000Z, before the base ends", [0]),
        ([(0, 2), (1, 3)], "before increment export-0 ends at 2026-11-27T02:00:00.000Z", [0, 1]),
        ([(0, 2), (0.5, 1), (3, 4)], "the end of increment export-0", [0, 2]),
    ],
)
def test_a_gap_or_an_overlap_is_named_and_can_be_allowed(
    bounds: list[tuple[float, float]], message: str, applied: list[int]
) -> None:
    with pytest.raises(ExportError, match=message.replace(".", r"\.")):
        chain_windows(BEGIN, windows(*bounds))
    chain = chain_windows(BEGIN, windows(*bounds), ANYTHING)
    assert list(chain.applied) == applied
    assert any(message in warning for warning in chain.warnings)


@given(st.lists(st.tuples(st.integers(-3, 12), st.integers(1, 6)), max_size=8), st.randoms(use_true_random=False))
def test_any_windows_give_the_same_chain_in_any_order(drawn: list[tuple[int, int]], chance: random.Random) -> None:
    given_windows = windows(*((begin, begin + length) for begin, length in drawn))
    chain = chain_windows(BEGIN, given_windows, ANYTHING)
    applied = [given_windows[i] for i in chain.applied]
    shuffled = chance.sample(given_windows, len(given_windows))
    again = chain_windows(BEGIN, shuffled, ANYTHING)
    assert [shuffled[i] for i in again.applied] == applied
    assert [w.to_time for w in applied] == sorted({w.to_time for w in applied})
    last = max((w.to_time for w in given_windows), default=BEGIN)
    if last > BEGIN:
        assert applied[-1].to_time == last
    # What is covered by some window after the base is covered by those that are applied.
    for hour in range(24):
        some = any(w.from_time <= at(hour) < w.to_time for w in given_windows)
        assert not some or any(w.from_time <= at(hour) < w.to_time for w in applied)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.lists(st.tuples(st.integers(-5, 20), st.integers(1, 6))))
def test_where_there_is_a_way_without_a_gap_it_is_found_whatever_else_there_is(
    lengths: list[int], others: list[tuple[int, int]]
) -> None:
    ends = [sum(lengths[: n + 1]) for n in range(len(lengths))]
    way = [(end - length, end) for end, length in zip(ends, lengths, strict=True)]
    inside = [(begin, begin + length) for begin, length in others if begin + length <= ends[-1]]
    chain = chain_windows(BEGIN, windows(*inside, *way))
    at_now = BEGIN
    for window in [windows(*inside, *way)[i] for i in chain.applied]:
        assert window.from_time == at_now
        at_now = window.to_time
    assert at_now == at(ends[-1])
