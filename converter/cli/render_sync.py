"""What a day's sync has done, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from converter.cli.render_report import render_report, report_line

if TYPE_CHECKING:
    from converter.run.sync import SyncReport


def sync_line(done: SyncReport) -> str:
    """The outcome in one line."""
    return _waits(done) if done.report is None else f"{done.date}: {report_line(done.report)}"


def render_sync(done: SyncReport) -> str:
    """The outcome and its figures, some lines."""
    return _waits(done) if done.report is None else f"{done.date}: {render_report(done.report)}"


def _waits(done: SyncReport) -> str:
    if done.export_arn is None:
        return f"{done.date}: would start an export; nothing was started or written"
    return f"{done.date}: would wait for {done.export_arn}, and publish it; nothing was written"
