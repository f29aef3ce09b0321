"""Chinese and Japanese text: most bytes are parts of characters of three bytes, and none of them is escaped."""

from __future__ import annotations

import numpy as np

from benchmarks.datasets import columns

ABOUT = "4 texts, 3 of them Chinese or Japanese (a title, a body of 20 to 119 characters, a name), and a number"
TEXTS = ("pk", "title", "body", "author")
NUMBERS = ("price",)
LINE_BYTES = 450

_HAN = "".join(map(chr, range(0x4E00, 0x4E00 + 3000)))
_KANA = "".join(map(chr, (*range(0x3042, 0x3094), *range(0x30A2, 0x30F5))))
_MARKS = "、。！？「」"
_ALPHABET = np.array(list(_HAN + _KANA * 6 + _MARKS * 40))
_TITLE, _BODY, _AUTHOR = (4, 16), (20, 120), (2, 5)


def make_lines(rng: np.random.Generator, count: int) -> list[str]:
    """Return this many items. Texts are cut out of one run of characters, each where the last one ended."""
    return [
        f'{{"Item":{{"pk":{{"S":"{key}"}},"title":{{"S":"{title}"}},"body":{{"S":"{body}"}},'
        f'"author":{{"S":"{author}"}},"price":{{"N":"{price}"}}}}}}\n'
        for key, title, body, author, price in zip(
            columns.uuids(rng, count),
            _texts(rng, count, *_TITLE),
            _texts(rng, count, *_BODY),
            _texts(rng, count, *_AUTHOR),
            columns.prices(rng, count),
            strict=True,
        )
    ]


def _texts(rng: np.random.Generator, count: int, shortest: int, end: int) -> list[str]:
    ends = np.cumsum(rng.integers(shortest, end, count)).tolist()
    run = "".join(_ALPHABET[rng.integers(0, len(_ALPHABET), ends[-1])].tolist())
    return [run[begin:stop] for begin, stop in zip([0, *ends[:-1]], ends, strict=True)]
