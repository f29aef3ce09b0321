"""Sizes, times, durations, lists of names, and renames."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.cli.parse import (
    parse_duration,
    parse_size,
    parse_time,
    read_names,
    read_pairs,
    read_time_attribute,
    split_names,
)
from converter.errors import UsageError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("100000000", 100_000_000),
        ("12B", 12),
        ("1kB", 1000),
        ("5MB", 5_000_000),
        ("2GB", 2_000_000_000),
        ("1KiB", 1024),
        ("96MiB", 96 * 2**20),
        ("96 mib", 96 * 2**20),
        ("1.5GiB", 3 * 2**29),
        ("0.1MB", 100_000),
        ("0", 0),
    ],
)
def test_a_size_is_bytes_or_a_number_with_a_unit(text: str, size: int) -> None:
    assert parse_size(text, "part-size") == size


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1e6", "1.", ".5", "12 parsecs", "1 2", "٣", "1_000", "nan", "0x10"])
def test_what_is_no_size_is_refused_by_the_options_name(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_size(text, "part-size")
    assert caught.value.where == "--part-size"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        (r"a\,b", ["a,b"]),
        (r"a\\,b", ["a\\", "b"]),
        (r"a\b", [r"a\b"]),
        ("a\\", ["a\\"]),
        (" a , b ", [" a ", " b "]),
        ("a b\tc", ["a b\tc"]),
        ("a,,b", ["a", "", "b"]),
        ("", [""]),
    ],
)
def test_names_are_cut_at_commas_that_have_no_backslash(text: str, names: list[str]) -> None:
    assert split_names(text) == names


@given(st.lists(st.text(st.sampled_from("ab ,\\é"), min_size=1), min_size=1))
def test_any_names_can_be_written_with_backslashes(names: list[str]) -> None:
    written = ",".join(name.replace("\\", "\\\\").replace(",", "\\,") for name in names)
    assert split_names(written) == names


@given(st.lists(st.text(st.sampled_from("ab ,\\é"), min_size=1), min_size=1))
def test_a_repeated_option_is_the_same_as_one_with_commas(names: list[str]) -> None:
    written = [name.replace("\\", "\\\\").replace(",", "\\,") for name in names]
    assert read_names(written, "key") == read_names([",".join(written)], "key") == tuple(dict.fromkeys(names))


@pytest.mark.parametrize("given_names", [[""], ["a,"], ["a", ""], [",a"]])
def test_an_empty_name_is_refused(given_names: list[str]) -> None:
    with pytest.raises(UsageError, match="a name is empty"):
        read_names(given_names, "select")


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("a=b", [("a", "b")]),
        ("a=b,c=d", [("a", "b"), ("c", "d")]),
        (r"a\=b=c\,d,e\\=f", [("a=b", "c,d"), ("e\\", "f")]),
        (r"a\b=\c", [(r"a\b", r"\c")]),
        (" a = b ", [(" a ", " b ")]),
        ("=b", [("", "b")]),
        ("a=", [("a", "")]),
        ("a=b,a=b", [("a", "b")]),
        ("a=b,a=c", [("a", "b"), ("a", "c")]),
    ],
)
def test_pairs_are_around_an_equals_sign_that_has_no_backslash(text: str, pairs: list[tuple[str, str]]) -> None:
    assert read_pairs([text], "rename") == tuple(pairs)


def test_pairs_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_pairs(None, "add-column") == ()
    monkeypatch.setenv("DDB_CONVERT_ADD_COLUMN", "a=date,b=export_id")
    assert read_pairs(None, "add-column") == (("a", "date"), ("b", "export_id"))


@pytest.mark.parametrize("text", ["", "a", "a,b=c", "a=b,", ",a=b", "a=b=c", r"a\=b", r"a=b\,c=d"])
def test_what_is_no_pair_is_refused_by_the_options_name(text: str) -> None:
    with pytest.raises(UsageError, match="is not a pair") as caught:
        read_pairs([text], "cast")
    assert caught.value.where == "--cast"


@given(st.dictionaries(st.text(st.sampled_from("ab ,=\\é")), st.text(st.sampled_from("ab ,=\\é")), min_size=1))
def test_any_pairs_can_be_written_with_backslashes(pairs: dict[str, str]) -> None:
    def escaped(name: str) -> str:
        return "".join("\\" + character if character in ",=\\" else character for character in name)

    written = [f"{escaped(one)}={escaped(other)}" for one, other in pairs.items()]
    assert read_pairs(written, "rename") == read_pairs([",".join(written)], "rename") == tuple(pairs.items())


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-27T23:59:59Z", datetime(2026, 11, 27, 23, 59, 59, tzinfo=UTC)),
        ("2026-11-27T23:59:59", datetime(2026, 11, 27, 23, 59, 59, tzinfo=UTC)),
        (" 2026-11-28 01:00+02:00 ", datetime(2026, 11, 27, 23, tzinfo=UTC)),
        ("2026-11-27", datetime(2026, 11, 27, tzinfo=UTC)),
    ],
)
def test_a_time_is_in_utc_unless_it_says_otherwise(text: str, time: datetime) -> None:
    assert parse_time(text, "from") == time


@pytest.mark.parametrize("text", ["", "noon", "27.11.2026", "1701065507", "2026-11-31"])
def test_what_is_no_time_is_refused_by_the_options_name(text: str) -> None:
    with pytest.raises(UsageError, match="is not a valid time") as caught:
        parse_time(text, "from")
    assert caught.value.where == "--from"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("0", 0),
        ("45m", 2700),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1d2h3m4s", 93784),
        (" 5m ", 300),
    ],
)
def test_a_duration_is_seconds_or_numbers_with_units(text: str, seconds: int) -> None:
    assert parse_duration(text, "timeout") == seconds


@pytest.mark.parametrize("text", ["", "m", "1h30", "30m1h", "-5m", "1.5h", "1w", "٣m"])
def test_what_is_no_duration_is_refused_by_the_options_name(text: str) -> None:
    with pytest.raises(UsageError, match="is not a valid duration") as caught:
        parse_duration(text, "timeout")
    assert caught.value.where == "--timeout"


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (None, {}),
        ("created_at", {"time": "created_at", "time_unit": None}),
        ("created_at=ms", {"time": "created_at", "time_unit": "ms"}),
        (r"a\=b", {"time": "a=b", "time_unit": None}),
        (r"a\=b=ns", {"time": "a=b", "time_unit": "ns"}),
        ("a,b", {"time": "a,b", "time_unit": None}),
    ],
)
def test_the_attribute_of_time_may_have_a_unit(text: str | None, options: dict[str, str | None]) -> None:
    assert read_time_attribute(text) == options


@pytest.mark.parametrize("text", ["a=b", "a=", "a=s=ms", "a=MS"])
def test_what_follows_the_attribute_of_time_is_a_unit(text: str) -> None:
    with pytest.raises(UsageError, match="not a unit of time") as caught:
        read_time_attribute(text)
    assert caught.value.where == "--time"
