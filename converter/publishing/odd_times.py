"""Times that a run went on after: values that became null or were cut, and items without a value for `time`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from converter.decode.batch import Batch
from converter.decode.time_rules import NO_TIME, NO_VALUE, Oddity, OddTime
from converter.errors import SchemaError
from converter.kernels.time_reasons import REPORTED_TIMES, TOO_FINE
from converter.options import TIME_COLUMN, ConvertOptions
from converter.schema.column_types import DATE, ColumnType, Origin
from converter.schema.observe import AttributeObservation
from converter.schema.types import Column
from converter.storage.json_members import Members

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
    """What one shard, or a whole pass, found.

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
    """What all shards found; they come in their order. default: see OddTimesSeen."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TimesReport:
    """What a report says of a column of times.

    unit: what numbers count. bad: values that are not times, and became null; cut: times that were finer than
    microseconds; of both the first places. untimed: items without a value, in the column `time` alone; untimed_deletes:
    deletes among the changes, which have only their keys. default: what these rows hold, in Unix seconds.
    """

    unit: str | None = None
    bad: int = 0
    bad_places: tuple[str, ...] = ()
    cut: int = 0
    cut_places: tuple[str, ...] = ()
    untimed: int = 0
    untimed_deletes: int = 0
    untimed_place: str | None = None
    default: int | None = None

    def to_json(self) -> dict[str, object]:
        """As reports show it, without what is not there."""
        members: dict[str, object] = {
            "unit": self.unit,
            "bad": self.bad,
            "badPlaces": list(self.bad_places),
            "cut": self.cut,
            "cutPlaces": list(self.cut_places),
            "untimed": self.untimed,
            "untimedDeletes": self.untimed_deletes,
            "untimedPlace": self.untimed_place,
            "default": self.default,
        }
        return {name: value for name, value in members.items() if value not in (None, 0, []) or name == "unit"}

    @staticmethod
    def from_json(members: Members) -> TimesReport:
        """The reverse of to_json. Raises StorageError."""
        counts = {name: members.count(name) if members.has(name) else 0 for name in ("bad", "cut", "untimed")}
        return TimesReport(
            unit=members.text_or_none("unit"),
            bad_places=members.texts("badPlaces") if members.has("badPlaces") else (),
            cut_places=members.texts("cutPlaces") if members.has("cutPlaces") else (),
            untimed_deletes=members.count("untimedDeletes") if members.has("untimedDeletes") else 0,
            untimed_place=members.text("untimedPlace") if members.has("untimedPlace") else None,
            default=int(members.number("default")) if members.has("default") else None,
            **counts,
        )

    def warnings(self, column: str, type_: ColumnType) -> list[str]:
        """Warnings about values that a reader of the column would not expect."""
        warnings = []
        if self.bad:
            noun = "dates" if type_ == DATE else "times"
            warnings.append(
                f"column {column!r}: {self.bad:,} values are not {noun} and became null{_first(self.bad_places)}"
            )
        if self.cut:
            warnings.append(
                f"column {column!r}: {self.cut:,} times are cut to the microsecond below{_first(self.cut_places)}"
            )
        if self.default is None:
            warnings += self._untimed_warnings(column)
        return warnings

    def _untimed_warnings(self, column: str) -> list[str]:
        warnings = []
        becomes = "it is empty, and some consumers fill in the time of the upload"
        if self.untimed:
            place = _first(tuple(filter(None, (self.untimed_place,))))
            warnings.append(f"column {column!r}: {self.untimed:,} items have no time of their own: {becomes}{place}")
        if self.untimed_deletes:
            warnings.append(
                f"column {column!r}: {self.untimed_deletes:,} deletes have only keys, and no time: {becomes}"
            )
        return warnings

    @property
    def described(self) -> str:
        """The counts that are not zero, for people: `2 null, 1 cut, 3 without a time`."""
        counts = {"null": self.bad, "cut": self.cut, "without a time": self.untimed + self.untimed_deletes}
        return ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)


def describe_times(column: Column, found: OddTimesSeen, seen: AttributeObservation) -> TimesReport | None:
    """What the report says of a column, None if it does not hold times. seen: of its attribute."""
    if column.origin is not Origin.TIME:
        return None
    is_time = column.holds_unix_time
    return TimesReport(
        unit=column.unit,
        bad=seen.bad_times,
        bad_places=found.first(column.attribute, "bad"),
        cut=seen.fine_times,
        cut_places=found.first(column.attribute, "fine"),
        untimed=found.untimed if is_time else 0,
        untimed_deletes=found.untimed_deletes if is_time else 0,
        untimed_place=next(iter(found.first(column.attribute, "untimed")), None) if is_time else None,
        default=found.default if is_time else None,
    )


def _first(places: tuple[str, ...]) -> str:
    return f" (the first at {'; '.join(places)})" if places else ""
