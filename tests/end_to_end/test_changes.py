"""Incremental exports become what the oracle says: both views, both formats, with old images and without."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from converter import convert, inspect, recipe, scan
from converter.errors import BadLineError, SchemaError, UsageError
from converter.option_values import Format
from converter.options import ConvertOptions
from converter.presets import options_for
from converter.testing import Change, ExportPaths, WindowFacts, change_line, write_export, write_incremental_export
from tests.end_to_end.exports import written_parts
from tests.oracle_changes import assert_changes_equal_to_oracle, expected_changes, read_changes

UNICORNS = "unicorn-activities/AWSDynamoDB/01716791487000-6ddcf8cf"
FORMATS: tuple[Format, ...] = ("parquet", "csv")
VIEWS = ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")
MORNING = datetime(2026, 11, 27, 6, tzinfo=UTC)


def window(number: int = 0, view: str = "NEW_AND_OLD_IMAGES", start: datetime = MORNING) -> WindowFacts:
    """The facts of one of many windows of an hour."""
    begin = start + timedelta(hours=number)
    return WindowFacts(from_time=begin, to_time=begin + timedelta(hours=1), view=view)


def changes_of(facts: WindowFacts) -> list[Change]:
    """Changes of every kind: inserts, updates, deletes, and what is inserted and deleted in the window."""
    order: dict[str, object] = {"customer": "c-1", "number": 7, "price": Decimal("12.50"), "note": 'a "q" \\ }{ ü😀'}
    moved = order | {"price": Decimal("13.125"), "tags": {"b", "a"}, "inner": [{"x": 1}, b"\x00\x01", None]}
    gone = {"customer": "c-2", "number": Decimal("8.5"), "_op": "mine", "_old": 1, "flag": True}
    brief = {"customer": "c-3", "number": 1}
    steps = [
        (order, None, order),
        (moved, order, moved),
        (gone, gone, None),
        (brief, None, brief),
        (brief, brief, None),
        ({"customer": "c-4", "number": 10**20}, None, {"customer": "c-4", "number": 10**20, "dt": None}),
    ]
    return [
        Change(
            keys={name: keys[name] for name in ("customer", "number")},
            old=old,
            new=new,
            written=facts.from_time + timedelta(seconds=number, microseconds=number * 100_001),
        )
        for number, (keys, old, new) in enumerate(steps)
    ]


def make(bucket: Path, facts: WindowFacts, files: int = 2) -> ExportPaths:
    return write_incremental_export(bucket, changes_of(facts), files=files, empty_files=1, facts=facts)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("old_image", [False, True])
def test_a_real_incremental_export_becomes_what_the_oracle_says(
    sample_exports: Path, format: Format, old_image: bool, tmp_path: Path
) -> None:
    folder = sample_exports / UNICORNS
    report = convert(str(folder), str(tmp_path / "out"), ConvertOptions(format=format, old_image=old_image))
    assert_changes_equal_to_oracle(folder, written_parts(tmp_path / "out", report), format, old_image=old_image)
    assert (report.kind, report.items, report.passes, report.date) == ("changes", 15, 1, "2024-05-27")
    assert inspect(str(folder)).operations == {"insert": 1, "update": 8, "delete": 6}


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(("view", "old_image"), [(VIEWS[0], False), (VIEWS[1], False), (VIEWS[1], True)])
def test_changes_of_every_kind_become_what_the_oracle_says(
    format: Format, view: str, old_image: bool, tmp_path: Path
) -> None:
    export = make(tmp_path / "bucket", window(view=view))
    options = ConvertOptions(format=format, old_image=old_image)
    report = convert(str(export.folder), str(tmp_path / "out"), options)
    assert_changes_equal_to_oracle(export.folder, written_parts(tmp_path / "out", report), format, old_image=old_image)
    names = [column.name for column in report.columns]
    assert names[:4] == ["_op", "_write_ts", "customer", "number"]
    assert ("_old" in names, names[-1] == "_old") == (old_image, old_image)
    assert not any("_op" in warning for warning in report.warnings)


def test_the_operation_is_what_the_view_can_tell(tmp_path: Path) -> None:
    found = {}
    for view in VIEWS:
        export = make(tmp_path / view, window(view=view))
        seen = inspect(str(export.folder))
        assert (seen.kind, seen.output_view, seen.items) == ("changes", view, 3)
        assert (seen.from_time, seen.to_time) == ("2026-11-27T06:00:00.000Z", "2026-11-27T07:00:00.000Z")
        found[view] = seen.operations
    assert found == {VIEWS[0]: {"delete": 1, "put": 2}, VIEWS[1]: {"insert": 2, "delete": 1}}


def test_attributes_that_are_called_as_our_columns_are_renamed_and_named(tmp_path: Path) -> None:
    facts = window()
    item = {"id": "a", "_op": "theirs", "_WRITE_TS": 5, "_old": "x"}
    change = Change(keys={"id": "a"}, new=item, old=item, written=facts.from_time)
    export = write_incremental_export(tmp_path / "bucket", [change], facts=facts)
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(old_image=True))
    assert [(c.name, c.attribute) for c in report.columns] == [
        ("_op", None),
        ("_write_ts", None),
        ("id", "id"),
        ("_WRITE_TS_1", "_WRITE_TS"),
        ("_old_1", "_old"),
        ("_op_1", "_op"),
        ("_old", None),
    ]
    assert sum("or of a reserved column" in warning for warning in report.warnings) == 3
    assert_changes_equal_to_oracle(export.folder, written_parts(tmp_path / "out", report), "parquet", old_image=True)


def test_several_windows_of_a_day_lie_side_by_side_and_can_be_read_as_one(tmp_path: Path) -> None:
    exports = [make(tmp_path / "bucket", window(number)) for number in (0, 1, 17, 18)]
    assert len({export.data_files[0].parent for export in exports}) == 1
    reports = [convert(str(export.folder), str(tmp_path / "out")) for export in exports]
    assert [report.locations[0] for report in reports] == [
        f"dt=2026-11-{day}/{export.export_id}" for day, export in zip((27, 27, 27, 28), exports, strict=True)
    ]
    frame = scan(str(tmp_path / "out")).collect()
    assert frame.height == 12
    assert frame["_op"].value_counts(sort=True)["count"].to_list() == [8, 4]
    again = convert(str(exports[0].folder), str(tmp_path / "out"))
    assert again.status == "unchanged"


def test_the_date_is_that_of_the_windows_last_instant(tmp_path: Path) -> None:
    facts = window(start=datetime(2026, 11, 27, 23, tzinfo=UTC))
    export = make(tmp_path / "bucket", facts)
    layout = "dt={date}/from={from}/to={to}"
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(layout=layout))
    folder = "dt=2026-11-27/from=2026-11-27T23-00-00Z/to=2026-11-28T00-00-00Z"
    assert report.locations == (f"{folder}/{export.export_id}",)


def test_a_destination_of_items_refuses_changes_and_the_other_way_round(tmp_path: Path) -> None:
    full = str(write_export(tmp_path / "full", [{"id": "a"}]).folder)
    changes = str(make(tmp_path / "bucket", window()).folder)
    for first, second in ((full, changes), (changes, full)):
        dest = str(tmp_path / f"out-{first == full}")
        convert(first, dest)
        with pytest.raises(UsageError, match="one for each kind of export"):
            convert(second, dest)


def test_the_columns_stay_from_window_to_window_and_new_ones_come_last(tmp_path: Path) -> None:
    dest = str(tmp_path / "out")
    first, second, third = (window(number) for number in range(3))
    exports = [
        make(tmp_path / "bucket", first),
        write_incremental_export(
            tmp_path / "bucket",
            [Change(keys={"customer": "x", "number": 1}, old={"customer": "x", "number": 1}, written=second.from_time)],
            facts=second,
        ),
        write_incremental_export(
            tmp_path / "bucket",
            [
                Change(
                    keys={"customer": "x", "number": 1},
                    new={"customer": "x", "number": 1, "aaa": "new", "price": 1},
                    written=third.from_time,
                )
            ],
            facts=third,
        ),
    ]
    reports = [convert(str(export.folder), dest) for export in exports]
    names = [[column.name for column in report.columns] for report in reports]
    assert names[0] == names[1]
    assert names[2] == [*names[0], "aaa"]
    assert [(change.column, change.change) for change in reports[2].column_changes][-1] == ("aaa", "added")
    with_old = convert(str(make(tmp_path / "bucket", window(4)).folder), dest, ConvertOptions(old_image=True))
    assert [column.name for column in with_old.columns] == [*names[2], "_old"]
    # What a destination has once, it goes on with.
    last = convert(str(make(tmp_path / "bucket", window(5)).folder), dest)
    assert [column.name for column in last.columns] == [*names[2], "_old"]
    old = pq.ParquetFile(written_parts(dest, last)[0]).read().column("_old").to_pylist()
    assert sum(text is not None for text in old) == 1


def test_a_value_that_its_column_can_t_hold_is_named_with_its_place_in_the_line_of_the_export(tmp_path: Path) -> None:
    dest = str(tmp_path / "out")
    facts = [window(number) for number in range(2)]
    images: list[list[dict[str, object]]] = [
        [{"id": "a", "n": 1}],
        [{"id": "b", "n": 2}, {"id": "c", "n": Decimal("1.5")}],
    ]
    exports = [
        write_incremental_export(
            tmp_path / "bucket",
            [Change(keys={"id": image["id"]}, new=image, written=fact.from_time) for image in made],
            facts=fact,
        )
        for fact, made in zip(facts, images, strict=True)
    ]
    convert(str(exports[0].folder), dest)
    with pytest.raises(SchemaError, match="does not fit its column 'n'") as caught:
        convert(str(exports[1].folder), dest)
    line = change_line(Change(keys={"id": "b"}, new=images[1][0], written=facts[1].from_time))
    assert caught.value.where == f"{exports[1].data_files[0]} line 2 (byte {len(line)}): $.NewImage.n.N"


def test_an_export_without_changes_has_parts_once_the_columns_are_known(tmp_path: Path) -> None:
    dest = str(tmp_path / "out")
    empty = [
        write_incremental_export(tmp_path / "bucket", [], files=0, empty_files=2, facts=window(number))
        for number in (0, 2)
    ]
    report = convert(str(empty[0].folder), dest)
    assert (report.status, report.items, report.parts, report.columns) == ("published", 0, (), ())
    known = convert(str(make(tmp_path / "bucket", window(1)).folder), dest)
    report = convert(str(empty[1].folder), dest)
    assert [part.rows for part in report.parts] == [0]
    assert [column.name for column in report.columns] == [column.name for column in known.columns]
    assert inspect(str(empty[0].folder)).operations == {}


def test_old_images_are_refused_where_there_are_none(tmp_path: Path) -> None:
    exports = (
        (write_export(tmp_path / "full", [{"id": "a"}]), "a full export has no old images"),
        (make(tmp_path / "bucket", window(view="NEW_IMAGE")), "the view NEW_IMAGE has no old images"),
    )
    for export, said in exports:
        for run in (lambda folder, o: convert(folder, str(tmp_path / "out"), o), inspect):
            with pytest.raises(UsageError, match=said) as caught:
                run(str(export.folder), ConvertOptions(old_image=True))
            assert caught.value.where == "--old-image"


def test_options_hold_for_changes_as_for_items(tmp_path: Path) -> None:
    export = make(tmp_path / "bucket", window())
    folder = str(export.folder)
    for number, options in enumerate(
        (
            {"select": ("customer", "price"), "mixed": "json"},
            {"exclude": ("customer",), "numbers": "text"},
            {"key": ("number",), "max_columns": 3, "overflow": "_more"},
        )
    ):
        chosen = ConvertOptions(old_image=True, **options)  # type: ignore[arg-type]
        report = convert(folder, str(tmp_path / f"out-{number}"), chosen)
        parts = written_parts(tmp_path / f"out-{number}", report)
        assert_changes_equal_to_oracle(export.folder, parts, "parquet", old_image=True, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("block", [True, False])
def test_a_long_export_is_written_in_one_pass_and_a_late_surprise_in_two(block: bool, tmp_path: Path) -> None:
    facts = window()

    def lines() -> Iterable[Change]:
        for number in range(9000):
            late = {"late": "x"} if number == 8999 and block else {}
            image = {"id": f"{number:05}", "text": "word " * 20, **late}
            yield Change(keys={"id": image["id"]}, new=image, written=facts.from_time + timedelta(microseconds=number))

    export = write_incremental_export(tmp_path / "bucket", lines(), facts=facts)
    report = convert(str(export.folder), str(tmp_path / "out"))
    assert report.passes == (2 if block else 1)
    assert_changes_equal_to_oracle(export.folder, written_parts(tmp_path / "out", report), "parquet")


def test_a_time_that_is_none_is_named_where_the_change_has_it(tmp_path: Path) -> None:
    facts = window()
    changes = [
        Change(keys={"id": "a", "at": "2026-01-01"}, new={"id": "a", "at": "2026-01-01"}, written=facts.from_time),
        Change(keys={"id": "b", "at": "soon"}, old={"id": "b", "at": "soon"}, written=facts.from_time),
    ]
    export = write_incremental_export(tmp_path / "bucket", changes, facts=facts)
    with pytest.raises(SchemaError, match="not a timestamp") as caught:
        convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(cast=(("at", "timestamp"),)))
    assert caught.value.where.endswith(f"line 2 (byte {len(change_line(changes[0]))}): $.Keys.at.S")


def test_presets_and_recipes_say_what_the_columns_of_changes_mean(tmp_path: Path) -> None:
    folder = str(make(tmp_path / "bucket", window()).folder)
    convert(folder, str(tmp_path / "td"), options_for("treasure-data", old_image=True))
    convert(folder, str(tmp_path / "athena"), options_for("athena"))
    made = [
        recipe("treasure-data", str(tmp_path / "td"), location="s3://lake/orders/"),
        recipe("athena", str(tmp_path / "athena"), location="s3://lake/orders/"),
        *(recipe(consumer, str(tmp_path / "athena")) for consumer in ("duckdb", "polars", "spark")),
    ]
    for found in made:
        for name, text in found.files.items():
            mark = "--" if name.endswith(".sql") else "#"
            assert text.startswith(f"{mark} Each row is a change. _op is insert, update or delete"), name
            assert ("_old is the item before" in text) == (found is made[0])


@pytest.mark.parametrize("format", FORMATS)
def test_without_verification_a_file_may_hold_changes_that_the_manifest_does_not_know_of(
    format: Format, tmp_path: Path
) -> None:
    facts = window()
    export = write_incremental_export(tmp_path / "bucket", [b""], facts=facts)
    change = Change(keys={"id": "a"}, new={"id": "a"}, written=facts.from_time)
    export.data_files[0].write_bytes(gzip.compress(change_line(change)))
    report = convert(str(export.folder), str(tmp_path / "out"), ConvertOptions(format=format, verify=False))
    assert_changes_equal_to_oracle(export.folder, written_parts(tmp_path / "out", report), format)
    assert report.items == 1


@pytest.mark.parametrize("format", FORMATS)
def test_recipes_for_changes_read_them(format: Format, tmp_path: Path) -> None:
    dest = str(tmp_path / "out")
    for number in range(2):
        convert(str(make(tmp_path / "bucket", window(number)).folder), dest, ConvertOptions(format=format))
    frame: dict[str, Any] = {}
    exec(recipe("polars", dest).files["scan_with_polars.py"], frame)
    assert sorted(frame["frame"].collect()["_op"]) == ["delete"] * 2 + ["insert"] * 4
    duckdb = pytest.importorskip("duckdb")
    query = recipe("duckdb", dest).files["duckdb.sql"].rstrip().rstrip(";")
    rows = duckdb.sql(f"SELECT _op, count(*) FROM ({query}\n) GROUP BY ALL ORDER BY ALL").fetchall()
    assert rows == [("delete", 2), ("insert", 4)]


def test_keys_that_differ_from_those_of_the_first_change_are_a_bad_line_wherever_they_stand(tmp_path: Path) -> None:
    facts = window()
    lines = [
        change_line(Change(keys=keys, new=keys, written=facts.from_time))[:-1]
        for keys in ({"id": "a"}, {"id": "b"}, {"id": 3})
    ]
    export = write_incremental_export(tmp_path / "bucket", lines, files=3, facts=facts)
    with pytest.raises(BadLineError, match=r"the keys are 'id' \(N\), and those of the first change are 'id' \(S\)"):
        convert(str(export.folder), str(tmp_path / "out"))
    assert [change.operation for change in read_changes(make(tmp_path / "other", facts).folder)]
    assert expected_changes([]).rows == []
