"""A destination of an earlier version, which had no index: its records are read as they are, and later days follow.

`version_2/orders` has two days, with records of version 2.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

import converter
from converter.errors import UsageError
from converter.publishing.destination_records import read_records
from converter.storage import open_destination
from converter.storage.paths import INDEX
from converter.testing import ExportFacts, ExportPaths, write_export

PRICES = {1: "1.5", 2: "12.25", 3: "0.5"}


@pytest.fixture
def dest(tmp_path: Path) -> Path:
    shutil.copytree(Path(__file__).parent / "version_2" / "orders", tmp_path / "out")
    return tmp_path / "out"


def export_of(day: int, folder: Path) -> ExportPaths:
    """The export that the day was converted from."""
    facts = ExportFacts(export_time=datetime(2024, 3, day, 12, tzinfo=UTC))
    return write_export(folder, [{"id": {"S": str(day)}, "price": {"N": PRICES[day]}}], facts=facts)


def test_a_day_of_an_earlier_version_is_there_and_is_not_published_again(dest: Path, tmp_path: Path) -> None:
    assert converter.convert(export_of(1, tmp_path).folder, dest).status == "unchanged"
    assert not (dest / INDEX).exists()


def test_a_day_with_other_encodings_is_published_again_only_on_request(dest: Path, tmp_path: Path) -> None:
    export = export_of(1, tmp_path).folder
    with pytest.raises(UsageError, match="--encoding: compact → compatible"):
        converter.convert(export, dest, converter.ConvertOptions(encoding="compatible"))
    options = converter.ConvertOptions(encoding="compatible", replace=True)
    assert converter.convert(export, dest, options).status == "published"
    assert converter.convert(export, dest).status == "unchanged"
    assert len(converter.scan(dest).collect()) == 2


def test_days_after_those_of_an_earlier_version_are_read_with_them(dest: Path, tmp_path: Path) -> None:
    assert converter.convert(export_of(3, tmp_path).folder, dest).status == "published"
    assert (dest / INDEX).exists()
    records = read_records(open_destination(str(dest)))
    assert [(entry.sequence, entry.date) for entry in records.entries] == [
        (1, "2024-03-01"),
        (2, "2024-03-02"),
        (3, "2024-03-03"),
    ]
    rows = converter.scan(dest).collect().sort("id")
    assert [format(price.normalize(), "f") for price in rows["price"]] == list(PRICES.values())


def test_a_program_that_does_not_know_the_index_sees_records_only(dest: Path, tmp_path: Path) -> None:
    converter.convert(export_of(3, tmp_path).folder, dest)
    # As earlier versions find records.
    names = [path.name for path in (dest / "_exports").iterdir()]
    records = [name for name in names if name.endswith(".json") and not name.startswith(".")]
    assert len(records) == 3
