"""Promised columns: what each holds, and what an export that breaks one needs instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.errors import SchemaError
from converter.options import ConvertOptions
from converter.schema import tags
from converter.schema.column_types import BOOL, INT64, Origin, parse_type
from converter.schema.columns import Column, Schema
from converter.schema.contract import Contract, Promise, holds
from converter.schema.derive import derive_schema, families, fit_schema
from converter.schema.observe import AttributeObservation, Observation

DEFAULTS = ConvertOptions()


def seen(integer_digits: int = 1, decimals: int = 0, beyond: bool = False, **counts: int) -> AttributeObservation:
    return AttributeObservation(tuple(counts.get(tag, 0) for tag in tags.TAGS), integer_digits, decimals, beyond, 0)


@st.composite
def attributes(draw: st.DrawFn) -> AttributeObservation:
    counts = draw(st.dictionaries(st.sampled_from(tags.TAGS), st.integers(1, 9), min_size=1))
    digits, decimals = draw(st.integers(0, 38)), draw(st.integers(0, 38))
    return seen(digits, decimals, digits > 19 or (digits == 19 and draw(st.booleans())), **counts)


OBSERVATIONS = st.dictionaries(st.text(max_size=3), attributes(), max_size=6).map(lambda a: Observation(9, a))
OPTIONS = st.builds(
    ConvertOptions, numbers=st.sampled_from(["exact", "text", "double"]), mixed=st.sampled_from(["text", "json"])
)


def promised(schema: Schema) -> Contract:
    return Contract(tuple(Promise(c.attribute, c.name, c.type, c.origin) for c in schema.columns), "the record")


@given(OBSERVATIONS, OPTIONS)
def test_an_export_keeps_its_own_promises(observation: Observation, options: ConvertOptions) -> None:
    schema = derive_schema(observation, options)
    assert fit_schema(observation, options, promised(schema)) == (schema, ())


@given(OBSERVATIONS, OBSERVATIONS, OPTIONS)
def test_columns_keep_place_and_name_and_all_of_them_hold_what_was_seen(
    first: Observation, second: Observation, options: ConvertOptions
) -> None:
    before = derive_schema(first, options)
    after, breaks = fit_schema(second, options, promised(before))
    kept = after.columns[: len(before.columns)]
    assert [(c.name, c.attribute) for c in kept] == [(c.name, c.attribute) for c in before.columns]
    assert {found.column for found in breaks} == set(before.columns) - set(kept)
    for column in after.columns:
        there = second.attributes.get(column.attribute or "")
        if there is not None and there.values:
            assert holds(column, there, families(there.seen))
    assert len({column.name.casefold() for column in after.columns[len(before.columns) :]}) <= len(after.columns)
    again, more = fit_schema(second, options, promised(after))
    assert (again, more) == (after, ())


@pytest.mark.parametrize(
    ("type_", "origin", "attribute", "needed"),
    [
        ("int64", Origin.NUMBER, seen(5, N=1), None),
        ("int64", Origin.NUMBER, seen(5, 1, N=1), "decimal128(38, 2)"),
        ("int64", Origin.NUMBER, seen(20, beyond=True, N=1), "decimal128(38, 0)"),
        ("int64", Origin.NUMBER, seen(N=1, S=1), "string (mixed as text)"),
        ("decimal128(38, 2)", Origin.NUMBER, seen(36, 2, N=1), None),
        ("decimal128(38, 2)", Origin.NUMBER, seen(37, 0, True, N=1), "decimal128(38, 0)"),
        ("decimal128(38, 2)", Origin.NUMBER, seen(1, 3, N=1), "decimal128(38, 4)"),
        ("decimal128(38, 2)", Origin.NUMBER, seen(37, 3, True, N=1), "string (number as text)"),
        ("double", Origin.NUMBER, seen(38, 38, True, N=1), None),
        ("double", Origin.NUMBER, seen(S=1), "string (mixed as text)"),
        ("string", Origin.NUMBER_TEXT, seen(38, 38, True, N=1), None),
        ("string", Origin.NUMBER_TEXT, seen(S=1), "string (mixed as text)"),
        ("string", Origin.TEXT, seen(S=1), None),
        ("string", Origin.TEXT, seen(N=1), "string (mixed as text)"),
        ("string", Origin.TEXT, seen(M=1), "string (mixed as text)"),
        ("string", Origin.JSON, seen(M=1, L=1, SS=1), None),
        ("string", Origin.JSON, seen(S=1), "string (mixed as text)"),
        ("binary", Origin.BINARY, seen(B=1), None),
        ("binary", Origin.BINARY, seen(BS=1), "string (mixed as text)"),
        ("bool", Origin.BOOL, seen(BOOL=1, NULL=1), None),
        ("bool", Origin.BOOL, seen(N=1), "string (mixed as text)"),
        ("string", Origin.MIXED_TEXT, seen(S=1, N=1, M=1), None),
        ("string", Origin.MIXED_JSON, seen(S=1), None),
    ],
)
def test_a_column_holds_its_own_kind(
    type_: str, origin: Origin, attribute: AttributeObservation, needed: str | None
) -> None:
    contract = Contract((Promise("a", "a", parse_type(type_), origin),), "the record")
    schema, breaks = fit_schema(Observation(1, {"a": attribute}), DEFAULTS, contract)
    if needed is None:
        assert (schema.columns, breaks) == ((Column("a", "a", parse_type(type_), origin),), ())
    else:
        assert [(str(found.column.type), found.needed.described) for found in breaks] == [(type_, needed)]
        assert [column.described for column in schema.columns] == [needed]


def test_a_wider_number_has_room_for_what_is_published_already() -> None:
    promise = Promise("a", "a", INT64, Origin.NUMBER, integer_digits=19)
    schema, _ = fit_schema(Observation(1, {"a": seen(1, 28, N=1)}), DEFAULTS, Contract((promise,), "r"))
    assert schema.columns[0].described == "string (number as text)"


@pytest.mark.parametrize(("numbers", "breaks"), [("exact", False), ("text", True), ("double", True)])
def test_another_form_of_numbers_is_a_break_where_it_is_asked_for(numbers: str, breaks: bool) -> None:
    contract = Contract((Promise("a", "a", INT64, Origin.NUMBER),), "r")
    options = ConvertOptions(numbers=numbers)  # type: ignore[arg-type]
    assert bool(fit_schema(Observation(1, {"a": seen(N=1)}), options, contract)[1]) == breaks


def test_the_error_names_the_columns_what_they_need_and_the_ways_out() -> None:
    contract = Contract(tuple(Promise(f"a{n}", f"a{n}", BOOL, Origin.BOOL) for n in range(7)), "out/_exports/x.json")
    observation = Observation(9, {f"a{n}": seen(N=2, BOOL=1) for n in range(7)})
    with pytest.raises(SchemaError) as caught:
        derive_schema(observation, DEFAULTS, contract)
    message = str(caught.value)
    assert "attribute 'a0' (N in 2 items, BOOL in 1 item, with up to 1 integer digits and 0 decimals)" in message
    assert "which is bool: it needs string (mixed as text)" in message
    assert "and 2 more (columns are promised by out/_exports/x.json)" in message
    for way in ("--evolve", "--schema FILE", "--exclude", "--schema new"):
        assert way in message


def test_the_limit_counts_promised_columns() -> None:
    contract = Contract((Promise("a", "a", BOOL, Origin.BOOL), Promise("b", "b", BOOL, Origin.BOOL)), "r")
    observation = Observation(1, {"c": seen(S=1)})
    with pytest.raises(SchemaError, match="3 attributes, but --max-columns is 2"):
        derive_schema(observation, ConvertOptions(max_columns=2), contract)
    assert len(derive_schema(observation, ConvertOptions(max_columns=3), contract).columns) == 3
