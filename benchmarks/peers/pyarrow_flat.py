"""pyarrow.json on the `flat` data set, with types written by hand: `python -m benchmarks.peers.pyarrow_flat …`.

Each data file is read as a stream of batches, a file a thread, and written as a file of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from benchmarks.peers.flat import COLUMNS, SCALES, data_files, parse_arguments

BLOCK_BYTES = 8 << 20
ITEM = pa.struct(
    [
        pa.field(name, pa.struct([pa.field(tag, pa.bool_() if tag == "BOOL" else pa.string())]))
        for name, tag, _ in COLUMNS
    ]
)
TYPES = {
    "bool": pa.bool_(),
    "text": pa.string(),
    "int64": pa.int64(),
    **{kind: pa.decimal128(38, scale) for kind, scale in SCALES.items()},
}


def main() -> None:
    """Convert the export in SRC to files in OUT."""
    options = parse_arguments(main.__doc__)
    pa.set_cpu_count(options.threads)
    with ThreadPoolExecutor(options.threads) as pool:
        files = data_files(options.source)
        list(pool.map(partial(_convert_file, options.out, options.format), files, range(len(files))))


def _convert_file(out: Path, fmt: str, file: Path, number: int) -> None:
    cast = fmt == "parquet"
    schema = pa.schema(
        [pa.field(name, TYPES[kind] if cast or tag != "N" else pa.string()) for name, tag, kind in COLUMNS]
    )
    path = out / f"{number:05}.{fmt}"
    if fmt == "parquet":
        writer = pq.ParquetWriter(path, schema, compression="zstd", compression_level=1)
    else:
        writer = pyarrow.csv.CSVWriter(path, schema, write_options=pyarrow.csv.WriteOptions(quoting_style="needed"))
    with writer:
        for batch in _read_batches(file):
            arrays = [_value(batch.column(0), name, tag, schema.field(name).type) for name, tag, _ in COLUMNS]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))


def _read_batches(file: Path) -> Iterator[pa.RecordBatch]:
    with pa.input_stream(str(file), compression="gzip") as stream:
        yield from pyarrow.json.open_json(
            stream,
            read_options=pyarrow.json.ReadOptions(block_size=BLOCK_BYTES),
            parse_options=pyarrow.json.ParseOptions(
                explicit_schema=pa.schema([pa.field("Item", ITEM)]), unexpected_field_behavior="ignore"
            ),
        )


def _value(items: pa.StructArray, name: str, tag: str, kind: pa.DataType) -> pa.Array:
    return pc.cast(pc.struct_field(items, [name, tag]), kind)


if __name__ == "__main__":
    main()
