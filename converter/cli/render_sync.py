"""What a sync has done, of a day or of changes, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from converter.aws.export_request import to_text
from converter.cli.figures import count, size
from converter.cli.render_report import planned_facts, render_report, report_line, rows_of
from converter.conversion.dry_run import NOT_CHECKED
from converter.display import Lines, lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from converter.schema.types import Column
    from converter.syncing.daily import SyncReport
    from converter.syncing.incremental_report import ChangesReport, WindowReport


def sync_line(done: SyncReport) -> str:
    """The outcome in one line."""
    return _waits(done) if done.report is None else f"{done.date}: {report_line(done.report)}"


def render_sync(done: SyncReport) -> Lines:
    """The outcome and its figures, some lines."""
    if done.report is not None:
        first, *rest = render_report(done.report).split("\n")
        return lines(f"{done.date}: {first}", *rest)
    return lines(_waits(done), *_planned(done.columns))


def changes_line(done: ChangesReport) -> str:
    """The outcome in one line."""
    if done.full is None and not done.windows and done.snapshot is None:
        return f"nothing to do: {_through(done)}, and less than 15 minutes are wanted beyond that"
    steps = [*([] if done.full is None else ["all items"]), *_windows(done)]
    if done.snapshot is not None:
        steps.append("a snapshot")
    reports = [*(step.report for step in _exported(done)), done.snapshot]
    if all(report is None or report.status == "planned" for report in reports):
        return f"would bring {' and '.join(steps)}; nothing was started or written"
    return f"{_through(done)}: brought {' and '.join(steps)}"


def render_changes(done: ChangesReport) -> Lines:
    """The outcome and its steps, some lines."""
    shown = [changes_line(done)]
    planned: dict[tuple[Column, ...], None] = {}
    for step in _exported(done):
        span = f"as of {to_text(step.end)}"
        if step.begin != step.end:
            span = f"{to_text(step.begin)} to {to_text(step.end)}"
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
    """Of a dry run: the columns that are promised, and what it has not looked at."""
    named = [(column.name, str(column.type)) for column in columns]
    return [f"  {name:<10}{fact}" for name, fact in planned_facts(named, NOT_CHECKED)]


def _exported(done: ChangesReport) -> list[WindowReport]:
    return [*(() if done.full is None else (done.full,)), *done.windows]


def _windows(done: ChangesReport) -> list[str]:
    return [f"{count(len(done.windows), 'window')} of changes"] if done.windows else []


def _through(done: ChangesReport) -> str:
    return f"{done.table} is here through {'nothing yet' if done.through is None else to_text(done.through)}"


def _outcome(step: WindowReport) -> str:
    report = step.report
    if report is None:
        return "would be exported" if step.export_arn is None else f"would wait for {step.export_arn}"
    if report.status != "published":
        return report_line(report)
    return f"{rows_of(report)}, {count(len(report.parts), 'part')}, {size(report.bytes_out)}"


def _waits(done: SyncReport) -> str:
    if done.export_arn is None:
        return f"{done.date}: would start an export; nothing was started or written"
    return f"{done.date}: would wait for {done.export_arn}, and publish it; nothing was written"
