"""Exports in ION: they become what the oracle reads in them, and what the same table in DynamoDB JSON becomes.

What is accepted is what the oracle accepts. Amazon's reader, which is less strict, has to find the same in it.
"""

from __future__ import annotations

import json
import random
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import converter
from converter.errors import BadLineError, ConvertError
from converter.options import ConvertOptions
from converter.publishing.report import Report
from converter.testing import ExportFacts, OutputFormat, ion_line, item_line, write_split_export
from tests import oracle, strategies
from tests.examples import examples
from tests.ion_translation import json_lines
from tests.oracle_ion import read_ion_items
from tests.properties.ion_mutations import CHANGES, LINES, damage
from tests.properties.ion_oracles import compare_changes, compare_items
from tests.properties.line_paths import VIEWS


def fuzz(rounds: int) -> tuple[int, int]:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    accepted = 0
    for _ in range(rounds):
        line = damage(chance.choice(LINES), chance)
        lines = [LINES[0], line, LINES[1]] if chance.randrange(2) else [line]
        accepted += compare_items(b"".join(lines))
        accepted += compare_changes(damage(chance.choice(CHANGES), chance), chance.choice(VIEWS))
    return seed, accepted


@pytest.mark.parametrize("view", VIEWS)
def test_whole_changes_are_accepted(view: str) -> None:
    has_old_image = [b",OldImage:" in line for line in CHANGES]
    assert [not compare_changes(line, view) for line in CHANGES] == [
        has_old and view == VIEWS[0] for has_old in has_old_image
    ]


def test_a_damaged_line_is_accepted_exactly_if_the_oracle_finds_an_item() -> None:
    seed, accepted = fuzz(1500)
    assert 0 < accepted < 3000, seed


@pytest.mark.slow
@pytest.mark.parametrize("run", range(4))
def test_many_damaged_lines_are_accepted_exactly_if_the_oracle_finds_an_item(run: int) -> None:
    fuzz(20_000)


def respell(line: bytes, chance: random.Random) -> bytes:
    """Other spellings of the same line: white space, quotes around names, exponents, a comma too many."""
    tokens = re.findall(
        r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|\{\{[^}]*\}\}|::|[\w$.+-]+|.', line.decode().strip(), re.S
    )
    spelled = []
    for token, following in zip(tokens, [*tokens[1:], ""], strict=True):
        if following == ":" and token[0] not in "'\"" and chance.randrange(3) == 0:
            token = chance.choice((f"'{token}'", f'"{token}"'))
        elif re.fullmatch(r"-?\d[\d.]*(d-?\d+)?", token) and chance.randrange(2):
            digits, _, exponent = token.partition("d")
            point = digits if "." in digits else f"{digits}."
            token = f"{point}0{chance.choice('dD')}{exponent or 0}"
        spelled.append(token + chance.choice(("", "", " ", "\t", "  ")) * (token not in ("$ion_1_0", "{{")))
    return "".join(spelled).replace("$ion_1_0", "$ion_1_0 ").encode() + b"\n"


@settings(max_examples=examples(150))
@given(strategies.items(), st.integers(0, 2**32 - 1))
def test_every_item_comes_out_as_it_went_into_ion_however_it_is_spelled(item: strategies.Item, seed: int) -> None:
    line = item_line(item)
    ion = ion_line(line)
    assert ion.count(b"\n") == 1
    json_bytes, problem = json_lines(ion)
    assert problem is None
    assert json_bytes.count(b"\n") == 1
    assert json.loads(json_bytes) == json.loads(line)
    assert compare_items(ion)
    spelled = respell(ion, random.Random(seed))
    assert json_lines(spelled) == (json_bytes, None), spelled


def convert_both(
    folder: Path, items: list[list[strategies.Item]], options: ConvertOptions
) -> list[tuple[Path, Report | str]]:
    """The same table exported in both formats: where it lies, and the report, or why there can be none."""
    done: list[tuple[Path, Report | str]] = []
    formats: tuple[OutputFormat, ...] = ("DYNAMODB_JSON", "ION")
    for output_format in formats:
        export = write_split_export(folder / output_format, items, facts=ExportFacts(output_format=output_format))
        try:
            done.append((export.folder, converter.convert(export.folder, folder / f"out-{output_format}", options)))
        except ConvertError as error:
            done.append((export.folder, error.what))
    return done


@settings(max_examples=examples(30))
@given(st.lists(strategies.item_lists(), min_size=1, max_size=3), st.sampled_from(["parquet", "csv"]))
def test_an_export_in_ion_becomes_what_its_twin_in_dynamodb_json_becomes(
    items: list[list[strategies.Item]], format: str
) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        options = ConvertOptions(format=format, workers=2)  # type: ignore[arg-type]
        (_, in_json), (export, in_ion) = convert_both(folder, items, options)
        if isinstance(in_json, str) or isinstance(in_ion, str):
            assert in_ion == in_json
            return
        assert in_ion.columns == in_json.columns
        assert in_ion.items == in_json.items == sum(map(len, items))
        assert in_ion.bytes_json == in_json.bytes_json
        table = oracle.expected_table_of(list(read_ion_items(export)))
        if table.columns:
            parts = [folder / "out-ION" / part.path for part in in_ion.parts]
            oracle.assert_equal_to_table(table, parts, format)


@settings(max_examples=examples(30))
@given(st.integers(0, 2**32 - 1))
def test_damage_ends_the_run_with_its_place_or_is_none(seed: int) -> None:
    chance = random.Random(seed)
    lines = [damage(chance.choice(LINES), chance)[:-1] if n == 2 else chance.choice(LINES)[:-1] for n in range(4)]
    with tempfile.TemporaryDirectory() as folder:
        facts = ExportFacts(output_format="ION")
        export = write_split_export(Path(folder, "bucket"), [lines[:1], lines[1:]], facts=facts)
        dest = Path(folder, "out")
        items, bad_line = read_until_bad(export.folder)
        if not bad_line:
            converter.convert(export.folder, dest)
            oracle.assert_equal_to_table(oracle.expected_table_of(items), sorted(dest.glob("dt=*/*/*")), "parquet")
            return
        with pytest.raises(BadLineError) as caught:
            converter.convert(export.folder, dest)
        assert f"{export.data_files[1].name} line {bad_line} (byte {len(lines[1]) + 1})" in caught.value.where
        assert not dest.exists()


def read_until_bad(folder: Path) -> tuple[list[strategies.Item], int]:
    """The items, and the number of the line that is none; 0 if there is no such line."""
    try:
        return list(read_ion_items(folder)), 0
    except oracle.BadLineError as bad:
        return [], bad.line
