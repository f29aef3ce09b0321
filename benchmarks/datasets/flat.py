"""A table of scalars: eleven attributes, text and numbers of every usual kind, a few attribute orders."""

from __future__ import annotations

from operator import itemgetter

import numpy as np

from benchmarks.datasets import columns

ABOUT = "one table, 11 scalar attributes (6 S, 4 N, 1 BOOL), some notes and most `deleted_at` absent"
TEXTS = ("pk", "created_at", "status", "email", "note", "deleted_at")
NUMBERS = ("user_id", "price", "quantity", "score")
LINE_BYTES = 360

# Positions in the usual order (pk, created_at, …): most items of a table were written by the same code.
_ORDERS = tuple(
    itemgetter(*order)
    for order in (
        (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
        (4, 9, 0, 7, 2, 10, 1, 3, 8, 5, 6),
        (9, 6, 3, 0, 8, 1, 10, 5, 2, 7, 4),
        (2, 0, 5, 4, 1, 8, 9, 6, 10, 3, 7),
    )
)
_ORDER_WEIGHTS = (0.94, 0.03, 0.02, 0.01)


def make_lines(rng: np.random.Generator, count: int) -> list[str]:
    """Return this many items. Absent attributes are empty pieces of the line."""
    statuses = ("shipped", "delivered", "pending", "cancelled", "returned")
    pieces = zip(
        [f'"pk":{{"S":"{v}"}},' for v in columns.uuids(rng, count)],
        [f'"created_at":{{"S":"{v}"}},' for v in columns.timestamps(rng, count)],
        [f'"user_id":{{"N":"{v}"}},' for v in columns.integers(rng, count, 1, 10_000_000)],
        [f'"price":{{"N":"{v}"}},' for v in columns.prices(rng, count)],
        [f'"quantity":{{"N":"{v}"}},' for v in columns.integers(rng, count, 1, 21)],
        [f'"status":{{"S":"{v}"}},' for v in columns.picks(rng, count, statuses, (0.5, 0.3, 0.1, 0.06, 0.04))],
        [f'"email":{{"S":"{v}"}},' for v in columns.emails(rng, count)],
        [f'"active":{{"BOOL":{v}}},' for v in columns.picks(rng, count, ("true", "false"), (0.8, 0.2))],
        _remarks(rng, count),
        [f'"score":{{"N":"{v}"}},' for v in columns.fractions(rng, count)],
        _deletions(rng, count),
        strict=True,
    )
    orders = rng.choice(len(_ORDERS), count, p=_ORDER_WEIGHTS).tolist()
    join = "".join
    # Each piece ends with a comma: the last one gives way to the brackets.
    return [f'{{"Item":{{{join(_ORDERS[order](item))[:-1]}}}}}\n' for order, item in zip(orders, pieces, strict=True)]


def _remarks(rng: np.random.Generator, count: int) -> list[str]:
    written = (rng.random(count) < 0.85).tolist()
    sentences = columns.sentences(rng, count)
    return [f'"note":{{"S":"{v}"}},' if here else "" for v, here in zip(sentences, written, strict=True)]


def _deletions(rng: np.random.Generator, count: int) -> list[str]:
    kinds = rng.choice(3, count, p=(0.9, 0.04, 0.06)).tolist()
    return [
        ("", '"deleted_at":{"NULL":true},', f'"deleted_at":{{"S":"{v}"}},')[kind]
        for v, kind in zip(columns.timestamps(rng, count), kinds, strict=True)
    ]
