"""Text output of a sync of a day or of changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from converter.cli.number_format import format_count, format_size
from converter.cli.render_report import planned_facts, render_report, report_line, rows_of
from converter.display import Lines, lines
from converter.publishing.report import NOT_CHECKED
from converter.utc import short_utc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from converter.schema.columns import Column
    from converter.syncing.daily import SyncReport
    from converter.syncing.incremental_report import ChangesReport, WindowReport


def sync_line(done: SyncReport) -> str:
    """Return the outcome in one line."""
    return _waits(done) if done.report is None else f"{done.date}: {report_line(done.report)}"


def render_sync(done: SyncReport) -> Lines:
    """Return the outcome and its numbers on several lines."""
    if done.report is not None:
        first, *rest = render_report(done.report).split("\n")
        return lines(f"{done.date}: {first}", *rest)
    return lines(_waits(done), *_planned(done.columns))


def changes_line(done: ChangesReport) -> str:
    """Return the outcome in one line."""
    if done.full is None and not done.windows and done.snapshot is None:
        return f"nothing to do: {_through(done)}; a window has at least 15 minutes"
    steps = [] if done.full is None else ["all items"]
    if done.windows:
        steps.append(f"{format_count(len(done.windows), 'window')} of changes")
    if done.snapshot is not None:
        steps.append("a snapshot")
    reports = [*(step.report for step in _exported(done)), done.snapshot]
    if all(report is None or report.status == "planned" for report in reports):
        return f"would publish {' and '.join(steps)}; nothing was started or written"
    return f"{_through(done)}: published {' and '.join(steps)}"


def render_changes(done: ChangesReport) -> Lines:
    """Return the outcome and its steps on several lines."""
    shown = [changes_line(done)]
    planned: dict[tuple[Column, ...], None] = {}
    for step in _exported(done):
        span = f"as of {short_utc(step.end)}"
        if step.begin != step.end:
            span = f"{short_utc(step.begin)} to {short_utc(step.end)}"
        shown.append(f"  {'all items' if step is done.full else 'changes':<10}{span}: {_outcome(step)}")
        if step.report is None:
            planned[step.columns] = None
    if done.snapshot is not None:
        first, *rest = render_report(done.snapshot).split("\n")
        shown += [f"  {'snapshot':<10}{first}", *(f"  {line}" for line in rest)]
    for columns in planned:
        shown += _planned(columns)
    return lines(*shown)


def _planned(columns: Sequence[Column]) -> list[str]:
    """Return the facts of a dry run: expected columns, and checks that it does not make."""
    named = [(column.name, str(column.type)) for column in columns]
    return [f"  {name:<10}{fact}" for name, fact in planned_facts(named, NOT_CHECKED)]


def _exported(done: ChangesReport) -> list[WindowReport]:
    return [*(() if done.full is None else (done.full,)), *done.windows]


def _through(done: ChangesReport) -> str:
    if done.through is None:
        return f"{done.table} is not published yet"
    return f"{done.table} is published through {short_utc(done.through)}"


def _outcome(step: WindowReport) -> str:
    report = step.report
    if report is None:
        return "would export it" if step.export_arn is None else f"would wait for {step.export_arn}"
    if report.status != "published":
        return report_line(report)
    return f"{rows_of(report)}, {format_count(len(report.parts), 'part')}, {format_size(report.bytes_out)}"


def _waits(done: SyncReport) -> str:
    if done.export_arn is None:
        return f"{done.date}: would start an export; nothing was started or written"
    return f"{done.date}: would wait for {done.export_arn}, and publish it; nothing was written"
