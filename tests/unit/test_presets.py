"""Presets: what one word sets, and that whatever is given comes first."""

from __future__ import annotations

from typing import Any

import pytest

from converter.errors import UsageError
from converter.options import ConvertOptions
from converter.presets import describe_preset, options_for

TIME = (("time", "unix_time"),)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"format": "csv", "compression": "gzip", "names": "treasure-data", "add_column": TIME}),
        ({"names": "snake"}, {"format": "csv", "compression": "gzip", "names": "snake", "add_column": TIME}),
        ({"compression": "none"}, {"format": "csv", "compression": "none", "names": "treasure-data"}),
        ({"format": "parquet"}, {"format": "parquet", "compression": "zstd", "add_column": TIME}),
        ({"format": "parquet,csv"}, {"format": "csv,parquet", "compression": "csv=gzip,parquet=zstd"}),
        ({"time": "created_at"}, {"time": "created_at", "add_column": ()}),
        ({"add_column": (("day", "date"),)}, {"add_column": (*TIME, ("day", "date"))}),
        ({"add_column": (("time", "export_time"),)}, {"add_column": (("time", "export_time"),)}),
    ],
)
def test_what_is_given_takes_the_place_of_what_treasure_data_needs(
    given: dict[str, Any], expected: dict[str, Any]
) -> None:
    options = options_for("treasure-data", **given)
    assert {name: getattr(options, name) for name in expected} == expected


def test_athena_gets_lower_case_names_in_parquet() -> None:
    assert options_for("athena") == ConvertOptions(names="snake")


def test_a_preset_says_what_it_sets_and_nothing_that_was_given() -> None:
    assert describe_preset("athena", {}) == "--for athena sets --format parquet --compression zstd --names snake"
    assert describe_preset("treasure-data", {"time": "at", "names": "snake", "compression": "gzip"}) == (
        "--for treasure-data sets --format csv"
    )
    everything = {"format": "csv", "compression": "none", "names": "snake"}
    assert describe_preset("athena", everything).endswith("nothing in addition to the other options")


def test_an_unknown_consumer_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match="no preset for 'excel'") as caught:
        options_for("excel")  # type: ignore[arg-type]
    assert "treasure-data, athena" in caught.value.hint
