"""Attributes that are cast: decoded to moments, in every form and batch, or refused with the place of the first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.decode.decoder import Decoder
from converter.decode.strict_lines import LineProblem, TimeProblem
from converter.decode.time_rules import TimeRules
from converter.options import ConvertOptions
from converter.schema.column_types import INT64, TIMESTAMP, Cast, Origin
from converter.schema.columns import Column, Schema
from tests.examples import examples
from tests.times import (
    EPOCH,
    FIRST,
    any_micros,
    epoch_numbers,
    iso_texts,
    micros_of_number,
    micros_of_text,
    text_of,
    unix_texts,
)
from tests.unit.decode.decoding import (
    cut_blocks,
    decode_rows,
    everything,
    last_batch,
    lines_of,
    make_block,
    observe,
    rows_of,
    schema_of,
    texts_of,
)

CAST = ConvertOptions(cast=(("t", "timestamp(s)"),))
RULES = TimeRules({"t": Cast(TIMESTAMP, "s")})
SCHEMA = Schema((Column("id", "id", INT64, Origin.NUMBER), Column("t", "t", TIMESTAMP, Origin.TIME)))
UNIX = Schema((Column("id", "id", INT64, Origin.NUMBER), Column("time", "t", INT64, Origin.TIME)))
NULL: dict[str, Any] = {"NULL": True}


def decode(
    lines: bytes,
    schema: Schema | None = SCHEMA,
    *,
    text: bool = False,
    block_bytes: int = 1 << 20,
    rules: TimeRules = RULES,
) -> Decoder:
    """A decoder that has read these lines and still holds their rows."""
    decoder = Decoder(schema, text=text, wants=everything, times=rules)
    for block in cut_blocks(lines, block_bytes):
        assert list(decoder.decode(block)) == []
    return decoder


def problem_of(lines: bytes, schema: Schema | None = SCHEMA, **how: Any) -> LineProblem:
    with pytest.raises(LineProblem) as caught:
        decode(lines, schema, **how)
    return caught.value


@st.composite
def values(draw: st.DrawFn) -> tuple[dict[str, Any] | None, int | None]:
    """A typed value, or None where there is none, and its microseconds."""
    kind = draw(st.sampled_from(["text", "text", "number", "number", "null", "absent"]))
    if kind == "text":
        text = draw(st.one_of(iso_texts(), unix_texts()).filter(lambda text: micros_of_text(text) is not None))
        return {"S": text}, micros_of_text(text)
    if kind == "number":
        text = draw(epoch_numbers().filter(lambda text: micros_of_number(text) is not None))
        return {"N": draw(st.sampled_from([text, f"{text}e0"]))}, micros_of_number(text)
    return (NULL if kind == "null" else None), None


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(values(), min_size=1, max_size=40), st.sampled_from([1, 100, 1 << 20]))
def test_rows_hold_the_moments_of_their_items(drawn: list[tuple[dict[str, Any] | None, int | None]], size: int) -> None:
    lines = lines_of(*({"id": {"N": str(n)}} | ({"t": value} if value else {}) for n, (value, _) in enumerate(drawn)))
    expected = [micros for _, micros in drawn]
    rows = rows_of(SCHEMA, [last_batch(decode(lines, block_bytes=size))])
    assert [row["t"] for row in rows] == [
        None if micros is None else EPOCH + timedelta(microseconds=micros) for micros in expected
    ]
    seconds = [None if micros is None else micros // 1_000_000 for micros in expected]
    unix = decode(lines, UNIX, block_bytes=size)
    assert unix.changed == {"time": sum(micros is not None and micros % 1_000_000 != 0 for micros in expected)}
    assert [row["time"] for row in rows_of(UNIX, [last_batch(unix)])] == seconds
    text = last_batch(decode(lines, text=True, block_bytes=size))
    assert texts_of(text.buffers, 2, len(drawn)) == [None if micros is None else text_of(micros) for micros in expected]
    unix = decode(lines, UNIX, text=True, block_bytes=size)
    assert texts_of(last_batch(unix).buffers, 2, len(drawn)) == [None if s is None else str(s) for s in seconds]


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(values().filter(lambda pair: pair[0] is not None), min_size=1, max_size=20))
def test_what_is_observed_is_the_same_with_and_without_a_cast(
    drawn: list[tuple[dict[str, Any], int | None]],
) -> None:
    lines = lines_of(*({"id": {"N": "1"}, "t": value} for value, _ in drawn))
    plain = observe(lines)
    assert decode(lines, None).observation() == plain
    assert decode(lines).observation() == plain
    seen = decode(lines, None, rules=TimeRules({"t": Cast(TIMESTAMP)})).observation()
    attributes = {name: replace(found, magnitudes=0) for name, found in seen.attributes.items()}
    assert replace(seen, attributes=attributes) == plain


BAD: list[tuple[dict[str, Any], str]] = [
    ({"S": "2023-02-29"}, "no such date"),
    ({"S": "2023-11-27T25:00:00"}, "no such time of day"),
    ({"S": "yesterday"}, "ISO-8601"),
    ({"S": ""}, "ISO-8601"),
    ({"S": 'a "quoted" day'}, "ISO-8601"),
    ({"S": "2023-11-27\n"}, "ISO-8601"),
    ({"S": "２０２３-11-27"}, "ISO-8601"),
    ({"S": "x" * 500}, "ISO-8601"),
    ({"S": "2023"}, "nine digits"),
    ({"S": "20231127"}, "nine digits"),
    ({"S": "2023-11-27T06:11:47[Europe/Paris]"}, "needs an offset"),
    ({"S": "2023-11-27T06:11:47.1234567Z"}, "finer"),
    ({"N": "0.0000001"}, "finer"),
    ({"N": "1701065507109000"}, "years 1 to 9999"),
    ({"N": "1E+30"}, "years 1 to 9999"),
    *(({tag: value}, "only text and numbers") for tag, value in [("BOOL", True), ("B", "AQID"), ("M", {}), ("L", [])]),
    *(({tag: [value]}, "only text and numbers") for tag, value in [("SS", "2023-11-27"), ("NS", "1"), ("BS", "AQID")]),
]


@pytest.mark.parametrize("how", ["parquet", "csv", "unix", "observing", "slow path"])
@pytest.mark.parametrize(("value", "reason"), BAD, ids=[str(value)[:30] for value, _ in BAD])
def test_a_value_that_is_no_timestamp_is_refused_with_its_place(value: dict[str, Any], reason: str, how: str) -> None:
    good = lines_of({"id": {"N": "1"}, "t": {"S": "2023-11-27"}}, {"id": {"N": "2"}, "t": {"N": "5"}})
    bad = lines_of({"id": {"N": "3"}, "t": value}, {"id": {"N": "4"}, "t": {"S": "later"}})
    if how == "slow path":
        bad = bad.replace(b'"Item":', b'"Item" : ')
    schema = {"unix": UNIX, "observing": None}.get(how, SCHEMA)
    if how == "unix" and reason == "finer":
        assert decode(good + bad[: bad.index(b"\n") + 1], schema).changed == {"time": 1}
        return
    problem = problem_of(good + bad, schema, text=how == "csv")
    assert isinstance(problem, TimeProblem)
    assert reason in problem.reason
    assert problem.byte == len(good)
    ((tag, content),) = value.items()
    assert problem.path == f"$.Item.t.{tag}"
    if tag == "S":
        assert problem.value == content
        assert not content or content not in problem.reason


def test_a_line_that_is_no_item_is_a_bad_line_whatever_its_timestamp() -> None:
    problem = problem_of(b'{"Item":{"t":{"S":"never"},"id":{"N":"007"}}}\n')
    assert not isinstance(problem, TimeProblem)
    assert problem.path == "$.Item.id.N"
    assert not isinstance(problem_of(b'{"Item":{"t":{"S":"\xff"},"id":{"N":"7"}}}\n'), TimeProblem)
    assert not isinstance(problem_of(b'{"Item":{"t":{"BOOL":"x"}}}\n'), TimeProblem)


def test_the_first_attribute_of_the_line_is_the_one_that_is_named() -> None:
    lines = lines_of({"b": {"S": "x"}, "a": {"S": "y"}})
    decoder = Decoder(None, wants=everything, times=TimeRules({"a": Cast(TIMESTAMP), "b": Cast(TIMESTAMP)}))
    with pytest.raises(TimeProblem) as caught:
        list(decoder.decode(make_block(lines)))
    assert caught.value.path == "$.Item.b.S"


def test_escapes_in_a_timestamp_are_read() -> None:
    lines = b'{"Item":{"id":{"N":"1"},"t":{"S":"2023\\u002d11-27T06:11:47\\u005A"}}}\n'
    assert rows_of(SCHEMA, [last_batch(decode(lines))])[0]["t"] == EPOCH + timedelta(seconds=1_701_065_507)


def test_after_a_surprise_a_value_that_is_no_timestamp_is_still_refused() -> None:
    decoder = Decoder(SCHEMA, wants=everything)
    list(decoder.decode(make_block(lines_of({"id": {"N": "0.5"}, "t": {"S": "2023-11-27"}}))))
    assert decoder.observing
    with pytest.raises(TimeProblem):
        list(decoder.decode(make_block(lines_of({"id": {"N": "1"}, "t": {"S": "x"}}))))


def test_a_cast_attribute_that_the_schema_lacks_is_a_surprise_if_it_is_a_timestamp() -> None:
    schema = Schema(SCHEMA.columns[:1])
    decoder = decode(lines_of({"id": {"N": "1"}}, {"t": {"S": "2023-11-27"}}), schema)
    assert decoder.surprise == "attribute 't' is new"
    assert isinstance(problem_of(lines_of({"id": {"N": "1"}}, {"t": {"S": "x"}}), schema), TimeProblem)


def test_text_and_numbers_in_one_attribute_are_no_surprise() -> None:
    lines = lines_of({"t": {"S": "1970-01-01"}}, {"t": {"N": "0"}}, {"t": {"S": "1970-01-01T00:00:00.5"}})
    assert not decode(lines, schema_of(lines.splitlines(keepends=True)[0], cast=CAST.cast)).surprise
    assert [row["t"] for row in decode_rows(lines, cast=CAST.cast)] == [
        EPOCH,
        EPOCH,
        EPOCH + timedelta(milliseconds=500),
    ]


@pytest.mark.parametrize("text", [False, True])
def test_many_timestamps_make_their_column_grow(text: bool) -> None:
    items = [{"id": {"N": str(n)}, "t": {"N": str(n * 39_999_999)}} for n in range(5000)]
    decoder = decode(lines_of(*items), text=text)
    batch = last_batch(decoder)
    expected = [n * 39_999_999 * 1_000_000 for n in range(5000)]
    if text:
        assert texts_of(batch.buffers, 2, 5000) == list(map(text_of, expected))
    else:
        assert [row["t"] for row in rows_of(SCHEMA, [batch])] == [EPOCH + timedelta(microseconds=n) for n in expected]


def test_an_item_that_is_read_twice_counts_its_cut_once() -> None:
    # The spaces make the kernel give the line back after it has read the time.
    lines = b'{"Item":{"t":{"N":"0.5"},"id":{"N": "1"}}}\n{"Item":{"t":{"N":"1"},"id":{"N":"2"}}}\n'
    assert decode(lines, UNIX).changed == {"time": 1}


@given(any_micros())
def test_the_second_below_is_taken_before_1970_too(micros: int) -> None:
    value = {"S": text_of(micros)}
    batch = last_batch(decode(lines_of({"id": {"N": "1"}, "t": value}), UNIX))
    assert rows_of(UNIX, [batch])[0]["time"] == micros // 1_000_000
    assert micros >= FIRST
