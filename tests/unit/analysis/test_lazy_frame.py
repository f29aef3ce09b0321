"""A destination as a Polars frame: the rows that its records publish, with the types that the columns have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from converter.analysis.lazy_frame import polars_type, scan_destination
from converter.aws.access import AwsOptions
from converter.errors import SchemaError, StorageError
from converter.schema.column_types import Origin
from tests.unit.recipes.records import TEXT, column, make_day, write_records

TYPES = {
    "id": ("string", pl.String(), 'ü, "x"', 'ü, "x"'),
    "n": ("int64", pl.Int64(), "-7", -7),
    "d": (
        "decimal128(38, 2)",
        pl.Decimal(38, 2),
        "12345678901234567890123456.50",
        Decimal("12345678901234567890123456.50"),
    ),
    "f": ("double", pl.Float64(), "0.5", 0.5),
    "b": ("binary", pl.Binary(), "AAE=", b"\x00\x01"),
    "yes": ("bool", pl.Boolean(), "true", True),
    "no": ("bool", pl.Boolean(), "false", False),
    "at": ("timestamp", pl.Datetime("us", "UTC"), "2024-01-02T03:04:05.000006Z", datetime(2024, 1, 2, 3, 4, 5, 6, UTC)),
    "day": ("date", pl.Date(), "0099-12-31", date(99, 12, 31)),
}
NUMBER = Origin.NUMBER
Values = pl.Series | Sequence[object]


def scan(dest: Path | str) -> pl.DataFrame:
    return scan_destination(str(dest), AwsOptions()).collect()


def write(dest: Path, path: str, rows: Mapping[str, Values]) -> None:
    """A part; of CSV, as texts."""
    (dest / path).parent.mkdir(parents=True, exist_ok=True)
    frame = pl.DataFrame(rows)
    if path.endswith(".parquet"):
        frame.write_parquet(dest / path)
    else:
        frame.write_csv(dest / path)


def part(day: int, name: str = "00000.parquet", location: str = "dt=2024-01-{:02}") -> str:
    return f"{location.format(day)}/export-{day}/{name}"


def publish(dest: Path, day: int, ids: Sequence[str]) -> None:
    write(dest, part(day), {"id": ids})
    write_records(dest, make_day(day))


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_values_have_the_types_of_their_columns_in_both_formats(format: str, tmp_path: Path) -> None:
    columns = [column(name, type) for name, (type, *_) in TYPES.items()]
    texts: dict[str, Values] = {name: [text, None] for name, (_, _, text, _) in TYPES.items()}
    values: dict[str, Values] = {
        name: pl.Series([value, None], dtype=kind) for name, (_, kind, _, value) in TYPES.items()
    }
    write(tmp_path, part(1, f"00000.{format}"), values if format == "parquet" else texts)
    write_records(tmp_path, make_day(1, columns, format=format))
    frame = scan(tmp_path)
    assert frame.schema == {**{name: kind for name, (_, kind, *_) in TYPES.items()}, "dt": pl.String()}
    assert frame.rows() == [
        (*(value for *_, value in TYPES.values()), "2024-01-01"),
        (*(None for _ in TYPES), "2024-01-01"),
    ]
    assert [polars_type(each) for each in columns] == [kind for _, kind, *_ in TYPES.values()]


def test_the_header_of_csv_is_not_a_row_and_not_the_source_of_the_names(tmp_path: Path) -> None:
    odd = ["^a.*$", "*", 'q"q', "a,b"]
    write(tmp_path, part(1, "00000.csv"), {"id": ["1"], **{name: [name] for name in odd}})
    write_records(tmp_path, make_day(1, [TEXT, *map(column, odd)], format="csv"))
    frame = scan(tmp_path)
    assert frame.columns == ["id", *odd, "dt"]
    assert frame.rows() == [("1", *odd, "2024-01-01")]


def test_only_the_parts_that_records_name_are_read_whatever_their_names_are(tmp_path: Path) -> None:
    location = "all [1-9]*"
    write(tmp_path, part(1, location=location), {"id": ["published"]})
    write(tmp_path, part(1, "00001.parquet", location), {"id": ["stray"]})
    write(tmp_path, part(1, location="all 1"), {"id": ["stray"]})
    write_records(tmp_path, make_day(1, layout=location, paths=[part(1, location=location)]))
    assert scan(tmp_path).rows() == [("published",)]


def test_items_that_were_published_in_both_formats_are_read_once(tmp_path: Path) -> None:
    paths = [f"csv/{part(1, '00000.csv')}", f"parquet/{part(1)}"]
    write(tmp_path, paths[0], {"id": ["csv"]})
    write(tmp_path, paths[1], {"id": ["parquet"]})
    write_records(tmp_path, make_day(1, paths=paths))
    assert scan(tmp_path).rows() == [("parquet", "2024-01-01")]


def test_all_exports_are_read_oldest_first_with_the_columns_of_all(tmp_path: Path) -> None:
    write(tmp_path, part(2), {"id": ["b"], "n": [7]})
    write(tmp_path, part(1, "00000.csv"), {"id": ["a"], "gone": ["x"]})
    write_records(
        tmp_path, make_day(2, [TEXT, column("n", "int64", NUMBER)]), make_day(1, [TEXT, column("gone")], format="csv")
    )
    frame = scan(tmp_path)
    assert frame.columns == ["id", "n", "gone", "dt"]
    assert frame.rows() == [("a", None, "x", "2024-01-01"), ("b", 7, None, "2024-01-02")]
    assert frame.schema["n"] == pl.Int64()


def test_numbers_of_several_exports_keep_all_their_digits(tmp_path: Path) -> None:
    write(tmp_path, part(1), {"n": [7]})
    write(tmp_path, part(2), {"n": pl.Series([Decimal("0.25")], dtype=pl.Decimal(38, 2))})
    write_records(
        tmp_path,
        make_day(1, [column("n", "int64", NUMBER)]),
        make_day(2, [column("n", "decimal128(38, 2)", NUMBER)]),
    )
    assert scan(tmp_path)["n"].to_list() == [Decimal(7), Decimal("0.25")]


def test_a_column_that_means_something_else_in_another_export_is_an_error(tmp_path: Path) -> None:
    write_records(tmp_path, make_day(1, [column("n", "int64", NUMBER)]), make_day(2, [column("n")]))
    with pytest.raises(SchemaError, match="column 'n' is int64"):
        scan(tmp_path)


def test_an_export_without_items_adds_nothing_beside_others(tmp_path: Path) -> None:
    publish(tmp_path, 1, ["a"])
    write_records(tmp_path, make_day(2, [column("late")], paths=[]))
    assert scan(tmp_path).rows() == [("a", "2024-01-01")]


def test_exports_without_items_are_an_empty_frame_with_the_newest_columns(tmp_path: Path) -> None:
    write_records(tmp_path, make_day(1, [TEXT], paths=[]), make_day(2, [column("n", "int64", NUMBER)], paths=[]))
    frame = scan(tmp_path)
    assert (frame.schema, frame.height) == ({"n": pl.Int64()}, 0)


def test_folder_keys_are_columns_and_the_files_do_not_overrule_them(tmp_path: Path) -> None:
    location = "year=2024/plain/month=01"
    write(tmp_path, part(1, location=location), {"id": ["a"]})
    publish(tmp_path, 2, ["b"])
    write_records(tmp_path, make_day(1, layout=location, paths=[part(1, location=location)]))
    assert scan(tmp_path).rows(named=True) == [
        {"id": "a", "year": "2024", "month": "01", "dt": None},
        {"id": "b", "year": None, "month": None, "dt": "2024-01-02"},
    ]


def test_a_part_that_is_a_link_is_not_read(tmp_path: Path) -> None:
    publish(tmp_path, 1, ["a"])
    path = tmp_path / part(1)
    path.rename(tmp_path / "elsewhere.parquet")
    path.symlink_to(tmp_path / "elsewhere.parquet")
    with pytest.raises(StorageError, match="symbolic link"):
        scan(tmp_path)


def test_a_place_where_nothing_is_published_is_an_error_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="nothing is published here") as refused:
        scan(tmp_path)
    assert (refused.value.where, "ddb-convert convert" in refused.value.hint) == (str(tmp_path), True)
