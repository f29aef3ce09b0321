"""A table of lists: a name, and a list of short maps that grows, in the shape of exports that the service wrote."""

from __future__ import annotations

import datetime

import numpy as np

from benchmarks.datasets import columns

ABOUT = "a name and a list of 1 to 20 maps of two texts, median four"
TEXTS = ("name",)
NUMBERS: tuple[str, ...] = ()
LINE_BYTES = 520

_TITLES = ("Arrow", "Breeze", "Comet", "Dawn", "Ember", "Frost", "Halo", "Indigo", "Juniper", "Moon", "Willow")
_DOINGS = (
    "Baked bread", "Cleaned the barn", "Flew a kite", "Fixed a fence", "Learned a song", "Looked at stars",
    "Painted a wall", "Planted a tree", "Read a book", "Slept", "Swam in the lake", "Took the bus", "Walked home",
)  # fmt: skip
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONGEST = 20
_MONDAY = datetime.date(2024, 1, 1)


def make_lines(rng: np.random.Generator, count: int) -> list[str]:
    """Return this many items. Lists take their maps from one run of maps, each where the last one ended."""
    lengths = 1 + np.minimum(rng.geometric(0.2, count) - 1, _LONGEST - 1)
    ends = np.cumsum(lengths).tolist()
    maps = _maps(rng, int(lengths.sum()))
    titles = columns.integers(rng, count, 0, len(_TITLES))
    numbers = columns.integers(rng, count, 1, 1_000_000)
    return [
        f'{{"Item":{{"name":{{"S":"{_TITLES[title]}{number}"}},"activities":{{"L":[{",".join(maps[begin:end])}]}}}}}}\n'
        for title, number, begin, end in zip(titles, numbers, [0, *ends[:-1]], ends, strict=True)
    ]


def _maps(rng: np.random.Generator, count: int) -> list[str]:
    doings = columns.integers(rng, count, 0, len(_DOINGS))
    return [
        f'{{"M":{{"activity":{{"S":"{_DOINGS[doing]}"}},"timestamp":{{"S":"{day} {time} GMT"}}}}}}'
        for doing, day, time in zip(
            doings,
            [_DATES[i] for i in columns.integers(rng, count, 0, len(_DATES))],
            [_TIMES[i] for i in columns.integers(rng, count, 0, len(_TIMES))],
            strict=True,
        )
    ]


def _http_date(day: int) -> str:
    date = _MONDAY + datetime.timedelta(day)
    return f"{_DAYS[day % 7]}, {date.day:02d} {_MONTHS[date.month - 1]} {date.year}"


_DATES = [_http_date(day) for day in range(366)]
_TIMES = [f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}" for second in range(86_400)]
