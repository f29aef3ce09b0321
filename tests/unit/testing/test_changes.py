"""Changes are compacted as the service compacts them, and what it can't write is refused."""

from __future__ import annotations

import gzip
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from converter.testing import Change, WindowFacts, change_line, write_incremental_export

FACTS = WindowFacts()
NEW_IMAGES = WindowFacts(view="NEW_IMAGE", seed=1)
KEYS = {"id": "a"}


def at(seconds: int) -> datetime:
    return FACTS.from_time + timedelta(seconds=seconds)


def lines_of(bucket: Path, *changes: Change | bytes, facts: WindowFacts = FACTS) -> list[bytes]:
    (path,) = write_incremental_export(bucket, changes, facts=facts).data_files
    return gzip.decompress(path.read_bytes()).splitlines(keepends=True)


def test_the_members_of_a_line_are_those_of_its_operation_and_view(tmp_path: Path) -> None:
    one, other = {**KEYS, "n": 1}, {**KEYS, "n": 2}
    start = b'{"Metadata":{"WriteTimestampMicros":{"N":"1701065507109000"}},"Keys":{"id":{"S":"a"}}'
    first = b'{"id":{"S":"a"},"n":{"N":"1"}}'
    second = b'{"id":{"S":"a"},"n":{"N":"2"}}'
    old, new = b',"OldImage":' + first, b',"NewImage":' + second
    for images, both, alone in (
        ({"new": other}, new, new),
        ({"old": one, "new": other}, old + new, new),
        ({"old": one}, old, b""),
    ):
        change = Change(keys=KEYS, written=at(0), **images)
        assert change_line(change) == start + both + b"}\n"
        assert change_line(change, "NEW_IMAGE") == start + alone + b"}\n"


def test_an_item_has_one_line_with_what_was_before_the_first_and_is_after_the_last_change(tmp_path: Path) -> None:
    versions: list[dict[str, Any]] = [{**KEYS, "n": n} for n in range(4)]
    steps = [Change(keys=KEYS, old=versions[n], new=versions[n + 1], written=at(n)) for n in range(3)]
    assert lines_of(tmp_path, *steps) == [
        change_line(Change(keys=KEYS, old=versions[0], new=versions[3], written=at(2)))
    ]


def test_an_item_that_is_inserted_and_deleted_has_no_line_and_one_that_is_made_anew_is_updated(tmp_path: Path) -> None:
    other = {"id": "b"}
    assert lines_of(
        tmp_path,
        Change(keys=KEYS, new=KEYS, written=at(0)),
        Change(keys=other, old=other, written=at(1)),
        Change(keys=KEYS, old=KEYS, written=at(2)),
        Change(keys=other, new=other, written=at(3)),
    ) == [change_line(Change(keys=other, old=other, new=other, written=at(3)))]


def test_all_windows_have_their_data_files_in_one_folder_beside_their_own(tmp_path: Path) -> None:
    exports = [write_incremental_export(tmp_path, [b"{}"], facts=facts) for facts in (FACTS, NEW_IMAGES)]
    for export in exports:
        assert export.data_files[0].parent == tmp_path / "AWSDynamoDB" / "data"
        assert sorted(path.name for path in export.folder.iterdir()) == [
            "_started",
            "manifest-files.json",
            "manifest-files.md5",
            "manifest-summary.json",
            "manifest-summary.md5",
        ]
    assert exports[0].data_files != exports[1].data_files


def test_lines_given_as_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    assert lines_of(tmp_path, b"not a change", b"") == [b"not a change\n", b"\n"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([Change(keys=KEYS, new=KEYS, written=FACTS.to_time)], "outside of the window"),
        ([Change(keys=KEYS, new=KEYS, written=FACTS.from_time - timedelta(microseconds=1))], "outside of the window"),
        ([Change(keys={}, new={}, written=at(0))], "one or two key attributes"),
        ([Change(keys=KEYS, new={"id": "b"}, written=at(0))], "lacks the keys"),
        ([Change(keys=KEYS, old={}, written=at(0))], "lacks the keys"),
        ([Change(keys=KEYS, new=KEYS, written=at(0))] * 2, "does not follow"),
        (
            [Change(keys=KEYS, new=KEYS, written=at(1)), Change(keys=KEYS, old=KEYS, written=at(0))],
            "does not follow",
        ),
    ],
)
def test_what_the_service_can_t_write_is_refused(changes: list[Change], said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        write_incremental_export(tmp_path, changes, facts=FACTS)
