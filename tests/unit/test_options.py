from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from converter.errors import UsageError
from converter.options import NAMES_LIMIT, ConvertOptions, Format, usable_cpus

# Another value for every option.
OTHERS: dict[str, Any] = {
    "format": "csv",
    "compression": "snappy",
    "layout": "day={date}",
    "timezone": "Europe/Berlin",
    "numbers": "text",
    "mixed": "json",
    "key": ("pk",),
    "select": ("a",),
    "exclude": ("b",),
    "max_columns": 10,
    "overflow": "_more",
    "part_size": 1,
    "workers": 77,
    "latest": True,
    "verify": False,
    "show_values": True,
    "replace": True,
    "dry_run": True,
}
NOT_PUBLISHED = {"workers", "latest", "verify", "show_values", "replace", "dry_run"}


def test_the_default_compression_is_the_formats() -> None:
    assert ConvertOptions().compression == "zstd"
    assert ConvertOptions(format="csv").compression == "none"


@pytest.mark.parametrize("text", ["csv,parquet", "parquet,csv", " parquet , csv "])
def test_both_formats_are_named_in_any_order(text: Any) -> None:
    options = ConvertOptions(format=text)
    assert (options.format, options.compression) == ("csv,parquet", "csv=none,parquet=zstd")
    assert options.published_hash() == ConvertOptions(format="csv,parquet").published_hash()


@pytest.mark.parametrize(
    ("given", "compression"),
    [
        ("csv=gzip,parquet=snappy", "csv=gzip,parquet=snappy"),
        ("parquet=snappy, csv=gzip", "csv=gzip,parquet=snappy"),
        ("csv=gzip", "csv=gzip,parquet=zstd"),
        ("parquet=none", "csv=none,parquet=none"),
    ],
)
def test_with_both_formats_each_has_its_compression(given: str, compression: str) -> None:
    options = ConvertOptions(format="csv,parquet", compression=given, numbers="text", workers=3)
    assert options.compression == compression
    csv, parquet = options.by_format()
    assert f"csv={csv.compression},parquet={parquet.compression}" == compression
    assert (csv.format, parquet.format) == ("csv", "parquet")
    for one in (csv, parquet):
        assert dataclasses.replace(one, format=options.format, compression=compression) == options
        assert one.by_format() == (one,)


def test_only_csv_alone_is_decoded_as_text() -> None:
    formats: tuple[Format, ...] = ("csv", "parquet", "csv,parquet")
    assert [ConvertOptions(format=format).text for format in formats] == [True, False, False]


def test_workers_left_out_are_the_usable_cpus() -> None:
    assert ConvertOptions().workers == usable_cpus() >= 1
    assert ConvertOptions(workers=3).workers == 3


def test_options_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        ConvertOptions().format = "csv"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("given", "where", "hint"),
    [
        ({"format": "orc"}, "--format", "parquet; csv; csv,parquet"),
        ({"format": ""}, "--format", "parquet; csv; csv,parquet"),
        ({"format": "csv,orc"}, "--format", "parquet; csv; csv,parquet"),
        ({"format": "csv,csv"}, "--format", "csv,parquet"),
        ({"format": "csv,parquet,csv"}, "--format", "csv,parquet"),
        ({"format": "csv,parquet", "compression": "gzip"}, "--compression", "csv=gzip,parquet=zstd"),
        ({"format": "csv,parquet", "compression": ""}, "--compression", "csv=gzip,parquet=zstd"),
        ({"format": "csv,parquet", "compression": "csv=gzip,csv=none"}, "--compression", "each once"),
        ({"format": "csv,parquet", "compression": "orc=gzip"}, "--compression", "csv=gzip,parquet=zstd"),
        ({"format": "csv,parquet", "compression": "csv=zstd"}, "--compression", "none, gzip"),
        ({"format": "csv", "compression": "csv=gzip"}, "--compression", "none, gzip"),
        ({"format": "csv", "compression": "zstd"}, "--compression", "none, gzip"),
        ({"compression": "brotli"}, "--compression", "zstd, snappy, gzip, none"),
        ({"numbers": "float"}, "--numbers", "exact, double, text"),
        ({"mixed": "drop"}, "--mixed", "text, json, fail"),
        ({"layout": "{day}"}, "--layout", "{date}, {from}, {to}, {table}"),
        ({"layout": "{date"}, "--layout", "{date}"),
        ({"layout": "/abs/{date}"}, "--layout", "relative"),
        ({"layout": "a/../../{date}"}, "--layout", "relative"),
        ({"layout": "a//{date}"}, "--layout", "relative"),
        ({"layout": "a\\{date}"}, "--layout", "relative"),
        ({"layout": "_exports/{date}"}, "--layout", "dt={date}"),
        ({"layout": ".hidden/{date}"}, "--layout", "dt={date}"),
        ({"timezone": "Mars/Base"}, "--timezone", "IANA"),
        ({"timezone": "../etc/passwd"}, "--timezone", "IANA"),
        ({"timezone": ""}, "--timezone", "IANA"),
        ({"workers": -1}, "--workers", "every CPU"),
        ({"part_size": 0}, "--part-size", "96MiB"),
        ({"max_columns": 0}, "--max-columns", "2000"),
        ({"max_columns": NAMES_LIMIT + 1}, "--max-columns", "2000"),
        ({"overflow": ""}, "--overflow", "_more"),
        ({"select": ("a", "b"), "exclude": ("b",)}, "--exclude", "drop one"),
        ({"key": ("a", "k"), "select": ("a", "b")}, "--key", "add 'k' to --select"),
        ({"key": ("k",), "exclude": ("b", "k")}, "--key", "take 'k' out of --exclude"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_options_name_and_a_hint(
    given: dict[str, Any], where: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        ConvertOptions(**given)
    assert caught.value.where == where
    assert hint in caught.value.hint


def test_the_other_values_of_this_test_are_complete_and_other() -> None:
    assert OTHERS.keys() == {field.name for field in dataclasses.fields(ConvertOptions)}
    assert all(getattr(ConvertOptions(), name) != value for name, value in OTHERS.items())


@pytest.mark.parametrize("name", OTHERS)
def test_the_hash_changes_with_what_is_published_and_with_nothing_else(name: str) -> None:
    changed = ConvertOptions(**{name: OTHERS[name]})
    assert (changed.published_hash() == ConvertOptions().published_hash()) == (name in NOT_PUBLISHED)
    assert (name in changed.published()) == (name not in NOT_PUBLISHED)


def test_the_defaults_and_their_spelled_out_form_have_one_hash() -> None:
    assert ConvertOptions(compression="zstd", timezone="UTC").published_hash() == ConvertOptions().published_hash()


def test_the_hash_of_the_defaults_is_the_one_that_records_hold() -> None:
    # A destination's records keep this text: when it changes, every one of them looks like another conversion.
    assert ConvertOptions().published_hash() == "af94c1bc74e55f4051152720aeddb2e71de8ba0c54518fea50bf9f15c992fdb8"


@pytest.mark.parametrize(
    ("layout", "keys"),
    [("dt={date}", ("dt",)), ("a={date}/b={table}", ("a", "b")), ("{date}", ()), ("", ()), ("x/dt=a=b", ("dt",))],
)
def test_the_keys_of_a_layout_are_the_names_that_readers_take_from_folders(layout: str, keys: tuple[str, ...]) -> None:
    assert ConvertOptions(layout=layout).layout_keys() == keys


def test_a_keys_name_in_the_layout_is_the_same_for_every_export() -> None:
    with pytest.raises(UsageError, match="the name of a key can't be a field"):
        ConvertOptions(layout="{table}={date}")
