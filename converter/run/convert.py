"""One conversion from SOURCE to DEST: plan, first schema, the pass, the redo if it was wrong, and the commit."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from converter.decode.native import is_compiled
from converter.errors import ConvertError, ExportError, SchemaError
from converter.export.locate import open_export
from converter.export.manifest import Export, check_files, require_supported
from converter.options import ConvertOptions
from converter.run.control import Control
from converter.run.describe import describe_columns, observation_warnings, schema_warnings
from converter.run.inspection import Inspection, make_inspection
from converter.run.listener import Listener
from converter.run.plan import Shard, plan_shards, sampled_files
from converter.run.publish import Decision, decide, describe_part, publish
from converter.run.record import make_record
from converter.run.report import Report, format_instant
from converter.run.shard import Job, PassResult, Purpose, first_blocks
from converter.schema.derive import check_names, derive_schema
from converter.schema.observe import Observation
from converter.schema.types import Schema
from converter.storage import open_destination
from converter.storage.destination import Staging
from converter.storage.source import Source

Engine = Callable[[Sequence[Shard], Job, Control], PassResult]
"""Runs convert_shard for each shard somewhere: all results, or the first failing shard's error."""


_BUG = "this is a bug in ddb-convert, and nothing was published: please report it"


@dataclass(slots=True)
class _Run:
    """What a run knows of its input, and what it counts."""

    source: Source
    export: Export
    bytes_in: int
    options: ConvertOptions
    listener: Listener
    engine: Engine
    shards: list[Shard]
    bytes_read: int = 0
    passes: int = 0
    surprise: str = ""

    def sample(self, purpose: Purpose) -> Observation:
        """What the first blocks of files spread over the export show; ExportError only if that is all one wants."""
        first = "" if is_compiled() else "compiling the decoder (once on a machine), then "
        self.listener.phase(f"{first}reading first blocks")
        control = Control()
        job = Job(self.source, self.options, purpose)
        observation = Observation()
        for file in sampled_files(self.export.files):
            try:
                observation = observation.merge(first_blocks(file, job, control))
            except ExportError:
                if purpose is Purpose.INSPECT:
                    raise
        self.bytes_read += control.bytes_read
        return observation

    def run_pass(
        self, purpose: Purpose, phase: str, schema: Schema | None = None, staging: Staging | None = None
    ) -> PassResult:
        """All shards once."""
        self.listener.phase(phase)
        self.listener.started(self.bytes_in, len(self.export.files))
        control = Control(self.listener.advanced)
        result = self.engine(self.shards, Job(self.source, self.options, purpose, schema, staging), control)
        self.bytes_read += control.bytes_read
        self.passes += 1
        self.surprise = control.surprise
        return result


def convert_export(source: str, dest: str, options: ConvertOptions, engine: Engine, listener: Listener) -> Report:
    """Convert one export and publish it; see converter.api.convert."""
    started = time.perf_counter()
    run = _open(source, options, engine, listener)
    destination = open_destination(dest)
    if options.dry_run:
        return replace(
            _plan(run, dest, decide(destination, run.export, options)), seconds=time.perf_counter() - started
        )
    with destination.lease() as lease:
        for warning in lease.warnings:
            listener.warned(warning)
        decision = decide(destination, run.export, options)
        if decision.published is not None:
            return replace(
                decision.published.report,
                status="unchanged",
                destination=dest,
                seconds=time.perf_counter() - started,
                warnings=(*lease.warnings, *decision.warnings),
            )
        staging = lease.begin(run.export.export_id, *decision.locations)
        schema, result = _convert_all(run, staging)
        listener.phase("publishing")
        report = _report(run, dest, decision, schema, result, [*lease.warnings, *decision.warnings])
        report = replace(report, seconds=time.perf_counter() - started)
        record = make_record(run.export, options, schema.columns, report)
        publish(staging, record, [part.pending for part in result.parts], decision)
        return replace(report, seconds=time.perf_counter() - started)


def inspect_export(
    source: str, options: ConvertOptions, engine: Engine, listener: Listener, *, sample: bool
) -> Inspection:
    """Look at one export; see converter.api.inspect."""
    run = _open(source, options, engine, listener)
    if sample:
        observation = run.sample(Purpose.INSPECT)
    else:
        observation = run.run_pass(Purpose.INSPECT, "observing").observation
        check_names(observation, options)
    return make_inspection(run.export, run.bytes_in, observation, options, approximate=sample)


def _open(source: str, options: ConvertOptions, engine: Engine, listener: Listener) -> _Run:
    opened, export = open_export(source, latest=options.latest, verify=options.verify)
    require_supported(export)
    bytes_in = check_files(opened, export)
    return _Run(opened, export, bytes_in, options, listener, engine, plan_shards(export.files))


def _convert_all(run: _Run, staging: Staging) -> tuple[Schema, PassResult]:
    """The final schema, and parts that are all written with exactly it: in one pass, or two."""
    first = derive_schema(run.sample(Purpose.TRY), run.options)
    # Rows without a column can't be written: what comes after the first blocks has to show one first.
    result = run.run_pass(Purpose.TRY, "converting", first if first.columns else None, staging)
    observation = result.observation
    schema = derive_schema(observation, run.options)
    if not observation.items:
        return schema, result
    check_names(observation, run.options)
    if not schema.columns:
        raise SchemaError(
            f"there is no column to write: none of the {observation.items:,} items has a value in an attribute that is"
            " asked for",
            hint="see what `ddb-convert inspect` says of them",
        )
    text = run.options.text
    if result.complete and first.written_as(text=text) == schema.written_as(text=text):
        return schema, result
    for part in result.parts:
        staging.discard(part.pending)
    reason = run.surprise or "the columns are others than the first blocks showed"
    result = run.run_pass(Purpose.WRITE, f"writing again: {reason}", schema, staging)
    if not result.complete:
        raise ExportError(
            "the data files have changed while they were read",
            run.export.source,
            "let nothing write to the export's folder, and run the same command again",
        )
    return schema, result


def _report(
    run: _Run, dest: str, decision: Decision, schema: Schema, result: PassResult, warnings: Sequence[str]
) -> Report:
    """What a run that is about to publish says of itself; `seconds` is left to the caller."""
    observation, parts = result.observation, result.parts
    for folder in range(len(decision.locations)):
        rows = sum(part.rows for part in parts if part.pending.folder == folder)
        if rows != observation.items:
            raise ConvertError(f"the parts hold {rows:,} rows of {observation.items:,} items", hint=_BUG)
    changed: Counter[str] = Counter()
    for shard in result.shards:
        changed.update(shard.changed)
    columns = describe_columns(schema, observation, changed)
    about_data = [*schema_warnings(columns), *observation_warnings(observation, schema, run.options)]
    return replace(
        _plan(run, dest, decision),
        status="published",
        parts=tuple(describe_part(part.pending, part.rows, decision) for part in parts),
        bytes_json=sum(shard.json_bytes for shard in result.shards),
        bytes_out=sum(part.pending.bytes for part in parts),
        columns=columns,
        items=observation.items,
        warnings=(*run.export.warnings, *warnings, *about_data),
    )


def _plan(run: _Run, dest: str, decision: Decision) -> Report:
    """What is known before anything is written."""
    export, options = run.export, run.options
    return Report(
        status="planned",
        export_id=export.export_id,
        table=export.table,
        kind=export.kind.value,
        export_time=format_instant(export.instant()),
        date=decision.date,
        source=export.source,
        destination=dest,
        locations=decision.locations,
        format=options.format,
        compression=cast(str, options.compression),
        items=export.items,
        data_files=len(export.files),
        parts=(),
        bytes_in=run.bytes_in,
        bytes_read=run.bytes_read,
        bytes_json=0,
        bytes_out=0,
        seconds=0.0,
        passes=run.passes,
        columns=(),
        warnings=(*export.warnings, *decision.warnings),
        verified=options.verify,
    )
