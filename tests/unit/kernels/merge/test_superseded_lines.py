"""Lines of a merge: changes are recorded, superseded lines become newlines, and all other bytes stay."""

from __future__ import annotations

import numpy as np
import pytest

from converter.decode.change_translation import patterns_of
from converter.decode.strict_changes import ChangeForm
from converter.kernels.bindings import bind_merge_lines
from converter.kernels.layout import DONE, DUPLICATE_CHANGE, GROW, IRREGULAR, SUPERSEDED, State
from converter.kernels.merge import key_table
from converter.kernels.merge.key_table import KeyTable
from converter.kernels.scratch import new_scratch, new_secret
from tests.unit.decode.decoding import padded

ONE, TWO = ChangeForm((("id", "S"),), old_images=True), ChangeForm((("id", "S"), ("rank", "N")), old_images=True)
BASE = -1


class Merge:
    """A table, and the kernel with what it needs for lines of a form."""

    def __init__(self, form: ChangeForm = ONE, keys: int = 50) -> None:
        slots = np.zeros(1 << (2 * keys - 1).bit_length(), np.int64)
        facts = np.zeros((keys, key_table.KEY_FACTS), np.int64)
        self.table = KeyTable(slots, np.zeros(1 << 14, np.uint8), facts, new_secret())
        self.patterns = patterns_of(form)
        self.state: State = np.zeros(key_table.MERGE_STATE_SIZE, np.int64)
        self.state[key_table.MERGE_KEYS] = len(form.keys)
        self.state[key_table.MERGE_OLD_IMAGES] = form.old_images

    def run(self, lines: bytes, order: int, *, records: bool = False, room: int = 1 << 12) -> tuple[int, bytes]:
        """The status, and what the block then is."""
        block, state = padded(lines), self.state
        state[[key_table.MERGE_POSITION, key_table.MERGE_SIZE]] = 0, len(lines)
        state[[key_table.MERGE_ORDER, key_table.MERGE_RECORDS]] = order, records
        copy = np.zeros(room, np.uint8)
        status = bind_merge_lines()(block, self.patterns, self.table, state, copy, new_scratch(100))
        return status, block[: len(lines)].tobytes()

    def record(self, *lines: bytes, order: int = 0) -> None:
        assert self.run(b"".join(lines), order, records=True) == (DONE, b"".join(lines))


def key(name: str, rank: int | None = None) -> str:
    return f'"id":{{"S":"{name}"}}' + ("" if rank is None else f',"rank":{{"N":"{rank}"}}')


def change(keys: str, time: int, *images: str) -> bytes:
    members = "".join(f',"{image}":{{{keys},"v":{{"N":"1"}}}}' for image in images)
    return f'{{"Metadata":{{"WriteTimestampMicros":{{"N":"{time}"}}}},"Keys":{{{keys}}}{members}}}\n'.encode()


def item(keys: str, more: str = ',"v":{"N":"1"}') -> bytes:
    return f'{{"Item":{{{keys}{more}}}}}\n'.encode()


def blank(line: bytes) -> bytes:
    return b"\n" * len(line)


TIMES = range(1_700_000_000_000_000, 1_700_000_000_000_009)
PUT, DELETE = ("NewImage",), ("OldImage",)


@pytest.mark.parametrize(("form", "rank"), [(ONE, None), (TWO, 5)])
def test_items_of_the_base_with_a_changed_key_are_blanked_and_no_others(form: ChangeForm, rank: int | None) -> None:
    merge = Merge(form)
    merge.record(change(key("a", rank), TIMES[1], *PUT), change(key("b", rank), TIMES[2], *DELETE), b"\n", b"{}\n")
    a, b, c = (item(key(name, rank)) for name in "abc")
    nested = item(key("c", rank), f',"m":{{"M":{{{key("a", rank)}}}}}')
    assert merge.run(a + c + b"{}\n" + b + nested + a, BASE) == (
        DONE,
        blank(a) + c + b"{}\n" + blank(b) + nested + blank(a),
    )
    assert merge.state[key_table.MERGE_DROPPED] == 3
    assert merge.table.facts[:2, key_table.KEY_SEEN].tolist() == [1, 1]


def test_two_keys_are_found_in_either_order_and_in_any_place() -> None:
    merge = Merge(TWO)
    merge.record(change('"rank":{"N":"5"},"id":{"S":"a"}', TIMES[1], *PUT))
    found = item('"x":{"L":[]},"rank":{"N":"5"},"w":{"M":{}},"id":{"S":"a"}')
    other = item('"rank":{"N":"6"},"id":{"S":"a"}')
    assert merge.run(found + other, BASE) == (DONE, blank(found) + other)


def test_only_the_last_change_of_a_key_stays_and_no_delete() -> None:
    lines = [
        change(key("a"), TIMES[3], *PUT),
        change(key("a"), TIMES[1], *PUT),
        change(key("b"), TIMES[2], *PUT),
        change(key("b"), TIMES[4], *DELETE),
    ]
    merge = Merge()
    merge.record(*lines)
    assert merge.run(b"".join(lines), 0) == (DONE, lines[0] + b"".join(map(blank, lines[1:])))
    merge.record(change(key("a"), TIMES[0], *PUT), order=1)
    assert merge.run(lines[0], 0) == (DONE, blank(lines[0]))


@pytest.mark.parametrize(("escaped", "plain"), [("\\u0061", "a"), ("\\\\" * 40, "\\\\" * 40), ("x\\/y", "x/y")])
def test_spellings_of_a_key_are_one_key(escaped: str, plain: str) -> None:
    merge = Merge()
    merge.record(change(key(escaped), TIMES[1], *PUT))
    line = item(key(plain))
    assert merge.run(line, BASE) == (DONE, blank(line))
    assert merge.run(item(key("b")) + item(key(escaped)), BASE)[1] == item(key("b")) + blank(item(key(escaped)))


def test_two_changes_of_one_key_and_time_stop_at_the_second() -> None:
    first, second = (change(key("a"), TIMES[1], *images) for images in (PUT, DELETE))
    merge = Merge()
    assert merge.run(first + second, 0, records=True) == (DUPLICATE_CHANGE, first + second)
    assert merge.state[key_table.MERGE_POSITION] == len(first)


def test_a_full_table_stops_at_the_change_that_has_no_room() -> None:
    lines = [change(key(f"k{n}"), TIMES[1], *PUT) for n in range(5)]
    merge = Merge(keys=3)
    assert merge.run(b"".join(lines), 0, records=True)[0] == GROW
    assert merge.state[key_table.MERGE_POSITION] == sum(map(len, lines[:3]))


def test_a_changed_item_of_the_base_is_shown_first_if_that_is_wanted() -> None:
    merge = Merge()
    merge.record(change(key("a"), TIMES[1], *PUT))
    merge.state[key_table.MERGE_STOPS] = 1
    lines = item(key("b")) + item(key("a"))
    assert merge.run(lines, BASE) == (SUPERSEDED, lines)
    assert merge.state[key_table.MERGE_POSITION] == len(item(key("b")))


@pytest.mark.parametrize(
    "more",
    [',"v":{"N":"01"}', ',"v":{"X":"1"}', ',"v":{"M":{"a":{"N":"1"},"a":{"N":"1"}}}', ',"v":{"S":"\\ud800"}', ","],
)
def test_a_damaged_line_is_never_blanked(more: str) -> None:
    merge = Merge()
    merge.record(change(key("a"), TIMES[1], *PUT))
    line = item(key("a"), more)
    assert merge.run(line, BASE) == (IRREGULAR, line)
    assert merge.state[key_table.MERGE_DROPPED] == 0


def test_a_line_that_needs_more_room_than_the_copy_has_is_left_to_the_slow_path() -> None:
    merge = Merge()
    merge.record(change(key("a"), TIMES[1], *PUT))
    line = item(key("a"), ',"v":{"S":"' + "x" * 500 + '"}')
    assert merge.run(line, BASE, room=300) == (IRREGULAR, line)
    assert merge.run(line, BASE, room=1000) == (DONE, blank(line))


@pytest.mark.parametrize(
    "line",
    [
        b'{ "Item":{"id":{"S":"a"}}}\n',
        b'{"Item":{"v":{"N":"1"}}}\n',
        b'{"Item":{"id":{"N":"1"}}}\n',
        b'{"Item":{"m":{"M":{"id":{"S":"a"}}}}}\n',
        b'{"Item":{"id":{"S":"a"}}}}\n'.replace(b"}}}}", b"}} }"),
    ],
)
def test_lines_in_another_form_are_left_to_the_slow_path(line: bytes) -> None:
    assert Merge().run(line, BASE) == (IRREGULAR, line)
    assert Merge().run(line, 0, records=True) == (IRREGULAR, line)


KEY_OF_A = key("a", 5)
BESIDE = [
    f'{{"v":{{"N":"1"}}}},"inner":{{{KEY_OF_A}}}',
    f'{{}},"inner":{{{KEY_OF_A}}}',
    f'{{"v":{{"N":"1"}}\t}},"inner":{{{KEY_OF_A}}}',
    f'{{ }},"inner":{{{KEY_OF_A}}}',
    f'{{"v":{{"BOOL":true}}}},"inner":{{{KEY_OF_A}}}',
    f'{{"v":{{"L":[]}}}},"inner":{{{KEY_OF_A}}}',
    f'{{"v":{{"M":{{}}}}}},"trace":"{{","inner":{{{KEY_OF_A}}}',
    f'{{"v":{{"N":"1"}}}},"other":{{"x":{{}}}},"inner":{{{KEY_OF_A}}}',
    f'{{"id":{{"S":"a"}}}},"inner":{{{KEY_OF_A}}}',
    f'{{"rank":{{"N":"5"}}}},"inner":{{{KEY_OF_A}}}',
    f'{{"id":{{"S":"a"}},"\\u0072ank":{{"N":"6"}}}},"inner":{{{KEY_OF_A}}}',
    f'{{"id":{{"N":"1"}},"rank":{{"N":"5"}}}},"inner":{{{KEY_OF_A}}}',
    f'{{"v":{{"M":{{{KEY_OF_A}}}}}}},"inner":{{{KEY_OF_A}}}',
]
"""Attributes without one of the keys, or with another spelling of it, and members beside them that have both."""


@pytest.mark.parametrize("filler", [0, 20, 50, 62, 63, 64, 65, 130])
@pytest.mark.parametrize("members", BESIDE)
def test_keys_are_not_taken_from_members_beside_the_attributes(members: str, filler: int) -> None:
    text = f'{{"t":{{"S":"{"x" * filler}"}}' + ("" if members.startswith(("{}", "{ ")) else ",") + members[1:]
    merge = Merge(TWO)
    for line in (f'{{"Item":{members}}}\n'.encode(), f'{{"Item":{text}}}\n'.encode()):
        assert merge.run(line, BASE) == (IRREGULAR, line)
    merge.record(change(KEY_OF_A, TIMES[1], *DELETE))
    for line in (f'{{"Item":{members}}}\n'.encode(), f'{{"Item":{text}}}\n'.encode()):
        assert merge.run(line, BASE) == (IRREGULAR, line)


@pytest.mark.parametrize("filler", range(130))
def test_keys_are_found_after_values_of_all_types(filler: int) -> None:
    nested = '"b":{"BOOL":true},"l":{"L":[{"M":{}}]},"m":{"M":{"n":{"NULL":true}}}'
    values = f'"t":{{"S":"{"x" * filler}"}},{nested},'
    merge = Merge(TWO)
    merge.record(change(KEY_OF_A, TIMES[1], *DELETE))
    line, other = item(values + KEY_OF_A), item(values + key("b", 5))
    assert merge.run(line + other, BASE) == (DONE, blank(line) + other)


@pytest.mark.parametrize("space", [" ", "\t", "\r", "  "])
@pytest.mark.parametrize(
    "image", ['"id":{"S":"a"}', '"id":{"S":"a"},"v":{"BOOL":true}', '"v":{"M":{}},"id":{"S":"a"}', ""]
)
def test_spaces_at_the_end_of_an_old_image_do_not_hide_the_new_one(image: str, space: str) -> None:
    line = change(key("a"), TIMES[1], *PUT)
    line = line.replace(b',"NewImage"', f',"OldImage":{{{image}{space}}},"NewImage"'.encode())
    merge = Merge()
    merge.record(line)
    assert merge.table.facts[0, key_table.KEY_DELETED] == 0
    assert merge.run(line, 0) == (DONE, line)
    merge.record(change(key("a"), TIMES[2], *PUT))
    assert merge.run(line, 0) == (IRREGULAR, line)


@pytest.mark.parametrize("space", ["", " "])
@pytest.mark.parametrize("image", ["OldImage", "NewImage"])
def test_keys_of_an_image_are_not_taken_from_members_beside_it(image: str, space: str) -> None:
    line = change(key("a"), TIMES[1]).replace(
        b"}}}\n", f'}}}},"{image}":{{"v":{{"S":"x"}}{space}}},"inner":{{{key("a")}}}}}\n'.encode()
    )
    assert b'"inner":{"id"' in line
    assert Merge().run(line, 0, records=True) == (IRREGULAR, line)
