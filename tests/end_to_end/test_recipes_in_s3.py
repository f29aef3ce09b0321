"""Recipes for a destination in S3 are those for the same one in a folder that will be copied to that place."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from converter import convert, recipe
from converter.aws.access import AwsOptions
from converter.errors import StorageError, UsageError
from converter.options import Consumer, ConvertOptions
from fixtures.expect import export_folder
from tests.servers.s3 import S3Server


@pytest.fixture
def place(ministack: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A destination in S3, and the same in the folder `out`."""
    ministack.use(monkeypatch)
    place = f"s3://{ministack.new_bucket()}/lake/orders"
    for dest in (place, str(tmp_path / "out")):
        convert(export_folder("orders"), dest, ConvertOptions(format="csv,parquet"))
    return place


def test_the_location_is_the_destination_itself(place: str, tmp_path: Path) -> None:
    for consumer in get_args(Consumer):
        for written in (place, f"{place}/"):
            assert recipe(consumer, written) == recipe(consumer, tmp_path / "out", location=place)
    for files in (recipe("athena", place).files, recipe("polars", place).files):
        assert all(f"{place}/parquet/" in text for text in files.values())
    assert f'path_prefix: "{place.split("/", 3)[3]}/csv/' in recipe("treasure-data", place).files["load.yml"]


def test_another_location_may_be_given(place: str, tmp_path: Path) -> None:
    for consumer in get_args(Consumer):
        elsewhere = recipe(consumer, place, location="s3://elsewhere/orders/")
        assert elsewhere == recipe(consumer, tmp_path / "out", location="s3://elsewhere/orders/")
        assert not any(place in text for text in elsewhere.files.values())


def test_the_records_are_read_as_the_options_say(
    place: str, ministack: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = recipe("athena", place)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert recipe("athena", place, aws=AwsOptions(endpoint_url=ministack.endpoint_url)) == expected


def test_where_nothing_is_published_there_is_no_recipe(place: str) -> None:
    with pytest.raises(StorageError, match="no items are published"):
        recipe("athena", f"{place}/elsewhere")


def test_a_place_that_languages_quote_differently_is_refused(ministack: S3Server, place: str) -> None:
    odd = f"{place}/it's"
    convert(export_folder("orders"), odd)
    with pytest.raises(UsageError, match="a recipe can't contain the location"):
        recipe("athena", odd)
