"""Which moment a table can be brought up to, and where the time up to it is cut into windows.

The service exports windows of 15 minutes to 24 hours, from the same 5 minutes on behind now as moments. Windows of
today end at whole quarters of an hour in UTC, so that runs that are started twice ask for the same export.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html
"""

from __future__ import annotations

from datetime import datetime, timedelta

from converter.aws.export_request import LONGEST_WINDOW, SHORTEST_WINDOW
from converter.aws.tables import RecoveryWindow
from converter.syncing.pending_exports import SETTLED

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


def is_due(begin: datetime, end: datetime) -> bool:
    """Is it long enough for a window?"""
    return end - begin >= SHORTEST_WINDOW


def leads_to(moment: datetime, end: datetime) -> bool:
    """Can windows from this moment on reach the end exactly?"""
    return moment == end or is_due(moment, end)


def cut(begin: datetime, end: datetime) -> datetime:
    """Where the first window ends on the way from `begin` to `end`, so that the last one is not too short.

    A local day of 25 hours takes two.
    """
    stop = min(begin + LONGEST_WINDOW, end)
    return stop if leads_to(stop, end) else end - SHORTEST_WINDOW
