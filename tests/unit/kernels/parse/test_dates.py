"""Attributes that are cast to dates: compared with Python's calendar in every form, batch, and format."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.decode.decoder import Decoder
from converter.decode.strict_lines import LineProblem, TimeProblem
from converter.decode.time_rules import TimeRules
from converter.kernels.parse.calendar import parse_date, put_date
from converter.kernels.time_reasons import NO_DATE_FORM, NO_DAY
from converter.kernels.toolchain.decorators import kernel
from converter.options import ConvertOptions
from converter.schema.column_types import DATE, INT64, Cast, Origin
from converter.schema.columns import Column, Schema
from converter.write.csv import CsvPart
from converter.write.parquet import ParquetPart
from tests.examples import examples
from tests.times import DAY_0
from tests.unit.decode.decoding import (
    Bytes,
    cut_blocks,
    everything,
    last_batch,
    lines_of,
    padded,
    rows_of,
    texts_of,
    write_batch,
)

SCHEMA = Schema((Column("id", "id", INT64, Origin.NUMBER), Column("d", "d", DATE, Origin.TIME)))
RULES = TimeRules({"d": Cast(DATE)})
NULLING = TimeRules({"d": Cast(DATE)}, nulls_bad=True)
EDGES = [
    *("0001-01-01", "0001-12-31", "0004-02-29", "0100-02-28", "0400-02-29", "1582-10-04", "1582-10-15"),
    *("1900-02-28", "1904-02-29", "1969-12-31", "1970-01-01", "2000-02-29", "2024-02-29", "9996-02-29", "9999-12-31"),
]
BAD_DAYS = [
    *("0000-01-01", "0000-02-29", "0100-02-29", "1900-02-29", "2023-02-29", "2100-02-29", "9999-02-29"),
    *("2024-02-30", "2024-04-31", "2024-00-10", "2024-13-01", "2024-01-00", "2024-01-32", "9999-99-99"),
]
BAD_FORMS = [
    *("", "2024", "2024-01", "20240101", "2024-1-1", "2024-001", "2024-W01-1", "24-01-01", "12024-01-01"),
    *("2024-01-01T00:00:00Z", "2024-01-01T", "2024-01-01 ", " 2024-01-01", "2024 01 01", "2024/01/01", "2024.01.01"),
    *("+2024-01-01", "-2024-01-01", "-001-01-01", "2024--1-01", "2024-+1-01", "2024-01-01\n", "2024-01-01\0"),
    *("２０２４-01-01", "2024-01-٠١", "2024−01−01", "202a-01-01", "2024-0x-01", "2024-01-1e", "today", "1704067200"),
]
DAY_TEXTS = st.one_of(st.dates().map(date.isoformat), st.sampled_from(EDGES))
ANY_TEXTS = st.one_of(
    DAY_TEXTS,
    st.sampled_from(BAD_DAYS + BAD_FORMS),
    st.from_regex(re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)),
    st.from_regex(re.compile(r"[0-9+ :/.a-]{8,11}\Z", re.ASCII)),
    st.text(max_size=12),
)


def day_of(text: str) -> date | None:
    """The date of a text in exactly the form YYYY-MM-DD, by Python's calendar; None for any other text."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    year, month, day = map(int, text.split("-"))
    if year == 0 or not 1 <= month <= 12 or not 1 <= day <= monthrange(year, month)[1]:
        return None
    return date(year, month, day)


def decode(lines: bytes, schema: Schema | None = SCHEMA, *, rules: TimeRules = RULES, **how: Any) -> Decoder:
    """A decoder that has read these lines and still holds their rows."""
    block_bytes = how.pop("block_bytes", 1 << 20)
    decoder = Decoder(schema, wants=everything, times=rules, **how)
    for block in cut_blocks(lines, block_bytes):
        assert list(decoder.decode(block)) == []
    return decoder


def problem_of(value: dict[str, Any], schema: Schema | None = SCHEMA) -> TimeProblem:
    with pytest.raises(LineProblem) as caught:
        decode(lines_of({"id": {"N": "1"}}, {"id": {"N": "2"}, "d": value}), schema)
    assert isinstance(caught.value, TimeProblem)
    return caught.value


@kernel
def date_read(data: Bytes, at: int, end: int) -> tuple[int, int]:
    return parse_date(data, at, end)


@kernel
def date_put(target: Bytes, o: int, days: int) -> int:
    return put_date(target, o, days)


def parsed(text: str) -> tuple[int, int]:
    """The days and the reason of a text; around it are digits, which would make it another one."""
    data = text.encode()
    days, reason = date_read(padded(b"7" + data + b"0123456789"), 1, 1 + len(data))
    return int(days), int(reason)


def test_every_day_of_some_years_is_read_and_written_as_python_does() -> None:
    target = np.zeros(64, np.uint8)
    for year in (1, 2, 3, 4, 99, 100, 101, 399, 400, 1582, 1899, 1900, 1969, 1970, 2000, 2023, 2024, 2100, 9996, 9999):
        for ordinal in range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1):
            text = date.fromordinal(ordinal).isoformat()
            assert parsed(text) == (ordinal - DAY_0, 0), text
            assert date_put(target, 0, ordinal - DAY_0) == 10
            assert target[:10].tobytes().decode() == text


@settings(max_examples=examples(500), deadline=None)
@given(ANY_TEXTS)
def test_a_text_is_a_date_exactly_if_it_is_one_for_python(text: str) -> None:
    days, reason = parsed(text)
    day = day_of(text)
    assert (reason == 0) == (day is not None)
    assert days == (0 if day is None else day.toordinal() - DAY_0)


@pytest.mark.parametrize(("texts", "reason"), [(BAD_DAYS, NO_DAY), (BAD_FORMS, NO_DATE_FORM)])
def test_a_reason_tells_a_day_that_does_not_exist_from_another_form(texts: list[str], reason: int) -> None:
    assert {text: parsed(text)[1] for text in texts} == dict.fromkeys(texts, reason)


CELLS = st.one_of(DAY_TEXTS.map(lambda text: {"S": text}), st.sampled_from([None, {"NULL": True}]))


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=60), st.sampled_from([1, 100, 1 << 20]))
def test_rows_hold_the_dates_of_their_items(drawn: list[dict[str, Any] | None], size: int) -> None:
    lines = lines_of(*({"id": {"N": str(n)}} | ({"d": value} if value else {}) for n, value in enumerate(drawn)))
    texts = [None if value is None else value.get("S") for value in drawn]
    days = [None if text is None else date.fromisoformat(text) for text in texts]
    typed = last_batch(decode(lines, block_bytes=size))
    assert [row["d"] for row in rows_of(SCHEMA, [typed])] == days
    text = last_batch(decode(lines, text=True, block_bytes=size))
    assert texts_of(text.buffers, 2, len(drawn)) == texts
    expected = "".join(f"{n},{text or ''}\n" for n, text in enumerate(texts))
    for batch in (text, last_batch(decode(lines, block_bytes=size))):
        sink = BytesIO()
        part = CsvPart(sink, SCHEMA, ConvertOptions(format="csv"))
        write_batch(part, batch)
        part.close()
        assert sink.getvalue().decode() == f"id,d\n{expected}"


@settings(max_examples=examples(50), deadline=None)
@given(st.lists(DAY_TEXTS, min_size=1, max_size=200), st.sampled_from(["compact", "compatible"]))
def test_parquet_has_the_least_and_the_greatest_date(texts: list[str], encoding: Any) -> None:
    sink = BytesIO()
    part = ParquetPart(sink, SCHEMA, ConvertOptions(encoding=encoding))
    part.write(last_batch(decode(lines_of(*({"id": {"N": "1"}, "d": {"S": text}} for text in texts)))))
    part.close()
    statistics = pq.ParquetFile(BytesIO(sink.getvalue())).metadata.row_group(0).column(1).statistics
    days = [date.fromisoformat(text) for text in texts]
    assert (statistics.min, statistics.max, statistics.null_count) == (min(days), max(days), 0)


@pytest.mark.parametrize("schema", [SCHEMA, None])
@pytest.mark.parametrize("text", [*BAD_DAYS, *BAD_FORMS])
def test_a_text_that_is_not_a_date_is_refused_with_its_place(text: str, schema: Schema | None) -> None:
    problem = problem_of({"S": text}, schema)
    assert (problem.path, problem.value, problem.type) == ("$.Item.d.S", text, DATE)
    assert problem.byte == len(lines_of({"id": {"N": "1"}}))


@pytest.mark.parametrize("schema", [SCHEMA, None])
@pytest.mark.parametrize("value", [{"N": "20240101"}, {"BOOL": True}, {"B": "AAE="}, {"L": []}, {"SS": ["2024-01-01"]}])
def test_only_text_can_be_a_date(value: dict[str, Any], schema: Schema | None) -> None:
    assert problem_of(value, schema).reason == "only text can be a date"


def test_a_date_may_be_spelled_with_escapes() -> None:
    line = rb'{"Item":{"id":{"N":"1"},"d":{"S":"\u0032024-01-\u0030\u0031"}}}' + b"\n"
    assert [row["d"] for row in rows_of(SCHEMA, [last_batch(decode(line))])] == [date(2024, 1, 1)]


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.one_of(ANY_TEXTS.map(lambda text: {"S": text}), st.just({"N": "7"})), min_size=1, max_size=30))
def test_values_that_are_not_dates_can_become_null_and_are_counted(drawn: list[dict[str, str]]) -> None:
    lines = lines_of(*({"id": {"N": "1"}, "d": value} for value in drawn))
    days = [day_of(value.get("S", "")) for value in drawn]
    decoder = decode(lines, rules=NULLING)
    seen = decoder.observation().attributes["d"]
    assert seen.bad_times == days.count(None)
    assert decode(lines, None, rules=NULLING).observation().attributes["d"] == seen
    assert [row["d"] for row in rows_of(SCHEMA, [last_batch(decoder)])] == days
