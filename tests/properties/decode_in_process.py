"""Run as a program with other kernels: decodes damaged and whole lines, and prints what became of each block as JSON.

python -m tests.properties.decode_in_process ROUNDS SEED
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from io import BytesIO
from itertools import chain

import numpy as np

from converter.decode.decoder import Decoder
from converter.decode.strict_changes import ChangeForm
from converter.decode.strict_lines import LineProblem
from converter.decode.time_rules import TimeRules
from converter.kernels.form import BOUNDS_CHECKED, FORM
from converter.kernels.layout import Bytes
from converter.kernels.simd import words
from converter.kernels.toolchain.decorators import kernel
from converter.options import ConvertOptions
from converter.schema.columns import Schema
from converter.schema.derive import derive_schema
from converter.write.formats import open_part
from tests.ion_translation import run_kernel
from tests.properties import ion_mutations
from tests.properties.changed_keys import ITEMS, merge_outcome
from tests.properties.mutations import change_corpus, corpus, mutate
from tests.unit.decode.decoding import everything, lines_for, make_block, observe, write_batch


@kernel
def item_at(data: Bytes, at: int) -> int:
    """One access past a kernel's buffer is what bounds checks must see."""
    return int(data[np.uint64(at)])


@kernel
def byte_at(data: Bytes, at: int) -> int:
    """The same through the function that all kernels use."""
    return words.byte(data, at)


@kernel
def mask_at(data: Bytes, at: int) -> int:
    """The same through 64 bytes at a time."""
    return int(words.lowest_bit(words.special_mask(data, at)))


def raises_index_error(at: int) -> bool:
    """Whether an access there raises in each of the ways that kernels have."""
    data = np.zeros(64, np.uint8)
    for read in (item_at, byte_at, mask_at):
        try:
            read(data, at)
        except IndexError:
            continue
        return False
    return True


def outcome(block: bytes, schema: Schema | None, options: ConvertOptions, changes: ChangeForm | None = None) -> str:
    """What became of a block: a digest of its rows, a surprise, or what is wrong with a line."""
    decoder = Decoder(
        schema, text=options.text, wants=everything, times=TimeRules.of(options), lines=lines_for(changes)
    )
    sink = BytesIO()
    writers = [open_part(sink, schema, one) for one in options.by_format()] if schema else []
    try:
        # One after the other: a batch is valid only until the decoder goes on.
        for batch in chain(decoder.decode(make_block(block)), decoder.finish()):
            assert writers
            for writer in writers:
                write_batch(writer, batch)
    except LineProblem as problem:
        return f"{problem.byte} {problem.path} {problem.reason}"
    for writer in writers:
        writer.close()
    found = f"{decoder.items} {decoder.observation()!r} {decoder.surprise} {decoder.changed}".encode()
    return hashlib.sha256(sink.getvalue() + found).hexdigest()


def change_outcomes(rounds: int, chance: random.Random) -> list[str]:
    """The outcomes of damaged and whole lines of changes."""
    good = change_corpus()
    form = ChangeForm((("id", "S"), ("rank", "N")), old_images=True)
    modes: list[tuple[Schema | None, ConvertOptions]] = [(None, ConvertOptions())]
    for options in (ConvertOptions(), ConvertOptions(format="csv", old_image=True, cast=(("at", "timestamp"),))):
        modes.extend(
            (derive_schema(observe(b"".join(lines), changes=form), options), options) for lines in (good, good[:6])
        )
    outcomes = []
    for round in range(rounds):
        lines = [chance.choice(good) for _ in range(chance.randint(1, 4))]
        if round % 8:
            damaged = chance.randrange(len(lines))
            lines[damaged] = mutate(lines[damaged], chance)
        outcomes.append(outcome(b"".join(lines), *modes[round % len(modes)], form))
    return outcomes


def merge_outcomes(rounds: int, chance: random.Random) -> list[str]:
    """The outcomes of damaged and whole lines in a merge."""
    outcomes = []
    for round in range(rounds):
        changes = [chance.choice(change_corpus()) for _ in range(chance.randint(1, 3))]
        items = [chance.choice(ITEMS) for _ in range(chance.randint(1, 3))]
        lines = items if round % 2 else changes
        lines[-1] = mutate(lines[-1], chance)
        outcomes.append(merge_outcome(b"".join(changes), b"".join(items)))
    return outcomes


def ion_outcomes(rounds: int, chance: random.Random) -> list[str]:
    """The outcomes of damaged and whole lines of Ion, in memory of the size of their JSON, or a little more or less."""
    outcomes = []
    for round in range(rounds):
        lines = [chance.choice(ion_mutations.LINES + ion_mutations.CHANGES) for _ in range(chance.randint(1, 4))]
        if round % 4:
            damaged = chance.randrange(len(lines))
            lines[damaged] = ion_mutations.damage(lines[damaged], chance)
        status, found = run_kernel(b"".join(lines), chance.randrange(1 << 13))
        outcomes.append(f"{status} {hashlib.sha256(found).hexdigest()}")
    return outcomes


def main(rounds: int, seed: int) -> None:
    """Print one JSON object with all that a test wants to know."""
    chance = random.Random(seed)
    good = [line for line in corpus() if line != b"{}\n"]
    # A schema for all lines but one: that one surprises.
    modes: list[tuple[Schema | None, ConvertOptions]] = [(None, ConvertOptions())]
    for format in ("parquet", "csv", "csv,parquet"):
        for options in (
            ConvertOptions(format=format),
            ConvertOptions(format=format, mixed="json", max_columns=8, overflow="_more"),
            ConvertOptions(format=format, cast=(("at", "timestamp"),), time="on"),
            ConvertOptions(format=format, cast=(("day", "date"), ("s", "date")), on_bad_time="null"),
        ):
            modes.extend((derive_schema(observe(b"".join(lines)), options), options) for lines in (good, good[:3]))
    outcomes = change_outcomes(rounds // 3, chance) + merge_outcomes(rounds // 3, chance)
    outcomes += ion_outcomes(rounds // 3, chance)
    for round in range(rounds):
        lines = [chance.choice(good) for _ in range(chance.randint(0, 4))]
        lines.insert(chance.randrange(len(lines) + 1), chance.choice(good))
        if round % 8:
            damaged = chance.randrange(len(lines))
            lines[damaged] = mutate(lines[damaged], chance)
        outcomes.append(outcome(b"".join(lines), *modes[round % len(modes)]))
    print(  # noqa: T201
        json.dumps(
            {
                "form": FORM,
                "checked": BOUNDS_CHECKED,
                "caught": {str(at): BOUNDS_CHECKED and raises_index_error(at) for at in (64, 1000, -1)},
                "outcomes": outcomes,
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
