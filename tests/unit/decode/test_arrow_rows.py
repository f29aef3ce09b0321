"""Arrow's columns as those of a batch, and in the form of wider columns."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from converter.decode.arrow_rows import batch_of, can_recast, plain_text, recast
from converter.options import ConvertOptions
from converter.schema.column_types import Origin, parse_type
from converter.schema.columns import Column, Schema
from converter.write.formats import open_part
from tests.unit.decode.decoding import write_batch

INT = Column("v", "v", parse_type("int64"), Origin.NUMBER)
DECIMAL = Column("v", "v", parse_type("decimal128(38, 9)"), Origin.NUMBER)
WIDE = Column("v", "v", parse_type("decimal128(38, 18)"), Origin.NUMBER)
NUMBER_TEXT = Column("v", "v", parse_type("string"), Origin.NUMBER_TEXT)
TEXT = Column("v", "v", parse_type("string"), Origin.TEXT)
DOUBLE = Column("v", "v", parse_type("double"), Origin.NUMBER)
BINARY = Column("v", "v", parse_type("binary"), Origin.BINARY)
BOOL = Column("v", "v", parse_type("bool"), Origin.BOOL)
JSON = Column("v", "v", parse_type("string"), Origin.JSON)
MIXED = Column("v", "v", parse_type("string"), Origin.MIXED_TEXT)
TYPED = Column("v", "v", parse_type("string"), Origin.MIXED_JSON)
TIME = Column("v", "v", parse_type("timestamp"), Origin.TIME)
DAY = Column("v", "v", parse_type("date"), Origin.TIME)
ALL = (INT, DECIMAL, NUMBER_TEXT, TEXT, DOUBLE, BINARY, BOOL, JSON, MIXED, TYPED, TIME, DAY)

ARROW = {
    INT: pa.int64(),
    DECIMAL: pa.decimal128(38, 9),
    WIDE: pa.decimal128(38, 18),
    DOUBLE: pa.float64(),
    BINARY: pa.binary(),
    BOOL: pa.bool_(),
    TIME: pa.timestamp("us", tz="UTC"),
    DAY: pa.date32(),
}


def array(column: Column, *values: Any) -> pa.Array:
    return pa.array(values, ARROW.get(column, pa.string()))


@pytest.mark.parametrize(
    ("column", "values", "texts"),
    [
        (INT, [0, -7, 2**63 - 1, None], ["0", "-7", "9223372036854775807", None]),
        (DECIMAL, [Decimal("12.5"), Decimal(0), Decimal("-0.000000001"), None], ["12.5", "0", "-0.000000001", None]),
        (DECIMAL, [Decimal("12.5"), Decimal(100), Decimal("1.050")], ["12.5", "100", "1.05"]),
        (NUMBER_TEXT, ["1E", None], ["1E", None]),
        (BINARY, [b"\x00\x01", b"", None], ["AAE=", "", None]),
        (BOOL, [True, False, None], ["true", "false", None]),
    ],
)
def test_values_have_the_text_that_the_decoder_would_have_given_them(
    column: Column, values: list[Any], texts: list[str | None]
) -> None:
    assert plain_text(array(column, *values), column).to_pylist() == texts


@pytest.mark.parametrize(
    ("before", "after", "value", "expected"),
    [
        (INT, DECIMAL, 7, Decimal(7)),
        (INT, WIDE, 10**18, Decimal(10**18)),
        (DECIMAL, INT, Decimal(-5), -5),
        (DECIMAL, WIDE, Decimal("0.000000001"), Decimal("0.000000001")),
        (DECIMAL, NUMBER_TEXT, Decimal("2.50"), "2.5"),
        (INT, DOUBLE, 3, "3"),
        (TEXT, TYPED, 'a "b"', '{"S":"a \\"b\\""}'),
        (BOOL, TYPED, True, '{"BOOL":true}'),
        (DECIMAL, TYPED, Decimal("2.50"), '{"N":"2.5"}'),
        (BINARY, TYPED, b"\x01", '{"B":"AQ=="}'),
        (JSON, MIXED, '{"a":1}', '{"a":1}'),
    ],
)
def test_a_value_gets_the_form_of_a_wider_column(before: Column, after: Column, value: Any, expected: Any) -> None:
    assert can_recast(before, after)
    assert recast(array(before, value, None), before, after).to_pylist() == [expected, None]


def test_what_is_not_known_exactly_any_more_becomes_nothing_else() -> None:
    allowed = {(a, b) for a in ALL for b in ALL if a != b and can_recast(a, b)}
    numbers = {(INT, DECIMAL), (DECIMAL, INT), (INT, NUMBER_TEXT), (DECIMAL, NUMBER_TEXT), (INT, DOUBLE)}
    numbers |= {(DECIMAL, DOUBLE)}
    to_mixed = {(a, MIXED) for a in (INT, DECIMAL, NUMBER_TEXT, TEXT, BINARY, BOOL, JSON)}
    to_typed = {(a, TYPED) for a in (INT, DECIMAL, NUMBER_TEXT, TEXT, BINARY, BOOL)}
    assert allowed == numbers | to_mixed | to_typed


@pytest.mark.parametrize("column", ALL, ids=lambda column: f"{column.type} {column.origin}")
@pytest.mark.parametrize("rows", [1, 7, 8, 9, 1000])
def test_columns_of_every_type_are_written_as_they_were_read(column: Column, rows: int) -> None:
    chance = np.random.default_rng(rows)
    some: dict[Column, Any] = {
        INT: lambda n: n - 3,
        DECIMAL: lambda n: Decimal(n) / 8,
        DOUBLE: lambda n: n / 3,
        BINARY: lambda n: bytes([n % 256]) * (n % 5),
        BOOL: lambda n: n % 3 == 0,
        TIME: lambda n: n * 1_000_003,
        DAY: lambda n: n * 997,
    }
    make = some.get(column, lambda n: "ü" * (n % 4) + str(n))
    values = array(column, *(make(n) if chance.random() < 0.7 else None for n in range(rows + 5))).slice(5)
    schema = Schema((column, Column("none", "none", parse_type("string"), Origin.TEXT)))
    sink = BytesIO()
    writer = open_part(sink, schema, ConvertOptions())
    write_batch(writer, batch_of([values, None], rows, schema, {}, {}))
    writer.close()
    table = pq.read_table(pa.BufferReader(sink.getvalue()))
    assert table.column("v").to_pylist() == values.to_pylist()
    assert table.column("none").null_count == rows
