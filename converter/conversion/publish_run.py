"""One run at a destination: the decision, the conversion, and the commit."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from converter.conversion.forecast import forecast_schema
from converter.conversion.full_conversion import convert_files
from converter.conversion.location_checks import check_dest, check_locations
from converter.conversion.opened_export import OpenedExport
from converter.conversion.passes import PassRunner
from converter.conversion.run_plan import plan_run
from converter.conversion.run_report import describe_result, plan_report
from converter.conversion.shard_input import ShardInput
from converter.options import ConvertOptions
from converter.publishing.column_report import describe_columns
from converter.publishing.commit import publish, unchanged
from converter.publishing.decision import Decision, decide
from converter.publishing.destination_records import RecordCache
from converter.publishing.merge_history import MergeChain
from converter.publishing.prior_schema import (
    PriorSchema,
    evolution_warnings,
    find_column_changes,
    read_prior_schema,
    unit_warnings,
)
from converter.publishing.record import make_record
from converter.publishing.report import NOT_CHECKED, Report
from converter.schema.columns import Schema
from converter.schema.observe import Observation
from converter.storage.destination import Lease

I = TypeVar("I", bound=ShardInput)  # noqa: E741


@dataclass(frozen=True, slots=True)
class RunDestination:
    """The destination of a run. dest: as the user wrote it. started: time.perf_counter at the start."""

    cache: RecordCache
    dest: str
    started: float


@dataclass(frozen=True, slots=True)
class RunInput(ABC, Generic[I]):
    """The export, or the exports, that one run converts.

    opened: all data files, as those of one export. folders: those that exports are read from, where nothing may be
    written. chain: what a snapshot is made of.
    """

    opened: OpenedExport
    folders: tuple[str, ...]
    chain: MergeChain | None = None

    def prior_schema(self, decision: Decision, cache: RecordCache, options: ConvertOptions) -> PriorSchema:
        """Return the columns that earlier records and the schema file promise.

        Raises UsageError and SchemaError where these contradict each other, or the options.
        """
        return read_prior_schema(decision.kept, options, cache.latest)

    def forecast(self, prior: PriorSchema) -> Schema:
        """Return the columns as far as they are known without reading data files."""
        return forecast_schema(prior)

    @abstractmethod
    def read(self, options: ConvertOptions, runner: PassRunner) -> I:
        """Read what must be known of the data files before any is converted."""

    def describe(self, report: Report, shard_input: I | None) -> Report:  # noqa: ARG002 - for merges
        """Add facts about the input to a report; shard_input is None in a dry run."""
        return report


def publish_run(
    run: RunInput[I],
    options: ConvertOptions,
    destination: RunDestination,
    runner: PassRunner,
    check: Callable[[], None] | None = None,
) -> Report:
    """Convert the opened input, and publish it.

    check: called first, under the lease, if there is something to convert; what it raises ends the run.
    """
    check_dest(destination.dest, run.folders)
    if options.dry_run:
        return _plan_run(run, options, destination)
    with destination.cache.destination.lease() as lease:
        for warning in lease.warnings:
            runner.listener.warned(warning)
        decision = _decide(run, options, destination)
        if decision.published is not None:
            warnings = (*lease.warnings, *decision.warnings)
            return unchanged(decision.published, destination.dest, destination.started, warnings)
        prior = run.prior_schema(decision, destination.cache, options)
        if check is not None:
            check()
        report = _convert_and_publish(run, options, destination, runner, decision, prior, lease)
        return replace(report, seconds=time.perf_counter() - destination.started)


def _plan_run(run: RunInput[I], options: ConvertOptions, destination: RunDestination) -> Report:
    """Return the report of a dry run."""
    destination.cache.destination.check_free()
    decision = _decide(run, options, destination)
    if decision.published is not None:
        return unchanged(decision.published, destination.dest, destination.started, decision.warnings)
    prior = run.prior_schema(decision, destination.cache, options)
    report = replace(
        plan_report(run.opened, options, destination.dest, decision),
        columns=describe_columns(run.forecast(prior), Observation(), {}),
        not_checked=NOT_CHECKED,
        seconds=time.perf_counter() - destination.started,
    )
    return run.describe(report, None)


def _decide(run: RunInput[I], options: ConvertOptions, destination: RunDestination) -> Decision:
    """Read the records, and decide whether and where to publish."""
    destination.cache.read()
    decision = decide(destination.cache, run.opened.export, options, run.chain)
    check_locations(destination.dest, decision.locations, run.folders)
    return decision


def _convert_and_publish(
    run: RunInput[I],
    options: ConvertOptions,
    destination: RunDestination,
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
    report = plan_report(run.opened, plan.options, destination.dest, decision)
    report = describe_result(report, plan, prior.named, decision, schema, result, lease.warnings)
    found = find_column_changes(prior.columns, schema, result.observation)
    report = run.describe(report, shard_input)
    warnings = (*report.warnings, *evolution_warnings(found, decision.kept), *unit_warnings(prior.columns, schema))
    report = replace(
        report,
        bytes_read=runner.bytes_read,
        passes=runner.passes,
        seconds=time.perf_counter() - destination.started,
        column_changes=found,
        warnings=warnings,
    )
    record = make_record(export, options, schema.columns, report, decision.sequence)
    reported = len(lease.warnings)
    publish(staging, record, [part.pending for part in result.parts], decision)
    destination.cache.publish(lease, record, [entry.export_id for entry in decision.replaced])
    return replace(report, warnings=(*warnings, *lease.warnings[reported:]))
