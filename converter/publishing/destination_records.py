"""The records of a destination: read from the index, and one by one only where they are newer than that."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from converter.errors import StorageError
from converter.publishing.record import Record
from converter.publishing.record_entry import RecordEntry, entry_of, newest
from converter.publishing.record_index import MOST_INDEX_BYTES, decode_index, encode_index
from converter.storage.destination import Destination, Lease
from converter.storage.paths import EXPORTS, INDEX, INTENT, record_path
from converter.storage.stored_files import FileVersion, StoredFiles

_ENDING = ".json"
# Bodies that are in memory at once while many records are read.
_AT_ONCE = 256
_SHARED = ("owner", "date", "timezone", "layout", "folders", "names", "columns", "digits", "options")
_SHARED_INDEXES = tuple(RecordEntry._fields.index(name) for name in (*_SHARED, "unknown_attributes"))


@dataclass(frozen=True, slots=True)
class DestinationRecords:
    """All records of a destination at one moment. entries: by the exports' time, oldest first."""

    files: StoredFiles
    entries: tuple[RecordEntry, ...] = ()
    _loaded: dict[str, Record] = field(default_factory=dict, compare=False)

    def place(self, entry: RecordEntry) -> str:
        """The place of a record, as messages show it."""
        return self.files.child(record_path(entry.export_id))

    def find(self, export_id: str) -> RecordEntry | None:
        """The entry of an export."""
        return next((entry for entry in self.entries if entry.export_id == export_id), None)

    def load(self, entry: RecordEntry) -> Record:
        """The whole record. Raises StorageError where it is gone, or is not what the entry says."""
        record = self._loaded.get(entry.export_id)
        if record is None:
            [content] = self.files.read_all([record_path(entry.export_id)])
            record = None if content is None else Record.from_json(content, self.place(entry))
            if record is None or entry_of(record, entry.file) != entry:
                raise StorageError(
                    "the record does not match the index of the destination",
                    self.place(entry),
                    f"run the same command again; if the error persists, remove {self.files.child(INDEX)}",
                )
            self._loaded[entry.export_id] = record
        return record

    def published(self, record: Record, file: FileVersion, removed: Iterable[str]) -> DestinationRecords:
        """The records after a commit. file: of the new record. removed: the ids of the exports that are gone."""
        gone = {record.export_id, *removed}
        kept = [entry for entry in self.entries if entry.export_id not in gone]
        entry = _SharedValues(kept).share(entry_of(record, file))
        loaded = {export_id: body for export_id, body in self._loaded.items() if export_id not in gone}
        loaded[record.export_id] = record
        return DestinationRecords(self.files, _sorted([*kept, entry]), loaded)


@dataclass(slots=True)
class RecordCache:
    """The records of a destination as this run saw them last. accepts_recreated_table: see check_owner."""

    destination: Destination
    accepts_recreated_table: bool = False
    latest: DestinationRecords | None = None

    def read(self) -> DestinationRecords:
        """The records as they are now: one listing, and those that were written since the last one."""
        self.latest = read_records(self.destination, self.latest)
        return self.latest

    def known(self) -> DestinationRecords:
        """The records as this run knows them: read before, or now."""
        return self.latest or self.read()

    def publish(self, lease: Lease, record: Record, removed: Iterable[str]) -> None:
        """Take a commit into account that was just done under this lease, and write the index."""
        if self.latest is None or lease.record_file is None:
            return
        # As the next run will read it.
        record = Record.from_json(record.to_json(), self.destination.child(record_path(record.export_id)))
        self.latest = self.latest.published(record, lease.record_file, removed)
        content = encode_index(self.latest.entries)
        if content is None:
            return
        try:
            lease.write(INDEX, content)
        except StorageError as error:
            lease.warnings.append(
                f"the index of the records can't be written, and the next run reads them all: {error.what}"
            )


def read_records(files: StoredFiles, known: DestinationRecords | None = None) -> DestinationRecords:
    """All records of the destination. known: as they were before, in this run; None to begin with the index.

    Raises StorageError for a damaged record, UsageError for one that a newer version of the program wrote.
    """
    listing = files.versions(EXPORTS)
    present = {name.removesuffix(_ENDING): version for name, version in listing.items() if _is_record(name)}
    if known is not None:
        current = [
            entry for entry in known.entries if entry.file.written and present.get(entry.export_id) == entry.file
        ]
        return _complete(files, current, present, known._loaded)
    current = _read_index(files, listing, present)
    last = newest(current)
    records = DestinationRecords(files, tuple(current))
    try:
        if last is not None:
            records.load(last)
    except StorageError:
        # Nothing that such an index says can be trusted.
        current = []
    return _complete(files, current, present, records._loaded)


def _is_record(name: str) -> bool:
    return name.endswith(_ENDING) and not name.startswith(".") and posixpath.join(EXPORTS, name) != INTENT


def _read_index(
    files: StoredFiles, listing: Mapping[str, FileVersion], present: Mapping[str, FileVersion]
) -> list[RecordEntry]:
    found = listing.get(posixpath.basename(INDEX))
    if found is None or found.size > MOST_INDEX_BYTES:
        return []
    [content] = files.read_all([INDEX])
    return [] if content is None else decode_index(content, files.child(INDEX), present)


def _complete(
    files: StoredFiles,
    current: Sequence[RecordEntry],
    present: Mapping[str, FileVersion],
    loaded: Mapping[str, Record],
) -> DestinationRecords:
    """The records with those that the current entries lack, which are read."""
    known = {entry.export_id for entry in current}
    kept = {export_id: record for export_id, record in loaded.items() if export_id in known}
    missing = [export_id for export_id in present if export_id not in known]
    entries = list(current)
    shared = _SharedValues(entries if missing else ())
    for begin in range(0, len(missing), _AT_ONCE):
        ids = missing[begin : begin + _AT_ONCE]
        paths = [posixpath.join(EXPORTS, export_id + _ENDING) for export_id in ids]
        for export_id, path, content in zip(ids, paths, files.read_all(paths), strict=True):
            # Without the lease, another run may have removed it since.
            if content is not None:
                record = Record.from_json(content, files.child(path))
                entries.append(shared.share(entry_of(record, present[export_id])))
                if len(missing) <= _AT_ONCE:
                    kept[export_id] = record
    return DestinationRecords(files, _sorted(entries), kept)


def _sorted(entries: Iterable[RecordEntry]) -> tuple[RecordEntry, ...]:
    return tuple(sorted(entries, key=lambda entry: (entry.export_micros, entry.export_id)))


class _SharedValues:
    """The values that entries have in common, so that equal ones are one object."""

    def __init__(self, entries: Iterable[RecordEntry]) -> None:
        self._by_identity: dict[int, object] = {}
        self._by_value: dict[object, object] = {}
        for entry in entries:
            self.share(entry)

    def share(self, entry: RecordEntry) -> RecordEntry:
        """The same entry with the shared values."""
        values: list[Any] = list(entry)
        for index in _SHARED_INDEXES:
            values[index] = self._by_identity.get(id(values[index])) or self._first(index, values[index])
        return RecordEntry._make(values)

    def _first(self, index: int, value: object) -> object:
        key = json.dumps(value, sort_keys=True) if isinstance(value, dict) else value
        first = self._by_value.setdefault((index, key), value)
        if first is value:
            # Only what is kept here keeps its identity.
            self._by_identity[id(value)] = value
        return first
