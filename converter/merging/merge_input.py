"""The input of a merge: the data files of its base and its increments, without superseded lines and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from converter.conversion.shard_input import ShardInput
from converter.decode.line_source import LineSource
from converter.decode.strict_changes import ChangeForm
from converter.decode.unknown_members import ItemLines
from converter.export.data_files import DataFile
from converter.merging.base_rows import BaseRows
from converter.merging.base_snapshot import BREAK_HINT, BaseSnapshot
from converter.merging.changed_keys import ChangedKeys
from converter.merging.merge_lines import MergeLines
from converter.merging.old_images import Differences, OldImages
from converter.publishing.recorded_observation import recorded_observation
from converter.schema.columns import Schema
from converter.schema.contract import WAYS
from converter.schema.observe import Observation
from converter.storage.source import Source


@dataclass(frozen=True, slots=True, eq=False)
class MergeInput(ShardInput):
    """See ShardInput. Complete before any item is decoded.

    changed: the keys that the increments name. forms: the form of each increment's lines. orders: by the path of a data
    file, the index of its increment in `changed` and in `forms`. base: the snapshot, if the base is one. images: the
    old images of the changes, if they are to be compared with the base.
    """

    changed: ChangedKeys
    forms: tuple[ChangeForm, ...]
    orders: Mapping[str, int]
    base: BaseSnapshot | None = None
    images: OldImages | None = None

    @property
    def known(self) -> Observation:
        """The values that a base snapshot may hold, by its record."""
        return Observation() if self.base is None else recorded_observation(self.base.record)

    def lines(self) -> LineSource:
        """Return a new source of lines, for one decoder."""
        if not self.changed.count:
            # Without a change there is nothing to look for, and the increments are empty.
            return ItemLines()
        return MergeLines(self.changed, self.forms, None if self.images is None else self._compare, self.orders)

    def _compare(self, line: bytes) -> None:
        assert self.images is not None
        self.images.compare(line, self.changed.keys)

    def rows(self, file: DataFile, source: Source, *, verify: bool) -> BaseRows | None:
        """Return a reader of the file if it is a part of a base snapshot; None if it holds lines."""
        if self.base is None or file.path not in self.base.parts:
            return None
        return BaseRows(self.base, self.changed, source, verify)

    def line_files(self, files: Sequence[DataFile]) -> Sequence[DataFile]:
        """Return all files but the parts of a base snapshot."""
        if self.base is None:
            return files
        return [file for file in files if file.path not in self.base.parts]

    def check_schema(self, schema: Schema) -> None:
        """Raise SchemaError if the rows of a base snapshot can't have the columns of the schema."""
        if self.base is not None:
            self.base.check_schema(schema)

    def break_hint(self) -> str:
        """Return the hint of the error for a value that does not fit a promised column."""
        return WAYS if self.base is None else BREAK_HINT

    def findings(self) -> MergeFindings:
        """Return which changed keys the base has, and what old images have shown."""
        return MergeFindings(self.changed, self.images)

    def absorb(self, findings: object) -> None:
        """Add what the shards of another process have found out."""
        if isinstance(findings, CopiedFindings):
            found = np.unpackbits(np.frombuffer(findings.found, np.uint8), count=self.changed.count)
            self.changed.mark_found(found.view(np.bool_))
            if self.images is not None and findings.differences is not None:
                self.images.add_differences(findings.differences)


@dataclass(frozen=True, slots=True)
class CopiedFindings:
    """found: a bit for each changed key, whether the base has it."""

    found: bytes
    differences: Differences | None


@dataclass(frozen=True, slots=True, eq=False)
class MergeFindings:
    """The findings of all shards of a process, which share them. Pickled, they become CopiedFindings."""

    changed: ChangedKeys
    images: OldImages | None

    def __reduce__(self) -> tuple[type[CopiedFindings], tuple[bytes, Differences | None]]:
        differences = None if self.images is None else self.images.differences()
        return CopiedFindings, (np.packbits(self.changed.found()).tobytes(), differences)
