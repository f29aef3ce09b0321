"""All paths that read lines accept the same lines, those of an oracle, and read the same in them."""

from __future__ import annotations

import random

import pytest

from tests.properties.fuzz_lines import Tally, main, run_batch
from tests.properties.line_paths import CHANGE_PATHS, ITEM_PATHS


def judge(batches: int) -> Tally:
    seed = random.SystemRandom().randrange(2**32)
    tally = Tally()
    for number in range(batches):
        run_batch(seed, number, tally)
    assert not tally.disagreements, f"seed {seed}: {tally.disagreements[0]}"
    return tally


def test_every_path_judges_damaged_lines_as_the_oracle_does() -> None:
    tally = judge(1)
    assert tally.lines.keys() == ITEM_PATHS.keys() | CHANGE_PATHS.keys() | {"Ion: items", "Ion: changes"}
    assert all(0 < tally.accepted[name] < count for name, count in tally.lines.items())


@pytest.mark.slow
def test_every_path_judges_many_damaged_lines_as_the_oracle_does() -> None:
    assert sum(judge(12).lines.values()) > 25_000


def test_the_same_seed_gives_the_same_lines(capsys: pytest.CaptureFixture[str]) -> None:
    told = []
    for _ in range(2):
        assert main(["--seed", "7", "--batch", "3"]) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]
    assert told[0].startswith("seed 7\n")
