"""The report of a column of times: its unit, and values that became null, were cut, or are missing."""

from __future__ import annotations

from dataclasses import dataclass

from converter.decode.odd_times import OddTimesSeen
from converter.schema.column_types import DATE, ColumnType, Origin
from converter.schema.columns import Column
from converter.schema.observe import AttributeObservation
from converter.storage.json_members import Members, members_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TimesReport:
    """Counts and places of odd times in a column of times.

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
        members = members_of(self).items()
        return {name: value for name, value in members if value not in (None, 0, []) or name == "unit"}

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
    """Return the report of a column, None if it does not hold times. seen: of its attribute."""
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
