"""From observations to columns: every row of the type table, and what limits and options make of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.errors import SchemaError, UsageError
from converter.options import ConvertOptions
from converter.schema import derive, tags
from converter.schema.column_types import DECIMALS, INT64, STRING, Origin, parse_type
from converter.schema.columns import Column
from converter.schema.derive import derive_schema, families, number_type
from converter.schema.observe import AttributeObservation, Observation


def seen(integer_digits: int = 0, decimals: int = 0, beyond: bool = False, **counts: int) -> AttributeObservation:
    return AttributeObservation(tuple(counts.get(tag, 0) for tag in tags.TAGS), integer_digits, decimals, beyond, 0)


def observed(**attributes: AttributeObservation) -> Observation:
    return Observation(10, attributes)


def columns(observation: Observation, **options: object) -> list[tuple[str, str, str]]:
    schema = derive_schema(observation, ConvertOptions(**options))  # type: ignore[arg-type]
    return [(column.name, str(column.type), column.origin.value) for column in schema.columns]


def text(count: int = 1) -> AttributeObservation:
    return seen(S=count)


@pytest.mark.parametrize(
    ("attribute", "type_", "origin"),
    [
        (seen(S=1), "string", Origin.TEXT),
        (seen(N=1, integer_digits=3), "int64", Origin.NUMBER),
        (seen(N=1, integer_digits=3, decimals=1), "decimal128(38, 2)", Origin.NUMBER),
        (seen(N=1, integer_digits=19, beyond=True), "decimal128(38, 0)", Origin.NUMBER),
        (seen(N=1, integer_digits=39, beyond=True), "string", Origin.NUMBER_TEXT),
        (seen(B=1), "binary", Origin.BINARY),
        (seen(BOOL=1), "bool", Origin.BOOL),
        (seen(M=1), "string", Origin.JSON),
        (seen(L=1), "string", Origin.JSON),
        (seen(SS=1), "string", Origin.JSON),
        (seen(NS=1), "string", Origin.JSON),
        (seen(BS=1), "string", Origin.JSON),
        (seen(M=1, L=1, SS=1, NS=1, BS=1), "string", Origin.JSON),
        (seen(S=1, N=1), "string", Origin.MIXED_TEXT),
        (seen(S=1, L=1), "string", Origin.MIXED_TEXT),
        (seen(BOOL=1, B=1), "string", Origin.MIXED_TEXT),
    ],
)
def test_each_type_of_the_table_has_its_column(attribute: AttributeObservation, type_: str, origin: Origin) -> None:
    assert derive_schema(observed(a=attribute), ConvertOptions()).columns == (
        Column("a", "a", parse_type(type_), origin),
    )


@pytest.mark.parametrize("tag", tags.TAGS)
def test_nulls_beside_a_value_change_no_type(tag: str) -> None:
    alone = AttributeObservation(tuple(int(name == tag) for name in tags.TAGS))
    both = alone.merge(seen(NULL=3))
    if tag == "NULL":
        assert columns(observed(a=both)) == []
    else:
        assert columns(observed(a=both)) == columns(observed(a=alone))


@pytest.mark.parametrize(
    ("integer_digits", "decimals", "expected"),
    [
        (0, 1, 2),
        (5, 2, 2),
        (5, 3, 4),
        (5, 5, 6),
        (5, 7, 9),
        (5, 10, 18),
        (5, 19, 28),
        (10, 19, 28),
        (11, 19, 19),
        (19, 19, 19),
        (20, 19, None),
        (20, 18, 18),
        (21, 18, None),
        (21, 10, 10),
        (28, 10, 10),
        (29, 10, None),
        (9, 29, 29),
        (10, 29, None),
        (0, 38, 38),
        (1, 38, None),
        (0, 39, None),
        (36, 1, 2),
        (37, 1, 1),
        (38, 1, None),
        (34, 3, 4),
        (35, 3, 3),
        (126, 0, None),
    ],
)
def test_the_scale_is_the_first_step_that_leaves_room_else_the_decimals_else_none(
    integer_digits: int, decimals: int, expected: int | None
) -> None:
    found = number_type(seen(integer_digits, decimals, integer_digits > 19, N=1))
    assert found == (STRING if expected is None else DECIMALS[expected])


@given(st.integers(0, 126), st.integers(0, 140))
def test_a_decimal_type_always_holds_what_was_observed(integer_digits: int, decimals: int) -> None:
    type_ = number_type(seen(integer_digits, decimals, True, N=1))
    if integer_digits + decimals > 38:
        assert type_ == STRING
    else:
        scale = type_.scale
        assert decimals <= scale <= 38 - integer_digits
        assert scale == decimals or scale in derive.SCALE_STEPS


def test_nineteen_digits_are_int64_only_within_its_range() -> None:
    assert number_type(seen(19, 0, False, N=1)) == INT64
    assert number_type(seen(19, 0, True, N=1)) == DECIMALS[0]
    assert number_type(seen(38, 0, True, N=1)) == DECIMALS[0]
    assert number_type(seen(39, 0, True, N=1)) == STRING


def test_doubles_take_every_column_of_numbers_and_no_mixed_one() -> None:
    observation = observed(i=seen(1, N=1), big=seen(126, 0, True, N=1), m=seen(1, N=1, S=1), s=text())
    assert columns(observation, numbers="double") == [
        ("big", "double", "number"),
        ("i", "double", "number"),
        ("m", "string", "mixed as text"),
        ("s", "string", "text"),
    ]


def test_numbers_as_text_are_strings_of_their_own_origin() -> None:
    observation = observed(i=seen(1, N=1), d=seen(1, 2, N=1), s=text())
    assert columns(observation, numbers="text") == [
        ("d", "string", "number as text"),
        ("i", "string", "number as text"),
        ("s", "string", "text"),
    ]


def test_mixed_json_gives_mixed_columns_that_origin_and_no_others() -> None:
    observation = observed(m=seen(S=1, N=1), j=seen(M=1, SS=1))
    assert columns(observation, mixed="json") == [("j", "string", "json"), ("m", "string", "mixed as json")]


def test_mixed_fail_names_the_attribute_and_how_often_each_type_occurs() -> None:
    with pytest.raises(SchemaError) as caught:
        columns(observed(price=seen(S=2, N=1500, NULL=1)), mixed="fail")
    assert caught.value.what == "attribute 'price' has several types: S in 2 items, N in 1,500 items"


def test_mixed_fail_lets_documents_and_sets_share_an_attribute() -> None:
    assert columns(observed(j=seen(M=1, SS=1, L=1)), mixed="fail") == [("j", "string", "json")]


def test_mixed_fail_passes_over_an_excluded_attribute() -> None:
    assert columns(observed(a=seen(S=1, N=1), b=text()), mixed="fail", exclude=("a",)) == [("b", "string", "text")]


def test_documents_are_one_family() -> None:
    assert families((tags.L, tags.SS, tags.N)) == {tags.M, tags.N}


def test_columns_come_in_code_point_order_behind_the_keys() -> None:
    names = ["b", "a", "B", "é", "\U0001f600", "\uffff", "Z", "pk", "sk"]
    observation = observed(**{name: text() for name in names})
    found = [name for name, _, _ in columns(observation, key=("sk", "pk", "unknown"))]
    assert found == ["sk", "pk", "B", "Z", "a", "b", "é", "\uffff", "\U0001f600"]


def test_select_takes_only_what_it_names_and_exclude_drops_what_it_names() -> None:
    observation = observed(a=text(), b=text(), c=text())
    assert [c[0] for c in columns(observation, select=("c", "a"))] == ["a", "c"]
    assert [c[0] for c in columns(observation, exclude=("b",))] == ["a", "c"]


def test_a_key_named_twice_is_one_column() -> None:
    assert [c[0] for c in columns(observed(dt=text(), a=text()), key=("dt", "dt"))] == ["dt_1", "a"]


def test_the_names_of_all_layout_keys_and_of_the_overflow_column_are_kept_free() -> None:
    observation = observed(dt=text(), day=text(), _more=text(), a=text())
    found = [c[0] for c in columns(observation, layout="dt={date}/day={to}", overflow="_more")]
    assert found == ["_more_1", "a", "day_1", "dt_1"]


def test_more_attributes_than_max_columns_stop_the_run_with_examples() -> None:
    observation = observed(**{f"id-{n:03}": text() for n in range(12)}, null=seen(NULL=1))
    assert len(columns(observation, max_columns=12)) == 12
    with pytest.raises(SchemaError) as caught:
        columns(observation, max_columns=11)
    assert "12 attributes, but --max-columns is 11" in caught.value.what
    assert "'id-000', 'id-001', 'id-002', 'id-010', 'id-011'" in caught.value.hint
    assert "--overflow" in caught.value.hint


def test_the_overflow_takes_the_rarest_attributes_ties_by_name() -> None:
    observation = observed(a=text(1), b=text(5), c=text(5), d=text(9), e=seen(NULL=100, S=1))
    assert [c[0] for c in columns(observation, max_columns=4, overflow="_more")] == ["b", "c", "d", "_more"]
    assert [c[0] for c in columns(observation, max_columns=3, overflow="_more")] == ["b", "d", "_more"]
    assert [c[0] for c in columns(observation, max_columns=5, overflow="_more")] == ["a", "b", "c", "d", "e"]


def test_keys_always_have_a_column_of_their_own() -> None:
    observation = observed(pk=text(1), sk=text(1), b=text(5), c=text(5), d=text(9))
    options = {"key": ("sk", "pk"), "overflow": "_more"}
    assert [c[0] for c in columns(observation, max_columns=4, **options)] == ["sk", "pk", "d", "_more"]
    assert [c[0] for c in columns(observation, max_columns=1, **options)] == ["sk", "pk", "_more"]


def test_the_overflow_column_stands_for_no_attribute() -> None:
    schema = derive_schema(observed(a=text(), b=text()), ConvertOptions(max_columns=1, overflow="_more"))
    assert schema.overflow == Column("_more", None, STRING, Origin.OVERFLOW)
    assert schema.columns == (schema.overflow,)


@pytest.mark.parametrize("name", ["dt", "DT", "_op", "_Write_TS"])
def test_the_overflow_column_cannot_have_a_reserved_name(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        columns(observed(a=text(), b=text()), max_columns=1, overflow=name)
    assert caught.value.where == "--overflow"


def test_a_hundred_thousand_names_are_too_many_whatever_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derive, "NAMES_LIMIT", 3)
    observation = observed(a=text(), b=text(), c=text(), d=seen(NULL=1))
    with pytest.raises(SchemaError) as caught:
        columns(observation, select=("a",), overflow="_more")
    assert "4 attributes, but the limit is 3" in caught.value.what
    assert "--max-columns" not in caught.value.hint


def test_long_names_of_several_shards_are_counted_together_and_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derive, "NAMES_BYTES_LIMIT", 300_000)
    observation = observed(**{letter * 60_000: text() for letter in "abcdef"})
    with pytest.raises(SchemaError, match="the names of 6 attributes have more than") as caught:
        columns(observation, overflow="_more")
    assert len(str(caught.value)) < 1000
    many = observed(**{f"{number}" + "x" * 10_000: text() for number in range(5)})
    with pytest.raises(SchemaError, match=r"5 attributes, but .+ is 3") as caught:
        columns(many, max_columns=3)
    assert len(str(caught.value)) < 1000


CAST = (("a", "timestamp"),)


@pytest.mark.parametrize("tag", [tag for tag in tags.TAGS if tag != "NULL"])
def test_a_cast_attribute_has_its_type_whatever_it_holds(tag: str) -> None:
    # What is no timestamp is refused where it stands, by who decodes it.
    attribute = seen(S=1).merge(seen(**{tag: 1}))  # type: ignore[arg-type]
    for mixed in ("text", "json", "fail"):
        assert columns(observed(a=attribute), cast=CAST, mixed=mixed) == [("a", "timestamp", "time")]
    assert columns(observed(a=attribute), time="a") == [("time", "int64", "time")]


def test_a_cast_attribute_without_a_value_has_no_column() -> None:
    assert columns(observed(a=seen(NULL=1), b=text()), cast=CAST) == [("b", "string", "text")]


@pytest.mark.parametrize("attributes", [{}, {"a": seen(NULL=1)}])
def test_the_column_time_is_there_though_its_attribute_has_no_value(
    attributes: dict[str, AttributeObservation],
) -> None:
    observation = observed(b=text(), **attributes)
    assert columns(observation, time="a") == [("time", "int64", "time"), ("b", "string", "text")]
    assert columns(Observation(), time="a") == []


def test_the_column_time_stands_where_its_attribute_would_and_takes_the_name_from_others() -> None:
    observation = observed(a=text(), k=text(), TIME=text(), time=text(), time_1=text())
    assert [name for name, _, _ in columns(observation, time="k")] == ["TIME_2", "a", "time", "time_3", "time_1"]
    assert columns(observation, time="k", key=("k",))[0] == ("time", "int64", "time")
    assert [name for name, _, _ in columns(observation, time="time")] == ["TIME_2", "a", "k", "time", "time_1"]
    assert [name for name, _, _ in columns(observation)] == ["TIME", "a", "k", "time", "time_1"]


def test_added_columns_come_last_and_take_their_names_from_attributes() -> None:
    observation = observed(a=text(3), b=text(2), Day=text(1))
    added = (("day", "date"), ("when", "export_time"))
    assert columns(observation, add_column=added) == [
        ("Day_1", "string", "text"),
        ("a", "string", "text"),
        ("b", "string", "text"),
        ("day", "string", "added"),
        ("when", "timestamp", "added"),
    ]
    limited = columns(observation, add_column=added, max_columns=2, overflow="_more")
    assert [name for name, _, _ in limited] == ["a", "_more", "day", "when"]


def test_added_columns_alone_are_no_schema() -> None:
    for observation in (observed(), observed(a=seen(NULL=1))):
        assert columns(observation, add_column=(("day", "date"),)) == []


def test_cast_attributes_never_overflow() -> None:
    observation = observed(a=text(1), b=text(5), c=text(4), d=text(1))
    options = {"cast": CAST, "time": "d", "max_columns": 3, "overflow": "_more"}
    assert [name for name, _, _ in columns(observation, **options)] == ["a", "time", "_more"]
