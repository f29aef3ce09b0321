from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.oracle_output import is_compact_json, parse_csv, read_csv_rows, read_parquet_rows, same_json


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('{"a":1,"b":[true,null]}', '{"a":1,"b":[true,null]}', True),
        ('"\\u00e9\\/"', '"é/"', True),
        ('{"a":1,"b":2}', '{"b":2,"a":1}', False),
        ("1.0", "1", False),
        ("1", '"1"', False),
        ("1", "true", False),
        ("12345678901234567890123.1", "12345678901234567890123.2", False),
        ('{"a":1}', '[["a",1]]', False),
        ("[]", "{}", False),
        ('{"a":1,"a":1}', '{"a":1}', False),
    ],
)
def test_json_is_compared_by_meaning_with_order_and_digits(one: str, other: str, same: bool) -> None:
    assert same_json(one, other) is same
    assert same_json(other, one) is same


@pytest.mark.parametrize(
    ("text", "compact"),
    [('{"a b":"c \\" d"}', True), ('{"a": 1}', False), ("[1, 2]", False), ('["\\\\", 1]', False)],
)
def test_spaces_between_tokens_are_noticed(text: str, compact: bool) -> None:
    assert is_compact_json(text) is compact


def test_a_quoted_empty_cell_is_text_and_an_unquoted_one_null() -> None:
    assert parse_csv('a,b,c\n"",,x\n') == [("a", "b", "c"), ("", None, "x")]
    assert parse_csv(',"",\n') == [(None, "", None)]


def test_quoted_cells_hold_anything() -> None:
    assert parse_csv('"a""b","c,d","e\r\nf",""""\n') == [('a"b', "c,d", "e\r\nf", '"')]


@pytest.mark.parametrize("text", ['a"b\n', '"a"b\n', '"a\n', "a", "a,b", "a\r\n", "a\n\nb\n", "\n", '""x,\n'])
def test_csv_that_is_not_ours_is_refused(text: str) -> None:
    with pytest.raises(AssertionError):
        parse_csv(text)


@given(st.lists(st.lists(st.one_of(st.none(), strategies.texts()), min_size=2, max_size=2).map(tuple), max_size=5))
def test_csv_reads_back_what_quotes_everything_but_null(rows: list[tuple[str | None, ...]]) -> None:
    quoted = [",".join("" if cell is None else '"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    assert parse_csv("".join(line + "\n" for line in quoted)) == rows


def test_csv_parts_are_read_plain_and_compressed(tmp_path: Path) -> None:
    (tmp_path / "0.csv").write_bytes(b"a,b\n1,\n")
    (tmp_path / "1.csv.gz").write_bytes(gzip.compress('a,b\n"é",""\n'.encode()))
    assert read_csv_rows([tmp_path / "0.csv", tmp_path / "1.csv.gz"]) == (["a", "b"], [("1", None), ("é", "")])


@pytest.mark.parametrize("second", [b"b,a\n", b"a,b\n1\n", b""])
def test_csv_parts_that_disagree_are_refused(tmp_path: Path, second: bytes) -> None:
    (tmp_path / "0.csv").write_bytes(b"a,b\n")
    (tmp_path / "1.csv").write_bytes(second)
    with pytest.raises(AssertionError):
        read_csv_rows([tmp_path / "0.csv", tmp_path / "1.csv"])


def test_the_folder_of_a_part_adds_no_column(tmp_path: Path) -> None:
    (tmp_path / "dt=2024-01-01").mkdir()
    part = tmp_path / "dt=2024-01-01" / "0.parquet"
    pyarrow.parquet.write_table(pa.table({"a": pa.array(["x", None]), "b": pa.array([1, 2])}), part)
    assert read_parquet_rows([part]) == ([("a", "string"), ("b", "int64")], [("x", 1), (None, 2)])


def test_parquet_parts_of_different_columns_are_refused(tmp_path: Path) -> None:
    for name, type_ in (("0", pa.int64()), ("1", pa.string())):
        pyarrow.parquet.write_table(pa.table([pa.array([None], type_)], names=["a"]), tmp_path / name)
    with pytest.raises(AssertionError, match="other columns"):
        read_parquet_rows([tmp_path / "0", tmp_path / "1"])
