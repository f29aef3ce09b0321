"""Two thousand attributes, of which an item has about sixteen: what a table becomes in which many teams put things."""

from __future__ import annotations

import numpy as np

from benchmarks.datasets import columns

ABOUT = "2,000 attributes: the key, and 1,999 of which an item has about 16, in 20 bands (S, N, BOOL)"
TEXTS = ("pk", "text_0001", "text_1001")
NUMBERS = ("count_0002", "price_1003")
LINE_BYTES = 650

_BANDS = 20
_WIDTH = 100
_SHARE = 0.8
_NAMES = ("flag", "text", "count", "price")
"""Attribute number n is called by n % 4 and n. Number 0 isn't used: with the key that makes 2,000."""


def make_lines(rng: np.random.Generator, count: int) -> list[str]:
    """Return this many items; an item has at most one attribute of each band, so never one twice."""
    bands = [_pieces(rng, count, band) for band in range(_BANDS)]
    join = "".join
    return [
        f'{{"Item":{{"pk":{{"S":"{key}"}}{join(pieces)}}}}}\n'
        for key, *pieces in zip(columns.uuids(rng, count), *bands, strict=True)
    ]


def _pieces(rng: np.random.Generator, count: int, band: int) -> list[str]:
    """For each item an attribute of the band, with its comma, or nothing."""
    chosen = rng.integers(1 if band == 0 else 0, _WIDTH, count) + band * _WIDTH
    chosen[rng.random(count) >= _SHARE] = -1
    words = columns.integers(rng, count, 0, len(columns.WORDS))
    numbers = columns.integers(rng, count, 0, 1_000_000)
    prices = columns.prices(rng, count)
    pieces = []
    for number, word, integer, price in zip(chosen.tolist(), words, numbers, prices, strict=True):
        if number < 0:
            pieces.append("")
        elif number % 4 == 0:
            pieces.append(f',"flag_{number:04d}":{{"BOOL":{"true" if integer & 1 else "false"}}}')
        elif number % 4 == 1:
            pieces.append(f',"text_{number:04d}":{{"S":"{columns.WORDS[word]} {integer}"}}')
        elif number % 4 == 2:
            pieces.append(f',"count_{number:04d}":{{"N":"{integer}"}}')
        else:
            pieces.append(f',"price_{number:04d}":{{"N":"{price}"}}')
    return pieces
