"""Destinations of several days, what readers must find there, and readers that run the text of a recipe."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from converter import convert
from converter.options import ConvertOptions
from converter.testing import ExportFacts, write_export
from tests.oracle import JsonText, Options, expected_table, same_json

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Item = Mapping[str, Any]
Read = tuple[Sequence[str], list[tuple[Any, ...]]]
"""The names of the columns, and the rows."""

ID = "#id"
"""An attribute of every item, by which its row is found again."""


@dataclass(frozen=True)
class Days:
    """A destination; columns: names in their order, the folders' key behind them; rows: by the value of ID."""

    dest: Path
    columns: list[str]
    rows: dict[str, dict[str, Any]]


def publish_days(folder: Path, days: Sequence[Sequence[Item]], options: ConvertOptions, **expected: Any) -> Days:
    """Publish each day's items (typed, as DynamoDB JSON has them), from 2024-01-01 on; they get an ID.

    expected: the options as the oracle takes them.
    """
    oracle: Options = {"key": [ID], **expected}  # type: ignore[typeddict-item]
    columns: list[str] = []
    rows: dict[str, dict[str, Any]] = {}
    for number, items in enumerate(days, 1):
        facts = ExportFacts(export_time=datetime(2024, 1, number, 12, tzinfo=UTC))
        named = [{**item, ID: {"S": f"{number}-{place}"}} for place, item in enumerate(items)]
        export = write_export(folder / f"export{number}", named, files=2, facts=facts)
        convert(export.folder, folder / "out", options)
        table = expected_table(export.folder, **oracle)
        names = [column.name for column in table.columns]
        columns = (
            names + [name for name in columns if name not in names]
            if options.schema == "new"
            else columns + [name for name in names if name not in columns]
        )
        for row in table.rows:
            cells = dict(zip(names, row, strict=True))
            rows[str(cells[ID])] = {**cells, "dt": date(2024, 1, number)}
    return Days(folder / "out", [*columns, "dt"], rows)


def assert_reads(days: Days, read: Read, names: Sequence[str] | None = None) -> None:
    """Fail unless the reader found exactly the rows. names: what it calls the columns, if not as we do."""
    found, rows = read
    assert list(found) == list(names or days.columns)
    place = days.columns.index(ID)
    seen = {row[place]: row for row in rows}
    assert len(rows) == len(seen) == len(days.rows)
    for key, cells in days.rows.items():
        for name, actual in zip(days.columns, seen[key], strict=True):
            expected = cells.get(name)
            assert same_value(actual, expected), f"{key}, column {name!r}: {actual!r} instead of {expected!r}"


def same_value(actual: object, expected: object) -> bool:
    """Equal, and null only where null is; a number may have another exact type, and JSON another spelling."""
    if actual is None or expected is None:
        return actual is expected
    if isinstance(expected, JsonText):
        return isinstance(actual, str) and same_json(actual, expected)
    if isinstance(expected, bytes):
        return isinstance(actual, (bytes, bytearray)) and bytes(actual) == expected
    return isinstance(actual, bool) == isinstance(expected, bool) and actual == expected


def run_duckdb(query: str) -> Read:
    """The result of a query."""
    found = duckdb.connect().execute(query)
    return [column[0] for column in found.description or ()], found.fetchall()


def run_polars(program: str) -> Read:
    """The rows of the frame that a program makes."""
    names: dict[str, Any] = {}
    exec(compile(program, "scan_with_polars.py", "exec"), names)
    frame = names["frame"].collect()
    return frame.columns, frame.rows()


def run_spark(spark: SparkSession, statements: str, view: str) -> Read:
    """The rows of the view that statements make."""
    for statement in split_statements(statements):
        spark.sql(statement)
    frame = spark.table(view)
    return frame.columns, [tuple(row) for row in frame.collect()]


def run_spark_sql(statements: Path, view: str, folder: Path) -> list[dict[str, object]]:
    """The rows of the view that a file of statements makes, without nulls, as `spark-sql -f` in a folder finds them."""
    import pyspark

    home = Path(pyspark.__file__).parent
    script = folder / "script.sql"
    script.write_text(f"{statements.read_text('utf-8')}\nSELECT to_json(struct(*)) FROM `{view}`;\n", "utf-8")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }
    command = [str(home / "bin" / "spark-sql"), "--master", "local[1]", "-f", str(script)]
    command += [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    # Names may hold what Python counts as an end of a line, too.
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def split_statements(text: str) -> Iterable[str]:
    """The statements of a recipe for Spark, each of which begins a line; a name may have a semicolon."""
    return [statement for statement in re.split(r";\n+(?=SET |CREATE |\Z)", text) if statement]
