"""The unit of a column: a function of the set of magnitudes, in whatever order and grouping they were merged."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.schema.column_types import INT64, TIMESTAMP, Origin
from converter.schema.columns import Column
from converter.schema.magnitudes import SMALL, ZERO
from converter.schema.units import UnitError, choose_unit, possible_units
from converter.time_options import UNITS, Unit

COLUMN = Column("at", "at", TIMESTAMP, Origin.TIME)
TIME = Column("time", "a=t", INT64, Origin.TIME)
MAGNITUDES = (1, 2, 3, 4, 6, 8, 12, SMALL, ZERO)


def set_of(*magnitudes: int) -> int:
    return sum(1 << magnitude for magnitude in set(magnitudes))


@given(st.lists(st.sampled_from(MAGNITUDES)))
def test_units_are_those_that_every_number_may_be_in(magnitudes: list[int]) -> None:
    expected = [unit for index, unit in enumerate(UNITS) if all(m >= SMALL or m >> index & 1 for m in magnitudes)]
    assert list(possible_units(set_of(*magnitudes))) == expected
    telling = [m for m in magnitudes if m != ZERO]
    if not telling:
        assert choose_unit(COLUMN, set_of(*magnitudes), None) is None
    elif len(expected) == 1:
        assert choose_unit(COLUMN, set_of(*magnitudes), None) == expected[0]
    else:
        with pytest.raises(UnitError):
            choose_unit(COLUMN, set_of(*magnitudes), None)


@given(st.lists(st.sampled_from(MAGNITUDES)), st.sampled_from(UNITS))
def test_a_promised_unit_stays_or_is_broken_and_never_becomes_another(magnitudes: list[int], promised: Unit) -> None:
    seen = set_of(*magnitudes)
    if promised in possible_units(seen):
        assert choose_unit(COLUMN, seen, promised) == promised
    else:
        with pytest.raises(UnitError, match="at this destination") as caught:
            choose_unit(COLUMN, seen, promised)
        assert caught.value.units == (promised,)


def test_an_error_names_the_ranges_the_units_and_the_option() -> None:
    match = r"10\^8 to 10\^11.*in seconds; .* to 10\^14.*milliseconds"
    with pytest.raises(UnitError, match=match) as caught:
        choose_unit(COLUMN, set_of(1, 2, SMALL), None)
    assert caught.value.units == ("s", "ms")
    assert "--cast 'at=timestamp(UNIT)'" in caught.value.hint
    with pytest.raises(UnitError, match="may be seconds or milliseconds") as caught:
        choose_unit(TIME, set_of(3), None)
    assert caught.value.units == ()
    assert r"--time 'a\=t=UNIT'" in caught.value.hint
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
