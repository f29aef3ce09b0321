"""The conversion of one export."""

from __future__ import annotations

import time
from collections.abc import Callable

from converter.aws.access import AwsOptions
from converter.conversion.location_checks import check_no_export, check_source, export_folders
from converter.conversion.opened_export import OpenedExport, check_old_image, find_form
from converter.conversion.passes import Execution, PassRunner
from converter.conversion.publish_run import RunDestination, RunInput, publish_run
from converter.conversion.shard_input import ExportInput
from converter.export.locate import open_export
from converter.export.manifest import ExportKind, check_files
from converter.options import ConvertOptions
from converter.publishing.destination_records import RecordCache
from converter.publishing.report import Report
from converter.storage import open_destination


class ExportRun(RunInput[ExportInput]):
    """One export."""

    def read(self, options: ConvertOptions, runner: PassRunner) -> ExportInput:  # noqa: ARG002 - see RunInput
        """Find the form of an incremental export's changes."""
        source, export = self.opened.source, self.opened.export
        if export.kind is not ExportKind.CHANGES:
            return ExportInput()
        return ExportInput(find_form(source, export, options))


def open_run(place: str, options: ConvertOptions, aws: AwsOptions) -> ExportRun:
    """Open the export of a SOURCE, and check that its data files are there.

    Raises ExportError, StorageError, and UsageError for old images that the export does not have.
    """
    source, export = open_export(place, aws, latest=options.latest, export_id=options.export_id, verify=options.verify)
    check_old_image(export, options)
    return ExportRun(OpenedExport(source, export, check_files(source, export)), export_folders(source, export))


def convert_export(
    source: str,
    dest: str,
    options: ConvertOptions,
    execution: Execution,
    *,
    check: Callable[[], None] | None = None,
    cache: RecordCache | None = None,
) -> Report:
    """Convert one export and publish it; see converter.api.convert.

    check: see publish_run. cache: of `dest`, where this run has read its records before.
    """
    started = time.perf_counter()
    check_source(dest, source, execution.aws)
    run = open_run(source, options, execution.aws)
    cache = cache or RecordCache(open_destination(dest, execution.aws))
    check_no_export(cache.destination, dest)
    runner = PassRunner(execution)
    return publish_run(run, options, RunDestination(cache, dest, started), runner, check)
