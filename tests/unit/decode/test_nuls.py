"""The character NUL in texts: kept, dropped, replaced or refused, and counted once for each text."""

from __future__ import annotations

from itertools import chain
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.decode.decoder import Decoder
from converter.decode.strict_lines import NulProblem
from converter.option_values import Nul
from converter.options import ConvertOptions
from converter.schema.columns import Schema
from converter.schema.derive import derive_schema
from tests.unit.decode.decoding import cut_blocks, everything, lines_of, make_block, observe, rows_of

TEXTS = st.text('\0\n"\\\\é\U0001f600a', max_size=70)


def decode(data: bytes, nul: Nul, block_bytes: int = 1 << 20) -> tuple[list[object], int]:
    """The texts of the attribute `a`, and how many are said to hold a NUL."""
    schema = derive_schema(observe(data), ConvertOptions())
    decoder = Decoder(schema, wants=everything, nul=nul)
    batches = chain.from_iterable(map(decoder.decode, cut_blocks(data, block_bytes)))
    rows = rows_of(schema, chain(batches, decoder.finish()))
    return [row["a"] for row in rows], decoder.observation().attributes["a"].nuls


def treated(text: str, nul: Nul) -> str:
    return {"keep": text, "drop": text.replace("\0", ""), "replace": text.replace("\0", "\ufffd")}[nul]


@given(st.lists(TEXTS, min_size=1, max_size=8), st.sampled_from(["keep", "drop", "replace"]), st.integers(1, 300))
def test_every_nul_is_treated_as_the_option_says_and_each_text_with_one_is_counted(
    texts: list[str], nul: Nul, block_bytes: int
) -> None:
    data = lines_of(*[{"a": {"S": text}, "n": {"N": "1"}} for text in texts])
    found, nuls = decode(data, nul, block_bytes)
    assert found == [treated(text, nul) for text in texts]
    assert nuls == sum("\0" in text for text in texts)


@pytest.mark.parametrize("nul", ["drop", "replace"])
def test_texts_that_grow_beyond_their_room_are_whole(nul: Nul) -> None:
    texts = ["\0" * 300_000, "a\0" * 200_000, "b"]
    found, nuls = decode(lines_of(*[{"a": {"S": text}} for text in texts]), nul)
    assert found == [treated(text, nul) for text in texts]
    assert nuls == 2


def test_a_line_that_is_read_twice_is_counted_once() -> None:
    # The space in the second attribute sends the line to the slow path after its first text has been written.
    data = b'{"Item":{"a":{"S":"x\\u0000"},"b": {"S":"y"}}}\n'
    assert decode(data, "drop") == (["x"], 1)


def test_inside_json_a_nul_stays_an_escape_and_is_not_counted() -> None:
    data = lines_of({"a": {"L": [{"S": "\0"}]}})
    assert decode(data, "drop") == (['["\\u0000"]'], 0)


def test_the_first_text_with_a_nul_is_refused_with_its_place() -> None:
    data = lines_of({"a": {"S": "x"}}, {"a": {"S": "xy\0z"}})
    decoder = Decoder(Schema(()), wants=everything, nul="fail")
    decoder.observe_only()
    with pytest.raises(NulProblem) as caught:
        list(decoder.decode(make_block(data)))
    assert (caught.value.path, caught.value.byte) == ("$.Item.a.S", data.index(b"\n") + 1)
    assert caught.value.reason == "it is character 3"


@pytest.mark.parametrize("nul", get_args(Nul))
def test_attributes_that_are_not_wanted_may_hold_any_text(nul: Nul) -> None:
    decoder = Decoder(None, wants=lambda name: name == "b", nul=nul)
    list(decoder.decode(make_block(lines_of({"a": {"S": "\0"}, "b": {"S": "x"}}))))
    assert decoder.items == 1
