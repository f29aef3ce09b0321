"""Rules for times: units as the kernel reads them, places of odd times, and values whose types are not times."""

from __future__ import annotations

import pytest

from converter.decode.strict_lines import TimeProblem
from converter.decode.time_rules import NO_TIME, NO_VALUE, OddTimes, TimeRules, count_bad_types, wrong_tag
from converter.kernels import time_reasons
from converter.options import ConvertOptions
from converter.schema.column_types import TIMESTAMP, Origin
from converter.schema.columns import Column
from converter.time_options import UNITS, Unit
from tests.unit.decode.decoding import lines_of, observe

COLUMN = Column("t", "t", TIMESTAMP, Origin.TIME, "ms")
"""A column of timestamps whose numbers are milliseconds, as the data showed."""


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_that_is_given_counts_more_than_one_that_was_found(unit: Unit) -> None:
    options = ConvertOptions(cast=(("t", f"timestamp({unit})"), ("u", "timestamp")))
    rules, place = TimeRules.of(options), UNITS.index(unit)
    assert rules.unit_code("t", COLUMN) == rules.unit_code("t", None) == time_reasons.GIVEN_UNIT + 1 + place
    assert rules.unit_code("u", COLUMN) == 1 + UNITS.index("ms")
    assert rules.unit_code("u", None) == 0


def test_the_times_of_changes_are_in_seconds() -> None:
    change = Column("_time", None, TIMESTAMP, Origin.CHANGE)
    assert TimeRules().unit_code("t", change) == time_reasons.GIVEN_UNIT + 1


def test_options_become_rules() -> None:
    options = ConvertOptions(time="t", on_bad_time="null", on_fine_time="truncate", time_default="export_time")
    rules = TimeRules.of(options, default=5)
    assert (rules.time, rules.nulls_bad, rules.cuts_fine, rules.default, rules.requires_time) == (
        "t",
        True,
        True,
        5,
        False,
    )
    strict = TimeRules.of(ConvertOptions(time="t", time_default="fail"), default=5)
    assert (strict.nulls_bad, strict.cuts_fine, strict.default, strict.requires_time) == (False, False, None, True)


def test_odd_times_are_taken_once_with_their_reasons() -> None:
    odd = OddTimes(TimeRules(time="t"))
    odd.add_value("a", time_reasons.NO_DATE, 10, "$.Item.a.S")
    odd.add_value("b", time_reasons.TOO_FINE, 20, "$.Item.b.S")
    assert not odd.has_untimed
    odd.add_untimed(30, "$.Item")
    found = [(one.attribute, one.oddity, one.byte, one.path, one.reason) for one in odd.take()]
    assert found == [
        ("a", "bad", 10, "$.Item.a.S", NO_TIME[time_reasons.NO_DATE]),
        ("b", "fine", 20, "$.Item.b.S", NO_TIME[time_reasons.TOO_FINE]),
        ("t", "untimed", 30, "$.Item", NO_VALUE),
    ]
    assert (odd.take(), odd.has_untimed) == ([], True)


def test_an_item_without_a_time_is_refused_with_its_place_if_each_must_have_one() -> None:
    odd = OddTimes(TimeRules(time="t", requires_time=True))
    with pytest.raises(TimeProblem, match="no value for the column time") as caught:
        odd.add_untimed(30, "$.Item")
    assert (caught.value.byte, caught.value.path) == (30, "$.Item")


def test_values_of_types_that_are_not_times_are_counted_as_bad() -> None:
    types = {"t": TIMESTAMP}
    items: list[dict[str, object]] = [
        {"t": {"S": "x"}},
        {"t": {"N": "1"}},
        {"t": {"BOOL": True}},
        {"t": {"L": []}, "u": {"L": []}},
    ]
    before = observe(lines_of(*items))
    after = count_bad_types(before, types)
    assert after.attributes["t"].bad_times == before.attributes["t"].bad_times + 2
    assert after.attributes["u"] == before.attributes["u"]
    assert wrong_tag(types["t"]) == time_reasons.NO_TEXT_OR_NUMBER
    assert NO_TIME.keys() >= {time_reasons.NO_TEXT, time_reasons.NO_TEXT_OR_NUMBER}
