"""Thrift's compact protocol: whatever is written, a reader by the specification finds the same fields."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.write.thrift import I64, Struct, ThriftValue, encode_struct
from tests.unit.write.reading import read_struct, values_of

I32S = st.integers(-(2**31), 2**31 - 1)
I64S = st.integers(-(2**63), 2**63 - 1)
LEAVES: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "i32": I32S,
    "i64": I64S.map(I64),
    "bytes": st.binary(max_size=200),
    "text": st.text(max_size=60),
}
KINDS = {"bool": 1, "i32": 5, "i64": 6, "bytes": 8, "text": 8}


def read(fields: list[tuple[int, ThriftValue | None]]) -> dict[int, Any]:
    """The values of these fields, written and read back."""
    data = encode_struct(fields)
    found, end = read_struct(data)
    assert end == len(data)
    return values_of(found)


def plain(value: Any) -> Any:
    """What a reader gives for a value."""
    if isinstance(value, I64):
        return int(value)
    return value.encode() if isinstance(value, str) else value


@st.composite
def structs(draw: st.DrawFn, depth: int = 2) -> tuple[Struct, dict[int, Any]]:
    """(a struct, what a reader finds in it)."""
    numbers = sorted(draw(st.sets(st.one_of(st.integers(1, 20), st.integers(1, 32_767)), max_size=5)))
    fields: list[tuple[int, ThriftValue | None]] = []
    expected: dict[int, Any] = {}
    for number in numbers:
        kind = draw(st.sampled_from([*LEAVES, "list", "nothing", *(["struct", "structs"] if depth else [])]))
        value: Any = None
        if kind in LEAVES:
            value = draw(LEAVES[kind])
            expected[number] = plain(value)
        elif kind == "list":
            value = draw(st.one_of(st.lists(I32S, max_size=20), st.lists(st.text(max_size=3), max_size=20)))
            expected[number] = list(map(plain, value))
        elif kind == "struct":
            value, expected[number] = draw(structs(depth - 1))
        elif kind == "structs":
            pairs = draw(st.lists(structs(depth - 1), max_size=3))
            value = [pair[0] for pair in pairs]
            expected[number] = [pair[1] for pair in pairs]
        fields.append((number, value))
    return encode_struct(fields), expected


@given(structs())
def test_a_struct_is_read_back_with_all_that_is_in_it(pair: tuple[Struct, dict[int, Any]]) -> None:
    struct, expected = pair
    found, end = read_struct(struct + b"\x15\x02")
    assert end == len(struct)
    assert values_of(found) == expected


@pytest.mark.parametrize("kind", LEAVES)
@given(data=st.data(), number=st.integers(1, 32_767))
def test_a_field_has_the_type_of_its_value(kind: str, data: st.DataObject, number: int) -> None:
    value = data.draw(LEAVES[kind])
    found, _ = read_struct(encode_struct([(number, value)]))
    assert found == {number: (KINDS[kind], plain(value))}


@pytest.mark.parametrize(
    ("fields", "data"),
    [
        ([], "00"),
        ([(1, True)], "1100"),
        ([(1, False), (2, True)], "121100"),
        ([(1, 0)], "150000"),
        ([(1, -1)], "150100"),
        ([(1, 1), (4, I64(300))], "150236d80400"),
        ([(15, 1)], "f50200"),
        ([(16, 1)], "05200200"),
        ([(1, 63), (17, -64)], "157e05227f00"),
        ([(1, "é")], "1802c3a900"),
        ([(2, [])], "290c00"),
        ([(1, [1, -1])], "1925020100"),
        ([(1, encode_struct([(1, encode_struct([]))]))], "1c1c000000"),
    ],
)
def test_structs_have_the_bytes_of_the_specification(fields: list[tuple[int, ThriftValue | None]], data: str) -> None:
    assert encode_struct(fields).hex() == data


@pytest.mark.parametrize("gap", [1, 2, 14, 15, 16, 17, 1000, 32_000])
def test_gaps_between_fields_may_be_of_any_size(gap: int) -> None:
    assert read([(1, 5), (1 + gap, 6), (2 + gap, 7)]) == {1: 5, 1 + gap: 6, 2 + gap: 7}


@pytest.mark.parametrize("number", [0, 1, -1, 63, 64, -64, -65, 8191, 8192, 2**31 - 1, -(2**31)])
def test_numbers_are_read_back_whatever_their_sign_and_size(number: int) -> None:
    far = number << 32
    assert read([(1, number), (2, I64(number)), (3, I64(far))]) == {1: number, 2: number, 3: far}


@pytest.mark.parametrize("size", [0, 1, 14, 15, 16, 100, 127, 128, 300])
def test_lists_of_any_length_are_read_back(size: int) -> None:
    texts = [str(n) for n in range(size)]
    members = [encode_struct([(1, n), (2, True)]) for n in range(size)]
    found = read([(1, list(range(size))), (2, texts), (3, members), (4, 1)])
    assert found == {
        1: list(range(size)),
        2: [text.encode() for text in texts],
        3: [{1: n, 2: True} for n in range(size)],
        4: 1,
    }


def test_fields_without_a_value_are_left_out_and_those_behind_keep_their_numbers() -> None:
    assert encode_struct([(1, None), (2, None)]) == b"\x00"
    assert read([(1, None), (3, 1), (4, None), (9, b"x")]) == {3: 1, 9: b"x"}
