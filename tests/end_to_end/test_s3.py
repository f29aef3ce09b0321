"""The main job with S3 on either side and on both: exactly what the oracle says, and nothing beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter import convert
from converter.errors import ConvertError
from converter.option_values import Format
from converter.options import ConvertOptions
from converter.publishing.report import Report
from converter.testing import write_export
from fixtures.expect import HERE, export_folder, read_expected
from tests import strategies
from tests.end_to_end.ends import Ends
from tests.end_to_end.exports import MIB, export_of, incompressible_lines, line, small_lines
from tests.end_to_end.test_surprises import LAST_LINES
from tests.examples import examples
from tests.oracle import assert_equal_to_oracle, assert_equal_to_table
from tests.servers.s3 import S3Server

SERVERS = ("ministack", "swift")
ENDS = (("s3", "s3"), ("s3", "local"), ("local", "s3"))
# Those of items: the data files of changes lie beside the export's folder, and are read in S3 by other tests.
GOLDEN = sorted(
    case for case in HERE.glob("*/expected*.parquet.json") if (export_folder(case.parent.name) / "data").is_dir()
)
REAL = ("unicorn-activities/AWSDynamoDB/01716790307109-5f9d6aaa", "all-ten-types/AWSDynamoDB/01715685260608-c488b4e1")


def spread(things: Sequence[Any], quick: int = 3) -> list[Any]:
    """Each thing with one pair of ends, in turn; the first one with all pairs, and on the second server too.

    All are slow but those of the first `quick` things on the first server, each with other ends.
    """
    cases = []
    for (number, thing), server, ends in product(enumerate(things), SERVERS, ENDS):
        is_its_turn = server == SERVERS[0] and ends == ENDS[number % len(ENDS)]
        if not is_its_turn and number > 0:
            continue
        is_quick = is_its_turn and number < quick
        marks = [] if is_quick else [pytest.mark.slow]
        name = f"{'-to-'.join(ends)}-{server}-{getattr(thing, 'name', thing)}"
        cases.append(pytest.param((server, *ends), thing, marks=marks, id=name))
    return cases


@pytest.fixture
def ends(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ends:
    name, source_end, dest_end = request.param
    server: S3Server = request.getfixturevalue(name)
    server.use(monkeypatch)
    (tmp_path / "ends").mkdir()
    return Ends(server, source_end, dest_end, tmp_path / "ends")


def check(ends: Ends, export: Path, options: ConvertOptions) -> Report:
    """What the oracle says, as on this machine alone, once; a second run changes nothing."""
    source = ends.place_source(export)
    report = convert(source, ends.dest, options)
    for format in report.format.split(","):
        assert_equal_to_oracle(export, ends.parts(report, format), format)
    ends.assert_only(report)
    local = convert(export, ends.scratch / "local", options)
    assert (report.parts, report.columns, report.passes) == (local.parts, local.columns, local.passes)
    assert (report.bytes_in, report.bytes_read, report.items) == (local.bytes_in, local.bytes_read, local.items)
    check_unchanged(ends, source, options, report)
    return report


def check_unchanged(ends: Ends, source: str, options: ConvertOptions, first: Report) -> None:
    before = (ends.files(), ends.times())
    second = convert(source, ends.dest, options)
    assert (first.status, second.status, second.parts) == ("published", "unchanged", first.parts)
    assert (ends.files(), ends.times()) == before
    ends.assert_only(first)


@pytest.mark.parametrize(("ends", "case"), spread(GOLDEN), indirect=["ends"])
def test_a_fixture_becomes_the_tables_beside_it(ends: Ends, case: Path) -> None:
    options, table = read_expected(case)
    given: dict[str, Any] = dict(options)
    for name in ("key", "select", "exclude"):
        given[name] = tuple(given.get(name, ()))
    source = ends.place_source(export_folder(case.parent.name))
    report = convert(source, ends.dest, ConvertOptions(format="csv,parquet", **given))
    for format in ("csv", "parquet"):
        assert_equal_to_table(table, ends.parts(report, format), format)
    ends.assert_only(report)


@pytest.mark.parametrize(("ends", "format"), spread(["csv,parquet", "parquet", "csv"]), indirect=["ends"])
def test_an_export_of_many_files_is_as_the_oracle_says_and_as_in_folders(
    ends: Ends, format: Format, tmp_path: Path
) -> None:
    # Some are fetched whole before their turn, of the largest only the beginning.
    sizes = [3, 1000, 0, 17, 1100, 1, 40, 5, 1, 1, 1, 2, 1, 1, 1, 1, 60, 1]
    files = [incompressible_lines(size, start=number * 3000) for number, size in enumerate(sizes)]
    export = export_of(tmp_path, *files)
    assert sum(path.stat().st_size > MIB // 2 for path in export.data_files) == 2
    report = check(ends, export.folder, ConvertOptions(format=format, workers=2))
    assert report.items == sum(sizes)


@pytest.mark.parametrize(("ends", "surprise"), spread(list(LAST_LINES), quick=1), indirect=["ends"])
def test_what_first_appears_in_the_very_last_line_is_in_the_output(ends: Ends, surprise: str, tmp_path: Path) -> None:
    last, column, type_ = LAST_LINES[surprise]
    # Each file has more than one block; only first ones are looked at beforehand.
    export = export_of(tmp_path, incompressible_lines(1200), [*incompressible_lines(1200, start=1200), last])
    report = check(ends, export.folder, ConvertOptions(format="csv,parquet"))
    assert {c.name: c.type for c in report.columns}[column] == type_
    assert report.passes == 2


@pytest.mark.parametrize(("ends", "format"), spread(["parquet", "csv"], quick=0), indirect=["ends"])
def test_a_part_of_many_pieces_is_whole(ends: Ends, format: Format, tmp_path: Path) -> None:
    export = export_of(tmp_path, incompressible_lines(12_000), incompressible_lines(12_000, start=12_000))
    report = check(ends, export.folder, ConvertOptions(format=format, compression="none", workers=2))
    assert max(part.bytes for part in report.parts) > 11 * MIB


@pytest.mark.parametrize(("ends", "format"), spread(["csv,parquet"], quick=1), indirect=["ends"])
def test_replace_leaves_what_it_published_and_nothing_else(ends: Ends, format: Format, tmp_path: Path) -> None:
    export = export_of(tmp_path, small_lines(50), small_lines(50, start=50), [line(id='{"S":"a"}')])
    source = ends.place_source(export.folder)
    convert(source, ends.dest)
    options = ConvertOptions(format=format, key=("n",), replace=True)
    report = convert(source, ends.dest, options)
    assert (report.status, report.columns[0].name) == ("published", "n")
    for each in format.split(","):
        assert_equal_to_oracle(export.folder, ends.parts(report, each), each, key=["n"])
    ends.assert_only(report)
    check_unchanged(ends, source, replace(options, replace=False), report)


@pytest.mark.parametrize(("ends", "files"), spread([[], [[]], [[b"{}", b""]]], quick=1), indirect=["ends"])
def test_an_export_without_items_is_a_record(ends: Ends, files: list[list[bytes]], tmp_path: Path) -> None:
    source = ends.place_source(export_of(tmp_path, *files).folder)
    report = convert(source, ends.dest)
    assert (report.status, report.items, report.parts) == ("published", 0, ())
    ends.assert_only(report)
    check_unchanged(ends, source, ConvertOptions(), report)


@pytest.mark.slow
@pytest.mark.parametrize("server", SERVERS)
def test_any_items_are_as_the_oracle_says(
    server: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    s3: S3Server = request.getfixturevalue(server)
    s3.use(monkeypatch)

    @settings(max_examples=examples(15))
    @given(strategies.item_lists(), st.sampled_from(["parquet", "csv", "csv,parquet"]))
    def check_items(items: list[strategies.Item], format: Format) -> None:
        folder = tmp_path_factory.mktemp("any")
        export = write_export(folder / "bucket", items, files=3)
        ends, options = Ends(s3, "s3", "s3", folder), ConvertOptions(format=format, workers=2)
        try:
            convert(export.folder, folder / "tried", options)
        except ConvertError as error:
            with pytest.raises(type(error), match=re.escape(error.what)):
                convert(ends.place_source(export.folder), ends.dest, options)
            assert ends.files() == {}
        else:
            check(ends, export.folder, options)

    check_items()


@pytest.mark.slow
@pytest.mark.parametrize(("ends", "name"), spread(REAL, quick=0), indirect=["ends"])
def test_a_real_export_is_as_the_oracle_says(ends: Ends, name: str, sample_exports: Path) -> None:
    report = check(ends, sample_exports / name, ConvertOptions(format="csv,parquet"))
    assert report.passes == 1
