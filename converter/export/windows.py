"""Which increments bring a base up to date, and in which order: by their windows alone.

A window is [from, to), to the millisecond, and the base is the table as it was at a moment. Windows that follow each
other without a gap, from that moment on, say everything. Any other set may not:

* In a gap, changes are lost.
* In a window that begins before the moment where the one before ends, an item may have been put before that moment and
  deleted after it. The window says nothing of such an item, and a merge would keep it for ever.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from converter.errors import ExportError


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRules:
    """How strict a merge is.

    allow_gap, allow_overlap: go on all the same over a gap between windows, or where they overlap. verify: compare the
    old images of changes with the items before. allow_filtered: merge increments that hold only what a filter lets
    through, where the service says so; their manifests don't.
    """

    allow_gap: bool = False
    allow_overlap: bool = False
    verify: bool = False
    allow_filtered: bool = False


STRICT = MergeRules()


@dataclass(frozen=True, slots=True)
class ExportWindow:
    """The window of an increment: from_time inclusive, to_time exclusive. place: as errors name it."""

    export_id: str
    from_time: datetime
    to_time: datetime
    place: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """applied: numbers of the windows that count, in their order. warnings: why others don't, and what was allowed."""

    applied: tuple[int, ...]
    warnings: tuple[str, ...]


def chain_windows(since: datetime, windows: Sequence[ExportWindow], rules: MergeRules = STRICT) -> Chain:
    """The fewest windows that lead from `since` to the last end, each beginning where the one before ends.

    Those that say nothing more are passed over. Where there is no such way, windows inside of others are passed over,
    and a gap or an overlap raises ExportError unless it is allowed. No window is applied when all end by `since`.
    """
    last = max((window.to_time for window in windows), default=since)
    if last <= since:
        return Chain((), tuple(_passed_over(window, "it was applied before") for window in windows))
    order = sorted(range(len(windows)), key=lambda i: (windows[i].from_time, windows[i].to_time, windows[i].export_id))
    ways: dict[datetime, tuple[int, ...]] = {since: ()}
    for i in order:
        # All windows that end where this one begins have been looked at: they begin earlier.
        if windows[i].from_time in ways:
            way = (*ways[windows[i].from_time], i)
            if len(way) < len(ways.get(windows[i].to_time, (*way, i))):
                ways[windows[i].to_time] = way
    warnings: list[str] = []
    way = ways.get(last) or _walk(since, windows, _outermost(since, windows, order), rules, warnings)
    for i in order:
        if i not in way:
            old = windows[i].to_time <= since
            reason = "it was applied before" if old else "the other increments say all that it does"
            warnings.append(_passed_over(windows[i], reason))
    return Chain(way, tuple(warnings))


def _outermost(since: datetime, windows: Sequence[ExportWindow], order: Sequence[int]) -> list[int]:
    """Windows that end after `since` and are inside of no other, in their order."""
    kept: list[int] = []
    for i in sorted(order, key=lambda i: (windows[i].from_time, -windows[i].to_time.timestamp())):
        if windows[i].to_time > max([since, *(windows[k].to_time for k in kept)]):
            kept.append(i)
    return kept


def _walk(
    since: datetime, windows: Sequence[ExportWindow], order: Sequence[int], rules: MergeRules, warnings: list[str]
) -> tuple[int, ...]:
    """The windows in this order; ExportError where one does not begin at the end of the one before, or a warning."""
    at, before = since, "the base"
    for i in order:
        window = windows[i]
        begin = _shown(window.from_time)
        if window.from_time > at:
            what = f"no increment holds the changes from {_shown(at)}, where {before} ends, to {begin}"
            if not rules.allow_gap:
                raise ExportError(
                    what,
                    window.place,
                    f"export this window and name it too: ddb-convert export start TABLE --from {_shown(at)}"
                    f" --to {begin} …; or pass --allow-gap to go without its changes",
                )
            warnings.append(f"{window.place}: {what}")
        elif window.from_time < at:
            what = f"the window of increment {window.export_id} begins at {begin}, before {before} ends at {_shown(at)}"
            if not rules.allow_overlap:
                raise ExportError(
                    f"{what}: items that were put before that and deleted after it would stay for ever",
                    window.place,
                    f"name increments whose windows follow each other from {_shown(since)} on; or pass"
                    " --allow-overlap if no item is ever deleted",
                )
            warnings.append(f"{window.place}: {what}; items that were deleted may have stayed")
        at, before = window.to_time, f"increment {window.export_id}"
    return tuple(order)


def _passed_over(window: ExportWindow, reason: str) -> str:
    return f"{window.place}: increment {window.export_id} is passed over: {reason}"


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
