"""Writes the recipes that the golden test compares with: `python -m tests.golden.make_recipes`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from converter import convert, recipe
from converter.options import Consumer, ConvertOptions
from converter.testing import ExportFacts, write_export

HERE = Path(__file__).parent / "recipes"
LOCATION = "s3://lake/shop/orders"

# By the name of the folder: the consumer, the options of the conversions, and those of the recipe.
CASES: dict[str, tuple[Consumer, dict[str, Any], dict[str, Any]]] = {
    "treasure-data": ("treasure-data", {"format": "csv"}, {"location": LOCATION}),
    "treasure-data-gzip-time": (
        "treasure-data",
        {"format": "csv", "compression": "gzip", "timezone": "Asia/Tokyo", "layout": "t={table}/{date}"},
        {"location": f"{LOCATION}/", "database": "shop", "table": "orders_daily"},
    ),
    "athena-parquet": ("athena", {}, {"location": LOCATION, "database": "lake"}),
    "athena-csv": (
        "athena",
        {"format": "csv", "timezone": "Asia/Tokyo", "layout": "{date}/{table}"},
        {"location": LOCATION, "table": "orders_csv"},
    ),
    **{
        f"{consumer}-{format}": (consumer, {"format": format}, {"location": "out"})
        for consumer in ("duckdb", "polars", "spark")
        for format in ("parquet", "csv")
    },
}


def make_case(name: str, folder: Path) -> dict[str, str]:
    """The files of a case, of a destination `out` with two days that is made in the folder."""
    consumer, convert_options, recipe_options = CASES[name]
    with chdir(folder):
        for export in _exports("time" in name):
            convert(export, "out", ConvertOptions(key=("id",), cast=(("day", "date"),), **convert_options))
        return dict(recipe(consumer, "out", **recipe_options).files)


def _exports(with_time: bool) -> Iterator[Path]:
    item: dict[str, object] = {
        "id": "a",
        "active": True,
        "data": b"\x00",
        "day": "2023-12-31",
        "lines": {"L": [{"N": "1.5"}]},
        "price": {"N": "12.50"},
        "quantity": 3,
    }
    if with_time:
        item["time"] = 1704067200
    for day, late in enumerate(({}, {"was_new": "x"}), 1):
        facts = ExportFacts(export_time=datetime(2024, 1, day, 12, tzinfo=UTC), table="Orders")
        yield write_export(f"export{day}", [{**item, **late}], facts=facts).folder


def main() -> None:
    """Write every case."""
    for name in CASES:
        with TemporaryDirectory() as scratch:
            for file, text in make_case(name, Path(scratch)).items():
                path = HERE / name / file
                os.makedirs(path.parent, exist_ok=True)
                path.write_bytes(text.encode())


if __name__ == "__main__":
    main()
