"""A map whose keys are data: how often each page was seen, by page. As a struct it would have a field for each."""

from __future__ import annotations

import numpy as np

from benchmarks.datasets import columns

ABOUT = "`seen` is a map with 1 to 30 keys, none of which comes twice in the table; two texts and a number beside it"
TEXTS = ("pk", "day")
NUMBERS = ("total",)
LINE_BYTES = 820

_MOST = 30


def make_lines(rng: np.random.Generator, count: int) -> list[str]:
    """Return this many items. Maps take their entries from one run of entries, each where the last one ended."""
    lengths = rng.integers(1, _MOST + 1, count)
    ends = np.cumsum(lengths).tolist()
    entries = _entries(rng, int(lengths.sum()))
    return [
        f'{{"Item":{{"pk":{{"S":"SITE#{key}"}},"day":{{"S":"{instant[:10]}"}},"total":{{"N":"{total}"}},'
        f'"seen":{{"M":{{{",".join(entries[begin:end])}}}}}}}}}\n'
        for key, instant, total, begin, end in zip(
            columns.uuids(rng, count),
            columns.timestamps(rng, count),
            columns.integers(rng, count, 1, 10**9),
            [0, *ends[:-1]],
            ends,
            strict=True,
        )
    ]


def _entries(rng: np.random.Generator, count: int) -> list[str]:
    words = columns.integers(rng, count, 0, len(columns.WORDS))
    # 64 random bits each: a map with the same key twice would be no JSON that the service writes.
    keys = rng.bytes(8 * count).hex()
    return [
        f'"/{columns.WORDS[word]}/{keys[16 * i : 16 * i + 16]}":{{"N":"{times}"}}'
        for i, (word, times) in enumerate(zip(words, columns.integers(rng, count, 1, 5000), strict=True))
    ]
