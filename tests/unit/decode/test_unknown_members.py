"""Members that are not known: reported once with their first place, and removed from every later line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from converter.decode.strict_lines import METADATA, LineProblem
from converter.decode.unknown_members import ItemLines, UnknownMembers
from converter.export.blocks import Block
from tests.unit.decode.decoding import make_block

KEYS = (("id", "S"),)
KEY = {"id": {"S": "a"}}


def line_of(members: dict[str, Any]) -> bytes:
    return json.dumps(members, separators=(",", ":")).encode() + b"\n"


def text_of(block: Block) -> bytes:
    return block.data[: block.size].tobytes()


def test_a_member_is_new_once_and_keeps_its_first_place() -> None:
    unknown = UnknownMembers(("Item",))
    assert unknown.add([("$", "user")], 700)
    assert not unknown.add([("$", "user")], 300)
    assert unknown.add([("$", "user"), ("$", "other")], 900)
    assert unknown.take_new() == {("$", "user"): 300, ("$", "other"): 900}
    assert not unknown.add([("$", "user")], 0)
    assert unknown.take_new() == {}


def test_only_so_many_members_are_remembered() -> None:
    unknown = UnknownMembers(("Item",))
    assert unknown.add([("$", f"m{n}") for n in range(70)], 0)
    assert unknown.add([("$", f"m{n}") for n in range(200)], 1)
    assert not unknown.add([("$", "another")], 2)
    assert len(unknown.take_new()) == 100


def test_lines_stay_as_they_are_until_a_member_is_seen() -> None:
    line = line_of({"Item": KEY, "user": 1})
    unknown = UnknownMembers(("Item",))
    block = make_block(line)
    assert unknown.remove(block) is block
    unknown.add([("$", "user")], 0)
    expected = line_of({"Item": KEY})
    removed = unknown.remove(block)
    assert text_of(removed) == expected + b"\n" * (len(line) - len(expected))
    assert not removed.data[removed.size : removed.size + 64].any()
    assert unknown.line(0) == line.rstrip(b"\n")


def test_a_second_member_is_removed_from_the_rest_of_a_block_alone() -> None:
    lines = [line_of({"Item": KEY, "user": 1, "other": 2}) for _ in range(3)]
    unknown = UnknownMembers(("Item",))
    unknown.add([("$", "user")], 0)
    block = unknown.remove(make_block(b"".join(lines)))
    assert text_of(block) == b"".join(lines)
    unknown.add([("$", "other")], 0)
    size, expected = len(lines[0]), line_of({"Item": KEY})
    again = unknown.remove_again(block, size)
    assert text_of(again) == lines[0] + (expected + b"\n" * (size - len(expected))) * 2
    assert text_of(block) == b"".join(lines)


@pytest.mark.parametrize("old_images", [False, True])
def test_members_of_metadata_and_of_changes_are_distinguished(old_images: bool) -> None:
    unknown = UnknownMembers(("Metadata", "Keys", "NewImage"), KEYS, old_images=old_images)
    unknown.add([(METADATA, "source"), ("$", "user")], 0)
    time = {"WriteTimestampMicros": {"N": "1"}}
    put = {"Metadata": {**time, "source": 1}, "Keys": KEY, "user": 2, "NewImage": KEY}
    wrong = {"Metadata": {**time, "user": 1}, "Keys": KEY, "source": 2, "NewImage": KEY}
    delete = {"Metadata": time, "Keys": KEY, "user": 2}
    lines = text_of(unknown.remove(make_block(line_of(put) + line_of(wrong) + line_of(delete)))).split(b"\n")
    found = [json.loads(line) for line in lines if line]
    kept = delete if old_images else {"Metadata": time, "Keys": KEY}
    assert found == [{"Metadata": time, "Keys": KEY, "NewImage": KEY}, wrong, kept]


def test_lines_of_items_are_compacted_and_their_members_seen() -> None:
    lines = ItemLines()
    line = b'{"Item": {"id": {"S": "a"}}, "user": [1]}\n'
    assert lines.compact(line, 40) == (line_of({"Item": KEY}), True)
    assert lines.compact(line, 90) == (line_of({"Item": KEY}), False)
    assert lines.unknown.take_new() == {("$", "user"): 40}
    (block,) = lines.translate(make_block(line_of({"Item": KEY, "user": 1}), 1000))
    assert text_of(block).strip() == line_of({"Item": KEY}).strip()
    assert lines.original(0) == (1000, line_of({"Item": KEY, "user": 1}).rstrip())
    with pytest.raises(LineProblem):
        lines.compact(b'{"item":{}}\n', 0)
