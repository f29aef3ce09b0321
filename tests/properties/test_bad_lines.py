"""Damaged lines: the decoder accepts exactly those that a strict reader accepts, and reads the same in them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.decode.decoder import Decoder
from converter.decode.strict_lines import LineProblem
from converter.options import ConvertOptions
from converter.schema.derive import derive_schema
from tests import oracle, strategies
from tests.examples import examples
from tests.properties.mutations import corpus, mutate
from tests.unit.decode.decoding import everything, make_block, write_part

LINES = corpus()


def check(data: bytes, part: Path, mixed: str = "text") -> bool:
    """Whether both accept the lines; fails if they disagree on that or on what the lines hold."""
    try:
        items = list(oracle.read_lines(data))
    except oracle.BadLineError:
        items = None
    decoder = Decoder(None, wants=everything)
    refusal = ""
    try:
        for _ in decoder.decode(make_block(data)):
            pass
    except LineProblem as problem:
        refusal = repr(problem)
    assert bool(refusal) == (items is None), f"{data!r}: {refusal or 'accepted by the decoder alone'}"
    if items is None:
        return False
    assert decoder.items == len(items)
    options = ConvertOptions(mixed=mixed)  # type: ignore[arg-type]
    schema = derive_schema(decoder.observation(), options)
    if schema.columns:
        assert not write_part(data, part, schema, options).observing
        oracle.assert_equal_to_table(oracle.expected_table_of(items, mixed=mixed), [part], "parquet")
    return True


def fuzz(seed: int, rounds: int, part: Path) -> int:
    """Check so many damaged lines and say how many were accepted."""
    chance = random.Random(seed)
    accepted = 0
    for _ in range(rounds):
        line = mutate(chance.choice(LINES), chance)
        accepted += check(line, part, chance.choice(("text", "json")))
    return accepted


def test_a_damaged_line_is_accepted_exactly_where_a_strict_reader_accepts_it(tmp_path: Path) -> None:
    chance = random.SystemRandom()
    rounds = 1500
    seed = chance.randrange(2**32)
    accepted = fuzz(seed, rounds, tmp_path / "part")
    assert 0 < accepted < rounds, seed


@pytest.mark.slow
@pytest.mark.parametrize("run", range(examples(10)))
def test_many_damaged_lines_are_accepted_exactly_where_a_strict_reader_accepts_them(run: int, tmp_path: Path) -> None:
    fuzz(random.SystemRandom().randrange(2**32), 10_000, tmp_path / "part")


@settings(max_examples=examples(60))
@given(st.data(), strategies.items(), st.integers(0, 2**32 - 1))
def test_any_line_is_judged_alike_after_any_damage(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, item: strategies.Item, seed: int
) -> None:
    line = data.draw(strategies.lines(item)) + b"\n"
    check(mutate(line, random.Random(seed)), tmp_path_factory.getbasetemp() / "part")


@pytest.mark.parametrize("line", LINES)
def test_every_beginning_of_a_line_is_judged_alike(line: bytes, tmp_path: Path) -> None:
    for end in range(len(line)):
        check(line[:end] + b"\n", tmp_path / "part")


@pytest.mark.parametrize("line", LINES[:2])
@pytest.mark.parametrize("token", [b'"', b"\\", b" ", b"\x00", b"\xff", b"}", b","])
def test_a_token_too_many_is_judged_alike_wherever_it_stands(line: bytes, token: bytes, tmp_path: Path) -> None:
    for at in range(len(line)):
        check(line[:at] + token + line[at:].rstrip(b"\n") + b"\n", tmp_path / "part")


def test_a_bad_line_is_found_behind_good_ones_at_its_own_byte() -> None:
    good, bad = LINES[0] * 50, LINES[0].replace(b"-12.5", b"-12.x")
    with pytest.raises(LineProblem) as caught:
        list(Decoder(None, wants=everything).decode(make_block(good + bad + good, byte=1000)))
    assert (caught.value.byte, caught.value.path) == (1000 + len(good), "$.Item.b.N")
