"""The records of a destination, read by the index: always what reading each record gives, and seldom by that."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from converter.errors import StorageError
from converter.publishing.destination_records import DestinationRecords, RecordCache, read_records
from converter.publishing.record_index import encode_index
from converter.storage.local import LocalDestination, LocalSource
from converter.storage.paths import INDEX, record_path
from converter.storage.stored_files import FileVersion
from tests.unit.publishing.published import TIME, make_export, publish_export


class CountingDestination(LocalDestination):
    """Keeps the paths that were read."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.paths: list[str] = []

    def read_all(self, paths: Sequence[str]) -> list[bytes | None]:
        self.paths += paths
        return super().read_all(paths)


@pytest.fixture
def destination(tmp_path: Path) -> CountingDestination:
    """With the records of three days."""
    destination = CountingDestination(str(tmp_path / "out"))
    for day in range(3):
        publish_day(destination, day)
    destination.paths.clear()
    return destination


def id_of(day: int) -> str:
    return f"0170106550710{day}-cce6a3f8"


def publish_day(destination: LocalDestination, day: int) -> None:
    publish_export(destination, make_export(id_of(day), TIME + timedelta(days=day)))


def path_of(destination: LocalDestination, path: str) -> Path:
    return Path(destination.root) / path


def read_all_records(destination: LocalDestination) -> DestinationRecords:
    """As if there were no index."""
    index = path_of(destination, INDEX)
    hidden = index.with_name("hidden")
    if index.exists():
        index.rename(hidden)
    try:
        return read_records(destination)
    finally:
        if hidden.exists():
            hidden.rename(index)


def test_of_a_current_index_only_the_newest_record_is_read(destination: CountingDestination) -> None:
    records = read_records(destination)
    assert destination.paths == [INDEX, record_path(id_of(2))]
    assert [entry.export_id for entry in records.entries] == [id_of(day) for day in range(3)]
    assert records.entries == read_all_records(destination).entries


def test_a_source_reads_the_index_that_a_destination_has_written(destination: CountingDestination) -> None:
    source = LocalSource(destination.root)
    for day in range(2):
        path_of(destination, record_path(id_of(day))).chmod(0o600)
    assert read_records(source).entries == read_records(destination).entries


def test_without_an_index_all_records_are_read(destination: CountingDestination) -> None:
    before = read_records(destination).entries
    path_of(destination, INDEX).unlink()
    destination.paths.clear()
    assert read_records(destination).entries == before
    assert sorted(destination.paths) == [record_path(id_of(day)) for day in range(3)]


def test_a_record_that_another_program_has_added_is_read(destination: CountingDestination) -> None:
    index = path_of(destination, INDEX)
    content = index.read_bytes()
    publish_day(destination, 3)
    index.write_bytes(content)
    destination.paths.clear()
    records = read_records(destination)
    assert [entry.export_id for entry in records.entries] == [id_of(day) for day in range(4)]
    assert destination.paths == [INDEX, record_path(id_of(2)), record_path(id_of(3))]


def test_a_record_that_is_gone_is_gone(destination: CountingDestination) -> None:
    path_of(destination, record_path(id_of(2))).unlink()
    records = read_records(destination)
    assert [entry.export_id for entry in records.entries] == [id_of(0), id_of(1)]


def test_a_record_that_was_written_again_is_read_even_if_it_is_of_the_same_size(
    destination: CountingDestination,
) -> None:
    path = path_of(destination, record_path(id_of(0)))
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"sequence": 1', b'"sequence": 9'))
    assert path.stat().st_size == len(content)
    assert [entry.sequence for entry in read_records(destination).entries] == [9, 2, 3]


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "folder", "link"])
def test_a_damaged_index_changes_nothing(destination: CountingDestination, damage: str) -> None:
    before = read_records(destination).entries
    index = path_of(destination, INDEX)
    content = index.read_bytes()
    index.unlink()
    if damage == "folder":
        index.mkdir()
    elif damage == "link":
        (index.parent / "elsewhere").write_bytes(content)
        index.symlink_to("elsewhere")
    else:
        index.write_bytes({"cut": content[:-9], "empty": b"", "text": b"{}"}[damage])
    assert read_records(destination).entries == before


def test_an_index_that_is_too_long_is_not_read(
    destination: CountingDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("converter.publishing.destination_records.MOST_INDEX_BYTES", 10)
    assert len(read_records(destination).entries) == 3
    assert INDEX not in destination.paths


def forge(destination: LocalDestination, number: int, **changed: Any) -> None:
    """Write an index that is right but for one entry."""
    entries = list(read_records(destination).entries)
    entries[number] = entries[number]._replace(**changed)
    content = encode_index(entries)
    assert content is not None
    path_of(destination, INDEX).write_bytes(content)


def test_an_index_that_lies_about_the_newest_record_is_not_believed(destination: CountingDestination) -> None:
    before = read_records(destination).entries
    lies: list[dict[str, Any]] = [{"date": "2020-01-01"}, {"items": 99}, {"columns": ()}]
    for changed in lies:
        forge(destination, 2, **changed)
        assert read_records(destination).entries == before
    forge(destination, 0, sequence=77)
    assert read_records(destination).entries == before


def test_an_index_that_lies_about_an_older_record_is_found_out_where_that_is_needed(
    destination: CountingDestination,
) -> None:
    forge(destination, 0, folders=("dt=elsewhere",))
    records = read_records(destination)
    with pytest.raises(StorageError, match="does not match the index of the destination") as caught:
        records.load(records.entries[0])
    assert INDEX in caught.value.hint


def test_what_is_known_is_not_read_again(destination: CountingDestination) -> None:
    cache = RecordCache(destination)
    first = cache.read()
    destination.paths.clear()
    assert cache.read().entries == first.entries
    assert destination.paths == []
    publish_day(destination, 4)
    destination.paths.clear()
    assert len(cache.read().entries) == 4
    assert destination.paths == [record_path(id_of(4))]


def test_after_a_commit_the_cache_is_what_a_new_reading_gives(destination: CountingDestination) -> None:
    cache = RecordCache(destination)
    newest = cache.read().load(cache.read().entries[2])
    record = replace(newest, sequence=4, options={**newest.options, "key": ("id",)})
    path = path_of(destination, record_path(id_of(2)))
    with destination.lease() as lease:
        path.write_bytes(record.to_json())
        facts = path.stat()
        lease.record_file = FileVersion(facts.st_size, str(facts.st_mtime_ns))
        cache.publish(lease, record, [id_of(1)])
    path_of(destination, record_path(id_of(1))).unlink()
    assert cache.latest is not None
    assert cache.latest.entries == read_all_records(destination).entries
    destination.paths.clear()
    assert read_records(destination).entries == cache.latest.entries
    assert destination.paths == [INDEX, record_path(id_of(2))]


def test_an_index_that_can_not_be_written_is_a_warning(
    destination: CountingDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StorageError("the disk is full", "out", "free some space")

    monkeypatch.setattr("converter.storage.local_commit.LocalLease.write", refuse)
    cache = RecordCache(destination)
    record = cache.read().load(cache.read().entries[2])
    with destination.lease() as lease:
        lease.record_file = FileVersion(1, "1")
        cache.publish(lease, record, [])
        assert "the disk is full" in lease.warnings[0]


def test_many_records_are_read_a_few_at_a_time(
    destination: CountingDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read_all_records(destination).entries
    monkeypatch.setattr("converter.publishing.destination_records._AT_ONCE", 2)
    assert read_all_records(destination).entries == whole


def test_nothing_is_left_beside_the_index(destination: CountingDestination) -> None:
    assert sorted(os.listdir(path_of(destination, "_exports"))) == sorted(
        ["index", *(f"{id_of(day)}.json" for day in range(3))]
    )


def test_a_reader_writes_nothing(destination: CountingDestination) -> None:
    path_of(destination, INDEX).unlink()
    read_records(destination)
    assert not path_of(destination, INDEX).exists()
