"""Text output of the report of a conversion."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from converter.cli.number_format import format_count, format_duration, format_size
from converter.display import Lines, lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from converter.publishing.merge_history import MergeReport
    from converter.publishing.report import Report

_MEASURABLE_BYTES = 1_000_000
_LISTED = 10


def report_line(report: Report) -> str:
    """Return the outcome in one line."""
    items = rows_of(report)
    what = f"{items} of {report.table}"
    if report.status == "unchanged":
        return f"nothing to do: {what} are already published with these options"
    kind = _kind(report)
    if report.status == "planned":
        if report.merge is not None:
            # The number of items is not known before the changes are read.
            what = f"a snapshot of {report.table}, based on {items},"
        return f"would publish {what} from {format_count(report.data_files, 'data file')} ({kind}); nothing was written"
    return f"published {what} as {format_count(len(report.parts), 'part')}, {format_size(report.bytes_out)} ({kind})"


def rows_of(report: Report) -> str:
    """Return the number of rows and their kind."""
    return format_count(report.items, "change" if report.kind == "changes" else "item")


def render_report(report: Report) -> Lines:
    """Return the outcome and its numbers on several lines."""
    facts = [
        ("export", f"{report.export_id}, {report.kind}, {report.export_time}"),
        *(("to", f"{report.destination.rstrip('/')}/{location}") for location in report.locations),
    ]
    if report.filtered is not None:
        facts.append(("filtered", f"{report.filtered:,} do not satisfy --where"))
    if len(report.locations) > 1 and report.parts:
        facts.append(("parts", ", ".join(_share(report, location) for location in report.locations)))
    if report.merge is not None:
        facts += _merged(report.merge)
    if report.status == "planned":
        facts += planned_facts([(column.name, column.type) for column in report.columns], report.not_checked)
    elif report.columns:
        types = Counter(column.type for column in report.columns)
        counts = ", ".join(f"{number} {name}" for name, number in types.most_common())
        facts.append(("columns", f"{len(report.columns)}: {counts}"))
    facts += _changes(report)
    changed = [
        f"{column.name} ({format_count(column.changed, 'value')})" for column in report.columns if column.changed
    ]
    if changed:
        facts.append(("rounded", ", ".join(changed)))
    times = {column.name: column.times.described for column in report.columns if column.times is not None}
    odd = [f"{name} ({described})" for name, described in times.items() if described]
    if odd:
        facts.append(("times", ", ".join(odd)))
    nuls = [f"{format_count(column.nuls, 'text')} in {column.name}" for column in report.columns if column.nuls]
    if nuls:
        facts.append(("NUL", ", ".join(nuls)))
    if report.status == "published":
        checked = f"md5 and item counts of {format_count(report.data_files, 'data file')}"
        facts.append(("checked", checked if report.verified else "nothing (--no-verify)"))
        facts.append(("read", _speed(report)))
    return lines(report_line(report), *(f"  {name:<9}{fact}" for name, fact in facts))


def planned_facts(columns: Sequence[tuple[str, str]], not_checked: Sequence[str]) -> list[tuple[str, str]]:
    """Return the facts of a dry run: columns, which are names and types, and checks that it does not make."""
    listed = _listed([f"{name} {type_}" for name, type_ in columns])
    facts = [("columns", f"{len(columns)} expected: {listed}")] if columns else []
    return facts + [("not checked: ", each) for each in not_checked]


def _merged(merge: MergeReport) -> list[tuple[str, str]]:
    """Return the inputs of a snapshot, and the changes by its increments."""
    facts = [("base", merge.chain.base.export_id), ("with", format_count(len(merge.chain.increments), "increment"))]
    if merge.inserted is not None and merge.updated is not None and merge.deleted is not None:
        done = f"{merge.inserted:,} new, {merge.updated:,} changed, {merge.deleted:,} deleted"
        unknown = (
            f", {format_count(merge.unknown_deletes, 'delete')} of items that the base does not have"
            if merge.unknown_deletes
            else ""
        )
        facts.append(("items", done + unknown))
    if merge.old_images is not None:
        other = f"{merge.different_images:,} differ" if merge.different_images else "all equal"
        facts.append(
            ("verified", f"{format_count(merge.old_images, 'old image')} compared with the items before: {other}")
        )
    return facts


def _changes(report: Report) -> list[tuple[str, str]]:
    """Return the columns that are new at the destination, or that were widened."""
    added = [change.column for change in report.column_changes if change.change == "added"]
    wider = [f"{c.column} ({c.before} → {c.after})" for c in report.column_changes if c.change == "widened"]
    return [(name, _listed(columns)) for name, columns in (("new", added), ("wider", wider)) if columns]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _kind(report: Report) -> str:
    """`parquet, zstd`, or `csv + parquet, zstd`."""
    if len(report.locations) < 2:
        return report.format if report.compression == "none" else f"{report.format}, {report.compression}"
    compressions = (named.split("=") for named in report.compression.split(","))
    return " + ".join(name if how == "none" else f"{name}, {how}" for name, how in compressions)


def _share(report: Report, location: str) -> str:
    """Describe the parts of one format: `3 parts of csv, 1.5 MB`."""
    parts = [part for part in report.parts if part.path.startswith(f"{location}/")]
    return f"{format_count(len(parts), 'part')} of {parts[0].format}, {format_size(sum(part.bytes for part in parts))}"


def _speed(report: Report) -> str:
    passes = "" if report.passes <= 1 else f", in {report.passes} passes"
    amount = f"{format_size(report.bytes_in)} ({format_size(report.bytes_json)} of JSON)"
    read = f"{amount} in {format_duration(report.seconds)}{passes}"
    # The speed of a very short run means nothing.
    if report.seconds <= 0 or report.bytes_json < _MEASURABLE_BYTES:
        return read
    return f"{read}, {report.bytes_json / report.seconds / 1e6:,.0f} MB/s of JSON"
