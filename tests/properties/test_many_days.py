"""All days of a destination, read by one query, are the items of their exports: in every reader, in both formats."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.contenders import SPARK_FLAT
from tests import days, strategies
from tests.examples import examples
from tests.oracle import ExpectedTable
from tests.readers import ReadColumn, Rows, read_days
from tests.strategies import Item

CSV = {"format": "csv", "compression": "gzip"}
FORMATS = pytest.mark.parametrize("options", [{"format": "parquet"}, {"format": "csv"}, CSV], ids=repr)
ADDED = pytest.mark.parametrize("added", [False, True], ids=["same columns", "a column added"])


def with_column(items: Sequence[Item]) -> list[Item]:
    """The items, some with an attribute that is the last column of all."""
    return [
        {**item, "zz_new": {"S": "" if number % 3 else "new"}} if number % 2 else item
        for number, item in enumerate(items)
    ]


def assert_read(folder: Path, tables: Sequence[ExpectedTable], readers: Iterable[str], format: str) -> None:
    """Fail unless each reader finds the rows of all days, and no others."""
    newest = days.read_records(folder)[-1]["columns"]
    expected = canonical(expected_rows(tables, newest), newest)
    columns = [ReadColumn(column["name"], column["type"]) for column in newest]
    for reader in readers:
        assert canonical(read_days(reader, folder / "out", format, columns), newest) == expected, reader


def expected_rows(tables: Sequence[ExpectedTable], newest: Sequence[dict[str, Any]]) -> Rows:
    """The rows of the tables with the newest columns, and the day of each."""
    rows: Rows = []
    for table, time in zip(tables, days.DAYS, strict=False):
        names = [column.name for column in table.columns]
        for row in table.rows:
            values = dict(zip(names, row, strict=True))
            rows.append((*(values.get(column["name"]) for column in newest), f"{time:%Y-%m-%d}"))
    return rows


def canonical(rows: Rows, columns: Sequence[dict[str, Any]]) -> list[str]:
    """The rows in one order and spelling: zeros at the end of a decimal and escapes in a document say nothing."""
    documents = [*(column["origin"] == "json" for column in columns), False]
    return sorted(
        repr([_canonical(value, is_json) for value, is_json in zip(row, documents, strict=True)]) for row in rows
    )


def _canonical(value: object, is_json: bool) -> object:
    if isinstance(value, Decimal):
        return value.normalize(Context(prec=100))
    if is_json and isinstance(value, str):
        return json.loads(value, parse_int=Decimal, parse_float=Decimal, object_pairs_hook=tuple)
    return str(value) if isinstance(value, str) else value


@FORMATS
@ADDED
@settings(max_examples=examples(8))
@given(st.lists(days.items(), min_size=3, max_size=3))
def test_all_days_are_read_at_once(options: dict[str, Any], added: bool, chosen: list[list[Item]]) -> None:
    first, *later = chosen
    with tempfile.TemporaryDirectory() as name:
        tables = days.publish(Path(name), [first, *map(with_column, later)] if added else chosen, **options)
        assert_read(Path(name), tables, ("DuckDB", "Polars", "pyarrow"), options["format"])


@pytest.mark.slow
@pytest.mark.skipif(bool(SPARK_FLAT.missing()), reason="PySpark and Java are needed")
@FORMATS
def test_spark_reads_all_days_at_once(options: dict[str, Any], tmp_path: Path) -> None:
    texts: list[Item] = [{"id": {"S": text}, "doc": {"L": [{"S": text}]}} for text in strategies.HARD_TEXTS]
    chosen = [[*days.ANCHORS, *texts], with_column([*days.ANCHORS, *texts]), with_column(days.ANCHORS)]
    assert_read(tmp_path, days.publish(tmp_path, chosen, **options), ("Spark",), options["format"])
