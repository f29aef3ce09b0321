"""Batches: rows of the output, in the decoder's buffers, for the writers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from converter.decode.buffers import Buffers
from converter.kernels.layout import Bytes, Columns
from converter.schema.added_columns import AddedValue, added_text
from converter.schema.column_types import DOUBLE, Origin
from converter.schema.columns import Schema

_WIDE = Context(prec=200)
_SAFE_DIGITS = 15
"""Numbers of this many characters are always the same after the way to a double and back."""


@dataclass(slots=True)
class Batch:
    """Rows of the output, valid until the decoder continues.

    changed: per column, values that a double has changed. kept: set by a reader that needs the batch after the decoder
    continues; the batch is then valid until the decoder begins the second batch after it. added: the values of the
    added columns, by name.
    """

    rows: int
    schema: Schema
    buffers: Buffers
    changed: dict[str, int]
    kept: bool = False
    added: Mapping[str, AddedValue] = field(default_factory=dict)
    _is_text: bool = False

    def to_text(self) -> Columns:
        """The buffers for CSV; column 0 is the sink. From now on the text of doubles is what a double holds.

        If another thread writes the batch at the same time, call this before it begins.
        """
        if not self._is_text:
            for index, column in enumerate(self.schema.columns, 1):
                if column.type == DOUBLE:
                    _, texts = self._as_doubles(index)
                    self.buffers.replace_text(index, *text_bytes(texts))
                elif column.origin is Origin.ADDED:
                    text = added_text(column, self.added[column.name])
                    self.buffers.fill_text(index, text.encode(), self.rows)
            self._is_text = True
        return self.buffers.arrays

    def doubles(self, index: int) -> NDArray[np.float64]:
        """The values of a column of doubles, 1 being the first column."""
        doubles = self._parse_doubles(index)[1] if self._is_text else self._as_doubles(index)[0]
        values: NDArray[np.float64] = doubles.to_numpy()
        return values

    def _parse_doubles(self, index: int) -> tuple[pa.Array, pa.Array]:
        """A column's texts, and their values as doubles."""
        # A tenth of what an empty run takes, and most runs have no doubles.
        import pyarrow.compute as pc

        numbers = _texts(self.buffers.values(index), self.buffers.lengths(index))
        return numbers, pc.cast(numbers, pa.float64())

    def _as_doubles(self, index: int) -> tuple[pa.Array, pa.Array]:
        """Number texts as doubles, and as the texts of these doubles; counts the values that this changes."""
        import pyarrow.compute as pc

        numbers, doubles = self._parse_doubles(index)
        texts: dict[int, str] = {}
        for i in pc.indices_nonzero(pc.greater(pc.binary_length(numbers), _SAFE_DIGITS)).to_pylist():
            held = Decimal(repr(doubles[i].as_py()))
            if held != Decimal(numbers[i].as_py()):
                texts[i] = format(held.normalize(_WIDE), "f")
        name = self.schema.columns[index - 1].name
        self.changed[name] = self.changed.get(name, 0) + len(texts)
        if not texts:
            return doubles, numbers
        return doubles, pa.array([texts.get(i, text) for i, text in enumerate(numbers.to_pylist())], pa.string())


def _texts(values: Bytes, lengths: NDArray[np.int32]) -> pa.Array:
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return pa.Array.from_buffers(pa.string(), len(lengths), [None, pa.py_buffer(offsets), pa.py_buffer(values)])


def text_bytes(values: pa.Array) -> tuple[Bytes, NDArray[np.int32]]:
    """Return the bytes of texts or binaries without nulls, and the length of each."""
    _, offsets, data = values.buffers()
    ends = np.frombuffer(offsets, np.int32)[values.offset : values.offset + len(values) + 1]
    content = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return content[ends[0] : ends[-1]], np.diff(ends)
