"""The conversion of one export."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from converter.aws.access import AwsOptions
from converter.conversion.change_form import find_form
from converter.conversion.forecast import forecast_schema
from converter.conversion.job import Engine
from converter.conversion.location_checks import check_no_export, check_source, export_folders
from converter.conversion.opened_export import OpenedExport, open_files
from converter.conversion.passes import PassRunner
from converter.conversion.progress import Listener
from converter.conversion.publish_run import RunDestination, publish_run
from converter.conversion.shard_input import ExportInput
from converter.export.manifest import ExportKind
from converter.options import ConvertOptions
from converter.publishing.decision import Decision, decide
from converter.publishing.destination_records import RecordCache
from converter.publishing.prior_schema import PriorSchema, read_prior_schema
from converter.publishing.report import Report
from converter.schema.columns import Column
from converter.storage import open_destination


@dataclass(frozen=True, slots=True)
class ExportRun:
    """See RunInput."""

    opened: OpenedExport

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of the export."""
        return export_folders(self.opened.source, self.opened.export)

    def decide(self, cache: RecordCache, options: ConvertOptions) -> Decision:
        """Decide whether and where to publish."""
        return decide(
            cache.read(),
            cache.destination,
            self.opened.export,
            options,
            accepts_recreated_table=cache.accepts_recreated_table,
        )

    def prior_schema(self, decision: Decision, cache: RecordCache, options: ConvertOptions) -> PriorSchema:
        """Return the columns that the destination's records and the schema file promise."""
        return read_prior_schema(decision.kept, options, cache.latest)

    def forecast(self, prior: PriorSchema) -> tuple[Column, ...]:
        """Return the columns that are promised."""
        return forecast_schema(prior).columns

    def read(self, options: ConvertOptions, runner: PassRunner) -> ExportInput:
        """Read the form of changes."""
        return read_input(self.opened, options, runner)

    def describe(self, report: Report, shard_input: ExportInput | None) -> Report:  # noqa: ARG002 - see RunInput
        """Return the report as it is."""
        return report


def convert_export(
    source: str,
    dest: str,
    options: ConvertOptions,
    aws: AwsOptions,
    engine: Engine,
    listener: Listener,
    *,
    prepare: Callable[[], None] | None = None,
    cache: RecordCache | None = None,
) -> Report:
    """Convert one export and publish it; see converter.api.convert.

    prepare: see publish_run. cache: of `dest`, where this run has read its records before.
    """
    started = time.perf_counter()
    check_source(dest, source, aws)
    run = ExportRun(open_files(source, options, aws))
    cache = cache or RecordCache(open_destination(dest, aws))
    check_no_export(cache.destination, dest)
    with PassRunner(engine, listener, options.threads) as runner:
        return publish_run(run, options, RunDestination(cache, dest, started), runner, prepare)


def read_input(opened: OpenedExport, options: ConvertOptions, runner: PassRunner) -> ExportInput:
    """Find the form of an incremental export's changes."""
    if opened.export.kind is not ExportKind.CHANGES:
        return ExportInput()
    return ExportInput(find_form(opened.source, opened.export, options, runner.context()))
