"""The floor: what is left when nothing has to be decoded. It inflates all data files and writes finished tables.

`python -m benchmarks.floor SRC PREPARED --prepare FORMAT` converts the export once with our program and keeps the
rows of each part as Arrow batches. That isn't timed. `python -m benchmarks.floor SRC OUT --prepared PREPARED` is: it
inflates the data files with isal, maps the batches into memory and has Arrow write the same parts, one row group a
batch, by as many threads as we have workers, with zstd level 1, statistics, and the encodings that are quickest with
it: dictionaries where values repeat, DELTA_LENGTH_BYTE_ARRAY for other texts. For CSV the finished bytes are copied.

It computes no md5, observes nothing, publishes nothing and does not import our own code.
"""

from __future__ import annotations

import argparse
import mmap
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from isal import isal_zlib

BLOCK_BYTES = 1 << 20
READ_BYTES = 1 << 19
JUDGED_ROWS = 8192
REPEATING = 0.1


def prepare(source: Path, prepared: Path, fmt: str) -> None:
    """Convert the export with our program and keep each part as Arrow batches (or CSV) below `prepared`."""
    from converter.api import convert
    from converter.options import ConvertOptions

    prepared.mkdir(parents=True)
    with TemporaryDirectory(dir=prepared) as out:
        if fmt == "csv":
            convert(str(source), out, ConvertOptions(format="csv"))
            for number, part in enumerate(sorted(Path(out).rglob("*.csv"))):
                part.rename(prepared / f"{number:05}.csv")
            return
        report = convert(str(source), out, ConvertOptions())
        for number, written in enumerate(report.parts):
            file = pq.ParquetFile(Path(out) / written.path)
            with pa.ipc.new_file(str(prepared / f"{number:05}.arrow"), file.schema_arrow) as batches:
                for group in range(file.num_row_groups):
                    (batch,) = file.read_row_group(group).combine_chunks().to_batches()
                    batches.write_batch(batch)


def run(source: Path, out: Path, prepared: Path, threads: int) -> None:
    """Inflate all data files and write all prepared parts, each by one thread, in turn."""
    out.mkdir(parents=True)
    inflating = [partial(_inflate, path) for path in sorted(source.glob("data/*.json.gz"))]
    writing: list[Callable[[], None]] = [
        *(partial(_write_parquet, path, out / f"{path.stem}.parquet") for path in sorted(prepared.glob("*.arrow"))),
        *(partial(_copy, path, out / path.name) for path in sorted(prepared.glob("*.csv"))),
    ]
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(task) for task in _alternate(inflating, writing)]:
            done.result()


def _alternate(first: Iterable[Callable[[], None]], second: list[Callable[[], None]]) -> list[Callable[[], None]]:
    """One of each in turn, then what is left of the longer."""
    firsts = list(first)
    paired = [task for pair in zip(firsts, second, strict=False) for task in pair]
    shorter = len(paired) // 2
    return [*paired, *firsts[shorter:], *second[shorter:]]


def _inflate(path: Path) -> None:
    block = bytearray(BLOCK_BYTES)
    with path.open("rb") as file:
        # The class that igzip.IGzipFile is a shell of; without it every block is copied once more.
        reader = isal_zlib._GzipReader(file, READ_BYTES)
        while reader.readinto(block):
            pass


def _write_parquet(batches: Path, path: Path) -> None:
    with pa.memory_map(str(batches)) as mapped:
        reader = pa.ipc.open_file(mapped)
        dictionaries, encodings = choose_encodings(reader.get_batch(0))
        with pq.ParquetWriter(
            str(path),
            reader.schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=dictionaries,
            column_encoding=encodings,
            memory_pool=pa.jemalloc_memory_pool(),
        ) as writer:
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                writer.write_batch(batch, row_group_size=batch.num_rows)


def choose_encodings(batch: pa.RecordBatch) -> tuple[list[str], dict[str, str]]:
    """(columns with a dictionary, encodings of others by column), judged by the first rows."""
    dictionaries = []
    encodings = {}
    for field, values in zip(batch.schema, batch.slice(0, JUDGED_ROWS).columns, strict=True):
        present = len(values) - values.null_count
        if pa.types.is_boolean(field.type):
            continue
        if pc.count_distinct(values, mode="only_valid").as_py() <= present * REPEATING:
            dictionaries.append(field.name)
        elif pa.types.is_string(field.type) or pa.types.is_binary(field.type):
            encodings[field.name] = "DELTA_LENGTH_BYTE_ARRAY"
        elif pa.types.is_int64(field.type):
            encodings[field.name] = "DELTA_BINARY_PACKED"
    return dictionaries, encodings


def _copy(finished: Path, path: Path) -> None:
    with finished.open("rb") as file, path.open("wb", buffering=0) as copy:
        if not finished.stat().st_size:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as data:
            for begin in range(0, len(data), BLOCK_BYTES):
                with data[begin : begin + BLOCK_BYTES] as block:
                    copy.write(block)


def main() -> None:
    """Prepare the floor of an export, or run it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.floor", description=main.__doc__)
    parser.add_argument("source", type=Path, metavar="SRC")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--prepare", choices=("parquet", "csv"), metavar="FORMAT")
    parser.add_argument("--prepared", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if options.prepare:
        prepare(options.source, options.out, options.prepare)
    else:
        run(options.source, options.out, options.prepared, options.threads)


if __name__ == "__main__":
    main()
