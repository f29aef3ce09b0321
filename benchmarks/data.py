"""Makes the exports that are measured, once each: `python -m benchmarks.data flat --json-bytes 2e9`.

Every data file is made by itself from the seed and its index, so the same parameters give the same bytes with any
number of processes. Made exports are kept below `benchmarks/work/data`, in a folder named after their parameters.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import tempfile
import time
import zlib
from base64 import b32encode
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.datasets import DATASETS
from converter.testing import (
    DataFileFacts,
    ExportFacts,
    OutputFormat,
    WindowFacts,
    files_text,
    ion_line,
    summary_text,
)
from converter.testing.maker import GZIP_HEADER, write_manifest

WORK = Path(__file__).parent / "work"
BATCH_BYTES = 3_600_000
VERSION = 1  # To be raised when a data set's lines change, so that kept exports are not taken for the new ones.


@dataclass(frozen=True, slots=True, kw_only=True)
class DataParameters:
    """Data to generate: `json_bytes` of lines before compression (up to a line less per file), dealt evenly to `files`.

    With no bytes it is the export of an empty table: data files without a line. output_format: in ION the same items,
    whose lines in DynamoDB JSON `json_bytes` still counts.
    """

    dataset: str = "flat"
    json_bytes: int = 2_000_000_000
    files: int = 8
    seed: int = 1
    output_format: OutputFormat = "DYNAMODB_JSON"

    def __post_init__(self) -> None:
        if self.dataset not in DATASETS:
            raise ValueError(f"unknown data set {self.dataset!r}; there are {', '.join(DATASETS)}")
        if self.files < 1 or self.json_bytes < 0:
            raise ValueError("an export to measure has at least one data file, and no fewer bytes than none")

    @property
    def key(self) -> str:
        """The name of the folder that keeps the export."""
        ion = "-ion" if self.output_format == "ION" else ""
        return f"{self.dataset}-{self.json_bytes}-{self.files}-{self.seed}{ion}-v{VERSION}"


@dataclass(frozen=True, slots=True)
class ExportSize:
    """Size of an export."""

    dataset: str
    items: int
    json_bytes: int
    gzip_bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class MadeExport:
    """A generated export. `folder` contains its manifests."""

    folder: Path
    size: ExportSize


def prepare_export(parameters: DataParameters, work: Path = WORK, processes: int = 2) -> MadeExport:
    """The export with these parameters, made now unless it is there already."""
    home = work / "data" / parameters.key
    make_once(home, lambda unfinished: make_export(unfinished, parameters, processes))
    return _read_made(parameters.dataset, home)


def make_once(home: Path, make: Callable[[Path], None]) -> None:
    """Fill a folder unless it exists. It exists completely or not at all."""
    if home.exists():
        return
    home.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{home.name}-", dir=home.parent))
    try:
        make(unfinished)
        unfinished.rename(home)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def make_export(bucket: Path, parameters: DataParameters, processes: int = 2) -> None:
    """Write the export below `bucket`."""
    table = f"Benchmark-{parameters.dataset}"
    output_format = parameters.output_format
    facts: ExportFacts | WindowFacts = ExportFacts(table=table, seed=parameters.seed, output_format=output_format)
    if DATASETS[parameters.dataset].incremental:
        facts = WindowFacts(table=table, seed=parameters.seed, output_format=output_format)
    (bucket / facts.data_prefix).mkdir(parents=True)
    (bucket / facts.key_prefix).mkdir(exist_ok=True)
    (bucket / facts.key_prefix / "_started").touch()
    make = partial(_make_data_file, bucket, facts, parameters)
    if processes == 1:
        made = [make(index) for index in range(parameters.files)]
    else:
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            # A task for each of thousands of tiny files would take longer than the files do.
            chunk = max(parameters.files // 1000, 1)
            made = list(pool.map(make, range(parameters.files), chunksize=chunk))
    items = sum(file.items for file, _ in made)
    write_manifest(bucket / facts.key_prefix, "files", files_text(file for file, _ in made))
    write_manifest(bucket / facts.key_prefix, "summary", summary_text(facts, items, sum(size for _, size in made)))


def _make_data_file(
    bucket: Path, facts: ExportFacts | WindowFacts, parameters: DataParameters, index: int
) -> tuple[DataFileFacts, int]:
    """Write one data file, and return its entry in the manifest and the bytes of its lines."""
    data = DATASETS[parameters.dataset]
    rng = np.random.default_rng((parameters.seed, index))
    wanted = parameters.json_bytes * (index + 1) // parameters.files - parameters.json_bytes * index // parameters.files
    # A tiny file needs no full batch; one that has a little too much is one batch then.
    batch_items = max(min(BATCH_BYTES, wanted + wanted // 4) // data.line_bytes, 1)
    name = b32encode(facts.digest("data", index)).decode("ascii").rstrip("=").lower()
    ion = parameters.output_format == "ION"
    key = f"{facts.data_prefix}{name}.{'ion' if ion else 'json'}.gz"
    deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    md5 = hashlib.md5(GZIP_HEADER, usedforsecurity=False)
    items = size = written = crc = 0
    with (bucket / key).open("wb") as stream:
        stream.write(GZIP_HEADER)
        while True:
            lines = [line.encode() for line in data.make_lines(rng, batch_items)]
            fitting = sum(size + end <= wanted for end in accumulate(map(len, lines)))
            text = b"".join(lines[:fitting])
            items += fitting
            size += len(text)
            if ion:
                text = b"".join(map(ion_line, lines[:fitting]))
            written += len(text)
            crc = zlib.crc32(text, crc)
            compressed = deflate.compress(text)
            if fitting < len(lines):
                compressed += deflate.flush() + crc.to_bytes(4, "little") + (written & 0xFFFFFFFF).to_bytes(4, "little")
            md5.update(compressed)
            stream.write(compressed)
            if fitting < len(lines):
                return DataFileFacts(key, items, md5.digest()), size


def _read_made(dataset: str, home: Path) -> MadeExport:
    (summary_path,) = home.glob("AWSDynamoDB/*/manifest-summary.json")
    summary = json.loads(summary_path.read_bytes())
    # An increment's data files are beside its folder.
    sizes = [path.stat().st_size for path in home.rglob("data/*.gz")]
    # make_export tells the bytes of the lines as billedSizeBytes.
    json_bytes = summary["billedSizeBytes"]
    size = ExportSize(dataset, summary["itemCount"], json_bytes, sum(sizes), len(sizes))
    return MadeExport(summary_path.parent, size)


def main(arguments: Sequence[str] | None = None) -> None:
    """Make an export and say where it is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.data", description=main.__doc__)
    parser.add_argument("dataset", choices=DATASETS, nargs="?", default="flat")
    parser.add_argument("--json-bytes", type=float, default=2e9, help="bytes of all lines before compression")
    parser.add_argument("--scale", type=int, default=1, help="times as many bytes in as many files (memory: 4)")
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=WORK, help="folder that keeps what was made")
    options = parser.parse_args(arguments)
    json_bytes = int(options.json_bytes) * options.scale
    parameters = DataParameters(dataset=options.dataset, json_bytes=json_bytes, files=options.files, seed=options.seed)
    began = time.perf_counter()
    made = prepare_export(parameters, options.out, options.processes)
    size = made.size
    print(
        f"{made.folder}: {size.items:,} items, {size.json_bytes / 1e6:,.0f} MB of JSON, "
        f"{size.gzip_bytes / 1e6:,.0f} MB of gzip in {size.files} files ({time.perf_counter() - began:.1f} s)"
    )


if __name__ == "__main__":
    main()
