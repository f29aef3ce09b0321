"""The slow path of changes: what it accepts, and the path and reason for what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from converter.decode.strict_changes import ChangeForm, compact_change, find_keys, image_path
from converter.decode.strict_lines import LineProblem

FORM = ChangeForm((("id", "S"),), old_images=True)
KEYS = {"id": {"S": "a"}}
META = {"WriteTimestampMicros": {"N": "1716791050804459"}}


def line(**members: Any) -> bytes:
    return json.dumps({"Metadata": META, "Keys": KEYS, **members}).encode()


def refusal(text: bytes, form: ChangeForm = FORM) -> tuple[str, str]:
    with pytest.raises(LineProblem) as caught:
        compact_change(text, form)
    return caught.value.path, caught.value.reason


@pytest.mark.parametrize(
    ("members", "item"),
    [
        ({}, b'"\xffdelete":{"S":"delete"},"\xfftime":{"N":"1716791050.804459"},"id":{"S":"a"}'),
        (
            {"NewImage": KEYS | {"n": {"N": "1.50"}}},
            b'"\xffinsert":{"S":"insert"},"\xfftime":{"N":"1716791050.804459"},"id":{"S":"a"},"n":{"N":"1.5"}',
        ),
        (
            {"NewImage": KEYS, "OldImage": KEYS},
            b'"\xffupdate":{"S":"update"},"\xfftime":{"N":"1716791050.804459"},"\xffold":{"M":{"id":{"S":"a"}}},'
            b'"id":{"S":"a"}',
        ),
    ],
)
def test_a_change_becomes_an_item_that_says_what_was_done_and_when(members: dict[str, Any], item: bytes) -> None:
    assert compact_change(line(**members), FORM) == b'{"Item":{' + item + b"}}\n"
    mixed = {**members, "Metadata": META, "Keys": KEYS}
    assert compact_change(json.dumps(mixed, indent=1).replace("\n", "").encode(), FORM) == b'{"Item":{' + item + b"}}\n"


def test_without_old_images_an_insert_and_an_update_are_a_put() -> None:
    form = ChangeForm(FORM.keys, old_images=False)
    assert compact_change(line(NewImage=KEYS), form).startswith(b'{"Item":{"\xffput":{"S":"put"}')
    assert compact_change(line(), form).startswith(b'{"Item":{"\xffdelete":{"S":"delete"}')


@pytest.mark.parametrize(
    ("micros", "seconds"),
    [("0", "0"), ("1", "0.000001"), ("1000000", "1"), ("99999999999999999", "99999999999.999999")],
)
def test_the_time_is_taken_in_each_form(micros: str, seconds: str) -> None:
    for written in ({"N": micros}, micros, int(micros)):
        found = compact_change(line(Metadata={"WriteTimestampMicros": written}), FORM)
        assert f'time":{{"N":"{seconds}"}}'.encode() in found


@pytest.mark.parametrize("text", [b"", b" \t", b"{}", b" { } "])
def test_blank_lines_and_empty_objects_come_back_as_such(text: bytes) -> None:
    assert compact_change(text, FORM) == (b"{}\n" if b"{" in text else b"\n")
    assert find_keys(text) == ()


@pytest.mark.parametrize(
    ("members", "path", "reason"),
    [
        ({"Item": {}}, "$", "there is a member 'Item', which does not belong here"),
        (
            {"NewImge": {}},
            "$",
            "there is a member 'NewImge', which is not known and resembles NewImage: refusing to guess",
        ),
        ({"Metadata": {}}, "$.Metadata", "there is no member WriteTimestampMicros"),
        ({"Metadata": META | {"Keys": 1}}, "$.Metadata", "there is a member 'Keys', which does not belong here"),
        ({"Metadata": 5}, "$.Metadata", "expected an object, got a number"),
        ({"Keys": None}, "$.Keys", "expected an object, got null"),
        ({"Keys": {}}, "$.Keys", "expected one or two key attributes, got 0"),
        ({"Keys": {"id": {"BOOL": True}}}, "$.Keys", "'id' is not a key: the types of keys are S, N, B"),
        ({"Keys": {"id": 1}}, "$.Keys.id", "expected an object with one type tag, got a number"),
        ({"Keys": {"id": {"S": 1}}}, "$.Keys.id.S", "expected a string, got a number"),
        ({"Keys": {"no": {"S": "a"}}}, "$.Keys", "the keys are 'no' (S), and those of the first change are 'id' (S)"),
        ({"Keys": {"id": {"N": "1"}}}, "$.Keys", "the keys are 'id' (N), and those of the first change are 'id' (S)"),
        ({"NewImage": {}}, "$.NewImage", "the key 'id' differs from its value in Keys"),
        ({"NewImage": {"id": {"S": "b"}}}, "$.NewImage", "the key 'id' differs from its value in Keys"),
        ({"OldImage": {}}, "$.OldImage", "the key 'id' differs from its value in Keys"),
        ({"OldImage": {"id": {"S": "b"}}}, "$.OldImage", "the key 'id' differs from its value in Keys"),
        ({"NewImage": []}, "$.NewImage", "expected an object, got an array"),
        ({"NewImage": KEYS | {"p": {"N": "x"}}}, "$.NewImage.p.N", "not a number"),
        ({"OldImage": KEYS | {"p": {"L": [{"N": "x"}]}}}, "$.OldImage.p.L[0].N", "not a number"),
    ],
)
def test_what_is_no_change_is_refused_with_path_and_reason(members: dict[str, Any], path: str, reason: str) -> None:
    assert refusal(line(**members)) == (path, reason)


@pytest.mark.parametrize("written", ["", "x", "-5", "01", "1.5", "1e15", "1" * 18, "١"])
def test_a_time_that_is_no_number_of_microseconds_is_refused(written: str) -> None:
    reason = (
        "not a whole number of microseconds since 1970" if written else "expected microseconds since 1970, got a string"
    )
    for value, path in ((written, ""), ({"N": written}, ".N")):
        found = refusal(line(Metadata={"WriteTimestampMicros": value}))
        assert found == (f"$.Metadata.WriteTimestampMicros{path}", reason)


@pytest.mark.parametrize("written", [1.5, 1e15, True, None, [], {}, {"S": "1"}, {"N": "1", "S": "1"}, {"N": 1.5}])
def test_a_time_of_another_type_is_refused(written: object) -> None:
    path, reason = refusal(line(Metadata={"WriteTimestampMicros": written}))
    assert path.startswith("$.Metadata.WriteTimestampMicros")
    assert reason.startswith("expected microseconds since 1970, got ")


def test_a_line_without_what_every_change_has_is_refused() -> None:
    assert refusal(b'{"NewImage":{}}') == ("$", "there is no member Metadata, but 'NewImage'")
    assert refusal(b'{"Metadata":{"WriteTimestampMicros":1}}') == ("$", "there is no member Keys, but 'Metadata'")
    assert refusal(b'{"Item":{}}')[1].startswith("there is a member 'Item'")
    assert refusal(b"[]") == ("$", "expected an object with the member Keys, got an array")


def test_an_old_image_in_a_view_that_has_none_is_refused() -> None:
    reason = "there is an OldImage, but the export's view is NEW_IMAGE"
    assert refusal(line(OldImage=KEYS), ChangeForm(FORM.keys, old_images=False)) == ("$", reason)


def test_keys_are_found_in_any_line_and_sorted() -> None:
    assert find_keys(line(Keys={"z": {"N": "1"}, "a": {"B": "AQ=="}})) == (("a", "B"), ("z", "N"))


def test_the_attributes_of_a_deleted_item_are_its_keys() -> None:
    assert image_path(line()) == "$.Keys"
    assert image_path(line(NewImage=KEYS)) == "$.NewImage"
    # Where the rest of the line is damaged, what is before it can be named all the same.
    assert image_path(line(NewImage=KEYS)[:-3]) == "$.NewImage"
    assert image_path(line()[:-3]) == "$.Keys"
