"""Facts of each change in an incremental export, beside its images, and their columns.

The decoder finds these facts where items have attributes, under reserved names. The names begin with a byte that is in
no UTF-8, so no attribute has them; in Python it is a lone surrogate. Each operation has a name, so that operations are
counted as attributes are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from converter.options import RESERVED_COLUMNS
from converter.schema.column_types import STRING, TIMESTAMP, Origin
from converter.schema.columns import Column
from converter.schema.observe import Observation

MARK: Final = "\udcff"
"""The first character of the name of a fact: the byte 0xFF by `surrogateescape`."""
WRITTEN: Final = f"{MARK}time"
OLD: Final = f"{MARK}old"
DELETED: Final = f"{MARK}delete"
OPERATIONS: Final = ("insert", "update", "delete", "put")
"""`put` is an insert or an update, if the export does not show which."""

OPERATION_COLUMN, WRITTEN_COLUMN, OLD_COLUMN = RESERVED_COLUMNS
COLUMN_OF: Final = {
    **{f"{MARK}{operation}": OPERATION_COLUMN for operation in OPERATIONS},
    WRITTEN: WRITTEN_COLUMN,
    OLD: OLD_COLUMN,
}
"""The column of each fact, by the name of the fact."""

_COLUMNS = (
    Column(OPERATION_COLUMN, None, STRING, Origin.CHANGE),
    Column(WRITTEN_COLUMN, None, TIMESTAMP, Origin.CHANGE),
)
_OLD_COLUMN = Column(OLD_COLUMN, None, STRING, Origin.CHANGE)


def leading_columns(taken: Iterable[str]) -> list[Column]:
    """The columns in front of the attributes, without those whose names are taken."""
    names = set(taken)
    return [column for column in _COLUMNS if column.name not in names]


def trailing_columns(taken: Iterable[str], *, old_image: bool) -> list[Column]:
    """The column after the attributes, if it is wanted and its name is not taken."""
    return [_OLD_COLUMN] if old_image and OLD_COLUMN not in set(taken) else []


def count_operations(observation: Observation) -> dict[str, int]:
    """The number of changes of each operation that occurs."""
    counts = {operation: observation.facts.get(f"{MARK}{operation}") for operation in OPERATIONS}
    return {operation: seen.values for operation, seen in counts.items() if seen is not None}
