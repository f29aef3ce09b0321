"""Lines that no kernel leaves to Python: all that the service may write, and those that hold nothing."""

from __future__ import annotations

import json

import pytest

from converter.decode.change_translation import ChangeLines
from converter.decode.decoder import Decoder
from converter.decode.strict_changes import ChangeForm
from converter.merging.changed_keys_builder import ChangedKeysBuilder
from converter.merging.merge_lines import MergeLines
from tests.unit.decode.decoding import everything, make_block, observe, schema_of

FORM = ChangeForm((("id", "S"),), old_images=True)
ESCAPES = ['\\"', "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0001", "\\u00e9", "\\u3000", "\\ud83d\\ude00"]
EMPTY_LINES = [b"\n", b" \n", b"\t \r\n", b"\r\n", b" " * 63 + b"\n", b" " * 64 + b"\n", b"\t" * 1000 + b"\n"]
EMPTY_OBJECTS = [b"{}\n", b" {}\n", b"{ }\n", b"{}\r\n", b"{\t" + b" " * 200 + b"} \n"]


@pytest.fixture(autouse=True)
def _no_slow_path(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a line has left the compiled path")

    for owner, name in (
        (Decoder, "_decode_irregular"),
        (ChangeLines, "_translate_irregular"),
        (ChangedKeysBuilder, "_add_line"),
        (MergeLines, "_is_current"),
    ):
        monkeypatch.setattr(owner, name, refuse)


@pytest.mark.parametrize("escape", ESCAPES)
def test_escapes_in_names_and_texts_are_read_by_the_kernel(escape: str) -> None:
    members = ",".join(f'"{name}":{{"S":"{escape}"}}' for name in (escape, f"a{escape}", "x" * 70 + escape))
    line = f'{{"Item":{{"m":{{"M":{{{members}}}}},"t":{{"SS":["{escape}","b{escape}"]}},{members}}}}}\n'.encode()
    data = line * 3
    assert observe(data).items == 3
    schema = schema_of(data)
    decoder = Decoder(schema, wants=everything)
    list(decoder.decode(make_block(data)))
    assert (decoder.items, decoder.observing) == (3, False)


def test_a_map_with_as_many_members_as_an_item_can_have_is_read_by_the_kernel() -> None:
    members = {f"{number:x}": {"S": ""} for number in range(100_000)}
    line = json.dumps({"Item": {"m": {"M": members}}}, separators=(",", ":")).encode() + b"\n"
    assert observe(line).items == 1


@pytest.mark.parametrize("empty", [*EMPTY_LINES, *EMPTY_OBJECTS])
def test_lines_that_hold_nothing_are_passed_over_by_the_kernel_for_items(empty: bytes) -> None:
    item = b'{"Item":{"id":{"S":"a"}}}\n'
    decoder = Decoder(None, wants=everything)
    list(decoder.decode(make_block(empty * 3 + item + empty + item + empty)))
    assert (decoder.items, decoder.empty_objects) == (2, 5 if empty in EMPTY_OBJECTS else 0)


@pytest.mark.parametrize("empty", [*EMPTY_LINES, *EMPTY_OBJECTS])
def test_lines_that_hold_nothing_are_passed_over_by_the_kernels_for_changes(empty: bytes) -> None:
    change = '{"Metadata":{"WriteTimestampMicros":{"N":"1768387654353205"}},"Keys":{"id":{"S":"a"}},'
    change += '"NewImage":{"id":{"S":"a"}}}\n'
    lines = empty * 3 + change.encode() + empty
    decoder = Decoder(None, wants=everything, lines=ChangeLines(FORM))
    list(decoder.decode(make_block(lines)))
    assert (decoder.items, decoder.empty_objects) == (1, 4 if empty in EMPTY_OBJECTS else 0)

    builder = ChangedKeysBuilder(FORM.keys)
    builder.add(make_block(lines), 0, FORM)
    assert builder.count == 1
    merge = MergeLines(builder.build(), [FORM])
    for order, block in ((0, lines), (None, empty + b'{"Item":{"id":{"S":"b"}}}\n' + empty)):
        merge.begin_increment(order)
        for translated in merge.translate(make_block(block)):
            assert translated.data[: translated.size].tobytes().count(b'"id"') == 1


@pytest.mark.parametrize("line", [b" {\n", b"{ \n", b"{} {}\n", b"{}}\n", b"{}x\n", b"\x0b\n", b"\xc2\xa0\n", b"\0\n"])
def test_what_only_begins_like_nothing_is_left_to_the_strict_check(line: bytes) -> None:
    with pytest.raises(AssertionError, match="compiled path"):
        observe(line)
    with pytest.raises(AssertionError, match="compiled path"):
        observe(line, changes=FORM)


@pytest.mark.parametrize("escape", [*ESCAPES, "x" * 70 + "\\\\" + "y" * 70, 'é\\"é'])
@pytest.mark.parametrize("keys", [("id",), ("id", "sort")])
def test_keys_with_escapes_are_read_by_the_kernels(escape: str, keys: tuple[str, ...]) -> None:
    form = ChangeForm(tuple((key, "S") for key in keys), old_images=True)
    attributes = ",".join(f'"{key}":{{"S":"{escape}{key}"}}' for key in keys)
    reverse = ",".join(f'"{key}":{{"S":"{escape}{key}"}}' for key in reversed(keys))
    time = '{"Metadata":{"WriteTimestampMicros":{"N":"1768387654353205"}}'
    change = f'{time},"Keys":{{{attributes}}},"OldImage":{{{reverse}}},"NewImage":{{"v":{{"N":"1"}},{attributes}}}}}\n'
    decoder = Decoder(None, wants=everything, lines=ChangeLines(form))
    list(decoder.decode(make_block(change.encode())))
    assert decoder.items == 1

    builder = ChangedKeysBuilder(form.keys)
    builder.add(make_block(change.encode()), 0, form)
    value = json.loads(f'"{escape}"')
    assert builder.build().has(tuple(f"{value}{key}".encode() for key in keys))
    merge = MergeLines(builder.build(), [form])
    merge.begin_increment(None)
    base = f'{{"Item":{{{attributes}}}}}\n{{"Item":{{"v":{{"S":""}},{reverse}}}}}\n'
    other = f'{{"Item":{{{attributes.replace(escape, "z")}}}}}\n'
    for block in merge.translate(make_block((base + other).encode())):
        assert block.data[: block.size].tobytes().strip() == other.strip().encode()
    assert merge.dropped == 2


def test_another_spelling_of_a_key_is_the_same_key() -> None:
    builder = ChangedKeysBuilder(FORM.keys)
    time = '{"Metadata":{"WriteTimestampMicros":{"N":"1768387654353205"}}'
    builder.add(make_block(f'{time},"Keys":{{"id":{{"S":"\\u0061\\/"}}}}}}\n'.encode()), 0, FORM)
    merge = MergeLines(builder.build(), [FORM])
    merge.begin_increment(None)
    list(merge.translate(make_block(b'{"Item":{"id":{"S":"a/"}}}\n{"Item":{"id":{"S":"\\u0061/"}}}\n')))
    assert merge.dropped == 2
