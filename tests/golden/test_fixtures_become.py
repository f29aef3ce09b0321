"""Each export in fixtures/ becomes exactly what lies beside it, and a second run changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from converter import convert
from converter.option_values import Format
from converter.options import ConvertOptions
from converter.publishing.report import Report
from fixtures.expect import HERE, export_folder, read_expected
from tests.oracle import assert_equal_to_table

CASES = sorted(HERE.glob("*/expected*.parquet.json"))
NAMES = [f"{case.parent.name}-{case.name.removesuffix('.parquet.json')}" for case in CASES]


def convert_case(case: Path, format: Format, dest: Path) -> Report:
    """Convert the export beside the expectation with its options."""
    options: dict[str, Any] = dict(read_expected(case)[0])
    for name in ("key", "select", "exclude"):
        options[name] = tuple(options.get(name, ()))
    return convert(str(export_folder(case.parent.name)), str(dest), ConvertOptions(format=format, **options))


def every_file(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of each file below the folder."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_fixture_says_what_it_becomes_in_both_formats() -> None:
    exports = {path.relative_to(HERE).parts[0] for path in HERE.rglob("manifest-summary.json")}
    assert {case.parent.name for case in CASES} == exports
    tables = {case.with_name(case.name.replace(".parquet.json", ".csv")) for case in CASES}
    assert tables == set(HERE.glob("*/expected*.csv"))


@pytest.mark.parametrize("case", CASES, ids=NAMES)
@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_a_fixture_becomes_the_table_beside_it(case: Path, format: Format, tmp_path: Path) -> None:
    report = convert_case(case, format, tmp_path / "out")
    _, table = read_expected(case)
    assert_equal_to_table(table, [tmp_path / "out" / part.path for part in report.parts], format)
    assert [(column.name, column.attribute, column.type) for column in report.columns] == [
        (column.name, column.attribute, column.type.partition("[")[0]) for column in table.columns
    ]
    assert report.items == len(table.rows)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_fixture_becomes_the_csv_beside_it_byte_for_byte(case: Path, tmp_path: Path) -> None:
    report = convert_case(case, "csv", tmp_path / "out")
    [part] = report.parts
    assert (tmp_path / "out" / part.path).read_bytes() == case.with_name(
        case.name.replace(".parquet.json", ".csv")
    ).read_bytes()


@pytest.mark.parametrize("case", CASES, ids=NAMES)
@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_a_second_run_publishes_nothing_and_touches_nothing(case: Path, format: Format, tmp_path: Path) -> None:
    first = convert_case(case, format, tmp_path / "out")
    before = every_file(tmp_path / "out")
    second = convert_case(case, format, tmp_path / "out")
    assert (first.status, second.status) == ("published", "unchanged")
    assert (second.parts, second.columns, second.items) == (first.parts, first.columns, first.items)
    assert every_file(tmp_path / "out") == before
