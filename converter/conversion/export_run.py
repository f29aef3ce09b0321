"""The conversion of one export."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from converter.aws.access import AwsOptions
from converter.conversion.change_form import find_form
from converter.conversion.dry_run import forecast_schema
from converter.conversion.export_input import ExportInput
from converter.conversion.job import Engine
from converter.conversion.location_checks import check_no_export, check_source, export_folders
from converter.conversion.opened_export import OpenedExport, open_files
from converter.conversion.passes import PassRunner
from converter.conversion.progress import Listener
from converter.conversion.publish_run import Target, publish_run
from converter.export.manifest import ExportKind
from converter.options import ConvertOptions
from converter.publishing.decision import Decision, decide
from converter.publishing.prior_schema import Memory, remember
from converter.publishing.report import Report
from converter.schema.types import Column
from converter.storage import open_destination
from converter.storage.destination import Destination


@dataclass(frozen=True, slots=True)
class ExportRun:
    """See RunInput. takes_over: see check_owner of publishing/decision.py."""

    opened: OpenedExport
    takes_over: bool = False

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of the export."""
        return export_folders(self.opened.source, self.opened.export)

    def decide(self, destination: Destination, options: ConvertOptions) -> Decision:
        """Decide whether and where to publish."""
        return decide(destination, self.opened.export, options, takes_over=self.takes_over)

    def prior_schema(self, decision: Decision, destination: Destination, options: ConvertOptions) -> Memory:
        """Return the columns that the destination's records and the schema file promise."""
        return remember(decision.kept, options, destination)

    def forecast(self, prior: Memory) -> tuple[Column, ...]:
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
    takes_over: bool = False,
) -> Report:
    """Convert one export and publish it; see converter.api.convert.

    prepare: see publish_run. takes_over: see check_owner of publishing/decision.py.
    """
    started = time.perf_counter()
    check_source(dest, source, aws)
    run = ExportRun(open_files(source, options, aws), takes_over)
    destination = open_destination(dest, aws)
    check_no_export(destination, dest)
    with PassRunner(engine, listener, options.threads) as runner:
        return publish_run(run, options, Target(destination, dest, started), runner, prepare)


def read_input(opened: OpenedExport, options: ConvertOptions, runner: PassRunner) -> ExportInput:
    """Find the form of an incremental export's changes."""
    if opened.export.kind is not ExportKind.CHANGES:
        return ExportInput()
    return ExportInput(find_form(opened.source, opened.export, options, runner.context()))
