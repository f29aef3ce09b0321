"""The moments that a table can be exported as of: where a run ends, what it begins with, and when changes are lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from converter import AwsOptions, ConvertOptions
from converter.api import _execution
from converter.aws.tables import RecoveryWindow, Table
from converter.errors import BusyError
from converter.publishing.record_entry import entry_of
from converter.syncing.destination_state import DestinationState
from converter.syncing.exportable_range import RECENT, ExportableRange
from converter.syncing.pending_exports import Clock, Exporting
from tests.unit.publishing.published import make_example_record, make_export

NOW = datetime(2024, 3, 9, 12, 40, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
LAST_QUARTER = datetime(2024, 3, 9, 12, 30, tzinfo=UTC)
NOTHING = DestinationState(snapshot=None, changes=(), has_older=False)


def range_of(earliest: datetime | None = None) -> ExportableRange:
    export = make_export()
    execution = _execution(ConvertOptions(), AwsOptions())
    clock = Clock(lambda: NOW, lambda _: None)
    exporting = Exporting(execution=execution, clock=clock, begun=NOW, timeout=None, verify=True)
    table = Table(name=export.table, arn=export.table_arn, table_id=export.table_id, region="eu-west-1", account="1")
    return ExportableRange(table, RecoveryWindow(earliest=earliest), None, exporting)


def state_at(end: datetime) -> DestinationState:
    """A destination whose last window ends at this moment."""
    record = make_example_record(export=make_export(time=end - timedelta(milliseconds=1)))
    return DestinationState(snapshot=None, changes=(entry_of(record),), has_older=False)


def nothing_exported(begin: datetime, _: datetime) -> datetime:
    return begin


def test_a_run_ends_at_the_last_quarter_that_can_be_exported() -> None:
    assert range_of().end() == LAST_QUARTER


def test_a_first_run_has_no_gap_unless_an_older_table_is_there() -> None:
    assert range_of().gap(NOTHING, LAST_QUARTER, nothing_exported) == ""
    older = DestinationState(snapshot=None, changes=(), has_older=True)
    assert "was deleted and re-created" in range_of().gap(older, LAST_QUARTER, nothing_exported)


def test_changes_from_before_the_recovery_window_are_lost_unless_they_are_exported() -> None:
    earliest, state = LAST_QUARTER - 2 * QUARTER, state_at(LAST_QUARTER - 4 * QUARTER)
    gap = range_of(earliest).gap(state, LAST_QUARTER, nothing_exported)
    assert gap.startswith("the changes since 2024-03-09T11:30:00Z can't be exported any more")
    assert range_of(earliest).gap(state, LAST_QUARTER, lambda _, __: earliest) == ""
    assert range_of(LAST_QUARTER - 4 * QUARTER).gap(state, LAST_QUARTER, nothing_exported) == ""


def test_less_than_a_window_is_not_a_gap() -> None:
    state = state_at(LAST_QUARTER - timedelta(minutes=10))
    assert range_of(LAST_QUARTER).gap(state, LAST_QUARTER, nothing_exported) == ""


def test_no_window_begins_inside_of_a_second() -> None:
    state = state_at(LAST_QUARTER - 2 * QUARTER + timedelta(milliseconds=500))
    assert "must start on a whole second" in range_of().gap(state, LAST_QUARTER, nothing_exported)


def test_the_first_full_export_is_of_the_end_or_of_the_last_moment_after_recovery_begins() -> None:
    assert range_of().first_moment(LAST_QUARTER) == LAST_QUARTER
    later = range_of(NOW - timedelta(minutes=7)).first_moment(LAST_QUARTER)
    assert LAST_QUARTER < later < NOW
    with pytest.raises(BusyError, match="has just begun"):
        range_of(NOW - timedelta(minutes=1)).first_moment(LAST_QUARTER)


def test_an_older_full_export_is_as_good_if_the_changes_after_it_can_be_exported() -> None:
    assert range_of().oldest(NOTHING, LAST_QUARTER) == LAST_QUARTER - RECENT
    assert range_of(LAST_QUARTER - QUARTER).oldest(NOTHING, LAST_QUARTER) == LAST_QUARTER - QUARTER
    state = state_at(LAST_QUARTER - 2 * QUARTER)
    assert range_of().oldest(state, LAST_QUARTER) == LAST_QUARTER - 2 * QUARTER
