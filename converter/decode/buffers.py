"""The buffers of a batch: allotted for a schema, grown when a value doesn't fit, handed to Arrow without a copy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from converter.decode.tables import (
    COLUMN_FACTS,
    COLUMN_FILLED,
    COLUMN_FIXED,
    COLUMN_LIMIT,
    COLUMN_PRESENT,
    COLUMN_START,
    COLUMN_USED,
    ROOM,
    Columns,
)
from converter.schema.types import Column

BATCH_ROWS = 100_000
BATCH_BYTES = 64 << 20
"""A batch, and so a row group, ends at so many rows or, at the end of a block, at so many bytes."""

_FIRST_SLICE = 4096
_ALIGNMENT = 64
_WIDTHS = {"int64": 8.0, "bool": 1 / 8}


def row_width(column: Column) -> float:
    """Bytes a row in the arena for a column of fixed width, 0 for text."""
    return 16.0 if column.type.startswith("decimal128") else _WIDTHS.get(column.type, 0.0)


class Buffers:
    """Column buffers for up to `rows` rows. `arrays` is replaced when the arena grows: don't keep it.

    text: every column as text (CSV), whatever its type. Without columns there is only the sink.
    """

    def __init__(self, columns: Sequence[Column], *, text: bool) -> None:
        widths = [0.0] + [0.0 if text else row_width(column) for column in columns]
        per_row = sum(width or 4.0 for width in widths[1:]) + len(columns) / 8
        self.rows = max(min(BATCH_ROWS, int(BATCH_BYTES // max(per_row, 1))), 1)
        self.columns = tuple(columns)
        self._text = text
        self._widths = widths
        count = len(widths)
        sizes = [int(width * self.rows) + _ALIGNMENT if width else _FIRST_SLICE for width in widths]
        facts = np.zeros((count, COLUMN_FACTS), np.int64)
        facts[:, COLUMN_FIXED] = [1 if width else 0 for width in widths]
        arena = _lay_out(sizes, facts)
        offsets_rows = self.rows + 1 if columns else 1
        self.arrays = Columns(
            arena=arena,
            offsets=np.zeros((count, offsets_rows), np.int32),
            validity=np.zeros((count, self.rows // 8 + _ALIGNMENT), np.uint8),
            facts=facts,
        )

    def twin(self) -> Buffers:
        """Other buffers, empty and with as much room."""
        twin = Buffers(self.columns, text=self._text)
        facts = self.arrays.facts
        twin.arrays = twin.arrays._replace(
            arena=_lay_out((facts[:, COLUMN_LIMIT] - facts[:, COLUMN_START]).tolist(), twin.arrays.facts)
        )
        return twin

    def used_bytes(self, rows: int) -> int:
        """Bytes of Arrow that `rows` rows take."""
        return int(self.arrays.facts[:, COLUMN_USED].sum() + sum(width or 4.0 for width in self._widths[1:]) * rows)

    def grow(self, column: int, rows: int) -> None:
        """Give `column` more room, and all text columns what they will need by the look of the first `rows` rows."""
        old = self.arrays
        used = old.facts[:, COLUMN_USED].tolist()
        sizes = (old.facts[:, COLUMN_LIMIT] - old.facts[:, COLUMN_START]).tolist()
        before = old.facts[:, COLUMN_START].tolist()
        kept = [
            min(int(width * (rows + 8)) + 1, sizes[c]) if width else used[c] for c, width in enumerate(self._widths)
        ]
        sizes[column] = 2 * sizes[column] + ROOM
        if rows >= 64:
            expected = min(self.rows, int(BATCH_BYTES / max(self.used_bytes(rows) / rows, 1)) + 1)
            for c, width in enumerate(self._widths):
                if c and not width:
                    sizes[c] = max(sizes[c], int(used[c] / rows * expected * 1.25) + _FIRST_SLICE)
        arena = _lay_out(sizes, old.facts)
        for c, size in enumerate(kept):
            start = int(old.facts[c, COLUMN_START])
            arena[start : start + size] = old.arena[before[c] : before[c] + size]
        self.arrays = old._replace(arena=arena)

    def reset(self) -> None:
        """Empty the batch; the room stays."""
        arrays = self.arrays
        arrays.facts[:, [COLUMN_USED, COLUMN_FILLED, COLUMN_PRESENT]] = 0
        arrays.validity[:] = 0

    def seal(self, rows: int) -> None:
        """Set the offsets of the text columns up to `rows`."""
        arrays = self.arrays
        for c in range(1, len(arrays.facts)):
            if not arrays.facts[c, COLUMN_FIXED]:
                arrays.offsets[c, arrays.facts[c, COLUMN_FILLED] : rows + 1] = arrays.facts[c, COLUMN_USED]

    def to_arrow(self, column: int, rows: int, kind: pa.DataType) -> pa.Array:
        """A sealed column as an Arrow array over these buffers: valid until reset or grow."""
        arrays = self.arrays
        facts = arrays.facts[column]
        start = int(facts[COLUMN_START])
        nulls = rows - int(facts[COLUMN_PRESENT])
        validity = pa.py_buffer(arrays.validity[column]) if nulls else None
        if facts[COLUMN_FIXED]:
            parts = [validity, pa.py_buffer(arrays.arena[start : int(facts[COLUMN_LIMIT])])]
        else:
            values = arrays.arena[start : start + int(facts[COLUMN_USED])]
            parts = [validity, pa.py_buffer(arrays.offsets[column]), pa.py_buffer(values)]
        return pa.Array.from_buffers(kind, rows, parts, nulls)

    def text(self, column: int, rows: int) -> pa.Array:
        """A sealed text column."""
        return self.to_arrow(column, rows, pa.string())

    def replace_text(self, column: int, texts: pa.Array) -> None:
        """Put other texts in the place of a sealed text column's."""
        _, offsets, values = texts.buffers()
        size = values.size if values is not None else 0
        facts = self.arrays.facts[column]
        while facts[COLUMN_LIMIT] - facts[COLUMN_START] < size + ROOM:
            self.grow(column, 0)
        arrays = self.arrays
        begin = int(facts[COLUMN_START])
        if size:
            arrays.arena[begin : begin + size] = np.frombuffer(values, np.uint8)
        arrays.offsets[column, : len(texts) + 1] = np.frombuffer(offsets, np.int32)[: len(texts) + 1]
        facts[COLUMN_USED] = size


def _lay_out(sizes: Sequence[int], facts: NDArray[np.int64]) -> NDArray[np.uint8]:
    """An arena with slices of at least these sizes, each aligned as Arrow likes it; sets where they are in `facts`."""
    aligned = np.array([-(-size // _ALIGNMENT) * _ALIGNMENT for size in sizes], np.int64)
    facts[:, COLUMN_LIMIT] = np.cumsum(aligned)
    facts[:, COLUMN_START] = facts[:, COLUMN_LIMIT] - aligned
    return np.empty(int(facts[-1, COLUMN_LIMIT]) + ROOM, np.uint8)
