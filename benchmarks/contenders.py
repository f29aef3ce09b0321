"""Who is measured: a contender is a command line with blanks, so that anything that is a program can take part."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Contender:
    """One program and how it is told what to do.

    argv: its blanks are {python}, {source}, {out}, {format} and {workers}; it runs in the repository's root.
    env: added to our own environment.
    packages: the distributions whose versions belong beside its figures.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()

    def command(self, *, source: Path, out: Path, fmt: str, workers: int) -> list[str]:
        """Its command line for one conversion."""
        blanks = {"python": sys.executable, "source": source, "out": out, "format": fmt, "workers": workers}
        return [word.format_map(blanks) for word in self.argv]


OURS = Contender(
    "ddb-convert",
    ("{python}", "cli.py", "convert", "{source}", "{out}", "--format", "{format}", "--workers", "{workers}"),
    packages=("numba", "pyarrow", "isal"),
)
DUCKDB_FLAT = Contender(
    "DuckDB",
    ("{python}", "benchmarks/peers/duckdb_flat.py", "{source}", "{out}", "{format}", "--threads", "{workers}"),
    packages=("duckdb",),
)
DUCKDB_FLAT_COLUMNS = Contender("DuckDB (read_json)", (*DUCKDB_FLAT.argv, "--read", "columns"), packages=("duckdb",))

# By data set. The first is the one that the others' ratios are to.
PEERS: Mapping[str, tuple[Contender, ...]] = {"flat": (DUCKDB_FLAT, DUCKDB_FLAT_COLUMNS), "single": ()}
