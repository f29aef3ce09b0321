"""What is quoted is read back as it was, by the languages themselves."""

from __future__ import annotations

import ast
import fnmatch

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from converter.recipes.literals import (
    back_quoted,
    double_quoted,
    hive_text,
    in_comment,
    legal_name,
    literal_glob,
    literal_hadoop_glob,
    python_text,
    sql_text,
)
from tests.strategies import names, texts


@given(text=st.one_of(texts(), names()))
def test_python_reads_a_text_back(text: str) -> None:
    assert ast.literal_eval(python_text(text)) == text
    assert python_text(text).isprintable()


@given(text=st.one_of(texts(), names()).filter(lambda text: "\0" not in text))
def test_sql_reads_a_text_and_a_name_back(text: str) -> None:
    found = duckdb.execute(f"SELECT {sql_text(text)} AS {double_quoted(text or 'x')}")
    assert [column[0] for column in found.description or ()] == [text or "x"]
    assert found.fetchall() == [(text,)]


@given(text=texts())
def test_a_text_of_hive_has_no_character_that_ends_it_or_begins_a_variable(text: str) -> None:
    quoted = hive_text(text)
    inner = quoted[1:-1]
    assert (quoted[0], quoted[-1]) == ("'", "'")
    assert "'" not in inner
    assert "${" not in inner
    # What is left of backslashes are escapes that Python knows too.
    assert ast.literal_eval(f"'''{inner}'''") == text


def test_names_between_backticks_have_theirs_doubled() -> None:
    assert back_quoted("a`b``") == "`a``b`````"


@given(text=st.text("ab/*?[]!-{}^\\ é'", max_size=12), other=st.text("ab/*?[]!-{}^\\ é'", max_size=12))
def test_a_literal_pattern_matches_its_own_text_only(text: str, other: str) -> None:
    assert fnmatch.fnmatchcase(text, literal_glob(text))
    assert fnmatch.fnmatchcase(other, literal_glob(text)) == (other == text)


def test_hadoop_s_wildcards_are_escaped_by_backslashes() -> None:
    assert literal_hadoop_glob("a*b?[c]{d,e}^\\é") == "a\\*b\\?\\[c\\]\\{d,e\\}\\^\\\\é"


@given(text=st.one_of(texts(), names()))
def test_what_is_in_a_comment_does_not_end_its_line(text: str) -> None:
    assert len(in_comment(text).splitlines()) <= 1


def test_a_legal_name_has_small_letters_digits_and_underscores() -> None:
    assert [legal_name(name) for name in ("Orders", "my-Table.2", "a__b", "..")] == [
        "orders",
        "my_table_2",
        "a__b",
        "_",
    ]
