"""Numbers and bools of items in column buffers: the fast way and the general way store the same values."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.decode.decoder import Decoder
from converter.decode.strict_lines import LineProblem
from tests import strategies
from tests.unit.decode.decoding import decode_rows, everything, lines_of, make_block, observe, schema_of

LIMITS = [0, 1, -1, 10**17, 10**18 - 1, 10**18, -(10**18), 2**63 - 1, -(2**63)]


@given(st.lists(st.sampled_from(LIMITS) | st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=12))
def test_integers_up_to_the_limits_of_int64_are_exact(values: list[int]) -> None:
    rows = decode_rows(lines_of(*({"n": {"N": str(value)}} for value in values)))
    assert [row["n"] for row in rows] == values


@pytest.mark.parametrize("text", [str(2**63), str(-(2**63) - 1), "1.5", "1E+19", "9" * 38])
def test_a_number_outside_of_its_column_ends_the_batches_and_is_observed(text: str) -> None:
    data = lines_of({"n": {"N": "1"}}, {"n": {"N": text}}, {"n": {"N": "2"}})
    decoder = Decoder(schema_of(lines_of({"n": {"N": "1"}})), wants=everything)
    assert list(decoder.decode(make_block(data))) == []
    assert decoder.observing
    assert "'n' is wider than" in decoder.surprise
    assert decoder.observation() == observe(data)


@given(st.lists(strategies.unplain_numbers(), min_size=1, max_size=8))
def test_every_spelling_of_a_number_is_the_same_value(texts: list[str]) -> None:
    plain = [format(Decimal(text), "f") if Decimal(text) else "0" for text in texts]
    rows, expected = (decode_rows(lines_of(*({"n": {"N": text}} for text in each))) for each in (texts, plain))
    assert [Decimal(str(row["n"])) for row in rows] == [Decimal(text) for text in texts]
    assert rows == expected


def test_bools_are_packed_without_those_that_are_absent() -> None:
    chance = np.random.default_rng(5)
    values = [None if kind == 2 else bool(kind) for kind in chance.integers(0, 3, 100)]
    items = [{"id": {"N": "1"}} | ({} if value is None else {"b": {"BOOL": value}}) for value in values]
    assert [row["b"] for row in decode_rows(lines_of(*items))] == values


@pytest.mark.parametrize(
    "value", [b'{"NULL":false}', b'{"NULL":1}', b'{"BOOL":tru}', b'{"BOOL":"true"}', b'{"BOOL":null}']
)
def test_other_words_than_true_and_false_are_bad(value: bytes) -> None:
    with pytest.raises(LineProblem):
        observe(b'{"Item":{"v":' + value + b"}}\n")
