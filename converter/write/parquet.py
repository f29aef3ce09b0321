"""Parquet parts: one row group a batch, statistics on, zstd level 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from converter.decode.decoder import Batch, arrow_schema
from converter.options import ConvertOptions
from converter.schema.types import Schema
from converter.write.part import PartWriter, Sink

# Level 3 takes 1.4 times as long for files of the same size.
_ZSTD_LEVEL = 1


class ParquetPart(PartWriter):
    """One Parquet file."""

    def __init__(self, sink: Sink, schema: Schema, options: ConvertOptions) -> None:
        super().__init__(sink)
        compression = cast(str, options.compression)
        self._writer = pq.ParquetWriter(
            pa.PythonFile(_File(self._put), mode="w"),
            arrow_schema(schema),
            compression=compression,
            compression_level=_ZSTD_LEVEL if compression == "zstd" else None,
            write_statistics=True,
            use_dictionary=True,
        )

    def write(self, batch: Batch) -> None:
        """Append the batch as a row group."""
        self._writer.write_batch(batch.to_arrow(), row_group_size=batch.rows)
        self.rows += batch.rows

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


class _File:
    """What Arrow takes for a file."""

    def __init__(self, put: Callable[[memoryview], None]) -> None:
        self._put = put
        self._written = 0
        self.closed = False

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._put(view)
        self._written += len(view)
        return len(view)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        """The sink decides when its bytes go out."""

    def close(self) -> None:
        self.closed = True
