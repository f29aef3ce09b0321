"""Exports in ION beside the same in DynamoDB JSON: the same rows, whoever reads them."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import converter
from converter.options import ConvertOptions, OneFormat
from converter.publishing.report import Report
from converter.testing import (
    Change,
    ExportFacts,
    ExportPaths,
    OutputFormat,
    WindowFacts,
    write_export,
    write_incremental_export,
)
from tests import oracle
from tests.end_to_end.ends import Ends
from tests.end_to_end.exports import sha256_of, written_parts
from tests.oracle_ion import read_ion_items
from tests.servers.s3 import S3Server

COUNT = 1_500


def items() -> list[dict[str, Any]]:
    """Several blocks of long items, all types, and an attribute that comes late and then of two types."""
    made: list[dict[str, Any]] = []
    for n in range(COUNT):
        text = hashlib.sha256(str(n).encode()).hexdigest()
        item: dict[str, Any] = {
            "id": f"i{n:06}",
            "price": Decimal(n * 37 % 9973) / 100,
            "count": n * 100,
            "text": f"{text}\n“{n}” \\ it's: {{{text * 16}",
            "blob": text.encode()[: n % 9],
            "open": n % 2 == 0,
            "none": None,
            "tags": {text[:2], text[2:4]},
            "a b": {"M": {"x y": {"L": [{"N": str(n)}, {"NULL": True}, {"NS": ["1", "600"]}]}}},
        }
        if n > COUNT * 2 // 3:
            item["late"] = n if n % 3 else text
        made.append(item)
    return made


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ExportPaths]:
    """The same table in both, one large file and a few small ones."""
    folder = tmp_path_factory.mktemp("buckets")
    all_items = items()
    return {
        "ION": write_export(folder / "ion", all_items, files=3, empty_files=1, facts=ExportFacts(output_format="ION")),
        "DYNAMODB_JSON": write_export(folder / "json", all_items, files=3, empty_files=1),
    }


@pytest.fixture(scope="module")
def ion_items(exports: dict[str, ExportPaths]) -> list[dict[str, Any]]:
    """The items of the one in ION, as another reader finds them."""
    return list(read_ion_items(exports["ION"].folder))


def convert(export: ExportPaths, dest: Path, **options: Any) -> Report:
    return converter.convert(export.folder, dest, ConvertOptions(**options))


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_an_export_in_ion_has_the_rows_and_columns_of_its_twin_in_dynamodb_json(
    exports: dict[str, ExportPaths], ion_items: list[dict[str, Any]], format: OneFormat, tmp_path: Path
) -> None:
    options = {"format": format, "key": ("id",), "mixed": "json", "workers": 2}
    ion = convert(exports["ION"], tmp_path / "ion", **options)
    twin = convert(exports["DYNAMODB_JSON"], tmp_path / "json", **options)
    assert (ion.columns, ion.items, ion.bytes_json) == (twin.columns, COUNT, twin.bytes_json)
    read = oracle.read_parquet_rows if format == "parquet" else oracle.read_csv_rows
    assert read(written_parts(tmp_path / "ion", ion)) == read(written_parts(tmp_path / "json", twin))
    table = oracle.expected_table_of(ion_items, key=("id",), mixed="json")
    oracle.assert_equal_to_table(table, written_parts(tmp_path / "ion", ion), format)


def test_the_parts_do_not_depend_on_the_number_of_workers(exports: dict[str, ExportPaths], tmp_path: Path) -> None:
    digests = []
    for workers in (1, 3):
        dest = tmp_path / str(workers)
        report = convert(exports["ION"], dest, workers=workers, format="csv", part_size=200_000)
        digests.append([(part.path, part.rows, part.sha256) for part in report.parts])
        assert sha256_of(written_parts(dest, report)) == [part.sha256 for part in report.parts]
    assert len(digests[0]) > 1
    assert digests[0] == digests[1]


def test_inspecting_an_export_in_ion_sees_what_it_sees_in_its_twin(exports: dict[str, ExportPaths]) -> None:
    ion, twin = (converter.inspect(exports[name].folder) for name in ("ION", "DYNAMODB_JSON"))
    assert (ion.output_format, ion.items_seen) == ("ION", COUNT)
    assert ion.attributes == twin.attributes
    assert ion.columns == twin.columns


def test_a_dry_run_of_an_export_in_ion_counts_its_items(exports: dict[str, ExportPaths], tmp_path: Path) -> None:
    report = convert(exports["ION"], tmp_path / "out", dry_run=True)
    assert (report.status, report.items) == ("planned", COUNT)


def test_an_export_in_ion_is_read_from_s3(
    s3: S3Server,
    exports: dict[str, ExportPaths],
    ion_items: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    s3.use(monkeypatch)
    ends = Ends(s3, "s3", "s3", tmp_path)
    report = converter.convert(ends.place_source(exports["ION"].folder), ends.dest, ConvertOptions(workers=2))
    table = oracle.expected_table_of(ion_items)
    oracle.assert_equal_to_table(table, ends.parts(report), "parquet")
    ends.assert_only(report)


def test_files_stay_open_no_longer_than_they_are_needed(exports: dict[str, ExportPaths], tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    convert(exports["ION"], tmp_path / "out")
    after = len(os.listdir("/proc/self/fd")) if before else 0
    assert after <= before


def changes() -> list[Change]:
    """Inserts, updates and deletes; the keys are not in the order of their names."""
    made = []
    for n in range(900):
        keys: dict[str, Any] = {"sort": n % 7, "id": f"i{n:04}"}
        old = {**keys, "price": Decimal(n) / 4, "tags": {"a", "b"}}
        new = {**keys, "price": Decimal(n * 100), "note": "it's\nnew"}
        written = WindowFacts().from_time + timedelta(microseconds=n + 1)
        made.append(
            Change(keys=keys, old=old if n % 3 else None, new=new if n % 3 != 1 else None, written=written),
        )
    return made


@pytest.mark.parametrize("old_image", [False, True])
def test_changes_in_ion_become_what_those_in_dynamodb_json_become(old_image: bool, tmp_path: Path) -> None:
    reports, rows = [], []
    formats: tuple[OutputFormat, ...] = ("ION", "DYNAMODB_JSON")
    for output_format in formats:
        facts = WindowFacts(output_format=output_format)
        export = write_incremental_export(tmp_path / output_format, changes(), files=3, facts=facts)
        dest = tmp_path / f"out-{output_format}"
        reports.append(convert(export, dest, old_image=old_image))
        rows.append(oracle.read_parquet_rows(written_parts(dest, reports[-1])))
        assert converter.inspect(export.folder).items_seen == 900
    assert reports[0].kind == "changes"
    assert reports[0].columns == reports[1].columns
    assert rows[0] == rows[1]
