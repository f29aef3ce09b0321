"""Merges: a full export and increments become what replaying each change gives, and nothing else is published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from converter import ConvertOptions, MergeRules, convert, merge
from converter.errors import BadLineError, ConvertError, ExportError, UsageError
from converter.option_values import Format
from converter.testing import Change, ExportFacts, WindowFacts, to_dynamodb, write_export, write_incremental_export
from tests.end_to_end.exports import written_parts
from tests.oracle import assert_equal_to_table, expected_table_of
from tests.oracle_merges import replay_exports

REAL = "unicorn-activities/AWSDynamoDB"
FULL, INCREMENT = "01716790307109-5f9d6aaa", "01716791487000-6ddcf8cf"
FORMATS: tuple[Format, ...] = ("parquet", "csv")
MORNING = datetime(2026, 11, 27, 6, tzinfo=UTC)
ITEMS: list[dict[str, Any]] = [{"id": f"i-{n}", "n": n, "old": "x"} for n in range(6)]
EMPTY = Change(keys={"id": "a"}, new={"id": "a"}, written=MORNING)


def hour(number: float) -> datetime:
    return MORNING + timedelta(hours=number)


def base(bucket: Path, items: Sequence[dict[str, Any]] = ITEMS, **facts: Any) -> Path:
    """A full export of the items as they were at MORNING."""
    return write_export(bucket, items, files=2, facts=ExportFacts(export_time=MORNING, **facts)).folder


def increment(bucket: Path, begin: float, end: float, *changes: Change, **facts: Any) -> Path:
    """An incremental export of these changes, each written at the window's begin."""
    about = WindowFacts(from_time=hour(begin), to_time=hour(end), **facts)
    return write_incremental_export(bucket, [replace(c, written=hour(begin)) for c in changes], facts=about).folder


def change(name: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> Change:
    keys = {"id": name}
    return Change(
        keys=keys,
        old=None if old is None else keys | old,
        new=None if new is None else keys | new,
        written=MORNING,
    )


@pytest.mark.parametrize("format", ["parquet", pytest.param("csv", marks=pytest.mark.slow)])
def test_a_real_export_and_the_increment_after_it_give_what_replaying_its_changes_gives(
    sample_exports: Path, tmp_path: Path, format: Format
) -> None:
    full, after = sample_exports / REAL / FULL, sample_exports / REAL / INCREMENT
    report = merge(full, [after], tmp_path, ConvertOptions(format=format), rules=MergeRules(verify=True))
    items = replay_exports(full, [after])
    assert_equal_to_table(expected_table_of(items), written_parts(tmp_path, report), format, key="name")
    assert report.items == len(items) == 133_194
    done = report.merge
    assert done is not None
    assert (done.inserted, done.updated, done.deleted, done.unknown_deletes) == (1, 8, 6, 0)
    assert (done.old_images, done.different_images) == (15, 0)
    assert (report.export_id, report.kind, report.date) == (INCREMENT, "snapshot", "2024-05-27")


def test_the_last_change_of_an_item_counts_and_a_delete_of_an_unknown_one_does_nothing(tmp_path: Path) -> None:
    full = base(tmp_path / "b")
    first = increment(
        tmp_path / "b",
        0,
        1,
        change("i-1", {"n": 1, "old": "x"}, {"n": Decimal("1.5")}),
        change("i-2", {"n": 2, "old": "x"}, None),
        change("new", None, {"n": 7}),
    )
    second = increment(
        tmp_path / "b",
        1,
        2,
        change("i-1", {"n": Decimal("1.5")}, {"more": True}),
        change("new", {"n": 7}, None),
        change("ghost", {"n": 1}, None),
    )
    report = merge(full, [second, first, second], tmp_path / "out")
    items = replay_exports(full, [first, second])
    assert_equal_to_table(expected_table_of(items), written_parts(tmp_path / "out", report), "parquet", key="id")
    done = report.merge
    assert done is not None
    assert (done.inserted, done.updated, done.deleted, done.unknown_deletes) == (0, 1, 1, 2)
    assert [link.export_id for link in done.chain.increments] == [first.name, second.name]
    assert any("is skipped" in warning for warning in report.warnings)


def test_items_that_differ_in_one_of_two_keys_are_different_items(tmp_path: Path) -> None:
    items: list[dict[str, Any]] = [{"pk": pk, "sk": sk, "at": f"{pk}{sk}"} for pk in ("a", "ab") for sk in ("bc", "c")]
    full = base(tmp_path / "b", items)
    gone = Change(keys={"pk": "a", "sk": "bc"}, old=items[0], new=None, written=MORNING)
    after = increment(tmp_path / "b", 0, 1, gone)
    report = merge(full, [after], tmp_path / "out")
    table = expected_table_of(replay_exports(full, [after]))
    assert_equal_to_table(table, written_parts(tmp_path / "out", report), "parquet", key="at")
    assert report.items == 3


def test_the_same_merge_again_does_nothing_and_another_one_says_so(tmp_path: Path) -> None:
    full = base(tmp_path / "b")
    first = increment(tmp_path / "b", 0, 1, change("i-1", {"n": 1, "old": "x"}, {"n": 2}))
    second = increment(tmp_path / "b", 1, 2, change("i-2", {"n": 2, "old": "x"}, {"n": 3}))
    assert merge(full, [first, second], tmp_path / "out").status == "published"
    assert merge(full, [second, first], tmp_path / "out").status == "unchanged"
    with pytest.raises(UsageError, match=r"made of: .* and 2 increments → .* and 1 increment"):
        merge(full, [second], tmp_path / "out", rules=MergeRules(allow_gap=True))


def test_increments_without_changes_leave_the_base_as_it_is(tmp_path: Path) -> None:
    full = base(tmp_path / "b")
    report = merge(full, [increment(tmp_path / "b", 0, 1), increment(tmp_path / "b", 1, 2)], tmp_path / "out")
    table = expected_table_of(replay_exports(full, []))
    assert_equal_to_table(table, written_parts(tmp_path / "out", report), "parquet", key="id")
    assert report.merge is not None
    assert report.merge.updated == 0


def test_a_base_without_items_becomes_what_was_put(tmp_path: Path) -> None:
    full = base(tmp_path / "b", [])
    report = merge(full, [increment(tmp_path / "b", 0, 1, change("a", None, {"n": 1}))], tmp_path / "out")
    assert report.items == 1


def test_a_table_that_is_emptied_becomes_a_snapshot_without_rows(tmp_path: Path) -> None:
    full = base(tmp_path / "b", ITEMS[:1])
    report = merge(full, [increment(tmp_path / "b", 0, 1, change("i-0", {"n": 0, "old": "x"}, None))], tmp_path / "out")
    assert (report.items, report.parts) == (0, ())


@pytest.mark.parametrize(
    ("windows", "error", "message"),
    [
        ([(1, 2)], ExportError, "no increment contains the changes from 2026-11-27T06:00:00.000Z"),
        ([(0, 1), (2, 3)], ExportError, "from 2026-11-27T07:00:00.000Z, the end of increment .*, to 2026-11-27T08"),
        ([(-1, 1)], ExportError, "before the base ends"),
        ([(0, 2), (1, 3)], ExportError, "would remain in the snapshot"),
        ([(-2, 0)], ExportError, "no increment holds changes from after"),
    ],
)
def test_windows_that_do_not_follow_each_other_publish_nothing(
    tmp_path: Path, windows: list[tuple[float, float]], error: type[ConvertError], message: str
) -> None:
    full = base(tmp_path / "b")
    paths = [increment(tmp_path / "b", begin, end, change("i-9", None, {"n": 1})) for begin, end in windows]
    with pytest.raises(error, match=message):
        merge(full, paths, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_gap_and_an_overlap_can_be_allowed_and_are_warned_of(tmp_path: Path) -> None:
    full = base(tmp_path / "b")
    paths = [increment(tmp_path / "b", *window, change("i-9", None, {"n": 1})) for window in ((-1, 1), (2, 3))]
    report = merge(full, paths, tmp_path / "out", rules=MergeRules(allow_gap=True, allow_overlap=True))
    assert report.items == 7
    assert sum("no increment contains" in warning for warning in report.warnings) == 1
    assert sum("may remain in the snapshot" in warning for warning in report.warnings) == 1


def test_exports_that_can_not_be_merged_are_refused(tmp_path: Path) -> None:
    full = base(tmp_path / "b")
    after = increment(tmp_path / "b", 0, 1, change("i-1", {"n": 1, "old": "x"}, {"n": 2}))
    with pytest.raises(ExportError, match="this is a full export"):
        merge(full, [full], tmp_path / "out")
    with pytest.raises(ExportError, match="the base is an incremental export"):
        merge(after, [after], tmp_path / "out")
    with pytest.raises(ExportError, match="the increment is of arn:"):
        merge(full, [increment(tmp_path / "o", 0, 1, table="Others")], tmp_path / "out")
    with pytest.raises(ExportError, match="with id 12345678"):
        merge(full, [increment(tmp_path / "o", 0, 1, table_id="12345678-1234")], tmp_path / "out")
    other = increment(tmp_path / "k", 0, 1, replace(EMPTY, keys={"other": "i-1"}, new={"other": "i-1"}))
    with pytest.raises(BadLineError, match="there is no key 'other'"):
        merge(full, [other], tmp_path / "out")
    other = increment(tmp_path / "n", 1, 2, replace(EMPTY, keys={"id": 5}, new={"id": 5}))
    with pytest.raises(ExportError, match="the keys of this increment"):
        merge(full, [after, other], tmp_path / "out")
    assert not list((tmp_path / "out").glob("dt=*"))
    convert(after, tmp_path / "changes")
    with pytest.raises(UsageError, match="belongs to changes"):
        merge(full, [after], tmp_path / "changes")


def test_a_snapshot_may_follow_a_full_export_at_the_same_destination(tmp_path: Path) -> None:
    full = base(tmp_path / "b")
    after = increment(tmp_path / "b", 0, 1, replace(EMPTY, keys={"id": "i-1"}, new={"id": "i-1"}))
    convert(full, tmp_path / "out")
    with pytest.raises(UsageError, match="pass --replace"):
        merge(tmp_path / "out", [after], tmp_path / "out")
    report = merge(tmp_path / "out", [after], tmp_path / "out", ConvertOptions(replace=True))
    assert report.kind == "snapshot"
    assert [folder.name for folder in (tmp_path / "out").glob("dt=*/*")] == [report.export_id]


def test_a_bad_change_is_named_with_its_place(tmp_path: Path) -> None:
    full = base(tmp_path / "b")
    lines = [b'{"Metadata":{"WriteTimestampMicros":{"N":"1795759200000000"}},"Keys":{"id":{"S":"a"}}}', b"{}x"]
    about = WindowFacts(from_time=MORNING, to_time=hour(1))
    broken = write_incremental_export(tmp_path / "b", lines, facts=about).folder
    with pytest.raises(BadLineError, match=r"line 2 \(byte 87\)"):
        merge(full, [broken], tmp_path / "out")


@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b',"OldImage":{"id":{"S":"i-1"},"c":{"S":"x":,"NewImage":{"id":{"S":"i-1"}}}}}', id="no JSON"),
        pytest.param(b',"OldImage":{"id":{"S":"i-1"},"c":{"N":"x"}}}', id="a delete with a bad value"),
        pytest.param(b',"OldImage":{"id":{"S":"i-2"}}}', id="a delete with another item"),
        pytest.param(b',"OldImage":{"id":{"S":"i-1"},"a":{"M":{"b":{"S":"1"},"b":{"S":"2"}}}}}', id="a name twice"),
    ],
)
def test_a_broken_line_deletes_no_item(tmp_path: Path, broken: bytes, verify: bool) -> None:
    full = base(tmp_path / "b")
    head = b'{"Metadata":{"WriteTimestampMicros":{"N":"1795759200000000"}},"Keys":{"id":{"S":"%s"}}'
    about = WindowFacts(from_time=MORNING, to_time=hour(1))
    after = write_incremental_export(tmp_path / "b", [head % b"i-0" + b"}", head % b"i-1" + broken], facts=about)
    with pytest.raises(BadLineError, match=r"line 2 \(byte 89\)"):
        merge(full, [after.folder], tmp_path / "out", rules=MergeRules(verify=verify))
    assert not list((tmp_path / "out").rglob("*.parquet"))


@pytest.mark.parametrize("verify", [False, True])
def test_a_broken_item_of_the_base_is_refused_though_a_change_replaces_it(tmp_path: Path, verify: bool) -> None:
    lines = [b'{"Item":{"id":{"S":"i-0"}}}', b'{"Item":{"id":{"S":"i-1"},"l":{"L":[{"S":"x"}}}}']
    full = write_export(tmp_path / "b", lines, facts=ExportFacts(export_time=MORNING)).folder
    after = increment(tmp_path / "b", 0, 1, change("i-1", {"n": 1}, {"n": 2}))
    with pytest.raises(BadLineError, match=r"line 2 \(byte 28\): \$: not JSON"):
        merge(full, [after], tmp_path / "out", rules=MergeRules(verify=verify))


def test_maps_and_lists_are_as_deep_in_an_old_image_as_in_an_item(tmp_path: Path) -> None:
    def nested(levels: int) -> bytes:
        return b'{"L":[' * levels + b'{"S":"x"}' + b"]}" * levels

    full = base(tmp_path / "b")
    head = b'{"Metadata":{"WriteTimestampMicros":{"N":"1795759200000000"}},"Keys":{"id":{"S":"i-1"}}'
    for number, (levels, name) in enumerate(
        [(64, b"OldImage"), (64, b"NewImage"), (65, b"OldImage"), (65, b"NewImage")]
    ):
        line = head + b',"%s":{"id":{"S":"i-1"},"d":%s}}' % (name, nested(levels))
        about = WindowFacts(from_time=MORNING, to_time=hour(1), seed=number)
        after = write_incremental_export(tmp_path / "b", [line], facts=about).folder
        runs: list[Callable[[], object]] = [
            partial(convert, after, tmp_path / f"{number}", ConvertOptions(old_image=True)),
            partial(merge, full, [after], tmp_path / f"{number}-merged"),
            partial(merge, full, [after], tmp_path / f"{number}-verified", rules=MergeRules(verify=True)),
        ]
        for run in runs:
            if levels == 64:
                run()
            else:
                with pytest.raises(BadLineError, match="nested deeper than"):
                    run()


def test_two_changes_of_the_same_item_and_moment_are_refused(tmp_path: Path) -> None:
    full = base(tmp_path / "b")
    line = b'{"Metadata":{"WriteTimestampMicros":{"N":"1795759200000000"}},"Keys":{"id":{"S":"a"}}}'
    about = WindowFacts(from_time=MORNING, to_time=hour(1))
    twice = write_incremental_export(tmp_path / "b", [line, line], facts=about).folder
    with pytest.raises(BadLineError, match="the same keys and time"):
        merge(full, [twice], tmp_path / "out")


def test_old_images_are_compared_with_the_items_before_by_value(tmp_path: Path) -> None:
    items: list[dict[str, Any]] = [
        {"id": name, "m": to_dynamodb({"a": 1, "b": [Decimal("1.50"), {"x", "y"}]}), "s": {3, 4}}
        for name in ("a", "b", "c", "d")
    ]
    full = base(tmp_path / "b", items)
    same = {"s": {4, 3}, "m": to_dynamodb({"b": [Decimal("1.5"), {"y", "x"}], "a": 1})}
    first = increment(
        tmp_path / "b",
        0,
        1,
        change("a", same, {"n": 1}),
        change("b", {**same, "s": {3}}, {"n": 1}),
        change("c", None, {"n": 1}),
        change("gone", {"n": 1}, None),
        change("new", None, {"n": 1}),
    )
    second = increment(tmp_path / "b", 1, 2, change("a", {"n": 1}, None), change("new", {"n": 2}, {"n": 3}))
    report = merge(full, [first, second], tmp_path / "out", rules=MergeRules(verify=True))
    assert report.merge is not None
    assert (report.merge.old_images, report.merge.different_images) == (7, 4)
    (warning,) = [each for each in report.warnings if "old images" in each]
    assert warning.startswith("4 of 7 old images are not the items before them")
    assert warning.count(" line ") == 4
    assert report.status == "published"


@pytest.mark.parametrize("spaced", [False, True])
def test_old_images_that_are_right_are_said_to_be(tmp_path: Path, spaced: bool) -> None:
    space = b" " if spaced else b""
    lines = [b'{"Item":%s{"id":{"S":"a"},"n":{"N":"1.0"}}}' % space, b'{"Item":{"id":{"S":"b"}}}']
    full = write_export(tmp_path / "b", lines, facts=ExportFacts(export_time=MORNING)).folder
    after = increment(tmp_path / "b", 0, 1, change("a", {"n": 1}, {"n": 2}))
    report = merge(full, [after], tmp_path / "out", rules=MergeRules(verify=True))
    assert report.merge is not None
    assert (report.merge.old_images, report.merge.different_images, report.warnings) == (1, 0, ())


def test_there_must_be_old_images_and_items_to_compare_them_with(tmp_path: Path) -> None:
    full = base(tmp_path / "b")
    blind = increment(tmp_path / "n", 0, 1, change("i-1", {"n": 1, "old": "x"}, {"n": 2}), view="NEW_IMAGE")
    with pytest.raises(UsageError, match="no increment has old images"):
        merge(full, [blind], tmp_path / "out", rules=MergeRules(verify=True))
    merge(full, [blind], tmp_path / "out")
    after = increment(tmp_path / "b", 1, 2, change("i-1", {"n": 2}, None))
    with pytest.raises(UsageError, match="full export only"):
        merge(tmp_path / "out", [after], tmp_path / "out", rules=MergeRules(verify=True))


@pytest.mark.parametrize(("of_base", "of_first"), [("ION", "ION"), ("ION", "DYNAMODB_JSON"), ("DYNAMODB_JSON", "ION")])
def test_exports_in_ion_are_merged_like_others_and_with_others(tmp_path: Path, of_base: str, of_first: str) -> None:
    twins = []
    for formats in ((of_base, of_first), ("DYNAMODB_JSON", "DYNAMODB_JSON")):
        bucket = tmp_path / "-".join(formats)
        full = base(bucket, ITEMS, output_format=formats[0])
        first = increment(
            bucket,
            0,
            1,
            change("i-1", {"n": 1, "old": "x"}, {"n": Decimal("1.5")}),
            change("i-2", {"n": 2, "old": "y"}, None),
            change("new", None, {"n": 7}),
            output_format=formats[1],
        )
        second = increment(bucket, 1, 2, change("i-5", {"n": 5, "old": "x"}, None))
        report = merge(full, [first, second], bucket / "out", rules=MergeRules(verify=True))
        (warning,) = report.warnings
        assert "1 of 4 old images" in warning
        assert "line 2" in warning
        twins.append([pq.read_table(part).to_pylist() for part in written_parts(bucket / "out", report)])
    assert twins[0] == twins[1]
    assert sum(map(len, twins[0])) == 5


def test_a_dry_run_says_what_would_be_merged(tmp_path: Path) -> None:
    full = base(tmp_path / "b")
    after = increment(tmp_path / "b", 0, 1, change("i-1", {"n": 1, "old": "x"}, {"n": 2}))
    report = merge(full, [after], tmp_path / "out", ConvertOptions(dry_run=True))
    assert (report.status, report.export_id, report.data_files) == ("planned", after.name, 3)
    assert report.merge is not None
    assert report.merge.updated is None
