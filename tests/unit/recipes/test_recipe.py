"""What recipes refuse: names, places and options that the consumer does not take."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from converter import recipe
from converter.errors import UsageError
from converter.options import Consumer
from converter.schema.column_types import INT64, Origin
from converter.schema.columns import Column
from tests.unit.recipes.records import TEXT, column, make_day, write_records

S3 = "s3://lake/orders"
SCALE_2 = column("price", "decimal128(38, 2)", Origin.NUMBER)
TYPES = ("string", "int64", "double", "decimal128(38, 9)", "binary", "bool", "timestamp")


def files_of(
    consumer: Consumer, dest: Path, *columns: Column, format: str = "parquet", **options: Any
) -> dict[str, str]:
    made = recipe(consumer, write_records(dest, make_day(1, columns or (TEXT,), format=format)), **options)
    return dict(made.files)


@pytest.mark.parametrize("consumer", ["treasure-data", "athena"])
@pytest.mark.parametrize("location", [None, "/mnt/orders", "gs://lake/orders"])
def test_who_reads_from_s3_needs_a_place_there(consumer: Consumer, location: str | None, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="reads from S3") as error:
        files_of(consumer, tmp_path, format="csv", location=location)
    assert "--location s3://bucket/prefix/" in error.value.hint


@pytest.mark.parametrize("consumer", get_args(Consumer))
@pytest.mark.parametrize(
    "location", ["s3://lake/a'b", "s3://lake/${x}", "s3://lake/a//b", "s3://Lake/a", "s3://lake/*"]
)
def test_a_place_in_s3_that_needs_quoting_is_refused(consumer: Consumer, location: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a recipe can't contain the location"):
        files_of(consumer, tmp_path, format="csv", location=location)


@pytest.mark.parametrize(
    ("consumer", "option"),
    [(c, "database") for c in ("duckdb", "polars", "spark")] + [(c, "table") for c in ("duckdb", "polars")],
)
def test_an_option_that_the_consumer_has_no_use_for_is_refused(consumer: Consumer, option: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"--{option}: this option is not used for {consumer}"):
        files_of(consumer, tmp_path, **{option: "x"})


def test_an_unknown_consumer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no recipe for 'excel'"):
        files_of("excel", tmp_path)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["Id", "1st", "a b", "", "a" * 129, "é", "a\n", "v", "a-b"])
def test_a_name_that_treasure_data_does_not_take_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Treasure Data") as error:
        files_of("treasure-data", tmp_path, TEXT, column(name), format="csv", location=S3)
    assert "--names treasure-data" in error.value.hint


@pytest.mark.parametrize("name", ["_", "a" * 128, "null", "no", "y", "true", "a1_"])
def test_a_name_that_treasure_data_takes_is_a_text_for_yaml(name: str, tmp_path: Path) -> None:
    files = files_of("treasure-data", tmp_path, column(name), format="csv", location=S3)
    assert yaml.safe_load(files["load.yml"])["in"]["parser"]["columns"] == [{"name": name, "type": "string"}]


def test_treasure_data_holds_each_type_exactly(tmp_path: Path) -> None:
    columns = [column(f"c{number}", type_) for number, type_ in enumerate(TYPES)]
    load = files_of("treasure-data", tmp_path, *columns, format="csv", location=S3)["load.yml"]
    types = [found["type"] for found in yaml.safe_load(load)["in"]["parser"]["columns"]]
    assert types == ["string", "long", "double", "string", "string", "boolean", "string"]


@pytest.mark.parametrize("type_", ["string", "timestamp", "double"])
def test_a_time_that_is_no_integer_is_refused(type_: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"the column time is {type_}"):
        files_of("treasure-data", tmp_path, column("time", type_), format="csv", location=S3)


@pytest.mark.parametrize(("origin", "warned"), [(Origin.NUMBER, True), (Origin.TEXT, False)])
def test_a_number_that_is_called_time_is_warned_of(origin: Origin, warned: bool, tmp_path: Path) -> None:
    dest = write_records(tmp_path, make_day(1, (column("time", "int64", origin),), format="csv"))
    made = recipe("treasure-data", dest, location=S3)
    assert any("must be Unix seconds" in warning for warning in made.warnings) == warned
    assert yaml.safe_load(made.files["load.yml"])["filters"] == []


def test_treasure_data_loads_parts_of_one_compression(tmp_path: Path) -> None:
    dest = write_records(tmp_path, make_day(1, format="csv"), make_day(2, format="csv.gz"))
    with pytest.raises(UsageError, match="some parts are compressed"):
        recipe("treasure-data", dest, location=S3)


@pytest.mark.parametrize("options", [{}, {"format": "parquet"}])
def test_treasure_data_is_not_given_parquet(options: dict[str, Any], tmp_path: Path) -> None:
    dest = write_records(tmp_path, make_day(1))
    with pytest.raises(UsageError) as error:
        recipe("treasure-data", dest, location=S3, **options)
    assert "--format csv" in error.value.hint


def test_rows_of_treasure_data_may_lack_columns_only_where_older_dates_do(tmp_path: Path) -> None:
    dest = write_records(tmp_path, make_day(1, format="csv"))
    load = yaml.safe_load(recipe("treasure-data", dest, location=S3).files["load.yml"])
    assert load["in"]["parser"]["allow_optional_columns"] is False


@pytest.mark.parametrize("name", ["a,b", "a:b", "a;b", "a`b", "a\nb", " a", "a" * 256, "é" * 128])
def test_a_name_that_athena_does_not_take_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a valid column name in Athena") as error:
        files_of("athena", tmp_path, TEXT, column(name), location=S3)
    assert "--names" in error.value.hint


def test_athena_can_not_tell_names_apart_that_differ_in_case(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't distinguish 'ID' from the column 'id'"):
        files_of("athena", tmp_path, TEXT, column("ID"), location=S3)


def test_a_column_may_not_be_called_like_the_partition_that_athena_is_given(tmp_path: Path) -> None:
    day = make_day(1, (TEXT, column("DT")), layout="{date}", paths=["2024-01-01/export-1/0.parquet"])
    with pytest.raises(UsageError, match="can't distinguish 'DT' from the partition key 'dt'"):
        recipe("athena", write_records(tmp_path, day), location=S3)


def test_athena_knows_each_type_of_parquet(tmp_path: Path) -> None:
    columns = [column(f"C {number}", type_) for number, type_ in enumerate(TYPES)]
    text = files_of("athena", tmp_path, *columns, location=S3)["athena.sql"]
    types = ["string", "bigint", "double", "decimal(38, 9)", "binary", "boolean", "timestamp"]
    assert ",\n".join(f"  `c {number}` {type_}" for number, type_ in enumerate(types)) in text
    assert "in milliseconds" in text


def test_athena_casts_each_type_of_csv_and_no_text(tmp_path: Path) -> None:
    columns = [column(f"c{number}", type_) for number, type_ in enumerate(TYPES)]
    text = files_of("athena", tmp_path, *columns, format="csv", location=S3)["athena.sql"]
    assert ",\n".join(f"  `c{number}` string" for number in range(len(TYPES))) in text
    for line in (
        '--   "c0",',
        """--   CAST(NULLIF("c1", '') AS bigint) AS "c1",""",
        """--   CAST(NULLIF("c3", '') AS decimal(38, 9)) AS "c3",""",
        """--   from_base64(NULLIF("c4", '')) AS "c4",""",
        """--   from_iso8601_timestamp(NULLIF("c6", '')) AS "c6",""",
    ):
        assert line in text.splitlines()


@pytest.mark.parametrize(
    ("option", "name"), [("table", "Orders"), ("table", "a b"), ("database", "a.b"), ("table", "`")]
)
@pytest.mark.parametrize("consumer", ["treasure-data", "athena"])
def test_names_of_tables_that_a_catalog_does_not_take_are_refused(
    consumer: Consumer, option: str, name: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=f"--{option}: .* is not a valid name in"):
        files_of(consumer, tmp_path, format="csv", location=S3, **{option: name})


@pytest.mark.parametrize("consumer", ["treasure-data", "athena", "spark"])
def test_an_empty_name_of_a_table_is_refused(consumer: Consumer, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--table: the name is empty"):
        files_of(consumer, tmp_path, format="csv", location=S3, table="")


def test_a_name_that_spark_takes_for_a_variable_is_refused(tmp_path: Path) -> None:
    for table in ("${spark.app.name}", "a;b", "it's", "a\nb", "-- a"):
        with pytest.raises(UsageError, match="a file of statements for Spark can't contain the name"):
            files_of("spark", tmp_path, table=table)


@pytest.mark.parametrize("name", ["${spark.app.name}", "a;b", "it's", "a\nb", "-- a", "/* a", "\u2028", "\\"])
@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_a_name_that_spark_would_split_is_given_as_a_text(name: str, format: str, tmp_path: Path) -> None:
    [text] = files_of("spark", tmp_path, TEXT, column(name), format=format).values()
    assert f"`{name}`" not in re.sub("'[^']*'", "", text)
    assert "named_struct(" in text
    assert ("mergeSchema 'true'" in text) == (format == "parquet")


@pytest.mark.parametrize("consumer", get_args(Consumer))
def test_no_file_of_a_recipe_has_the_name_of_a_module(consumer: Consumer, tmp_path: Path) -> None:
    for name in files_of(consumer, tmp_path, format="csv", location=S3):
        assert importlib.util.find_spec(name.partition(".")[0]) is None or not name.endswith(".py")


def test_a_destination_in_a_folder_is_named_so_that_every_folder_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_records(tmp_path / "out", make_day(1))
    monkeypatch.chdir(tmp_path)
    for consumer in ("duckdb", "polars", "spark"):
        [text] = recipe(consumer, "out").files.values()
        assert f"{tmp_path}/out/dt=*/*/*.parquet" in text
        # What the user says about the place stays as it is.
        [text] = recipe(consumer, "out", location="there").files.values()
        assert "'there/dt=*" in text or '"there/dt=*' in text


def test_a_column_without_a_name_is_refused_or_called_after_its_place(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'' is not a valid column name in Athena"):
        files_of("athena", tmp_path, TEXT, column(""), location=S3)
    [text] = files_of("duckdb", tmp_path, TEXT, column(""), column("b", "binary"), format="csv").values()
    assert "'C1': 'VARCHAR'" in text
    with pytest.raises(UsageError, match="the column without a name C1"):
        files_of("duckdb", tmp_path / "other", TEXT, column(""), column("c1"))


def test_duckdb_is_told_no_name_with_nul_in_csv(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a query for DuckDB can't contain"):
        files_of("duckdb", tmp_path, column("a\0b"), format="csv")
    assert "SELECT *" in files_of("duckdb", tmp_path, column("a\0b"))["duckdb.sql"]


def test_spark_reads_more_columns_than_its_default(tmp_path: Path) -> None:
    columns = [column(f"c{number}") for number in range(20_481)]
    assert "maxColumns '20481'" in files_of("spark", tmp_path, *columns, format="csv")["spark.sql"]


def test_no_text_of_a_record_becomes_a_variable_of_treasure_datas_workflow(tmp_path: Path) -> None:
    evil = "${require('x')}"
    day = make_day(1, (TEXT, Column("time", evil, INT64, Origin.NUMBER)), format="csv")
    named = replace(
        day,
        export_id=evil,
        parts=(replace(day.parts[0], path=f"dt=2024-01-01/{evil}/0.csv"),),
        report=replace(day.report, export_id=evil),
    )
    files = recipe("treasure-data", write_records(tmp_path, named), location=S3).files
    for text in files.values():
        assert "require" in text or "load.yml" in text
        assert "${require" not in text
