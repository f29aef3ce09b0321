"""Names that people should not give, in every policy, format and reader; and again on a day that has more of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import duckdb
import polars as pl
import pyarrow.csv
import pyarrow.dataset
import pytest

from converter import convert, inspect, scan
from converter.errors import UsageError
from converter.name_policies import Names
from converter.option_values import Format
from converter.options import ConvertOptions
from converter.publishing.report import Report
from converter.testing import ExportFacts, item_line, write_export
from tests.end_to_end.exports import export_of, line, small_lines, written_parts
from tests.oracle import assert_equal_to_table, expected_table

POLICIES: tuple[Names, ...] = get_args(Names)
FORMATS: tuple[Format, ...] = ("parquet", "csv")
LONG = "x" * 300
FIRST_DAY = (
    *(
        "id",
        "URL",
        "Url",
        "url",
        "url_1",
        "URL_2",
        "time",
        "Time",
        "v",
        "dt",
        "DT",
        "_op",
        "_OLD",
        "1st",
        "",
        " ",
        "a b",
    ),
    *(
        LONG,
        LONG + "y",
        "é",
        "e\u0301",
        "İ",
        "i",
        "ß",
        "值",
        '"a",b',
        "a\nb",
        "a.b",
        "a=b",
        "*",
        "^.*$",
        "\\",
        "'",
        "_",
    ),
)
# Each would take the name that a column of the first day has, or push it on to another number.
ADDED = (
    "uRL",
    "url-1",
    "time_1",
    "TIME",
    "dt_1",
    "Dt",
    "_op_1",
    "__1",
    "A b",
    LONG[:100] + "X" * 200,
    "É",
    "\U0001f600",
)

Item = dict[str, object]
Rows = list[tuple[object, ...]]
Reader = Callable[[str, Sequence[str]], tuple[list[str], Rows]]


def day(number: int) -> ExportFacts:
    return ExportFacts(export_time=datetime(2024, 1, number, tzinfo=UTC))


def make_items(attributes: Sequence[str]) -> list[Item]:
    """Items that hold a text of their own in two of three attributes, and an id."""
    return [
        {name: f"{number}:{place}" for place, name in enumerate(attributes) if name == "id" or (place + number) % 3}
        for number in range(4)
    ]


def expected_rows(items: Iterable[Item], report: Report) -> Rows:
    return [tuple(item.get(column.attribute or "") for column in report.columns) for item in items]


def column_of(report: Report) -> dict[str, str]:
    return {column.attribute: column.name for column in report.columns if column.attribute is not None}


def read_parquet_with_arrow(pattern: str, names: Sequence[str]) -> tuple[list[str], Rows]:
    table = pyarrow.dataset.dataset(_files(pattern), partitioning="hive").to_table()
    return table.column_names, list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def read_parquet_with_polars(pattern: str, names: Sequence[str]) -> tuple[list[str], Rows]:
    frame = pl.scan_parquet(pattern, hive_partitioning=True).collect()
    return frame.columns, frame.rows()


def read_parquet_with_duckdb(pattern: str, names: Sequence[str]) -> tuple[list[str], Rows]:
    found = duckdb.connect().execute("SELECT * FROM read_parquet(?, hive_partitioning = true)", [pattern])
    return [column[0] for column in found.description or []], found.fetchall()


def read_csv_with_arrow(pattern: str, names: Sequence[str]) -> tuple[list[str], Rows]:
    [part] = _files(pattern)
    converting = pyarrow.csv.ConvertOptions(
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        null_values=[""],
        column_types=dict.fromkeys(names, pyarrow.string()),
    )
    parsing = pyarrow.csv.ParseOptions(newlines_in_values=True)
    table = pyarrow.csv.read_csv(part, parse_options=parsing, convert_options=converting)
    return table.column_names, list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def read_csv_with_polars(pattern: str, names: Sequence[str]) -> tuple[list[str], Rows]:
    frame = pl.scan_csv(pattern, infer_schema=False).collect()
    # It leaves doubled quotes in the names of a header.
    return [name.replace('""', '"') for name in frame.columns], frame.rows()


def read_csv_with_duckdb(pattern: str, names: Sequence[str]) -> tuple[list[str], Rows]:
    query = """
        SELECT * FROM read_csv(?, hive_partitioning = true, all_varchar = true, header = true, delim = ',', quote = '"',
                               escape = '"', new_line = '\\n', allow_quoted_nulls = false)
    """
    found = duckdb.connect().execute(query, [pattern])
    return [column[0] for column in found.description or []], found.fetchall()


READERS: dict[Format, tuple[Reader, ...]] = {
    "parquet": (read_parquet_with_arrow, read_parquet_with_polars, read_parquet_with_duckdb),
    "csv": (read_csv_with_arrow, read_csv_with_polars, read_csv_with_duckdb),
}


def _files(pattern: str) -> list[str]:
    folder, _, rest = pattern.partition("/**/")
    return sorted(map(str, Path(folder).rglob(rest)))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("policy", POLICIES)
def test_nasty_names_are_in_every_readers_result_two_days_in_a_row(
    policy: Names, format: Format, tmp_path: Path
) -> None:
    options = ConvertOptions(names=policy, format=format, key=("id",))
    dest = tmp_path / "out"
    before: dict[str, str] = {}
    for number, attributes in enumerate((FIRST_DAY, (*FIRST_DAY, *ADDED)), 1):
        items = make_items(attributes)
        export = write_export(tmp_path / "bucket", items, facts=day(number))
        report = convert(export.folder, dest, options)
        names = column_of(report)
        assert {attribute: names[attribute] for attribute in before} == before
        assert set(names) == set(attributes)
        assert len(set(names.values())) == len(attributes)
        expected = expected_rows(items, report)
        for read in READERS[format]:
            found, rows = read(f"{dest}/dt=2024-01-0{number}/**/*.{format}", list(names.values()))
            # Behind them the reader may add what the folders say.
            assert [row[: len(names)] for row in rows] == expected, read.__name__
            # DuckDB calls a column otherwise whose name is empty or differs from another in case only.
            if policy != "preserve" or "duckdb" not in read.__name__:
                assert found[: len(names)] == list(names.values())
            for attribute in ("dt", "_op"):
                assert found.index(names[attribute]) == list(names).index(attribute)
            assert set(found[len(names) :]) <= {"dt"}
        before = names


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("policy", POLICIES)
def test_a_scan_of_both_days_has_every_column_under_the_name_of_the_first(
    policy: Names, format: Format, tmp_path: Path
) -> None:
    options = ConvertOptions(names=policy, format=format)
    expected: list[dict[str, object]] = []
    for number, attributes in enumerate((FIRST_DAY, (*FIRST_DAY, *ADDED)), 1):
        items = make_items(attributes)
        export = write_export(tmp_path / "bucket", items, facts=day(number))
        report = convert(export.folder, tmp_path / "out", options)
        names = column_of(report)
        expected += [{names[name]: value for name, value in item.items()} for item in items]
    rows = scan(tmp_path / "out").drop("dt").collect().to_dicts()
    assert [{name: value for name, value in row.items() if value is not None} for row in rows] == expected
    assert set(rows[0]) == set(names.values())


@pytest.mark.parametrize("policy", ["treasure-data", "snake"])
def test_names_of_a_policy_are_one_in_two_days_for_readers_that_fold_case(policy: Names, tmp_path: Path) -> None:
    items = {1: make_items(FIRST_DAY), 2: make_items((*FIRST_DAY, *ADDED))}
    for number in items:
        export = write_export(tmp_path / "bucket", items[number], facts=day(number))
        report = convert(export.folder, tmp_path / "out", ConvertOptions(names=policy))
    columns = ", ".join(f'"{column.name}"' for column in report.columns)
    query = f"SELECT {columns} FROM read_parquet(?, union_by_name = true) ORDER BY filename"
    found = duckdb.connect().execute(query, [f"{tmp_path}/out/dt=*/**/*.parquet"]).fetchall()
    assert found == expected_rows([*items[1], *items[2]], report)


def test_a_late_attribute_that_takes_a_name_makes_all_be_written_again(tmp_path: Path) -> None:
    """The first blocks show `Url`, whose column is `url` until the very last line has an attribute of that name."""
    lines = [*(line(Url=f'{{"S":"{number}"}}') for number in range(60_000)), line(url='{"S":"last"}')]
    export = export_of(tmp_path, lines)
    report = convert(export.folder, tmp_path / "out", ConvertOptions(names="snake"))
    assert report.passes == 2
    assert column_of(report) == {"Url": "url_1", "url": "url"}
    table = expected_table(export.folder)
    columns = [column._replace(name=column_of(report)[column.attribute or ""]) for column in table.columns]
    assert_equal_to_table(replace(table, columns=columns), written_parts(tmp_path / "out", report), "parquet")


def test_renames_are_in_the_parts_the_report_the_record_and_the_inspection(tmp_path: Path) -> None:
    items = [{"id": "a", "time": 7, "a=b,c": "x", "": "empty"}]
    export = write_export(tmp_path, items)
    options = ConvertOptions(
        names="treasure-data", rename=(("time", "event_time"), ("a=b,c", "id"), ("", "none")), key=("time",)
    )
    report = convert(export.folder, tmp_path / "out", options)
    names = {"time": "event_time", "": "none", "a=b,c": "id", "id": "id_1"}
    assert column_of(report) == names
    assert report.warnings == ("attribute 'id' is in column 'id_1': 'id' is the column of 'a=b,c'",)
    assert {a.attribute: a.column for a in inspect(export.folder, options).attributes} == names
    assert scan(tmp_path / "out").collect().row(0, named=True) == {
        "event_time": 7,
        "none": "empty",
        "id": "x",
        "id_1": "a",
        "dt": "2023-11-27",
    }
    assert convert(export.folder, tmp_path / "out", replace(options, rename=options.rename[::-1])).status == "unchanged"
    with pytest.raises(UsageError, match="with other options") as caught:
        convert(export.folder, tmp_path / "out", replace(options, rename=()))
    assert "rename:" in caught.value.what


def test_a_rename_of_an_attribute_that_no_item_has_is_a_warning_with_the_nearest(tmp_path: Path) -> None:
    export = export_of(tmp_path, small_lines(2), [line(order_id='{"S":"a"}')])
    options = ConvertOptions(rename=(("order_ids", "number"),))
    for done in (convert(export.folder, tmp_path / "out", options), inspect(export.folder, options)):
        assert any("'order_ids' (--rename): did you mean 'order_id'?" in warning for warning in done.warnings)


def test_a_renamed_attribute_has_a_column_however_rare_it_is(tmp_path: Path) -> None:
    lines = [item_line({"a": {"S": "x"}, "b": {"S": "x"}}), item_line({"a": {"S": "y"}, "rare": {"S": "z"}})] * 2
    export = export_of(tmp_path, [*lines, lines[0]])
    options = ConvertOptions(max_columns=2, overflow="_more", rename=(("rare", "kept"),))
    report = convert(export.folder, tmp_path / "out", options)
    assert [(column.attribute, column.name) for column in report.columns] == [("rare", "kept"), (None, "_more")]
