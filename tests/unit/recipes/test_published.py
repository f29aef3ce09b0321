"""What recipes know of a destination, and which destinations no reader can take together."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.errors import SchemaError, StorageError, UsageError
from converter.options import OneFormat
from converter.publishing.record import Record
from converter.recipes.literals import literal_glob
from converter.recipes.published import read_published
from converter.schema.column_types import Origin
from tests.unit.recipes.records import TEXT, column, make_day, write_records


def test_a_destination_is_described_by_all_its_records(tmp_path: Path) -> None:
    late = column("late")
    dest = write_records(tmp_path, make_day(2, (TEXT, late), timezone="Asia/Tokyo"), make_day(1))
    published = read_published(dest, None, None)
    assert published.location == dest
    assert (published.table, published.newest, published.format) == ("orders", "export-2", "parquet")
    assert published.columns == (TEXT, late)
    assert (published.grown, published.first_date, published.timezone) == (True, "2024-01-01", "Asia/Tokyo")
    assert published.glob(literal_glob) == f"{literal_glob(dest)}/dt=*/*/*.parquet"


def test_the_location_is_where_the_reader_finds_the_parts(tmp_path: Path) -> None:
    dest = write_records(tmp_path, make_day(1))
    assert read_published(dest, "s3://lake/orders/", None).glob(str) == "s3://lake/orders/dt=*/*/*.parquet"


@pytest.mark.parametrize(("format", "end"), [(None, "parquet"), ("parquet", "parquet"), ("csv", "csv.gz")])
def test_of_two_formats_in_folders_of_their_own_one_is_read(format: OneFormat | None, end: str, tmp_path: Path) -> None:
    days = tuple(
        make_day(day, paths=[f"{end.partition('.')[0]}/dt=2024-01-0{day}/export-{day}/0.{end}" for end in ENDS])
        for day in (1, 2)
    )
    published = read_published(write_records(tmp_path, *days), "place", format)
    assert published.glob(str) == f"place/{end.partition('.')[0]}/dt=*/*/*.{end}"


ENDS = ("csv.gz", "parquet")


def test_compressed_and_other_parts_of_csv_are_read_together(tmp_path: Path) -> None:
    dest = write_records(tmp_path, make_day(1, format="csv"), make_day(2, format="csv.gz"))
    assert read_published(dest, "place", None).glob(str) == "place/dt=*/*/*.csv*"


def test_a_date_that_lacks_the_format_is_named(tmp_path: Path) -> None:
    dest = write_records(tmp_path, make_day(1, format="csv"), make_day(2))
    with pytest.raises(UsageError, match="export export-1 of 2024-01-01 is not published in parquet"):
        read_published(dest, None, None)
    with pytest.raises(UsageError, match="export export-2 of 2024-01-02 is not published in csv"):
        read_published(dest, None, "csv")


@pytest.mark.parametrize("records", [[], [make_day(1, paths=[])], [make_day(1, ())]])
def test_where_there_are_no_items_there_is_no_recipe(records: list[Record], tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no items are published here"):
        read_published(write_records(tmp_path, *records), None, None)


def test_a_date_without_items_is_passed_over(tmp_path: Path) -> None:
    dest = write_records(tmp_path, make_day(1, paths=[]), make_day(2), make_day(3, (), paths=[]))
    published = read_published(dest, None, None)
    assert (published.newest, published.first_date, published.grown) == ("export-2", "2024-01-02", False)


def test_records_of_several_layouts_are_refused(tmp_path: Path) -> None:
    other = make_day(2, layout="day={date}", paths=["day=2024-01-02/export-2/0.parquet"])
    with pytest.raises(SchemaError, match=r"several layouts \(day=\{date\}, dt=\{date\}\)") as error:
        read_published(write_records(tmp_path, make_day(1), other), None, None)
    assert "converter.scan" in error.value.hint


def test_in_parquet_a_column_of_two_types_is_refused_even_if_both_are_numbers(tmp_path: Path) -> None:
    days = [
        make_day(1, (column("n", "int64", Origin.NUMBER),)),
        make_day(2, (column("n", "decimal128(38, 2)", Origin.NUMBER),)),
    ]
    expected = r"column 'n' of export export-1 \(2024-01-01\) is int64, but decimal128\(38, 2\) when combined"
    with pytest.raises(SchemaError, match=expected) as error:
        read_published(write_records(tmp_path, *days), None, None)
    assert "--replace" in error.value.hint


def test_in_csv_numbers_of_two_exact_types_are_decimals(tmp_path: Path) -> None:
    days = [
        make_day(1, (column("n", "decimal128(38, 2)", Origin.NUMBER),), format="csv"),
        make_day(2, (column("n", "int64", Origin.NUMBER),), format="csv"),
    ]
    [found] = read_published(write_records(tmp_path, *days), None, None).columns
    assert str(found.type) == "decimal128(38, 2)"


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_a_column_of_two_origins_is_refused(format: str, tmp_path: Path) -> None:
    days = [make_day(1, format=format), make_day(2, (column("id", origin=Origin.JSON),), format=format)]
    with pytest.raises(SchemaError, match="column 'id' is string"):
        read_published(write_records(tmp_path, *days), None, None)


def test_in_csv_a_column_that_has_moved_is_refused(tmp_path: Path) -> None:
    days = [make_day(1, format="csv"), make_day(2, (column("a"), TEXT), format="csv")]
    expected = r"column 'id' of export export-1 \(2024-01-01\) is column 1 in its files, but column 2 in newer files"
    with pytest.raises(SchemaError, match=expected):
        read_published(write_records(tmp_path, *days), None, None)


def test_in_parquet_a_column_may_have_moved(tmp_path: Path) -> None:
    days = [make_day(1), make_day(2, (column("a"), TEXT))]
    published = read_published(write_records(tmp_path, *days), None, None)
    assert [found.name for found in published.columns] == ["a", "id"]


def test_parts_that_are_not_where_the_layout_says_are_an_error(tmp_path: Path) -> None:
    dest = write_records(tmp_path, make_day(1, layout="day={date}"))
    with pytest.raises(StorageError, match="is outside of its layout"):
        read_published(dest, None, None)


@pytest.mark.parametrize(
    ("layout", "key", "folder"),
    [
        ("dt={date}", "dt", "dt=DAY/"),
        ("{date}", None, "DAY/"),
        ("a/t={table}/day={date}/w={from}", "day", "a/t=orders/day=DAY/"),
        ("x-{date}-{table}", None, "x-DAY-orders/"),
    ],
)
def test_the_folder_of_a_date_is_found_in_a_layout(layout: str, key: str | None, folder: str, tmp_path: Path) -> None:
    path = layout.replace("{table}", "orders").replace("{date}", "2024-01-01").replace("{from}", "2024-01-01T00-00-00Z")
    dest = write_records(tmp_path, make_day(1, layout=layout, paths=[f"{path}/export-1/0.parquet"]))
    assert read_published(dest, None, None).dated_folder("DAY") == (key, folder)


@pytest.mark.parametrize("layout", ["all", "t={table}", "w={from}/dt={date}", "{date}{date}", "{date}-{to}"])
def test_a_layout_without_a_folder_for_each_date_is_refused(layout: str, tmp_path: Path) -> None:
    path = (
        layout.replace("{table}", "orders").replace("{date}", "2024-01-01").replace("{from}", "x").replace("{to}", "y")
    )
    dest = write_records(tmp_path, make_day(1, layout=layout, paths=[f"{path}/export-1/0.parquet"]))
    with pytest.raises(UsageError, match="has no folder for each date"):
        read_published(dest, None, None).dated_folder("DAY")
