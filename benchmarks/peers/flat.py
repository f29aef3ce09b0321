"""Common parts of the programs for the `flat` data set: its columns and the command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

# Attribute, tag, type: in the order of the output.
COLUMNS = (
    ("active", "BOOL", "bool"),
    ("created_at", "S", "text"),
    ("deleted_at", "S", "text"),
    ("email", "S", "text"),
    ("note", "S", "text"),
    ("pk", "S", "text"),
    ("price", "N", "decimal2"),
    ("quantity", "N", "int64"),
    ("score", "N", "decimal18"),
    ("status", "S", "text"),
    ("user_id", "N", "int64"),
)
SCALES = {"decimal2": 2, "decimal18": 18}


def make_parser(about: str | None) -> argparse.ArgumentParser:
    """SRC OUT FORMAT --threads N."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("source", type=Path, metavar="SRC")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("format", choices=("parquet", "csv"))
    parser.add_argument("--threads", type=int, default=2)
    return parser


def parse_arguments(about: str | None, arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line; OUT is there after it."""
    options = make_parser(about).parse_args(arguments)
    options.out.mkdir(parents=True)
    return options


def data_files(source: Path) -> list[Path]:
    """The export's data files."""
    return sorted(source.glob("data/*.json.gz"))
