"""The protocol of what the shards of a pass read: exports implement it here, merges in their own package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from converter.decode.batch import Batch
from converter.decode.line_source import LineSource
from converter.export.data_files import DataFile
from converter.schema.added_columns import AddedValue
from converter.schema.columns import Schema
from converter.schema.observe import Observation
from converter.storage.source import Source

if TYPE_CHECKING:
    import pyarrow as pa


class RowReader(Protocol):
    """Reads a file that holds rows instead of lines, some rows at a time.

    observed: what all rows so far have shown. changed: per column, values that the batches hold only rounded.
    """

    observed: Observation
    changed: dict[str, int]

    def groups(self, file: DataFile) -> Iterator[pa.Table]:
        """The rows to convert. Raises DataFileError for a damaged file, and StorageError."""

    def batch(self, table: pa.Table, schema: Schema, added: Mapping[str, AddedValue]) -> Batch:
        """Return the rows with the columns of a schema that `check_schema` accepts."""


class ShardInput(Protocol):
    """The form of the data files, and what is known of them before they are read. Picklable, equal for all shards."""

    @property
    def keys(self) -> Sequence[str]:
        """The key attributes whose columns come first."""

    @property
    def known(self) -> Observation:
        """The values that the files with rows may hold."""

    def lines(self) -> LineSource:
        """Return a new source of lines, for one decoder."""

    def rows(self, file: DataFile, source: Source, *, verify: bool) -> RowReader | None:
        """Return a reader of the file if it holds rows; None if it holds lines."""

    def line_files(self, files: Sequence[DataFile]) -> Sequence[DataFile]:
        """Return those of the files that hold lines."""

    def check_schema(self, schema: Schema) -> None:
        """Raise SchemaError if the rows can't have the columns of the schema."""

    def break_hint(self) -> str:
        """Return the hint of the error for a value that does not fit a promised column."""

    def findings(self) -> object:
        """Return a picklable summary of what the shards of this process have found out about the input itself."""

    def absorb(self, findings: object) -> None:
        """Add what the shards of another process have found out."""
