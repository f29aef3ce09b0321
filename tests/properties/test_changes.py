"""Changes, whole and damaged: what is written is what the oracle works out, and what it refuses is refused."""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import converter
from converter.decode.change_translation import ChangeLines
from converter.decode.decoder import Decoder
from converter.decode.strict_changes import ChangeForm
from converter.decode.strict_lines import LineProblem
from converter.errors import ConvertError
from converter.options import ConvertOptions
from converter.schema.derive import derive_schema
from converter.testing import WindowFacts, write_incremental_export
from tests import oracle, oracle_changes, strategies
from tests.examples import examples
from tests.properties.mutations import change_corpus, mutate
from tests.unit.decode.decoding import everything, make_block, write_part

LINES = change_corpus()
FORM = ChangeForm((("id", "S"), ("rank", "N")), old_images=True)
VIEWS = ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")
FIRST = next(oracle_changes.read_change_lines(LINES[0], VIEWS[1]))


def check(data: bytes, part: Path) -> bool:
    """Whether both accept the lines; fails if they disagree on that or on what the lines hold."""
    try:
        changes = list(oracle_changes.read_change_lines(data, VIEWS[1], [FIRST]))
    except oracle.BadLineError:
        changes = None
    decoder = Decoder(None, wants=everything, lines=ChangeLines(FORM))
    refusal = ""
    try:
        for _ in decoder.decode(make_block(data)):
            pass
    except LineProblem as problem:
        refusal = repr(problem)
    assert bool(refusal) == (changes is None), f"{data!r}: {refusal or 'accepted by the decoder alone'}"
    if not changes:
        return False
    assert decoder.items == len(changes)
    options = ConvertOptions(old_image=True, key=("id", "rank"))
    schema = derive_schema(decoder.observation(), options)
    assert not write_part(data, part, schema, options, changes=FORM).observing
    table = oracle_changes.expected_changes(changes, old_image=True)
    oracle.assert_equal_to_table(table, [part], "parquet")
    return True


def fuzz(seed: int, rounds: int, part: Path) -> int:
    """Check so many damaged lines and say how many were accepted."""
    chance = random.Random(seed)
    return sum(check(mutate(chance.choice(LINES), chance), part) for _ in range(rounds))


def test_a_damaged_change_is_accepted_exactly_where_a_strict_reader_accepts_it(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    assert 0 < fuzz(seed, 300, tmp_path / "part") < 300, seed


@pytest.mark.slow
@pytest.mark.parametrize("run", range(examples(10)))
def test_many_damaged_changes_are_accepted_exactly_where_a_strict_reader_accepts_them(run: int, tmp_path: Path) -> None:
    fuzz(random.SystemRandom().randrange(2**32), 10_000, tmp_path / "part")


@pytest.mark.parametrize("line", LINES[1:4:2])
def test_every_beginning_of_a_change_is_judged_alike(line: bytes, tmp_path: Path) -> None:
    for end in range(len(line)):
        check(line[:end] + b"\n", tmp_path / "part")


@pytest.mark.parametrize(
    "token",
    [
        b'"',
        b"\xff",
        *(pytest.param(token, marks=pytest.mark.slow) for token in (b"}", b"\\", b" ", b"\x00", b"{", b",", b"0")),
    ],
)
def test_a_token_too_many_in_a_change_is_judged_alike_wherever_it_stands(token: bytes, tmp_path: Path) -> None:
    line = LINES[1]
    for at in range(len(line)):
        check(line[:at] + token + line[at:].rstrip(b"\n") + b"\n", tmp_path / "part")


def test_what_a_change_says_of_itself_can_t_be_said_by_an_attribute(tmp_path: Path) -> None:
    for name in (b"\xffold", b"\xffinsert", b"\xfftime"):
        for place in (b'"NewImage":{', b'"OldImage":{', b'"Keys":{'):
            assert not check(LINES[1].replace(place, place + b'"' + name + b'":{"S":"x"},'), tmp_path / "part")


def test_a_bad_change_is_found_behind_good_ones_at_its_own_byte() -> None:
    spaced = LINES[0].replace(b'"Keys":', b'"Keys" : ')
    for good in (LINES[0] * 50, spaced * 3 + b"\n{}\n" + LINES[1] + spaced, b""):
        bad = LINES[0].replace(b"-12.5", b"-12.x")
        with pytest.raises(LineProblem) as caught:
            list(
                Decoder(None, wants=everything, lines=ChangeLines(FORM)).decode(
                    make_block(good + bad + good, byte=1000)
                )
            )
        assert (caught.value.byte, caught.value.path) == (1000 + len(good), "$.NewImage.b.N")


@st.composite
def change_records(draw: st.DrawFn, view: str) -> list[dict[str, Any]]:
    """The records of one increment: they share their keys and, mostly, their attributes."""
    names = draw(st.lists(strategies.names(), min_size=1, max_size=2, unique=True))
    tags = {name: draw(st.sampled_from("SNB")) for name in names}
    images = draw(strategies.item_lists(mixed=draw(st.booleans()), max_items=10))
    records = []
    for number, image in enumerate(images):
        keys = {name: draw(strategies.scalars(tag)) for name, tag in tags.items()}
        record: dict[str, Any] = {"Metadata": {"WriteTimestampMicros": {"N": str(draw(st.integers(0, 10**17 - 1)))}}}
        record["Keys"] = keys
        operation = draw(st.sampled_from(["insert", "update", "delete"]))
        if view == VIEWS[1] and operation != "insert":
            record["OldImage"] = {**images[number - 1], **keys}
        if operation != "delete":
            record["NewImage"] = draw(st.sampled_from([{**image, **keys}, {**keys, **image, **keys}]))
        records.append(record)
    return records


def spell(record: dict[str, Any], chance: random.Random) -> bytes:
    """The record's line as the service writes it, or as people and other tools do."""
    spelling = chance.randrange(6)
    if spelling < 3:
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    written = record["Metadata"]["WriteTimestampMicros"]["N"]
    record = {**record, "Metadata": {"WriteTimestampMicros": chance.choice([written, int(written), {"N": written}])}}
    if spelling == 3:
        return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
    members = chance.sample(list(record.items()), len(record))
    return json.dumps(dict(members), ensure_ascii=chance.random() < 0.5).encode()


@settings(max_examples=examples(40))
@given(st.data(), st.sampled_from(VIEWS), st.sampled_from(["parquet", "csv"]), st.integers(0, 2**32 - 1))
def test_an_incremental_export_is_converted_to_what_the_oracle_expects(
    data: st.DataObject, view: str, format: str, seed: int
) -> None:
    records = data.draw(change_records(view))
    chance = random.Random(seed)
    options: dict[str, Any] = {"old_image": view == VIEWS[1] and chance.random() < 0.5}
    options |= chance.choice([{}, {"mixed": "json"}, {"numbers": "text"}, {"max_columns": 3, "overflow": "_more"}])
    with tempfile.TemporaryDirectory() as folder:
        lines = [spell(record, chance) for record in records]
        export = write_incremental_export(
            Path(folder, "bucket"), lines, files=chance.randint(1, 3), empty_files=1, facts=WindowFacts(view=view)
        )
        chosen = ConvertOptions(format=format, workers=2, **options)  # type: ignore[arg-type]
        report = converter.convert(str(export.folder), str(Path(folder, "out")), chosen)
        assert report.items == len(records)
        if records:
            parts = [Path(folder, "out", part.path) for part in report.parts]
            oracle_changes.assert_changes_equal_to_oracle(export.folder, parts, format, **options)


@settings(max_examples=examples(30))
@given(st.data(), st.integers(0, 2**32 - 1))
def test_damage_to_one_change_of_an_export_ends_in_an_error_or_in_what_the_oracle_reads(
    data: st.DataObject, seed: int
) -> None:
    records = [record for record in data.draw(change_records(VIEWS[1])) if record]
    chance = random.Random(seed)
    lines = [spell(record, chance) for record in records] or [LINES[0][:-1]]
    place = chance.randrange(len(lines))
    lines[place] = mutate(lines[place] + b"\n", chance)[:-1]
    with tempfile.TemporaryDirectory() as folder:
        export = write_incremental_export(Path(folder, "bucket"), lines, files=2)
        try:
            changes = oracle_changes.read_changes(export.folder)
        except oracle.BadLineError:
            changes = None
        try:
            report = converter.convert(str(export.folder), str(Path(folder, "out")), ConvertOptions(old_image=True))
        except ConvertError:
            assert changes is None
            return
        assert changes is not None
        if changes:
            parts = [Path(folder, "out", part.path) for part in report.parts]
            oracle.assert_equal_to_table(oracle_changes.expected_changes(changes, old_image=True), parts, "parquet")
