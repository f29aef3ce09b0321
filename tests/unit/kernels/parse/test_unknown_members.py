"""The kernel that removes unknown members: what it keeps, what it removes, and which lines it does not change."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.kernels import line_patterns
from converter.kernels.bindings import bind_remove_unknown_members
from converter.kernels.line_patterns import PATTERN_TAG, new_patterns
from converter.kernels.scratch import new_scratch
from tests.unit.decode.decoding import padded

KEYS = [('"id":{"S":', 0), ("", 0)]
MEMBERS = [
    ('"Metadata":', line_patterns.MEMBER_METADATA),
    ('"Keys":', line_patterns.MEMBER_KNOWN),
    ('"NewImage":', line_patterns.MEMBER_IMAGE),
    ('"WriteTimestampMicros":', line_patterns.MEMBER_OF_METADATA),
    ('"user":', line_patterns.MEMBER_UNKNOWN),
    ('"other":', line_patterns.MEMBER_UNKNOWN),
    ('"source":', line_patterns.MEMBER_UNKNOWN_OF_METADATA),
]
TIME = {"WriteTimestampMicros": {"N": "1716791050804459"}}
KEY = {"id": {"S": "a"}}
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", 'a"b', "}{", "\\", "é" * 70]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)


def remove(lines: bytes, *, needs_image: bool = False) -> tuple[int, bytes]:
    """How many lines were not changed by the kernel, and the lines after it."""
    parts = KEYS + MEMBERS
    patterns = new_patterns({n: text for n, (text, _) in enumerate(parts)}, len(parts))
    patterns.facts[:, PATTERN_TAG] = [role for _, role in parts]
    state = np.zeros(line_patterns.MEMBERS_STATE_SIZE, np.int64)
    state[line_patterns.MEMBERS_SIZE] = len(lines)
    state[line_patterns.MEMBERS_COUNT] = len(parts)
    state[line_patterns.MEMBERS_KEYS] = 1
    state[line_patterns.MEMBERS_NEED_IMAGE] = needs_image
    out = np.full(len(lines) + 128, 0xEE, np.uint8)
    count = bind_remove_unknown_members()(padded(lines), patterns, out, state, new_scratch(100))
    return count, out[: len(lines)].tobytes()


def line_of(members: dict[str, Any]) -> bytes:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@given(st.data())
def test_a_line_keeps_its_place_and_its_known_members(data: st.DataObject) -> None:
    lines = []
    for _ in range(3):
        metadata = {**TIME, **data.draw(st.dictionaries(st.just("source"), VALUES))}
        members = {"Metadata": metadata, "Keys": KEY, "NewImage": {**KEY, "v": {"S": 'a"}{'}}}
        members |= data.draw(st.dictionaries(st.sampled_from(["user", "other"]), VALUES))
        lines.append(dict(data.draw(st.permutations(list(members.items())))))
    written = [line_of(members) for members in lines]
    count, out = remove(b"".join(written))
    assert count == 0
    at = 0
    for members, line in zip(lines, written, strict=True):
        known = {name: value for name, value in members.items() if name in ("Metadata", "Keys", "NewImage")}
        expected = line_of(known | {"Metadata": TIME})
        assert out[at : at + len(line)] == expected + b"\n" * (len(line) - len(expected))
        at += len(line)


@pytest.mark.parametrize(
    "members",
    [
        {"Keys": KEY, "new": 1},
        {"Keys": KEY, "Metadata": {**TIME, "user": 1}},
        {"Keys": KEY, "source": 1},
        {"user": 1},
        {"Keys": KEY, "user": {"image": KEY}},
        {"Keys": KEY, "Metadata": {**TIME, "source": [KEY]}},
        {"Keys": 5, "user": 1},
    ],
)
def test_a_line_with_another_member_or_one_like_an_image_stays(members: dict[str, Any]) -> None:
    other, line = line_of({"Keys": KEY}), line_of(members)
    assert remove(other + line + other) == (1, other + line + other)


@pytest.mark.parametrize(
    "line",
    [
        b'{"Keys":{},"user":01}\n',
        b'{"Keys":{},"user":1,"user":1}\n',
        b'{"Keys":{},"user":{"a":1,"a":2}}\n',
        b'{"Keys":{}, "user":1}\n',
        b'{"Keys":{},"user":1} \n',
        b'{"Keys":{},"user":1\n',
        b"\n",
        b"{}\n",
    ],
)
def test_a_line_that_is_not_compact_json_stays(line: bytes) -> None:
    assert remove(line) == (1, line)


def test_a_change_without_an_image_keeps_its_unknown_members_where_deletes_have_one() -> None:
    delete, put = line_of({"Keys": KEY, "user": 1}), line_of({"Keys": KEY, "user": 1, "NewImage": KEY})
    count, out = remove(delete + put, needs_image=True)
    assert count == 1
    assert out.startswith(delete + line_of({"Keys": KEY, "NewImage": KEY}))
    assert remove(delete)[0] == 0
