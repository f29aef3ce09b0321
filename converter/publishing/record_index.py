"""The index of a destination: the entries of all its records in one file, so that a run need not read each record.

The records are authoritative. An index that is damaged, or that another version of the program wrote, is ignored; an
entry is valid only while the file of its record is the one that the entry was made from. docs/design/commit-protocol.md
specifies the file.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress
from typing import Any

from converter.display import has_control_characters
from converter.errors import ConvertError
from converter.export.manifest import EXPORT_ARN, TABLE_ARN, ExportKind
from converter.publishing.record import (
    PART_ENDINGS,
    parse_layout,
    parse_timezone,
    read_columns,
    read_options,
)
from converter.publishing.record_entry import Owner, RecordEntry, time_of
from converter.publishing.report import MOST_DIGITS, format_of, parse_date
from converter.schema.columns import Column
from converter.storage.json_members import Members, read_members
from converter.storage.paths import EXPORTS, is_name, is_path
from converter.storage.stored_files import FileVersion

MOST_INDEX_BYTES = 64 << 20
"""A longer index is neither written nor read: each run reads all records then."""

_VERSION = 1
_HEAD = re.compile(rb'\{"version":(\d{1,9}),"sha256":"([0-9a-f]{64})",\n')
_MOST_COUNT = 2**63 - 1


class _Table:
    """The different values that entries share, in the order in which they are first seen."""

    def __init__(self, to_json: Callable[[Any], object]) -> None:
        self._to_json = to_json
        self._by_identity: dict[int, int] = {}
        self._by_text: dict[str, int] = {}
        self.rows: list[object] = []

    def number(self, value: object) -> int:
        """The value's number in the table. The caller keeps the value alive."""
        number = self._by_identity.get(id(value))
        if number is None:
            row = self._to_json(value)
            number = self._by_text.setdefault(json.dumps(row, sort_keys=True), len(self.rows))
            if number == len(self.rows):
                self.rows.append(row)
            self._by_identity[id(value)] = number
        return number


def encode_index(entries: Sequence[RecordEntry]) -> bytes | None:
    """The file's content; None where it would be too long."""
    tables = {name: _Table(to_json) for name, (to_json, _) in _TABLES.items()}
    records: dict[str, list[object]] = {name: [entry.file[i] for entry in entries] for i, name in enumerate(_OF_FILES)}
    for field, name in _MEMBERS.items():
        index = RecordEntry._fields.index(field)
        values: list[Any] = [entry[index] for entry in entries]
        records[name] = [tables[name].number(value) for value in values] if name in tables else values
    rows = {name: table.rows for name, table in tables.items()}
    body = json.dumps({"tables": rows, "records": records}, separators=(",", ":"))[1:].encode()
    if len(body) > MOST_INDEX_BYTES - 128:
        return None
    digest = hashlib.sha256(body).hexdigest()
    return b'{"version":%d,"sha256":"%s",\n%s' % (_VERSION, digest.encode(), body)


def decode_index(content: bytes, place: str, files: Mapping[str, FileVersion]) -> list[RecordEntry]:
    """Return the entries that were made from the current files of their records; none if the index can't be used.

    files: the versions of all record files, by the ids of their exports.
    """
    head = _HEAD.match(content)
    if head is None or int(head[1]) != _VERSION:
        return []
    body = memoryview(content)[head.end() :]
    if hashlib.sha256(body).hexdigest() != head[2].decode():
        return []
    try:
        members = read_members(content, place, _VERSION)
        return _read_entries(members.inner("tables"), members.inner("records"), files)
    except (ConvertError, ValueError, OverflowError):
        return []


def _read_entries(tables: Members, records: Members, files: Mapping[str, FileVersion]) -> list[RecordEntry]:
    """The current entries. Raises StorageError, ValueError or OverflowError for what no run can have written."""
    ids = records.texts("exportId")
    sizes, written = _counts(records, "size"), records.texts("written")
    shared = {name: read(tables) for name, (_, read) in _TABLES.items()}
    columns: dict[str, Sequence[object]] = {"export_id": ids}
    for field, name in _MEMBERS.items():
        if name in shared:
            columns[field] = _looked_up(shared[name], _counts(records, name))
        else:
            columns[field] = _READ[name](records, name)
    versions = list(map(FileVersion, sizes, written))
    columns["file"] = versions
    if any(len(values) != len(ids) for values in (*columns.values(), sizes, written)):
        raise ValueError("the lists have different lengths")
    if len(set(ids)) < len(ids) or has_control_characters("".join(ids)):
        raise ValueError("an id is there twice, or is not a name")
    current = [file.written != "" and files.get(id_) == file for id_, file in zip(ids, versions, strict=True)]
    rows = zip(*(columns[field] for field in RecordEntry._fields), strict=True)
    entries = list(map(RecordEntry._make, compress(rows, current)))
    _check_pairs(entries)
    return entries


def _check_pairs(entries: Iterable[RecordEntry]) -> None:
    """Raises ValueError for values that don't fit together; those that entries share are looked at once."""
    seen = set()
    for entry in entries:
        pair = id(entry.folders), id(entry.names), id(entry.columns), id(entry.digits)
        if pair not in seen:
            seen.add(pair)
            if len(entry.folders) != len(entry.names) or any(i >= len(entry.columns) for i in entry.digits[::3]):
                raise ValueError("folders or digits don't fit the record")


def _looked_up(table: Sequence[object], numbers: Sequence[int]) -> list[object]:
    if numbers and max(numbers) >= len(table):
        raise ValueError("a number is not in its table")
    return [table[number] for number in numbers]


def _counts(members: Members, name: str) -> list[int]:
    values = members.integers(name)
    if values and not 0 <= min(values) <= max(values) <= _MOST_COUNT:
        raise ValueError(f"{name}: not all are counts")
    return values


def _times(members: Members, name: str) -> list[int]:
    values = members.integers(name)
    for value in (min(values), max(values)) if values else ():
        time_of(value)
    return values


def _arns(members: Members, name: str) -> tuple[str, ...]:
    values = members.texts(name)
    if not all(value == "" or EXPORT_ARN.fullmatch(value) for value in values):
        raise ValueError(f"{name}: not all are ARNs of exports")
    return values


def _parsed(name: str, parse: Callable[[str], str]) -> Callable[[Members], Sequence[object]]:
    return lambda tables: [parse(text) for text in tables.texts(name)]


def _read_owners(tables: Members) -> Sequence[object]:
    return [
        Owner(
            row.matching("tableArn", TABLE_ARN, "the ARN of a table"),
            row.text("tableId"),
            row.parsed("kind", ExportKind),
        )
        for row in tables.inners("owner")
    ]


def _read_folders(tables: Members) -> Sequence[object]:
    rows = [_texts_of(row) for row in tables.lists("folders")]
    for folders in rows:
        outside = (folder for folder in folders if not is_path(folder) or f"{folder}/".startswith(f"{EXPORTS}/"))
        if any(True for _ in outside) or len(set(folders)) < len(folders):
            raise ValueError("not all are folders of parts")
    return rows


def _read_names(tables: Members) -> Sequence[object]:
    rows = []
    for row in tables.lists("names"):
        names = tuple(_texts_of(inner) for inner in row)
        formats = [{format_of(name) for name in inner} for inner in names]
        if any(len(each) != 1 for each in formats) or len(set().union(*formats)) < len(formats):
            raise ValueError("parts of one folder are in two formats, or those of two folders in one")
        for inner in names:
            if len(set(inner)) < len(inner) or not all(is_name(n) and n.endswith(PART_ENDINGS) for n in inner):
                raise ValueError("not all are names of parts")
        rows.append(names)
    return rows


def _read_digits(tables: Members) -> Sequence[object]:
    rows = []
    for row in tables.lists("digits"):
        counts = [count for count in row if type(count) is int and count >= 0]
        if len(counts) < len(row) or len(row) % 3:
            raise ValueError("not counts of digits")
        if max((*counts[1::3], *counts[2::3], 0)) > MOST_DIGITS:
            raise ValueError("no number has this many digits")
        rows.append(tuple(counts))
    return rows


def _texts_of(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or set(map(type, values)) - {str}:
        raise ValueError("not a list of texts")
    return tuple(values)


def _columns_json(columns: tuple[Column, ...]) -> object:
    return {"columns": [column.to_json() for column in columns]}


def _owner_json(owner: Owner) -> object:
    return {"tableArn": owner.table_arn, "tableId": owner.table_id, "kind": owner.kind.value}


def _same(value: object) -> object:
    return value


_OF_FILES = ("size", "written")
_MEMBERS = {
    "export_id": "exportId",
    "export_arn": "exportArn",
    "owner": "owner",
    "sequence": "sequence",
    "export_micros": "exportTime",
    "moment_micros": "moment",
    "date": "date",
    "timezone": "timezone",
    "layout": "layout",
    "folders": "folders",
    "names": "names",
    "items": "items",
    "columns": "columns",
    "digits": "digits",
    "options": "options",
    "unknown_attributes": "unknownAttributes",
}
"""The list that a field of the entries is in, in the file."""
_READ: dict[str, Callable[[Members, str], Sequence[object]]] = {
    "exportId": Members.texts,
    "exportArn": _arns,
    "sequence": _counts,
    "exportTime": _times,
    "moment": _times,
    "items": _counts,
}
_TABLES: dict[str, tuple[Callable[[Any], object], Callable[[Members], Sequence[object]]]] = {
    "owner": (_owner_json, _read_owners),
    "date": (_same, _parsed("date", parse_date)),
    "timezone": (_same, _parsed("timezone", parse_timezone)),
    "layout": (_same, _parsed("layout", parse_layout)),
    "folders": (_same, _read_folders),
    "names": (_same, _read_names),
    "columns": (_columns_json, lambda tables: [read_columns(row) for row in tables.inners("columns")]),
    "digits": (_same, _read_digits),
    "options": (_same, lambda tables: [read_options(row) for row in tables.inners("options")]),
    "unknownAttributes": (_same, lambda tables: [_texts_of(row) for row in tables.lists("unknownAttributes")]),
}
"""How the values that entries share are written into their table, and read from it."""
