"""Blocks of changes as blocks of item lines: a line for each line, from both paths, and the way back to each change."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.decode.change_translation import ChangeLines
from converter.decode.strict_changes import ChangeForm, compact_change
from converter.decode.strict_lines import LineProblem
from tests.unit.decode.decoding import make_block

FORM = ChangeForm((("id", "S"),), old_images=True)


def change(name: str, *, space: str = "", more: str = "") -> bytes:
    """A change; with a space the kernel leaves it to the slow path."""
    time = '{"Metadata":{"WriteTimestampMicros":{"N":"1716791050804459"}}'
    return f'{time}{more},"Keys":{space}{{"id":{{"S":"{name}"}}}},"NewImage":{{"id":{{"S":"{name}"}}}}}}\n'.encode()


def item_lines(data: bytes, byte: int) -> Iterator[bytes]:
    """The item lines of each block that changes are translated to."""
    for block in ChangeLines(FORM).translate(make_block(data, byte)):
        yield block.data[: block.size].tobytes()


LINES = st.sampled_from(
    [change("a"), change("b" * 100), change("c", space=" "), change("d", more=',"user":1'), b"\n", b"{}\n"]
)


@given(st.lists(LINES, min_size=1, max_size=12), st.integers(0, 1000))
def test_each_change_has_an_item_line_and_is_found_from_it(changes: list[bytes], byte: int) -> None:
    lines, found = ChangeLines(FORM), []
    for block in lines.translate(make_block(b"".join(changes), byte)):
        position = 0
        for item in block.data[: block.size].tobytes().splitlines(keepends=True):
            # Blank lines may follow a line that a member was removed from.
            if item != b"\n":
                found.append((*lines.original(position), item))
            position += len(item)
    starts = accumulate(map(len, changes), initial=byte)
    expected = [
        (start, line.rstrip(b"\n"), compact_change(line, FORM, []))
        for start, line in zip(starts, changes, strict=False)
        if line != b"\n"
    ]
    assert found == expected


@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_the_lines_before_a_bad_one_come_first_and_the_error_has_its_byte(before: int) -> None:
    good = [change("a"), change("b", space=" "), b"{}\n"][:before]
    found: list[bytes] = []
    with pytest.raises(LineProblem) as caught:
        found.extend(item_lines(b"".join(good) + b'{"Keys":1}\n' + change("z"), 500))
    assert b"".join(found) == b"".join(compact_change(line, FORM) for line in good)
    assert caught.value.byte == 500 + sum(map(len, good))


def test_a_member_takes_the_slow_path_once_and_is_removed_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    lines, slow = ChangeLines(FORM), []
    translate = lines._translate_irregular

    def translate_and_count(at: int) -> bool:
        slow.append(at)
        return translate(at)

    monkeypatch.setattr(lines, "_translate_irregular", translate_and_count)
    for _ in range(2):
        list(lines.translate(make_block(b"".join(change(name, more=',"user":{"a":1}') for name in "abc"))))
    assert slow == [0]
    assert lines.unknown.take_new() == {("$", "user"): 0}


def test_a_line_that_was_written_compactly_is_compacted_without_new_members() -> None:
    lines = ChangeLines(FORM)
    line = change("c", space=" ", more=',"user":1')
    assert lines.compact(line, 70) == (compact_change(line, FORM, []), False)
    assert lines.unknown.take_new() == {("$", "user"): 70}
    assert (lines.root(change("a")), lines.root(b'{"Keys":{}}\n')) == ("$.NewImage", "$.Keys")
