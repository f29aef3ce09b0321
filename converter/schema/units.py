"""The unit of a column's Unix times, from the set of magnitudes of its numbers.

A magnitude is a mask of the units that a number may be in, or SMALL, or ZERO (kernels/parse/unix_times.py). The set
is an int with one bit for each magnitude, so that sets merge by `|` in any order. It alone decides: the unit is the one
that every number may be in, if there is exactly one.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import and_, or_
from shlex import quote
from typing import Final

from converter.errors import SchemaError
from converter.schema.columns import Column
from converter.schema.magnitudes import SMALL, ZERO
from converter.time_options import UNIT_NAMES, UNITS, Unit

_ALL: Final = (1 << len(UNITS)) - 1

_RANGES: Final = {
    1: "numbers from 10^8 to 10^11, or -62135596800 to -10^8, which are times in seconds",
    3: "numbers from 10^11 to 253402300799, which are times in seconds and in milliseconds",
    2: "numbers from 253402300800 to 10^14, or below -62135596800, which are times in milliseconds",
    6: "numbers from 10^14 to 253402300799999, which are times in milliseconds and in microseconds",
    4: "numbers from 253402300800000 to 10^17, or below -62135596800000, which are times in microseconds",
    12: "numbers from 10^17 to 253402300799999999, which are times in microseconds and in nanoseconds",
    8: "numbers from 253402300800000000 on, or below -62135596800000000, which are times in nanoseconds",
    SMALL: "numbers between -10^8 and 10^8, which are near 1970 in every unit",
    ZERO: "zeros",
}


def possible_units(magnitudes: int) -> tuple[Unit, ...]:
    """The units that all numbers with these magnitudes may be in."""
    return _units_of(reduce(and_, _masks_of(magnitudes), _ALL))


class UnitError(SchemaError):
    """The numbers of a column of times do not show one unit, or show another one than the destination's.

    units: the first number that can't be in one of them shows the problem; none if no number contradicts another.
    """

    def __init__(
        self, what: str, where: str = "", hint: str = "", column: Column | None = None, units: tuple[Unit, ...] = ()
    ) -> None:
        super().__init__(what, where, hint)
        self.column = column
        self.units = units


def choose_unit(column: Column, magnitudes: int, promised: Unit | None) -> Unit | None:
    """Return the unit of a column whose numbers have these magnitudes; None if every unit gives the same.

    promised: of the same column at the destination. Raises UnitError.
    """
    units = possible_units(magnitudes)
    if not magnitudes & ~(1 << ZERO) or promised in units:
        return promised
    seen = describe_magnitudes(magnitudes)
    if promised is not None:
        raise UnitError(
            f"attribute {column.attribute!r} has numbers that can't be {UNIT_NAMES[promised]}, as those of its column"
            f" {column.name!r} at this destination are: {seen}",
            hint=f"correct the items and export again; or, if the unit has changed, give the new one:"
            f" {_option(column)} --evolve",
            column=column,
            units=(promised,),
        )
    if len(units) == 1:
        return units[0]
    problem = f"its numbers may be {listed_units(units)}" if units else "its numbers can't all be in one unit"
    raise UnitError(
        f"the unit of the times in attribute {column.attribute!r} is not known, because {problem}: {seen}",
        hint=f"give the unit: {_option(column)}, where UNIT is {', '.join(UNITS)} (DynamoDB's TTL is in s)",
        column=column,
        units=() if units else _units_of(reduce(or_, _masks_of(magnitudes), 0)),
    )


def _option(column: Column) -> str:
    """The option that sets the unit of the column."""
    name = column.attribute or ""
    if column.type.has_units:
        name = re.sub(r"[\\,=]", r"\\\g<0>", name)
        return f"--cast {quote(f'{name}={column.type}(UNIT)')}"
    name = re.sub(r"[\\=]", r"\\\g<0>", name)
    return f"--time {quote(f'{name}=UNIT')}"


def _masks_of(magnitudes: int) -> list[int]:
    """Return the magnitudes of the set that are masks of units."""
    return [magnitude for magnitude in range(SMALL) if magnitudes >> magnitude & 1]


def _units_of(mask: int) -> tuple[Unit, ...]:
    return tuple(unit for index, unit in enumerate(UNITS) if mask >> index & 1)


def describe_magnitudes(magnitudes: int) -> str:
    """The ranges that the numbers are in, for messages."""
    return "; ".join(text for magnitude, text in _RANGES.items() if magnitudes >> magnitude & 1 and magnitude != ZERO)


def listed_units(units: tuple[Unit, ...]) -> str:
    """`seconds or milliseconds`."""
    names = [UNIT_NAMES[unit] for unit in units]
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
