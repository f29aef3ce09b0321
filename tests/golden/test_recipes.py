"""Each recipe is what lies in recipes/, and what must not be forgotten in it is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.golden.make_recipes import CASES, HERE, make_case

TREASURE_DATA = [name for name in CASES if name.startswith("treasure-data")]
ATHENA = [name for name in CASES if name.startswith("athena")]


def read_golden(name: str) -> dict[str, str]:
    return {path.name: path.read_bytes().decode() for path in (HERE / name).iterdir()}


def test_there_is_a_folder_for_each_case_and_no_other() -> None:
    assert sorted(path.name for path in HERE.iterdir()) == sorted(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_recipe_is_what_lies_in_its_folder(name: str, tmp_path: Path) -> None:
    assert make_case(name, tmp_path) == read_golden(name)


@pytest.mark.parametrize("name", CASES)
def test_a_recipe_ends_with_one_line_break_and_has_no_long_lines(name: str) -> None:
    for text in read_golden(name).values():
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("name", TREASURE_DATA)
def test_treasure_data_gets_every_setting_without_which_it_changes_rows(name: str) -> None:
    load = yaml.safe_load(read_golden(name)["load.yml"])
    assert load["in"]["type"] == "s3_v2"
    assert load["in"]["bucket"] == "lake"
    parser = load["in"]["parser"]
    columns = parser.pop("columns")
    optional = parser.pop("allow_optional_columns")
    assert parser == {
        "type": "csv",
        "charset": "UTF-8",
        "newline": "LF",
        "line_delimiter_recognized": "LF",
        "delimiter": ",",
        "quote": '"',
        "escape": '"',
        "trim_if_not_quoted": False,
        "max_quoted_size_limit": 64 << 20,
        "stop_on_invalid_record": True,
        "skip_header_lines": 1,
        "allow_extra_columns": False,
    }
    # The first day lacks the last column.
    assert optional is True
    assert load["out"] == {"mode": "append"}
    types = {column["name"]: column["type"] for column in columns}
    assert types.pop("time", None) == ("long" if "time" in name else None)
    assert list(types.items()) == [
        ("id", "string"),
        ("active", "boolean"),
        ("data", "string"),
        ("day", "string"),
        ("lines", "string"),
        ("price", "string"),
        ("quantity", "long"),
        ("was_new", "string"),
    ]


@pytest.mark.parametrize(
    ("name", "prefix", "decoders", "filters"),
    [
        (
            "treasure-data",
            "shop/orders/dt=${moment(session_time).format('YYYY-MM-DD')}/",
            None,
            [{"type": "add_time", "from_value": {"mode": "upload_time"}, "to_column": {"name": "time"}}],
        ),
        (
            "treasure-data-gzip-time",
            "shop/orders/t=Orders/${moment(session_time).format('YYYY-MM-DD')}/",
            [{"type": "gzip"}],
            [],
        ),
    ],
)
def test_treasure_data_loads_the_folder_of_one_date(name: str, prefix: str, decoders: Any, filters: Any) -> None:
    load = yaml.safe_load(read_golden(name)["load.yml"])
    assert load["in"]["path_prefix"] == prefix
    assert load["in"].get("decoders") == decoders
    assert load["filters"] == filters


@pytest.mark.parametrize("name", TREASURE_DATA)
def test_nothing_in_a_comment_of_load_yml_looks_like_a_variable(name: str) -> None:
    """`td_load>` replaces variables in the text, before it is YAML."""
    for line in read_golden(name)["load.yml"].splitlines():
        assert "$" not in line.partition("#")[2], line


@pytest.mark.parametrize(
    ("name", "database", "table", "timezone"),
    [
        ("treasure-data", "orders", "orders", "UTC"),
        ("treasure-data-gzip-time", "shop", "orders_daily", "Asia/Tokyo"),
    ],
)
def test_the_workflow_loads_into_its_table_each_day(name: str, database: str, table: str, timezone: str) -> None:
    files = read_golden(name)
    workflow = yaml.safe_load(files["load.dig"])
    assert workflow["+load"] == {"td_load>": "load.yml", "database": database, "table": table}
    assert workflow["+tables"] == {
        "td_ddl>": None,
        "create_databases": [database],
        "create_tables": [table],
        "database": database,
    }
    assert workflow["timezone"] == timezone
    assert workflow["schedule"] == {"daily>": "06:00:00"}
    assert workflow["+check"]["if>"] == "${td.last_job.num_records == 0}"
    prefix = yaml.safe_load(files["load.yml"])["in"]["path_prefix"]
    assert workflow["+check"]["_do"] == {"fail>": f"no rows in s3://lake/{prefix}"}


@pytest.mark.parametrize(
    ("name", "partition", "range", "template"),
    [
        ("athena-parquet", "dt", "2024-01-01,NOW", "s3://lake/shop/orders/dt=${dt}/"),
        ("athena-csv", "dt", "2024-01-01,NOW+1DAYS", "s3://lake/shop/orders/${dt}/"),
    ],
)
def test_athena_projects_the_partitions_from_the_dates(name: str, partition: str, range: str, template: str) -> None:
    [text] = read_golden(name).values()
    assert f"PARTITIONED BY (`{partition}` string)\n" in text
    assert f"  'projection.{partition}.range' = '{range}',\n" in text
    assert f"  'storage.location.template' = '{template}'" in text
    # One statement, and nothing behind it.
    assert text.count(";\n") == (2 if name == "athena-csv" else 1)
    assert text.endswith(");\n")
