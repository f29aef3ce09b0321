"""The buffers of a batch: allocated for a schema, grown for values that do not fit, read by writers without a copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converter.kernels import layout
from converter.kernels.bindings import move_values
from converter.kernels.layout import Bytes, Columns
from converter.schema.column_types import Origin
from converter.schema.columns import Column

BATCH_ROWS = 100_000
BATCH_BYTES = 48 << 20
"""A batch, and so a row group, ends at this many rows, or at the end of a block, at this many bytes."""

_FIRST_BYTES = 4096
_FIRST_VALUES = 512
_LOOKED_AT = 64
"""Rows that a column must have before its size is estimated."""
_MARGIN = 1.25
_ALIGNMENT = 64
_LENGTH_BYTES = 4


def value_bits(column: Column) -> int:
    """Bits in the arena of a value of the column, 0 for text. Added columns are in buffers for CSV alone."""
    return 0 if column.origin is Origin.ADDED else column.type.bits


@dataclass(frozen=True, slots=True)
class Held:
    """The values of a column.

    values: their bytes. lengths: of each, in a text column. validity: a bit for each row, the lowest first, 1 for
    a row with a value. present: the number of values.
    """

    values: Bytes
    lengths: NDArray[np.int32] | None
    validity: Bytes
    present: int

    @staticmethod
    def nothing(rows: int) -> Held:
        """A column without a value in any of these rows."""
        return Held(np.zeros(0, np.uint8), np.zeros(0, np.int32), np.zeros(-(-rows // 8), np.uint8), 0)


class Buffers:
    """Column buffers for up to `rows` rows. `arrays` is replaced when they grow: do not keep it.

    text: every column is text (CSV), whatever its type. Without columns there is only the sink.
    """

    def __init__(self, columns: Sequence[Column], *, text: bool) -> None:
        self.columns = tuple(columns)
        self._text = text
        bits = [0] + [0 if text else value_bits(column) for column in columns]
        # An absent value takes one bit.
        self.rows = max(min(BATCH_ROWS, 4 * BATCH_BYTES // max(len(columns), 1)), 8)
        facts = np.zeros((len(bits), layout.COLUMN_FACTS), np.int64)
        facts[:, layout.COLUMN_BITS] = bits
        facts[:, layout.COLUMN_STEP] = 1
        facts[1:, layout.COLUMN_SCALE] = [column.type.scale for column in columns]
        facts[1:, layout.COLUMN_FORM] = [
            0 if text or column.origin is Origin.ADDED else column.type.csv_form for column in columns
        ]
        # Added columns are not decoded, and never run out of room.
        decoded = [i for i, column in enumerate(columns, 1) if column.origin is not Origin.ADDED]
        self._decoded = slice(1, None) if len(decoded) == len(columns) else decoded
        self._value_bytes = np.where(facts[:, layout.COLUMN_BITS] > 0, facts[:, layout.COLUMN_BITS] / 8, _LENGTH_BYTES)
        facts[:, layout.COLUMN_ROOM] = min(_FIRST_VALUES, self.rows)
        arena, lengths = _lay_out([_FIRST_BYTES] * len(bits), facts)
        self.arrays = Columns(arena, lengths, np.zeros((len(bits), -(-self.rows // 8) + _ALIGNMENT), np.uint8), facts)

    @staticmethod
    def of(columns: Sequence[Column], rows: int, held: Sequence[Held]) -> Buffers:
        """Buffers that hold exactly these rows."""
        buffers = Buffers(columns, text=False)
        buffers.rows = rows
        facts = buffers.arrays.facts
        validity = np.zeros((len(held) + 1, -(-rows // 8) + _ALIGNMENT), np.uint8)
        for index, column in enumerate(held, 1):
            facts[index, layout.COLUMN_PRESENT] = column.present
            # A column with one text for all rows needs room for its length.
            facts[index, layout.COLUMN_ROOM] = max(column.present, 1)
            facts[index, layout.COLUMN_USED] = column.values.size
            validity[index, : column.validity.size] = column.validity
        arena, lengths = _lay_out([layout.ROOM, *(column.values.size + layout.ROOM for column in held)], facts)
        buffers.arrays = Columns(arena, lengths, validity, facts)
        for index, column in enumerate(held, 1):
            buffers.values(index)[:] = column.values
            if column.lengths is not None and facts[index, layout.COLUMN_BITS] == 0:
                buffers.lengths(index)[:] = column.lengths
        return buffers

    def empty_copy(self) -> Buffers:
        """New buffers, empty and with the same room."""
        copy = Buffers(self.columns, text=self._text)
        facts = self.arrays.facts
        copy.arrays.facts[:, layout.COLUMN_ROOM] = facts[:, layout.COLUMN_ROOM]
        arena, lengths = _lay_out(
            (facts[:, layout.COLUMN_LIMIT] - facts[:, layout.COLUMN_START]).tolist(), copy.arrays.facts
        )
        copy.arrays = copy.arrays._replace(arena=arena, lengths=lengths)
        return copy

    @property
    def reusable(self) -> bool:
        """Whether another decoder may begin with this room: it grows where shards have different large columns."""
        return self.arrays.arena.nbytes + self.arrays.lengths.nbytes <= 2 * BATCH_BYTES

    def used_bytes(self, rows: int) -> int:
        """The number of bytes in use with `rows` rows."""
        facts = self.arrays.facts
        return (
            int(facts[:, layout.COLUMN_USED].sum() + facts[:, layout.COLUMN_PRESENT] @ self._value_bytes)
            + rows * len(self.columns) // 8
        )

    def capacity(self, rows: int) -> int:
        """The number of rows that all columns have room for, with `rows` rows in use."""
        if not self.columns:
            return self.rows
        facts = self.arrays.facts
        left = facts[self._decoded, layout.COLUMN_ROOM] - facts[self._decoded, layout.COLUMN_PRESENT]
        return min(self.rows, rows + int(left.min()))

    def grow(self, rows: int, text: int | None = None) -> None:
        """Give all columns more room, as much as they will need by an estimate from the first `rows` rows.

        text: a text column whose bytes are full.
        """
        old = self.arrays
        facts = old.facts.copy()
        used = _used(facts)
        sizes = facts[:, layout.COLUMN_LIMIT] - facts[:, layout.COLUMN_START]
        before = sizes.copy()
        room = facts[:, layout.COLUMN_ROOM]
        room[room - facts[:, layout.COLUMN_PRESENT] < _FIRST_VALUES // 2] *= 2
        if rows >= _LOOKED_AT:
            expected = min(self.rows, int(rows * BATCH_BYTES / max(self.used_bytes(rows), 1)) + 1) / rows * _MARGIN
            sizes[1:] = np.maximum(sizes[1:], (used[1:] * expected).astype(np.int64) + _FIRST_BYTES)
            wanted = (facts[1:, layout.COLUMN_PRESENT] * expected).astype(np.int64) + _FIRST_VALUES
            room[1:] = np.maximum(room[1:], wanted)
        np.minimum(room, self.rows, out=room)
        if text is not None and sizes[text] == before[text]:
            sizes[text] = 2 * sizes[text] + layout.ROOM
        arena, lengths = _lay_out(sizes.tolist(), facts)
        self.arrays = old._replace(arena=arena, lengths=lengths, facts=facts)
        move_values(old, self.arrays)

    def reset(self) -> None:
        """Remove all rows; the room stays."""
        facts = self.arrays.facts
        facts[:, [layout.COLUMN_USED, layout.COLUMN_PRESENT, layout.COLUMN_NEXT, layout.COLUMN_NEXT_BYTE]] = 0
        self.arrays.validity[:] = 0

    def present(self, column: int) -> int:
        """The number of rows with a value."""
        return int(self.arrays.facts[column, layout.COLUMN_PRESENT])

    def values(self, column: int) -> Bytes:
        """The bytes of the values of a column."""
        facts = self.arrays.facts
        start = int(facts[column, layout.COLUMN_START])
        return self.arrays.arena[start : start + int(_used(facts[column : column + 1])[0])]

    def lengths(self, column: int) -> NDArray[np.int32]:
        """The number of bytes of each value of a text column."""
        start = int(self.arrays.facts[column, layout.COLUMN_LENGTHS])
        return self.arrays.lengths[start : start + self.present(column)]

    def fill_text(self, column: int, value: bytes, rows: int) -> None:
        """Set a text column to this value in `rows` rows. It is stored once for all of them."""
        self.arrays.facts[column, layout.COLUMN_PRESENT] = 1
        self.replace_text(column, np.frombuffer(value, np.uint8), np.array([len(value)], np.int32))
        self.arrays.facts[column, layout.COLUMN_STEP] = 0
        self.arrays.validity[column, : -(-rows // 8)] = 0xFF

    def fill_absent(self, column: int, value: int, rows: int) -> None:
        """Give each of `rows` rows without a value this value, in a column of int64 or of their texts."""
        validity = self.arrays.validity[column, : -(-rows // 8)]
        present = np.unpackbits(validity, count=rows, bitorder="little").astype(bool)
        if present.all():
            return
        if self.arrays.facts[column, layout.COLUMN_ROOM] < rows:
            self.arrays.facts[column, layout.COLUMN_ROOM] = rows
            self.grow(0)
        before = self.values(column).copy()
        if self.arrays.facts[column, layout.COLUMN_BITS] == 0:
            text = np.frombuffer(str(value).encode(), np.uint8)
            lengths = np.full(rows, text.size, np.int32)
            lengths[present] = self.lengths(column)
            values = np.empty(int(lengths.sum()), np.uint8)
            held = np.repeat(present, lengths)
            values[held], values[~held] = before, np.tile(text, rows - int(present.sum()))
            self.arrays.facts[column, layout.COLUMN_PRESENT] = rows
            self.replace_text(column, values, lengths)
        else:
            numbers = np.full(rows, value, np.int64)
            numbers[present] = before.view(np.int64)
            self.arrays.facts[column, layout.COLUMN_PRESENT] = rows
            self.values(column)[:] = numbers.view(np.uint8)
        self.arrays.validity[column, : -(-rows // 8)] = np.packbits(np.ones(rows, np.uint8), bitorder="little")

    def replace_text(self, column: int, values: Bytes, lengths: NDArray[np.int32]) -> None:
        """Replace the texts of a text column by the same number of texts."""
        facts = self.arrays.facts
        while facts[column, layout.COLUMN_LIMIT] - facts[column, layout.COLUMN_START] < values.size + layout.ROOM:
            self.grow(0, column)
            facts = self.arrays.facts
        start = int(facts[column, layout.COLUMN_START])
        self.arrays.arena[start : start + values.size] = values
        facts[column, layout.COLUMN_USED] = values.size
        self.lengths(column)[:] = lengths


def _used(facts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of bytes in use of each column."""
    fixed = (facts[:, layout.COLUMN_PRESENT] * facts[:, layout.COLUMN_BITS] + 7) // 8
    return np.where(facts[:, layout.COLUMN_BITS] > 0, fixed, facts[:, layout.COLUMN_USED])


def _lay_out(sizes: Sequence[int], facts: NDArray[np.int64]) -> tuple[Bytes, NDArray[np.int32]]:
    """Return an arena and lengths with room for these sizes and COLUMN_ROOM values; set the places in `facts`."""
    fixed = (facts[:, layout.COLUMN_ROOM] * facts[:, layout.COLUMN_BITS] + 7) // 8
    needed = np.where(facts[:, layout.COLUMN_BITS] > 0, fixed + 16, np.array(sizes, np.int64))
    aligned = -(-needed // _ALIGNMENT) * _ALIGNMENT
    facts[:, layout.COLUMN_LIMIT] = np.cumsum(aligned)
    facts[:, layout.COLUMN_START] = facts[:, layout.COLUMN_LIMIT] - aligned
    rooms = np.where(facts[:, layout.COLUMN_BITS] > 0, 0, facts[:, layout.COLUMN_ROOM])
    ends = np.cumsum(rooms)
    facts[:, layout.COLUMN_LENGTHS] = ends - rooms
    return np.empty(int(facts[-1, layout.COLUMN_LIMIT]) + layout.ROOM, np.uint8), np.zeros(int(ends[-1]) + 1, np.int32)
