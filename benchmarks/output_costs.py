"""Measures what else the output could cost: `python -m benchmarks.output_costs [DATASET]`.

The pages of one conversion to Parquet are compressed, hashed and written again, in other ways than the program does.
Each way is timed in one thread, in user and system seconds, the least of some rounds; the share is of the CPU seconds
of the whole conversion with one worker. Ways to compress need the package `zstandard`, and are left out without it.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import importlib
import mmap
import os
import resource
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa

from benchmarks.contenders import DDB_CONVERT, Job
from benchmarks.data import WORK, DataParameters, prepare_export
from benchmarks.datasets import DATASETS
from benchmarks.measure import run_once
from converter.api import convert
from converter.options import ConvertOptions

_BUFFER_BYTES = 1 << 20
_LARGE = 4 << 20
_SECTOR = 4096
_SYNC_WRITE = 2

Way = Callable[[], int]
"""One way to do the work; return the number of bytes that come of it."""


def collect_pages(source: Path) -> list[bytes]:
    """The pages of a conversion before they are compressed."""
    pages: list[bytes] = []
    codec = pa.Codec("zstd", 1)

    class Recorder:
        def __init__(self, *_: object) -> None: ...

        def compress(self, data: Any, *, asbytes: bool) -> Any:
            pages.append(bytes(data))
            return codec.compress(data, asbytes=asbytes)

    with tempfile.TemporaryDirectory() as out, patch.object(pa, "Codec", Recorder):
        convert(str(source), out, ConvertOptions(workers=1))
    return pages


def ways_to_compress(pages: Sequence[bytes]) -> dict[str, Way]:
    """zstd as it is used, then with other tables, windows and levels."""

    def compress(encoder: Callable[[bytes], bytes]) -> Way:
        return lambda: sum(len(encoder(page)) for page in pages)

    ours = pa.Codec("zstd", 1)
    ways = {"zstd level 1 (as it is)": compress(lambda page: ours.compress(page, asbytes=True))}
    try:
        zstandard: Any = importlib.import_module("zstandard")
    except ImportError:
        return ways
    settings: list[tuple[str, int, dict[str, int]]] = [
        ("the same with a context that is kept", 1, {}),
        *((f"hash table of 2^{log} entries", 1, {"hash_log": log}) for log in (12, 13, 15)),
        ("window of 2^18 bytes", 1, {"window_log": 18}),
        ("hash table 2^13, window 2^18", 1, {"hash_log": 13, "window_log": 18}),
        ("matches of 6 bytes", 1, {"min_match": 6}),
        ("level -1", -1, {}),
    ]
    for name, level, members in settings:
        parameters = zstandard.ZstdCompressionParameters.from_level(level, **members)
        ways[f"zstd: {name}"] = compress(zstandard.ZstdCompressor(compression_params=parameters).compress)
    return ways


def ways_to_hash(pieces: Sequence[bytes]) -> dict[str, Way]:
    """SHA-256, which the record has, and other digests and checksums."""

    def hash_with(name: str) -> Way:
        def run() -> int:
            digest = hashlib.new(name, usedforsecurity=False)
            for piece in pieces:
                digest.update(piece)
            return digest.digest_size

        return run

    def crc() -> int:
        value = 0
        for piece in pieces:
            value = zlib.crc32(piece, value)
        return 4

    names = ("sha256", "sha1", "blake2b", "md5")
    return {f"{name}{' (as it is)' * (name == 'sha256')}": hash_with(name) for name in names} | {"crc32": crc}


def ways_to_write(pieces: Sequence[bytes], path: Path) -> dict[str, Way]:
    """Buffered writes, as they are, and others. All end with fsync."""
    size = sum(map(len, pieces))
    libc = ctypes.CDLL(None, use_errno=True)

    def write(before: Callable[[int], None] = lambda _: None, after: Callable[[int, int], None] | None = None) -> int:
        with path.open("wb", buffering=_BUFFER_BYTES) as file:
            before(file.fileno())
            for piece in pieces:
                begin = file.tell()
                file.write(piece)
                if after:
                    after(file.fileno(), begin)
            file.flush()
            os.fsync(file.fileno())
        return size

    def write_large() -> int:
        with path.open("wb", buffering=_LARGE) as file:
            for piece in pieces:
                for begin in range(0, len(piece), 64 << 10):
                    file.write(piece[begin : begin + (64 << 10)])
            file.flush()
            os.fsync(file.fileno())
        return size

    def write_direct() -> int:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_DIRECT)
        with mmap.mmap(-1, _LARGE + size % _LARGE + _SECTOR) as memory:
            filled = 0
            for piece in pieces:
                rest = memoryview(piece)
                while rest:
                    taken = rest[: _LARGE - filled]
                    memory[filled : filled + len(taken)] = taken
                    filled, rest = filled + len(taken), rest[len(taken) :]
                    if filled == _LARGE:
                        with memoryview(memory) as view:
                            os.write(descriptor, view[:_LARGE])
                        filled = 0
            with memoryview(memory) as view:
                os.write(descriptor, view[: -(-filled // _SECTOR) * _SECTOR])
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)
        os.close(descriptor)
        return size

    def start_writeback(descriptor: int, begin: int) -> None:
        libc.sync_file_range(descriptor, ctypes.c_int64(begin), ctypes.c_int64(0), _SYNC_WRITE)

    def forget(descriptor: int, begin: int) -> None:
        os.posix_fadvise(descriptor, 0, begin, os.POSIX_FADV_DONTNEED)

    return {
        "write (as it is)": write,
        "write, preallocated": lambda: write(lambda descriptor: os.posix_fallocate(descriptor, 0, size)),
        "write, 4 MiB at once": write_large,
        "write, sync_file_range": lambda: write(after=start_writeback),
        "write, posix_fadvise(DONTNEED)": lambda: write(after=forget),
        "O_DIRECT, 4 MiB at once": write_direct,
    }


def time_ways(ways: Mapping[str, Way], rounds: int) -> dict[str, tuple[float, int]]:
    """The least CPU seconds of each way, and the bytes of its result. The ways take turns."""
    least = dict.fromkeys(ways, float("inf"))
    sizes = dict.fromkeys(ways, 0)
    for _ in range(rounds):
        for name, way in ways.items():
            begin = _cpu_seconds()
            sizes[name] = way()
            least[name] = min(least[name], _cpu_seconds() - begin)
    return {name: (least[name], sizes[name]) for name in ways}


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_THREAD)
    return used.ru_utime + used.ru_stime


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table of each group of ways."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.output_costs", description=main.__doc__)
    parser.add_argument("dataset", choices=DATASETS, nargs="?", default="flat")
    parser.add_argument("--json-bytes", type=float, default=4e8, help="bytes of all lines before compression (4e8)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", type=Path, default=WORK, help="folder for data and outputs")
    options = parser.parse_args(arguments)
    parameters = DataParameters(dataset=options.dataset, json_bytes=int(options.json_bytes))
    export = prepare_export(parameters, options.work)
    with tempfile.TemporaryDirectory(dir=options.work) as scratch:
        job = Job(export.folder, "parquet", 1)
        runs = [run_once(DDB_CONVERT, job, Path(scratch) / f"out-{i}") for i in range(options.rounds)]
        whole = min(run.cpu_seconds for run in runs)
        pages = collect_pages(export.folder)
        codec = pa.Codec("zstd", 1)
        pieces = [codec.compress(page, asbytes=True) for page in pages]
        print(f"{options.dataset}: {whole:.2f} CPU s for the whole conversion, {len(pages)} pages\n")
        for ways in (ways_to_compress(pages), ways_to_hash(pieces), ways_to_write(pieces, Path(scratch) / "part")):
            print("| | CPU s | of the whole | MB |\n|---|---:|---:|---:|")
            for name, (seconds, size) in time_ways(ways, options.rounds).items():
                print(f"| {name} | {seconds:.3f} | {100 * seconds / whole:.1f}% | {size / 1e6:,.1f} |")
            print()


if __name__ == "__main__":
    main()
