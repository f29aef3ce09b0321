"""Treasure Data's CSV rules, case by case; and that the parser's defaults lose what our settings keep."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.treasure_data import (
    LOAD,
    Column,
    InvalidRecordError,
    Settings,
    Skipped,
    cut_lines,
    load,
    load_files,
    name_problems,
    parse_value,
    settings_of,
)

TEXTS = (Column("a", "string"), Column("b", "string"))
OURS = replace(Settings(columns=TEXTS, **LOAD), skip_header_lines=0)
LENIENT = replace(OURS, stop_on_invalid_record=False)
DEFAULTS = Settings(columns=TEXTS)


def rows(text: str, settings: Settings = OURS) -> list[tuple[object, ...]]:
    return load(text.encode(), settings).rows


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("a,b\n", ("a", "b")),
        ("a,b", ("a", "b")),
        (",b\n", (None, "b")),
        ("a,\n", ("a", None)),
        (",\n", (None, None)),
        ('"",\n', ("", None)),
        (',""\n', (None, "")),
        ('"a,b","say ""hi"""\n', ("a,b", 'say "hi"')),
        ('"""",""""""\n', ('"', '""')),
        ('it"s,5" x 7"\n', ('it"s', '5" x 7"')),
        ('"two\nlines",b\n', ("two\nlines", "b")),
        ('"\n\n\n",b\n', ("\n\n\n", "b")),
        ('"cr\rcrlf\r\n",b\n', ("cr\rcrlf\r\n", "b")),
        (" a ,b \n", (" a ", "b ")),
        ('"a"  ,"b" \n', ("a", "b")),
        ("tab\t,\\\n", ("tab\t", "\\")),
        ("漢字,😀\u2028\u0085\n", ("漢字", "😀\u2028\u0085")),
    ],
)
def test_a_row_is_read_by_the_rules(text: str, row: tuple[object, ...]) -> None:
    assert rows(text) == [row]


@given(
    st.lists(st.tuples(*[st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))] * 2))
)
def test_quoted_texts_come_back_whatever_they_hold(table: list[tuple[str | None, ...]]) -> None:
    text = "".join(",".join("" if cell is None else quoted(cell) for cell in row) + "\n" for row in table)
    assert rows(text) == table


def test_empty_lines_between_rows_are_none() -> None:
    assert rows("\n\na,b\n\nc,d\n\n") == [("a", "b"), ("c", "d")]


def test_the_header_is_skipped_by_lines_in_each_file(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("x,y\na,b\n", "utf-8")
    (tmp_path / "2.csv.gz").write_bytes(gzip.compress("\ufeffx,y\nc,d\n".encode()))
    settings = replace(OURS, skip_header_lines=1)
    assert load_files([tmp_path / "1.csv", tmp_path / "2.csv.gz"], settings).rows == [("a", "b"), ("c", "d")]
    assert rows('"x\nx",y\na,b\n', settings) == [('x"', "y"), ("a", "b")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a\n", "too few columns"),
        ("a,b,c\n", "too many columns"),
        ("a,b,\n", "too many columns"),
        ('"a"x,b\n', "'x,b' behind a closing quote"),
        ('a,"b\n', "a quote that nothing closes"),
    ],
)
def test_a_row_that_breaks_the_rules_is_skipped_alone_or_stops_the_load(text: str, reason: str) -> None:
    loaded = load(f"1,2\n{text}".encode(), LENIENT)
    assert loaded.rows == [("1", "2")]
    assert loaded.skipped == [Skipped(text.rstrip("\n"), reason)]
    with pytest.raises(InvalidRecordError, match=reason):
        load(text.encode(), OURS)


def test_the_last_columns_may_be_missing_only_when_that_is_allowed() -> None:
    settings = replace(OURS, columns=(*TEXTS, Column("c", "long"), Column("d", "string")), allow_optional_columns=True)
    assert rows("a,b\na,b,7\n,,,\n", settings) == [("a", "b", None, None), ("a", "b", 7, None), (None,) * 4]


def test_the_other_lines_of_a_skipped_quoted_value_are_read_as_rows() -> None:
    loaded = load(b'a,"b\n1,2\nz",c\n3,4\n', LENIENT)
    assert loaded.skipped == [('a,"b', "too many columns")]
    assert loaded.rows == [("1", "2"), ('z"', "c"), ("3", "4")]


@pytest.mark.parametrize(
    ("recognized", "lines"),
    [
        (None, ["a", "b", "c", "d"]),
        ("LF", ["a\rb", "c\r\nd"]),
        ("CR", ["a", "b\nc\r\nd"]),
        ("CRLF", ["a\rb\nc", "d"]),
    ],
)
def test_lines_end_at_every_newline_or_at_the_recognized_one_alone(recognized: str | None, lines: list[str]) -> None:
    assert cut_lines("a\rb\nc\r\nd", recognized) == lines


@pytest.mark.parametrize("text", ["C:\\\\new", 'a,\\"b', "line\nbreak", "cr\rcr", "x," * 100_000])
def test_the_defaults_lose_what_our_settings_keep(text: str) -> None:
    written = quoted(text) + ',"b"\n'
    assert rows(written) == [(text, "b")]
    assert rows(written, DEFAULTS) != [(text, "b")]


@pytest.mark.parametrize(
    ("text", "default"),
    [
        ('"\\\\",b\n', "\\"),
        ('"\\n",b\n', "\\n"),
        ('"\\"",b\n', '"'),
        ('"a\nb",c\n', "a\r\nb"),
        ('"a\rb",c\n', "a\r\nb"),
    ],
)
def test_the_defaults_read_backslashes_as_escapes_and_join_lines_by_crlf(text: str, default: str) -> None:
    assert rows(text, DEFAULTS)[0][0] == default


def test_the_lf_of_newline_alone_still_changes_a_cr() -> None:
    settings = replace(OURS, line_delimiter_recognized=None)
    assert rows('"cr\rcrlf\r\n",b\n', settings) == [("cr\ncrlf\n", "b")]


@pytest.mark.parametrize(("character", "units"), [("x", 1), ("漢", 1), ("😀", 2)])
def test_a_quoted_value_is_skipped_above_the_limit_in_utf_16_units(character: str, units: int) -> None:
    most = DEFAULTS.max_quoted_size_limit // units
    assert rows(f'"{character * most}",b\n', DEFAULTS) == [(character * most, "b")]
    loaded = load(f'"{character * (most + 1)}",b\n'.encode(), DEFAULTS)
    assert loaded.rows == []
    assert loaded.skipped[0].reason == "a quoted value of more than 131072 characters"
    assert rows(f"{character * (most + 1)},b\n", DEFAULTS) == [(character * (most + 1), "b")]


def test_a_nul_ends_the_line_so_that_no_settings_keep_a_text_with_one() -> None:
    assert [one.reason for one in load(b"a\0b,c\n", LENIENT).skipped] == ["too few columns"]
    assert rows("a,b\0c\n") == [("a", "b\0")]
    assert [one.reason for one in load(b'"a\0b",c\n', LENIENT).skipped] == ["a quote that nothing closes"]


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("long", "0", 0),
        ("long", "-0", 0),
        ("long", "+7", 7),
        ("long", "007", 7),
        ("long", "9223372036854775807", 2**63 - 1),
        ("long", "-9223372036854775808", -(2**63)),
        ("double", "1", 1.0),
        ("double", "-1.5e-7", -1.5e-7),
        ("double", "1e+22", 1e22),
        ("double", ".5", 0.5),
        ("double", "5.", 5.0),
        ("double", " 1.5f ", 1.5),
        ("double", "1e400", float("inf")),
        ("double", "-Infinity", float("-inf")),
        ("boolean", "true", True),
        ("boolean", "1", True),
        ("boolean", "false", False),
        ("boolean", "tRUE", False),
        ("boolean", "anything", False),
        ("string", "", ""),
        ("json", '{"a":[1,2.5,null]}', {"a": [1, 2.5, None]}),
        ("json", "9223372036854775807", 2**63 - 1),
        ("timestamp", "2024-01-02 03:04:05.678 +0900", datetime(2024, 1, 1, 18, 4, 5, 678_000, UTC)),
    ],
)
def test_a_value_is_of_the_type_of_its_column(type_: str, text: str, value: object) -> None:
    found = parse_value(text, Column("c", type_))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        ("long", ""),
        ("long", "1.0"),
        ("long", "1E3"),
        ("long", " 1"),
        ("long", "-"),
        ("long", "1_000"),
        ("long", "٣"),
        ("long", "9223372036854775808"),
        ("long", "-9223372036854775809"),
        ("double", ""),
        ("double", "."),
        ("double", "1,5"),
        ("double", "nan"),
        ("double", "1e"),
        ("json", ""),
        ("json", "{"),
        ("json", "{'a':1}"),
        ("json", "NaN"),
        ("json", "[9223372036854775808]"),
        ("timestamp", "2024-01-02"),
    ],
)
def test_a_value_of_another_type_skips_its_row(type_: str, text: str) -> None:
    settings = replace(LENIENT, columns=(Column("c", type_), Column("b", "string")))
    loaded = load(f"{quoted(text)},b\n,b\n".encode(), settings)
    assert loaded.rows == [(None, "b")]
    assert f"is no {type_}" in loaded.skipped[0].reason


def test_a_timestamp_takes_the_format_of_its_column() -> None:
    assert parse_value("2024-01-02T03:04:05Z", Column("c", "timestamp", "%Y-%m-%dT%H:%M:%S%z")) == datetime(
        2024, 1, 2, 3, 4, 5, tzinfo=UTC
    )


def test_the_parser_of_a_load_file_gives_the_settings() -> None:
    columns = [{"name": "a", "type": "string"}, {"name": "b", "type": "timestamp", "format": "%Y"}]
    settings = settings_of({"type": "csv", "escape": '"', "skip_header_lines": 1, "columns": columns})
    assert settings == Settings(columns=(TEXTS[0], Column("b", "timestamp", "%Y")), escape='"', skip_header_lines=1)


@pytest.mark.parametrize(
    "parser", [{"type": "csv"}, {"type": "json", "columns": []}, {"skip_header": 1, "columns": []}]
)
def test_the_parser_of_a_load_file_must_have_known_settings_alone(parser: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no CSV parser"):
        settings_of({"type": "csv", **parser} if "columns" in parser else parser)


def test_good_names_have_no_problems() -> None:
    names = ("a", "_op", "x_1", "a" * 128)
    assert name_problems([Column("time", "long"), *(Column(name, "string") for name in names)]) == []


@pytest.mark.parametrize("name", ["", "A", "1a", "a-b", "a b", "名前", "a\n", "a.b", "a" * 129, "v", "time"])
def test_a_bad_or_reserved_name_is_a_problem(name: str) -> None:
    assert len(name_problems([Column(name, "string")])) == 1


def test_a_name_that_occurs_twice_is_a_problem() -> None:
    assert name_problems([*TEXTS, Column("a", "long")]) == ["'a' occurs twice"]
