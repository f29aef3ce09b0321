"""Changed keys and superseded items: the kernels agree with a strict reader, on damaged lines too."""

from __future__ import annotations

import json
import random

import pytest

from converter.decode.strict_lines import LineProblem, compact_line
from converter.merging.changed_keys import ChangedKeys, read_change, read_key
from converter.merging.changed_keys_builder import ChangedKeysBuilder
from converter.merging.merge_lines import MergeLines
from tests.properties.changed_keys import FORM, ITEMS, merge_outcome, recorded
from tests.properties.mutations import change_corpus, mutate
from tests.unit.decode.decoding import make_block

LINES = change_corpus()


def check_changes(data: bytes) -> bool:
    """Return whether a strict reader accepts the changes; then the kernel has recorded exactly these."""
    expected: dict[tuple[bytes, ...], tuple[int, bool]] = {}
    try:
        for line in data.split(b"\n"):
            change = read_change(line, FORM)
            if change is None:
                continue
            before = expected.get(change.key)
            if before is not None and before[0] == change.micros:
                raise LineProblem("$", "twice")
            if before is None or before[0] < change.micros:
                expected[change.key] = change.micros, change.deletes
    except LineProblem:
        merge_outcome(data, b"".join(ITEMS))
        return False
    builder = ChangedKeysBuilder(FORM.keys)
    builder.add(make_block(data), 0, FORM)
    assert recorded(builder.build()) == {b"".join(key): known for key, known in expected.items()}
    return True


def check_items(data: bytes, changed: ChangedKeys) -> bool:
    """Return whether a strict reader finds a key in each line; then the kernel has blanked those with a changed key.

    A bad line with a changed key must be refused.
    """
    block = make_block(data)
    lines = MergeLines(changed, [FORM])
    lines.begin_increment(None)
    try:
        keys = [read_key(line, FORM.keys) for line in data.removesuffix(b"\n").split(b"\n")]
        for line, key in zip(data.split(b"\n"), keys, strict=False):
            # Bytes that are in no text are refused before the decoder takes them for names of its own.
            if (key is not None and changed.has(key)) or b"\xff" in line:
                compact_line(line)
    except LineProblem:
        with pytest.raises(LineProblem):
            list(lines.translate(block))
        return False
    list(lines.translate(block))
    if None in keys:
        return False
    at = 0
    for line, key in zip(data.split(b"\n"), keys, strict=False):
        assert key is not None
        left = block.data[at : at + len(line)].tobytes()
        assert left == (b"\n" * len(line) if changed.has(key) else line)
        at += len(line) + 1
    return True


def test_the_changes_of_the_service_are_recorded() -> None:
    assert check_changes(b"".join(LINES[::3]) + b"\n{}\n")


def test_damaged_changes_are_recorded_as_a_strict_reader_reads_them() -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    accepted = sum(check_changes(mutate(chance.choice(LINES), chance)) for _ in range(500))
    assert 0 < accepted < 500, seed


def test_items_with_changed_keys_are_found_in_damaged_lines_too() -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    builder = ChangedKeysBuilder(FORM.keys)
    builder.add(make_block(b"".join(LINES[::3])), 0, FORM)
    assert check_items(b"".join(ITEMS), builder.build())
    accepted = sum(check_items(mutate(chance.choice(ITEMS), chance), builder.build()) for _ in range(500))
    assert 0 < accepted < 500, seed


@pytest.mark.parametrize("filler", [0, 1, 30, 61, 62, 63, 64, 127, 128, 1000])
def test_a_key_is_found_wherever_it_stands_and_not_inside_of_values(filler: int) -> None:
    builder = ChangedKeysBuilder((("id", "S"),))
    change = b'{"Metadata":{"WriteTimestampMicros":{"N":"1716791050804459"}},"Keys":{"id":{"S":"a"}}}\n'
    builder.add(make_block(change), 0, FORM)
    inside = {"M": {"id": {"S": "a"}, "l": {"L": [{"M": {"id": {"S": "a"}}}]}}}
    text = {"S": '{"id":{"S":"a"}},' + "x" * filler + '\\"id":{"S":"a"}'}
    for key, found in (("a", True), ("b", False), ("aa", False), ("", False)):
        for item in (
            {"m": inside, "t": text, "id": {"S": key}},
            {"id": {"S": key}, "m": inside, "t": text},
            {"t": text, "i": inside, "id": {"S": key}, "idd": {"S": "a"}, "ID": {"S": "a"}},
        ):
            line = json.dumps({"Item": item}, separators=(",", ":")).encode() + b"\n"
            block = make_block(line)
            lines = MergeLines(builder.build(), [FORM])
            lines.begin_increment(None)
            list(lines.translate(block))
            assert (lines.dropped == 1) == found, item


def test_many_keys_are_kept_apart_when_the_table_grows() -> None:
    builder = ChangedKeysBuilder(FORM.keys)
    head = '{"Metadata":{"WriteTimestampMicros":{"N":"1716791050804459"}},"Keys":'
    lines = [f'{head}{{"id":{{"S":"k{n}"}},"rank":{{"N":"{n % 7}"}}}}}}\n' for n in range(20_000)]
    for begin in range(0, len(lines), 1000):
        builder.add(make_block("".join(lines[begin : begin + 1000]).encode()), 0, FORM)
    changed = builder.build()
    assert changed.count == 20_000
    assert changed.has((b"k1", b"1"))
    assert not changed.has((b"k1", b"2"))
    assert not changed.has((b"k", b"11"))
    assert not changed.has((b"k20000", b"1"))
    assert all(changed.has((b"k%d" % n, b"%d" % (n % 7))) for n in range(0, 20_000, 97))


def test_of_several_changes_the_one_of_the_later_increment_counts_and_then_the_later_one() -> None:
    def change(micros: int, new: str = "") -> bytes:
        keys = '"id":{"S":"a"},"rank":{"N":"1"}'
        image = f',"NewImage":{{{keys}}}' if new else ""
        return f'{{"Metadata":{{"WriteTimestampMicros":{{"N":"{micros}"}}}},"Keys":{{{keys}}}{image}}}\n'.encode()

    steps = [(1, 2_000_000, "x"), (0, 9_000_000, ""), (1, 1_000_000, ""), (1, 3_000_000, "")]
    builder = ChangedKeysBuilder(FORM.keys)
    for order, micros, new in steps:
        builder.add(make_block(change(micros, new)), order, FORM)
    assert recorded(builder.build()) == {b"a1": (3_000_000, True)}
    with pytest.raises(LineProblem, match="same keys and time"):
        builder.add(make_block(change(3_000_000)), 1, FORM)
