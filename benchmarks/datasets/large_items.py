"""Items near the service's limit of 400 KB: a long text, and a long list of maps."""

from __future__ import annotations

import numpy as np

from benchmarks.datasets import columns

ABOUT = "items of 300 to 400 KB: a text of two thirds of it, a list of maps for the rest, two short texts, a number"
TEXTS = ("pk", "title", "body")
NUMBERS = ("version",)
LINE_BYTES = 370_000

_BODY_WORDS = (36_000, 42_500)
_PAGES = (800, 1050)


def make_lines(rng: np.random.Generator, count: int) -> list[str]:
    """Return this many items. Texts and lists are cut out of common runs, each from another place."""
    texts = columns.sentences(rng, 4 * _BODY_WORDS[1] // 6)
    words = " ".join(texts).split(" ")
    pages = _pages(rng, 2 * _PAGES[1])
    return [
        f'{{"Item":{{"pk":{{"S":"DOCUMENT#{key}"}},"title":{{"S":"{title}"}},"version":{{"N":"{version}"}},'
        f'"body":{{"S":"{" ".join(words[word : word + length])}"}},'
        f'"pages":{{"L":[{",".join(pages[page : page + number])}]}}}}}}\n'
        for key, title, version, word, length, page, number in zip(
            columns.uuids(rng, count),
            columns.sentences(rng, count),
            columns.integers(rng, count, 1, 100),
            columns.integers(rng, count, 0, len(words) - _BODY_WORDS[1]),
            columns.integers(rng, count, *_BODY_WORDS),
            columns.integers(rng, count, 0, len(pages) - _PAGES[1]),
            columns.integers(rng, count, *_PAGES),
            strict=True,
        )
    ]


def _pages(rng: np.random.Generator, count: int) -> list[str]:
    return [
        f'{{"M":{{"number":{{"N":"{number}"}},"caption":{{"S":"{caption}"}},"width":{{"N":"{width}"}}}}}}'
        for number, caption, width in zip(
            columns.integers(rng, count, 1, 2000),
            columns.sentences(rng, count),
            columns.prices(rng, count),
            strict=True,
        )
    ]
