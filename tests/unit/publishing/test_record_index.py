"""The index of a destination: it gives back what was put in, and nothing of a file that no run can have written."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from converter.options import ConvertOptions
from converter.publishing.record import Record
from converter.publishing.record_entry import RecordEntry, entry_of
from converter.publishing.record_index import decode_index, encode_index
from converter.publishing.report import Part
from converter.schema.column_types import TIMESTAMP, Origin
from converter.schema.columns import Column
from converter.storage.stored_files import FileVersion
from tests.unit.publishing.published import COLUMNS, TIME, make_example_record, make_export

PLACE = "out/_exports/index"
MORE = (*COLUMNS, Column("when", "when", TIMESTAMP, Origin.TIME, "s"))


def entry(number: int, **changed: Any) -> RecordEntry:
    export = make_export(f"0170106550710{number}-cce6a3f8", TIME + timedelta(days=number))
    record = make_example_record(changed.pop("options", None), export)
    record = Record.from_json(replace(record, **changed).to_json(), f"out/_exports/{export.export_id}.json")
    return entry_of(record, FileVersion(1000 + number, f"written-{number}"))


ENTRIES = [
    entry(1),
    entry(
        2,
        sequence=7,
        columns=MORE,
        date="2023-12-01",
        timezone="Asia/Tokyo",
        export_arn=f"{'x'}{make_export().export_arn}"[1:],
    ),
    entry(3, options=ConvertOptions(format="csv,parquet", key=("id",), layout="a={date}/b={table}")),
    entry(4, parts=()),
]
FILES = {each.export_id: each.file for each in ENTRIES}


def encoded(entries: list[RecordEntry] = ENTRIES) -> bytes:
    content = encode_index(entries)
    assert content is not None
    return content


def sealed(members: dict[str, Any], version: int = 1) -> bytes:
    """A file with these members and the right digest, as whoever can write at a destination can make it."""
    body = json.dumps({name: members[name] for name in ("tables", "records")})[1:].encode()
    return b'{"version":%d,"sha256":"%s",\n%s' % (version, hashlib.sha256(body).hexdigest().encode(), body)


def test_what_was_written_is_read() -> None:
    assert decode_index(encoded(), PLACE, FILES) == ENTRIES
    assert decode_index(sealed(json.loads(encoded())), PLACE, FILES) == ENTRIES


def test_an_index_of_nothing_is_empty() -> None:
    assert decode_index(encoded([]), PLACE, {}) == []


def test_equal_values_are_there_once() -> None:
    many = [entry(1)._replace(export_id=f"export-{number}", date=f"2024-01-{number:02}") for number in range(1, 31)]
    tables = json.loads(encoded(many))["tables"]
    assert {name: len(rows) for name, rows in tables.items() if name != "date"} == dict.fromkeys(
        sorted(set(tables) - {"date"}), 1
    )
    assert len(tables["date"]) == 30
    read = decode_index(encoded(many), PLACE, {each.export_id: each.file for each in many})
    assert read == many
    assert len({id(each.columns) for each in read}) == len({id(each.options) for each in read}) == 1


def test_only_records_that_are_still_the_same_files_count() -> None:
    first, second, third, _ = ENTRIES
    files = {
        first.export_id: first.file,
        second.export_id: FileVersion(second.file.size, "written later"),
        third.export_id: FileVersion(third.file.size + 1, third.file.written),
    }
    assert decode_index(encoded(), PLACE, files) == [first]


def test_a_file_whose_version_the_store_does_not_say_does_not_count() -> None:
    unknown = entry(1)._replace(file=FileVersion(5, ""))
    assert decode_index(encoded([unknown]), PLACE, {unknown.export_id: unknown.file}) == []


def test_no_byte_can_change_or_go() -> None:
    content = encoded()
    for index in range(0, len(content), 7):
        changed = content[:index] + bytes([content[index] ^ 1]) + content[index + 1 :]
        assert decode_index(changed, PLACE, FILES) == []
    for length in (0, 1, 50, len(content) // 2, len(content) - 1):
        assert decode_index(content[:length], PLACE, FILES) == []


def test_an_index_of_another_version_is_left_alone() -> None:
    for version in (0, 2):
        assert decode_index(sealed(json.loads(encoded()), version), PLACE, FILES) == []


def set_to(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Set the member at a path such as `records.size.0`."""

    def change(members: dict[str, Any]) -> None:
        *outer, last = (int(key) if re.fullmatch(r"\d+", key) else key for key in path.split("."))
        inner: Any = members
        for key in outer:
            inner = inner[key]
        assert inner[last] != value
        inner[last] = value

    return change


HOSTILE = {
    "an id twice": set_to("records.exportId.1", ENTRIES[0].export_id),
    "an id that is a number": set_to("records.exportId.1", 5),
    "a size that is a text": set_to("records.size.0", "1001"),
    "a size that is true": set_to("records.size.0", True),
    "a negative sequence": set_to("records.sequence.0", -1),
    "a sequence that is too large": set_to("records.sequence.0", 2**63),
    "a moment after all time": set_to("records.exportTime.0", 10**18),
    "a moment that is a fraction": set_to("records.moment.0", 1.5),
    "one list shorter": lambda members: members["records"]["items"].pop(),
    "a list missing": lambda members: members["records"].pop("items"),
    "a table missing": lambda members: members["tables"].pop("columns"),
    "a number outside of its table": set_to("records.columns.0", 9),
    "a negative number": set_to("records.columns.0", -1),
    "another ARN": set_to("records.exportArn.0", "arn:aws:s3:::bucket"),
    "a table's ARN": set_to("tables.owner.0.tableArn", "arn:aws:s3:::bucket"),
    "an unknown kind": set_to("tables.owner.0.kind", "all"),
    "no date": set_to("tables.date.0", "2023-02-30"),
    "no time zone": set_to("tables.timezone.0", "Mars/Base"),
    "no layout": set_to("tables.layout.0", "../{date}"),
    "a folder outside": set_to("tables.folders.0.0", "../elsewhere"),
    "the folder of records": set_to("tables.folders.0.0", "_exports"),
    "a folder below that of records": set_to("tables.folders.0.0", "_exports/dt=1"),
    "more folders than lists of names": set_to("tables.folders.0", ["a", "b"]),
    "a part outside": set_to("tables.names.0.0.0", "../00000.parquet"),
    "a part that is a record": set_to("tables.names.0.0.0", "x.json"),
    "a part twice": set_to("tables.names.0.0.1", "00000.parquet"),
    "two formats in one folder": set_to("tables.names.0.0.1", "00001.csv"),
    "a folder without parts": set_to("tables.names.0.0", []),
    "two columns of one name": set_to("tables.columns.0.columns.1.name", "id"),
    "an unknown type": set_to("tables.columns.0.columns.0.type", "integer"),
    "digits of a column that is not there": set_to("tables.digits.0.0", 3),
    "more digits than a number has": set_to("tables.digits.0.1", 201),
    "digits of half a column": lambda members: members["tables"]["digits"][0].pop(),
    "digits that are texts": set_to("tables.digits.0.1", "3"),
    "options that are a list": set_to("tables.options.0", []),
    "options with half a pair": set_to("tables.options.0.rename", [["a"]]),
    "attributes that are numbers": set_to("tables.unknownAttributes.0", [1]),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_no_run_can_have_written_is_as_good_as_no_index(change: Callable[[dict[str, Any]], None]) -> None:
    members = json.loads(encoded())
    change(members)
    assert decode_index(sealed(members), PLACE, FILES) == []


def test_an_index_that_would_be_too_long_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("converter.publishing.record_index.MOST_INDEX_BYTES", 2000)
    assert encode_index(ENTRIES[:1]) is not None
    assert encode_index(ENTRIES) is None


def test_the_parts_of_two_formats_are_in_their_folders() -> None:
    both = entry(5, parts=())
    folders = {name: f"{name}/dt=2023-11-27/{both.export_id}" for name in ("csv", "parquet")}
    parts = tuple(Part(f"{folder}/0.{name}", 1, 1, "ab" * 32) for name, folder in folders.items())
    both = entry(5, parts=parts)
    assert both.locations == tuple(folders.values())
    assert both.paths == tuple(part.path for part in parts)
    assert both.paths_of("csv") == (parts[0].path,)
    assert decode_index(encoded([both]), PLACE, {both.export_id: both.file}) == [both]
