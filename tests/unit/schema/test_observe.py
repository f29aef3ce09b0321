"""Observations merge as a monoid: whatever the order and grouping of the shards, the result is the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from converter.schema import tags
from converter.schema.change_columns import COLUMN_OF
from converter.schema.observe import AttributeObservation, Observation, merge_observations

COUNTS = st.tuples(*[st.integers(0, 3)] * len(tags.TAGS))
DIGITS = st.integers(0, 130)
ATTRIBUTES = st.builds(AttributeObservation, COUNTS, DIGITS, DIGITS, st.booleans(), st.integers(0, 1000), st.booleans())
NAMES = st.sampled_from(["a", "b", "B", "é", "\U0001f600", "\uffff", ""])
FACTS = st.dictionaries(st.sampled_from(sorted(COLUMN_OF)), ATTRIBUTES)
OBSERVATIONS = st.builds(Observation, st.integers(0, 10), st.dictionaries(NAMES, ATTRIBUTES), FACTS)


def counts(**by_tag: int) -> tuple[int, ...]:
    return tuple(by_tag.get(tag, 0) for tag in tags.TAGS)


def in_order(observation: Observation) -> tuple[int, list[tuple[str, AttributeObservation]]]:
    """An observation with the order of its attributes and facts, which == does not look at."""
    return observation.items, [*observation.attributes.items(), *observation.facts.items()]


@given(OBSERVATIONS, OBSERVATIONS, OBSERVATIONS)
def test_merging_is_associative(a: Observation, b: Observation, c: Observation) -> None:
    assert in_order(a.merge(b).merge(c)) == in_order(a.merge(b.merge(c)))


@given(OBSERVATIONS, OBSERVATIONS)
def test_merging_is_commutative(a: Observation, b: Observation) -> None:
    assert in_order(a.merge(b)) == in_order(b.merge(a))


@given(OBSERVATIONS)
def test_the_empty_observation_changes_nothing(a: Observation) -> None:
    assert a.merge(Observation()) == Observation().merge(a) == a


@given(ATTRIBUTES, ATTRIBUTES, ATTRIBUTES)
def test_the_observations_of_one_attribute_merge_as_a_monoid_too(
    a: AttributeObservation, b: AttributeObservation, c: AttributeObservation
) -> None:
    assert a.merge(b).merge(c) == a.merge(b.merge(c))
    assert a.merge(b) == b.merge(a)
    assert a.merge(AttributeObservation()) == a


@given(st.lists(OBSERVATIONS, max_size=5), st.randoms(use_true_random=False))
def test_merging_many_is_merging_two_at_a_time_in_any_order(seen: list[Observation], chance: object) -> None:
    expected = Observation()
    for observation in reversed(seen):
        expected = expected.merge(observation)
    assert in_order(merge_observations(seen)) == in_order(expected)


@given(OBSERVATIONS, OBSERVATIONS)
def test_merged_attributes_come_in_code_point_order(a: Observation, b: Observation) -> None:
    merged = list(a.merge(b).attributes)
    assert merged == sorted({*a.attributes, *b.attributes}, key=lambda name: [ord(c) for c in name])


@given(OBSERVATIONS, OBSERVATIONS)
def test_merging_leaves_both_as_they_were(a: Observation, b: Observation) -> None:
    before = in_order(a), in_order(b)
    a.merge(b)
    assert (in_order(a), in_order(b)) == before


def test_merging_adds_the_counts_and_keeps_the_extremes() -> None:
    a = Observation(3, {"x": AttributeObservation(counts(N=2, NULL=1), 5, 2, False, 7)})
    b = Observation(4, {"x": AttributeObservation(counts(N=1, S=3), 3, 4, True, 9)})
    assert a.merge(b) == Observation(7, {"x": AttributeObservation(counts(N=3, S=3, NULL=1), 5, 4, True, 9)})


def test_a_null_is_no_value() -> None:
    seen = AttributeObservation(counts(NULL=4, S=2, M=1))
    assert (seen.nulls, seen.values, seen.seen) == (4, 3, frozenset((tags.S, tags.M)))


def test_an_attribute_that_is_only_ever_null_has_no_values() -> None:
    seen = AttributeObservation(counts(NULL=4))
    assert (seen.nulls, seen.values, seen.seen) == (4, 0, frozenset())
