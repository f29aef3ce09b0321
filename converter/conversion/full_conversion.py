"""Converts all data files in one pass, or in two where the first blocks have not shown all columns."""

from __future__ import annotations

from converter.conversion.job import PassResult, Purpose, ShardResult
from converter.conversion.passes import PassRunner, observe_first_blocks
from converter.conversion.run_plan import RunPlan
from converter.conversion.schema_fit import fit_plan
from converter.conversion.shard import write_empty_parts
from converter.display import lines
from converter.errors import ExportError, SchemaError
from converter.export.manifest import ExportKind
from converter.publishing.named_attributes import NamedAttributes
from converter.schema.columns import Schema
from converter.schema.observe import Observation
from converter.storage.destination import PartStore


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
