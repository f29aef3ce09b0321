"""Inputs of the shards of a pass: exports are implemented here, merges in their own package."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from converter.decode.batch import Batch
from converter.decode.change_translation import ChangeLines
from converter.decode.line_source import LineSource
from converter.decode.strict_changes import ChangeForm
from converter.decode.unknown_members import ItemLines
from converter.export.data_files import DataFile
from converter.schema.added_columns import AddedValue
from converter.schema.columns import Schema
from converter.schema.contract import WAYS
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


class ShardInput(ABC):
    """The form of the data files, and what is known of them before they are read. Picklable, equal for all shards.

    Unless a class says otherwise, all files hold lines, and only the results of the shards matter.
    """

    @property
    def keys(self) -> Sequence[str]:
        """The key attributes whose columns come first."""
        return ()

    @property
    def known(self) -> Observation:
        """The values that the files with rows may hold."""
        return Observation()

    @abstractmethod
    def lines(self) -> LineSource:
        """Return a new source of lines, for one decoder."""

    def rows(self, file: DataFile, source: Source, *, verify: bool) -> RowReader | None:  # noqa: ARG002
        """Return a reader of the file if it holds rows; None if it holds lines."""
        return None

    def line_files(self, files: Sequence[DataFile]) -> Sequence[DataFile]:
        """Return those of the files that hold lines."""
        return files

    def check_schema(self, schema: Schema) -> None:  # noqa: B027 - lines can have any columns
        """Raise SchemaError if the rows can't have the columns of the schema."""

    def break_hint(self) -> str:
        """Return the hint of the error for a value that does not fit a promised column."""
        return WAYS

    def findings(self) -> object:
        """Return a picklable summary of what the shards of this process have found out about the input itself."""
        return None

    def absorb(self, findings: object) -> None:  # noqa: B027 - an export has no findings
        """Add what the shards of another process have found out."""


@dataclass(frozen=True, slots=True)
class ExportInput(ShardInput):
    """One export in JSON or Ion. form: of the lines of an incremental export; None for items."""

    form: ChangeForm | None = None

    @property
    def keys(self) -> Sequence[str]:
        """The key attributes of an incremental export; those of a full one are not known."""
        return () if self.form is None else tuple(name for name, _ in self.form.keys)

    def lines(self) -> LineSource:
        """Return a new source of lines, for one decoder."""
        return ItemLines() if self.form is None else ChangeLines(self.form)
