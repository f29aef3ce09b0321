"""The floor: what is left when nothing has to be decoded. It inflates all data files and writes finished tables.

`python -m benchmarks.floor SRC PREPARED --prepare FORMAT` converts the export once with our program and keeps what
its writers were given: for each part its batches, as they were, and how the Parquet writer was opened. That isn't
timed. `python -m benchmarks.floor SRC OUT --prepared PREPARED` is: it inflates the data files with isal, maps the
batches into memory and writes the same parts, one row group a batch, by as many threads as we have workers. For CSV
the finished bytes are copied.

It computes no md5, observes nothing, publishes nothing and imports neither Numba nor our own code.
"""

from __future__ import annotations

import argparse
import json
import mmap
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
from isal import isal_zlib

BLOCK_BYTES = 1 << 20
READ_BYTES = 1 << 19


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
        _Remembering.folder = prepared
        plain, pq.ParquetWriter = pq.ParquetWriter, _Remembering
        try:
            report = convert(str(source), out, ConvertOptions())
        finally:
            pq.ParquetWriter = plain
    if _Remembering.rows != report.items:
        raise RuntimeError("the writers were given other rows than were published: was the export converted twice?")


class _Remembering(pq.ParquetWriter):  # type: ignore[misc]
    """Writes Parquet, and its batches and settings beside it."""

    folder = Path()
    rows = 0
    parts = 0
    lock = threading.Lock()

    def __init__(self, where: Any, schema: pa.Schema, **settings: Any) -> None:
        super().__init__(where, schema, **settings)
        pool = settings.pop("memory_pool", None) or pa.default_memory_pool()
        with self.lock:
            path = self.folder / f"{self.parts:05}"
            type(self).parts += 1
        path.with_suffix(".json").write_text(json.dumps({"pool": pool.backend_name, "settings": settings}))
        self._batches = pa.ipc.new_file(str(path.with_suffix(".arrow")), schema)

    def write_batch(self, batch: pa.RecordBatch, row_group_size: int | None = None) -> None:
        self._batches.write_batch(batch)
        with self.lock:
            type(self).rows += batch.num_rows
        super().write_batch(batch, row_group_size)

    def close(self) -> None:
        super().close()
        self._batches.close()


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
    how = json.loads(batches.with_suffix(".json").read_text())
    pool = cast(pa.MemoryPool, getattr(pa, f"{how['pool']}_memory_pool")())
    with pa.memory_map(str(batches)) as mapped:
        reader = pa.ipc.open_file(mapped)
        with pq.ParquetWriter(str(path), reader.schema, memory_pool=pool, **how["settings"]) as writer:
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                writer.write_batch(batch, row_group_size=batch.num_rows)


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
