from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from converter.cpus import usable_cpus
from converter.errors import UsageError
from converter.option_values import Format
from converter.options import NAMES_LIMIT, ConvertOptions, SchemaText

# Another value for every option.
OTHERS: dict[str, Any] = {
    "format": "csv",
    "compression": "snappy",
    "encoding": "compact",
    "layout": "day={date}",
    "timezone": "Europe/Berlin",
    "numbers": "text",
    "mixed": "json",
    "key": ("pk",),
    "select": ("a",),
    "exclude": ("b",),
    "max_columns": 10,
    "overflow": "_more",
    "where": "n > 1",
    "schema": SchemaText("schema.json", "{}"),
    "evolve": True,
    "part_size": 4 << 10,
    "names": "snake",
    "rename": (("a", "b"),),
    "cast": (("created_at", "timestamp"),),
    "time": "created_at",
    "add_column": (("exported", "export_time"),),
    "workers": 77,
    "latest": True,
    "export_id": "01701065507109-cce6a3f8",
    "old_image": True,
    "time_unit": "ms",
    "time_default": "export_time",
    "on_bad_time": "null",
    "on_fine_time": "truncate",
    "nul": "drop",
    "csv_bom": True,
    "verify": False,
    "show_values": True,
    "replace": True,
    "dry_run": True,
}
# What an option is not possible without.
BESIDE: dict[str, dict[str, Any]] = {
    "csv_bom": {"format": "csv"},
    "time_unit": {"time": "a"},
    "time_default": {"time": "a"},
}
NOT_PUBLISHED = {"evolve", "workers", "latest", "export_id", "verify", "show_values", "replace", "dry_run"}
# The rows are the same, in another number of files.
NOT_COMPARED = {"part_size"}


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
        ({"encoding": "plain"}, "--encoding", "compatible, compact"),
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
        ({"latest": True, "export_id": "x"}, "--export-id", "remove"),
        ({"part_size": 0}, "--part-size", "96MiB"),
        ({"part_size": 10}, "--part-size", "96MiB"),
        ({"part_size": 4095}, "--part-size", "96MiB"),
        ({"workers": 0}, "--workers", "omit the option"),
        ({"max_columns": 0}, "--max-columns", "2000"),
        ({"max_columns": NAMES_LIMIT + 1}, "--max-columns", "2000"),
        ({"overflow": ""}, "--overflow", "_more"),
        ({"select": ("a", "b"), "exclude": ("b",)}, "--exclude", "remove"),
        ({"key": ("a", "k"), "select": ("a", "b")}, "--key", "add 'k' to --select"),
        ({"key": ("k",), "exclude": ("b", "k")}, "--key", "remove 'k' from --exclude"),
        ({"names": "camel"}, "--names", "preserve, treasure-data, snake"),
        ({"names": "snake", "overflow": "More"}, "--overflow", "_more"),
        ({"names": "treasure-data", "overflow": "v"}, "--overflow", "_more"),
        ({"rename": "a=b"}, "--rename", "(('a', 'b'),)"),
        ({"rename": ("ab",)}, "--rename", "(('a', 'b'),)"),
        ({"rename": {"a": "b"}}, "--rename", "(('a', 'b'),)"),
        ({"rename": (("a", "b", "c"),)}, "--rename", "(('a', 'b'),)"),
        ({"rename": (("a", 1),)}, "--rename", "(('a', 'b'),)"),
        ({"rename": (("a", ""),)}, "--rename", "another name"),
        ({"rename": (("a", "x"), ("a", "y"))}, "--rename", "give it once"),
        ({"rename": (("a", "x"), ("b", "X"))}, "--rename", "another name"),
        ({"rename": (("a", "straße"), ("b", "STRASSE"))}, "--rename", "another name"),
        ({"rename": (("a", "dt"),)}, "--rename", "another name"),
        ({"rename": (("a", "DAY"),), "layout": "day={date}"}, "--rename", "another name"),
        ({"rename": (("a", "_OP"),)}, "--rename", "another name"),
        ({"rename": (("a", "_more"),), "overflow": "_more"}, "--rename", "another name"),
        ({"rename": (("a", "A"),), "names": "snake"}, "--rename", "another name"),
        ({"rename": (("a", "1st"),), "names": "treasure-data"}, "--rename", "another name"),
        ({"rename": (("a", "a\n"),), "names": "snake"}, "--rename", "another name"),
        ({"rename": (("a", "é"),), "names": "snake"}, "--rename", "another name"),
        ({"rename": (("a", "x" * 129),), "names": "treasure-data"}, "--rename", "another name"),
        ({"rename": (("a", "x" * 256),), "names": "snake"}, "--rename", "another name"),
        ({"rename": (("a", "time"),), "names": "treasure-data"}, "--rename", "another name"),
        ({"rename": (("a", "b"),), "exclude": ("a",)}, "--rename", "remove 'a' from --exclude"),
        ({"rename": (("a", "b"),), "select": ("c",)}, "--rename", "add 'a' to --select"),
        ({"cast": (("a", "datetime"),)}, "--cast a", "timestamp"),
        ({"cast": (("a", "timestamp"),), "exclude": ("a",)}, "--cast", "remove 'a' from --exclude"),
        ({"cast": (("a", "timestamp"),), "select": ("b",)}, "--cast", "add 'a' to --select"),
        ({"cast": (("a", "timestamp"),), "time": "a"}, "--time", "remove"),
        ({"time": "a", "exclude": ("a",)}, "--time", "remove 'a' from --exclude"),
        ({"time": ""}, "--time", "created_at"),
        ({"time_default": "export_time"}, "--time-default", "add --time"),
        ({"time_unit": "s"}, "--time with a unit", "add --time"),
        ({"time": "a", "time_unit": "h"}, "--time", "s, ms, us, ns"),
        ({"time": "a", "time_default": "now"}, "--time-default", "export_time, fail"),
        ({"on_bad_time": "skip"}, "--on-bad-time", "fail, null"),
        ({"on_fine_time": "round"}, "--on-fine-time", "fail, truncate"),
        ({"cast": (("a", "timestamp(h)"),)}, "--cast a", "timestamp(ms)"),
        ({"add_column": (("a", "now"),)}, "--add-column a", "export_time, export_id, date, unix_time"),
        ({"add_column": (("", "date"),)}, "--add-column", "another name"),
        ({"add_column": (("DT", "date"),)}, "--add-column", "another name"),
        ({"nul": "skip"}, "--nul", "keep, drop, replace, fail"),
        ({"csv_bom": True}, "--csv-bom", "--format csv"),
        ({"add_column": (("_More", "date"),), "overflow": "_more"}, "--add-column", "another name"),
        ({"add_column": (("TIME", "date"),), "time": "a"}, "--add-column", "another name"),
        ({"add_column": (("a", "date"), ("A", "export_id"))}, "--add-column", "another name"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_options_name_and_a_hint(
    given: dict[str, Any], where: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        ConvertOptions(**given)
    assert caught.value.where == where
    assert hint in caught.value.hint


@pytest.mark.parametrize("rename", [("\ud800", "b"), ("a", "\ud800")])
def test_a_rename_from_or_to_what_is_no_utf_8_is_refused(rename: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match="is not valid UTF-8"):
        ConvertOptions(rename=(rename,))


@pytest.mark.parametrize(
    "given",
    [
        {"key": ("\ud800",)},
        {"select": ("\ud800",)},
        {"exclude": ("\ud800",)},
        {"cast": (("\ud800", "timestamp"),)},
        {"time": "\ud800"},
        {"overflow": "\ud800"},
        {"add_column": (("\ud800", "date"),)},
    ],
)
def test_a_name_that_is_no_utf_8_is_refused_in_every_option(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="is not valid UTF-8"):
        ConvertOptions(**given)


def test_renames_that_are_possible_are_kept_once_and_in_any_order() -> None:
    given = (("url", "URL"), ("a", "x" * 300), ("", "a,\n"), ("url", "URL"))
    options = ConvertOptions(rename=given)
    assert options.rename == given[:3]
    assert options.published()["rename"] == [["", "a,\n"], ["a", "x" * 300], ["url", "URL"]]
    assert ConvertOptions(rename=given[::-1]).published_hash() == options.published_hash()
    allowed = (("a", "x" * 128), ("dt", "_1"), ("dt_1", "id"))
    assert ConvertOptions(names="treasure-data", rename=allowed).rename == allowed
    assert ConvertOptions(names="snake", rename=allowed).rename == allowed


def test_the_other_values_of_this_test_are_complete_and_other() -> None:
    assert OTHERS.keys() == {field.name for field in dataclasses.fields(ConvertOptions)}
    assert all(getattr(ConvertOptions(), name) != value for name, value in OTHERS.items())


@pytest.mark.parametrize("name", OTHERS)
def test_the_hash_changes_with_what_is_published_and_with_nothing_else(name: str) -> None:
    beside = BESIDE.get(name, {})
    without, changed = ConvertOptions(**beside), ConvertOptions(**beside, **{name: OTHERS[name]})
    same = name in NOT_PUBLISHED | NOT_COMPARED
    assert (changed.published_hash() == without.published_hash()) == same
    assert (name in changed.published()) == (name not in NOT_PUBLISHED)
    before, now = without.published().get(name), changed.published().get(name)
    differences = changed.differences(without.published())
    assert differences.get(name) == (None if same else (before, now))


def test_options_that_an_older_record_does_not_have_were_their_defaults() -> None:
    recorded = ConvertOptions(numbers="text").published()
    del recorded["names"], recorded["encoding"]
    assert ConvertOptions(numbers="text").differences(recorded) == {}
    assert ConvertOptions(names="snake").differences(recorded) == {
        "numbers": ("text", "exact"),
        "names": ("preserve", "snake"),
    }


def test_the_hash_is_that_of_versions_that_compared_the_part_size() -> None:
    # What the version before computes of its defaults.
    assert (
        ConvertOptions(part_size=5 << 20, encoding="compact").published_hash()
        == "d03867f45ce5ffbc9ee42c51f1e55fb94654322d5d4b6061d7ced211b674e93f"
    )


def test_without_an_encoding_both_are_as_published_and_with_one_only_that_one_is() -> None:
    compact = ConvertOptions(encoding="compact").published()
    older = {name: value for name, value in compact.items() if name != "encoding"}
    for recorded in (compact, older):
        assert ConvertOptions().differences(recorded) == {}
        assert ConvertOptions(encoding="compact").differences(recorded) == {}
        assert ConvertOptions(encoding="compatible").differences(recorded) == {"encoding": ("compact", "compatible")}
    assert ConvertOptions().published()["encoding"] == "compatible"
    assert ConvertOptions().published_hash() == ConvertOptions(encoding="compatible").published_hash()
    assert ConvertOptions(encoding="compact").differences(ConvertOptions().published()) == {
        "encoding": ("compatible", "compact")
    }


def test_of_two_formats_only_the_csv_has_the_byte_order_mark() -> None:
    both = ConvertOptions(format="csv,parquet", csv_bom=True)
    assert [options.csv_bom for options in both.by_format()] == [True, False]


def test_the_defaults_and_their_spelled_out_form_have_one_hash() -> None:
    assert ConvertOptions(compression="zstd", timezone="UTC").published_hash() == ConvertOptions().published_hash()


def test_the_order_of_casts_is_nothing_and_that_of_added_columns_is_published() -> None:
    casts = (("a", "timestamp"), ("b", "timestamp"))
    added = (("a", "date"), ("b", "export_id"))
    assert ConvertOptions(cast=casts).published_hash() == ConvertOptions(cast=casts[::-1]).published_hash()
    assert ConvertOptions(add_column=added).published_hash() != ConvertOptions(add_column=added[::-1]).published_hash()


def test_the_same_pair_twice_is_one() -> None:
    options = ConvertOptions(cast=(("a", "timestamp"),) * 2, add_column=(("b", "date"),) * 2)
    assert (options.cast, options.add_column) == ((("a", "timestamp"),), (("b", "date"),))


def test_what_is_published_is_the_same_when_a_record_has_held_it() -> None:
    options = ConvertOptions(cast=(("a", "timestamp"),), add_column=(("b", "date"),), key=("k",))
    assert json.loads(json.dumps(options.published())) == options.published()


def test_the_hash_of_the_defaults_is_the_one_that_records_hold() -> None:
    # Records keep the second hash if their version wrote compact by default.
    assert ConvertOptions().published_hash() == "e561416af475f8d2aabd1d0594cf924c3cc02e17ade9b2aba39bc66683e6a39f"
    compact = ConvertOptions(encoding="compact")
    assert compact.published_hash() == "d03867f45ce5ffbc9ee42c51f1e55fb94654322d5d4b6061d7ced211b674e93f"


@pytest.mark.parametrize(
    ("layout", "keys"),
    [("dt={date}", ("dt",)), ("a={date}/b={table}", ("a", "b")), ("{date}", ()), ("", ()), ("x/dt=a=b", ("dt",))],
)
def test_the_keys_of_a_layout_are_the_names_that_readers_take_from_folders(layout: str, keys: tuple[str, ...]) -> None:
    assert ConvertOptions(layout=layout).layout_keys() == keys


def test_a_keys_name_in_the_layout_is_the_same_for_every_export() -> None:
    with pytest.raises(UsageError, match="the name of a folder key can't be a field"):
        ConvertOptions(layout="{table}={date}")
