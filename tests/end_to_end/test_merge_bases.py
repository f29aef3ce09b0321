"""Merges into what is there already: the columns of a base and of DEST, the options of both, and damaged bases."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from converter import ConvertOptions, Report, convert, merge
from converter.errors import BadLineError, ConvertError, DataFileError, SchemaError, UsageError
from converter.options import SchemaText
from converter.testing import seal
from tests.end_to_end.exports import written_parts
from tests.end_to_end.test_merge import base, change, increment

TWO: list[dict[str, Any]] = [{"id": "a", "v": "old"}, {"id": "b", "v": "kept"}]


def found(dest: Path, report: Report) -> list[dict[str, Any]]:
    """The rows of Parquet parts, by key."""
    rows = [row for part in written_parts(dest, report) for row in pq.read_table(part, partitioning=None).to_pylist()]
    return sorted(rows, key=lambda row: str(row["id"]))


def schema_text(text: str) -> SchemaText:
    return SchemaText("columns.json", f'{{"version": 1, "columns": [{text}]}}')


@pytest.mark.parametrize(
    ("attribute", "options", "column"),
    [
        ("exported", {"add_column": (("exported", "export_id"),)}, "exported_1"),
        ("time", {"add_column": (("time", "unix_time"),), "names": "treasure-data"}, "time_1"),
        ("_more", {"key": ("id", "_more"), "max_columns": 2, "overflow": "_more"}, "_more_1"),
    ],
)
def test_an_attribute_may_be_called_like_a_column_that_is_none(
    tmp_path: Path, attribute: str, options: dict[str, Any], column: str
) -> None:
    full = base(tmp_path / "b", [{"id": key, attribute: f"of {key}", "rare": key} for key in ("a", "b")])
    after = increment(tmp_path / "b", 0, 1, change("b", None, {attribute: "new"}))
    chosen = ConvertOptions(**options)
    convert(full, tmp_path / "items", chosen)
    report = merge(tmp_path / "items", [after], tmp_path / "out", chosen)
    assert [row[column] for row in found(tmp_path / "out", report)] == ["of a", "new"]


def test_an_added_column_of_the_base_is_none_of_a_destination_that_has_other_columns(tmp_path: Path) -> None:
    full = base(tmp_path / "b", TWO)
    first = increment(tmp_path / "b", 0, 1, change("a", None, {"v": "new"}))
    second = increment(tmp_path / "b", 1, 30, change("c", None, {"v": "newer"}))
    merge(full, [first], tmp_path / "out")
    merge(full, [first], tmp_path / "other", ConvertOptions(add_column=(("source", "export_id"),)))
    report = merge(tmp_path / "other", [second], tmp_path / "out")
    assert found(tmp_path / "out", report) == [
        {"id": "a", "v": "new"},
        {"id": "b", "v": "kept"},
        {"id": "c", "v": "newer"},
    ]


def test_what_a_base_has_in_its_overflow_column_can_not_be_where_dest_has_a_column(tmp_path: Path) -> None:
    full = base(tmp_path / "b", TWO)
    first = increment(tmp_path / "b", 0, 1, change("a", None, {"v": "new"}))
    second = increment(tmp_path / "b", 1, 30, change("c", None, {"v": "newer"}))
    merge(full, [first], tmp_path / "out")
    merge(full, [first], tmp_path / "other", ConvertOptions(key=("id",), max_columns=1, overflow="_more"))
    with pytest.raises(SchemaError, match="attribute 'v' has the column 'v', and the base has it in '_more'"):
        merge(tmp_path / "other", [second], tmp_path / "out")
    assert len(list((tmp_path / "out").rglob("*.parquet"))) == 1


def test_numbers_of_the_base_that_doubles_round_are_counted(tmp_path: Path) -> None:
    full = base(tmp_path / "b", [{"id": "a", "n": Decimal("12345678901234567890.123")}, {"id": "b", "n": 2}])
    convert(full, tmp_path / "items")
    after = increment(tmp_path / "b", 0, 1, change("c", None, {"n": Decimal("0.1234567890123456789")}))
    options = ConvertOptions(format="csv,parquet", numbers="double", evolve=True)
    report = merge(tmp_path / "items", [after], tmp_path / "out", options)
    assert {column.name: column.changed for column in report.columns} == {"id": 0, "n": 2}
    assert any("2 numbers are rounded" in warning for warning in report.warnings)


def test_a_schema_file_that_drops_attributes_goes_with_a_base_that_it_was_used_for(tmp_path: Path) -> None:
    full = base(tmp_path / "b", [item | {"secret": "s"} for item in TWO])
    after = increment(tmp_path / "b", 0, 1, change("a", None, {"v": "new", "secret": "t"}))
    chosen = ConvertOptions(schema=schema_text('{"attribute": "id"}, {"attribute": "secret", "drop": true}'))
    convert(full, tmp_path / "items", chosen)
    report = merge(tmp_path / "items", [after], tmp_path / "out", chosen)
    assert found(tmp_path / "out", report) == [{"id": "a", "v": "new"}, {"id": "b", "v": "kept"}]
    convert(full, tmp_path / "all")
    for dry_run in (True, False):
        with pytest.raises(UsageError, match="the base has a column of 'secret', which the schema file drops"):
            merge(tmp_path / "all", [after], tmp_path / "new", ConvertOptions(schema=chosen.schema, dry_run=dry_run))


def test_a_value_that_a_column_of_the_base_can_not_hold_is_said_to_be_that(tmp_path: Path) -> None:
    convert(base(tmp_path / "b", TWO), tmp_path / "items")
    after = increment(tmp_path / "b", 0, 1, change("a", None, {"v": 5}))
    for options in (ConvertOptions(), ConvertOptions(schema="new")):
        with pytest.raises(SchemaError, match="column 'v'") as refused:
            merge(tmp_path / "items", [after], tmp_path / "out", options)
        (record,) = (tmp_path / "items" / "_exports").glob("*.json")
        assert f"promised by {record}" in str(refused.value)
        assert "--schema new" not in str(refused.value)


def test_a_key_of_another_type_than_the_increments_have_is_told_as_such(tmp_path: Path) -> None:
    convert(base(tmp_path / "b", [{"id": 1}]), tmp_path / "items")
    after = increment(tmp_path / "b", 0, 1, change("1", None, {"v": 5}))
    with pytest.raises(UsageError, match="the key 'id' as int64, and the increments have it as S"):
        merge(tmp_path / "items", [after], tmp_path / "out")


def test_folders_are_not_called_like_a_column_that_is_there(tmp_path: Path) -> None:
    full = base(tmp_path / "b", [item | {"Day": "x"} for item in TWO])
    convert(full, tmp_path / "items")
    after = increment(tmp_path / "b", 0, 1, change("a", None, {"v": "new"}))
    with pytest.raises(UsageError, match=r"there is a column 'Day' .* readers drop the column"):
        merge(tmp_path / "items", [after], tmp_path / "out", ConvertOptions(layout="day={date}"))
    later = increment(tmp_path / "b", 1, 2, change("a", None, {"Day": "y"}))
    convert(after, tmp_path / "changes")
    convert(later, tmp_path / "changes")
    with pytest.raises(UsageError, match="there is a column 'Day'"):
        convert(
            increment(tmp_path / "b", 2, 3, change("a", None, {"v": "z"})),
            tmp_path / "changes",
            ConvertOptions(layout="day={date}"),
        )


def test_an_increment_is_not_taken_for_the_destination(tmp_path: Path) -> None:
    full = base(tmp_path / "b", TWO)
    first, second = (increment(tmp_path / "b", n, n + 1, change("a", None, {"v": str(n)})) for n in range(2))
    with pytest.raises(UsageError, match="DEST is the folder of an export"):
        merge(full, [first], second)
    assert not (second / "_exports").exists()


@pytest.mark.parametrize("given", [{"latest": True}, {"export_id": "x"}, {"old_image": True}], ids=str)
def test_what_a_merge_has_no_use_for_is_refused(tmp_path: Path, given: dict[str, Any]) -> None:
    full = base(tmp_path / "b", TWO)
    after = increment(tmp_path / "b", 0, 1, change("a", None, {"v": "new"}))
    with pytest.raises(UsageError, match="merge does not accept this option"):
        merge(full, [after], tmp_path / "out", ConvertOptions(**given))


def test_a_snapshot_that_is_its_own_base_was_made_before_only_with_the_same_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    full = base(tmp_path / "b", TWO)
    after = increment(tmp_path / "b", 0, 1, change("a", None, {"v": "new"}))
    merge(full, [after], "out")
    assert merge("./out/", [after], "out").status == "unchanged"
    with pytest.raises(UsageError, match="published with another --numbers, and no increment is later"):
        merge("out", [after], "out", ConvertOptions(numbers="text"))


@pytest.mark.parametrize("place", [4, -60], ids=["header of a page", "footer"])
def test_a_damaged_part_is_told_without_its_checksum_too(tmp_path: Path, place: int) -> None:
    full = base(tmp_path / "b", [{"id": f"i-{n}", "v": f"{n * n}"} for n in range(400)])
    (part,) = written_parts(tmp_path / "items", convert(full, tmp_path / "items"))
    content = part.read_bytes()
    part.write_bytes(content[:place] + bytes(b ^ 0xFF for b in content[place : place + 8]) + content[place + 8 :])
    after = increment(tmp_path / "b", 0, 1, change("i-1", None, {"v": "x"}))
    with pytest.raises(DataFileError, match="not as it was published"):
        merge(tmp_path / "items", [after], tmp_path / "out", ConvertOptions(verify=False))


@pytest.mark.parametrize(("rows", "message"), [([{"id": "a"}], "no column 'v'"), (TWO, "90 rows, and it has 2")])
def test_another_file_in_the_place_of_a_part_is_told_without_its_checksum_too(
    tmp_path: Path, rows: list[dict[str, Any]], message: str
) -> None:
    full = base(tmp_path / "b", [{"id": f"i-{n}", "v": f"{n * n}"} for n in range(90)])
    (part,) = written_parts(tmp_path / "items", convert(full, tmp_path / "items"))
    (other,) = written_parts(tmp_path / "others", convert(base(tmp_path / "c", rows), tmp_path / "others"))
    part.write_bytes(other.read_bytes())
    after = increment(tmp_path / "b", 0, 1, change("a", None, {"v": "x"}))
    with pytest.raises(DataFileError, match=message):
        merge(tmp_path / "items", [after], tmp_path / "out", ConvertOptions(verify=False))


@pytest.mark.parametrize("cut", [b'{"Item":{"id":{"S":"a"},"v":{"N":"1', b'{"Item":{"id":{"S":"a"}} more'])
def test_a_line_that_is_no_item_is_a_bad_one_although_its_key_was_changed(tmp_path: Path, cut: bytes) -> None:
    full = base(tmp_path / "b", TWO)
    file = max((full / "data").glob("*.gz"), key=lambda path: path.stat().st_size)
    lines = gzip.decompress(file.read_bytes()).splitlines()
    file.write_bytes(gzip.compress(b"\n".join([*lines[:-1], cut]) + b"\n"))
    seal(full)
    after = increment(tmp_path / "b", 0, 1, change("a", None, {"v": "new"}))
    with pytest.raises(BadLineError, match="not JSON"):
        merge(full, [after], tmp_path / "out")


@pytest.mark.parametrize("place", ["_exports", "dt=2023-11-27"])
def test_nothing_of_a_base_is_read_through_a_link_that_leads_out_of_it(place: str, tmp_path: Path) -> None:
    full = base(tmp_path / "b", TWO)
    after = increment(tmp_path / "b", 0, 1, change("a", None, {"v": "new"}))
    convert(full, tmp_path / "items")
    [linked] = (tmp_path / "items").glob(place if place == "_exports" else "dt=*")
    linked.rename(tmp_path / "moved")
    linked.symlink_to(tmp_path / "moved")
    with pytest.raises(ConvertError, match="link"):
        merge(tmp_path / "items", [after], tmp_path / "out")
    assert not (tmp_path / "out").exists()
