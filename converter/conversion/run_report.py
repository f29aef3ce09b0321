"""Reports of a run: what is known when nothing has been read, and the result of the conversion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from converter.conversion.job import PassResult
from converter.conversion.opened_export import OpenedExport
from converter.conversion.passes import odd_times
from converter.conversion.run_plan import RunPlan
from converter.errors import ConvertError
from converter.export.manifest import ExportKind
from converter.options import ConvertOptions
from converter.publishing.column_report import describe_columns, name_warnings, observation_warnings, schema_warnings
from converter.publishing.commit import describe_part
from converter.publishing.decision import Decision
from converter.publishing.named_attributes import NamedAttributes
from converter.publishing.report import Report
from converter.schema.change_columns import MARK
from converter.schema.columns import Schema
from converter.schema.derive import name_rules
from converter.utc import format_utc

_BUG = "this is a bug in ddb-convert, and nothing was published: please report it"


def plan_report(opened: OpenedExport, options: ConvertOptions, dest: str, decision: Decision) -> Report:
    """Return the report of a run that has read nothing yet."""
    export = opened.export
    return Report(
        status="planned",
        export_id=export.export_id,
        table=export.table,
        kind=export.kind.value,
        export_time=format_utc(export.instant()),
        date=decision.date,
        source=export.source,
        destination=dest,
        locations=decision.locations,
        format=options.format,
        compression=cast(str, options.compression),
        items=export.items,
        data_files=len(export.files),
        parts=(),
        bytes_in=opened.bytes_in,
        bytes_read=0,
        bytes_json=0,
        bytes_out=0,
        seconds=0.0,
        passes=0,
        columns=(),
        column_changes=(),
        warnings=(*export.warnings, *decision.warnings),
        verified=options.verify,
    )


def describe_result(
    report: Report,
    plan: RunPlan,
    named: NamedAttributes,
    decision: Decision,
    schema: Schema,
    result: PassResult,
    lease_warnings: Sequence[str],
) -> Report:
    """Add the result of the conversion to the report."""
    observation, parts = result.observation, result.parts
    for folder in range(len(decision.locations)):
        rows = sum(part.rows for part in parts if part.pending.folder == folder)
        if rows != observation.items:
            raise ConvertError(f"the parts hold {rows:,} rows of {observation.items:,} items", hint=_BUG)
    changed: Counter[str] = Counter()
    for shard in result.shards:
        changed.update(shard.changed)
    columns = describe_columns(schema, observation, changed, odd_times(plan, result))
    about_data = [
        *name_warnings(columns, name_rules(plan.options, plan.contract)),
        *schema_warnings(columns),
        *observation_warnings(observation, schema, plan.options),
        *_filter_warnings(result),
        *named.warnings(observation, _correction(plan)),
    ]
    return replace(
        report,
        status="published",
        parts=tuple(describe_part(part.pending, part.rows, decision) for part in parts),
        bytes_json=sum(shard.json_bytes for shard in result.shards),
        bytes_out=sum(part.pending.bytes for part in parts),
        columns=columns,
        items=observation.items,
        filtered=None if plan.options.where is None else result.filtered.lines,
        unknown_attributes=named.unknown(observation),
        warnings=(*plan.opened.export.warnings, *lease_warnings, *decision.warnings, *about_data),
    )


def _filter_warnings(result: PassResult) -> list[str]:
    """Return warnings for attributes that no item has, and for deletes: a consumer would keep what they delete."""
    filtered = result.filtered
    deletes = filtered.deletes
    unknown = sorted(filtered.wanted - filtered.found)
    warnings = [f"no item has an attribute {name!r} (--where)" for name in unknown if not name.startswith(MARK)]
    if not deletes:
        return warnings
    count = f"{deletes:,} deletes do" if deletes > 1 else "1 delete does"
    return [
        *warnings,
        f"{count} not satisfy --where, because a delete has only the keys of its item. To keep all deletes, add"
        " OR _op = 'delete'",
    ]


def _correction(plan: RunPlan) -> str:
    """Return how a typing error in an option is corrected, except where a run with --replace replaces it anyway."""
    if plan.options.replace or plan.opened.export.kind is not ExportKind.ITEMS:
        return ""
    return " The corrected command needs --replace for this date"
