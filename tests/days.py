"""Exports of one table on several days, published at one destination: what is on each, and what must be read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

import converter
from converter.options import ConvertOptions
from converter.testing import ExportFacts, write_export
from tests import oracle, strategies
from tests.oracle import ExpectedTable, expected_table
from tests.strategies import Item

DAYS = [datetime(2024, 1, day, 12, tzinfo=UTC) for day in (1, 2, 3)]

# Beside these, `items` give a day's columns the same types on each day. The names are in the order of the columns.
ANCHORS: list[Item] = [
    {
        "bin": {"B": "AAE="},
        "doc": {"M": {"": {"N": "0.1"}, "deep": {"L": [{"S": '",\n\r\0'}, {"NULL": True}]}}},
        "flag": {"BOOL": True},
        "huge": {"N": "-" + "9" * 38 + "0" * 88},
        "id": {"S": "a\r\nb"},
        "mix": {"S": "1,5"},
        "price": {"N": "-123456789012.5"},
        "qty": {"N": "-9223372036854775808"},
        "ratio": {"N": "0." + "3" * 28},
    },
    {"id": {"S": ""}, "mix": {"N": "1.5"}, "huge": {"N": "0." + "0" * 129 + "1"}},
]


def items() -> st.SearchStrategy[list[Item]]:
    """The items of one day: the anchors, and others with any of their attributes."""
    return st.lists(
        st.fixed_dictionaries(
            {"id": strategies.scalars("S")},
            optional={
                "bin": strategies.scalars("B"),
                "doc": strategies.values_of("M") | strategies.values_of("L") | strategies.sets("SS"),
                "flag": strategies.scalars("BOOL") | st.just({"NULL": True}),
                "huge": strategies.scalars("N"),
                "mix": st.one_of(*map(strategies.scalars, ("S", "N", "BOOL", "B"))),
                "price": st.integers(-(10**9), 10**9).map(lambda n: _number(f"{n}E-1")),
                "qty": st.integers(-(2**63), 2**63 - 1).map(lambda n: _number(str(n))),
                "ratio": st.integers(-(10**30), 10**30).map(lambda n: _number(f"{n}E-28")),
            },
        ),
        max_size=6,
    ).map(lambda others: [*ANCHORS, *others])


def _number(text: str) -> strategies.Value:
    return {"N": oracle.plain_number(text)}


def publish(folder: Path, days: Sequence[Sequence[Item]], **options: Any) -> list[ExpectedTable]:
    """Convert one export of these items per day to folder/out, and give the table that each must become."""
    tables = []
    for day, time in zip(days, DAYS, strict=False):
        exports = folder / "exports" / f"{time:%d}"
        export = write_export(exports, day, files=2, facts=ExportFacts(export_time=time))
        converter.convert(export.folder, folder / "out", ConvertOptions(workers=2, **options))
        named = {name: options[name] for name in oracle.Options.__annotations__ if name in options}
        tables.append(expected_table(export.folder, **named))
    return tables


def read_records(folder: Path) -> list[dict[str, Any]]:
    """The records of folder/out, oldest first."""
    records = [json.loads(path.read_bytes()) for path in (folder / "out" / "_exports").glob("*.json")]
    return sorted(records, key=lambda record: str(record["exportTime"]))
