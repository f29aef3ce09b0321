"""Converts all data files in one pass, or in two where the first blocks have not shown all columns."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from converter.conversion.job import Job, PassResult, Purpose, ShardResult
from converter.conversion.line_reader import open_lines
from converter.conversion.passes import PassRunner, observe_first_blocks
from converter.conversion.run_plan import RunPlan, sampled_files
from converter.conversion.shard import write_empty_parts
from converter.decode.decoder import Decoder
from converter.decode.strict_lines import LineProblem
from converter.decode.time_rules import TimeRules
from converter.display import lines
from converter.errors import ExportError, SchemaError
from converter.export.data_files import DataFile
from converter.export.manifest import ExportKind
from converter.options import SchemaText
from converter.publishing.named_attributes import NamedAttributes
from converter.schema.columns import Schema
from converter.schema.contract import BREAKS_SHOWN, Break, broken_promise_error
from converter.schema.derive import fit_schema
from converter.schema.observe import Observation
from converter.schema.units import UnitError
from converter.storage.destination import PartStore
from converter.time_options import UNIT_NAMES


def convert_files(
    plan: RunPlan, named: NamedAttributes, runner: PassRunner, parts: PartStore
) -> tuple[Schema, PassResult]:
    """Return the final schema, and the result whose parts are all written with exactly it.

    named: the attributes that the user names.
    """
    first = fit_plan(plan, observe_first_blocks(plan, runner, Purpose.TRY), runner, sampled=True)
    # Rows without a column can't be written: what comes after the first blocks has to show one first.
    result = runner.run(plan, Purpose.TRY, "converting", first if first.columns else None, parts)
    observation = result.observation
    schema = fit_plan(plan, observation, runner)
    if not observation.items:
        return schema, _with_empty_parts(plan, schema, parts, result)
    if plan.opened.export.kind is not ExportKind.CHANGES:
        named.check_key(observation)
    if not schema.columns:
        raise SchemaError(
            f"there is no column to write: no item of {observation.items:,} has a value in any selected attribute",
            hint=lines(*named.warnings(observation), "see which attributes they have with `ddb-convert inspect`"),
        )
    text = plan.options.text
    if result.complete and first.written_as(text=text) == schema.written_as(text=text):
        return schema, result
    for part in result.parts:
        parts.discard(part.pending)
    reason = result.surprise or "the columns are others than the first blocks showed"
    result = runner.run(plan, Purpose.WRITE, f"writing again: {reason}", schema, parts)
    if not result.complete:
        raise ExportError(
            "the data files have changed while they were read",
            plan.opened.export.source,
            "let nothing write to the export's folder, and run the same command again",
        )
    return schema, result


def _with_empty_parts(plan: RunPlan, schema: Schema, parts: PartStore, result: PassResult) -> PassResult:
    """Add parts without rows if the columns are known from earlier: readers of this date find their names."""
    if not schema.columns:
        return result
    written = write_empty_parts(plan.job(Purpose.WRITE, schema, parts))
    shard = ShardResult(len(result.shards), written, Observation(), 0, {}, complete=True)
    return PassResult((*result.shards, shard), result.observation)


def fit_plan(plan: RunPlan, observation: Observation, runner: PassRunner, *, sampled: bool = False) -> Schema:
    """Return the columns for what was observed; SchemaError that names the place for a broken promise.

    sampled: only first blocks were observed.
    """
    try:
        schema, breaks = fit_schema(observation, plan.options, plan.contract)
    except UnitError as error:
        if not sampled or error.units:
            runner.listener.phase("looking for the first value that does not match the unit")
            raise _unit_error(plan, error, sampled=sampled) from None
        # Later blocks may show what the first ones don't.
        schema, breaks = fit_schema(observation, plan.options, plan.contract, partial=True)
    if not breaks or plan.options.evolve:
        plan.input.check_schema(schema)
        return schema
    runner.listener.phase("looking for the first value that does not fit its column")
    promised = Schema(tuple(found.column for found in breaks))
    place = _find_mismatch(plan, promised, sampled=sampled)
    raise broken_promise_error(breaks, observation, plan.contract, place, _break_hint(plan, breaks))


def _break_hint(plan: RunPlan, breaks: Sequence[Break]) -> str:
    """Return the hint for broken promises. If only a schema file made them, the file is to be corrected."""
    schema = plan.options.schema
    if not isinstance(schema, SchemaText) or plan.contract.where != schema.where:
        return plan.input.break_hint()
    names = ", ".join(repr(found.column.attribute) for found in breaks[:BREAKS_SHOWN])
    return f"change the type of {names} in {schema.where}"


def _unit_error(plan: RunPlan, error: UnitError, *, sampled: bool) -> UnitError:
    """Return the error with the places of the first numbers that can't be in one of its units."""
    assert error.column is not None
    places = []
    for unit in error.units:
        schema = Schema((replace(error.column, unit=unit),))
        place = _find_mismatch(plan, schema, sampled=sampled)
        places += [f"{place} is not in {UNIT_NAMES[unit]}"] if place else []
    return UnitError(error.what, "; ".join(places), error.hint, error.column, error.units)


def _find_mismatch(plan: RunPlan, schema: Schema, *, sampled: bool) -> str:
    """Return the place of the first value that a column of `schema` can't hold, as errors name it, or "".

    sampled: look at the first blocks alone. After a bad line, which a pass reports, nothing more is read of a file.
    """
    files: Sequence[DataFile] = plan.line_files
    if sampled:
        files = sampled_files(files)
    job = plan.job(Purpose.INSPECT)
    decoder = _decoder_of(job, schema)
    for file in files:
        decoder.lines.begin(file)
        with open_lines(file, job.source, verify=False) as reader:
            with suppress(LineProblem):
                for block in reader:
                    for _ in decoder.decode(block):
                        pass
                    if decoder.surprise or sampled:
                        break
            if decoder.surprise:
                byte, path = decoder.surprise_place
                return f"{reader.where(byte)}: {path}"
    return ""


def _decoder_of(job: Job, schema: Schema) -> Decoder:
    attributes = {column.attribute for column in schema.columns}
    rules = TimeRules.of(job.options)
    # The unit is the schema's: values are compared with that.
    times = TimeRules(nulls_bad=rules.nulls_bad, cuts_fine=rules.cuts_fine)
    return Decoder(schema, wants=attributes.__contains__, times=times, lines=job.lines())
