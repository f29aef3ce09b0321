"""The input of a conversion: the data files of one export, full or incremental, in JSON or Ion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from converter.decode.change_translation import ChangeLines
from converter.decode.line_source import LineSource
from converter.decode.strict_changes import ChangeForm
from converter.decode.unknown_members import ItemLines
from converter.export.data_files import DataFile
from converter.schema.columns import Schema
from converter.schema.contract import WAYS
from converter.schema.observe import Observation
from converter.storage.source import Source


@dataclass(frozen=True, slots=True)
class ExportInput:
    """See ShardInput. form: of the lines of an incremental export; None for items."""

    form: ChangeForm | None = None

    @property
    def keys(self) -> Sequence[str]:
        """The key attributes of an incremental export; those of a full one are not known."""
        return () if self.form is None else tuple(name for name, _ in self.form.keys)

    @property
    def known(self) -> Observation:
        """Nothing: no file holds rows."""
        return Observation()

    def lines(self) -> LineSource:
        """Return a new source of lines, for one decoder."""
        return ItemLines() if self.form is None else ChangeLines(self.form)

    def rows(self, file: DataFile, source: Source, *, verify: bool) -> None:
        """Return None: each file holds lines."""

    def line_files(self, files: Sequence[DataFile]) -> Sequence[DataFile]:
        """Return all files."""
        return files

    def check_schema(self, schema: Schema) -> None:
        """No-op: lines can have any columns."""

    def break_hint(self) -> str:
        """Return the hint of the error for a value that does not fit a promised column."""
        return WAYS

    def findings(self) -> None:
        """Return None: there is nothing besides the results of the shards."""

    def absorb(self, findings: object) -> None:
        """No-op."""
