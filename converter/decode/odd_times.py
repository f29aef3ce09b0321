"""Bad and missing times that do not stop a run: values that became null or were cut, and items without `time`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from converter.decode.batch import Batch
from converter.decode.time_rules import NO_TIME, NO_VALUE, Oddity, OddTime
from converter.errors import SchemaError
from converter.kernels.time_reasons import REPORTED_TIMES, TOO_FINE
from converter.options import TIME_COLUMN, ConvertOptions
from converter.schema.column_types import ColumnType, Origin

_CAST_WAY = (
    "correct the item and export again; or make such values null with --on-bad-time null, which counts them; or convert"
    " without --cast or --time for this attribute (where the destination has it as a {}, --schema FILE with"
    " --evolve sets another type)"
)
_FINE_WAY = "cut such values to the microsecond with --on-fine-time truncate, which counts them"
_UNTIMED_WAY = "--time-default export_time gives such items the export's time; without it their time is empty"


@dataclass(frozen=True, slots=True)
class TimePlace:
    """The place of an odd time, as errors name it, and what is odd about it."""

    attribute: str
    oddity: Oddity
    place: str


@dataclass(frozen=True, slots=True)
class OddTimesSeen:
    """The odd times of one shard, or of a whole pass.

    places: the first of each attribute and oddity, in the order of the items. untimed: items without a value for
    `time`, deletes apart; untimed_deletes: deletes without one. default: what these rows hold, in Unix seconds.
    """

    places: tuple[TimePlace, ...] = ()
    untimed: int = 0
    untimed_deletes: int = 0
    default: int | None = None

    def first(self, attribute: str | None, oddity: Oddity) -> tuple[str, ...]:
        """The first places of one kind."""
        found = (each.place for each in self.places if each.attribute == attribute and each.oddity == oddity)
        return tuple(found)[:REPORTED_TIMES]


NO_ODD_TIMES = OddTimesSeen()


def place_of(odd: OddTime, where: str) -> TimePlace:
    """An odd time with its place. where: of its line."""
    reason = f" ({odd.reason})" if odd.oddity == "bad" else ""
    return TimePlace(odd.attribute, odd.oddity, f"{where}: {odd.path}{reason}")


def untimed_place(options: ConvertOptions, place: str) -> TimePlace:
    """The place of rows without a time: a part of a base. Raises SchemaError where each must have one."""
    if options.time_default == "fail":
        raise SchemaError(f"a row of the base has no value for the column {TIME_COLUMN}", place, _UNTIMED_WAY)
    return TimePlace(str(options.time), "untimed", place)


def fill_time(batch: Batch, options: ConvertOptions, export_time: int | None) -> int:
    """Give rows of a base that have no time the export's, if that is asked for; return how many there are."""
    for index, column in enumerate(batch.schema.columns, 1):
        if column.origin is Origin.TIME and column.name == TIME_COLUMN:
            untimed = batch.rows - batch.buffers.present(index)
            if untimed and options.time_default == "export_time" and export_time is not None:
                batch.buffers.fill_absent(index, export_time, batch.rows)
            return untimed
    return 0


def merge_odd_times(seen: Iterable[OddTimesSeen], default: int | None = None) -> OddTimesSeen:
    """Return the odd times of all shards, which are in their order. default: see OddTimesSeen."""
    found = list(seen)
    return OddTimesSeen(
        tuple(place for each in found for place in each.places),
        sum(each.untimed for each in found),
        sum(each.untimed_deletes for each in found),
        default,
    )


def explain_time(type_: ColumnType, reason: str, where: str, hint: str) -> tuple[str, str, str]:
    """(what, where, hint) of the error for a value that is not of this type, or an item without a time."""
    if reason == NO_VALUE:
        return reason, where, f"{_UNTIMED_WAY}; {hint}"
    way = _CAST_WAY.format(type_)
    way = f"{_FINE_WAY}; {way}" if reason.startswith(NO_TIME[TOO_FINE]) else way
    return f"the value is not a {type_}: {reason}", where, f"{way}; {hint}"
