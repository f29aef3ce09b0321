"""The kernel for changes: which lines it takes, what it makes of them, and where it says that a map ends."""

from __future__ import annotations

import json
import random
from itertools import product
from typing import Any

import numpy as np
import pytest

from converter.decode.change_translation import ChangeLines
from converter.decode.strict_changes import ChangeForm, compact_change
from converter.kernels import layout, line_patterns
from converter.kernels.bindings import bind_translate_changes
from converter.kernels.layout import Bytes
from converter.kernels.parse.changes import map_end
from converter.kernels.toolchain.decorators import kernel
from tests.properties.mutations import change_corpus
from tests.unit.decode.decoding import make_block, padded

FORM = ChangeForm((("id", "S"), ("rank", "N")), old_images=True)
HEAD = '{"Metadata":{"WriteTimestampMicros":'


@kernel
def end_of_map(data: Bytes, at: int) -> int:
    return map_end(data, at)


def taken(line: str | bytes, form: ChangeForm = FORM) -> bytes | None:
    """The item line that the kernel makes of a change; None if it leaves it to Python."""
    data = line.encode() if isinstance(line, str) else line
    lines = ChangeLines(form)
    out = np.zeros(len(data) + 2 * line_patterns.CHANGE_ROOM, np.uint8)
    state = np.zeros(line_patterns.CHANGE_STATE_SIZE, np.int64)
    state[line_patterns.CHANGE_SIZE] = len(data)
    state[line_patterns.CHANGE_KEYS] = len(form.keys)
    state[line_patterns.CHANGE_OLD_IMAGES] = form.old_images
    status = bind_translate_changes()(padded(data), lines.patterns, out, state)
    if status == layout.IRREGULAR:
        assert state[line_patterns.CHANGE_POSITION] == 0
        return None
    assert status == layout.DONE
    return out[: state[line_patterns.CHANGE_WRITTEN]].tobytes()


def change(keys: str, images: str = "", written: str = '{"N":"1716791050804459"}') -> str:
    return f'{HEAD}{written}}},"Keys":{{{keys}}}{images}}}\n'


@pytest.mark.parametrize("line", change_corpus())
def test_the_lines_of_the_service_are_taken_and_become_what_the_slow_path_makes_of_them(line: bytes) -> None:
    assert taken(line) == compact_change(line, FORM)


@pytest.mark.parametrize("name", ["id", "i", "größe", "a b", "n" * 255])
@pytest.mark.parametrize(("tag", "value"), [("S", ""), ("S", "ü😀" * 40), ("N", "-1.5"), ("B", "AQ==")])
def test_keys_of_every_type_and_length_are_taken(name: str, tag: str, value: str) -> None:
    form = ChangeForm(((name, tag),), old_images=True)
    key = f'"{name}":{{"{tag}":"{value}"}}'
    for images in ("", f',"OldImage":{{{key}}}', f',"NewImage":{{"z":{{"M":{{}}}},{key},"a":{{"S":"x"}}}}'):
        line = change(key, images)
        assert taken(line, form) == compact_change(line.encode(), form)


@pytest.mark.parametrize("micros", ["1716791050804459", "1716791050800000", "1716791050000000", "1000000", "9" * 17])
def test_the_time_is_taken_in_all_three_forms(micros: str) -> None:
    keys = '"rank":{"N":"1"},"id":{"S":"a"}'
    for written in (f'{{"N":"{micros}"}}', f'"{micros}"', micros):
        line = change(keys, written=written)
        found = taken(line)
        assert found == compact_change(line.encode(), FORM).replace(b'"id":{"S":"a"},"rank":{"N":"1"}', keys.encode())


@pytest.mark.parametrize(
    "line",
    [
        change('"id":{"S":"a"}'),
        change('"id":{"S":"a"},"rank":{"N":"1"},"more":{"N":"1"}'),
        change('"id":{"S":"a"},"rank":{"S":"1"}'),
        change('"id":{"S":"a"},"rank":{"N":"01"}'),
        change('"id":{"S":"a\\q"},"rank":{"N":"1"}'),
        change('"id":{"S":"\\ud800"},"rank":{"N":"1"}'),
        change('"id":{"S":"a"},"rank":{"N":"1"}', ',"NewImage":{"id":{"S":"a"}}'),
        change('"id":{"S":"a"},"rank":{"N":"1"}', ',"NewImage":{"id":{"S":"b"},"rank":{"N":"1"}}'),
        change('"id":{"S":"a"},"rank":{"N":"1"}', ',"NewImage":{}'),
        change('"id":{"S":"a"},"rank":{"N":"1"}', ',"Other":{}'),
        change('"id":{"S":"a"},"rank":{"N":"1"}', written='{"N":"-1716791050804459"}'),
        change('"id":{"S":"a"},"rank":{"N":"1"}', written='"0716791050804459"'),
        change('"id":{"S":"a"},"rank":{"N":"1"}', written="17167910508e4459"),
        change('"id":{"S":"a"},"rank":{"N":"1"}', written='{"S":"1716791050804459"}'),
        change('"id":{"S":"a"},"rank":{"N":"1"}', written="999999"),
        change('"id":{"S":"a"},"rank":{"N":"1"}', written="1" * 18),
        change('"id" :{"S":"a"},"rank":{"N":"1"}'),
        '{"Item":{"id":{"S":"a"}}}\n',
        " null\n",
    ],
)
def test_every_other_line_is_left_to_python(line: str) -> None:
    assert taken(line) is None


def test_lines_are_refused_where_bytes_are_no_text_or_the_view_has_no_old_images() -> None:
    keys = b'"id":{"S":"a"},"rank":{"N":"1"}'
    for place in (b'"id":{"S":"\xff"},"rank":{"N":"1"}', b'"id":{"S":"\xc3"},"rank":{"N":"1"}'):
        assert taken(change("@").encode().replace(b"@", place)) is None
    for image in (b',"OldImage":{"\xffold":{"M":{}}}', b',"NewImage":{%b,"\xffold":{"M":{}}}' % keys):
        assert taken(change("@", "#").encode().replace(b"@", keys).replace(b"#", image)) is None
    old = change(keys.decode(), f',"OldImage":{{{keys.decode()}}}')
    assert taken(old) is not None
    assert taken(old, ChangeForm(FORM.keys, old_images=False)) is None


def maps(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    """A map of typed values, with texts that look like structure."""
    texts = ("", "{", "}}", '"', "\\", '\\"', '}}}"', "{\\\\", "é}", "x" * 61 + "}")
    found: dict[str, Any] = {}
    for number in range(chance.randint(0, 5)):
        name = chance.choice(texts) + str(number)
        if depth < 4 and chance.random() < 0.4:
            found[name] = {"M": maps(chance, depth + 1)}
        else:
            found[name] = {"S": "".join(chance.choice(texts) for _ in range(chance.randint(0, 9)))}
    return found


def test_a_map_ends_where_it_ends_whatever_its_texts_hold_and_wherever_64_bytes_do() -> None:
    chance = random.Random(5)
    for _ in range(1500):
        text = json.dumps(maps(chance), ensure_ascii=False, separators=(",", ":")).encode()
        before = chance.randrange(70)
        data = b"y" * before + text + chance.choice([b",}", b"}", b'"}}']) + b"\n"
        assert end_of_map(padded(data), before) == before + len(text), data


@pytest.mark.parametrize(
    "value", ['{"S":"x"}', '{"BOOL":true}', '{"SS":["x"]}', '{"M":{}}', '{"M":{"x":{"NULL":true}}}']
)
def test_a_map_ends_at_its_brace_with_and_without_spaces_in_front_of_it(value: str) -> None:
    for space, filler in product(["", " ", "\t", "\r", "  "], [0, 1, 40, 50, *range(56, 66), 120]):
        text = f'{{"{"x" * filler}":{value}{space}}}'
        data = padded(f'{text},"other":{{"a":{value}}}}}\n'.encode())
        assert end_of_map(data, 0) == len(text), text


def test_a_map_that_does_not_end_in_its_line_has_no_end() -> None:
    line = b'{"a":{"M":{"b":{"S":"' + b"x" * 130 + b'"}}}}'
    assert end_of_map(padded(line + b"\n"), 0) == len(line)
    for end in range(1, len(line)):
        assert end_of_map(padded(line[:end] + b"\n" + line + b"\n"), 0) == layout.IRREGULAR
    for place in range(1, len(line)):
        damaged = line[:place] + b"\xff" + line[place + 1 :] + b"\n"
        assert end_of_map(padded(damaged), 0) == layout.IRREGULAR


def test_each_item_line_leads_back_to_its_change() -> None:
    service, spaced = change_corpus()[1], change_corpus()[0].replace(b'"Keys":', b'"Keys": ')
    lines = [service, b"\n", b"{}\n", spaced, service, spaced, spaced, b" \n", service]
    translator = ChangeLines(FORM)
    found = []
    for block in translator.translate(make_block(b"".join(lines), byte=500)):
        at = 0
        for item in block.data[: block.size].tobytes().splitlines(keepends=True):
            found.append(translator.original(at))
            at += len(item)
    begins = [500 + len(b"".join(lines[:number])) for number in range(len(lines))]
    assert found == [(begin, line[:-1]) for begin, line in zip(begins, lines, strict=True)]
