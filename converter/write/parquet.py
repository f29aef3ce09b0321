"""Parquet parts: one row group a batch, statistics on, encodings by what the first batch looks like.

Arrow's default, a dictionary for every column, costs a third of the writer's time and makes larger files where most
values are different. So a column has a dictionary only where values repeat; other texts are written with their
lengths apart, and other integers as differences. pyarrow, DuckDB, Polars, Spark 3.3 and Trino read all of these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from converter.decode.decoder import Batch, arrow_schema
from converter.options import ConvertOptions
from converter.schema.types import Schema
from converter.write.part import PartWriter, Sink

# Level 3 takes 1.4 times as long for files of the same size.
_ZSTD_LEVEL = 1
_JUDGED_ROWS = 8192
_REPEATING = 0.1
"""A column whose values, in the first rows, have no more different ones than this share gets a dictionary."""


class ParquetPart(PartWriter):
    """One Parquet file. Nothing is written before the first batch is there."""

    def __init__(self, sink: Sink, schema: Schema, options: ConvertOptions) -> None:
        super().__init__(sink)
        self._schema = schema
        self._compression = cast(str, options.compression)
        self._writer: pq.ParquetWriter | None = None

    def write(self, batch: Batch) -> None:
        """Append the batch as a row group."""
        rows = batch.to_arrow()
        if self._writer is None:
            self._writer = self._open(rows)
        self._writer.write_batch(rows, row_group_size=batch.rows)
        self.rows += batch.rows

    def close(self) -> None:
        """Write the footer, also of a part without rows."""
        if self._writer is None:
            self._writer = self._open(pa.RecordBatch.from_pylist([], schema=arrow_schema(self._schema)))
        self._writer.close()

    def _open(self, rows: pa.RecordBatch) -> pq.ParquetWriter:
        dictionaries, encodings = choose_encodings(rows)
        return pq.ParquetWriter(
            pa.PythonFile(_File(self._put), mode="w"),
            rows.schema,
            compression=self._compression,
            compression_level=_ZSTD_LEVEL if self._compression == "zstd" else None,
            write_statistics=True,
            use_dictionary=dictionaries,
            column_encoding=encodings,
            memory_pool=_memory_pool(),
        )


def choose_encodings(rows: pa.RecordBatch) -> tuple[list[str], dict[str, str]]:
    """(columns with a dictionary, encodings of others by column), judged by the first rows."""
    dictionaries = []
    encodings = {}
    for field, values in zip(rows.schema, rows.slice(0, _JUDGED_ROWS).columns, strict=True):
        present = len(values) - values.null_count
        if pa.types.is_boolean(field.type):
            continue
        if pc.count_distinct(values, mode="only_valid").as_py() <= present * _REPEATING:
            dictionaries.append(field.name)
        elif pa.types.is_string(field.type) or pa.types.is_binary(field.type):
            encodings[field.name] = "DELTA_LENGTH_BYTE_ARRAY"
        elif pa.types.is_int64(field.type):
            encodings[field.name] = "DELTA_BINARY_PACKED"
    return dictionaries, encodings


def _memory_pool() -> pa.MemoryPool:
    """A pool for the writer alone: Arrow's default (mimalloc) takes a fifth more time and memory here."""
    if "jemalloc" in pa.supported_memory_backends():
        return pa.jemalloc_memory_pool()
    return pa.system_memory_pool()


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
