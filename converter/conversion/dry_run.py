"""The forecast of a run from manifests and the destination's records: no data file is read."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from converter.conversion.opened_export import OpenedExport
from converter.errors import SchemaError
from converter.export.manifest import Summary
from converter.options import ConvertOptions
from converter.publishing.decision import Decision, decide
from converter.publishing.destination_records import RecordCache
from converter.publishing.prior_schema import PriorSchema, read_prior_schema
from converter.publishing.recorded_observation import recorded_observation
from converter.publishing.report import Report
from converter.schema.columns import Column, Schema
from converter.schema.contract import WAYS
from converter.schema.derive import fit_schema
from converter.schema.observe import Observation
from converter.utc import format_utc

NOT_CHECKED = (
    "the data: whether every line is right and every value fits its column, and which columns are new",
    "whether DEST can be written",
)
"""Facts that a dry run does not check."""

NOTHING_KNOWN = Observation()


def forecast(cache: RecordCache, export: Summary, options: ConvertOptions) -> tuple[Column, ...]:
    """Return the columns that are promised for an export which is not made yet.

    cache: of the destination; records that this run has read are not read again. Raises what can be known to be wrong
    before an export is paid for; in a dry run also what is likely to be, and BusyError where another run holds the
    destination.
    """
    if options.dry_run:
        cache.destination.check_free()
    records = cache.latest or cache.read()
    decision = decide(
        records, cache.destination, export, options, accepts_recreated_table=cache.accepts_recreated_table
    )
    return forecast_schema(read_prior_schema(decision.kept, options, records)).columns


def forecast_schema(prior: PriorSchema, known: Observation = NOTHING_KNOWN, hint: str = WAYS) -> Schema:
    """Return the columns that are promised, without those that new attributes add.

    known: of rows that are there already. hint: of the error for a broken promise. In a dry run the items are assumed
    to have the attributes that those of the newest record have. Raises UsageError and SchemaError where the options
    contradict these columns.
    """
    options, observation = prior.options, known
    if options.dry_run and prior.record is not None:
        observation = observation.merge(recorded_observation(prior.record))
    if options.mixed == "fail":
        # An attribute that had several types may have only one today.
        options = replace(options, mixed="text")
    schema, breaks = fit_schema(observation, options, prior.contract, partial=True)
    if breaks and not options.evolve:
        column, needed = breaks[0].column, breaks[0].needed
        raise SchemaError(
            f"column {column.name!r} is {column.described} at this destination, and a value of attribute"
            f" {column.attribute!r} needs {needed.described} with these options",
            prior.contract.where,
            hint,
        )
    return schema


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
        changes=(),
        warnings=(*export.warnings, *decision.warnings),
        verified=options.verify,
    )
