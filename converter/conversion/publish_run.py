"""One run at a destination: the decision, the conversion, and the commit."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from converter.conversion.dry_run import NOT_CHECKED, plan_report
from converter.conversion.full_conversion import convert_files
from converter.conversion.job import PassResult
from converter.conversion.location_checks import check_dest, check_locations
from converter.conversion.opened_export import OpenedExport
from converter.conversion.passes import PassRunner, odd_times
from converter.conversion.run_plan import RunPlan, plan_run
from converter.conversion.shard_input import ShardInput
from converter.errors import ConvertError
from converter.options import ConvertOptions
from converter.publishing.column_report import describe_columns, name_warnings, observation_warnings, schema_warnings
from converter.publishing.commit import describe_part, publish, unchanged
from converter.publishing.decision import Decision
from converter.publishing.destination_records import RecordCache
from converter.publishing.named_attributes import NamedAttributes
from converter.publishing.prior_schema import PriorSchema, changes, evolution_warnings, unit_warnings
from converter.publishing.record import make_record
from converter.publishing.report import Report
from converter.schema.columns import Column, Schema
from converter.schema.derive import name_rules
from converter.schema.observe import Observation
from converter.storage.destination import Lease

_BUG = "this is a bug in ddb-convert, and nothing was published: please report it"

I = TypeVar("I", bound=ShardInput)  # noqa: E741


@dataclass(frozen=True, slots=True)
class Target:
    """The destination of a run. dest: as the user wrote it. started: time.perf_counter at the start."""

    cache: RecordCache
    dest: str
    started: float


class RunInput(Protocol[I]):
    """The export, or the exports, that one run converts."""

    @property
    def opened(self) -> OpenedExport:
        """All data files, as those of one export."""

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that exports are read from, where nothing may be written."""

    def decide(self, cache: RecordCache, options: ConvertOptions) -> Decision:
        """Read the records, and decide whether and where to publish; see publishing/decision.py."""

    def prior_schema(self, decision: Decision, cache: RecordCache, options: ConvertOptions) -> PriorSchema:
        """Return the columns that earlier records and the schema file promise.

        Raises UsageError and SchemaError where these contradict each other, or the options.
        """

    def forecast(self, prior: PriorSchema) -> tuple[Column, ...]:
        """Return the columns as far as they are known without reading data files."""

    def read(self, options: ConvertOptions, runner: PassRunner) -> I:
        """Read what must be known of the data files before any is converted."""

    def describe(self, report: Report, shard_input: I | None) -> Report:
        """Add facts about the input to a report; shard_input is None in a dry run."""


def publish_run(
    run: RunInput[I],
    options: ConvertOptions,
    target: Target,
    runner: PassRunner,
    prepare: Callable[[], None] | None = None,
) -> Report:
    """Convert the opened input, and publish it.

    prepare: called first, under the lease, if there is something to convert; what it raises ends the run.
    """
    check_dest(target.dest, run.folders)
    if options.dry_run:
        return _plan_run(run, options, target)
    with target.cache.destination.lease() as lease:
        for warning in lease.warnings:
            runner.listener.warned(warning)
        decision = _decide(run, options, target)
        if decision.published is not None:
            warnings = (*lease.warnings, *decision.warnings)
            return unchanged(decision.published, target.dest, target.started, warnings)
        prior = run.prior_schema(decision, target.cache, options)
        if prepare is not None:
            prepare()
        report = _convert_and_publish(run, options, target, runner, decision, prior, lease)
        return replace(report, seconds=time.perf_counter() - target.started)


def _plan_run(run: RunInput[I], options: ConvertOptions, target: Target) -> Report:
    """Return the report of a dry run."""
    target.cache.destination.check_free()
    decision = _decide(run, options, target)
    if decision.published is not None:
        return unchanged(decision.published, target.dest, target.started, decision.warnings)
    prior = run.prior_schema(decision, target.cache, options)
    planned = Schema(run.forecast(prior))
    report = replace(
        plan_report(run.opened, options, target.dest, decision),
        columns=describe_columns(planned, Observation(), {}),
        not_checked=NOT_CHECKED,
        seconds=time.perf_counter() - target.started,
    )
    return run.describe(report, None)


def _decide(run: RunInput[I], options: ConvertOptions, target: Target) -> Decision:
    decision = run.decide(target.cache, options)
    check_locations(target.dest, decision.locations, run.folders)
    return decision


def _convert_and_publish(
    run: RunInput[I],
    options: ConvertOptions,
    target: Target,
    runner: PassRunner,
    decision: Decision,
    prior: PriorSchema,
    lease: Lease,
) -> Report:
    export = run.opened.export
    shard_input = run.read(prior.options, runner)
    plan = plan_run(run.opened, prior.options, shard_input, prior.contract)
    staging = lease.begin(export.export_id, *decision.locations)
    schema, result = convert_files(plan, prior.named, runner, staging)
    runner.listener.phase("publishing")
    report = plan_report(run.opened, plan.options, target.dest, decision)
    report = _describe_result(report, plan, prior.named, decision, schema, result, lease.warnings)
    found = changes(prior.columns, schema, result.observation)
    report = run.describe(report, shard_input)
    warnings = (*report.warnings, *evolution_warnings(found, decision.kept), *unit_warnings(prior.columns, schema))
    report = replace(
        report,
        bytes_read=runner.bytes_read,
        passes=runner.passes,
        seconds=time.perf_counter() - target.started,
        changes=found,
        warnings=warnings,
    )
    record = make_record(export, options, schema.columns, report, decision.sequence)
    reported = len(lease.warnings)
    publish(staging, record, [part.pending for part in result.parts], decision)
    target.cache.publish(lease, record, [entry.export_id for entry in decision.replaced])
    return replace(report, warnings=(*warnings, *lease.warnings[reported:]))


def _describe_result(
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
        *named.warnings(observation),
    ]
    return replace(
        report,
        status="published",
        parts=tuple(describe_part(part.pending, part.rows, decision) for part in parts),
        bytes_json=sum(shard.json_bytes for shard in result.shards),
        bytes_out=sum(part.pending.bytes for part in parts),
        columns=columns,
        items=observation.items,
        unknown_attributes=named.unknown(observation),
        warnings=(*plan.opened.export.warnings, *lease_warnings, *decision.warnings, *about_data),
    )
