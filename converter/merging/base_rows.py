"""Reads the rows of a base snapshot that no change names, from its Parquet parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from io import RawIOBase
from typing import TYPE_CHECKING, Any

from converter.decode.arrow_rows import batch_of, plain_text, recast
from converter.decode.batch import Batch, text_bytes
from converter.errors import DataFileError, StorageError
from converter.export.data_files import DataFile
from converter.merging.base_snapshot import MISSING_PART, OTHER_BASE, BaseSnapshot
from converter.merging.changed_keys import ChangedKeys
from converter.publishing.recorded_observation import observe_column
from converter.schema.added_columns import AddedValue
from converter.schema.column_types import Origin
from converter.schema.columns import Schema
from converter.schema.observe import Observation
from converter.storage.source import Source

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_TEXT_ORIGINS = (Origin.TEXT, Origin.JSON, Origin.BINARY, Origin.MIXED_TEXT, Origin.MIXED_JSON)
_FIRST_BYTES = 64 << 20


@dataclass(slots=True)
class BaseRows:
    """The rows of one part without those that changes name, a row group at a time; see RowReader."""

    base: BaseSnapshot
    changed_keys: ChangedKeys
    source: Source
    verify: bool
    observed: Observation = field(default_factory=Observation)
    changed: dict[str, int] = field(default_factory=dict)

    def groups(self, file: DataFile) -> Iterator[pa.Table]:
        """Raises DataFileError for a part that is not the one that the record names, and StorageError."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        content = self._read(file)
        try:
            opened = pq.ParquetFile(pa.BufferReader(content))
            self._check(opened, file)
            for group in range(opened.num_row_groups):
                table = self._unchanged(opened.read_row_group(group, use_threads=False))
                self._observe(table)
                yield table
        except (pa.ArrowException, OSError) as error:
            # The file is in memory, so this is about its content: errors of the storage have been raised by now.
            raise self._damaged_error(file, str(error).strip()) from None

    def batch(self, table: pa.Table, schema: Schema, added: Mapping[str, AddedValue]) -> Batch:
        """Return the rows with the columns of the schema, which `check_schema` has accepted."""
        columns: list[Any] = []
        for after, before in zip(schema.columns, self.base.source_columns(schema), strict=True):
            if before is None:
                columns.append(None)
            else:
                columns.append(recast(_one_chunk(table, before.name), before, after))
        return batch_of(columns, table.num_rows, schema, added, self.changed)

    def _read(self, file: DataFile) -> pa.Buffer:
        import pyarrow as pa

        part = self.base.parts[file.path]
        try:
            with self.source.open(file.path) as opened:
                content = _read_all(opened, part.bytes)
        except FileNotFoundError:
            raise DataFileError(
                "a part of the base is missing",
                self.source.child(file.path),
                MISSING_PART,
            ) from None
        if self.verify and hashlib.sha256(content).hexdigest() != part.sha256:
            raise self._damaged_error(file, "its sha256 is not the record's")
        return pa.py_buffer(content)

    def _check(self, opened: pq.ParquetFile, file: DataFile) -> None:
        names = set(opened.schema_arrow.names)
        missing = next((column.name for column in self.base.record.columns if column.name not in names), None)
        if missing is not None:
            raise self._damaged_error(file, f"it has no column {missing!r}")
        if opened.metadata.num_rows != file.items:
            raise self._damaged_error(
                file, f"the record says {file.items:,} rows, and it has {opened.metadata.num_rows:,}"
            )

    def _damaged_error(self, file: DataFile, reason: str) -> DataFileError:
        place = self.source.child(file.path)
        return DataFileError(f"the part is not as it was published: {reason}", place, "publish the base again")

    def _unchanged(self, table: pa.Table) -> pa.Table:
        if not self.changed_keys.count:
            return table
        names = {column.attribute: column for column in self.base.record.columns if column.attribute is not None}
        keys = []
        for name, _ in self.changed_keys.keys:
            column = names[name]
            values = _one_chunk(table, column.name)
            if values.null_count:
                raise StorageError(f"a row has no value for the key {name!r}", self.base.place, OTHER_BASE)
            keys.append(text_bytes(plain_text(values, column)))
        kept = self.changed_keys.find_unchanged(keys)
        return table if kept.all() else table.filter(kept)

    def _observe(self, table: pa.Table) -> None:
        import pyarrow.compute as pc

        reports = {report.name: report for report in self.base.record.report.columns}
        seen = {}
        for column in self.base.record.columns:
            report = reports.get(column.name)
            if column.attribute is None or report is None:
                continue
            values = table.column(column.name)
            present = len(values) - values.null_count
            if present:
                longest = pc.max(pc.binary_length(values)).as_py() if column.origin in _TEXT_ORIGINS else 0
                observed = observe_column(column, report, present, longest)
                if report.nuls and self.base.record.options.get("nul", "keep") == "keep":
                    nuls = pc.sum(pc.match_substring(values, "\0")).as_py() or 0
                    observed = replace(observed, nuls=nuls)
                seen[column.attribute] = observed
        self.observed = self.observed.merge(Observation(table.num_rows, seen))


def _read_all(opened: RawIOBase, size: int) -> memoryview:
    """Return the file's bytes, which should be `size`: of a longer file, one byte more is read.

    Memory grows with what is there, because the record that names the size may be forged.
    """
    content = bytearray(min(size, _FIRST_BYTES) + 1)
    filled = 0
    while filled <= size:
        if filled == len(content):
            content.extend(bytes(min(len(content), size + 1 - filled)))
        with memoryview(content) as whole, whole[filled:] as rest:
            read = opened.readinto(rest)
        if not read:
            break
        filled += read
    return memoryview(content)[:filled]


def _one_chunk(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
