"""Contenders: command lines with placeholders, so that every program can take part."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.stores import Store

ROOT = Path(__file__).parent.parent
ANSWER = "answer.csv"
"""The file in which a query writes its answer."""


@dataclass(frozen=True, slots=True)
class Contender:
    """A program and its command line.

    argv: its placeholders are {python}, {source}, {out}, {format}, {workers}, and {prepared} (a folder for `prepare`);
    it runs in the root of the repository.
    env: added to the environment; the same placeholders.
    packages: the distributions whose versions belong beside its figures, and without which it is left out.
    needs: the programs without which it is left out.
    prepare: run once for each export before anything is timed; the same placeholders except {out}.
    columns: its output has the typed columns that every contender's has; False for a program that does less.
    slow: so slow that it is measured on a smaller export, with its start-up beside it.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    prepare: tuple[str, ...] = ()
    columns: bool = True
    slow: bool = False

    def missing(self) -> str:
        """Return what is missing to run the contender, or an empty text."""
        for package in self.packages:
            try:
                version(package)
            except PackageNotFoundError:
                return f"the package {package}"
        return next((f"the program {program}" for program in self.needs if not shutil.which(program)), "")


@dataclass(frozen=True, slots=True)
class Job:
    """Values of the placeholders. store: the store of {source} and {out}."""

    source: Path
    fmt: str
    workers: int
    prepared: Path = Path()
    store: Store = field(default_factory=Store)

    def fill(self, words: tuple[str, ...], out: Path = Path()) -> list[str]:
        """The words with their blanks filled."""
        blanks = {
            "python": sys.executable,
            "source": self.store.source(self.source),
            "out": self.store.out(out),
            "format": self.fmt,
            "workers": self.workers,
            "prepared": self.prepared.resolve(),
        }
        return [word.format_map(blanks) for word in words]


DDB_CONVERT = Contender(
    "ddb-convert",
    ("{python}", "cli.py", "convert", "{source}", "{out}", "--format", "{format}", "--workers", "{workers}"),
    packages=("numba", "pyarrow", "isal"),
)
DUCKDB_FLAT = Contender(
    "DuckDB",
    ("{python}", "-m", "benchmarks.peers.duckdb_flat", "{source}", "{out}", "{format}", "--threads", "{workers}"),
    packages=("duckdb",),
)
DUCKDB_FLAT_COLUMNS = Contender("DuckDB (read_json)", (*DUCKDB_FLAT.argv, "--read", "columns"), packages=("duckdb",))
POLARS_FLAT = Contender(
    "Polars",
    ("{python}", "-m", "benchmarks.peers.polars_flat", "{source}", "{out}", "{format}"),
    env={"POLARS_MAX_THREADS": "{workers}"},
    packages=("polars",),
)
CHDB_FLAT = Contender(
    "chDB (ClickHouse)",
    ("{python}", "-m", "benchmarks.peers.chdb_flat", "{source}", "{out}", "{format}", "--threads", "{workers}"),
    packages=("chdb",),
)
PYARROW_FLAT = Contender(
    "pyarrow.json",
    ("{python}", "-m", "benchmarks.peers.pyarrow_flat", "{source}", "{out}", "{format}", "--threads", "{workers}"),
    packages=("pyarrow",),
)
SPARK_FLAT = Contender(
    "PySpark",
    ("{python}", "-m", "benchmarks.peers.spark_flat", "{source}", "{out}", "{format}", "--threads", "{workers}"),
    env={"PYSPARK_PYTHON": "{python}", "SPARK_LOCAL_IP": "127.0.0.1"},
    packages=("pyspark",),
    needs=("java",),
    slow=True,
)
BOTO3_FLAT = Contender(
    "boto3 + pyarrow",
    ("{python}", "-m", "benchmarks.peers.boto3_flat", "{source}", "{out}", "{format}", "--threads", "{workers}"),
    packages=("boto3", "pyarrow"),
    slow=True,
)
FLOOR = Contender(
    "floor",
    ("{python}", "-m", "benchmarks.floor", "{source}", "{out}", "--prepared", "{prepared}", "--threads", "{workers}"),
    packages=("pyarrow", "isal"),
    prepare=("{python}", "-m", "benchmarks.floor", "{source}", "{prepared}", "--prepare", "{format}"),
)
GZIP = Contender(
    "gzip -dc",
    # The data files of changes are next to the folder of the export.
    (
        "sh",
        "-c",
        'cd "$0" && if [ -d data ]; then cd data; else cd ../data; fi && exec gzip -dc *.json.gz',
        "{source}",
    ),
    needs=("gzip",),
    columns=False,
)

_QUERY = ("{out}", "{format}", "--threads", "{workers}", "--read")
QUERIES = (
    Contender(
        "query of the Parquet",
        ("{python}", "-m", "benchmarks.peers.duckdb_query", "{prepared}", *_QUERY, "parquet"),
        packages=("duckdb",),
        prepare=("{python}", "cli.py", "convert", "{source}", "{prepared}", "--quiet"),
        columns=False,
    ),
    *(
        Contender(
            f"query of the export, {name}",
            ("{python}", "-m", "benchmarks.peers.duckdb_query", "{source}", *_QUERY, how),
            packages=("duckdb",),
            columns=False,
        )
        for name, how in (("paths and types by hand", "typed"), ("structure inferred", "inferred"))
    ),
)


def duckdb_documents(dataset: str) -> Contender:
    """DuckDB with the scalars of this data set typed and all else left as the JSON that it is."""
    return Contender(
        "DuckDB",
        (
            *("{python}", "-m", "benchmarks.peers.duckdb_documents", "{source}", "{out}", "{format}"),
            *("--dataset", dataset, "--threads", "{workers}"),
        ),
        packages=("duckdb",),
    )


# By data set. The first is the one that the others' ratios are to.
PEERS: Mapping[str, tuple[Contender, ...]] = {
    "flat": (
        *(DUCKDB_FLAT, DUCKDB_FLAT_COLUMNS, POLARS_FLAT, CHDB_FLAT, PYARROW_FLAT, SPARK_FLAT, BOTO3_FLAT),
        *(FLOOR, GZIP),
    ),
    "changes": (GZIP,),
    **{
        dataset: (duckdb_documents(dataset), FLOOR, GZIP)
        for dataset in ("single", "lists", "dynamic-keys", "sparse", "large-items", "escapes", "cjk")
    },
}
