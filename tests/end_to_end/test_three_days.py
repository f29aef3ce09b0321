"""Integers, then decimals and a new attribute, then a text among the numbers: three days that must fit together."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.contenders import SPARK_FLAT
from converter import convert, options_for, recipe
from converter.errors import SchemaError
from converter.options import ConvertOptions, SchemaText
from converter.testing import ExportFacts
from tests.days import read_records
from tests.end_to_end.exports import export_of, line
from tests.readers import ReadColumn, Rows, read_days
from tests.treasure_data import load_files, settings_of

DAYS = (
    [line(id='{"S":"a"}', price='{"N":"12"}'), line(id='{"S":""}', price='{"N":"7"}')],
    [line(id='{"S":"c"}', price='{"N":"12.50"}', colour='{"S":"red"}'), line(id='{"S":"d"}', price='{"N":"3"}')],
    [line(id='{"S":"e"}', price='{"S":"on request"}'), line(id='{"S":"f"}', price='{"N":"1"}', aa='{"BOOL":true}')],
)
ROWS: Rows = [
    ("a", "12", None, None, "2024-01-01"),
    ("", "7", None, None, "2024-01-01"),
    ("c", "12.5", "red", None, "2024-01-02"),
    ("d", "3", None, None, "2024-01-02"),
    ("e", "on request", None, None, "2024-01-03"),
    ("f", "1", None, True, "2024-01-03"),
]
SCHEMA = SchemaText("schema.json", json.dumps({"version": 1, "columns": [{"attribute": "price", "type": "string"}]}))
FORMATS = pytest.mark.parametrize("format", ["parquet", "csv"])


def publish(folder: Path, options: ConvertOptions, days: int = 3) -> Path:
    for number, lines in enumerate(DAYS[:days], 1):
        facts = ExportFacts(export_time=datetime(2024, 1, number, 12, tzinfo=UTC), seed=number)
        convert(export_of(folder / f"day{number}", lines, facts=facts).folder, folder / "out", options)
    return folder / "out"


def read(reader: str, folder: Path, format: str) -> Rows:
    """All days in one query, by the newest record's columns: id, price, colour, aa, dt."""
    columns = [ReadColumn(column["name"], column["type"]) for column in read_records(folder)[-1]["columns"]]
    names = [column.name for column in columns]
    order = [*(names.index(name) for name in ("id", "price", "colour", "aa") if name in names), len(names)]
    return [tuple(row[place] for place in order) for row in read_days(reader, folder / "out", format, columns)]


def headers(dest: Path) -> list[list[str]]:
    """The header of each part, oldest first."""
    return [path.read_text().splitlines()[0].split(",") for path in sorted(dest.glob("dt=*/*/*.csv"))]


@FORMATS
def test_without_a_word_the_second_day_is_refused_and_nothing_is_published(format: str, tmp_path: Path) -> None:
    with pytest.raises(SchemaError) as caught:
        publish(tmp_path, ConvertOptions(format=format))  # type: ignore[arg-type]
    assert caught.value.exit_code == 4
    assert [path.name for path in sorted((tmp_path / "out").glob("dt=*"))] == ["dt=2024-01-01"]


@FORMATS
@pytest.mark.parametrize("reader", ["DuckDB", "Polars", "pyarrow"])
def test_with_a_schema_one_query_reads_all_days(reader: str, format: str, tmp_path: Path) -> None:
    publish(tmp_path, ConvertOptions(format=format, schema=SCHEMA))  # type: ignore[arg-type]
    assert sorted(read(reader, tmp_path, format), key=str) == sorted(ROWS, key=str)


@pytest.mark.slow
@pytest.mark.skipif(SPARK_FLAT.missing() is not None, reason="there is no Spark here")
@FORMATS
def test_spark_reads_all_days_too(format: str, tmp_path: Path) -> None:
    publish(tmp_path, ConvertOptions(format=format, schema=SCHEMA))  # type: ignore[arg-type]
    assert sorted(read("Spark", tmp_path, format), key=str) == sorted(ROWS, key=str)


@FORMATS
@pytest.mark.parametrize("reader", ["DuckDB", "Polars", "pyarrow"])
def test_numbers_as_text_fit_without_a_schema(reader: str, format: str, tmp_path: Path) -> None:
    publish(tmp_path, ConvertOptions(format=format, numbers="text"), days=2)  # type: ignore[arg-type]
    assert sorted(read(reader, tmp_path, format), key=str) == sorted([(*r[:3], r[4]) for r in ROWS[:4]], key=str)


def test_in_csv_a_column_never_moves(tmp_path: Path) -> None:
    dest = publish(tmp_path, ConvertOptions(format="csv", schema=SCHEMA))
    assert headers(dest) == [["price", "id"], ["price", "id", "colour"], ["price", "id", "colour", "aa"]]


def test_treasure_data_loads_all_days_by_the_recipe(tmp_path: Path) -> None:
    dest = publish(tmp_path, options_for("treasure-data", schema=SCHEMA))
    load: dict[str, Any] = yaml.safe_load(recipe("treasure-data", dest, location="s3://lake/orders").files["load.yml"])
    parser = dict(load["in"]["parser"])
    # What our parser always does, or never.
    for name in ("quote", "delimiter", "charset"):
        assert parser[name] == {"quote": '"', "delimiter": ",", "charset": "UTF-8"}[name]
    assert (parser.pop("trim_if_not_quoted"), parser.pop("allow_extra_columns")) == (False, False)
    settings = settings_of(parser)
    names = [column.name for column in settings.columns]
    loaded = load_files(sorted(dest.glob("dt=*/*/*.csv.gz")), settings)
    assert loaded.skipped == []
    found = [dict(zip(names, row, strict=True)) for row in loaded.rows]
    assert [(row["id"], row["price"], row["colour"], row["aa"]) for row in found] == [row[:4] for row in ROWS]
    noons = [int(datetime(2024, 1, number, 12, tzinfo=UTC).timestamp()) for number in (1, 1, 2, 2, 3, 3)]
    assert [row["time"] for row in found] == noons
