"""Random values of columns: each function returns `count` texts for lines."""

from __future__ import annotations

import numpy as np


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


WORDS = _words(
    "account address again agreed arrived asked before blue box broken call card carrier changed check city code "
    "colour confirmed courier customer damaged date delay delivered desk discount door exchange express fee first "
    "floor fragile free garden gift glass green handle hold home hours house invoice item keep label large late leave "
    "left letter list locker logistics manager missing monday morning neighbour new next night no note number office "
    "old on open order package paid paper parcel part payment phone pick please point post price question queue "
    "reason receipt red refund remind replace request return ring road safe second sent shelf ship shop sign size "
    "small sold soon split stairs stock store street tax text ticket today tomorrow track truck twice until update "
    "urgent valid van wait warehouse week weekend west white window with without wrap wrong yellow yesterday"
)
# In the form of JSON strings: escapes that a reader must undo, and raw UTF-8.
SPECIAL_WORDS = ('\\"asap\\"', "line\\nbreak", "C:\\\\docs", "tab\\tstop", "caf\u00e9", "M\u00fcnchen", "\u6771\u4eac")
FIRST_NAMES = _words("ada ben carla dan eva finn grace hugo ines jon kim lea max nora otto pia quinn rosa sam tess")
LAST_NAMES = _words("ahmed bauer chen diaz evans fischer garcia hansen ito jones kaya lopez meyer novak olsen patel")
MAIL_HOSTS = ("example.com", "example.org", "mail.example.net", "post.example.com")
FIRST_INSTANT = 1_640_995_200_000  # 2022-01-01 in epoch milliseconds
LAST_INSTANT = 1_701_043_200_000  # 2023-11-27


def uuids(rng: np.random.Generator, count: int) -> list[str]:
    """Random, so unique in practice, in the shape of a uuid."""
    text = rng.bytes(16 * count).hex()
    return [
        "-".join(
            (text[i : i + 8], text[i + 8 : i + 12], text[i + 12 : i + 16], text[i + 16 : i + 20], text[i + 20 : i + 32])
        )
        for i in range(0, 32 * count, 32)
    ]


def instants(rng: np.random.Generator, count: int) -> list[int]:
    """Epoch milliseconds within two years."""
    drawn: list[int] = rng.integers(FIRST_INSTANT, LAST_INSTANT, count).tolist()
    return drawn


def timestamps(rng: np.random.Generator, count: int) -> list[str]:
    """ISO 8601 with milliseconds and Z."""
    millis = rng.integers(FIRST_INSTANT, LAST_INSTANT, count).astype("datetime64[ms]")
    texts: list[str] = np.datetime_as_string(millis, unit="ms", timezone="UTC").tolist()
    return texts


def integers(rng: np.random.Generator, count: int, low: int, high: int) -> list[int]:
    """Uniform in [low, high)."""
    drawn: list[int] = rng.integers(low, high, count).tolist()
    return drawn


def prices(rng: np.random.Generator, count: int) -> list[str]:
    """Up to two decimals in the plain form: `12.5`, `12.34`, `12`."""
    return [_PRICES[cents] for cents in integers(rng, count, 0, len(_PRICES))]


def fractions(rng: np.random.Generator, count: int) -> list[str]:
    """Uniform in (0, 1), up to 17 decimals in the plain form."""
    return [f"0.{digits:017d}".rstrip("0") for digits in integers(rng, count, 1, 10**17)]


def sentences(rng: np.random.Generator, count: int) -> list[str]:
    """Three to ten words; a few of them special."""
    words = [_ALL_WORDS[i] for i in _word_indices(rng, 10 * count)]
    lengths = integers(rng, count, 3, 11)
    return [" ".join(words[10 * i : 10 * i + length]) for i, length in enumerate(lengths)]


def emails(rng: np.random.Generator, count: int) -> list[str]:
    """first.last1234@host"""
    first = integers(rng, count, 0, len(FIRST_NAMES))
    last = integers(rng, count, 0, len(LAST_NAMES))
    number = integers(rng, count, 0, 10_000)
    host = integers(rng, count, 0, len(MAIL_HOSTS))
    return [
        f"{FIRST_NAMES[f]}.{LAST_NAMES[a]}{n}@{MAIL_HOSTS[h]}"
        for f, a, n, h in zip(first, last, number, host, strict=True)
    ]


def picks(rng: np.random.Generator, count: int, choices: tuple[str, ...], weights: tuple[float, ...]) -> list[str]:
    """One of the choices, by weight."""
    return [choices[i] for i in rng.choice(len(choices), count, p=weights).tolist()]


def _word_indices(rng: np.random.Generator, count: int) -> list[int]:
    """Common words more often than others, one in eighty special."""
    indices = (rng.random(count) ** 2 * len(WORDS)).astype(np.int64)
    special = rng.random(count) < 1 / 80
    indices[special] = rng.integers(len(WORDS), len(_ALL_WORDS), int(special.sum()))
    drawn: list[int] = indices.tolist()
    return drawn


def _plain_cents(cents: int) -> str:
    whole, rest = divmod(cents, 100)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)


_ALL_WORDS = (*WORDS, *SPECIAL_WORDS)
_PRICES = [_plain_cents(cents) for cents in range(100_000)]
