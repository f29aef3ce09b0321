"""Rules of a decoder for times: units that are given, values that are not times, and items without a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from converter.decode.strict_lines import TimeProblem
from converter.kernels import time_reasons
from converter.options import ConvertOptions
from converter.schema import tags
from converter.schema.column_types import Cast, ColumnType, Origin
from converter.schema.columns import Column
from converter.schema.observe import Observation
from converter.time_options import UNITS

Oddity = Literal["bad", "fine", "untimed"]
"""bad: a value that became null. fine: a timestamp that was cut. untimed: an item without a value for `time`."""

NO_TIME: Final = {
    time_reasons.NO_FORM: "it is not in ISO-8601 form, such as 2023-11-27T06:11:47.109Z, and not a Unix time",
    time_reasons.NO_DATE: "there is no such date",
    time_reasons.NO_TIME_OF_DAY: "there is no such time of day",
    time_reasons.TOO_FINE: "a timestamp holds whole microseconds, and this is finer",
    time_reasons.OUT_OF_YEARS: "it is not in the years 1 to 9999 (of a number: in the unit of its column)",
    time_reasons.NO_TEXT_OR_NUMBER: "only text and numbers can be timestamps",
    time_reasons.NO_OFFSET: "a time zone's name in brackets needs an offset or Z in front of it",
    time_reasons.NO_DATE_FORM: "it is not in the form YYYY-MM-DD",
    time_reasons.NO_DAY: "there is no such day",
    time_reasons.NO_TEXT: "only text can be a date",
    time_reasons.SHORT_NUMBER: "fewer than nine digits may be a year or a date as well as a Unix time",
}
"""Reasons why a value is not a timestamp or a date."""
NO_VALUE: Final = "the item has no value for the column time"


@dataclass(frozen=True, slots=True)
class TimeRules:
    """Rules for values that must be timestamps.

    casts: by attribute, the type of its values, and the unit of its numbers if it is given. time: the attribute of the
    column `time`. nulls_bad: a value that is not a timestamp becomes null. cuts_fine: one that is finer than
    microseconds is cut. default: Unix seconds for rows without a value for `time`; None leaves them null.
    requires_time: an item without one is refused.
    """

    casts: Mapping[str, Cast] = field(default_factory=dict)
    time: str | None = None
    nulls_bad: bool = False
    cuts_fine: bool = False
    default: int | None = None
    requires_time: bool = False

    @staticmethod
    def of(options: ConvertOptions, default: int | None = None) -> TimeRules:
        """Return the rules of these options. default: the export's time in Unix seconds, if it is needed."""
        return TimeRules(
            casts=options.times(),
            time=options.time,
            nulls_bad=options.on_bad_time == "null",
            cuts_fine=options.on_fine_time == "truncate",
            default=default if options.time_default == "export_time" else None,
            requires_time=options.time_default == "fail",
        )

    def unit_code(self, attribute: str, column: Column | None) -> int:
        """Return the unit of an attribute's numbers for the kernel (FIELD_UNIT)."""
        if column is not None and column.origin is Origin.CHANGE:
            return time_reasons.GIVEN_UNIT + 1
        cast = self.casts.get(attribute)
        if cast is not None and cast.unit is not None:
            return time_reasons.GIVEN_UNIT + 1 + UNITS.index(cast.unit)
        return 0 if column is None or column.unit is None else 1 + UNITS.index(column.unit)


NO_TIMES: Final = TimeRules()


@dataclass(frozen=True, slots=True)
class OddTime:
    """The place of a value that became null or was cut, or of an item without a time.

    byte: of the inflated file, where the line begins. path: to the value.
    """

    attribute: str
    oddity: Oddity
    byte: int
    path: str
    reason: str


class OddTimes:
    """Collects the places of odd times until the caller takes them."""

    def __init__(self, rules: TimeRules) -> None:
        self._rules = rules
        self._found: list[OddTime] = []
        self.has_untimed = False

    def add_value(self, attribute: str, reason: int, byte: int, path: str) -> None:
        """Add a value that is not a time, or that is cut."""
        oddity: Oddity = "fine" if reason == time_reasons.TOO_FINE else "bad"
        self._found.append(OddTime(attribute, oddity, byte, path, NO_TIME[reason]))

    def add_untimed(self, byte: int, path: str) -> None:
        """Add the first item without a value for `time`. Raises its TimeProblem if each item must have one."""
        self.has_untimed = True
        if self._rules.requires_time:
            problem = TimeProblem(path, NO_VALUE)
            problem.byte = byte
            raise problem
        self._found.append(OddTime(str(self._rules.time), "untimed", byte, path, NO_VALUE))

    def take(self) -> list[OddTime]:
        """Return the odd times found since the last call."""
        taken, self._found = self._found, []
        return taken


def count_bad_types(observation: Observation, types: Mapping[str, ColumnType]) -> Observation:
    """Return the observation with values that can't be cast to these types, by their tags, counted as bad times."""
    counted = dict(observation.attributes)
    for name in counted.keys() & types.keys():
        seen = counted[name]
        others = seen.values - sum(seen.counts[tag] for tag in types[name].cast_from)
        counted[name] = replace(seen, bad_times=seen.bad_times + others)
    return replace(observation, attributes=counted)


def wrong_tag(type_: ColumnType) -> int:
    """Return the reason why a value of another tag than those of `cast_from` can't be cast to this type."""
    return time_reasons.NO_TEXT_OR_NUMBER if tags.N in type_.cast_from else time_reasons.NO_TEXT
