"""A single-table design: customers, orders and events in one table, with maps, lists, sets and a mixed attribute."""

from __future__ import annotations

import numpy as np

from benchmarks.datasets import columns

ABOUT = "customers, orders and events in one table: maps, lists, sets, `value` sometimes N and sometimes S"
TEXTS = ("pk", "sk", "type", "status")
NUMBERS = ("total", "ts", "ttl")
LINE_BYTES = 360


def make_lines(rng: np.random.Generator, count: int) -> list[str]:
    """Return this many items: one in eight a customer, three an order, the rest events."""
    orders = count * 3 // 8
    customers = count // 8
    lines = [*_customers(rng, customers), *_orders(rng, orders), *_events(rng, count - orders - customers)]
    # The service hashes keys: kinds of items come in no order.
    return [lines[i] for i in rng.permutation(count).tolist()]


def _customers(rng: np.random.Generator, count: int) -> list[str]:
    streets = columns.sentences(rng, count)
    tags = columns.integers(rng, count, 0, len(columns.WORDS) - 2)
    return [
        f'{{"Item":{{"pk":{{"S":"CUSTOMER#{key}"}},"sk":{{"S":"PROFILE"}},"type":{{"S":"customer"}},'
        f'"email":{{"S":"{email}"}},"address":{{"M":{{"street":{{"S":"{street}"}},"number":{{"N":"{number}"}},'
        f'"geo":{{"M":{{"lat":{{"N":"{lat}"}},"lon":{{"N":"-{lon}"}}}}}},"phone":{{"NULL":true}}}}}},'
        f'"tags":{{"SS":["{columns.WORDS[tag]}","{columns.WORDS[tag + 1]}","{columns.WORDS[tag + 2]}"]}},'
        f'"limits":{{"NS":["{number}","{number + 7}.5"]}},"ts":{{"N":"{ts}"}}}}}}\n'
        for key, email, street, number, lat, lon, tag, ts in zip(
            columns.uuids(rng, count),
            columns.emails(rng, count),
            streets,
            columns.integers(rng, count, 1, 400),
            columns.fractions(rng, count),
            columns.fractions(rng, count),
            tags,
            columns.instants(rng, count),
            strict=True,
        )
    ]


def _orders(rng: np.random.Generator, count: int) -> list[str]:
    return [
        f'{{"Item":{{"pk":{{"S":"CUSTOMER#{key}"}},"sk":{{"S":"ORDER#{created}"}},"type":{{"S":"order"}},'
        f'"status":{{"S":"{status}"}},"total":{{"N":"{total}"}},"ts":{{"N":"{ts}"}},'
        f'"lines":{{"L":[{lines}]}},"paid":{{"BOOL":true}}}}}}\n'
        for key, created, status, total, ts, lines in zip(
            columns.uuids(rng, count),
            columns.timestamps(rng, count),
            columns.picks(rng, count, ("shipped", "pending", "returned"), (0.8, 0.15, 0.05)),
            columns.prices(rng, count),
            columns.instants(rng, count),
            _order_lines(rng, count),
            strict=True,
        )
    ]


def _order_lines(rng: np.random.Generator, count: int) -> list[str]:
    """Lists of one to four maps; each order takes its maps from a common run of four per order."""
    maps = [
        f'{{"M":{{"sku":{{"S":"{sku:08X}"}},"quantity":{{"N":"{quantity}"}},"price":{{"N":"{price}"}}}}}}'
        for sku, quantity, price in zip(
            columns.integers(rng, 4 * count, 0, 2**32),
            columns.integers(rng, 4 * count, 1, 10),
            columns.prices(rng, 4 * count),
            strict=True,
        )
    ]
    return [",".join(maps[4 * i : 4 * i + length]) for i, length in enumerate(columns.integers(rng, count, 1, 5))]


def _events(rng: np.random.Generator, count: int) -> list[str]:
    texts = rng.random(count) < 0.2
    return [
        f'{{"Item":{{"pk":{{"S":"SESSION#{key}"}},"sk":{{"S":"EVENT#{ts}"}},"type":{{"S":"event"}},'
        f'"ts":{{"N":"{ts}"}},"ttl":{{"N":"{ts // 1000 + 7_776_000}"}},"value":{{{value}}},'
        f'"payload":{{"M":{{"page":{{"S":"/shop/{note}"}},"flags":{{"L":[{{"BOOL":false}},{{"N":"{flag}"}}]}},'
        f'"empty":{{"M":{{}}}}}}}}}}}}\n'
        for key, ts, value, note, flag in zip(
            columns.uuids(rng, count),
            columns.instants(rng, count),
            [
                f'"S":"{number} items"' if text else f'"N":"{number}"'
                for number, text in zip(columns.prices(rng, count), texts.tolist(), strict=True)
            ],
            columns.sentences(rng, count),
            columns.integers(rng, count, 0, 100),
            strict=True,
        )
    ]
