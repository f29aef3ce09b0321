"""CSV parts: a header, then the rows from the kernel; gzip if asked."""

from __future__ import annotations

import codecs
from typing import Any

import numpy as np
from isal import isal_zlib

from converter.decode.batch import Batch
from converter.errors import EmptyLineError
from converter.kernels.bindings import write_rows
from converter.kernels.encode import states
from converter.options import ConvertOptions
from converter.schema.columns import Schema
from converter.write.part import PartWriter, Sink

_OUT_BYTES = 1 << 20
"""The size of a part is checked after this many bytes of rows: a place that does not depend on the batches."""
_GZIP_LEVEL = 2
_GZIP_CONTAINER = 31  # zlib's window bits for gzip, whose header then has no time in it


class CsvPart(PartWriter):
    """One CSV file. `bytes` counts the bytes in the sink: up to 1 MiB of rows is held until `close`."""

    def __init__(self, sink: Sink, schema: Schema, options: ConvertOptions) -> None:
        super().__init__(sink)
        self._gzip: Any = None
        if options.compression == "gzip":
            self._gzip = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP_CONTAINER)
        header = codecs.BOM_UTF8 + _header(schema) if options.csv_bom else _header(schema)
        self._state = np.zeros(states.CSV_STATE_SIZE, np.int64)
        self._state[states.CSV_WRITTEN] = len(header)
        self._present = np.zeros(64 * (len(schema.columns) + 2), np.int64)
        self._out = np.zeros(2 * _OUT_BYTES + len(header), np.uint8)
        self._out[: len(header)] = np.frombuffer(header, np.uint8)

    def write(self, batch: Batch, row: int = 0) -> int:
        """Append rows of the batch until the sink gets bytes, or all rows are taken. Raises EmptyLineError."""
        state, columns = self._state, batch.to_text()
        state[states.CSV_ROW] = row
        write_rows(columns, batch.rows, _OUT_BYTES, self._present, self._out, state)
        while state[states.CSV_NEEDED]:
            larger = np.zeros(2 * int(state[states.CSV_WRITTEN] + state[states.CSV_NEEDED]), np.uint8)
            larger[: self._out.size] = self._out
            self._out = larger
            write_rows(columns, batch.rows, _OUT_BYTES, self._present, self._out, state)
        if state[states.CSV_EMPTY_LINE]:
            raise EmptyLineError(
                "an item has no value for the only column, and its CSV row would be an empty line",
                "--format csv",
                "select a second column",
            )
        if state[states.CSV_WRITTEN] >= _OUT_BYTES:
            self._hand_on()
        end = int(state[states.CSV_ROW])
        self.rows += end - row
        return end

    def close(self) -> None:
        """Write the rows that are held, and end the gzip stream, if there is one."""
        self._hand_on()
        if self._gzip is not None:
            self._put(self._gzip.flush())

    def _hand_on(self) -> None:
        data = self._out.data[: int(self._state[states.CSV_WRITTEN])]
        self._put(data if self._gzip is None else self._gzip.compress(data))
        self._state[states.CSV_WRITTEN] = 0


def _header(schema: Schema) -> bytes:
    """The names of the columns, quoted by the rule in kernels/encode/csv_rows.py."""
    return ",".join(map(_quote, (column.name for column in schema.columns))).encode() + b"\n"


def _quote(name: str) -> str:
    if not name or any(c in name for c in '",\r\n\0') or _looks_different(name):
        return '"' + name.replace('"', '""') + '"'
    return name


def _looks_different(name: str) -> bool:
    """Return whether a reader may take an unquoted name for another text.

    Also, U+FEFF at the start of a file would be a byte order mark.
    """
    first, last = name[0], name[-1]
    return (
        first <= " " or last <= " " or first in states.CSV_QUOTED_FIRST + "\ufeff" or name.lower() in states.NULL_WORDS
    )
