"""Exports of a shape that a test asks for, and the parts that a report names."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from converter.publishing.report import Report
from converter.testing import ExportFacts, ExportPaths, write_split_export

MIB = 1 << 20


def written_parts(dest: str | Path, report: Report) -> list[Path]:
    """The parts of a report, in its order."""
    return [Path(dest) / part.path for part in report.parts]


def line(**attributes: str) -> bytes:
    """A line whose attributes are given as typed JSON: line(id='{"S":"a"}')."""
    members = ",".join(f'"{name}":{value}' for name, value in attributes.items())
    return f'{{"Item":{{{members}}}}}'.encode()


def incompressible_lines(count: int, *, start: int = 0) -> Iterator[bytes]:
    """Lines of about 1.1 KB that hardly compress, so that many of them are several reads of a data file."""
    for number in range(start, start + count):
        text = hashlib.shake_128(str(number).encode()).hexdigest(500)
        yield line(id=f'{{"S":"i{number:07}"}}', n=f'{{"N":"{number}"}}', text=f'{{"S":"{text}"}}')


def small_lines(count: int, *, start: int = 0) -> Iterator[bytes]:
    """Lines of about 60 bytes."""
    for number in range(start, start + count):
        yield line(id=f'{{"S":"i{number:07}"}}', n=f'{{"N":"{number % 997}"}}')


def export_of(bucket: Path, *data_files: Iterable[bytes], facts: ExportFacts | None = None) -> ExportPaths:
    """An export with exactly these data files."""
    return write_split_export(bucket, data_files, facts=facts or ExportFacts())


def sha256_of(paths: Iterable[Path]) -> list[str]:
    """Of each file's bytes."""
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


def inflated_bytes(path: Path) -> int:
    """The size of a data file's lines."""
    return len(gzip.decompress(path.read_bytes()))
