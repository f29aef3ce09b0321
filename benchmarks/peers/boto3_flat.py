"""json, boto3's TypeDeserializer and pyarrow on the `flat` data set: `python -m benchmarks.peers.boto3_flat …`.

The approach of most scripts, with one process for each data file.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from decimal import Inexact, Rounded
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from boto3.dynamodb.types import DYNAMODB_CONTEXT, TypeDeserializer

from benchmarks.peers.flat import COLUMNS, SCALES, data_files, parse_arguments

BATCH_ROWS = 100_000
TYPES = {
    "bool": pa.bool_(),
    "text": pa.string(),
    "int64": pa.int64(),
    **{kind: pa.decimal128(38, scale) for kind, scale in SCALES.items()},
}
SCHEMA = pa.schema([pa.field(name, TYPES[kind]) for name, _, kind in COLUMNS])


def main() -> None:
    """Convert the export in SRC to files in OUT."""
    options = parse_arguments(main.__doc__)
    with ProcessPoolExecutor(options.threads) as pool:
        files = data_files(options.source)
        list(pool.map(partial(_convert_file, options.out, options.format), files, range(len(files))))


def _convert_file(out: Path, fmt: str, file: Path, number: int) -> None:
    path = out / f"{number:05}.{fmt}"
    if fmt == "parquet":
        writer = pq.ParquetWriter(path, SCHEMA, compression="zstd", compression_level=1)
    else:
        writer = pyarrow.csv.CSVWriter(path, SCHEMA, write_options=pyarrow.csv.WriteOptions(quoting_style="needed"))
    # Otherwise numbers that the service wrote, such as 1 and forty zeros, end the program.
    DYNAMODB_CONTEXT.traps[Inexact] = DYNAMODB_CONTEXT.traps[Rounded] = False
    with writer:
        items = _read_items(file)
        while rows := list(islice(items, BATCH_ROWS)):
            writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))


def _read_items(file: Path) -> Iterator[dict[str, Any]]:
    deserialize = TypeDeserializer().deserialize
    with gzip.open(file, "rb") as lines:
        for line in lines:
            yield {name: deserialize(value) for name, value in json.loads(line)["Item"].items()}


if __name__ == "__main__":
    main()
