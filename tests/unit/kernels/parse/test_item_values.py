"""Values of items in column buffers: what a bad item has written is undone, and growth loses nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.decode.decoder import Decoder
from converter.decode.strict_lines import LineProblem
from converter.kernels import layout
from tests import strategies
from tests.unit.decode.decoding import decode_rows, everything, lines_of, make_block, observe, schema_of

ITEM: dict[str, Any] = {
    "id": {"S": "a"},
    "n": {"N": "5"},
    "d": {"N": "2.50"},
    "b": {"B": "AQID"},
    "f": {"BOOL": True},
    "m": {"M": {"x": {"L": [{"N": "1"}, {"NULL": True}]}}},
    "s": {"SS": ["p", "q"]},
    "extra": {"S": "overflows"},
    "more": {"N": "7"},
}
BAD = [{"N": "x"}, {"N": "1" * 39}, {"B": "A"}, {"BOOL": 1}, {"M": {"": {"X": "1"}}}, {"NS": []}]


def contents(decoder: Decoder) -> list[Any]:
    """All that the buffers of a decoder hold, and how much of it."""
    buffers, rows = decoder._buffers, int(decoder._state[layout.ROW])
    facts = buffers.arrays.facts[1:, [layout.COLUMN_PRESENT, layout.COLUMN_USED]]
    columns = range(1, len(buffers.arrays.facts))
    texts = buffers.arrays.facts[:, layout.COLUMN_BITS] == 0
    return [
        rows,
        facts.tolist(),
        buffers.arrays.validity[:, : rows // 8 + 2].tolist(),
        [buffers.values(c).tobytes() if texts[c] else _numbers(decoder, c) for c in columns],
        [buffers.lengths(c).tolist() if texts[c] else [] for c in columns],
    ]


def _numbers(decoder: Decoder, column: int) -> bytes | list[int]:
    """The values of a column of numbers; of bools only the bits that count."""
    values = decoder._buffers.values(column)
    if decoder._buffers.arrays.facts[column, layout.COLUMN_BITS] > 1:
        return values.tobytes()
    bits: list[int] = np.unpackbits(values, count=decoder._buffers.present(column), bitorder="little").tolist()
    return bits


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("after", range(len(ITEM) + 1))
def test_a_bad_item_leaves_no_trace_whatever_came_before_in_it(bad: dict[str, Any], after: int) -> None:
    schema = schema_of(lines_of(ITEM, ITEM), overflow="rest", max_columns=7)
    assert schema.overflow_place is not None
    decoder = Decoder(schema, wants=lambda name: name != "bad")
    list(decoder.decode(make_block(lines_of(ITEM, {"id": {"S": "é"}}, ITEM))))
    before = contents(decoder)
    members = list(ITEM.items())
    line = lines_of(dict([*members[:after], ("bad", bad), *members[after:]]))
    with pytest.raises(LineProblem):
        list(decoder.decode(make_block(line)))
    assert contents(decoder) == before
    list(decoder.decode(make_block(lines_of(ITEM))))
    again = Decoder(schema, wants=lambda name: name != "bad")
    list(again.decode(make_block(lines_of(ITEM, {"id": {"S": "é"}}, ITEM, ITEM))))
    assert contents(decoder) == contents(again)


@given(strategies.item_lists(max_items=6).filter(bool))
def test_what_is_observed_does_not_depend_on_the_columns(items: list[dict[str, Any]]) -> None:
    data = lines_of(*items)
    decoder = Decoder(schema_of(data), wants=everything)
    list(decoder.decode(make_block(data)))
    assert decoder.observation() == observe(data)


@given(st.lists(st.tuples(strategies.small_numbers(), strategies.small_numbers()), min_size=1, max_size=6))
def test_a_number_that_does_not_fit_is_still_observed(pairs: list[tuple[str, str]]) -> None:
    first = lines_of({"n": {"N": pairs[0][0]}})
    rest = lines_of(*({"n": {"N": one}, "other": {"N": two}} for one, two in pairs))
    decoder = Decoder(schema_of(first), wants=everything)
    for data in (first, rest):
        list(decoder.decode(make_block(data)))
    assert decoder.observation() == observe(first + rest)
    assert decoder.observing


@pytest.mark.parametrize("size", [4096, 5000, 100_000])
@pytest.mark.parametrize("value", ["text", "escaped", "document", "binary", "set"])
def test_a_value_is_whole_after_its_column_has_grown(value: str, size: int) -> None:
    text = "x" * size
    values: dict[str, dict[str, Any]] = {
        "text": {"S": text},
        "escaped": {"S": '"' * size},
        "document": {"M": {"a": {"S": text}, "b": {"L": [{"S": text}]}}},
        "binary": {"B": "AQID" * (size // 3)},
        "set": {"SS": [text, "y"]},
    }
    typed = values[value]
    long = {"id": {"N": "2"}, "v": typed}
    short = {"id": {"N": "1"}, "v": {"B": "AQID"} if value == "binary" else typed}
    rows = decode_rows(lines_of(short, long, long))
    assert [row["id"] for row in rows] == [1, 2, 2]
    alone = decode_rows(lines_of(long))
    assert rows[1]["v"] == rows[2]["v"] == alone[0]["v"]
    assert len(str(alone[0]["v"])) >= size
