"""Damages lines and gives them to every path that reads lines; whatever a path makes of one, the oracle must say too.

python -m tests.properties.fuzz_lines --seconds 300      # `make fuzz`; prints its seed
python -m tests.properties.fuzz_lines --seed 7 --batch 12    # that batch again

A batch depends on the seed and on its number alone.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from tests import oracle_changes
from tests.properties import ion_mutations
from tests.properties.changed_keys import ITEMS
from tests.properties.ion_oracles import compare_changes, compare_items
from tests.properties.line_paths import CHANGE_PATHS, ITEM_PATHS, VIEWS, Batch, Refused, change_batch, item_batch
from tests.properties.mutations import change_corpus, corpus, deep_lines, mutate, splice, with_unknown

_LINES = 150
"""Damaged lines in a batch."""
_SHOWN = 20
_ITEMS = [line for line in corpus() if line != b"{}\n"] + ITEMS
_CHANGES = change_corpus()
_ION = (ion_mutations.LINES, ion_mutations.CHANGES)
_FIRST = next(oracle_changes.read_change_lines(_CHANGES[0], VIEWS[1]))
_TIME = re.compile(rb'"WriteTimestampMicros":\{"N":"[0-9]+"\}')
_BEGIN = 1_700_000_000_000_000


@dataclass
class Tally:
    """Lines that each path has read, and what it and the oracle did not agree on."""

    lines: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)

    def run(self, batch: Batch, paths: dict[str, Callable[[Batch], Refused]], label: str) -> None:
        """Give the batch to each of the paths."""
        for name, path in paths.items():
            self.lines[name] += len(batch.lines)
            self.accepted[name] += len(batch.lines) - len(batch.invalid)
            try:
                refused = path(batch)
            except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
                self.disagreements.append(f"{label} {name}: {type(error).__name__}: {error}")
                continue
            for number in sorted(set(refused) ^ set(batch.invalid)):
                done = "refuses what is valid" if number in refused else "accepts what is not valid"
                self.disagreements.append(f"{label} {name} {done}: {batch.lines[number]!r}")

    def compare(self, name: str, line: bytes, compare: Callable[[bytes], bool], label: str) -> None:
        """Compare a line of Ion with the oracle. compare: returns whether it is accepted, or raises an error."""
        self.lines[name] += 1
        try:
            self.accepted[name] += compare(line)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others continue
            self.disagreements.append(f"{label} {name}: {type(error).__name__}: {error}")


def run_batch(seed: int, number: int, tally: Tally) -> None:
    """Make and judge the batches of this number: of items, of changes in both views, and of lines of Ion."""
    chance = random.Random(f"{seed} {number}")
    items = [_damaged(_item(chance), _item(chance), chance) for _ in range(_LINES)]
    tally.run(item_batch(_cut(items), chance.randrange(1 << 30)), ITEM_PATHS, f"batch {number}")
    for view in VIEWS:
        changes = [_damaged(_change(chance, n), _change(chance, n), chance) for n in range(_LINES)]
        batch = change_batch(_cut(changes), view, _FIRST, chance.randrange(1 << 30))
        tally.run(batch, CHANGE_PATHS, f"batch {number} {view}")
    for _ in range(_LINES):
        line, change = (ion_mutations.damage(chance.choice(lines), chance) for lines in _ION)
        view = chance.choice(VIEWS)
        tally.compare("Ion: items", line, compare_items, f"batch {number}")
        tally.compare("Ion: changes", change, partial(compare_changes, view=view), f"batch {number} {view}")


def _cut(lines: Iterable[bytes]) -> list[bytes]:
    """Damage may have made two lines of one."""
    return [part for line in lines for part in line[:-1].split(b"\n")]


def _damaged(line: bytes, other: bytes, chance: random.Random) -> bytes:
    match chance.randrange(16):
        case 0 | 1 | 2:
            return line
        case 3:
            return splice(line, other, chance)
        case _:
            return mutate(line, chance)


def _item(chance: random.Random) -> bytes:
    if chance.randrange(20) == 0:
        return chance.choice(deep_lines())
    return _respelled(chance.choice(_ITEMS), chance)


def _change(chance: random.Random, number: int) -> bytes:
    """A change of a moment of its own."""
    line = chance.choice(_CHANGES)
    if chance.randrange(20) == 0:
        image = chance.choice(deep_lines())[len(b'{"Item":') : -2]
        head = b'{"Metadata":{"WriteTimestampMicros":{"N":"1"}},"Keys":{"id":{"S":"k1"},"rank":{"N":"1"}},"'
        line = head + chance.choice((b"OldImage", b"NewImage")) + b'":' + image + b"}\n"
    micros = b"%d" % (_BEGIN + number)
    form = chance.choice((b'{"N":"%s"}', b'{"N":"%s"}', b'{"N":"%s"}', b'"%s"', b"%s"))
    line = _TIME.sub(b'"WriteTimestampMicros":' + form % micros, line, count=1)
    return _respelled(line, chance)


def _respelled(line: bytes, chance: random.Random) -> bytes:
    """The line as it is, or with members that are not known, or in another spelling."""
    if chance.randrange(4) == 0:
        line = with_unknown(line, chance)
    match chance.randrange(12):
        case 0:
            return json.dumps(json.loads(line), ensure_ascii=False).encode() + b"\n"
        case 1:
            return json.dumps(json.loads(line), separators=(",", ":")).encode() + b"\n"
        case _:
            return line


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Run batches for as long as asked, and print what came of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.properties.fuzz_lines")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--batch", type=int, help="this batch alone")
    options = parser.parse_args(arguments)
    say(f"seed {options.seed}")
    tally, number, end = Tally(), options.batch or 0, time.monotonic() + options.seconds
    while time.monotonic() < end and len(tally.disagreements) < _SHOWN:
        run_batch(options.seed, number, tally)
        number += 1
        if options.batch is not None:
            break
    for name, count in tally.lines.items():
        say(f"{name:32}{count:>10,} lines, {tally.accepted[name]:>9,} of them valid")
    say(f"{sum(tally.lines.values()):,} damaged lines in {number:,} batches, {len(tally.disagreements)} disagreements")
    for disagreement in tally.disagreements[:_SHOWN]:
        say(disagreement)
    return 1 if tally.disagreements else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
