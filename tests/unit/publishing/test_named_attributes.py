"""Attributes that are named and absent: which are warned of, when again, and which key ends a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from converter.errors import UsageError
from converter.options import ConvertOptions, SchemaText
from converter.publishing.named_attributes import NamedAttributes, never_overflowed
from converter.publishing.record_entry import RecordEntry, entry_of
from converter.schema import tags
from converter.schema.observe import AttributeObservation, Observation
from converter.schema.schema_file import SchemaFile, read_schema_file
from tests.unit.publishing.published import make_example_record

SCHEMA = SchemaText(
    "columns.json",
    '{"version": 1, "columns": [{"attribute": "custmer", "type": "string"}, {"attribute": "secret", "drop": true}]}',
)


def observed(*names: str, **counts: int) -> Observation:
    values = dict.fromkeys(names, 1) | counts
    text = tags.TAGS.index("S")
    seen = {
        name: AttributeObservation(tuple(count if tag == text else 0 for tag in range(len(tags.TAGS))))
        for name, count in values.items()
    }
    return Observation(10, seen)


def file_of(options: ConvertOptions) -> SchemaFile:
    assert isinstance(options.schema, SchemaText)
    return read_schema_file(options.schema, options)


def record_with(options: ConvertOptions, *unknown: str, items: int = 3) -> RecordEntry:
    record = make_example_record(options)
    return entry_of(replace(record, report=replace(record.report, unknown_attributes=unknown, items=items)))


@pytest.mark.parametrize(
    ("option", "given"),
    [
        *((option, ("custmer_id",)) for option in ("key", "select", "exclude")),
        *(("cast", (("custmer_id", "timestamp"),)), ("rename", (("custmer_id", "id"),)), ("time", "custmer_id")),
    ],
)
def test_an_unknown_name_is_warned_of_with_near_ones(option: str, given: object) -> None:
    named = NamedAttributes.of(ConvertOptions(**{option: given}))  # type: ignore[arg-type]
    observation = observed("customer_id", "price")
    assert named.warnings(observation) == [
        f"no item has an attribute 'custmer_id' (--{option}): did you mean 'customer_id'?"
    ]
    assert named.unknown(observation) == ("custmer_id",)


def test_a_name_that_several_options_name_is_warned_of_once_and_no_named_one_is_proposed() -> None:
    options = ConvertOptions(exclude=("ID2",), key=("id1",), rename=(("id1", "key"),))
    named = NamedAttributes.of(options)
    assert named.warnings(observed("price")) == [
        "no item has an attribute 'id1' (--key, --rename)",
        "no item has an attribute 'ID2' (--exclude)",
    ]
    assert named.warnings(observed("id1", "id2")) == ["no item has an attribute 'ID2' (--exclude): did you mean 'id2'?"]


def test_the_attributes_of_a_schema_file_are_named_too() -> None:
    options = ConvertOptions(schema=SCHEMA)
    assert NamedAttributes.of(options, file_of(options)).warnings(observed("customer")) == [
        "no item has an attribute 'custmer' (columns.json): did you mean 'customer'?",
        "no item has an attribute 'secret' (columns.json)",
    ]


def test_without_items_nothing_is_absent() -> None:
    named = NamedAttributes.of(ConvertOptions(key=("a",), exclude=("b",)))
    assert (named.warnings(Observation()), named.unknown(Observation())) == ([], ())
    named.check_key(Observation())


def test_an_attribute_that_is_only_ever_null_is_there() -> None:
    null = AttributeObservation(tuple(int(tag == "NULL") for tag in tags.TAGS))
    assert NamedAttributes.of(ConvertOptions(key=("a",))).warnings(Observation(1, {"a": null})) == []


def test_what_an_earlier_export_had_needs_no_warning() -> None:
    options = ConvertOptions(exclude=("secret",), key=("price",))
    named = NamedAttributes.of(options, None, [record_with(options)])
    assert (named.warnings(observed("a", "secrets")), named.unknown(observed("a"))) == ([], ())


def test_what_no_earlier_export_had_is_warned_of_again_only_where_it_may_be_a_typing_error() -> None:
    options = ConvertOptions(exclude=("secret",))
    before = record_with(options, "secret")
    named = NamedAttributes.of(options, None, [before])
    assert named.warnings(observed("a")) == []
    assert named.unknown(observed("a")) == ("secret",)
    assert named.warnings(observed("secrets")) == [
        "no item has an attribute 'secret' (--exclude): did you mean 'secrets'?"
    ]
    assert named.warnings(observed("secrets_of_all_customers")) == []
    # One that had it, on whichever day.
    assert NamedAttributes.of(options, None, [record_with(options), before]).warnings(observed("secrets")) == []


def test_a_record_of_other_options_or_of_no_items_says_nothing_of_a_name() -> None:
    options = ConvertOptions(exclude=("secret",))
    for earlier in (record_with(ConvertOptions()), record_with(options, items=0)):
        assert len(NamedAttributes.of(options, None, [earlier]).warnings(observed("a"))) == 1


def test_a_record_made_with_the_same_schema_file_says_what_the_file_names() -> None:
    options = ConvertOptions(schema=SCHEMA)
    file = file_of(options)
    assert NamedAttributes.of(options, file, [record_with(options)]).warnings(observed("a")) == []
    before = record_with(options, "custmer", "secret")
    assert NamedAttributes.of(options, file, [before]).warnings(observed("customer")) == [
        "no item has an attribute 'custmer' (columns.json): did you mean 'customer'?"
    ]
    other = ConvertOptions(schema=replace(SCHEMA, content=SCHEMA.content + " "))
    assert len(NamedAttributes.of(other, file_of(other), [before]).warnings(observed("a"))) == 2


def test_options_of_a_record_may_be_anything() -> None:
    options: dict[str, object] = {"key": 5, "cast": [["a", "b"], [], [[1]], "c"], "time": {}}
    record = record_with(ConvertOptions())._replace(options=options)
    assert NamedAttributes.of(ConvertOptions(), None, [record]).known >= {"a", "c"}


def test_the_key_of_a_first_export_must_be_there() -> None:
    options = ConvertOptions(key=("ordr_id",))
    with pytest.raises(UsageError) as caught:
        NamedAttributes.of(options).check_key(observed("order_id"))
    assert (caught.value.where, caught.value.hint) == ("--key", "did you mean 'order_id'?")
    with pytest.raises(UsageError) as caught:
        NamedAttributes.of(options).check_key(observed("a", "b"))
    assert caught.value.hint == "the export's attributes begin with 'a', 'b'"
    NamedAttributes.of(options, None, [record_with(ConvertOptions())]).check_key(observed("order_id"))


def test_many_names_are_warned_of_in_few_lines() -> None:
    named = NamedAttributes.of(ConvertOptions(exclude=tuple(f"x{number}" for number in range(100))))
    warnings = named.warnings(observed("a"))
    assert (len(warnings), warnings[-1]) == (21, "and 80 more attributes that are named are in no item")


def test_only_what_no_export_with_an_overflow_column_had_can_have_a_column_beside_it() -> None:
    options = ConvertOptions(cast=(("at", "timestamp"), ("seen", "timestamp")))
    named = NamedAttributes.of(options)
    assert never_overflowed(named, []) == {"at", "seen"}
    first = record_with(options, "at", "seen")
    assert never_overflowed(named, [first]) == {"at", "seen"}
    assert never_overflowed(named, [first, record_with(options, "at")]) == {"at"}
    assert never_overflowed(named, [first, record_with(ConvertOptions())]) == frozenset()
    assert never_overflowed(named, [first, record_with(ConvertOptions(), items=0)]) == {"at", "seen"}
