"""The forecast of a run from manifests and the destination's records: no data file is read."""

from __future__ import annotations

from dataclasses import replace

from converter.errors import SchemaError
from converter.export.manifest import Summary
from converter.options import ConvertOptions
from converter.publishing.decision import decide
from converter.publishing.destination_records import RecordCache
from converter.publishing.prior_schema import PriorSchema, read_prior_schema
from converter.publishing.recorded_observation import recorded_observation
from converter.schema.columns import Column, Schema
from converter.schema.contract import WAYS
from converter.schema.derive import fit_schema
from converter.schema.observe import Observation

NOTHING_KNOWN = Observation()


def forecast(cache: RecordCache, export: Summary, options: ConvertOptions) -> tuple[Column, ...]:
    """Return the columns that are promised for an export which is not made yet.

    cache: of the destination; records that this run has read are not read again. Raises what can be known to be wrong
    before an export is paid for; in a dry run also what is likely to be, and BusyError where another run holds the
    destination.
    """
    if options.dry_run:
        cache.destination.check_free()
    decision = decide(cache, export, options)
    return forecast_schema(read_prior_schema(decision.kept, options, cache.latest)).columns


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
