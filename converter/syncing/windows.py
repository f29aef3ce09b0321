"""The last moment that a table can be exported as of, and the windows up to it.

The service exports windows of 15 minutes to 24 hours, which end 5 minutes ago or earlier, like moments. Windows of
today end at whole quarters of an hour in UTC, so that runs that are started twice ask for the same export.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html
"""

from __future__ import annotations

from datetime import datetime, timedelta

from converter.aws.export_request import LONGEST_WINDOW, RECOVERY_DELAY, SHORTEST_WINDOW
from converter.aws.tables import RecoveryWindow

SETTLED = RECOVERY_DELAY + timedelta(minutes=1)
"""A moment can be exported for sure after this delay."""

_QUARTER = 900


def last_quarter(now: datetime, recovery: RecoveryWindow) -> datetime:
    """The last whole quarter of an hour that can be exported for sure."""
    moment = last_second(now, recovery)
    return moment - timedelta(seconds=int(moment.timestamp()) % _QUARTER)


def last_second(now: datetime, recovery: RecoveryWindow) -> datetime:
    """The last second that can be exported for sure."""
    moment = now - SETTLED
    if recovery.latest is not None:
        moment = min(moment, recovery.latest)
    return moment.replace(microsecond=0)


def is_exportable(begin: datetime, end: datetime) -> bool:
    """Return whether the time is long enough for a window."""
    return end - begin >= SHORTEST_WINDOW


def can_continue_to(moment: datetime, end: datetime) -> bool:
    """Return whether windows from this moment on can end exactly at this end."""
    return moment == end or is_exportable(moment, end)


def end_of_next_window(begin: datetime, end: datetime) -> datetime:
    """Return the end of the first window from `begin` to `end`, so that the last one is not too short.

    A local day of 25 hours takes two.
    """
    stop = min(begin + LONGEST_WINDOW, end)
    return stop if can_continue_to(stop, end) else end - SHORTEST_WINDOW
