"""Texts full of JSON escapes: documents as text, paths, logs of several lines, markup, control characters."""

from __future__ import annotations

import numpy as np

from benchmarks.datasets import columns

ABOUT = "5 texts and a number; a tenth of all bytes are backslashes (of quotes, newlines, control characters …)"
TEXTS = ("pk", "document", "path", "log", "markup")
NUMBERS = ("ts",)
LINE_BYTES = 640

_LEVELS = ("info", "warn", "error")


def make_lines(rng: np.random.Generator, count: int) -> list[str]:
    """Return this many items; every backslash here is in the line as is."""
    keys = columns.uuids(rng, count)
    words = [columns.WORDS[i] for i in columns.integers(rng, 6 * count, 0, len(columns.WORDS))]
    numbers = columns.integers(rng, count, 0, 100_000)
    levels = columns.picks(rng, count, _LEVELS, (0.8, 0.15, 0.05))
    return [
        f'{{"Item":{{"pk":{{"S":"{key}"}},"ts":{{"N":"{ts}"}},'
        f'"document":{{"S":"{{\\"id\\":\\"{key[:8]}\\",\\"{a}\\":\\"{b}\\",\\"{c}\\":[{number},\\"{d}\\"],\\"{e}\\":null}}"}},'
        f'"path":{{"S":"C:\\\\{a}\\\\{b}\\\\{c}\\\\{number}.txt"}},'
        f'"log":{{"S":"\\u001b[1m{level}\\u001b[0m\\t{a} {d}\\n\\tat {b}\\n\\tat {c}\\r\\n\\f{number}\\b"}},'
        f'"markup":{{"S":"<a href=\\"/{d}\\" class=\\"{e}\\">\\n\\t{f}\\n</a>"}}}}}}\n'
        for key, ts, number, level, a, b, c, d, e, f in zip(
            keys,
            columns.instants(rng, count),
            numbers,
            levels,
            *(words[i * count : (i + 1) * count] for i in range(6)),
            strict=True,
        )
    ]
