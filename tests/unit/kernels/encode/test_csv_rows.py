"""CSV rows: quoting wherever it is needed and only there, rows larger than the output, and empty lines."""

from __future__ import annotations

import base64
import csv
from decimal import Decimal
from io import StringIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.decode.buffers import Buffers
from converter.kernels.bindings import write_rows
from converter.kernels.encode import states
from converter.kernels.layout import State
from converter.schema.column_types import STRING, Origin
from converter.schema.columns import Column
from tests import oracle_output
from tests.unit.decode.decoding import put_value
from tests.unit.write.columns import batch_of, cells, column_of_type

Row = tuple[str | None, ...]


def buffers_of(rows: list[Row]) -> Buffers:
    columns = [Column(str(n), str(n), STRING, Origin.TEXT) for n in range(len(rows[0]))]
    buffers = Buffers(columns, text=True)
    for number, row in enumerate(rows):
        for c, text in enumerate(row, 1):
            if text is not None:
                put_value(buffers, c, number, text.encode())
    return buffers


def write(rows: list[Row], room: int = 1 << 16, enough: int = 1 << 16) -> bytes:
    """The rows as CSV."""
    return b"".join(pieces(buffers_of(rows), len(rows), room, enough))


def present_of(buffers: Buffers) -> State:
    """The working memory of the kernel, exactly as large as it needs."""
    return np.full(64 * (len(buffers.columns) + 2), 77, np.int64)


def pieces(buffers: Buffers, rows: int, room: int = 1 << 16, enough: int = 1 << 16) -> list[bytes]:
    """Rows as CSV, written to an output of this size again and again, or until there are enough bytes."""
    state = np.zeros(states.CSV_STATE_SIZE, np.int64)
    written = []
    while state[states.CSV_ROW] < rows:
        row = int(state[states.CSV_ROW])
        out = np.full(room + 32, 0xEE, np.uint8)
        write_rows(buffers.arrays, rows, enough, present_of(buffers), out[:room], state)
        assert not state[states.CSV_EMPTY_LINE]
        assert (out[room:] == 0xEE).all()
        if state[states.CSV_ROW] == row:
            assert state[states.CSV_NEEDED] > room
            room = int(state[states.CSV_NEEDED])
        written.append(out[: int(state[states.CSV_WRITTEN])].tobytes())
        state[states.CSV_WRITTEN] = 0
    return written


CELLS = st.one_of(
    st.none(), st.text('a,"\r\n é\\\t#nN', max_size=90), st.sampled_from(["x" * 63, "x" * 64, "x" * 65, ""])
)
ROWS = st.integers(2, 4).flatmap(lambda width: st.lists(st.tuples(*[CELLS] * width), min_size=1, max_size=6))


@given(ROWS, st.integers(1, 900))
def test_rows_are_read_back_as_they_were_whatever_the_size_of_the_output(rows: list[Row], room: int) -> None:
    data = write(rows, room)
    assert oracle_output.parse_csv(data.decode()) == rows
    assert data == write(rows)


@given(ROWS, st.integers(1, 300))
def test_rows_are_handed_on_at_places_that_depend_on_the_rows_alone(rows: list[Row], enough: int) -> None:
    found = pieces(buffers_of(rows), len(rows), enough=enough)
    assert all(len(piece) >= enough for piece in found[:-1])
    assert found == [piece for piece in cut_after(write(rows), rows, enough) if piece]


def cut_after(data: bytes, rows: list[Row], enough: int) -> list[bytes]:
    """CSV cut behind each row that makes it enough bytes."""
    found, piece = [], b""
    for row in rows:
        piece += write([row])
        if len(piece) >= enough:
            found.append(piece)
            piece = b""
    assert b"".join([*found, piece]) == data
    return [*found, piece]


def plain_text(column: Column, value: Any) -> str:
    """A value as CSV has it, by Python alone."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        text = format(value, "f")
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if text == "-0" else text
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


TYPED = ("string", "binary", "int64", "bool", *(f"decimal128(38, {scale})" for scale in (0, 2, 6, 9, 16, 17, 28, 38)))


@given(st.data(), st.lists(st.sampled_from(TYPED), min_size=2, max_size=5), st.integers(1, 20), st.integers(1, 900))
def test_typed_columns_give_the_same_rows_as_text_does(
    data: st.DataObject, types: list[str], rows: int, room: int
) -> None:
    columns = [column_of_type(type_, str(number)) for number, type_ in enumerate(types)]
    drawn = [data.draw(cells(type_, rows)) for type_ in types]
    texts = [
        [None if cell is None else plain_text(column, cell) for cell in cells_]
        for column, cells_ in zip(columns, drawn, strict=True)
    ]
    typed = batch_of(columns, drawn).buffers
    assert b"".join(pieces(typed, rows, room)) == write(list(zip(*texts, strict=True)))


@given(ROWS)
def test_python_reads_the_same_texts(rows: list[Row]) -> None:
    read = list(csv.reader(StringIO(write(rows).decode(), newline="")))
    assert read == [[cell or "" for cell in row] for row in rows]


@pytest.mark.parametrize(
    ("cell", "field"),
    [
        (None, ""),
        ("", '""'),
        ("a", "a"),
        (" a ", '" a "'),
        ("a b", "a b"),
        ("a ", '"a "'),
        ("\ta", '"\ta"'),
        ("a\t", '"a\t"'),
        ("\x0ba", '"\x0ba"'),
        ("a\x01", '"a\x01"'),
        (" ", '" "'),
        ("\\N", '"\\N"'),
        ("\\.", '"\\."'),
        ("a\\N", "a\\N"),
        ("'a'", "\"'a'\""),
        ("a'", "a'"),
        ("#a", '"#a"'),
        ("a#", "a#"),
        ("N ", '"N "'),
        ("-", "-"),
        ("-5", "-5"),
        ("1", "1"),
        ("-nab", "-nab"),
        ("nullx", "nullx"),
        ("xnull", "xnull"),
        ("\u3000", "\u3000"),
        ("a,b", '"a,b"'),
        ('a"b', '"a""b"'),
        ('"', '""""'),
        ("a\nb", '"a\nb"'),
        ("a\rb", '"a\rb"'),
        ("x\t\x01;'\\", "x\t\x01;'\\"),
        ("a\x00b", '"a\x00b"'),
        ("\u2028\u0085", "\u2028\u0085"),
        *(
            (word, f'"{word}"')
            for word in ("null", "NULL", "Null", "nil", "None", "NA", "n/a", "NaN", "-NaN", "1.#IND")
        ),
        *((word, f'"{word}"') for word in ("-1.#IND", "1.#QNAN", "-1.#QNAN", "#N/A")),
        ("x" * 1000, "x" * 1000),
    ],
)
def test_a_field_is_quoted_only_where_it_must_be(cell: str | None, field: str) -> None:
    assert write([("1", cell, "2")]).decode() == f"1,{field},2\n"


def test_three_bytes_whose_base64_is_a_word_for_null_are_quoted() -> None:
    column = column_of_type("binary", "b")
    cells_ = [base64.b64decode(text) for text in ("null", "NULL", "nulk", "nullnull")]
    data = b"".join(pieces(batch_of([column, column], [cells_, cells_]).buffers, 4))
    assert data.decode() == '"null","null"\n"NULL","NULL"\nnulk,nulk\nnullnull,nullnull\n'


@pytest.mark.parametrize("size", [1, 2, 63, 64, 65, 127, 128, 129, 200])
@pytest.mark.parametrize("special", ['"', ",", "\n", "\r", "\0"])
def test_a_byte_to_quote_is_seen_wherever_it_stands(size: int, special: str) -> None:
    for at in range(size):
        text = "x" * at + special + "y" * (size - 1 - at)
        doubled = text.replace('"', '""')
        assert write([("k", text)]).decode() == f'k,"{doubled}"\n'


@pytest.mark.parametrize("size", [1, 3, 63, 64, 65, 128])
def test_what_stands_behind_a_field_in_memory_does_not_quote_it(size: int) -> None:
    assert write([("k", "x" * size), ("k", '",\n')]).decode() == f'k,{"x" * size}\nk,""",\n"\n'


def test_a_row_of_quotes_that_doubles_fits_the_room_it_asked_for() -> None:
    row: Row = ('"' * 5000, "b", '"' * 700)
    assert oracle_output.parse_csv(write([row, row], 1).decode()) == [row, row]


def test_a_row_of_nulls_is_commas_and_a_single_null_would_be_an_empty_line() -> None:
    assert write([(None, None), ("a", None)]) == b",\na,\n"
    buffers = buffers_of([("a",), (None,), ("b",)])
    state = np.zeros(states.CSV_STATE_SIZE, np.int64)
    out = np.zeros(4096, np.uint8)
    write_rows(buffers.arrays, 3, 4096, present_of(buffers), out, state)
    assert state[states.CSV_EMPTY_LINE] == 1
    assert state[states.CSV_ROW] == 1
    assert out[: int(state[states.CSV_WRITTEN])].tobytes() == b"a\n"


@pytest.mark.parametrize("columns", [1, 2, 63, 64, 65, 66, 129, 700])
def test_of_many_columns_a_row_has_few_values_at_any_place(columns: int) -> None:
    chance = np.random.default_rng(columns)
    rows: list[Row] = []
    for number in range(140):
        row: list[str | None] = [None] * columns
        for place in chance.integers(0, columns, number % 4 + (columns == 1)).tolist():
            row[place] = f"{number} at {place}"
        rows.append(tuple(row) if any(row) else ("first", *row[1:]))
    expected = "".join(",".join(cell or "" for cell in row) + "\n" for row in rows).encode()
    assert write(rows) == expected
    assert write(rows, 1) == expected
    assert write(rows, 1 << 16, 1) == expected


def test_a_single_empty_text_is_no_empty_line() -> None:
    assert write([("",), ("a",)]) == b'""\na\n'


def test_rows_without_any_column_touch_no_memory_that_is_not_theirs() -> None:
    buffers = Buffers((), text=True)
    state = np.zeros(states.CSV_STATE_SIZE, np.int64)
    memory = np.full(4096, 0xEE, np.uint8)
    write_rows(buffers.arrays, 2, 4096, present_of(buffers), memory[64:], state)
    assert (memory[:64] == 0xEE).all()
