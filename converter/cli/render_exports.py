"""Text output of exports: a table, and the outcomes of start and wait."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from converter.cli.number_format import format_count, format_duration
from converter.display import cell, lines
from converter.utc import short_utc

if TYPE_CHECKING:
    from converter.aws.export_state import ExportState
    from converter.aws.exports import StartedExport

_HEADINGS = ("EXPORT", "STATUS", "KIND", "TIME OR WINDOW", "FORMAT", "ITEMS", "WHERE")
_RIGHT = "ITEMS"
_KINDS = {"FULL_EXPORT": "full", "INCREMENTAL_EXPORT": "changes"}


def started_line(started: StartedExport, *, waits: bool) -> str:
    """Return the outcome of a start, and the next command unless the run waits itself."""
    state = started.state
    table = state.table_arn.rpartition("/")[2]
    if started.is_new:
        text = f"{table}: started export {state.export_id} to {state.folder}/"
    else:
        text = (
            f"{table}: the same command already started export {state.export_id}; it is {_progress(state)}, to "
            f"{state.folder}/ (to start another export, pass a --client-token)"
        )
    return text if waits else lines(text, f"next: ddb-convert export wait {shlex.quote(state.arn)}")


def _progress(state: ExportState) -> str:
    if state.status == "COMPLETED":
        return "completed"
    return "in progress" if state.start_time is None else f"in progress since {short_utc(state.start_time)}"


def completed_line(state: ExportState) -> str:
    """Return the outcome of a wait in one line."""
    took = ""
    if state.start_time is not None and state.end_time is not None:
        took = f" in {format_duration((state.end_time - state.start_time).total_seconds())}"
    items = "" if state.item_count is None else f", {format_count(state.item_count, 'item')}"
    part = "; it contains only items that match its filter" if state.filtered else ""
    return f"export {state.export_id} is completed{took}{items}{part}"


def render_exports(exports: Sequence[ExportState]) -> str:
    """Return a heading and a line for each export, or an empty text if there is none."""
    if not exports:
        return ""
    rows = [_HEADINGS, *(tuple(map(cell, _row(state))) for state in exports)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if heading == _RIGHT else cell.ljust(width)
            for heading, cell, width in zip(_HEADINGS, row, widths, strict=True)
        ]
        lines.append("  ".join(cells).rstrip() + "\n")
    return "".join(lines)


def _row(state: ExportState) -> tuple[str, ...]:
    kind = _KINDS.get(state.type, state.type)
    return (
        state.export_id,
        f"{state.status}: {state.failure_code}" if state.failure_code else state.status,
        f"{kind}, filtered" if state.filtered else kind,
        _moment(state),
        state.format,
        "" if state.item_count is None else format_count(state.item_count),
        f"{state.folder}/",
    )


def _moment(state: ExportState) -> str:
    if state.window is not None:
        return f"{short_utc(state.window.from_time)} to {short_utc(state.window.to_time)}"
    time = state.export_time or state.start_time
    return "" if time is None else short_utc(time)
