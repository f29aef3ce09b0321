"""The report of a column of times: nothing that became null, was cut, or is missing goes unreported."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from converter.decode.odd_times import OddTimesSeen, TimePlace
from converter.errors import StorageError
from converter.publishing.times_report import TimesReport, describe_times
from converter.schema.column_types import DATE, INT64, STRING, TIMESTAMP, Origin
from converter.schema.columns import Column
from converter.schema.observe import AttributeObservation
from converter.storage.json_members import Members

AT = Column("at", "at", TIMESTAMP, Origin.TIME, "ms")
UNIX_TIME = Column("time", "made", INT64, Origin.TIME, "s")
SEEN = AttributeObservation(bad_times=2, fine_times=1)
FOUND = OddTimesSeen(
    (
        TimePlace("at", "bad", "line 1"),
        TimePlace("made", "bad", "line 2"),
        TimePlace("at", "fine", "line 3"),
        TimePlace("at", "bad", "line 4"),
        TimePlace("made", "untimed", "line 5"),
        TimePlace("made", "untimed", "line 6"),
    ),
    untimed=3,
    untimed_deletes=4,
    default=1700000000,
)
FULL = TimesReport(
    unit="s",
    bad=1000,
    bad_places=("line 2",),
    cut=2000,
    cut_places=("line 3", "line 4"),
    untimed=3000,
    untimed_deletes=4000,
    untimed_place="line 5",
)


def test_only_a_column_of_times_has_such_a_report() -> None:
    assert describe_times(Column("at", "at", STRING, Origin.TEXT), FOUND, SEEN) is None


def test_a_column_has_its_own_places_and_only_the_column_time_can_lack_one() -> None:
    assert describe_times(AT, FOUND, SEEN) == TimesReport(
        unit="ms", bad=2, bad_places=("line 1", "line 4"), cut=1, cut_places=("line 3",)
    )
    assert describe_times(UNIX_TIME, FOUND, SEEN) == TimesReport(
        unit="s",
        bad=2,
        bad_places=("line 2",),
        cut=1,
        untimed=3,
        untimed_deletes=4,
        untimed_place="line 5",
        default=1700000000,
    )
    whole = describe_times(UNIX_TIME, OddTimesSeen(), AttributeObservation())
    assert whole == TimesReport(unit="s")


@pytest.mark.parametrize("report", [TimesReport(), FULL, replace(FULL, unit=None, default=1700000000)])
def test_a_report_is_the_same_after_its_way_through_json(report: TimesReport) -> None:
    members = json.loads(json.dumps(report.to_json()))
    assert TimesReport.from_json(Members(members, "x.json")) == report


def test_what_did_not_occur_is_left_out_of_the_json_except_the_unit() -> None:
    assert TimesReport().to_json() == {"unit": None}
    assert TimesReport(unit="s", cut=1, cut_places=("line 3",)).to_json() == {
        "unit": "s",
        "cut": 1,
        "cutPlaces": ["line 3"],
    }


def test_a_damaged_count_is_an_error_that_names_it() -> None:
    with pytest.raises(StorageError, match=r"x\.json: the file is damaged: \$\.bad"):
        TimesReport.from_json(Members({"unit": None, "bad": -1}, "x.json"))


def test_each_kind_of_odd_time_is_warned_of_with_its_count_and_first_places() -> None:
    becomes = "it is empty, and some consumers fill in the time of the upload"
    assert FULL.warnings("time", INT64) == [
        "column 'time': 1,000 values are not times and became null (the first at line 2)",
        "column 'time': 2,000 times are cut to the microsecond below (the first at line 3; line 4)",
        f"column 'time': 3,000 items have no time of their own: {becomes} (the first at line 5)",
        f"column 'time': 4,000 deletes have only keys, and no time: {becomes}",
    ]
    assert replace(FULL, bad_places=()).warnings("day", DATE)[0] == (
        "column 'day': 1,000 values are not dates and became null"
    )
    assert TimesReport(unit="s").warnings("time", INT64) == []


def test_rows_that_got_the_time_of_the_export_are_not_warned_of() -> None:
    assert len(replace(FULL, default=1700000000).warnings("time", INT64)) == 2


def test_the_counts_are_described_together() -> None:
    assert FULL.described == "1,000 null, 2,000 cut, 7,000 without a time"
    assert TimesReport(cut=1).described == "1 cut"
