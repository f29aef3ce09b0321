"""Snapshots as bases: their rows come out as if they had been decoded again, or the merge says why they can't."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from converter import ConvertOptions, Report, convert, merge
from converter.errors import DataFileError, ExportError, SchemaError, UsageError
from converter.testing import ExportFacts, to_dynamodb, write_export
from tests.end_to_end.ends import Ends
from tests.end_to_end.exports import written_parts
from tests.end_to_end.test_merge import ITEMS, MORNING, base, change, increment
from tests.oracle import read_csv_rows
from tests.servers.s3 import S3Server

RICH: list[dict[str, Any]] = [
    {
        "id": f"i-{n}",
        "n": n,
        "price": Decimal(n * 1001) / 100,
        "wide": Decimal(f"{n}.{'1' * 30}"),
        "huge": Decimal(f"{n + 1}E+60"),
        "flag": n % 2 == 0,
        "blob": bytes([n, 255, 0]),
        "map": to_dynamodb({"a": [n, "x", b"\x01"], "b": {"1", "2"}}),
        "several": n if n % 3 else f"text {n}",
        "at": f"2026-11-27T06:00:{n:02}.5Z",
        "when": f"2026-11-27T07:00:{n:02}Z",
        "dt": "mine",
        "Some Name": None if n % 2 else "x",
        **({"rare": n} if n == 7 else {}),
    }
    for n in range(1, 13)
]
PUT = {key: value for key, value in RICH[4].items() if key != "id"} | {"n": 77, "late": "new"}


def steps(folder: Path) -> tuple[Path, Path, Path]:
    """A full export, and two increments after it."""
    full = base(folder, RICH)
    old = {key: value for key, value in RICH[0].items() if key != "id"}
    first = increment(folder, 0, 1, change("i-1", old, PUT), change("i-2", None, None))
    second = increment(folder, 1, 2, change("i-1", PUT, None), change("i-3", None, PUT), change("i-99", None, PUT))
    return full, first, second


def rows(dest: Path, report: Report) -> tuple[pa.Schema, list[dict[str, Any]]]:
    """The columns of Parquet parts, and their rows by key."""
    parts = [dest / part.path for part in report.parts if part.format == "parquet"]
    table = pa.concat_tables([pq.read_table(part, partitioning=None) for part in parts])
    return table.schema, sorted(table.to_pylist(), key=lambda row: str(row["id"]))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"numbers": "double"},
        {"numbers": "text"},
        {"mixed": "json"},
        {"cast": (("at", "timestamp"),), "time": "when"},
        {"max_columns": 6, "overflow": "_more", "key": ("id",)},
        {"names": "snake", "rename": (("price", "cost"),)},
        {"add_column": (("taken", "export_time"), ("source", "export_id"))},
        {"format": "csv,parquet"},
        {"exclude": ("map", "several")},
    ],
    ids=str,
)
def test_a_merge_in_two_steps_gives_what_one_step_gives(tmp_path: Path, options: dict[str, Any]) -> None:
    full, first, second = steps(tmp_path / "b")
    chosen = ConvertOptions(workers=2, **options)
    at_once = merge(full, [first, second], tmp_path / "once", chosen)
    merge(full, [first], tmp_path / "half", chosen)
    report = merge(tmp_path / "half", [second], tmp_path / "twice", chosen)
    schema, found = rows(tmp_path / "twice", report)
    expected_schema, expected = rows(tmp_path / "once", at_once)
    assert set(schema.names) == set(expected_schema.names)
    assert all(schema.field(name).type == expected_schema.field(name).type for name in schema.names)
    assert found == expected
    assert report.merge is not None
    assert at_once.merge is not None
    assert (report.merge.deleted, report.merge.inserted, report.merge.updated) == (1, 1, 1)
    assert report.merge.chain.base.kind == "snapshot"
    assert {c.name: c.absent + c.nulls for c in report.columns} == {c.name: c.absent + c.nulls for c in at_once.columns}


def test_csv_from_a_parquet_snapshot_has_the_same_texts_as_from_the_export(tmp_path: Path) -> None:
    full, first, second = steps(tmp_path / "b")
    csv = ConvertOptions(format="csv", cast=(("at", "timestamp"),))
    at_once = merge(full, [first, second], tmp_path / "once", csv)
    merge(full, [first], tmp_path / "half", ConvertOptions(cast=(("at", "timestamp"),)))
    report = merge(tmp_path / "half", [second], tmp_path / "twice", csv)
    # New columns come last in the one, and where their names belong in the other.
    texts = []
    for dest, one in ((tmp_path / "once", at_once), (tmp_path / "twice", report)):
        columns, cells = read_csv_rows(written_parts(dest, one))
        texts.append(sorted(sorted(zip(columns, map(str, row), strict=True)) for row in cells))
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("values", "new", "expected"),
    [
        ([1, -2, 10**17], Decimal("0.5"), [Decimal(1), Decimal(-2), Decimal(10**17), Decimal("0.5")]),
        ([Decimal("1.5"), 20], Decimal("0.1234567"), [Decimal("1.5"), Decimal(20), Decimal("0.1234567")]),
        ([1, Decimal("2.50"), 0], Decimal("1E+90"), ["1", "2.5", "0", "1" + "0" * 90]),
        ([Decimal("1E-9"), 100], "text", ["0.000000001", "100", "text"]),
        ([True, False], 3, ["true", "false", "3"]),
        ([b"\x00\x01", b""], "x", ["AAE=", "", "x"]),
        (["a", "5"], 5, ["a", "5", "5"]),
        ([[1, Decimal("2.50")]], "x", ["[1,2.5]", "x"]),
    ],
    ids=str,
)
def test_a_column_that_must_widen_ends_the_run_or_takes_the_old_values_exactly(
    tmp_path: Path, values: list[Any], new: Any, expected: list[Any]
) -> None:
    items = [{"id": f"i-{n}", "v": to_dynamodb(value)} for n, value in enumerate(values)]
    full = base(tmp_path / "b", items)
    convert(full, tmp_path / "items")
    after = increment(tmp_path / "b", 0, 1, change("z", None, {"v": new}))
    with pytest.raises(SchemaError, match="attribute 'v'"):
        merge(tmp_path / "items", [after], tmp_path / "out")
    assert not list((tmp_path / "out").glob("dt=*"))
    report = merge(tmp_path / "items", [after], tmp_path / "out", ConvertOptions(evolve=True))
    assert [row["v"] for row in rows(tmp_path / "out", report)[1]] == expected


def test_a_column_that_was_made_wider_stays_so_in_a_later_snapshot_of_the_same_date(tmp_path: Path) -> None:
    out, items = tmp_path / "out", [{"id": "a", "v": 1}, {"id": "b", "v": 2}]
    full = base(tmp_path / "b", items)
    merge(full, [increment(tmp_path / "b", 0, 1)], out)
    wider = change("a", {"v": 1}, {"v": "x"})
    merge(out, [increment(tmp_path / "b", 1, 20, wider)], out, ConvertOptions(evolve=True))
    one_left = change("b", {"v": 2}, {})
    for begin, changes, expected in ((20, [], ["x", "2"]), (21, [one_left], ["x", None])):
        later = increment(tmp_path / "b", begin, begin + 1, *changes)
        report = merge(out, [later], out, ConvertOptions(replace=True))
        assert [row["v"] for row in rows(out, report)[1]] == expected
        assert not [change for change in report.column_changes if change.change == "widened"]


def test_documents_do_not_become_dynamodb_json_again(tmp_path: Path) -> None:
    full = base(tmp_path / "b", [{"id": "a", "v": to_dynamodb([1])}])
    convert(full, tmp_path / "items")
    after = increment(tmp_path / "b", 0, 1, change("z", None, {"v": "text"}))
    with pytest.raises(SchemaError, match="its original values are not known any more"):
        merge(tmp_path / "items", [after], tmp_path / "out", ConvertOptions(evolve=True, mixed="json"))


@pytest.mark.parametrize(
    ("options", "chosen", "message"),
    [
        ({"format": "csv"}, {}, "as CSV alone"),
        ({"exclude": ("id",)}, {"exclude": ("id",)}, "no column of the key 'id'"),
        ({"exclude": ("n",)}, {}, "published with another --exclude"),
        ({}, {"select": ("id",)}, "published with another --select"),
    ],
)
def test_a_snapshot_that_does_not_say_everything_is_refused(
    tmp_path: Path, options: dict[str, Any], chosen: dict[str, Any], message: str
) -> None:
    full = base(tmp_path / "b")
    after = increment(tmp_path / "b", 0, 1, change("i-1", {"n": 1, "old": "x"}, {"n": 2}))
    convert(full, tmp_path / "items", ConvertOptions(**options))
    with pytest.raises(UsageError, match=message):
        merge(tmp_path / "items", [after], tmp_path / "out", ConvertOptions(**chosen))


@pytest.mark.parametrize("key", ["2026-11-27T06:00:00Z", Decimal("1.5")])
def test_a_key_that_was_written_in_another_form_is_refused(tmp_path: Path, key: Any) -> None:
    full = write_export(tmp_path / "b", [{"id": key}], facts=ExportFacts(export_time=MORNING)).folder
    chosen = (
        ConvertOptions(numbers="double") if isinstance(key, Decimal) else ConvertOptions(cast=(("id", "timestamp"),))
    )
    convert(full, tmp_path / "items", chosen)
    gone = change("x", None, None)
    after = increment(tmp_path / "b", 0, 1, type(gone)(keys={"id": key}, old={"id": key}, new=None, written=MORNING))
    with pytest.raises(UsageError, match="does not say exactly what it was"):
        merge(tmp_path / "items", [after], tmp_path / "out", chosen)


def test_changes_are_no_base_and_neither_is_an_empty_folder(tmp_path: Path) -> None:
    after = increment(tmp_path / "b", 0, 1, change("i-1", None, {"n": 2}))
    convert(after, tmp_path / "changes")
    with pytest.raises(UsageError, match="this destination holds changes"):
        merge(tmp_path / "changes", [after], tmp_path / "out")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ExportError):
        merge(tmp_path / "nothing", [after], tmp_path / "out")


def test_the_latest_export_of_a_destination_is_the_base_or_the_one_whose_record_is_named(tmp_path: Path) -> None:
    early = base(tmp_path / "b")
    later = write_export(tmp_path / "b", ITEMS[:2], facts=ExportFacts(export_time=MORNING + timedelta(days=1))).folder
    convert(later, tmp_path / "items")
    convert(early, tmp_path / "items")
    after = increment(tmp_path / "b", 24, 25, change("new", None, {"n": 2}))
    assert merge(tmp_path / "items", [after], tmp_path / "out").items == 3
    record = tmp_path / "items" / "_exports" / f"{early.name}.json"
    soon = increment(tmp_path / "b", 0, 1, change("new", None, {"n": 2}))
    assert merge(record, [soon], tmp_path / "soon").items == 7


def test_a_destination_goes_on_from_its_own_snapshot_day_by_day(tmp_path: Path) -> None:
    full = base(tmp_path / "b")
    out = tmp_path / "out"
    days = [increment(tmp_path / "b", 24 * n, 24 * (n + 1), change(f"d-{n}", None, {"n": n})) for n in range(3)]
    merge(full, days[:1], out)
    assert merge(out, days[:2], out).items == 8
    assert merge(out, days[2:], out).items == 9
    assert merge(out, days, out).status == "unchanged"
    soon = increment(tmp_path / "b", 72, 72.5, change("soon", None, {"n": 1}))
    with pytest.raises(UsageError, match="readers would count items twice"):
        merge(out, [soon], out, ConvertOptions(timezone="Asia/Tokyo", layout="dt={date}"))
    assert merge(out, [soon], out, ConvertOptions(replace=True)).items == 10


@pytest.mark.parametrize(
    ("damage", "message"),
    [("other bytes", "sha256"), ("gone", "missing: .*\n.*publish it again"), ("longer", "sha256")],
)
def test_a_part_that_is_not_as_it_was_published_is_noticed(tmp_path: Path, damage: str, message: str) -> None:
    full = base(tmp_path / "b")
    (part,) = written_parts(tmp_path / "items", convert(full, tmp_path / "items"))
    after = increment(tmp_path / "b", 0, 1, change("i-1", {"n": 1, "old": "x"}, {"n": 2}))
    content = part.read_bytes()
    if damage == "gone":
        part.unlink()
    else:
        part.write_bytes(content + b"x" if damage == "longer" else content[:50] + b"x" + content[51:])
    with pytest.raises(DataFileError, match=message):
        merge(tmp_path / "items", [after], tmp_path / "out")
    assert not list((tmp_path / "out").glob("dt=*"))


def test_base_increments_and_snapshots_may_all_be_in_s3(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.use(monkeypatch)
    ends = Ends(s3, "s3", "s3", tmp_path)
    full, first, second = steps(tmp_path / "b")
    exports = ends.place_source(tmp_path / "b")
    places = [f"{exports}AWSDynamoDB/{folder.name}/" for folder in (full, first, second)]
    at_once = merge(full, [first, second], tmp_path / "once")
    assert merge(places[0], places[1:2], ends.dest).merge is not None
    report = merge(ends.dest, places[1:], ends.dest, ConvertOptions(replace=True))
    table = pa.concat_tables([pq.read_table(part, partitioning=None) for part in ends.parts(report)])
    assert sorted(table.to_pylist(), key=lambda row: str(row["id"])) == rows(tmp_path / "once", at_once)[1]
    ends.assert_only(report)
    assert merge(ends.dest, places[1:], ends.dest).status == "unchanged"
