"""An incremental export of the table `flat`: updates, with both images, and some inserts and deletes."""

from __future__ import annotations

import re

import numpy as np

from benchmarks.datasets import flat

ABOUT = "an incremental export of `flat` with old images: 80 % updates, 15 % inserts, 5 % deletes"
TEXTS = flat.TEXTS
NUMBERS = flat.NUMBERS
LINE_BYTES = 2 * flat.LINE_BYTES
INCREMENTAL = True

_KEY = re.compile('"pk":{"S":"[^"]*"}')
_STATUS = re.compile('"status":{"S":"[^"]*"}')
_FIRST_MICROS = 1_701_065_507_109_000
_WINDOW_MICROS = 15 * 60 * 1_000_000


def make_lines(rng: np.random.Generator, count: int) -> list[str]:
    """Return this many changes, each with its newline. An update changes the status."""
    kinds = rng.choice(3, count, p=(0.8, 0.15, 0.05)).tolist()
    times = (_FIRST_MICROS + rng.integers(0, _WINDOW_MICROS, count)).tolist()
    return [
        _line(line[8:-2], kind, micros)
        for line, kind, micros in zip(flat.make_lines(rng, count), kinds, times, strict=True)
    ]


def _line(image: str, kind: int, micros: int) -> str:
    found = _KEY.search(image)
    assert found is not None
    images = (
        f',"OldImage":{_STATUS.sub(_PENDING, image)},"NewImage":{image}',
        f',"NewImage":{image}',
        f',"OldImage":{image}',
    )
    head = f'{{"Metadata":{{"WriteTimestampMicros":{{"N":"{micros}"}}}},"Keys":{{{found[0]}}}'
    return f"{head}{images[kind]}}}\n"


_PENDING = '"status":{"S":"pending"}'
