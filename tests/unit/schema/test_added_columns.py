"""Added columns: their types, and the facts of the export that they hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from converter.options import ADDED
from converter.schema.added_columns import TYPES, added_columns, added_text, added_values
from converter.schema.column_types import INT64, STRING, TIMESTAMP, Origin
from converter.schema.columns import Column

WANTED = (("when", "export_time"), ("which", "export_id"), ("day", "date"), ("time", "unix_time"))


def test_every_fact_that_can_be_asked_for_has_a_type() -> None:
    assert set(TYPES) == set(ADDED)


def test_the_columns_stand_in_the_order_given() -> None:
    assert added_columns(WANTED) == [
        Column("when", None, TIMESTAMP, Origin.ADDED),
        Column("which", None, STRING, Origin.ADDED),
        Column("day", None, STRING, Origin.ADDED),
        Column("time", None, INT64, Origin.ADDED),
    ]


@pytest.mark.parametrize(
    ("instant", "micros", "seconds", "text"),
    [
        (datetime(2023, 11, 27, 6, 11, 47, 109_000, UTC), 1701065507109000, 1701065507, "2023-11-27T06:11:47.109000Z"),
        (
            datetime(2023, 11, 27, 6, 11, 47, tzinfo=timezone(timedelta(hours=1))),
            1701061907000000,
            1701061907,
            "2023-11-27T05:11:47.000000Z",
        ),
        (datetime(1969, 12, 31, 23, 59, 59, 999_000, UTC), -1000, -1, "1969-12-31T23:59:59.999000Z"),
        (datetime(1, 1, 1, tzinfo=UTC), -62135596800000000, -62135596800, "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_values_are_exact_and_have_their_text(instant: datetime, micros: int, seconds: int, text: str) -> None:
    values = added_values(WANTED, export_id="0170-ab", instant=instant, date="2023-11-27")
    assert values == {"when": micros, "which": "0170-ab", "day": "2023-11-27", "time": seconds}
    texts = [added_text(column, values[column.name]) for column in added_columns(WANTED)]
    assert texts == [text, "0170-ab", "2023-11-27", str(seconds)]
