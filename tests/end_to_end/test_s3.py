"""With S3 on either side or on both, conversions give what the oracle says, and leave nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import converter
from converter import ConvertOptions, convert
from converter.errors import ConvertError
from converter.options import Format
from converter.testing import write_export
from tests import oracle, strategies
from tests.cli.command import REPOSITORY
from tests.end_to_end.test_real_exports import ALL_TYPES, FORMATS, UNICORNS
from tests.end_to_end.test_surprises import LAST_LINES, three_shards
from tests.oracle import assert_equal_to_oracle
from tests.properties.test_conversion import ITEM_LISTS, expected, option_sets
from tests.servers.places import SIDES, Places, Sides, use_environment
from tests.servers.s3 import S3Server

ORDERS = next((REPOSITORY / "fixtures" / "orders" / "AWSDynamoDB").iterdir())


@pytest.fixture(params=SIDES)
def places(request: pytest.FixtureRequest, s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """Each pair of sides with S3, on each server."""
    use_environment(s3, monkeypatch)
    return Places(s3, request.param, tmp_path)


def check(places: Places, folder: Path, **options: Any) -> None:
    chosen = ConvertOptions(**options)
    report = convert(places.source(folder), places.dest(), chosen)
    assert_equal_to_oracle(folder, places.parts(report), chosen.format)


@pytest.mark.parametrize("format", FORMATS)
def test_a_small_export_becomes_what_the_oracle_says(places: Places, format: Format) -> None:
    check(places, ORDERS, format=format)


def test_a_second_run_changes_nothing_and_a_replacing_one_all(places: Places) -> None:
    source, dest = places.source(ORDERS), places.dest()
    first = convert(source, dest)
    before = places.listing()
    assert convert(source, dest).status == "unchanged"
    assert places.listing() == before
    replaced = convert(source, dest, ConvertOptions(format="csv,parquet", replace=True))
    parts = places.parts(replaced)
    assert {part.suffix for part in parts} == {".csv", ".parquet"}
    assert_equal_to_oracle(ORDERS, [part for part in parts if part.suffix == ".parquet"], "parquet")
    assert first.items == replaced.items


def test_an_export_of_an_empty_table_has_a_record_alone(places: Places, tmp_path: Path) -> None:
    export = write_export(tmp_path / "bucket", [])
    assert places.parts(convert(places.source(export.folder), places.dest())) == []


def test_what_is_published_is_scanned_as_from_a_folder(s3: S3Server, tmp_path: Path, monkeypatch: Any) -> None:
    use_environment(s3, monkeypatch)
    bucket = s3.new_bucket()
    cases: list[tuple[Format, str]] = [("parquet", "zstd"), ("csv", "none"), ("csv", "gzip")]
    for number, (format, compression) in enumerate(cases):
        options = ConvertOptions(format=format, compression=compression)
        place, folder = f"s3://{bucket}/odd %20+ü/{number}", str(tmp_path / str(number))
        for dest in (place, folder):
            convert(str(ORDERS), dest, options)
        assert converter.scan(place).collect().equals(converter.scan(folder).collect())


def test_a_recipe_for_a_place_in_s3_names_it(ministack: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    use_environment(ministack, monkeypatch)
    place = f"s3://{ministack.new_bucket()}/orders"
    convert(str(ORDERS), place)
    [table] = converter.recipe("athena", place).files.values()
    assert f"LOCATION '{place}/'" in table


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("surprise", LAST_LINES)
def test_what_shows_in_the_last_line_is_in_the_output(
    s3: S3Server, surprise: str, format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_environment(s3, monkeypatch)
    places = Places(s3, "s3-s3", tmp_path)
    check(places, three_shards(tmp_path / "bucket", LAST_LINES[surprise][0]).folder, format=format)


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_parts_of_several_uploads_become_what_the_oracle_says(places: Places, format: str, tmp_path: Path) -> None:
    items = [{"id": {"S": f"i{number:06}"}, "text": {"S": "x" * 300 + str(number)}} for number in range(40_000)]
    export = write_export(tmp_path / "bucket", items, files=20)
    check(places, export.folder, format=format, part_size=1 << 20)


@pytest.mark.slow
@pytest.mark.parametrize("sides", SIDES)
def test_whatever_the_items_and_options_the_oracle_agrees(
    sides: Sides, s3: S3Server, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_environment(s3, monkeypatch)

    @settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
    @given(st.data(), ITEM_LISTS, st.sampled_from(FORMATS))
    def agree(data: st.DataObject, items: list[strategies.Item], format: Format) -> None:
        options = data.draw(option_sets(items))
        with tempfile.TemporaryDirectory() as folder:
            export = write_export(Path(folder, "bucket"), items, files=data.draw(st.integers(1, 4)), empty_files=1)
            table = expected(list(oracle.read_items(export.folder)), options)
            places = Places(s3, sides, Path(folder))
            try:
                report = convert(places.source(export.folder), places.dest(), ConvertOptions(format=format, **options))
            except ConvertError:
                assert places.listing() == {}
                assert places.server.uploads(places.bucket) == []
                return
            assert isinstance(table, oracle.ExpectedTable)
            oracle.assert_equal_to_table(table, places.parts(report), format)

    agree()


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("export", [ALL_TYPES, UNICORNS])
def test_a_real_export_becomes_what_the_oracle_says(
    places: Places, sample_exports: Path, export: str, format: str
) -> None:
    check(places, sample_exports / export, format=format)


def test_a_place_where_nothing_is_is_no_export(ministack: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    use_environment(ministack, monkeypatch)
    with pytest.raises(ConvertError) as caught:
        convert(f"s3://{ministack.new_bucket()}/nothing/", "out")
    assert caught.value.exit_code == 3
