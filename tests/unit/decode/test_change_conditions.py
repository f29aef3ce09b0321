"""Conditions on changes: the operation, the time and the old image of each."""

from __future__ import annotations

import pytest

from converter.conditions.evaluate import satisfies
from converter.conditions.parse import parse_condition
from converter.decode.change_conditions import bind_facts
from converter.errors import UsageError
from converter.schema.change_columns import MARK

CHANGE: dict[str, object] = {
    f"{MARK}update": {"S": "update"},
    f"{MARK}time": {"N": "1701065507.109"},
    f"{MARK}old": {"M": {"status": {"S": "open"}}},
    "status": {"S": "paid"},
}


@pytest.mark.parametrize(
    "text",
    [
        "_op = 'update'",
        "'update' = _op AND _op <> 'delete'",
        "_op IN ('insert', 'update')",
        "_write_ts = '2023-11-27T06:11:47.109Z'",
        "_write_ts < '2023-11-27T07:11:47.2+01:00' AND '2023-11-27' <= _write_ts",
        "_old.status = 'open' AND status = 'paid' AND exists(_old)",
        "size(_old) = 1 AND NOT (_op = 'put' OR _op = 'insert')",
    ],
)
def test_facts_of_a_change_have_the_names_of_their_columns(text: str) -> None:
    assert satisfies(CHANGE, bind_facts(parse_condition(text)))


@pytest.mark.parametrize(
    "text", ["_op = 'removed'", "_op > 'a'", "_op = status", "_write_ts > 5", "_write_ts > 'x'", "exists(_op)"]
)
def test_comparisons_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        bind_facts(parse_condition(text))
