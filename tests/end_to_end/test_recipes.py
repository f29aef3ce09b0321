"""The recipes for DuckDB, Polars and Spark, run: they find all rows of all days, equal to the oracle's."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter import convert, recipe
from converter.errors import SchemaError, UsageError
from converter.options import Consumer, ConvertOptions, OneFormat
from converter.publishing.record import Record
from converter.recipes.duckdb import duckdb_names
from converter.schema.column_types import STRING, TIMESTAMP, Origin
from converter.schema.columns import Column
from converter.storage.paths import record_path
from converter.testing import ExportFacts, write_export
from tests.cli.command import ddb_convert
from tests.end_to_end.days import (
    ID,
    Days,
    Read,
    assert_reads,
    publish_days,
    run_duckdb,
    run_polars,
    run_spark,
    run_spark_sql,
    split_statements,
)
from tests.examples import examples
from tests.strategies import HARD_NAMES, HARD_TEXTS, Item, item_lists
from tests.unit.publishing.published import make_example_record

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FORMATS: tuple[OneFormat, ...] = get_args(OneFormat)
COMPRESSIONS = {"parquet": ("zstd",), "csv": ("none", "gzip")}
CASES = [(format, compression) for format in FORMATS for compression in COMPRESSIONS[format]]
# Sorts behind every other attribute, as the column of a new one does.
LATE = "\U0010ffff"
# Readers take these for patterns, functions, comments or columns of their own.
READERS_NAMES = (
    "*",
    "^a.*$",
    "count(*)",
    "--",
    "/*",
    "`",
    "``",
    "a;\nb",
    "\r",
    "?",
    ":x",
    "path",
    "filename",
    "\\u0041",
)
_SPARKS_SOCKETS = ("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
QUERIES: dict[Consumer, Callable[[str], Read]] = {"duckdb": run_duckdb, "polars": run_polars}


def with_spark(test: Callable[..., None]) -> Callable[..., None]:
    """Spark takes seconds to start, and leaves its sockets to the garbage collector."""
    for mark in (pytest.mark.slow, pytest.mark.filterwarnings(*_SPARKS_SOCKETS)):
        test = mark(test)
    return test


def text_of(consumer: Consumer, dest: Path, **options: Any) -> str:
    [text] = recipe(consumer, dest, **options).files.values()
    return text


def hard_days() -> list[list[Item]]:
    """Two days of texts, numbers and names that readers stumble over; the second has more attributes."""
    texts = (*HARD_TEXTS, '"\x00', '\x00"', "\r", "\n", "\r\n", '""', "NA", "NaN", "\ud7ff")
    names = {name: {"S": name} for name in (*HARD_NAMES, *READERS_NAMES) if len(name) < 100}
    days: list[list[Item]] = []
    for day in range(2):
        items: list[Item] = [
            {
                **names,
                "text": {"S": text},
                "price": {"N": str(Decimal(f"{10**30 + place}.25"))},
                "count": {"N": str(2**63 - 1 - place)},
                "flag": {"BOOL": place % 2 == 0},
                "data": {"B": ["", "AAE=", "//79"][place % 3]},
                "map": {"M": {"a": {"S": text}, "n": {"N": "1.5"}}},
            }
            for place, text in enumerate(texts)
        ]
        if day:
            late = {LATE: {"S": ""}, f"{LATE}2": {"N": "0.5"}, f"{LATE}3": {"B": "AAE="}}
            items = [{**item, **late} for item in items]
        # Nothing but nulls, and the empty string beside them.
        days.append([*items, {}, {"text": {"NULL": True}}, {"text": {"S": ""}}])
    return days


def duckdb_columns(days: Days) -> list[str]:
    columns = [Column(name, None, STRING, Origin.TEXT) for name in days.columns]
    return duckdb_names(columns)


@pytest.fixture(scope="module", params=CASES, ids=["-".join(case) for case in CASES])
def hard(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Days:
    format, compression = request.param
    # Wildcards of all readers, and a quote, in the path.
    folder = tmp_path_factory.mktemp("days") / "[a]*{b,c}^ é'"
    options = ConvertOptions(format=format, compression=compression, key=(ID,))
    return publish_days(folder, hard_days(), options)


@pytest.mark.parametrize("consumer", QUERIES)
def test_hard_texts_names_and_numbers_of_two_days_are_found_as_they_are(consumer: Consumer, hard: Days) -> None:
    names = duckdb_columns(hard) if consumer == "duckdb" else None
    assert_reads(hard, QUERIES[consumer](text_of(consumer, hard.dest)), names)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    pytest.importorskip("pyspark")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    from benchmarks.peers.spark_flat import start_spark, stop_spark

    session = start_spark(2, tmp_path_factory.mktemp("spark"))
    # Not what a user has: the recipe sets it where it is needed.
    session.conf.set("spark.sql.caseSensitive", "false")
    yield session
    stop_spark(session)


@with_spark
def test_spark_finds_hard_texts_names_and_numbers_as_they_are(hard: Days, spark: SparkSession) -> None:
    assert_reads(hard, run_spark(spark, text_of("spark", hard.dest, table="all days"), "`all days`"))


def run_recipe(consumer: str, dest: str, folder: Path, *, out: str | None = None) -> subprocess.CompletedProcess[str]:
    """The command, as the README has it: in the folder of the destination."""
    more = ["--out", out] if out else []
    done = ddb_convert("recipe", consumer, dest, *more, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder with the destination `out`, of two days."""
    days: list[list[Item]] = [[{"n": {"N": "1"}}], [{"n": {"N": "2"}, "late": {"S": "x"}}]]
    publish_days(tmp_path / "made", days, ConvertOptions(key=(ID,)))
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "made"


def test_the_program_for_polars_runs_from_any_folder(made: Path, tmp_path: Path) -> None:
    run_recipe("polars", "out", made, out="programs")
    [program] = (made / "programs").iterdir()
    for folder in (made, made / "programs", tmp_path / "elsewhere"):
        done = subprocess.run([sys.executable, program], capture_output=True, text=True, cwd=folder, check=False)
        assert done.returncode == 0, done.stderr
        assert "shape: (2, 4)" in done.stdout


def test_the_query_for_duckdb_runs_from_any_folder(made: Path, tmp_path: Path) -> None:
    query = run_recipe("duckdb", "out", made).stdout
    (tmp_path / "query.sql").write_text(query)
    program = "import sys, duckdb; print(len(duckdb.sql(open(sys.argv[1]).read()).fetchall()))"
    for folder in (made, tmp_path / "elsewhere"):
        command = [sys.executable, "-c", program, str(tmp_path / "query.sql")]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
        assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


# What `spark-sql -f` splits, drops or replaces, in names.
SPLIT_NAMES = (
    ";",
    "a;\nb",
    "'",
    '"',
    "`",
    "``;",
    "-- x",
    "\n-- x",
    "/* x",
    "*/",
    "\\",
    "\\'",
    "${x}",
    "\r\n",
    "\u2028",
    "",
)


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_the_statements_for_spark_run_by_spark_sql_from_any_folder(format: OneFormat, tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    values = {name: {"S": f"of {name!r}"} for name in SPLIT_NAMES}
    # Wildcards, quotes and ends of statements in the path, too.
    folder = tmp_path / 'it\'s; "x" -- {a}'
    items: list[Item] = [{**values, "b": {"B": "AAE="}, "n": {"N": "1.5"}}]
    days = publish_days(folder, [items, [{**items[0], "late": {"S": "x"}}]], ConvertOptions(format=format, key=(ID,)))
    run_recipe("spark", "out", folder, out="programs")
    (tmp_path / "elsewhere").mkdir()
    rows = run_spark_sql(folder / "programs" / "spark.sql", "orders", tmp_path / "elsewhere")
    found = {str(row.pop(ID)): row for row in rows}
    assert len(rows) == len(found) == 2
    for key, cells in days.rows.items():
        text = {name: value for name, value in cells.items() if isinstance(value, str) and name != ID}
        assert found[key].items() >= text.items()
        assert (found[key]["b"], str(found[key]["n"]), found[key]["dt"]) == ("AAE=", "1.5", str(cells["dt"]))
        assert len(found[key]) == len(text) + 3


@st.composite
def two_days(draw: st.DrawFn) -> list[list[Item]]:
    """A day of any items, and one with an item that has all their attributes and one more."""
    items = draw(item_lists(max_items=6))
    first = [{name: value for name, value in item.items() if name not in (ID, LATE)} for item in items]
    every = {name: value for item in first for name, value in item.items() if "NULL" not in value}
    late = draw(st.sampled_from(LATE_VALUES))
    return [first, [{**every, LATE: late}, {LATE: {"NULL": True}}]]


NUMBER = itertools.count()
LATE_VALUES: list[dict[str, Any]] = [{"S": ""}, {"N": "12.50"}, {"B": "AAE="}, {"BOOL": False}, {"NS": ["1", "2"]}]


@given(days=two_days(), case=st.sampled_from(CASES))
@settings(max_examples=examples(30))
def test_two_days_of_any_items_are_found_as_they_are_or_refused(
    days: list[list[Item]], case: tuple[OneFormat, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / f"any{next(NUMBER)}"
    # Each day with columns of its own: the second one has fewer items, and perhaps other types.
    options = ConvertOptions(format=case[0], compression=case[1], key=(ID,), schema="new")
    published = publish_days(folder, days, options)
    for consumer, run in QUERIES.items():
        try:
            text = text_of(consumer, published.dest)
        except SchemaError:
            return
        except UsageError:
            assert consumer == "duckdb"
            assert any("\0" in name for name in published.columns)
            continue
        assert_reads(published, run(text), duckdb_columns(published) if consumer == "duckdb" else None)


@pytest.mark.parametrize("consumer", QUERIES)
def test_in_csv_integers_of_one_day_and_decimals_of_another_are_decimals(consumer: Consumer, tmp_path: Path) -> None:
    days: list[list[Item]] = [[{"n": {"N": "7"}}], [{"n": {"N": "12.75"}}], [{"n": {"N": "0.1234567"}}]]
    published = publish_days(tmp_path, days, ConvertOptions(format="csv", key=(ID,), evolve=True))
    read = QUERIES[consumer](text_of(consumer, published.dest))
    assert_reads(published, read)
    assert {row[1] for row in read[1]} == {Decimal("7"), Decimal("12.75"), Decimal("0.1234567")}


@pytest.mark.parametrize("consumer", get_args(Consumer))
def test_in_parquet_integers_of_one_day_and_decimals_of_another_are_refused(consumer: Consumer, tmp_path: Path) -> None:
    days: list[list[Item]] = [[{"n": {"N": "7"}}], [{"n": {"N": "12.75"}}]]
    published = publish_days(tmp_path, days, ConvertOptions(key=(ID,), evolve=True))
    with pytest.raises(SchemaError, match=r"column 'n' of export \S+ \(2024-01-01\) is int64") as error:
        recipe(consumer, published.dest, location="s3://bucket/place", format="parquet")
    assert error.value.hint


@pytest.fixture(scope="module", params=FORMATS)
def long(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Days:
    """An item that DynamoDB holds, and whose JSON has 2.5 MB: numbers are written without exponents."""
    item: Item = {"numbers": {"L": [{"N": "1E125"}] * 20_000}}
    options = ConvertOptions(format=request.param, key=(ID,))
    return publish_days(tmp_path_factory.mktemp("long"), [[item, {}]], options)


@pytest.mark.parametrize("consumer", QUERIES)
def test_a_cell_of_megabytes_is_found_whole(consumer: Consumer, long: Days) -> None:
    assert_reads(long, QUERIES[consumer](text_of(consumer, long.dest)))


@with_spark
def test_spark_finds_a_cell_of_megabytes_and_a_place_from_the_current_folder(long: Days, spark: SparkSession) -> None:
    # Spark's current folder is the one that it was started in.
    relative = os.path.relpath(long.dest)
    assert_reads(long, run_spark(spark, text_of("spark", Path(relative)), "orders"))


@pytest.mark.parametrize("consumer", QUERIES)
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "layout", ["{date}", "a/b", "t={table}/dt={date}", "year=x{date}/plain", "t={table}/y/dt={date}"]
)
def test_the_keys_of_any_layout_become_columns(
    layout: str, format: OneFormat, consumer: Consumer, tmp_path: Path
) -> None:
    # Folders above the destination look like keys, and like those of the layout.
    dest = tmp_path / "env=prod" / "out"
    for number in (1, 2):
        facts = ExportFacts(export_time=datetime(2024, 1, number, tzinfo=UTC), table="Orders")
        export = write_export(tmp_path / str(number), [{"id": str(number)}], facts=facts)
        if "{date}" in layout or number == 1:
            convert(export.folder, dest, ConvertOptions(format=format, layout=layout))
    names, rows = QUERIES[consumer](text_of(consumer, dest))
    found = sorted([dict(zip(names, map(str, row), strict=True)) for row in rows], key=lambda row: row["id"])
    keys = {"t": "Orders", "dt": "2024-01-0{}", "year": "x2024-01-0{}"}
    assert found == [
        {"id": f"{number}", **{key: value.format(number) for key, value in keys.items() if f"{key}=" in layout}}
        for number in ((1, 2) if "{date}" in layout else (1,))
    ]


@with_spark
@pytest.mark.parametrize("format", FORMATS)
def test_spark_finds_the_keys_of_a_layout_and_no_others(format: OneFormat, spark: SparkSession, tmp_path: Path) -> None:
    dest = tmp_path / "env=prod" / "out"
    export = write_export(tmp_path / "export", [{"id": "1"}])
    convert(export.folder, dest, ConvertOptions(format=format, layout="plain/t={table}/dt={date}/more"))
    names, rows = run_spark(spark, text_of("spark", dest), "orders")
    assert (names, [tuple(map(str, row)) for row in rows]) == (["id", "t", "dt"], [("1", "Orders", "2023-11-27")])


def test_spark_is_not_asked_for_a_key_that_it_does_not_find(tmp_path: Path) -> None:
    export = write_export(tmp_path / "export", [{"id": "1"}])
    convert(export.folder, tmp_path / "out", ConvertOptions(layout="t={table}/y/dt={date}"))
    with pytest.raises(UsageError, match="Spark can't find the key 't'"):
        recipe("spark", tmp_path / "out")


@pytest.mark.parametrize("consumer", QUERIES)
def test_a_folder_above_that_would_take_the_place_of_a_column_is_refused(consumer: Consumer, tmp_path: Path) -> None:
    export = write_export(tmp_path / "export", [{"id": "1"}])
    convert(export.folder, tmp_path / "ID=7" / "out")
    with pytest.raises(UsageError, match="read the values of 'ID' from a folder above"):
        recipe(consumer, tmp_path / "ID=7" / "out")


INSTANTS = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1582, 10, 10, 1, 2, 3, 4, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    None,
]


@pytest.fixture(scope="module", params=FORMATS)
def instants(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A destination with a column of timestamps, written by hand."""
    dest = tmp_path_factory.mktemp("instants")
    columns = (Column("id", "id", STRING, Origin.TEXT), Column("at", "at", TIMESTAMP, Origin.TEXT))
    record = make_example_record(ConvertOptions(format=request.param))
    part = dest / record.parts[0].path
    part = part.with_suffix(f".{request.param}")
    part.parent.mkdir(parents=True)
    ids = [str(number) for number in range(len(INSTANTS))]
    if request.param == "parquet":
        table = pa.table({"id": ids, "at": pa.array(INSTANTS, pa.timestamp("us", "UTC"))})
        pa.parquet.write_table(table, part)
    else:
        cells = [at.isoformat(timespec="microseconds").replace("+00:00", "Z") if at else "" for at in INSTANTS]
        part.write_text("id,at\n" + "".join(f"{id},{cell}\n" for id, cell in zip(ids, cells, strict=True)))
    write_record(dest, record, columns, part)
    return dest


def write_record(dest: Path, record: Record, columns: tuple[Column, ...], part: Path) -> None:
    parts = (replace(record.parts[0], path=str(part.relative_to(dest))),)
    record = replace(record, columns=columns, parts=parts)
    path = dest / record_path(record.export_id)
    path.parent.mkdir()
    path.write_bytes(record.to_json())


EXPECTED = [at.strftime("%m-%dT%H:%M:%S.%f") + f" {at.year}" if at else None for at in INSTANTS]


def test_duckdb_finds_timestamps_to_the_microsecond(instants: Path) -> None:
    query = text_of("duckdb", instants).rstrip(";\n")
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    shown = """strftime("at", '%m-%dT%H:%M:%S.%f') || ' ' || year("at")"""
    rows = connection.execute(f"SELECT {shown} FROM (\n{query}\n) ORDER BY id").fetchall()
    assert [row[0] for row in rows] == EXPECTED


def test_polars_finds_timestamps_to_the_microsecond(instants: Path) -> None:
    names, rows = run_polars(text_of("polars", instants))
    assert names == ["id", "at", "dt"]
    assert [row[1] for row in sorted(rows)] == INSTANTS
    namespace: dict[str, Any] = {}
    exec(text_of("polars", instants), namespace)
    assert namespace["frame"].collect_schema()["at"] == pl.Datetime("us", "UTC")


@with_spark
def test_spark_finds_timestamps_to_the_microsecond(instants: Path, spark: SparkSession) -> None:
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    for statement in split_statements(text_of("spark", instants)):
        spark.sql(statement)
    shown = "date_format(at, \"MM-dd'T'HH:mm:ss.SSSSSS\") || ' ' || year(at)"
    rows = spark.sql(f"SELECT {shown} FROM orders ORDER BY id").collect()
    assert [row[0] for row in rows] == EXPECTED


DAYS = [date(1, 1, 1), date(1582, 10, 10), date(1969, 12, 31), date(2024, 2, 29), date(9999, 12, 31), None]


@pytest.fixture(scope="module", params=FORMATS)
def calendar(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A destination with a column of dates."""
    folder = tmp_path_factory.mktemp("calendar")
    items = [{"id": str(n), **({"day": str(day)} if day else {})} for n, day in enumerate(DAYS)]
    export = write_export(folder / "bucket", items, facts=ExportFacts(table="Orders"))
    convert(export.folder, folder / "out", ConvertOptions(format=request.param, cast=(("day", "date"),)))
    return folder / "out"


def test_duckdb_finds_dates(calendar: Path) -> None:
    query = text_of("duckdb", calendar).rstrip(";\n")
    rows = duckdb.connect().execute(f"SELECT typeof(day), day FROM (\n{query}\n) ORDER BY id").fetchall()
    assert rows == [("DATE", day) for day in DAYS]


def test_polars_finds_dates(calendar: Path) -> None:
    namespace: dict[str, Any] = {}
    exec(text_of("polars", calendar), namespace)
    frame = namespace["frame"].collect().sort("id")
    assert frame.schema["day"] == pl.Date()
    assert frame["day"].to_list() == DAYS


@with_spark
def test_spark_finds_dates(calendar: Path, spark: SparkSession) -> None:
    for statement in split_statements(text_of("spark", calendar)):
        spark.sql(statement)
    rows = spark.sql("SELECT typeof(day), CAST(day AS STRING) FROM orders ORDER BY id").collect()
    assert [tuple(row) for row in rows] == [("date", None if day is None else str(day)) for day in DAYS]
