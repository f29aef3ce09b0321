"""One conversion from SOURCE to DEST: plan, first schema, the pass, the redo if it was wrong, and the commit."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from converter.aws.access import AwsOptions
from converter.conversion.base_snapshot import WAYS as BASE_WAYS
from converter.conversion.base_snapshot import BaseParts
from converter.conversion.change_form import check_old_image, find_form
from converter.conversion.dry_run import NOT_CHECKED, forecast_columns, plan_report
from converter.conversion.kernel_notices import announce_kernels
from converter.conversion.location_checks import (
    check_dest,
    check_locations,
    check_no_export,
    check_source,
    export_folders,
)
from converter.conversion.merge_job import MergeJob
from converter.conversion.pass_control import Control
from converter.conversion.plan import Shard, plan_shards, sampled_files
from converter.conversion.progress import Listener
from converter.conversion.shard import (
    Job,
    PassResult,
    Purpose,
    ShardResult,
    find_surprise,
    find_units,
    first_blocks,
    write_empty_parts,
)
from converter.decode.strict_changes import ChangeForm
from converter.display import lines
from converter.errors import ConvertError, ExportError, SchemaError
from converter.export.data_files import DataFile
from converter.export.locate import open_export
from converter.export.manifest import Export, ExportKind, check_files
from converter.ion.workers import IonWorkers
from converter.options import ConvertOptions
from converter.publishing.column_report import describe_columns, name_warnings, observation_warnings, schema_warnings
from converter.publishing.decision import Decision, decide, describe_part, publish, unchanged
from converter.publishing.merge_history import MergeChain, MergeReport
from converter.publishing.named_attributes import NOTHING_NAMED, NamedAttributes
from converter.publishing.odd_times import OddTimesSeen, merge_odd_times
from converter.publishing.prior_schema import Memory, changes, evolution_warnings, remember, unit_warnings
from converter.publishing.record import export_date, make_record
from converter.publishing.report import Report
from converter.schema.added_columns import AddedValue, added_values, unix_seconds
from converter.schema.contract import NOTHING_PROMISED, WAYS, Contract, broken
from converter.schema.derive import fit_schema, name_rules
from converter.schema.observe import Observation
from converter.schema.types import Schema
from converter.schema.units import UnitError
from converter.storage import open_destination
from converter.storage.destination import Destination, Staging
from converter.storage.source import Source
from converter.write.formats import kernel_parts

Engine = Callable[[Sequence[Shard], Job, Control], PassResult]
"""Runs convert_shard for each shard somewhere: all results, or the first failing shard's error."""


_BUG = "this is a bug in ddb-convert, and nothing was published: please report it"


@dataclass(slots=True)
class Run:
    """What a run knows of its input, and what it counts.

    chain: what a merge is made of; None in other runs. takes_over: see check_owner of publishing/decision.py. folders:
    where exports are read from, and nothing may be written.
    """

    source: Source
    export: Export
    bytes_in: int
    options: ConvertOptions
    listener: Listener
    engine: Engine
    shards: list[Shard]
    ion: IonWorkers | None = None
    ion_files: Collection[str] | None = None
    contract: Contract = NOTHING_PROMISED
    named: NamedAttributes = NOTHING_NAMED
    changes: ChangeForm | None = None
    chain: MergeChain | None = None
    merge: MergeJob | None = None
    base: BaseParts | None = None
    takes_over: bool = False
    folders: tuple[str, ...] = ()
    bytes_read: int = 0
    passes: int = 0
    surprise: str = ""

    def added(self) -> dict[str, AddedValue]:
        """What the added columns hold, by name."""
        return added_values(
            self.options.add_column,
            export_id=self.export.export_id,
            instant=self.export.instant(),
            date=export_date(self.export, self.options.timezone),
        )

    def sample(self, purpose: Purpose) -> Observation:
        """What the first blocks of files spread over the export show; ExportError only if that is all one wants."""
        parts = [] if purpose is Purpose.INSPECT else kernel_parts(self.options)
        parts += ["changes"] if self.changes is not None else []
        announce_kernels(parts, "reading first blocks", self.listener)
        control = Control()
        job = self.job(purpose)
        observation = Observation() if self.base is None else self.base.observation()
        files = sampled_files(self.lines_files())
        with self.source.ahead(file.path for file in files):
            for file in files:
                try:
                    observation = observation.merge(first_blocks(file, job, control))
                except ExportError:
                    if purpose is Purpose.INSPECT:
                        raise
        self.bytes_read += control.bytes_read
        return observation

    def decide(self, destination: Destination, dest: str) -> Decision:
        """Is there something to do, and where? See publishing/decision.py."""
        decision = decide(destination, self.export, self.options, self.chain, takes_over=self.takes_over)
        check_locations(dest, decision.locations, self.folders)
        return decision

    def remember(self, decision: Decision, destination: Destination) -> Memory:
        """What records that stay at the destination promise, and the schema file; without any record, what a base does.

        Raises UsageError and SchemaError where these contradict each other, or the run's options.
        """
        base = None if self.base is None else (self.base.record, self.base.place)
        kept = decision.kept
        if self.base is not None and self.base.record in decision.replaced:
            # Its parts go, and its rows stay: wider columns that they have needed are needed still.
            kept = (*kept, self.base.record)
        memory = remember(kept, self.options, destination, base)
        if self.base is not None:
            dropped = [name for name in memory.options.exclude if name not in self.options.exclude]
            self.base.check_options(self.options, dropped)
        return memory

    def lines_files(self) -> Sequence[DataFile]:
        """The data files that hold lines: all but the parts of a base."""
        if self.base is None:
            return self.export.files
        return [file for file in self.export.files if file.path not in self.base.parts]

    def run_pass(
        self, purpose: Purpose, phase: str, schema: Schema | None = None, staging: Staging | None = None
    ) -> PassResult:
        """All shards once."""
        self.listener.phase(phase)
        self.listener.started(self.bytes_in, len(self.export.files))
        control = Control(self.listener.advanced)
        result = self.engine(self.shards, self.job(purpose, schema, staging), control)
        self.bytes_read += control.bytes_read
        self.passes += 1
        self.surprise = control.surprise
        return result

    def fit(self, observation: Observation, *, sampled: bool = False) -> Schema:
        """The columns for what was observed; SchemaError that names the place for a broken promise."""
        try:
            schema, breaks = fit_schema(observation, self.options, self.contract)
        except UnitError as error:
            if not sampled or error.units:
                self.listener.phase("looking for the first times that are in no such unit")
                raise find_units(self.job(Purpose.INSPECT), self.lines_files(), error, sampled=sampled) from None
            # What the first blocks leave open, later ones may show.
            schema, breaks = fit_schema(observation, self.options, self.contract, partial=True)
        if not breaks or self.options.evolve:
            if self.base is not None:
                self.base.check_schema(schema)
            return schema
        self.listener.phase("looking for the first value that does not fit its column")
        files = self.lines_files()
        files = sampled_files(files) if sampled else files
        promised = Schema(tuple(found.column for found in breaks))
        place = find_surprise(self.job(Purpose.INSPECT), files, promised, beginnings=sampled)
        ways = WAYS if self.base is None else BASE_WAYS
        raise broken(breaks, observation, self.contract, place, ways)

    def odd_times(self, result: PassResult) -> OddTimesSeen:
        """What the pass found odd about times."""
        default = unix_seconds(self.export.instant()) if self.options.time_default == "export_time" else None
        return merge_odd_times((shard.times for shard in result.shards), default)

    def job(self, purpose: Purpose, schema: Schema | None = None, staging: Staging | None = None) -> Job:
        """What the shards of a pass have in common."""
        return Job(
            source=self.source,
            options=self.options,
            purpose=purpose,
            contract=self.contract,
            schema=schema,
            staging=staging,
            added=self.added(),
            changes=self.changes,
            merge=None if self.merge is None else self.merge.or_none(),
            ion=self.ion,
            ion_files=self.ion_files,
            export_time=unix_seconds(self.export.instant()),
        )

    def merged(self) -> MergeReport | None:
        """What a merge has done so far, or will do."""
        if self.chain is None:
            return None
        return MergeReport(chain=self.chain) if self.merge is None else self.merge.report(self.chain)

    def look_at_keys(self) -> None:
        """Find out, of an incremental export, which attributes are keys: their columns come first."""
        if self.export.kind is ExportKind.CHANGES:
            self.changes = find_form(self.job(Purpose.INSPECT), self.export)
            names = [name for name, _ in self.changes.keys if self.options.wants(name)]
            self.options = replace(self.options, key=(*self.options.key, *names))

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        if self.ion is not None:
            self.ion.close()


def _nothing() -> None:
    """What most runs do first."""


def convert_export(
    source: str,
    dest: str,
    options: ConvertOptions,
    aws: AwsOptions,
    engine: Engine,
    listener: Listener,
    *,
    prepare: Callable[[], None] = _nothing,
    takes_over: bool = False,
) -> Report:
    """Convert one export and publish it; see converter.api.convert.

    prepare: see publish_run. takes_over: see check_owner of publishing/decision.py.
    """
    started = time.perf_counter()
    check_source(dest, source, aws)
    with open_run(source, options, aws, engine, listener) as run:
        run.takes_over = takes_over
        run.folders = export_folders(run.source, run.export)
        destination = open_destination(dest, aws)
        check_no_export(destination, dest)
        return publish_run(run, destination, dest, started, prepare)


def publish_run(run: Run, destination: Destination, dest: str, started: float, prepare: Callable[[], None]) -> Report:
    """Convert what the run has opened, and publish it. started: on time.perf_counter's clock.

    prepare: called first, under the lease, if there is something to convert; what it raises ends the run.
    """
    options, listener = run.options, run.listener
    check_dest(dest, run.folders)
    if options.dry_run:
        destination.check_free()
        decision = run.decide(destination, dest)
        if decision.published is not None:
            return unchanged(decision.published, dest, started, decision.warnings)
        planned = Schema(forecast_columns(run.remember(decision, destination), run.base))
        columns = describe_columns(planned, Observation(), {})
        report = replace(_plan(run, dest, decision), columns=columns, not_checked=NOT_CHECKED)
        return replace(report, seconds=time.perf_counter() - started)
    with destination.lease() as lease:
        for warning in lease.warnings:
            listener.warned(warning)
        decision = run.decide(destination, dest)
        if decision.published is not None:
            return unchanged(decision.published, dest, started, (*lease.warnings, *decision.warnings))
        memory = run.remember(decision, destination)
        run.options, run.contract, run.named = memory.options, memory.contract, memory.named
        if run.base is not None:
            run.contract = run.base.promises(run.contract)
        prepare()
        staging = lease.begin(run.export.export_id, *decision.locations)
        schema, result = _convert_all(run, staging)
        listener.phase("publishing")
        report = _report(run, dest, decision, schema, result, [*lease.warnings, *decision.warnings])
        found = changes(memory.columns, schema, result.observation)
        report = replace(
            report,
            seconds=time.perf_counter() - started,
            changes=found,
            warnings=(
                *report.warnings,
                *evolution_warnings(found, decision.kept),
                *unit_warnings(memory.columns, schema),
            ),
        )
        record = make_record(run.export, options, schema.columns, report, decision.sequence)
        told = len(lease.warnings)
        publish(staging, record, [part.pending for part in result.parts], decision)
        warnings = (*report.warnings, *lease.warnings[told:])
        return replace(report, seconds=time.perf_counter() - started, warnings=warnings)


def open_run(source: str, options: ConvertOptions, aws: AwsOptions, engine: Engine, listener: Listener) -> Run:
    """Open the export that a run reads, and check that its files are there."""
    opened, export = open_export(source, aws, latest=options.latest, export_id=options.export_id, verify=options.verify)
    check_old_image(export, options)
    bytes_in = check_files(opened, export)
    ion = IonWorkers(options.threads) if export.output_format == "ION" else None
    return Run(opened, export, bytes_in, options, listener, engine, plan_shards(export.files), ion)


def _convert_all(run: Run, staging: Staging) -> tuple[Schema, PassResult]:
    """The final schema, and parts that are all written with exactly it: in one pass, or two."""
    run.look_at_keys()
    first = run.fit(run.sample(Purpose.TRY), sampled=True)
    # Rows without a column can't be written: what comes after the first blocks has to show one first.
    result = run.run_pass(Purpose.TRY, "converting", first if first.columns else None, staging)
    observation = result.observation
    schema = run.fit(observation)
    if not observation.items:
        return schema, _with_empty_parts(run, schema, staging, result)
    if run.export.kind is not ExportKind.CHANGES:
        run.named.check_key(observation)
    if not schema.columns:
        raise SchemaError(
            f"there is no column to write: none of the {observation.items:,} items has a value in an attribute that is"
            " asked for",
            hint=lines(*run.named.warnings(observation), "see what `ddb-convert inspect` says of them"),
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


def _with_empty_parts(run: Run, schema: Schema, staging: Staging, result: PassResult) -> PassResult:
    """Parts without rows where the columns are known from earlier: readers of this date find their names."""
    if not schema.columns:
        return result
    parts = write_empty_parts(run.job(Purpose.WRITE, schema, staging))
    shard = ShardResult(len(result.shards), parts, Observation(), 0, {}, complete=True)
    return PassResult((*result.shards, shard), result.observation)


def _report(
    run: Run, dest: str, decision: Decision, schema: Schema, result: PassResult, warnings: Sequence[str]
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
    columns = describe_columns(schema, observation, changed, run.odd_times(result))
    about_data = [
        *name_warnings(columns, name_rules(run.options, run.contract)),
        *schema_warnings(columns),
        *observation_warnings(observation, schema, run.options),
        *run.named.warnings(observation),
        *(run.merge.warnings(run.source) if run.merge is not None else ()),
    ]
    return replace(
        _plan(run, dest, decision),
        status="published",
        parts=tuple(describe_part(part.pending, part.rows, decision) for part in parts),
        bytes_json=sum(shard.json_bytes for shard in result.shards),
        bytes_out=sum(part.pending.bytes for part in parts),
        columns=columns,
        items=observation.items,
        unknown_attributes=run.named.unknown(observation),
        warnings=(*run.export.warnings, *warnings, *about_data),
    )


def _plan(run: Run, dest: str, decision: Decision) -> Report:
    """What is known before anything is written."""
    report = plan_report(run.export, run.bytes_in, run.options, dest, decision)
    return replace(report, bytes_read=run.bytes_read, passes=run.passes, merge=run.merged())
