"""The columns of changes, and how their operations are counted."""

from __future__ import annotations

import pytest

from converter.options import ConvertOptions
from converter.schema import tags
from converter.schema.change_columns import (
    MARK,
    OPERATIONS,
    WRITTEN,
    count_operations,
    leading_columns,
    trailing_columns,
)
from converter.schema.column_types import STRING, TIMESTAMP, Origin
from converter.schema.contract import Contract, Promise
from converter.schema.derive import derive_schema
from converter.schema.observe import AttributeObservation, Observation


def seen(count: int, tag: int = tags.S) -> AttributeObservation:
    return AttributeObservation(tuple(count if other == tag else 0 for other in range(len(tags.TAGS))))


def of_changes(**attributes: AttributeObservation) -> Observation:
    facts = {f"{MARK}insert": seen(2), f"{MARK}delete": seen(1), WRITTEN: seen(3, tags.N)}
    return Observation(3, attributes, facts)


def names_of(observation: Observation, options: ConvertOptions, contract: Contract | None = None) -> list[str]:
    return [column.name for column in derive_schema(observation, options, contract or Contract()).columns]


def test_no_attribute_can_have_the_name_of_a_fact() -> None:
    for name in (f"{MARK}{operation}" for operation in OPERATIONS):
        with pytest.raises(UnicodeEncodeError):
            name.encode()
        assert name.encode(errors="surrogateescape")[0] == 0xFF


def test_operations_are_counted_in_their_order_and_only_those_that_occur() -> None:
    assert list(count_operations(of_changes()).items()) == [("insert", 2), ("delete", 1)]
    assert count_operations(Observation(5, {"insert": seen(5)})) == {}


def test_columns_whose_names_are_taken_are_not_added_again() -> None:
    assert [column.name for column in leading_columns([])] == ["_op", "_write_ts"]
    assert [column.name for column in leading_columns(["_op"])] == ["_write_ts"]
    assert [column.name for column in trailing_columns([], old_image=True)] == ["_old"]
    assert trailing_columns(["_old"], old_image=True) == trailing_columns([], old_image=False) == []


def test_ours_come_first_then_keys_and_the_old_image_behind_all_attributes() -> None:
    observation = of_changes(a=seen(1), id=seen(3), _op=seen(1))
    options = ConvertOptions(key=("id",), old_image=True, add_column=(("of", "date"),))
    assert names_of(observation, options) == ["_op", "_write_ts", "id", "_op_1", "a", "_old", "of"]
    narrow = ConvertOptions(key=("id",), old_image=True, max_columns=2, overflow="_more")
    assert names_of(observation, narrow) == ["_op", "_write_ts", "id", "_more", "_old"]


def test_promised_columns_keep_their_places_and_ours_are_among_them() -> None:
    promised = Contract(
        (
            Promise(None, "_op", STRING, Origin.CHANGE),
            Promise(None, "_write_ts", TIMESTAMP, Origin.CHANGE),
            Promise("b", "b", STRING, Origin.TEXT),
        )
    )
    observation = of_changes(a=seen(1), id=seen(3))
    options = ConvertOptions(key=("id",), old_image=True)
    assert names_of(observation, options, promised) == ["_op", "_write_ts", "b", "id", "a", "_old"]
    # Promised, they are there without any change too.
    assert names_of(Observation(), options, promised) == ["_op", "_write_ts", "b"]


def test_a_file_s_columns_stand_behind_ours() -> None:
    file = Contract((Promise("z", "z", STRING, Origin.TEXT),), "schema.json")
    assert names_of(of_changes(a=seen(1)), ConvertOptions(), file) == ["_op", "_write_ts", "z", "a"]
