"""Lines as the main kernel finds them: which it reads itself, and where it stops."""

from __future__ import annotations

import numpy as np
import pytest

from converter.decode.decoder import Decoder
from converter.decode.strict_lines import LineProblem
from converter.kernels.parse.items import line_end
from converter.kernels.toolchain.decorators import kernel
from tests import oracle
from tests.unit.decode.decoding import column_of, decode_rows, everything, lines_of, make_block, observe, padded


@kernel
def end_of_line(data: np.ndarray[tuple[int], np.dtype[np.uint8]], at: int) -> int:
    return line_end(data, at)


def test_a_line_ends_at_its_newline() -> None:
    data = padded(b"ab\n\ncd\n")
    assert [end_of_line(data, at) for at in (0, 2, 3, 4)] == [2, 2, 3, 6]


@pytest.mark.parametrize("between", [b"\n", b"\n\n\n", b"{}\n", b"{}\n\n{}\n"])
def test_blank_lines_and_empty_objects_are_told_from_items(between: bytes) -> None:
    decoder = Decoder(None, wants=everything)
    item = lines_of({"a": {"N": "1"}})
    list(decoder.decode(make_block(between + item + between + item + between)))
    assert decoder.items == 2
    assert decoder.empty_objects == 3 * between.count(b"{}")


def test_an_item_without_attributes_is_an_item_and_a_row_of_nulls() -> None:
    rows = decode_rows(b'{"Item":{}}\n{"Item":{"a":{"N":"1"}}}\n{"Item":{}}\n')
    assert rows == [{"a": None}, {"a": 1}, {"a": None}]


def test_attributes_may_come_in_any_order_in_every_line() -> None:
    lines = (
        b'{"Item":{"a":{"N":"1"},"b":{"S":"x"}}}\n{"Item":{"b":{"S":"y"},"a":{"N":"2"}}}\n{"Item":{"b":{"S":"z"}}}\n'
    )
    assert decode_rows(lines) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": None, "b": "z"}]


@pytest.mark.parametrize("names", [("a", "b", "c"), ("x" * 80, "x" * 81, "x" * 79 + "y"), ("n", "n" * 64, "n" * 65)])
def test_names_that_begin_alike_are_never_taken_for_one_another(names: tuple[str, str, str]) -> None:
    chance = np.random.default_rng(3)
    items: list[dict[str, object]] = []
    for number in range(1, 201):
        order = [names[i] for i in chance.permutation(3)[: 1 + number % 3]]
        items.append({name: {"N": f"{number}{names.index(name)}"} for name in order})
    rows = decode_rows(lines_of(*items))
    for item, row in zip(items, rows, strict=True):
        found = {name: {"N": str(value)} for name, value in row.items() if value is not None}
        assert found == item


@pytest.mark.parametrize(
    "line",
    [
        '{"Item":{"a":{"N":"1"},"a":{"N":"2"}}}',
        '{"Item":{"a":{"N":"1"},"a":{"S":"2"}}}',
        '{"Item":{"a":{"N":"1"},"\\u0061":{"N":"2"}}}',
        '{"Item":{"a":{"NULL":true},"b":{"N":"1"},"a":{"NULL":true}}}',
        '{"Item":{"":{"N":"1"},"":{"N":"1"}}}',
    ],
)
def test_a_name_that_occurs_twice_is_a_bad_line_whatever_came_before(line: str) -> None:
    good = lines_of({"a": {"N": "1"}}, {"a": {"S": "2"}}, {"": {"N": "1"}}, {"a": {"NULL": True}, "b": {"N": "1"}})
    for before in (b"", good, good + b'{"Item":{"\\u0061":{"N":"2"}}}\n'):
        with pytest.raises(LineProblem, match="twice"):
            observe(before + line.encode() + b"\n")


@pytest.mark.parametrize(
    "line",
    [
        '{"Item":{"a":{"N":"1"}}',
        '{"Item":{"a":{"N":"1"}}}}',
        '{"Item":{"a":{"N":"1"},}}',
        '{"Item":{,"a":{"N":"1"}}}',
        '{"Item":{"a":{"N":"1"}}},',
        '{"Item":{"a":{"N":"1"}}}x',
        '{"Item":{"a":{"N":"1"}"b":{"N":"1"}}}',
        '{"Item":{"a":{"N":"1","S":"x"}}}',
        '{"Item":{"a"{"N":"1"}}}',
        '{"Item":{"a":{N:"1"}}}',
        '{"Item":{"a":{"N":"1}}}',
        '{"Item":{"a":"1"}}',
        '{"Item":}',
        '{"Item":{}',
        '{"Item":{}}}',
        '{"Item":{}},{}',
        '{"Item"}',
        '{"Item":{"a":{"BOOL":tru}}}',
        '{"Item":{"a":{"BOOL":truefalse}}}',
        '{"Item":{"a":{"NULL":nul}}}',
        '{"Item":{"a":{"S":"x"x}}}',
        "{}{}",
        "{}}",
        "{",
        "null",
        "[]",
        "\\n",
    ],
)
def test_a_damaged_line_is_refused_before_and_behind_good_ones(line: str) -> None:
    good = lines_of({"a": {"N": "1"}}, {"a": {"S": "1"}, "b": {"N": "1"}}, {"a": {"BOOL": True}}, {"a": {"NULL": True}})
    for before, behind in ((b"", b""), (good, b""), (b"", good), (good, good)):
        with pytest.raises(LineProblem) as caught:
            observe(before + line.encode() + b"\n" + behind)
        assert caught.value.byte == len(before)


def test_an_irregular_line_in_the_middle_keeps_its_place_among_the_rows() -> None:
    lines = b"".join(
        [
            b'{"Item":{"a":{"N":"1"},"s":{"S":"one"}}}\n',
            b'{"Item":{"s":{"S":"two"}, "a":{"N":"2E0"}}}\n',
            b'{"Item":{"s":{"S":"three"},"a":{"N":"3"}}}\n',
        ]
    )
    assert decode_rows(lines) == [{"a": 1, "s": "one"}, {"a": 2, "s": "two"}, {"a": 3, "s": "three"}]


def test_what_an_irregular_line_wrote_before_it_was_noticed_is_taken_back() -> None:
    fields: dict[str, object] = {
        "i": {"N": "5"},
        "d": {"N": "1.5"},
        "s": {"S": "x" * 70},
        "b": {"B": "AQID"},
        "t": {"BOOL": True},
        "j": {"L": [{"N": "1"}]},
    }
    compact = lines_of(fields, fields)
    spaced = lines_of(fields).replace(b"]}}}", b"]} }}")
    assert spaced != lines_of(fields)
    rows = decode_rows(spaced + compact + spaced)
    assert rows == decode_rows(compact + compact)


@pytest.mark.parametrize("value", ["9223372036854775807", "-9223372036854775808", "0", "1E+2", "-0", "1.0"])
def test_integers_at_the_edges_of_int64_are_exact(value: str) -> None:
    lines = lines_of({"n": {"N": "1"}}, {"n": {"N": value}})
    assert column_of(lines, "n") == [1, int(oracle.plain_number(value))]
