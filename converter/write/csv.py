"""CSV parts: a header, then the rows from the kernel; gzip if asked."""

from __future__ import annotations

from typing import Any

import numpy as np
from isal import isal_zlib

from converter.decode import tables
from converter.decode.decoder import Batch
from converter.decode.kernels import write_rows
from converter.errors import EmptyLineError
from converter.options import ConvertOptions
from converter.schema.types import Schema
from converter.write.part import PartWriter, Sink

_OUT_BYTES = 1 << 20
_GZIP_LEVEL = 2
_GZIP_CONTAINER = 31  # zlib's window bits for gzip, whose header then has no time in it


class CsvPart(PartWriter):
    """One CSV file."""

    def __init__(self, sink: Sink, schema: Schema, options: ConvertOptions) -> None:
        super().__init__(sink)
        self._gzip: Any = None
        if options.compression == "gzip":
            self._gzip = isal_zlib.compressobj(_GZIP_LEVEL, isal_zlib.DEFLATED, _GZIP_CONTAINER)
        self._out = np.zeros(_OUT_BYTES, np.uint8)
        self._write(_header(schema))

    def write(self, batch: Batch) -> None:
        """Append the rows of the batch, whose columns are texts. Raises EmptyLineError."""
        state = np.zeros(tables.ROWS_STATE_SIZE, np.int64)
        columns = batch.to_text()
        while state[tables.NEXT_ROW] < batch.rows:
            write_rows(columns, batch.rows, self._out, state)
            if state[tables.EMPTY_LINE]:
                raise EmptyLineError(
                    "an item has no value for the only column, and its CSV row would be an empty line",
                    "--format csv",
                    "select a second column",
                )
            if not state[tables.WRITTEN]:
                self._out = np.zeros(2 * int(state[tables.NEEDED]), np.uint8)
            self._write(self._out.data[: int(state[tables.WRITTEN])])
            state[tables.WRITTEN] = 0
        self.rows += batch.rows

    def close(self) -> None:
        """End the gzip stream, if there is one."""
        if self._gzip is not None:
            self._put(self._gzip.flush())

    def _write(self, data: bytes | memoryview) -> None:
        self._put(data if self._gzip is None else self._gzip.compress(data))


def _header(schema: Schema) -> bytes:
    """The names of the columns, quoted like any field."""
    return ",".join(map(_quote, (column.name for column in schema.columns))).encode() + b"\n"


def _quote(name: str) -> str:
    if not name or any(c in name for c in '",\r\n'):
        return '"' + name.replace('"', '""') + '"'
    return name
