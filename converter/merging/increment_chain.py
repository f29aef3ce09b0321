"""Selection and order of the increments that update a base, based only on their windows.

A window is [from, to), in milliseconds, and the base contains the table as of a time. Windows that follow each other
without a gap, starting at that time, contain all changes. Other sets of windows may not:

* The changes in a gap are lost.
* If a window begins before the previous one ends, an item may have been put before this end and deleted after it. The
  window does not contain such an item, so a merge would never remove it.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from converter.errors import ExportError
from converter.utc import format_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRules:
    """Rules of a merge.

    allow_gap, allow_overlap: accept gaps or overlaps between windows. verify: compare the old images of changes with
    the items before them. allow_filtered: accept increments with a filter. DynamoDB reports the filter of an export,
    but its manifest does not contain it.
    """

    allow_gap: bool = False
    allow_overlap: bool = False
    verify: bool = False
    allow_filtered: bool = False


STRICT = MergeRules()


@dataclass(frozen=True, slots=True)
class ExportWindow:
    """Window of an increment: from_time inclusive, to_time exclusive. place: the place in error messages."""

    export_id: str
    from_time: datetime
    to_time: datetime
    place: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """applied: indexes of the windows to apply, in order. warnings: about skipped windows and accepted exceptions."""

    applied: tuple[int, ...]
    warnings: tuple[str, ...]


def chain_windows(since: datetime, windows: Sequence[ExportWindow], rules: MergeRules = STRICT) -> Chain:
    """Return the fewest windows from `since` to the last end, in which each window begins where the previous one ends.

    Redundant windows are skipped. If there is no such chain, windows inside of others are skipped, and a gap or an
    overlap raises ExportError unless it is allowed. If all windows end by `since`, none is applied.
    """
    last = max((window.to_time for window in windows), default=since)
    if last <= since:
        return Chain((), tuple(_skipped(window, "it was applied before") for window in windows))
    order = sorted(range(len(windows)), key=lambda i: (windows[i].from_time, windows[i].to_time, windows[i].export_id))
    ways: dict[datetime, tuple[int, ...]] = {since: ()}
    for i in order:
        # All windows that end where this one begins were visited before, because they begin earlier.
        if windows[i].from_time in ways:
            way = (*ways[windows[i].from_time], i)
            if len(way) < len(ways.get(windows[i].to_time, (*way, i))):
                ways[windows[i].to_time] = way
    warnings: list[str] = []
    way = ways.get(last) or _walk(since, windows, _outermost(since, windows, order), rules, warnings)
    for i in order:
        if i not in way:
            old = windows[i].to_time <= since
            reason = "it was applied before" if old else "the other increments contain all its changes"
            warnings.append(_skipped(windows[i], reason))
    return Chain(way, tuple(warnings))


def _outermost(since: datetime, windows: Sequence[ExportWindow], order: Sequence[int]) -> list[int]:
    """Return the windows that end after `since` and are not inside of another window, in order."""
    kept: list[int] = []
    for i in sorted(order, key=lambda i: (windows[i].from_time, -windows[i].to_time.timestamp())):
        if windows[i].to_time > max([since, *(windows[k].to_time for k in kept)]):
            kept.append(i)
    return kept


def _walk(
    since: datetime, windows: Sequence[ExportWindow], order: Sequence[int], rules: MergeRules, warnings: list[str]
) -> tuple[int, ...]:
    """Return the windows in this order. A gap or an overlap raises ExportError, or adds a warning if it is allowed."""
    at, before = since, "the base"
    for i in order:
        window = windows[i]
        begin = format_utc(window.from_time)
        if window.from_time > at:
            what = f"no increment contains the changes from {format_utc(at)}, the end of {before}, to {begin}"
            if not rules.allow_gap:
                raise ExportError(
                    what,
                    window.place,
                    "export this window and add it: ddb-convert export start TABLE --incremental --from"
                    f" {format_utc(at)} --to {begin} …; or add --allow-gap to merge without its changes",
                )
            warnings.append(f"{window.place}: {what}")
        elif window.from_time < at:
            end = format_utc(at)
            what = f"the window of increment {window.export_id} begins at {begin}, before {before} ends at {end}"
            if not rules.allow_overlap:
                raise ExportError(
                    f"{what}: items that were created in the overlap and deleted after it would remain in the snapshot",
                    window.place,
                    f"use increments whose windows follow each other, starting at {format_utc(since)}; or add"
                    " --allow-overlap if no items are deleted",
                )
            warnings.append(f"{window.place}: {what}; deleted items may remain in the snapshot")
        at, before = window.to_time, f"increment {window.export_id}"
    return tuple(order)


def _skipped(window: ExportWindow, reason: str) -> str:
    return f"{window.place}: increment {window.export_id} is skipped: {reason}"
