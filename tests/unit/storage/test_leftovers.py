"""By which names an upload is taken for a part: those that conversions give, and hardly any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from converter import ConvertOptions, convert
from converter.storage.leftovers import looks_like_part
from converter.testing import write_export

EXPORT = "01701065507109-cce6a3f8"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"format": "csv"},
        {"format": "csv", "compression": "gzip"},
        {"format": "csv,parquet"},
        {"layout": ""},
        {"layout": "{table}/a b/dt={date}"},
    ],
)
def test_whatever_a_conversion_makes_is_named_like_a_part(options: dict[str, Any], tmp_path: Path) -> None:
    export = write_export(tmp_path / "export", [{"id": "a", "n": 1}])
    report = convert(export.folder, tmp_path / "out", ConvertOptions(**options))
    assert report.parts
    for part in report.parts:
        assert looks_like_part(part.path), part.path


@pytest.mark.parametrize("name", ["99999-9999.csv", "100000-0000.csv.gz", "00000-12345.parquet"])
def test_an_export_may_have_many_parts(name: str) -> None:
    assert looks_like_part(f"dt=1/{EXPORT}/{name}")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "00000-0000.parquet",
        f"{EXPORT}/0000-0000.parquet",
        f"{EXPORT}/00000.parquet",
        f"{EXPORT}/00000-0000.parquet.pending",
        f"{EXPORT}/00000-0000.parquet\n",
        f"{EXPORT}/00000-0000.parquet.gz",
        f"{EXPORT}/part-00000-0000.parquet",
        f"{EXPORT}/x/00000-0000.parquet",
        f"{EXPORT}x/00000-0000.parquet",
        f"x{EXPORT}/00000-0000.parquet",
        f"{EXPORT.upper()}/00000-0000.parquet",
        f"{EXPORT}/٠٠٠٠٠-0000.parquet",
        "dt=2023-11-27/00000-0000.parquet",
    ],
)
def test_other_names_are_others(path: str) -> None:
    assert not looks_like_part(path)
