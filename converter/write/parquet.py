"""Parquet parts from the kernel's buffers: one row group per batch, with statistics, and encodings by the values.

They are written here and not by Arrow, because a batch already has the form of pages, values without gaps. Arrow first
takes the values apart into cells: for 2,000 sparse attributes that takes ten times as long as everything else. And
Spark 3.5 misreads Arrow's only encoding of text that is both fast and small, DELTA_LENGTH_BYTE_ARRAY
(kernels/encode/parquet_pages.py).

A column of a row group has a dictionary if its values repeat. Otherwise its values are written as they are (PLAIN), as
every reader supports it. With the option `encoding="compact"` integers are written as differences, and texts with
their lengths apart.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import pyarrow as pa

from converter.decode.batch import Batch
from converter.options import ConvertOptions
from converter.schema.columns import Schema
from converter.write.column_chunk import ChunkEncoder
from converter.write.parquet_metadata import COMPRESSIONS, MAGIC, encode_footer
from converter.write.part import PartWriter, Sink
from converter.write.thrift import Struct

# zstd level 3 takes 1.4 times as long for files of the same size.
_LEVELS = {"zstd": 1, "gzip": 6}


class ParquetPart(PartWriter):
    """One Parquet file. Nothing is written before the first batch."""

    def __init__(self, sink: Sink, schema: Schema, options: ConvertOptions) -> None:
        super().__init__(sink)
        self._columns = schema.columns
        name = cast(str, options.compression)
        codec: Any = pa.Codec(name, _LEVELS.get(name)) if name != "none" else None
        compress = partial(codec.compress, asbytes=True) if codec is not None else None
        compatible = options.encoding != "compact"
        self._chunks = ChunkEncoder(self._columns, compress, COMPRESSIONS[name], compatible=compatible)
        self._groups: list[Struct] = []

    def write(self, batch: Batch, row: int = 0) -> int:
        """Append the whole batch as a row group, so `row` must be 0."""
        if row:
            raise ValueError("a batch is one row group")
        if not self.bytes:
            self._put(MAGIC)
        self._groups.append(self._chunks.write_row_group(batch, self.bytes, self._put))
        self.rows += batch.rows
        return batch.rows

    def close(self) -> None:
        """Write the footer, also of a part without rows."""
        if not self.bytes:
            self._put(MAGIC)
        self._put(encode_footer(self._columns, self.rows, self._groups))
